"""Fidelity `layout`: the engine's own Verilog, mapped, placed and routed, as the logic to price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import singledispatch
from typing import TYPE_CHECKING

import numpy as np

from archsim.costs.fidelity.components import cells_by_component
from archsim.costs.fidelity.gate import map_to_gates, told, with_switching
from archsim.costs.fidelity.placing import PLACING
from archsim.costs.logic import Logic, LogicPart
from archsim.engine.mapping import Mapping
from archsim.technology import Fpga, FpgaResources, StandardCells, Technology
from archsim.technology.technology import refuse_fabric, refuse_overflow
from rtl import to_verilog

if TYPE_CHECKING:
    from archsim.layout import CellLayout
    from archsim.netlist import FpgaLayout, FpgaLayouts, Netlist

REPEATERS = "repeaters"
"""The buffers that share the load of long nets and of those of many sinks. What they spend is counted with
the pins behind them."""

CLOCK_TREE = "clock_tree"
"""The buffers of the clock trees. What they spend is counted with the clock pins behind them."""

LIMIT_S = 3600.0
"""How long placing may take: nine times what the largest engine that was tried did."""


def place_and_route(mapping: Mapping, technology: Technology) -> Logic:
    """Maps the mapping's hardware and places it, or reads what is remembered. Raises DeviceError for a device
    that is too small, and a refusal of its own where nothing places a design in this technology, or a tool
    that is needed is not there, refuses, or takes too long."""
    return laid_out(technology, mapping)


@singledispatch
def laid_out(technology: Technology, mapping: Mapping) -> Logic:
    """The logic as this fabric has it, placed."""
    refuse_fabric(technology, "the layout")


@laid_out.register(StandardCells)
def _cells(technology: StandardCells, mapping: Mapping) -> Logic:
    """Cells with the drives that their wires ask for. What no cell and no memory takes of the core stands
    beside them."""
    from archsim.costs.fidelity.switching import measure_switching

    layout, design = cell_layout_of(mapping, technology), to_verilog(mapping.hardware)
    netlist, placement = layout.netlist, layout.placement
    switched = measure_switching(mapping, design, netlist, technology, layout.wiring)
    parts = [with_switching(part, switched, mapping.counts) for part in _parts(netlist, technology)]
    buffers = [sum(tree.buffers) for tree in layout.trees]
    tree = LogicPart(
        CLOCK_TREE,
        sum(buffers),
        area_mm2=1e-6 * sum(tree.area_um2 for tree in layout.trees),
        leakage_w=sum(tree.leakage_w for tree in layout.trees),
    )
    number, repeater = layout.repeaters, layout.wiring.repeater
    repeaters = LogicPart(
        REPEATERS, number, area_mm2=1e-6 * number * repeater.area_um2, leakage_w=number * repeater.leakage_w
    )
    taken_mm2 = sum(part.area_mm2 for part in (*parts, tree, repeaters)) + layout.memories_mm2(technology)
    free = LogicPart(PLACING, 1, area_mm2=layout.core_mm2 - taken_mm2)
    source = (
        f"netlist mapped by Yosys to {technology.library.name}, placed in a core of "
        f"{placement.width_um:.0f} x {placement.height_um:.0f} um, {layout.resized} of "
        f"{len(netlist.cell_names)} cells given another drive for the wires they have there; {told(switched)}"
    )
    timing = layout.timing
    return Logic((*parts, tree, repeaters, free), timing.critical_path_s, "measured", source, timing.path)


def cell_layout_of(
    mapping: Mapping, technology: StandardCells, *, utilisation: float | None = None
) -> CellLayout:
    """The mapping's hardware mapped to cells and laid out, or what is remembered of it. Raises a refusal
    where the technology has no outlines of its cells, or cells and memories cannot be placed. Cells fill the
    share `utilisation` of what memories leave, that of the data file unless it is given."""
    from archsim.layout import lay_out, outlines_of
    from archsim.netlist import synthesise_asic

    outlines_of(technology)
    design = to_verilog(mapping.hardware)
    netlist = synthesise_asic(design.text, design.top, technology).flat()
    return lay_out(netlist, technology, utilisation=utilisation)


def _parts(netlist: Netlist, technology: StandardCells) -> Iterator[LogicPart]:
    """The area and leakage of each component, with the drives that its cells have."""
    cells = technology.library.cells
    area_um2, leakage_w = (
        np.array([getattr(cells[name], figure) for name in netlist.type_names])[netlist.cell_type]
        for figure in ("area_um2", "leakage_w")
    )
    for kind, of_kind in cells_by_component(netlist).items():
        instances = {netlist.cell_names[cell].partition(".")[0] for cell in of_kind.tolist()}
        yield LogicPart(
            kind,
            len(instances) if kind != "top" else 1,
            area_mm2=1e-6 * float(area_um2[of_kind].sum()),
            leakage_w=float(leakage_w[of_kind].sum()),
        )


@laid_out.register(Fpga)
def _fabric(technology: Fpga, mapping: Mapping) -> Logic:
    """The resources of each component are those of the netlist; what placing adds stands beside them, so that
    all together are what the placed design takes."""
    layout = layouts_of(mapping, technology).median
    mapped = map_to_gates(mapping, technology)
    before = _used(mapped)
    added = {name: used - before[name] for name, (used, _) in layout.utilisation.items()}
    return replace(
        mapped,
        parts=(*mapped.parts, LogicPart(PLACING, 1, resources=FpgaResources(**added))),
        critical_path_s=layout.critical_path_s,
        source=f"{mapped.source}, placed and routed by nextpnr on {layout.device}, seed {layout.seed}",
        critical_path=path_of(layout),
    )


def layouts_of(
    mapping: Mapping, technology: Fpga, *, seeds: int = 1, limit_s: float = LIMIT_S
) -> FpgaLayouts:
    """The mapping's hardware placed and routed from so many seeds, of which each may take `limit_s`, where
    it fits the device. Raises as `place_and_route` does."""
    from archsim.netlist.fpga_layout import how_placed, lay_out_fpga

    how_placed(technology)
    refuse_overflow(technology, _used(map_to_gates(mapping, technology)))
    design = to_verilog(mapping.hardware)
    return lay_out_fpga(design.text, design.top, technology, seeds=seeds, limit_s=limit_s)


def _used(mapped: Logic) -> FpgaResources:
    return sum((part.resources for part in mapped.parts), mapped.memory_resources or FpgaResources())


def path_of(layout: FpgaLayout) -> tuple[str, ...]:
    """The stages of the longest path that take time, each with its arrival, as timing of netlists names
    them."""
    named, at_s = [], 0.0
    for stage in layout.stages:
        at_s += stage.delay_s
        if stage.delay_s:
            along = "net to " if stage.kind == "routing" else ""
            named.append(f"{along}{stage.place}: {at_s * 1e9:.3f} ns")
    return tuple(named)
