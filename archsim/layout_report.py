"""What an engine became when it was placed: what it takes, its fastest clock, its longest path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import singledispatch
from typing import Any

from archsim.costs.layout import LIMIT_S, LayoutError, layouts_of
from archsim.design import DesignPoint
from archsim.netlist.fpga_layout import FpgaLayout, PathStage
from archsim.technology import Fpga, StandardCells, Technology
from archsim.technology.technology import refuse_fabric


@dataclass(frozen=True, kw_only=True)
class LayoutReport:
    """What every fabric's report has: `files` to write beside it, by name."""

    files: Mapping[str, str] = field(repr=False)

    def plain(self) -> dict[str, Any]:
        """All but the files, as plain values in SI units."""
        return {name: value for name, value in asdict(self).items() if name != "files"}


@dataclass(frozen=True)
class SeedReport:
    """What came of one seed: the fastest clock, the share of routing in the longest path, and the longest
    path over the longest of logic alone."""

    seed: int
    fastest_hz: float
    routing_share: float
    routing_factor: float


@dataclass(frozen=True)
class ResourceReport:
    """How much of a resource of the device a design uses."""

    resource: str
    used: int
    available: int


@dataclass(frozen=True, kw_only=True)
class FpgaLayoutReport(LayoutReport):
    """An engine placed and routed on an FPGA from some seeds. What is not told of each seed is of the
    `median` one, by its fastest clock; `spread` is the standard deviation of the clock over its mean."""

    device: str
    seeds: tuple[SeedReport, ...]
    median: int
    spread: float
    fastest_hz: float
    utilisation: tuple[ResourceReport, ...]
    critical_path_s: float
    logic_path_s: float
    critical_path: tuple[PathStage, ...]


def report_layout(design: DesignPoint, *, seeds: int = 1, limit_s: float = LIMIT_S) -> LayoutReport:
    """Places a design point's engine, from as many seeds where that is a matter of chance, or reads what is
    remembered. Raises a refusal where nothing places a design in its technology, or where a seed takes longer
    than `limit_s`."""
    return reported(design.technology, design, seeds, limit_s)


@singledispatch
def reported(technology: Technology, design: DesignPoint, seeds: int, limit_s: float) -> LayoutReport:
    """The layout as this fabric has it."""
    refuse_fabric(technology, "the layout")


@reported.register(StandardCells)
def _cells(technology: StandardCells, design: DesignPoint, seeds: int, limit_s: float) -> LayoutReport:
    raise LayoutError(f"technology is {technology.kind}, whose cells nothing places, allowed is an ecp5")


@reported.register(Fpga)
def _fabric(technology: Fpga, design: DesignPoint, seeds: int, limit_s: float) -> LayoutReport:
    made = layouts_of(design.mapping, technology, seeds=seeds, limit_s=limit_s)
    median = made.median
    return FpgaLayoutReport(
        device=technology.device,
        seeds=tuple(map(_seed, made.of_seeds)),
        median=median.seed,
        spread=made.spread,
        fastest_hz=median.fastest_hz,
        utilisation=tuple(ResourceReport(name, *counts) for name, counts in median.utilisation.items()),
        critical_path_s=median.critical_path_s,
        logic_path_s=median.logic_path_s,
        critical_path=tuple(stage for stage in median.stages if stage.delay_s),
        files={
            f"seed_{layout.seed}_{name}": text
            for layout in made.of_seeds
            for name, text in layout.files.items()
        },
    )


def _seed(layout: FpgaLayout) -> SeedReport:
    return SeedReport(layout.seed, layout.fastest_hz, layout.routing_share, layout.routing_factor)
