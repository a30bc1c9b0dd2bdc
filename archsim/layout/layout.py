"""A mapped netlist laid out: placed, drives and repeaters chosen for its wires, placed again, and timed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsim.layout.clock_tree import ClockTree, clock_trees
from archsim.layout.from_netlist import Subject, subject_of
from archsim.layout.placed_wiring import PlacedWiring, wiring_of
from archsim.layout.placer.kept import placed
from archsim.layout.placer.placement import Placement
from archsim.layout.placer.placer import Progress, quiet
from archsim.layout.placer.problem import Floats
from archsim.layout.sizing import sized, worst_ends
from archsim.layout.wires import wire_length_m
from archsim.netlist.netlist import Memory, Netlist
from archsim.netlist.timing import Timing, analyse, arrivals, design_loads
from archsim.technology.asic.standard_cells import StandardCells
from archsim.technology.memories.sram import MemoryMacro

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class CellLayout:
    """A netlist as it was laid out: with the drives it was given, where it lies, its wires, its clock trees,
    its timing, and the centres of the cells along the longest path (cells, 2). `resized` cells have another
    drive than before; `mapped_path_s` is the longest path with the drives and wires that were assumed then.
    """

    subject: Subject = field(repr=False)
    placement: Placement
    wiring: PlacedWiring = field(repr=False)
    trees: tuple[ClockTree, ...] = field(repr=False)
    timing: Timing
    path_um: Floats = field(repr=False)
    mapped_path_s: float
    resized: int

    @property
    def netlist(self) -> Netlist:
        return self.subject.netlist

    @property
    def core_mm2(self) -> float:
        """The area of the core: cells, what is left free between them, macros with their halos."""
        return 1e-6 * self.placement.core_um2

    @property
    def repeaters(self) -> int:
        """Buffers that share the load of long nets, or of many sinks. They get no place among the cells."""
        return int(self.wiring.net_repeaters.sum())

    def memories_mm2(self, technology: StandardCells) -> float:
        """The area of the memories as they are priced: macros without halos, flops without free sites."""
        costs = (_memory(technology)(memory) for memory in self.netlist.memories)
        return float(sum(cost.area_mm2 for cost in costs))

    @cached_property
    def wire_m(self) -> Floats:
        """The routed length of each net (nets,), clock nets left out."""
        return wire_length_m(self.placement)

    @property
    def um_per_sink(self) -> float:
        """The mean wire for each pin that a net drives, clock pins left out."""
        _, sinks = design_loads(self.netlist, self.subject.library, self.wiring)
        return 1e6 * float(self.wire_m.sum() / max(1, sinks.sum()))

    @property
    def clock_factor(self) -> float:
        """The switched capacitance of all clock trees over that of the clock pins behind them."""
        supply_v = self.subject.library.supply_v
        pins_f = sum(tree.pin_f for tree in self.trees)
        taken_f = sum(tree.capacitance_f + tree.internal_j / supply_v**2 for tree in self.trees)
        return taken_f / pins_f if pins_f else 1.0


def lay_out(
    netlist: Netlist,
    technology: StandardCells,
    *,
    utilisation: float | None = None,
    progress: Progress = quiet,
) -> CellLayout:
    """Lays out a flat netlist of cells; placements are remembered. Without a `utilisation` cells fill the
    share of the data file.

    Raises LayoutError as `subject_of` and `place` do, and a refusal for a memory that the technology cannot
    build.
    """
    library, assumed, memory = technology.library, technology.wiring, _memory(technology)

    def at_places(
        cells: Netlist, cut: NDArray[np.bool_] | None = None
    ) -> tuple[Subject, Placement, tuple[ClockTree, ...], PlacedWiring]:
        subject = subject_of(cells, technology, utilisation=utilisation)
        _LOG.info("placing %d cells and %d memories", subject.problem.cells, subject.problem.blocks)
        placement = placed(subject.problem, progress=progress)
        trees = clock_trees(placement, cells, technology, wire_f_per_um=assumed.f_per_um)
        wire_m = wire_length_m(placement)
        return subject, placement, trees, wiring_of(cells, library, assumed, wire_m, trees, cut)

    subject, placement, trees, wiring = at_places(netlist)
    _LOG.info("choosing the drives of %d cells", subject.problem.cells)
    driven, wiring = sized(netlist, library=library, wiring=wiring, memory=memory)
    resized = _resized(netlist, driven)
    if resized:
        subject, placement, trees, wiring = at_places(driven, wiring.net_repeaters > 0)
    before = analyse(netlist, library=library, wiring=assumed, memory=memory)
    timed = arrivals(driven, library=library, wiring=wiring, memory=memory)
    path = [cell for _, end in worst_ends(timed, 1) for _, cell in timed.way_to(end) if cell >= 0]
    return CellLayout(
        subject=subject,
        placement=placement,
        wiring=wiring,
        trees=trees,
        timing=timed.timing(),
        path_um=placement.centre_um[path],
        mapped_path_s=before.critical_path_s,
        resized=resized,
    )


def _memory(technology: StandardCells) -> Callable[[Memory], MemoryMacro]:
    """What a technology makes of a memory of a netlist."""
    return lambda memory: technology.memory(
        words=memory.words, word_bits=memory.word_bits, ports=memory.ports
    )


def _resized(before: Netlist, after: Netlist) -> int:
    """How many cells have another type than before."""
    one, other = (np.array(cells.type_names)[cells.cell_type] for cells in (before, after))
    return int((one != other).sum())
