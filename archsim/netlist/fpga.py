"""Maps a hierarchical design to the primitives of an FPGA family and counts what its components take.

The family says how. The longest path comes from the timing arcs that Yosys ships for its primitives, where it
has them, with a net before each pin that general routing leads to. Nothing is placed: all nets of a design
take the same, and the family says how long by what the design takes of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archsim.netlist.net_models import models_with_nets
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
_KEEP = """flatten
opt_clean
delete t:$scopeinfo
setattr -unset src *
write_rtlil -selected mapped.il
design -reset
"""
_TIME = """read_verilog -lib -specify {models}
read_rtlil mapped.il
tee -o sta.txt sta
"""
"""Timing is of the mapped netlist with the primitives read afresh: the mapping may leave flip-flops and carry
chains without their arcs, and the path would end at the first of them."""
_LATEST = re.compile(r"Latest arrival time in '[^']*' is (\d+):\n((?:(?! *\n).*\n)*)")
_STAGE = re.compile(r"^ +(\d+) +(\S.*)$", re.MULTILINE)
_NET = "net to "
"""What a stage along a net begins with."""

_ENTERED = re.compile(r".* \((\w+)\.(\w+)(?:->\w+)?\)")
"""A stage that a path enters at a pin of a primitive."""


@dataclass(frozen=True, kw_only=True)
class FpgaComponent:
    """One module: primitives by type and resources of a single instance; multiply by `instances`."""

    module: str
    instances: int
    cells: Mapping[str, int]
    resources: FpgaResources


@dataclass(frozen=True, kw_only=True)
class FpgaSynthesis:
    """A mapped design. In `critical_path_s` every net takes `net_delay_s`, in `logic_delay_s` none takes any
    time, so that it may be another path; all are None where the delays of the family's primitives are not
    known.

    `critical_path` names the stages of the longest path, its start first, those along a net `net to`, each
    with the time at which the signal leaves it.
    """

    top: str
    components: Mapping[str, FpgaComponent]
    logic_delay_s: float | None = None
    net_delay_s: float | None = None
    critical_path_s: float | None = None
    critical_path: tuple[str, ...] = ()

    @property
    def routing_share(self) -> float | None:
        """The share of nets in the longest path."""
        if self.net_delay_s is None or not self.critical_path_s:
            return None
        return sum(map(_is_net, self.critical_path)) * self.net_delay_s / self.critical_path_s

    @property
    def resources(self) -> FpgaResources:
        """The whole design: the sum over modules of resources x instances."""
        return _total(self.components)


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
    components = {
        name: _component(name, modules[name], number, set(modules), chosen)
        for name, number in instance_counts(modules, top).items()
    }
    if not chosen.timing_models:
        return FpgaSynthesis(top=top, components=components)
    net_ps = round(1e12 * chosen.net_delay_s(_total(components)))
    path_s, path = _with_nets(outputs["mapped.il"], net_ps, chosen)
    return FpgaSynthesis(
        top=top,
        components=components,
        logic_delay_s=_latest(outputs["sta.txt"])[0],
        net_delay_s=net_ps * 1e-12,
        critical_path_s=path_s,
        critical_path=path,
    )


def _total(components: Mapping[str, FpgaComponent]) -> FpgaResources:
    return sum((part.resources * part.instances for part in components.values()), FpgaResources())


def _mapped(verilog: str, top: str, technology: Fpga) -> dict[str, str]:
    """What Yosys writes of a design, in another way where it crashes and the family knows one."""
    script = MAPPING.format(top=top, synthesis=technology.synthesis) + _COUNT
    wanted = ["stat.json"]
    if technology.timing_models:
        script += _KEEP + _TIME.format(models=technology.timing_models)
        wanted += ["mapped.il", "sta.txt"]
    files = {"design.v": verilog}
    try:
        return run_yosys(script=script, files=files, outputs=wanted)
    except YosysCrashError:
        if not technology.fallback:
            raise
        return run_yosys(script=technology.fallback + script, files=files, outputs=wanted)


def _with_nets(netlist: str, net_ps: int, technology: Fpga) -> tuple[float, tuple[str, ...]]:
    """The longest path of a mapped netlist where every net takes so long, and its stages. What Yosys reads is
    what it is remembered by: a net that takes another time is timed anew, and nothing mapped again."""
    models = models_with_nets(technology.timing_models, net_ps, technology.dedicated)
    files = {"mapped.il": netlist, "models.v": models.text}
    report = run_yosys(script=_TIME.format(models="models.v"), files=files, outputs=["sta.txt"])["sta.txt"]
    latest_s, stages = _latest(report)
    return latest_s, tuple(_with_net_stages(stages, net_ps, models.pins))


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


def _latest(report: str) -> tuple[float, list[tuple[str, int]]]:
    """The latest arrival of a Yosys `sta` report (picoseconds in, seconds out), and the stages of its path,
    start first, each with its arrival in picoseconds."""
    latest = _LATEST.search(report)
    if latest is None:
        return 0.0, []
    stages = [(_plain(place), int(time)) for time, place in _STAGE.findall(latest.group(2))]
    return int(latest.group(1)) * 1e-12, stages[::-1]


def _with_net_stages(
    stages: Sequence[tuple[str, int]], net_ps: int, pins: Container[tuple[str, str]]
) -> Iterator[str]:
    """The stages as a path names them, a net before each that is entered at a pin that a net leads to."""
    before_ps = 0
    for place, at_ps in stages:
        entered = _ENTERED.fullmatch(place)
        if entered and (entered[1], entered[2]) in pins:
            yield f"{_NET}{place}: {(before_ps + net_ps) / 1e3:.3f} ns"
        yield f"{place}: {at_ps / 1e3:.3f} ns"
        before_ps = at_ps


def _is_net(stage: str) -> bool:
    return stage.startswith(_NET)


def _plain(place: str) -> str:
    """A name as its reader knows it, without the marks that Yosys puts before it."""
    return place.removeprefix("$flatten").replace("\\", "")
