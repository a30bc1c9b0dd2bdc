"""Fidelity `layout`: the engine's own Verilog, mapped, placed and routed, as the logic to price."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import TYPE_CHECKING

from archsim.costs.gate import map_to_gates
from archsim.costs.logic import Logic, LogicPart
from archsim.engine.mapping import Mapping
from archsim.technology import Fpga, FpgaResources, StandardCells, Technology
from archsim.technology.technology import refuse_fabric, refuse_overflow
from rtl import to_verilog
from workloads.refusal import Refusal

if TYPE_CHECKING:
    from archsim.netlist import FpgaLayout, FpgaLayouts

PLACING = "placing"
"""What placing takes beyond the mapped netlist (constants, the ends of carry chains), less what it leaves
out."""

LIMIT_S = 3600.0
"""How long placing may take: nine times what the largest engine that was tried did."""


class LayoutError(Refusal):
    """A technology in which nothing places a design."""


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
    raise LayoutError(
        f"technology is {technology.kind}, whose cells nothing places, allowed is fidelity gate"
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
