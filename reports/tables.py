"""A table, once: cells in SI units under columns that know their unit. The terminal, the page, the README and
the CSV file each show it in their way."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import table
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from reports.formatting import heading, shown

_GAP = 2
_LEAST_WIDTH = 12
_MOST_WHOLE = 24
"""Characters of a word that is not broken where there is room elsewhere."""


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
        rows = ((cell.replace("|", "\\|") for cell in row) for row in (self.headings, *self.rows))
        lines = (f"| {' | '.join(row)} |" for row in rows)
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
        words before numbers. No number is broken: where all do not fit, the columns of numbers follow each
        other in blocks, beside the same columns of words. Square brackets are plain text."""
        texts = [self.headings, *self.rows]
        for number, (places, widths) in enumerate(self._blocks(texts, options.max_width)):
            drawn = table.Table(
                title=f"{self.title} (continued)" if number and self.title else self.title,
                title_justify="left",
                title_style="bold",
                header_style="bold",
                box=None,
            )
            for place, width in zip(places, widths, strict=True):
                drawn.add_column(
                    Text(_lines(texts[0][place], width)),
                    justify="left" if place < self.words else "right",
                    overflow="fold",
                    width=width,
                )
            for row in texts[1:]:
                drawn.add_row(*(Text(row[place]) for place in places))
            yield drawn

    def _blocks(
        self, texts: Sequence[Sequence[str]], room: int
    ) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
        """The columns that stand beside each other, by place, with their widths."""
        sizes = [
            _sizes([row[place] for row in texts], folds=not column.unit)
            for place, column in enumerate(self.columns)
        ]

        def least(places: Sequence[int]) -> int:
            return sum(sizes[place][-1] + _GAP for place in places)

        words, block = list(range(self.words)), list[int]()
        for place in range(self.words, len(self.columns)):
            if block and least([*words, *block, place]) > room:
                yield [*words, *block], _fitted([sizes[each] for each in (*words, *block)], room)
                block = []
            block.append(place)
        yield [*words, *block], _fitted([sizes[each] for each in (*words, *block)], room)


def _sizes(texts: Sequence[str], *, folds: bool) -> tuple[int, ...]:
    """The widths that a column may have, the widest first: all in a line, its heading broken, its cells
    folded if they are words, words broken too, and numbers broken at blanks."""
    head, cells = cell_len(texts[0]), max(map(cell_len, texts[1:]), default=0)
    heading_part = max(cell_len(part.rstrip()) for part in _parts(texts[0]))
    cell_part = max((cell_len(part) for text in texts[1:] for part in text.split()), default=0)
    folded = min(cells, max(_LEAST_WIDTH, min(cell_part, _MOST_WHOLE))) if folds else cells
    narrow = min(cells, _LEAST_WIDTH) if folds else cells
    broken = narrow if folds else min(cell_part, _MOST_WHOLE)
    lines = ((head, cells), *((heading_part, width) for width in (cells, folded, narrow, broken)))
    return tuple(max(1, *line) for line in lines)


def _parts(head: str) -> list[str]:
    """What a heading may be broken into: its words, and names of fields behind a dot or a low line too."""
    return re.split(r"(?<=\s)(?=\S)|(?<=[._])(?=[a-z])", head)


def _lines(head: str, width: int) -> str:
    """A heading with as much of it on each line as goes there."""
    lines = [""]
    for part in _parts(head):
        if lines[-1] and cell_len((lines[-1] + part).rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def _fitted(sizes: Sequence[Sequence[int]], room: int) -> list[int]:
    """The widths of columns, the widest made narrower until all fit, from each size to the next; and below
    the last, if need be."""
    widths = [size[0] for size in sizes]
    for floor in (*zip(*sizes, strict=True), [1] * len(sizes)):
        while sum(widths) + _GAP * len(widths) > room:
            wide = [place for place, width in enumerate(widths) if width > floor[place]]
            if not wide:
                break
            widths[max(wide, key=lambda place: widths[place])] -= 1
    return widths
