"""How long the ways of an engine take: fitted logic, and between memories what these are known to need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch

from archsim.technology import Fpga, StandardCells, Technology
from archsim.technology.technology import refuse_fabric
from rtl import Sizes
from rtl.parts.paths import Way


@dataclass(frozen=True)
class AtMemories:
    """What memories add to a way: `access_s` where it starts in one and `setup_s` where it ends in one, of
    the slowest in question; or amounts of a fit."""

    access_s: float = 0.0
    setup_s: float = 0.0
    amounts: Mapping[str, float] = field(default_factory=dict)


@singledispatch
def at_memories(technology: Technology, sizes: Sizes, way: Way) -> AtMemories:
    """What the memories at the ends of a way add to it on this fabric."""
    refuse_fabric(technology, "the delay of a memory")


@at_memories.register(StandardCells)
def _macros(technology: StandardCells, sizes: Sizes, way: Way) -> AtMemories:
    """The times of the macros; a register at an end is part of the fitted logic."""
    built = {
        shape.role: technology.memory(words=shape.words, word_bits=shape.word_bits)
        for shape in sizes.memory_shapes
    }
    return AtMemories(
        access_s=max((built[role].access_time_s for role in way.reads), default=0.0),
        setup_s=max((built[role].setup_s for role in way.writes), default=0.0),
    )


@at_memories.register(Fpga)
def _blocks(technology: Fpga, sizes: Sizes, way: Way) -> AtMemories:
    """Whether there is a block RAM at an end, which is slower than registers and LUTs."""
    blocks = {
        shape.role: technology.memory(words=shape.words, word_bits=shape.word_bits).built_as == "bram"
        for shape in sizes.memory_shapes
    }
    return AtMemories(
        amounts={
            "block_read": float(any(blocks[role] for role in way.reads)),
            "block_written": float(any(blocks[role] for role in way.writes)),
        }
    )
