"""Where the cells and memories of a mapped netlist lie: our own placer, the wires and the clock tree of what it
placed."""

from __future__ import annotations

from archsim.layout.from_netlist import Subject, problem_of, subject_of
from archsim.layout.placer import Progress, place
from archsim.layout.placement import Placement
from archsim.layout.problem import Blocks, Core, LayoutError, PlacementProblem

__all__ = [
    "Blocks",
    "Core",
    "LayoutError",
    "Placement",
    "PlacementProblem",
    "Progress",
    "Subject",
    "place",
    "problem_of",
    "subject_of",
]
