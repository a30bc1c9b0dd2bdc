"""Kronecker layers: cascades of the factors I_a (x) 1_{b x c} (x) I_d.

Block diagonal, butterfly, Monarch and Clos layers are such cascades, up to permutations of their ends. A
factor (a, b, c, d) leads a c d places to a b d and stores a b c d weights. The grid for a budget writes n_in
and n_out as products of two or three numbers, p_1 p_2 p_3 and s_1 s_2 s_3, and replaces p by s one at a time,
the last first: the pattern of a sum over such Kronecker products, with one path from any input to any output
(the deformable butterflies of Lin et al., arXiv 2203.13556, are of this form).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from workloads.families.registry import families
from workloads.topology.stages import KroneckerStage, Stage, TopologyError, whole_number

OWNER = "a kronecker layer"


def _checked(n_in: int, n_out: int, factors: Sequence[Sequence[int]]) -> list[list[int]]:
    given = list(factors) if isinstance(factors, Sequence) else []
    if not given or any(not isinstance(each, Sequence) or len(each) != 4 for each in given):
        raise TopologyError(
            f"factors of {OWNER} is {factors!r}, allowed is a list of four integers "
            "(left, outputs, inputs, right) for every stage"
        )
    checked = [[whole_number(OWNER, "factors", number) for number in factor] for factor in given]
    places = n_in
    for number, (left, outputs, inputs, right) in enumerate(checked):
        if left * inputs * right != places:
            raise TopologyError(
                f"factors of {OWNER} read {left * inputs * right} places in stage {number}, "
                f"allowed are {places}"
            )
        places = left * outputs * right
    if places != n_out:
        raise TopologyError(f"factors of {OWNER} end at {places} places, allowed is n_out, {n_out}")
    return checked


def kronecker_weights(n_in: int, n_out: int, *, factors: Sequence[Sequence[int]]) -> int:
    """The sum of left outputs inputs right."""
    return sum(math.prod(factor) for factor in _checked(n_in, n_out, factors))


def products(number: int, factors: int) -> list[tuple[int, ...]]:
    """All ordered ways to write a number as a product of so many factors of at least 2."""
    if factors == 1:
        return [(number,)] if number > 1 else []
    return [
        (first, *rest)
        for first in range(2, number // 2 + 1)
        if number % first == 0
        for rest in products(number // first, factors - 1)
    ]


def kronecker_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """Products of two numbers and of three, those with the most places between the stages first."""
    side, choices = min(n_in, n_out), []
    for depth in (2, 3):
        for p in products(n_in, depth):
            for s in products(n_out, depth):
                between = [math.prod(p[:place]) * math.prod(s[place:]) for place in range(1, depth)]
                choices.append((-min(side, *between), depth, max(p) * max(s), p, s))
    for _, depth, _, p, s in sorted(choices):
        yield {
            "factors": [
                [math.prod(p[:place]), s[place], p[place], math.prod(s[place + 1 :])]
                for place in reversed(range(depth))
            ]
        }


@families.register(
    "kronecker",
    weights=kronecker_weights,
    grid=kronecker_grid,
    examples=[
        (12, 9, {"factors": [[4, 3, 3, 1], [1, 3, 4, 3]]}),
        (9, 4, {"factors": [[3, 2, 3, 1], [1, 2, 3, 2]]}),
        (8, 12, {"factors": [[4, 3, 2, 1], [2, 2, 2, 3], [1, 2, 2, 6]]}),
    ],
)
def kronecker(n_in: int, n_out: int, *, factors: Sequence[Sequence[int]]) -> tuple[Stage, ...]:
    """A stage for every factor [left, outputs, inputs, right]."""
    return tuple(KroneckerStage(*factor) for factor in _checked(n_in, n_out, factors))
