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
    from archsim.netlist import FpgaLayout

PLACING = "placing"
"""What placing takes beyond the mapped netlist: constants, the ends of carry chains."""


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
    from archsim.netlist.fpga_layout import how_placed, lay_out_fpga

    how_placed(technology)
    mapped = map_to_gates(mapping, technology)
    used = sum((part.resources for part in mapped.parts), mapped.memory_resources or FpgaResources())
    refuse_overflow(technology, used)
    design = to_verilog(mapping.hardware)
    layout = lay_out_fpga(design.text, design.top, technology).median
    added = {name: count - used[name] for name, count in layout.resources.items()}
    return replace(
        mapped,
        parts=(*mapped.parts, LogicPart(PLACING, 1, resources=FpgaResources(**added))),
        critical_path_s=layout.critical_path_s,
        source=f"{mapped.source}, placed and routed by nextpnr on {layout.device}, seed {layout.seed}",
        critical_path=path_of(layout),
    )


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
