"""A number of a technology and where it comes from: value, unit, kind and source, never one without the
others.

Every constant stands in a YAML file of `technology/data`, every table in a CSV file beside a YAML file of
the same name that gives each column's unit. What lacks any of the four is refused when it is read.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from workloads.refusal import Refusal
from workloads.strict_yaml import parse_yaml

KINDS = ("measured", "published", "fitted", "assumed")
TEXT = "text"


class ProvenanceError(Refusal):
    """A number stands in a data file without its unit, source or kind."""


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One number with its unit, its source and how it came about (one of `KINDS`).

    `error_factor` is the one-sigma error as a ratio (1.7: the truth is likely between value/1.7 and
    value*1.7), None where nobody stated one.
    """

    name: str
    value: float
    unit: str
    kind: str
    source: str
    error_factor: float | None = None

    def __post_init__(self) -> None:
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        for field, holds, allowed in (
            ("value", is_number, "is a number"),
            ("value", is_number and math.isfinite(self.value), "is a finite number"),
            ("unit", _is_text(self.unit), "is a text that is not empty"),
            ("source", _is_text(self.source), "is a text that is not empty"),
            ("kind", self.kind in KINDS, f"are {', '.join(KINDS)}"),
            ("error_factor", (self.error_factor or 1) >= 1, "is a ratio of 1 or more"),
        ):
            if not holds:
                raise ProvenanceError(f"{self.name}: {field} is {getattr(self, field)!r}, allowed {allowed}")

    def __float__(self) -> float:
        return float(self.value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


@dataclass(frozen=True)
class Table:
    """A CSV table: `rows` by column, texts and numbers, None where a number is left blank; `columns` the unit
    of each, and the source and kind of all of it."""

    name: str
    rows: tuple[Mapping[str, Any], ...]
    columns: Mapping[str, str]
    provenance: Mapping[str, tuple[str, str]]
    kind: str
    source: str

    def quantities(self, **cells: object) -> Iterator[Quantity]:
        """Every number of the table, one quantity a cell, or of the rows that have these `cells` by column;
        blank cells are left out."""
        for line, row in enumerate(self.rows, start=2):
            if any(row[column] != cell for column, cell in cells.items()):
                continue
            for column, unit in self.columns.items():
                if unit == TEXT or row[column] is None:
                    continue
                kind_from, source_from = self.provenance.get(column, ("", ""))
                yield Quantity(
                    name=f"{self.name}:{line}:{column}",
                    value=float(row[column]),
                    unit=unit,
                    kind=row[kind_from] if kind_from else self.kind,
                    source=row[source_from] if source_from else self.source,
                )


def quantity(name: str, entry: object) -> Quantity:
    """The quantity that a mapping {value, unit, source, kind[, error_factor]} writes down.

    Raises ProvenanceError naming the field that is missing, unknown or wrong.
    """
    if not isinstance(entry, Mapping):
        raise ProvenanceError(
            f"{name}: entry is {entry!r}, allowed is a mapping with value, unit, source and kind"
        )
    required = {"value", "unit", "source", "kind"}
    for field in sorted(required - entry.keys()):
        raise ProvenanceError(
            f"{name}: {field} is missing, allowed is an entry with value, unit, source and kind"
        )
    for field in sorted(entry.keys() - required - {"error_factor"}):
        raise ProvenanceError(
            f"{name}: field {field!r} is unknown, allowed are value, unit, source, kind, error_factor"
        )
    return Quantity(name=name, **entry)


def read_text(file: str, directory: Path | None = None) -> str:
    """The text of one file of `technology/data`, or of another directory of such files."""
    return ((directory or resources.files("archsim.technology") / "data") / file).read_text(encoding="utf-8")


def title_of(file: str) -> str:
    """What a YAML file of `technology/data` holds, in a few words; ProvenanceError where it does not say."""
    title = _read_yaml(file).get("title")
    if not isinstance(title, str) or not title:
        raise ProvenanceError(f"{file}: title is {title!r}, allowed is a text that says what the file holds")
    return title


def _read_yaml(file: str, directory: Path | None = None) -> dict[str, Any]:
    content = parse_yaml(read_text(file, directory), file, error=ProvenanceError)
    if not isinstance(content, dict) or not {"quantities", "table"} & content.keys():
        raise ProvenanceError(
            f"{file}: content has neither of the keys 'quantities' and 'table', of which one is required"
        )
    return content


@cache
def load_quantities(file: str) -> Mapping[str, Quantity]:
    """The quantities of one YAML file of `technology/data`, by name; ProvenanceError if one is incomplete."""
    entries = _read_yaml(file).get("quantities")
    if not isinstance(entries, dict):
        raise ProvenanceError(f"{file}: quantities is {entries!r}, allowed is a mapping from name to entry")
    return {name: quantity(f"{file}:{name}", entry) for name, entry in entries.items()}


@cache
def load_table(file: str) -> Table:
    """One CSV file of `archsim/technology/data` with the YAML file that describes it; ProvenanceError where a
    column lacks a unit."""
    return read_table(file)


def read_table(file: str, directory: Path | None = None) -> Table:
    """As `load_table`, read anew, also from another directory."""
    sidecar = file.removesuffix(".csv") + ".yaml"
    described = _read_yaml(sidecar, directory)
    if described.get("table") != file:
        raise ProvenanceError(f"{sidecar}: table is {described.get('table')!r}, allowed is {file!r}")
    for field, allowed in (
        ("source", "a text"),
        ("kind", "one of " + ", ".join(KINDS)),
        ("columns", "a mapping"),
    ):
        if not described.get(field):
            raise ProvenanceError(f"{sidecar}: {field} is missing, allowed is {allowed}")
    reader = csv.DictReader(io.StringIO(read_text(file, directory)))
    columns, provenance = {}, {}
    for column in reader.fieldnames or ():
        entry = described["columns"].get(column)
        if isinstance(entry, dict):
            provenance[column] = (entry["kind_from"], entry["source_from"])
            entry = entry.get("unit")
        if not isinstance(entry, str) or not entry:
            raise ProvenanceError(
                f"{sidecar}: column {column!r} has unit {entry!r}, allowed is a unit or {TEXT!r}"
            )
        columns[column] = entry
    rows = tuple({column: _cell(row[column], unit) for column, unit in columns.items()} for row in reader)
    return Table(file, rows, columns, provenance, described["kind"], described["source"])


def _cell(text: str, unit: str) -> str | float | None:
    """A cell of a table: a whole number as one."""
    if unit == TEXT:
        return text
    return int(text) if text.isdigit() else float(text) if text else None


def all_quantities() -> dict[str, Quantity]:
    """Every number of every technology data file, table cells included, by name.

    Raises ProvenanceError for a number without unit, source or kind, a table without a description, or a
    YAML file that holds neither quantities nor the description of a table.
    """
    quantities: list[Quantity] = []
    for file in sorted(entry.name for entry in (resources.files("archsim.technology") / "data").iterdir()):
        if file.endswith(".csv"):
            quantities += load_table(file).quantities()
        elif file.endswith(".yaml") and "quantities" in _read_yaml(file):
            quantities += load_quantities(file).values()
    return {number.name: number for number in quantities}
