"""What the memories of an engine cost, each looked up once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from archsim.technology import MemoryCost, Technology
from archsim.technology.memories.sram import Ports
from rtl import MemoryShape, Sizes


@lru_cache(maxsize=4096)
def memory_cost(technology: Technology, words: int, word_bits: int, ports: Ports = "1rw") -> MemoryCost:
    """The unit costs of one memory."""
    return technology.memory(words=words, word_bits=word_bits, ports=ports)


@lru_cache(maxsize=256)
def memory_costs(technology: Technology, sizes: Sizes) -> Mapping[str, Any]:
    """What one memory of each role costs, in the words of the technology."""
    return {
        shape.role: memory_cost(technology, shape.words, shape.word_bits, shape.ports)
        for shape in sizes.memory_shapes
    }


def memories(sizes: Sizes, technology: Technology) -> Iterator[tuple[MemoryShape, Any]]:
    """The memories of an engine, and what one of each role costs."""
    costs = memory_costs(technology, sizes)
    for shape in sizes.memory_shapes:
        yield shape, costs[shape.role]
