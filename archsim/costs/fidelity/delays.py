"""How long the ways of an engine take: fitted logic, and between memories what these are known to need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch

from archsim.costs.logic import Logic
from archsim.costs.memories import memories, memory_costs
from archsim.technology import Fpga, FpgaResources, StandardCells, Technology
from archsim.technology.technology import refuse_fabric
from rtl import Sizes
from rtl.parts.paths import Way


@dataclass(frozen=True)
class Charge:
    """What a way is charged for on a fabric: `amounts` at the coefficients of a `family`, and what its
    memories are known to need, `access_s` where it starts in one and `setup_s` where it ends in one, of the
    slowest in question."""

    family: str
    amounts: Mapping[str, float]
    access_s: float = 0.0
    setup_s: float = 0.0


@singledispatch
def stretch(technology: Technology, logic: Logic, sizes: Sizes) -> float:
    """By how much paths of a design are longer for how large it is, than fitted ones are."""
    return 1.0


@stretch.register(Fpga)
def _of_room(technology: Fpga, logic: Logic, sizes: Sizes) -> float:
    """As the technology says for what logic and memories take."""
    taken = sum((part.resources for part in logic.parts), FpgaResources())
    if logic.memory_resources is not None:
        return technology.path_stretch(taken + logic.memory_resources)
    built = memories(sizes, technology)
    return technology.path_stretch(sum((cost.resources * shape.number for shape, cost in built), taken))


@singledispatch
def charge(technology: Technology, sizes: Sizes, way: Way) -> Charge:
    """What a way is charged for on this fabric."""
    refuse_fabric(technology, "the delay of a way")


@charge.register(StandardCells)
def _cells(technology: StandardCells, sizes: Sizes, way: Way) -> Charge:
    """The times of macros are known; a register at an end is part of the fitted logic."""
    built = memory_costs(technology, sizes)
    return Charge(
        way.family,
        way.amounts,
        access_s=max((built[role].access_time_s for role in way.reads), default=0.0),
        setup_s=max((built[role].setup_s for role in way.writes), default=0.0),
    )


@charge.register(Fpga)
def _fabric(technology: Fpga, sizes: Sizes, way: Way) -> Charge:
    """A block RAM at an end is slower than registers and LUTs. A netlist tells only its longest path, so that
    kin are charged together."""
    blocks = {role: cost.built_as == "bram" for role, cost in memory_costs(technology, sizes).items()}
    at_ends = {
        "block_read": float(any(blocks[role] for role in way.reads)),
        "block_written": float(any(blocks[role] for role in way.writes)),
    }
    return Charge(way.kin, {**way.amounts, **at_ends})
