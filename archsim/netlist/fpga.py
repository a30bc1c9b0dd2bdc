"""Maps a hierarchical design to Xilinx 7-series primitives and counts what each of its components takes.

Logic delay comes from the timing arcs that Yosys ships for these primitives; routing is a stated factor
on top of it, since no placement is made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from archsim.netlist.yosys import YosysCrashError, run_yosys
from archsim.technology.fpga.artix7 import Artix7, FpgaResources
from archsim.technology.quantity import load_table

PRIMITIVES_TABLE = "artix7_primitives.csv"

# The timing is read in a second pass with the primitives read afresh: synth_xilinx leaves flip-flops and
# carry chains without their arcs, and the path would end at the first of them.
_SCRIPT = """
read_verilog design.v
hierarchy -check -top {top}
synth_xilinx -family xc7 -noiopad -noclkbuf -top {top}
tee -o stat.json stat -json
flatten
opt_clean
delete t:$scopeinfo
write_rtlil -selected mapped.il
design -reset
read_verilog -lib -specify +/xilinx/cells_sim.v
read_rtlil mapped.il
tee -o sta.txt sta
"""
# ABC9's last optimisation, &mfs, breaks a few small modules (its own check then aborts): those do without it.
_WITHOUT_MFS = "scratchpad -set abc9.nomfs 1"
_LATEST = re.compile(r"Latest arrival time in '[^']*' is (\d+):\n((?:(?! *\n).*\n)*)")
_STAGE = re.compile(r"^ +(\d+) +(\S.*)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class FpgaComponent:
    """One module: primitives by type and resources of a single instance; multiply by `instances`."""

    module: str
    instances: int
    cells: Mapping[str, int]
    resources: FpgaResources


@dataclass(frozen=True, kw_only=True)
class FpgaSynthesis:
    """A mapped design. `critical_path_s` is `logic_delay_s` times the assumed `routing_factor`.

    `critical_path` names the stages of the longest path, its start first, each with its time without routing.
    """

    top: str
    components: Mapping[str, FpgaComponent]
    logic_delay_s: float
    routing_factor: float
    critical_path: tuple[str, ...]

    @property
    def critical_path_s(self) -> float:
        return self.logic_delay_s * self.routing_factor

    @property
    def resources(self) -> FpgaResources:
        """The whole design: the sum over modules of resources x instances."""
        return sum((part.resources * part.instances for part in self.components.values()), FpgaResources())


def synthesise_fpga(verilog: str, top: str, technology: Artix7 | None = None) -> FpgaSynthesis:
    """Map Verilog to the 7-series primitives of an Artix-7 device.

    Raises YosysError for Verilog that Yosys refuses, ValueError for a primitive the resource table does
    not know.
    """
    chosen = technology or Artix7()
    script, wanted = _SCRIPT.format(top=top), ("stat.json", "sta.txt")
    try:
        outputs = run_yosys(script=script, files={"design.v": verilog}, outputs=wanted)
    except YosysCrashError:
        outputs = run_yosys(script=_WITHOUT_MFS + script, files={"design.v": verilog}, outputs=wanted)
    modules = {
        name.removeprefix("\\"): each["num_cells_by_type"]
        for name, each in json.loads(outputs["stat.json"])["modules"].items()
    }
    counts = _instances(modules, top)
    delay_s, path = _logic_delay(outputs["sta.txt"])
    return FpgaSynthesis(
        top=top,
        components={
            name: _component(name, modules[name], number, set(modules)) for name, number in counts.items()
        },
        logic_delay_s=delay_s,
        routing_factor=chosen.routing_factor,
        critical_path=path,
    )


def _instances(modules: Mapping[str, Mapping[str, int]], top: str) -> dict[str, int]:
    counts: dict[str, int] = {}

    def visit(module: str, times: int) -> None:
        counts[module] = counts.get(module, 0) + times
        for cell, number in modules[module].items():
            if cell in modules:
                visit(cell, times * number)

    visit(top, 1)
    return counts


@cache
def _primitives() -> Mapping[str, FpgaResources]:
    return {
        row["primitive"]: FpgaResources(
            **{column: int(value) for column, value in row.items() if column != "primitive"}
        )
        for row in load_table(PRIMITIVES_TABLE).rows
    }


def _component(name: str, found: Mapping[str, int], instances: int, modules: set[str]) -> FpgaComponent:
    cells = {cell: number for cell, number in found.items() if cell not in modules and cell != "$scopeinfo"}
    known = _primitives()
    unknown = sorted(cells.keys() - known.keys())
    if unknown:
        raise ValueError(
            f"module {name} has primitive {unknown[0]!r}; allowed are those listed in {PRIMITIVES_TABLE}."
        )
    resources = sum((known[cell] * number for cell, number in cells.items()), FpgaResources())
    return FpgaComponent(module=name, instances=instances, cells=cells, resources=resources)


def _logic_delay(text: str) -> tuple[float, tuple[str, ...]]:
    """The latest arrival of a Yosys `sta` report (picoseconds in, seconds out) and its path, start first."""
    latest = _LATEST.search(text)
    if latest is None:
        return 0.0, ()
    stages = [f"{_plain(place)}: {int(time) / 1e3:.3f} ns" for time, place in _STAGE.findall(latest.group(2))]
    return int(latest.group(1)) * 1e-12, tuple(reversed(stages))


def _plain(place: str) -> str:
    """A name as its reader knows it, without the marks that Yosys puts before it."""
    return place.removeprefix("$flatten").replace("\\", "")
