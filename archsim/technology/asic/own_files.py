"""The files that a user's own process is given as: which options name them, and what they hold."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from archsim.technology.lef import check_areas, outlines_um
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.memories.macro import FIGURES, OwnMacro
from archsim.technology.memories.macro_liberty import ACCESSES, read_macros
from archsim.technology.memories.macro_table import read_table
from archsim.technology.technology import TechnologyError

Files = str | tuple[str, ...]
TABLES = (".csv", ".yaml", ".yml")
"""The endings of tables of macros; any other file is Liberty."""


class Macros(BaseModel):
    """The files that memories are built from, and for Liberty files the conditions (functions of a macro's
    pins) under which its clock takes the energy of a read, of a write, and of a cycle without either."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    files: Files
    read_when: str = ""
    write_when: str = ""
    idle_when: str = ""

    @property
    def conditions(self) -> Mapping[str, str]:
        given = {access: getattr(self, f"{access}_when") for access in ACCESSES}
        return {access: condition for access, condition in given.items() if condition}

    def option(self) -> Any:
        """As a design file says it in the fewest words."""
        files = list(self.files) if isinstance(self.files, tuple) else self.files
        given = {f"{access}_when": condition for access, condition in self.conditions.items()}
        return {"files": files, **given} if given else files


_FILES_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
_CONDITIONS = ("read_when", "write_when", "idle_when")
_MACROS_SCHEMA = {
    "anyOf": [
        *_FILES_SCHEMA["anyOf"],
        {
            "type": "object",
            "properties": {"files": _FILES_SCHEMA, **{name: {"type": "string"} for name in _CONDITIONS}},
            "required": ["files"],
            "additionalProperties": False,
        },
    ]
}


def as_files(option: str) -> Any:
    """What checks the value of an option that names a file, or several in a list. A name with * stands for
    all files that it fits."""

    def checked(value: object) -> Files:
        listed = value if isinstance(value, list | tuple) else [value]
        allowed = f"allowed is the path of {_WHAT[option]}"
        for each in listed or [None]:
            if not isinstance(each, Path | str) or "\0" in str(each) or not expanded((str(each),)):
                shown = str(each) if isinstance(each, Path) else each
                raise TechnologyError(f"{option} is {shown!r}, {allowed}, or a list of such")
        names = tuple(str(each) for each in listed)
        return names[0] if len(names) == 1 else names

    return checked


_WHAT = {
    "liberty": "a Liberty file",
    "lef": "a LEF file",
    "memories": "a table of memory macros (CSV or YAML) or a Liberty file of some",
}


def as_macros(value: object) -> Any:
    """A file or a list of files, or a mapping with `files` and conditions, as `Macros` takes them."""
    if value is None or isinstance(value, Macros):
        return value
    given = dict(value) if isinstance(value, Mapping) else {"files": value}
    for name in given:
        if name not in Macros.model_fields:
            allowed = ", ".join(Macros.model_fields)
            raise TechnologyError(f"memories has the field {name!r}, allowed are {allowed}")
    conditions = {name: given[name] for name in given if name != "files"}
    for name, condition in conditions.items():
        if not isinstance(condition, str) or not condition.strip():
            raise TechnologyError(
                f"memories.{name} is {condition!r}, allowed is a function of a macro's pins"
            )
    if conditions and not {"read_when", "write_when"} <= conditions.keys():
        raise TechnologyError(
            f"memories names {' and '.join(conditions)}, allowed are read_when and write_when together, and "
            "idle_when"
        )
    return {**given, "files": as_files("memories")(given.get("files"))}


def paths_of(files: Files | None) -> tuple[Path, ...]:
    """All files that an option names, in its order."""
    return () if files is None else expanded((files,) if isinstance(files, str) else files)


def expanded(names: Sequence[str]) -> tuple[Path, ...]:
    """Names as paths of files, a name with * as all that it fits, in the order of the alphabet."""
    paths: list[Path] = []
    for name in names:
        fitting = [name] if Path(name).is_file() else sorted(glob.glob(name))
        paths += [path for path in map(Path, fitting) if path.is_file()]
    return tuple(dict.fromkeys(paths))


def stamps(*options: Files | None) -> tuple[int, ...]:
    """Changes when one of the files does, so that nothing stale is used."""
    return tuple(path.stat().st_mtime_ns for files in options for path in paths_of(files))


def macros_of(given: Macros, *, activity: float) -> tuple[OwnMacro, ...]:
    """All macros of the files. Raises a refusal for a file that holds none, or two of one name."""
    macros: dict[str, OwnMacro] = {}
    for path in paths_of(given.files):
        is_table = path.suffix.lower() in TABLES
        for macro in read_table(path) if is_table else read_macros(path, given.conditions, activity=activity):
            if macro.name in macros:
                raise TechnologyError(
                    f"memories has {macros[macro.name].source} and {macro.source}, allowed is one macro of a "
                    "name"
                )
            macros[macro.name] = macro
    return tuple(macros.values())


def sized(macros: Sequence[OwnMacro], cells: CellLibrary, lef: Files | None) -> tuple[OwnMacro, ...]:
    """The macros, one without an area as large as its outline. Raises a refusal where the outlines of `lef`
    are not those of the cells and macros, and for a macro that has neither area nor outline."""
    outlines = outlines_um(paths_of(lef))
    areas = {name: cell.area_um2 for name, cell in cells.cells.items()}
    areas |= {macro.name: macro.figures["area_mm2"] * 1e6 for macro in macros if "area_mm2" in macro.figures}
    check_areas(outlines, areas)
    if lef is not None and not outlines.keys() & (areas.keys() | {macro.name for macro in macros}):
        raise TechnologyError(
            f"lef is {lef!r}, which has none of the cells, allowed are files of the library"
        )
    made = []
    for macro in macros:
        if "area_mm2" not in macro.figures:
            if macro.name not in outlines:
                raise TechnologyError(
                    f"memories: {macro.source} states no area, allowed is one with an area, or with a size "
                    "in lef"
                )
            width_um, height_um = outlines[macro.name]
            macro = replace(macro, figures={**macro.figures, "area_mm2": width_um * height_um * 1e-6})
        made.append(macro)
    return tuple(made)


def refuse_gaps(macros: Sequence[OwnMacro]) -> None:
    """Raises a refusal for a macro without a figure, where no node says what stands in for it."""
    for macro in macros:
        if macro.lacks:
            raise TechnologyError(
                f"memories: {macro.source} states no {macro.lacks[0]}, allowed are macros that state all of "
                f"{', '.join(FIGURES)}, or a node_nm, at which CACTI stands in"
            )


Liberties = Annotated[Files, BeforeValidator(as_files("liberty")), WithJsonSchema(_FILES_SCHEMA)]
Outlines = Annotated[Files, BeforeValidator(as_files("lef")), WithJsonSchema(_FILES_SCHEMA)]
Memories = Annotated[Macros | None, BeforeValidator(as_macros), WithJsonSchema(_MACROS_SCHEMA)]
"""The options of a process that name files, as its schema tells them to an editor."""
