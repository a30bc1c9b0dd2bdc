"""What an engine became when it was placed: what it takes, its fastest clock, its longest path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.costs.fidelity.layout import LIMIT_S, cell_layout_of, layouts_of
from archsim.design import DesignPoint
from archsim.netlist.fpga_layout import FpgaLayout, PathStage
from archsim.technology import Fpga, StandardCells, Technology
from archsim.technology.technology import refuse_fabric

if TYPE_CHECKING:
    from archsim.layout import CellLayout


APART = {"apart": True}
"""Marks what a report holds beside its figures."""


@dataclass(frozen=True, kw_only=True)
class LayoutReport:
    """What every fabric's report has: `files` to write beside it, by name."""

    files: Mapping[str, str] = field(repr=False, metadata=APART)

    def plain(self) -> dict[str, Any]:
        """All that is said in figures, as plain values."""
        told = (one.name for one in fields(self) if one.metadata != APART)
        return {name: _plain(getattr(self, name)) for name in told}


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


@dataclass(frozen=True, kw_only=True)
class CellLayoutReport(LayoutReport):
    """An engine of standard cells, placed in a core of `width_um` x `height_um`. Cells are `resized` whose
    drive was changed for the wires that they have there; `mapped_path_s` is the longest path before, with
    wires as they are assumed."""

    library: str
    width_um: float
    height_um: float
    core_mm2: float
    cells_mm2: float
    memories_mm2: float
    clock_tree_mm2: float
    repeaters_mm2: float
    utilisation: float
    cells: int
    memories: int
    resized: int
    repeaters: int
    wire_m: float
    um_per_sink: float
    clock_factor: float
    clock_buffers: int
    fastest_hz: float
    critical_path_s: float
    mapped_path_s: float
    critical_path: tuple[str, ...]
    layout: CellLayout = field(repr=False, metadata=APART)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


@dataclass(frozen=True, kw_only=True)
class LayoutOptions:
    """How to place: from how many `seeds` and for how long each, where that is a matter of chance and a tool
    does it; the share of the rows that cells fill, where they are placed in a core made for them."""

    seeds: int = 1
    limit_s: float = LIMIT_S
    utilisation: float | None = None


def report_layout(design: DesignPoint, options: LayoutOptions = LayoutOptions()) -> LayoutReport:
    """Places a design point's engine, or reads what is remembered. Raises a refusal where nothing places a
    design in its technology, or where a seed takes longer than its limit."""
    with design.fields_named():
        return reported(design.technology, design, options)


@singledispatch
def reported(technology: Technology, design: DesignPoint, options: LayoutOptions) -> LayoutReport:
    """The layout as this fabric has it."""
    refuse_fabric(technology, "the layout")


@reported.register(StandardCells)
def _cells(technology: StandardCells, design: DesignPoint, options: LayoutOptions) -> LayoutReport:
    from archsim.layout import def_text, lef_text

    made = cell_layout_of(design.mapping, technology, utilisation=options.utilisation)
    placement, netlist, subject = made.placement, made.netlist, made.subject
    areas = np.array([technology.library.cells[name].area_um2 for name in netlist.type_names])
    return CellLayoutReport(
        library=technology.library.name,
        width_um=placement.width_um,
        height_um=placement.height_um,
        core_mm2=made.core_mm2,
        cells_mm2=1e-6 * float(areas[netlist.cell_type].sum()),
        memories_mm2=made.memories_mm2(technology),
        clock_tree_mm2=1e-6 * sum(tree.area_um2 for tree in made.trees),
        repeaters_mm2=1e-6 * made.repeaters * made.wiring.repeater.area_um2,
        utilisation=subject.problem.cell_um2 / (placement.rows.free_sites * subject.problem.site_um2),
        cells=len(netlist.cell_names),
        memories=subject.problem.blocks,
        resized=made.resized,
        repeaters=made.repeaters,
        wire_m=float(made.wire_m.sum()),
        um_per_sink=made.um_per_sink,
        clock_factor=made.clock_factor,
        clock_buffers=sum(sum(tree.buffers) for tree in made.trees),
        fastest_hz=1 / made.timing.critical_path_s,
        critical_path_s=made.timing.critical_path_s,
        mapped_path_s=made.mapped_path_s,
        critical_path=made.timing.path,
        files={
            f"{netlist.name}.def": def_text(subject, placement),
            f"{netlist.name}.lef": lef_text(subject),
        },
        layout=made,
    )


@reported.register(Fpga)
def _fabric(technology: Fpga, design: DesignPoint, options: LayoutOptions) -> LayoutReport:
    made = layouts_of(design.mapping, technology, seeds=options.seeds, limit_s=options.limit_s)
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
