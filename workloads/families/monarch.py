"""Monarch layers: two block diagonal matrices with a permutation between them.

After Dao et al., "Monarch: Expressive Structured Matrices for Efficient and Accurate Training" (arXiv
2204.00595): M = P L P' R, where R has `ingress` dense blocks, L has `egress` of them, and the permutation P
deals the outputs of every block of R to all blocks of L.  The square Monarch matrix of n = b^2 has b blocks
of b x b in both, 2 n sqrt(n) weights and one path from any input to any output. Here blocks need not be
square: with p paths, R has p * egress outputs a block, and the layer stores p (n_in egress + n_out ingress)
weights. Both stages are block stages, whose inputs are interleaved; that is the paper's matrix up to fixed
permutations of inputs and outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workloads.families.rectangular import dividing, divisors
from workloads.families.registry import families
from workloads.stages import BlockStage, Stage, whole_number

OWNER = "a monarch layer"


def monarch_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """Blocks of every size that divides, the most balanced first, with up to eight paths."""
    pairs = [(i, e) for i in enumerate(divisors(n_in)) for e in enumerate(divisors(n_out))]
    for (_, ingress), (_, egress) in sorted(pairs, key=lambda pair: pair[0][0] + pair[1][0]):
        if ingress > 1 and egress > 1:
            yield from ({"ingress": ingress, "egress": egress, "paths": paths} for paths in range(1, 9))


@families.register(
    "monarch",
    grid=monarch_grid,
    examples=[
        (9, 9, {"ingress": 3, "egress": 3}),
        (12, 9, {"ingress": 4, "egress": 3, "paths": 2}),
        (9, 4, {"ingress": 3, "egress": 2}),
    ],
)
def monarch(n_in: int, n_out: int, *, ingress: int, egress: int, paths: int = 1) -> tuple[Stage, ...]:
    """`ingress` blocks, then `egress` blocks, with `paths` paths from any input to any output."""
    block_in = n_in // dividing(OWNER, "ingress", ingress, "n_in", n_in)
    block_out = n_out // dividing(OWNER, "egress", egress, "n_out", n_out)
    whole_number(OWNER, "paths", paths)
    return BlockStage(ingress, block_in, paths * egress), BlockStage(egress, paths * ingress, block_out)
