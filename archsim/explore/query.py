"""Rows of a store, chosen by conditions, with the columns that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.costs.fidelity.fidelities import FIDELITIES
from archsim.explore.conditions import Condition
from archsim.explore.spec import field_order, flat, nested, with_defaults
from archsim.explore.store import Row, Store, fields_of
from workloads.refusal import Refusal

if TYPE_CHECKING:
    import pandas as pd

    from archsim.explore.frames import Frame


class QueryError(Refusal):
    """A query asks for what no row has."""


def results(
    store: Store | str | Path,
    *,
    where: Sequence[str] | str = (),
    columns: Sequence[str] = (),
    every_version: bool = False,
) -> Frame:
    """The rows of a store, or of the folder of one, of which all conditions hold, in the order of their
    fields; see `Store.frame` for the columns, of which `columns` chooses some. A condition asks for fields of
    a point, those that its engine and its technology have by default among them, and for figures.

    Raises StoreError for a store that cannot be read, ConditionError for a condition that is none or asks for
    what no row has, QueryError for a column that is not there.
    """
    frame = found(store, where=where, every_version=every_version)
    return told(frame, columns)


def found(
    store: Store | str | Path, *, where: Sequence[str] | str = (), every_version: bool = False
) -> Frame:
    """The rows of a store with all columns that any row may have. Raises as `results` does."""
    from archsim.explore.frames import Frame

    store = store if isinstance(store, Store) else Store(store, read=True)
    conditions = [Condition(text) for text in ([where] if isinstance(where, str) else where)]
    rows = sorted(store.rows(every_version=every_version), key=_order)
    table = [fields_of(row, version=every_version) for row in rows]
    frame: pd.DataFrame = Frame(table)
    if conditions and rows:
        asked = [_asked(fields, row.point) for fields, row in zip(table, rows, strict=True)]
        known = frozenset().union(*asked)
        # What a refused point lacks is nothing; a word that names no figure would be a text.
        figures = dict.fromkeys(name for row in rows for name in row.figures or ())
        asked = [figures | fields for fields in asked]
        for condition in conditions:
            condition.check_names(known)
        frame = frame[[all(one.holds(fields) for one in conditions) for fields in asked]]
    return Frame(frame)


def _order(row: Row) -> list[tuple[str, bool, Any]]:
    """Rows stand by their fields, numbers by size and all else by its text, then by fidelity."""
    values = sorted(flat(row.point).items(), key=lambda field: field_order(field[0]))
    numbers = ((name, value, isinstance(value, int | float)) for name, value in values)
    told = [(name, not number, value if number else str(value)) for name, value, number in numbers]
    return [*told, ("fidelity", False, [*FIDELITIES].index(row.fidelity))]


def _asked(fields: dict[str, Any], point: Any) -> dict[str, Any]:
    """What a condition may ask of a row; its clock is a number."""
    return with_defaults(nested(point)) | fields


def told(frame: pd.DataFrame, columns: Sequence[str] = ()) -> Frame:
    """These columns of a frame, or else those in which any row has a figure. Raises QueryError for one that
    it does not have."""
    from archsim.explore.frames import Frame

    for column in columns:
        if column not in frame:
            allowed = list(frame) or "those of finished points, and there are none"
            raise QueryError.of("columns", column, allowed)
    if columns:
        return Frame(frame[list(columns)])
    if frame.empty:
        return Frame(frame)
    return Frame(frame.loc[:, frame.notna().any() | (frame.columns == "error")])
