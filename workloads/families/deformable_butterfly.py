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

from workloads.families.kronecker import products
from workloads.families.registry import families
from workloads.topology.stages import BlockStage, Stage, TopologyError, whole_number

OWNER = "a deformable-butterfly layer"


def _stages(n_in: int, n_out: int, blocks: Sequence[Sequence[int]]) -> tuple[BlockStage, ...]:
    given = list(blocks) if isinstance(blocks, Sequence) else []
    if not given or any(not isinstance(each, Sequence) or len(each) != 2 for each in given):
        raise TopologyError(
            f"blocks of {OWNER} is {blocks!r}, allowed is a list of two integers (inputs, outputs) for every "
            "stage"
        )
    sizes = [tuple(whole_number(OWNER, "blocks", number) for number in each) for each in given]
    for name, n, numbers in (
        ("inputs", n_in, [inputs for inputs, _ in sizes]),
        ("outputs", n_out, [outputs for _, outputs in sizes]),
    ):
        if math.prod(numbers) != n:
            side = "n_in" if name == "inputs" else "n_out"
            raise TopologyError(
                f"{name} of the blocks of {OWNER} are {numbers}, whose product is {math.prod(numbers)}, "
                f"allowed is {side}, {n}"
            )
    places, stages = n_in, []
    for inputs, outputs in sizes:
        stages.append(BlockStage(blocks=places // inputs, block_in=inputs, block_out=outputs))
        places = places // inputs * outputs
    return tuple(stages)


def deformable_butterfly_weights(n_in: int, n_out: int, *, blocks: Sequence[Sequence[int]]) -> int:
    """The sum over stages of the places before it times the outputs of its blocks."""
    return sum(stage.n_in * stage.block_out for stage in _stages(n_in, n_out, blocks))


def deformable_butterfly_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """Products of two numbers and of three, those with the most places between the stages first."""
    side, choices = min(n_in, n_out), []
    for depth in (2, 3):
        for p in products(n_in, depth):
            for s in products(n_out, depth):
                between = [math.prod(s[:place]) * math.prod(p[place:]) for place in range(1, depth)]
                choices.append((-min(side, *between), depth, max(p) * max(s), p, s))
    for _, _, _, p, s in sorted(choices):
        yield {"blocks": [list(each) for each in zip(p, s, strict=True)]}


@families.register(
    "deformable-butterfly",
    weights=deformable_butterfly_weights,
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
