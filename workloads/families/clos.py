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

from workloads.families.rectangular import divisors
from workloads.families.registry import families
from workloads.topology.stages import BlockStage, KroneckerStage, Stage, TopologyError, whole_number

OWNER = "a clos layer"
FEWEST, MOST = 3, 5


def _check(n_in: int, n_out: int, ingress: int, middle: int, egress: int, stages: int) -> None:
    whole_number(OWNER, "middle", middle)
    for name, blocks, size_name, size in (
        ("ingress", ingress, "n_in", n_in),
        ("egress", egress, "n_out", n_out),
    ):
        if size % whole_number(OWNER, name, blocks):
            raise TopologyError(
                f"{name} of a clos layer is {blocks}, allowed are divisors of {size_name}, which is {size}"
            )
    if not FEWEST <= whole_number(OWNER, "stages", stages) <= MOST:
        raise TopologyError(f"stages of a clos layer is {stages}, allowed are {FEWEST} to {MOST}")


def _second(middle: int, second: int | None, stages: int) -> int:
    """Blocks of the second middle column; by default as many as the first has."""
    if second is None:
        return middle
    if stages != 4:
        raise TopologyError(f"second of a clos layer is {second}, allowed is none with {stages} stages")
    return whole_number(OWNER, "second", second)


def _inner(ingress: int, egress: int, inner: int | None, stages: int) -> tuple[int, int, int]:
    """Ingress, middle and egress blocks of the networks that replace the middle blocks of five stages.

    Ingress and egress blocks are the divisors of the ports that are nearest to their root. `inner` is the
    number of middle blocks, by default the ports of an inner ingress block, as many as carry any permutation.
    """
    if inner is not None and stages != 5:
        raise TopologyError(f"inner of a clos layer is {inner}, allowed is none with {stages} stages")
    first, last = divisors(ingress)[0], divisors(egress)[0]
    return first, ingress // first if inner is None else whole_number(OWNER, "inner", inner), last


def clos_weights(
    n_in: int,
    n_out: int,
    *,
    ingress: int,
    middle: int,
    egress: int,
    stages: int = 3,
    second: int | None = None,
    inner: int | None = None,
) -> int:
    """The sums of the module's first lines."""
    _check(n_in, n_out, ingress, middle, egress, stages)
    q = _second(middle, second, stages)
    s, k, s_out = _inner(ingress, egress, inner, stages)
    if stages == 3:
        return middle * (n_in + ingress * egress + n_out)
    if stages == 4:
        return middle * n_in + middle * q * (ingress + egress) + q * n_out
    return middle * (n_in + k * (ingress + s * s_out + egress) + n_out)


def clos_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """Three stages whose ingress and egress blocks number near the roots, the nearest first; any middle."""
    pairs = [(r, q) for r in divisors(n_in)[:8] for q in divisors(n_out)[:8]]
    balanced = sorted(pairs, key=lambda p: abs(math.log(p[0] ** 2 / n_in)) + abs(math.log(p[1] ** 2 / n_out)))
    for ingress, egress in balanced:
        for middle in range(1, min(n_in, n_out) + 1):
            yield {"ingress": ingress, "middle": middle, "egress": egress}


@families.register(
    "clos",
    weights=clos_weights,
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
    _check(n_in, n_out, ingress, middle, egress, stages)
    q = _second(middle, second, stages)
    s, k, s_out = _inner(ingress, egress, inner, stages)
    first = BlockStage(blocks=ingress, block_in=n_in // ingress, block_out=middle)
    if stages == 3:
        between: list[Stage] = [BlockStage(blocks=middle, block_in=ingress, block_out=egress)]
    elif stages == 4:
        between = [
            BlockStage(blocks=middle, block_in=ingress, block_out=q),
            BlockStage(blocks=q, block_in=middle, block_out=egress),
        ]
    else:
        between = [
            BlockStage(blocks=s * middle, block_in=ingress // s, block_out=k),
            BlockStage(blocks=middle * k, block_in=s, block_out=s_out),
            KroneckerStage(left=middle, outputs=egress // s_out, inputs=k, right=s_out),
        ]
    sources = q if stages == 4 else middle
    return (first, *between, BlockStage(blocks=egress, block_in=sources, block_out=n_out // egress))
