"""Clos layers: three stages of small dense blocks joined by fixed shuffles.

The topology of Clos switching networks, used a priori for fully connected layers in "ClosNets" (Isakov and
Kinsy, arXiv 1802.03885).  With r ingress, m middle and r' egress blocks a layer stores
m * (n_in + r r' + n_out) weights, and exactly m paths, one through each middle block, lead from any input to
any output.
"""

from __future__ import annotations

from workloads.families.registry import family
from workloads.stages import BlockStage, Stage, TopologyError, whole_number


@family("clos")
def clos(n_in: int, n_out: int, *, ingress: int, middle: int, egress: int) -> tuple[Stage, ...]:
    """`ingress` blocks of n_in / ingress inputs, `middle`, and `egress` of n_out / egress outputs."""
    ingress = whole_number("a clos layer", "ingress", ingress)
    middle = whole_number("a clos layer", "middle", middle)
    egress = whole_number("a clos layer", "egress", egress)
    for name, blocks, size_name, size in (
        ("ingress", ingress, "n_in", n_in),
        ("egress", egress, "n_out", n_out),
    ):
        if size % blocks:
            raise TopologyError(
                f"{name} of a clos layer is {blocks}; it must divide {size_name}, which is {size}."
            )
    return (
        BlockStage(blocks=ingress, block_in=n_in // ingress, block_out=middle),
        BlockStage(blocks=middle, block_in=ingress, block_out=egress),
        BlockStage(blocks=egress, block_in=middle, block_out=n_out // egress),
    )
