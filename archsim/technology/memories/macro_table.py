"""Memory macros from a table of the user's, CSV or YAML: a row a macro, the unit in the column's name."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from archsim.technology.memories.macro import FIGURES, OPTIONAL, OwnMacro
from archsim.technology.memories.sram import Ports
from archsim.technology.quantity import KINDS
from workloads.refusal import Refusal
from workloads.strict_yaml import read_yaml
from workloads.text_files import read_text

UNITS = {
    "area": {"mm2": 1.0, "um2": 1e-6},
    "read_energy": {"j": 1.0, "nj": 1e-9, "pj": 1e-12, "fj": 1e-15},
    "write_energy": {"j": 1.0, "nj": 1e-9, "pj": 1e-12, "fj": 1e-15},
    "idle_energy": {"j": 1.0, "nj": 1e-9, "pj": 1e-12, "fj": 1e-15},
    "leakage": {"w": 1.0, "mw": 1e-3, "uw": 1e-6, "nw": 1e-9, "pw": 1e-12},
    "access_time": {"s": 1.0, "ns": 1e-9, "ps": 1e-12},
    "setup": {"s": 1.0, "ns": 1e-9, "ps": 1e-12},
}
"""The figures of a table, and the units that the end of a column's name may be: `read_energy_pj`."""

_FIGURES = {
    name: next(figure for figure in (*FIGURES, *OPTIONAL) if figure.startswith(name)) for name in UNITS
}
_SIZES = ("words", "bits")
_TEXTS = ("name", "ports", "kind", "source")
_ZERO = ("idle_energy", "setup")
_MOST_WORDS, _MOST_BITS = 1 << 32, 1 << 16

Rows = Sequence[tuple[str, Mapping[str, Any]]]
"""Where each row stands, and what it says by column."""


class MacroTableError(Refusal):
    """A table of macros lacks a column, or holds what is no macro; the message names the file and the row."""


def read_table(path: Path) -> tuple[OwnMacro, ...]:
    """The macros of a table: `words` and `bits` of each, `area_um2` or another unit of `UNITS`, and as far as
    known the other figures, `ports` ("1rw" unless given), `name`, and `kind` and `source` of the figures.

    Raises MacroTableError for a file, a column or a value that is not allowed.
    """
    rows = _yaml_rows(path) if path.suffix.lower() in (".yaml", ".yml") else _csv_rows(path)
    macros = tuple(_macro(row, f"memories {path}, {where}", path) for where, row in rows)
    if not macros:
        raise MacroTableError(f"memories {path} holds no macro, allowed is a table of one or more")
    return macros


def _csv_rows(path: Path) -> Rows:
    lines = csv.reader(read_text(path, "memories", error=MacroTableError).splitlines(), skipinitialspace=True)
    try:
        head, *rows = [row for row in lines if any(cell.strip() for cell in row)] or [[]]
    except csv.Error as error:
        raise MacroTableError(f"memories {path} is no table ({error}), allowed is CSV or YAML") from None
    names = [name.strip() for name in head]
    if twice := [name for name in names if names.count(name) > 1]:
        raise MacroTableError(f"memories {path} has the column {twice[0]!r} twice, allowed is once")
    made: list[tuple[str, Mapping[str, Any]]] = []
    for place, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise MacroTableError(
                f"memories {path}, row {place} has {len(row)} cells, allowed are {len(names)}, as many as "
                "columns"
            )
        cells = {name: cell.strip() for name, cell in zip(names, row, strict=True) if cell.strip()}
        made.append((f"row {place}", cells))
    return made


def _yaml_rows(path: Path) -> Rows:
    content = read_yaml(path, "memories", error=MacroTableError)
    if not isinstance(content, list) or not all(isinstance(row, Mapping) for row in content):
        raise MacroTableError(
            f"memories {path} holds something else, allowed is a list of mappings, one a macro"
        )
    return [(f"entry {place}", row) for place, row in enumerate(content, start=1)]


def _macro(row: Mapping[Any, Any], where: str, path: Path) -> OwnMacro:
    figures: dict[str, float] = {}
    for column in row:
        if column in (*_SIZES, *_TEXTS):
            continue
        figure, unit = _column(column, where)
        if _FIGURES[figure] in figures:
            raise MacroTableError(f"{where} states {figure} twice, allowed is once")
        value = _number(row[column], column, where, zero=figure in _ZERO)
        figures[_FIGURES[figure]] = value * UNITS[figure][unit]
    words, bits = (
        _whole(row.get(name), name, where, most)
        for name, most in zip(_SIZES, (_MOST_WORDS, _MOST_BITS), strict=True)
    )
    if "area_mm2" not in figures:
        raise MacroTableError(f"{where} states no area, allowed is area_um2 or area_mm2")
    texts = {name: _text(row[name], name, where) for name in _TEXTS if name in row}
    for name, allowed in (("ports", get_args(Ports)), ("kind", KINDS)):
        if name in texts and texts[name] not in allowed:
            raise MacroTableError(f"{where}: {name} is {texts[name]!r}, allowed are {', '.join(allowed)}")
    name = texts.get("name", f"{words} x {bits}")
    source = f"{name} of {path}" + (f" ({texts['source']})" if "source" in texts else "")
    return OwnMacro(
        name=name,
        words=words,
        word_bits=bits,
        ports="1r1w" if texts.get("ports") == "1r1w" else "1rw",
        figures=figures,
        kind=texts.get("kind", "published"),
        source=source,
    )


def _column(column: Any, where: str) -> tuple[str, str]:
    """The figure and the unit that a column's name says."""
    figure, _, unit = str(column).rpartition("_")
    if figure in UNITS and unit in UNITS[figure]:
        return figure, unit
    units = ", ".join(_each(UNITS))
    raise MacroTableError(f"{where} has {column!r}, allowed are {', '.join((*_SIZES, *_TEXTS))}, {units}")


def _each(units: Mapping[str, Iterable[str]]) -> list[str]:
    return [f"{figure}_{'|'.join(known)}" for figure, known in units.items()]


def _number(value: Any, column: Any, where: str, *, zero: bool) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if math.isfinite(number) and (number > 0 or (zero and number == 0)):
        return number
    raise MacroTableError(f"{where}: {column} is {value!r}, allowed are numbers above 0{' and 0' * zero}")


def _whole(value: Any, name: str, where: str, most: int) -> int:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= most:
        return int(text)
    shown = "missing" if value is None else repr(value)
    raise MacroTableError(f"{where}: {name} is {shown}, allowed are whole numbers from 1 to {most}")


def _text(value: Any, name: str, where: str) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise MacroTableError(f"{where}: {name} is {value!r}, allowed is text")
