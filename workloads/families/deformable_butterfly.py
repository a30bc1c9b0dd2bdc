"""Deformable butterfly layers: stages of small blocks, with one path from any input to any output.

After Lin et al., "Deformable Butterfly: A Highly Structured and Sparse Linear Transform" (NeurIPS 2021, arXiv
2203.13556).  n_in and n_out are written as products of as many numbers, p_1 p_2 ... and s_1 s_2 ...; stage i
has blocks of p_i inputs and s_i outputs. The inputs of a block are interleaved, so that the digit of a place
which a block reads is replaced by a new one. These are Kronecker layers (see there) up to fixed permutations
of their ends, in the block stages of Clos layers: what multiplies those multiplies these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from workloads.families.kronecker import factorings, number_lists
from workloads.families.registry import families
from workloads.stages import BlockStage, Stage, TopologyError

OWNER = "a deformable-butterfly layer"


def _stages(n_in: int, n_out: int, blocks: Sequence[Sequence[int]]) -> tuple[BlockStage, ...]:
    sizes = number_lists(OWNER, "blocks", blocks, 2, "two integers (inputs, outputs)")
    for name, place, side, n in (("inputs", 0, "n_in", n_in), ("outputs", 1, "n_out", n_out)):
        numbers = [pair[place] for pair in sizes]
        if math.prod(numbers) != n:
            raise TopologyError(
                f"{name} of the blocks of {OWNER} are {numbers}, whose product is {math.prod(numbers)}, "
                f"allowed is {side}, {n}"
            )
    places, stages = n_in, []
    for inputs, outputs in sizes:
        stages.append(BlockStage(blocks=places // inputs, block_in=inputs, block_out=outputs))
        places = places // inputs * outputs
    return tuple(stages)


def deformable_butterfly_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """The first factor of the inputs is replaced first."""
    for p, s in factorings(n_in, n_out, last_first=False):
        yield {"blocks": [list(pair) for pair in zip(p, s, strict=True)]}


@families.register(
    "deformable-butterfly",
    grid=deformable_butterfly_grid,
    examples=[
        (12, 9, {"blocks": [[3, 3], [4, 3]]}),
        (9, 4, {"blocks": [[3, 2], [3, 2]]}),
        (8, 12, {"blocks": [[2, 3], [2, 2], [2, 2]]}),
    ],
)
def deformable_butterfly(n_in: int, n_out: int, *, blocks: Sequence[Sequence[int]]) -> tuple[Stage, ...]:
    """A stage for every [inputs, outputs] of its blocks."""
    return _stages(n_in, n_out, blocks)
