"""A library of standard cells, read from one Liberty file or from the several that some come in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from archsim.technology.liberty.cell_library import Cell, CellLibrary
from archsim.technology.liberty.cell_reader import CellReader, LeftOut
from archsim.technology.liberty.normal_form import NormalForm
from archsim.technology.liberty.text import Group, LibertyError, liberty_text, parse_liberty

MISSING_POWER = ("refuse", "zero")


def read_liberty(source: Path | str | Sequence[Path], *, missing_power: str = "refuse") -> CellLibrary:
    """The library of Liberty files (paths; they may be compressed with gzip), or of one Liberty text.

    Several files are one library, each with its own units and templates; a cell that two of them have, and
    files of different supplies, are refused. Pads, cells with buses or tri-states, and cells without area,
    timing tables or a known function are left out, as are latches and clock gates of other kinds than `Cell`
    tells of. So are cells without internal energy or leakage, unless `missing_power` is "zero", which counts
    them as none. Where every flop has a reset, it is held at rest. Raises LibertyError for a text that is not
    a library, and for a library without a two-input NAND, an inverter, a buffer or a flop that can be used.
    """
    if missing_power not in MISSING_POWER:
        raise LibertyError(f"missing_power is {missing_power!r}, allowed are {', '.join(MISSING_POWER)}")
    if isinstance(source, str):
        return _read({"": parse_liberty(source)}, missing_power)
    paths = (source,) if isinstance(source, Path) else tuple(source)
    try:
        changed = tuple(os.stat(path).st_mtime_ns for path in paths)
    except OSError as error:
        raise LibertyError(f"liberty is {error.filename!r} ({error.strerror}), allowed is a file") from None
    return _read_files(paths, changed, missing_power)


@lru_cache(maxsize=8)
def _read_files(paths: tuple[Path, ...], changed_ns: tuple[int, ...], missing_power: str) -> CellLibrary:
    if len(paths) == 1:
        return _read({"": parse_liberty(liberty_text(paths[0]))}, missing_power)
    libraries: dict[str, Group] = {}
    for path in paths:
        if str(path) in libraries:
            raise LibertyError(f"file {path} is named twice, allowed is once")
        try:
            libraries[str(path)] = parse_liberty(liberty_text(path))
        except LibertyError as error:
            raise LibertyError(f"file {path}: {error}") from None
    return _read(libraries, missing_power)


def _read(libraries: Mapping[str, Group], missing_power: str) -> CellLibrary:
    """The library of these groups, by the file that each stands in."""
    _refuse_twins(libraries)
    names = [library.name for library in libraries.values()]
    name = names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
    load_f = 4 * _nand2_input_f(name, libraries.values())
    supply_v = _supply_v(libraries)
    cells: dict[str, Cell] = {}
    left_out: dict[str, str] = {}
    without_power: dict[str, None] = {}
    sources: dict[str, tuple[Group, CellReader]] = {}
    for library in libraries.values():
        reader = CellReader(library, load_f=load_f, zero_power=missing_power == "zero")
        for group in library.groups("cell"):
            try:
                cells[group.name] = reader.cell(group)
                sources[group.name] = group, reader
            except LeftOut as reason:
                left_out[group.name] = str(reason)
        without_power |= reader.without_power
    if not any(cell.takes_data for cell in cells.values()):
        cells = {cell.name: cell.without_reset() for cell in cells.values()}
    written = NormalForm()
    for cell in cells.values():
        group, reader = sources[cell.name]
        written.add(group, cell, reader.tables)
    result = CellLibrary(
        name=name,
        text=written.text(name, supply_v),
        supply_v=supply_v,
        cells=cells,
        left_out=left_out,
        without_power=tuple(without_power),
    )
    for needed in ("!(A&B)", "!A", "A"):
        result.gate(needed, ("A", "B") if "B" in needed else ("A",))
    result.flop(enable=False)
    return result


def _refuse_twins(libraries: Mapping[str, Group]) -> None:
    """Two cells of one name are never taken for one."""
    places: dict[str, tuple[str, int]] = {}
    for file, library in libraries.items():
        for group in library.groups("cell"):
            if group.name in places:
                before, line = places[group.name]
                where = f"in {before}, line {line}, and in {file}, line" if file else f"in lines {line} and"
                raise LibertyError(
                    f"library {library.name}: cell {group.name} is there twice, {where} {group.line}, "
                    "allowed is one of a name"
                )
            places[group.name] = file, group.line


def _nand2_input_f(name: str, libraries: Iterable[Group]) -> float:
    """Input capacitance of the smallest two-input NAND, which sets the load for energies."""
    sizes = []
    for library in libraries:
        reader = CellReader(library, load_f=0.0)
        sizes += [size for group in library.groups("cell") if (size := reader.nand2(group))]
    if sizes:
        return min(sizes)[1]
    raise LibertyError(f"library {name}: it has no two-input NAND, allowed is a library with one")


def _supply_v(libraries: Mapping[str, Group]) -> float:
    """The supply of all files; LibertyError where two of them differ."""
    stated = {file: _supply_of(library) for file, library in libraries.items()}
    (first, supply_v), *others = stated.items()
    for file, other_v in others:
        if other_v != supply_v:
            raise LibertyError(
                f"nom_voltage is {supply_v:g} in {first} and {other_v:g} in {file}, allowed are files of one "
                "supply"
            )
    return supply_v


def _supply_of(library: Group) -> float:
    """The supply at which the tables hold: the nominal one, else that of the operating condition that is the
    default or the only one."""
    nominal = library.number("nom_voltage")
    if nominal is not None:
        return nominal
    conditions = {group.name: group.number("voltage") for group in library.groups("operating_conditions")}
    default = library.text("default_operating_conditions").strip('"')
    voltages = {conditions.get(default)} if default else set(conditions.values())
    if len(voltages) == 1 and (only := voltages.pop()) is not None:
        return only
    raise LibertyError(
        f"library {library.name}: nom_voltage is missing and {len(conditions)} operating conditions give no "
        "one supply, allowed is a library that states its nominal voltage"
    )
