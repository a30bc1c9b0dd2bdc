"""A configuration for LibreLane (OpenROAD): a layout of the engine on the user's cells, or on an open PDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archsim.technology import Asic, StandardCells
from archsim.technology.asic.own_files import TABLES
from reports.export.registry import Exported, exporters
from reports.export.subject import Subject
from reports.export.text import filled
from reports.tables import Table
from workloads.strict_yaml import dump_yaml

CONFIG = "librelane.yaml"
OPEN_PDK, OTHER_PDK = "sky130A", "ihp-sg13g2"
"""What a folder without a library of the user's own starts from, and another one that LibreLane knows."""


@exporters.register("librelane")
def librelane(subject: Subject) -> Exported:
    """The configuration, for standard cells."""
    technology = subject.design.technology
    if not isinstance(technology, StandardCells):
        return Exported()
    own = isinstance(technology, Asic)
    files = own_files(subject.values["technology"]) if own else {}
    engine, top = subject.tops[0], subject.verilog.top
    config: dict[str, Any] = {
        "meta": {"version": 2, "flow": "Classic"},
        "DESIGN_NAME": top,
        "VERILOG_FILES": [f"dir::{top}.v"],
        "CLOCK_PORT": engine.clock,
        "CLOCK_PERIOD": float(subject.period_ns),
        "IO_DELAY_CONSTRAINT": 0,
        **(files if own else {"PDK": OPEN_PDK}),
    }
    return Exported(
        files={CONFIG: f"# librelane {CONFIG}\n{dump_yaml(config)}"},
        about={CONFIG: "configuration of LibreLane (OpenROAD): from Verilog to a layout"},
        readme=filled(
            "librelane.md.j2",
            own=own,
            axi=subject.behind_axi,
            config=CONFIG,
            files=list(files),
            kind=technology.kind,
            pdk=OPEN_PDK,
            other_pdk=OTHER_PDK,
            memories=_memories(subject).markdown(),
        ),
    )


def own_files(technology: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that name the user's files, from the options of a technology as they stand in the folder.
    Tables of macros mean nothing to LibreLane."""
    memories = technology.get("memories")
    macros = _listed(memories["files"] if isinstance(memories, Mapping) else memories)
    named: dict[str, Any] = {
        "LIB": {"*": _listed(technology["liberty"])},
        "CELL_LEFS": _listed(technology.get("lef")),
        "EXTRA_LIBS": [name for name in macros if not name.endswith(TABLES)],
    }
    return {name: files for name, files in named.items() if files}


def _listed(files: Any) -> list[str]:
    names = [] if files is None else [files] if isinstance(files, str) else files
    return [f"dir::{name}" for name in names]


def _memories(subject: Subject) -> Table:
    """The modules that hold memories."""
    shapes = {shape.role: shape for shape in subject.mapping.sizes.memory_shapes}
    rows = []
    for module, instances in subject.verilog.instances.items():
        role = module.partition("_memory")[0]
        if "_memory" in module and role in shapes:
            shape = shapes[role]
            rows.append((f"`{module}`", shape.ports, len(instances), shape.words, shape.word_bits))
    columns = {"module": "", "ports": "", "instances": "count", "words": "count", "bits of a word": "count"}
    return Table("", columns, rows, words=2)
