"""Cyclic sparsely connected layers: cascades of support layers of one fan-in and growing stride.

After Hosseini et al., "On the Complexity Reduction of Dense Layers from O(N^2) to O(NlogN) with Cyclic
Sparsely Connected Layers" (DAC 2019), whose index formula is read here as follows. On a ring of n places,
output j of stage l reads inputs (j + k * F**l) mod n for k < F.  After L = ceil(log_F n) stages every output
depends on every input, with L * F * n weights in place of n * n.

The rule for layers that are not square is this project's own. If n_in > n_out, the cascade starts with a
*fold*, a support layer of stride n_out whose output j reads inputs j, j + n_out, j + 2 n_out and so on modulo
n_in, so that no input is left out; the square cascade on n_out places follows. If n_out > n_in, the cascade
runs on the ring of n_in places and its last stage has n_out outputs. If the fan-in reaches n_in, the layer
is a single stage that reads every input.

A layer of D square stages stores F * ((D - 1) * ring + n_out) weights, and a fold ceil(n_in / n_out) * n_out
more. An output has fewer than F weights in a stage whose taps wrap around onto one another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workloads.families.registry import families
from workloads.stages import CscStage, Stage, TopologyError, whole_number


def stages_to_connect(ring: int, fan_in: int) -> int:
    """ceil(log_F n), at least 1: how many support layers of fan-in F reach all n places of a ring.

    Computed with integers; a logarithm in floating point is off by one at some powers.
    """
    depth, reach = 1, fan_in
    while reach < ring:
        depth, reach = depth + 1, reach * fan_in
    return depth


def _depth(n_in: int, n_out: int, fan_in: int, depth: int | None) -> int:
    """The number of square stages; none where one stage reads every input."""
    fan_in = whole_number("a csc layer", "fan_in", fan_in)
    if fan_in >= n_in:
        return 0
    ring = min(n_in, n_out)
    if depth is not None:
        return whole_number("a csc layer", "depth", depth)
    if fan_in == 1 < ring:
        raise TopologyError(
            "fan_in of a csc layer is 1, allowed are values of at least 2 where depth is not given, "
            "because one tap never reaches the whole ring"
        )
    return stages_to_connect(ring, fan_in)


def csc_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """Every fan-in at the depth that connects all, then shallower."""
    fan_ins = range(min(n_in, n_out), 1, -1)
    yield from ({"fan_in": fan_in} for fan_in in fan_ins)
    for fan_in in fan_ins:
        for depth in range(stages_to_connect(min(n_in, n_out), fan_in) - 1, 0, -1):
            yield {"fan_in": fan_in, "depth": depth}


@families.register(
    "csc",
    grid=csc_grid,
    examples=[
        (12, 9, {"fan_in": 3}),
        (9, 4, {"fan_in": 2}),
        (8, 20, {"fan_in": 4}),
        (10, 3, {"fan_in": 12}),
        (20, 20, {"fan_in": 4, "depth": 2}),
    ],
)
def csc(n_in: int, n_out: int, *, fan_in: int, depth: int | None = None) -> tuple[Stage, ...]:
    """A cascade of support layers; `depth` replaces ceil(log_F n) as the number of square stages.

    With a smaller depth the layer is not fully connected: an output then sees a part of the inputs only.
    """
    stages, ring = _depth(n_in, n_out, fan_in, depth), min(n_in, n_out)
    if not stages:
        return (CscStage(n_in, n_out, fan_in=n_in, stride=1),)
    fold = (CscStage(n_in, n_out, fan_in=-(-n_in // n_out), stride=n_out),) if n_in > n_out else ()
    sizes = [ring] * (stages - 1) + [n_out]
    return fold + tuple(CscStage(ring, size, fan_in, fan_in**level) for level, size in enumerate(sizes))
