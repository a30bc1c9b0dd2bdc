"""A design placed and routed on an FPGA: what it takes, its longest path, and how much of that is routing."""

from __future__ import annotations

import base64
import json
import statistics
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from math import inf
from typing import Any, Literal

from archsim.netlist.fpga import MAPPING
from archsim.netlist.nextpnr import DELAYS, REPORT, NextpnrError, nextpnr_version, run_nextpnr
from archsim.netlist.sdf import Sdf, read_sdf
from archsim.netlist.yosys import run_yosys_anew, yosys_version
from archsim.store import remembered
from archsim.technology import Fpga, FpgaResources
from archsim.technology.fpga.fpga import PlaceAndRoute
from workloads.refusal import Refusal

_FLATTEN = """flatten
opt_clean
delete t:$scopeinfo
write_json mapped.json
"""
"""After the mapping of each module once, as fidelity `gate` has it: to map an engine of 16 PEs in one piece
takes more than ten minutes."""


@dataclass(frozen=True)
class PathStage:
    """A stage of a routed path: through a cell's `logic` or along a net, `routing`; where it ends, and how
    long it takes in seconds."""

    kind: Literal["logic", "routing"]
    place: str
    delay_s: float


@dataclass(frozen=True, kw_only=True)
class FpgaLayout:
    """A design that was placed and routed from one seed.

    `critical_path_s` is the longest path from clock to clock, `stages` what it is made of; `utilisation` what
    the design uses and the device has, by resource. `files` are nextpnr's own, by name.
    """

    device: str
    seed: int
    critical_path_s: float
    stages: tuple[PathStage, ...]
    utilisation: Mapping[str, tuple[int, int]]
    files: Mapping[str, str] = field(repr=False)

    @property
    def fastest_hz(self) -> float:
        """The fastest clock."""
        return 1.0 / self.critical_path_s

    @property
    def routing_share(self) -> float:
        """The share of routing in the longest path."""
        routed = sum(stage.delay_s for stage in self.stages if stage.kind == "routing")
        return routed / self.critical_path_s

    @property
    def resources(self) -> FpgaResources:
        """What the design takes of the device."""
        return FpgaResources(**{name: used for name, (used, _) in self.utilisation.items()})

    @cached_property
    def delays(self) -> Sdf:
        """The delay of every net and cell."""
        return read_sdf(self.files[DELAYS])

    @property
    def logic_path_s(self) -> float:
        """The longest path where nets take no time; it may be another than the longest of all."""
        return 1e-12 * self.delays.longest_path_ps(net_ps=0.0)

    @property
    def routing_factor(self) -> float:
        """The longest path over the longest of logic alone."""
        return self.critical_path_s / self.logic_path_s


@dataclass(frozen=True)
class FpgaLayouts:
    """The same design placed and routed from several seeds, at least one."""

    of_seeds: tuple[FpgaLayout, ...]

    @property
    def median(self) -> FpgaLayout:
        """The layout whose critical path is the median (of an even number of them the longer of the middle
        two)."""
        ordered = sorted(self.of_seeds, key=lambda layout: layout.critical_path_s)
        return ordered[len(ordered) // 2]

    @property
    def spread(self) -> float:
        """The standard deviation of the critical path over its mean; zero of one layout."""
        paths = [layout.critical_path_s for layout in self.of_seeds]
        return statistics.stdev(paths) / statistics.fmean(paths) if len(paths) > 1 else 0.0


def lay_out_fpga(
    verilog: str, top: str, technology: Fpga, *, seeds: int = 1, limit_s: float = inf
) -> FpgaLayouts:
    """Map Verilog, place it on the technology's device and route it, from seeds 1 to `seeds`.

    Each takes minutes, and is remembered by the content that it was made from, so that an interrupted run
    goes on from the seeds that are done. Raises YosysError or NextpnrError where a tool refuses, or for a
    family that neither places.
    """
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise Refusal.of("seeds", seeds, "whole numbers from 1")
    how = how_placed(technology)
    script = MAPPING.format(top=top, synthesis=technology.synthesis) + _FLATTEN

    @cache
    def mapped() -> str:
        return run_yosys_anew(script, {"design.v": verilog}, ["mapped.json"])["mapped.json"]

    content = {
        "yosys": yosys_version(),
        "nextpnr": nextpnr_version(how),
        "script": script,
        "design": verilog,
        "arguments": list(how.arguments),
    }
    layouts = []
    for seed in range(1, seeds + 1):
        packed = remembered("nextpnr", content | {"seed": seed}, _placing(mapped, how, seed, limit_s))
        layouts.append(read_layout(_unpacked(packed), technology, how, seed))
    return FpgaLayouts(tuple(layouts))


def how_placed(technology: Fpga) -> PlaceAndRoute:
    """How a technology is placed and routed, if that is possible here. Raises NextpnrError with the reason
    where it is not."""
    how = technology.place_and_route
    if how is None:
        raise NextpnrError(
            f"technology is {technology.kind}, which is not placed and routed ({technology.unplaced}), "
            "allowed is fidelity gate"
        )
    nextpnr_version(how)
    return how


def _placing(
    mapped: Callable[[], str], how: PlaceAndRoute, seed: int, limit_s: float
) -> Callable[[], dict[str, str]]:
    return lambda: _packed(run_nextpnr(mapped(), how, seed=seed, limit_s=limit_s))


def _packed(files: Mapping[str, str]) -> dict[str, str]:
    """The files as they are remembered: a tenth as large."""
    return {
        name: base64.b64encode(zlib.compress(text.encode())).decode("ascii") for name, text in files.items()
    }


def _unpacked(files: Mapping[str, str]) -> dict[str, str]:
    return {name: zlib.decompress(base64.b64decode(packed)).decode() for name, packed in files.items()}


def read_layout(files: Mapping[str, str], technology: Fpga, how: PlaceAndRoute, seed: int) -> FpgaLayout:
    """What nextpnr's report says of a design. Raises NextpnrError for one without a path from clock to
    clock."""
    report = json.loads(files[REPORT])
    clocked = [path for path in report["critical_paths"] if _is_clocked(path["from"], path["to"])]
    if not clocked:
        raise NextpnrError(
            "design has no path from a register to a register, allowed are designs that have one"
        )
    stages = max((tuple(map(_stage, path["path"])) for path in clocked), key=_length_s)
    return FpgaLayout(
        device=technology.device,
        seed=seed,
        critical_path_s=_length_s(stages),
        stages=stages,
        utilisation={
            name: (report["utilization"][site]["used"], report["utilization"][site]["available"])
            for name, site in how.sites.items()
        },
        files=files,
    )


def _is_clocked(*events: str) -> bool:
    return all(event.startswith(("posedge ", "negedge ")) for event in events)


def _stage(told: Mapping[str, Any]) -> PathStage:
    """A step of a path as the report has it, in nanoseconds; what is not along a net is in a cell."""
    ends = told["to"]
    delay_s = 1e-12 * round(1e3 * told["delay"])
    return PathStage(
        "routing" if told["type"] == "routing" else "logic", f"{ends['cell']}.{ends['port']}", delay_s
    )


def _length_s(stages: Sequence[PathStage]) -> float:
    return sum(stage.delay_s for stage in stages)
