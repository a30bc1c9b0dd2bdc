"""A table, once: cells in SI units under columns that know their unit. The terminal, the page, the README and
the CSV file each show it in their way."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import table
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from reports.formatting import heading, shown

_GAP = 2
_LEAST_WIDTH = 12


@dataclass(frozen=True)
class Column:
    """A column of values in `unit`, one of `formatting.UNITS`, shown with so many decimal places where that
    can be chosen. Without a unit its cells are words."""

    heading: str
    unit: str = ""
    places: int | None = None

    def show(self, cell: Any) -> str:
        return cell.text if isinstance(cell, Cell) else shown(cell, self.unit, self.places)


@dataclass(frozen=True)
class Cell:
    """A cell whose text does not follow from its value and the unit of its column."""

    value: Any
    text: str


Columns = Iterable[Column | str] | Mapping[str, str]
"""Columns, where text alone is one of words, or the unit of each heading, with the places behind it."""


def column(heading: str, unit: str) -> Column:
    """A column in `unit`, which may have a number of places behind it: `share 1`."""
    kind, _, places = unit.rpartition(" ")
    return Column(heading, kind, int(places)) if kind and places.isdigit() else Column(heading, unit)


@dataclass(frozen=True, init=False)
class Table:
    """A table. A cell is a value in the unit of its column, a word, None for a dash, or a `Cell`.

    `words` is how many columns are set to the left, `marked` are the rows of a baseline, `name` is that of
    the CSV file, for a table that has one.
    """

    title: str
    columns: tuple[Column, ...]
    cells: tuple[tuple[Any, ...], ...]
    name: str
    words: int
    note: str
    marked: frozenset[int]

    def __init__(
        self,
        title: str,
        columns: Columns,
        cells: Iterable[Iterable[Any]],
        *,
        name: str = "",
        words: int = 1,
        note: str = "",
        marked: Iterable[int] = (),
    ) -> None:
        units: Mapping[Any, str] = columns if isinstance(columns, Mapping) else {}
        typed = tuple(
            column(head, units.get(head, "")) if isinstance(head, str) else head for head in columns
        )
        values = {
            "title": title,
            "columns": typed,
            "cells": tuple(map(tuple, cells)),
            "name": name,
            "words": words,
            "note": note,
            "marked": frozenset(marked),
        }
        for field, value in values.items():
            object.__setattr__(self, field, value)

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(column.heading for column in self.columns)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """What people read."""
        return tuple(
            tuple(column.show(cell) for column, cell in zip(self.columns, row, strict=True))
            for row in self.cells
        )

    @property
    def values(self) -> tuple[tuple[Any, ...], ...]:
        """The same cells in SI units."""
        return tuple(
            tuple(cell.value if isinstance(cell, Cell) else cell for cell in row) for row in self.cells
        )

    def markdown(self) -> str:
        """The table for a README, without its title."""
        sides = ("---" if place < self.words else "---:" for place in range(len(self.columns)))
        lines = (f"| {' | '.join(row)} |" for row in (self.headings, *self.rows))
        head, *body = lines
        return "\n".join([head, f"|{'|'.join(sides)}|", *body])

    def csv(self) -> str:
        """Plain values under headings with their unit."""
        heads = [heading(column.heading, column.unit) for column in self.columns]
        file = io.StringIO()
        csv.writer(file).writerows([heads, *self.values])
        return file.getvalue()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table on a terminal, never wider than that: headings take several lines before cells do, and
        cells of words before numbers. Square brackets are plain text."""
        drawn = table.Table(
            title=self.title, title_justify="left", title_style="bold", header_style="bold", box=None
        )
        rows = [tuple(map(Text, row)) for row in self.rows]
        heads = [Text(heading) for heading in self.headings]
        for place, width in enumerate(self._widths(heads, rows, options.max_width)):
            drawn.add_column(
                heads[place],
                justify="left" if place < self.words else "right",
                overflow="fold",
                width=width,
            )
        for row in rows:
            drawn.add_row(*row)
        yield drawn

    def _widths(self, heads: Sequence[Text], rows: Sequence[Sequence[Text]], room: int) -> Sequence[int]:
        """The width of each column, the widest made narrower until all fit: first as far as headings can be
        broken, then as far as cells of words can, then all."""
        cells = [max((row[place].cell_len for row in rows), default=0) for place in range(len(heads))]
        words = [max((word.cell_len for word in head.split()), default=0) for head in heads]
        folded = [
            cell if column.unit else min(cell, _LEAST_WIDTH)
            for column, cell in zip(self.columns, cells, strict=True)
        ]
        widths = [max(head.cell_len, cell) for head, cell in zip(heads, cells, strict=True)]
        for floor in (list(map(max, words, cells)), list(map(max, words, folded)), [1] * len(heads)):
            while sum(widths) + _GAP * len(widths) > room:
                wide = [place for place, width in enumerate(widths) if width > floor[place]]
                if not wide:
                    break
                widths[max(wide, key=lambda place: widths[place])] -= 1
        return widths
