"""Where a tool put the cells and ports of a netlist, and the wires of that: the same sums for every tool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.layout import Placement, PlacementProblem
from archsim.layout.placer.placement import half_perimeters, pin_offsets
from archsim.layout.placer.problem import Floats, Ints
from archsim.layout.wires import trees


@dataclass(frozen=True, eq=False)
class Places:
    """The centres (cells + ports, 2) in um of a netlist without blocks, and how its cells lie (cells,), as
    indices of `ORIENTATIONS`."""

    problem: PlacementProblem
    centre_um: Floats
    orientation: Ints

    @property
    def pin_um(self) -> Floats:
        """Where all pins are (pins, 2)."""
        lying = np.concatenate([self.orientation, np.zeros(self.problem.ports, np.int64)])
        pins: Floats = self.centre_um[self.problem.pin_object] + pin_offsets(self.problem, lying)
        return pins

    @property
    def half_perimeter_um(self) -> float:
        """Of all nets together, clock nets left out."""
        spans = half_perimeters(self.problem.net_start, self.pin_um)
        return float(spans[~self.problem.is_clock].sum())

    @property
    def tree_um(self) -> Floats:
        """The Steiner tree of each net (nets,), none for clock nets."""
        return trees(self.problem.net_start, self.pin_um, ~self.problem.is_clock)

    def routed_over_tree(self, wire_um: Floats) -> float:
        """The length of what a router made of these places, (nets,), over their Steiner trees, clock nets and
        nets of one pin left out."""
        tree_um = self.tree_um
        return float(wire_um[tree_um > 0].sum() / tree_um.sum())


def ours(placement: Placement) -> Places:
    """What archsim placed."""
    return Places(placement.problem, placement.centre_um, placement.cell_orientation)
