"""Maps a hierarchical design to the primitives of an FPGA family and counts what its components take.

The family says how. Logic delay comes from the timing arcs that Yosys ships for its primitives, where it has
them; routing is a stated factor on top of it, since no placement is made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from archsim.netlist.netlist import instance_counts
from archsim.netlist.yosys import YosysCrashError, run_yosys
from archsim.technology import Artix7, Fpga, FpgaResources
from workloads.refusal import Refusal

MAPPING = """
read_verilog design.v
hierarchy -check -top {top}
{synthesis} -top {top}
"""
"""Commands of Yosys that map `design.v` to the primitives of a family."""

_COUNT = "tee -o stat.json stat -json\n"
_TIME = """flatten
opt_clean
delete t:$scopeinfo
write_rtlil -selected mapped.il
design -reset
read_verilog -lib -specify {models}
read_rtlil mapped.il
tee -o sta.txt sta
"""
"""The timing is read in a second pass with the primitives read afresh: the mapping may leave flip-flops and
carry chains without their arcs, and the path would end at the first of them."""
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
    """A mapped design. `critical_path_s` is `logic_delay_s` times the assumed `routing_factor`, both None
    where the delays of the family's primitives are not known.

    `critical_path` names the stages of the longest path, its start first, each with its time without routing.
    """

    top: str
    components: Mapping[str, FpgaComponent]
    logic_delay_s: float | None
    routing_factor: float
    critical_path: tuple[str, ...]

    @property
    def critical_path_s(self) -> float | None:
        return None if self.logic_delay_s is None else self.logic_delay_s * self.routing_factor

    @property
    def resources(self) -> FpgaResources:
        """The whole design: the sum over modules of resources x instances."""
        return sum((part.resources * part.instances for part in self.components.values()), FpgaResources())


def synthesise_fpga(verilog: str, top: str, technology: Fpga | None = None) -> FpgaSynthesis:
    """Map Verilog to the primitives of an FPGA (an Artix-7 unless it was given another).

    Raises YosysError for Verilog that Yosys refuses, and refuses a primitive that the family's table does not
    know.
    """
    chosen = technology or Artix7()
    outputs = _mapped(verilog, top, chosen)
    modules = {
        name.removeprefix("\\"): module["num_cells_by_type"]
        for name, module in json.loads(outputs["stat.json"])["modules"].items()
    }
    counts = instance_counts(modules, top)
    delay_s, path = _logic_delay(outputs["sta.txt"]) if chosen.timing_models else (None, ())
    return FpgaSynthesis(
        top=top,
        components={
            name: _component(name, modules[name], number, set(modules), chosen)
            for name, number in counts.items()
        },
        logic_delay_s=delay_s,
        routing_factor=chosen.routing_factor,
        critical_path=path,
    )


def _mapped(verilog: str, top: str, technology: Fpga) -> dict[str, str]:
    """What Yosys writes of a design, in another way where it crashes and the family knows one."""
    script = MAPPING.format(top=top, synthesis=technology.synthesis) + _COUNT
    wanted = ["stat.json"]
    if technology.timing_models:
        script += _TIME.format(models=technology.timing_models)
        wanted.append("sta.txt")
    files = {"design.v": verilog}
    try:
        return run_yosys(script=script, files=files, outputs=wanted)
    except YosysCrashError:
        if not technology.fallback:
            raise
        return run_yosys(script=technology.fallback + script, files=files, outputs=wanted)


def _component(
    name: str, mapped: Mapping[str, int], instances: int, modules: set[str], technology: Fpga
) -> FpgaComponent:
    cells = {cell: number for cell, number in mapped.items() if cell not in modules and cell != "$scopeinfo"}
    resources = FpgaResources()
    for cell, number in cells.items():
        taken = technology.resources_of(cell)
        if taken is None:
            raise Refusal(
                f"module {name} has primitive {cell!r}, allowed are those listed in "
                f"{technology.primitives_table}"
            )
        resources += taken * number
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
