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

from workloads.families.rectangular import divisors
from workloads.families.registry import families
from workloads.topology.stages import BlockStage, Stage, TopologyError, whole_number

OWNER = "a monarch layer"


def monarch_weights(n_in: int, n_out: int, *, ingress: int, egress: int, paths: int = 1) -> int:
    """p (n_in egress + n_out ingress)."""
    for name, blocks, size_name, size in (
        ("ingress", ingress, "n_in", n_in),
        ("egress", egress, "n_out", n_out),
    ):
        if size % whole_number(OWNER, name, blocks):
            raise TopologyError(
                f"{name} of {OWNER} is {blocks}, allowed are divisors of {size_name}, which is {size}"
            )
    return whole_number(OWNER, "paths", paths) * (n_in * egress + n_out * ingress)


def monarch_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """Blocks of every size that divides, the most balanced first, with up to eight paths."""
    pairs = [(i, e) for i in enumerate(divisors(n_in)) for e in enumerate(divisors(n_out))]
    for (_, ingress), (_, egress) in sorted(pairs, key=lambda pair: pair[0][0] + pair[1][0]):
        if ingress > 1 and egress > 1:
            yield from ({"ingress": ingress, "egress": egress, "paths": paths} for paths in range(1, 9))


@families.register(
    "monarch",
    weights=monarch_weights,
    grid=monarch_grid,
    examples=[
        (9, 9, {"ingress": 3, "egress": 3}),
        (12, 9, {"ingress": 4, "egress": 3, "paths": 2}),
        (9, 4, {"ingress": 3, "egress": 2}),
    ],
)
def monarch(n_in: int, n_out: int, *, ingress: int, egress: int, paths: int = 1) -> tuple[Stage, ...]:
    """`ingress` blocks, then `egress` blocks, with `paths` paths from any input to any output."""
    monarch_weights(n_in, n_out, ingress=ingress, egress=egress, paths=paths)
    return (
        BlockStage(blocks=ingress, block_in=n_in // ingress, block_out=paths * egress),
        BlockStage(blocks=egress, block_in=paths * ingress, block_out=n_out // egress),
    )
