"""Clos layers: stages of small dense blocks joined by fixed shuffles.

The topology of Clos switching networks, used a priori for fully connected layers in "ClosNets" (Isakov and
Kinsy, arXiv 1802.03885). With r ingress, m middle and r' egress blocks a layer of three stages stores
m * (n_in + r r' + n_out) weights, and exactly m paths, one through each middle block, lead from any input to
any output.

Five stages are the textbook's next step: every middle block, which leads r places to r', is itself a Clos
network of three stages, with s ingress, k middle and s' egress blocks. Weights
m * (n_in + k (r + s s' + r') + n_out), paths m k.

Four stages are this project's reading of "a fourth Clos stage": one more column of middle blocks, joined to
its neighbours by the same shuffle. Each of the m blocks of the first middle column has one output for every
of the q blocks of the second, and each of those one output for every egress block. Weights
m n_in + m q (r + r') + q n_out, paths m q. Between the middle columns there are m q places, so a layer keeps
its bandwidth only if q is about n / m.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from workloads.families.rectangular import dividing, divisors
from workloads.families.registry import families
from workloads.stages import BlockStage, KroneckerStage, Stage, TopologyError, whole_number

OWNER = "a clos layer"
FEWEST, MOST = 3, 5


def clos_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """Three stages whose ingress and egress blocks number near the roots, the nearest first; any middle."""
    pairs = [(r, q) for r in divisors(n_in)[:8] for q in divisors(n_out)[:8]]
    balanced = sorted(pairs, key=lambda p: abs(math.log(p[0] ** 2 / n_in)) + abs(math.log(p[1] ** 2 / n_out)))
    for ingress, egress in balanced:
        for middle in range(1, min(n_in, n_out) + 1):
            yield {"ingress": ingress, "middle": middle, "egress": egress}


@families.register(
    "clos",
    grid=clos_grid,
    examples=[
        (12, 9, {"ingress": 4, "middle": 3, "egress": 3}),
        (9, 4, {"ingress": 3, "middle": 2, "egress": 2}),
        (12, 9, {"ingress": 4, "middle": 3, "egress": 3, "stages": 4}),
        (6, 8, {"ingress": 3, "middle": 2, "egress": 4, "stages": 4, "second": 3}),
        (12, 12, {"ingress": 6, "middle": 2, "egress": 4, "stages": 5}),
        (8, 12, {"ingress": 4, "middle": 2, "egress": 6, "stages": 5, "inner": 3}),
    ],
)
def clos(
    n_in: int,
    n_out: int,
    *,
    ingress: int,
    middle: int,
    egress: int,
    stages: int = 3,
    second: int | None = None,
    inner: int | None = None,
) -> tuple[Stage, ...]:
    """`ingress` blocks of n_in / ingress inputs, `middle`, and `egress` of n_out / egress outputs.

    `stages` is 3, 4 or 5; `second` blocks form the second middle column of four, `inner` the middle of the
    networks inside five.
    """
    whole_number(OWNER, "middle", middle)
    whole_number(OWNER, "stages", stages, FEWEST, MOST)
    for name, blocks, its_stages in (("second", second, 4), ("inner", inner, 5)):
        if blocks is not None and stages != its_stages:
            raise TopologyError.of(f"{name} of {OWNER}", blocks, f"none with {stages} stages")
        whole_number(OWNER, name, 1 if blocks is None else blocks)
    block_in = n_in // dividing(OWNER, "ingress", ingress, "n_in", n_in)
    block_out = n_out // dividing(OWNER, "egress", egress, "n_out", n_out)
    sources = second or middle
    first = BlockStage(ingress, block_in, middle)
    if stages == 3:
        between: list[Stage] = [BlockStage(middle, ingress, egress)]
    elif stages == 4:
        between = [BlockStage(middle, ingress, sources), BlockStage(sources, middle, egress)]
    else:
        # Inner blocks number the divisors nearest to the roots; by default their middle carries any order.
        s, s_out = divisors(ingress)[0], divisors(egress)[0]
        k = inner or ingress // s
        between = [
            BlockStage(s * middle, ingress // s, k),
            BlockStage(middle * k, s, s_out),
            KroneckerStage(left=middle, outputs=egress // s_out, inputs=k, right=s_out),
        ]
    return (first, *between, BlockStage(egress, sources, block_out))
