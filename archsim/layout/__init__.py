"""Where the cells and memories of a mapped netlist lie, and what wires and clock trees they need there."""

from __future__ import annotations

from archsim.layout.clock_tree import ClockTree, clock_trees
from archsim.layout.def_file import def_text
from archsim.layout.from_netlist import Subject, outlines_of, problem_of, subject_of
from archsim.layout.layout import CellLayout, lay_out
from archsim.layout.lef_file import lef_text
from archsim.layout.placed_wiring import PlacedWiring
from archsim.layout.placer.kept import placed
from archsim.layout.placer.placement import Placement
from archsim.layout.placer.placer import Progress, place
from archsim.layout.placer.problem import Blocks, Core, LayoutError, PlacementProblem
from archsim.layout.wires import half_perimeter_um, tree_um, wire_length_m

__all__ = [
    "Blocks",
    "CellLayout",
    "ClockTree",
    "Core",
    "LayoutError",
    "PlacedWiring",
    "Placement",
    "PlacementProblem",
    "Progress",
    "Subject",
    "clock_trees",
    "def_text",
    "half_perimeter_um",
    "lay_out",
    "lef_text",
    "outlines_of",
    "place",
    "placed",
    "problem_of",
    "subject_of",
    "tree_um",
    "wire_length_m",
]
