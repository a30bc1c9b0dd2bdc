"""Kronecker layers: cascades of the factors I_a (x) 1_{b x c} (x) I_d.

Block diagonal, butterfly, Monarch and Clos layers are such cascades, up to permutations of their ends. A
factor (a, b, c, d) leads a c d places to a b d and stores a b c d weights. The grid for a budget writes n_in
and n_out as products of two or three numbers, p_1 p_2 p_3 and s_1 s_2 s_3, and replaces p by s one at a time,
the last first: the pattern of a sum over such Kronecker products, with one path from any input to any output
(the deformable butterflies of Lin et al., arXiv 2203.13556, are of this form).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from workloads.families.registry import families
from workloads.stages import KroneckerStage, Stage, TopologyError, whole_number

OWNER = "a kronecker layer"


def _checked(n_in: int, n_out: int, factors: Sequence[Sequence[int]]) -> list[list[int]]:
    what = "four integers (left, outputs, inputs, right)"
    checked = number_lists(OWNER, "factors", factors, 4, what)
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


def number_lists(owner: str, name: str, value: Any, length: int, what: str) -> list[list[int]]:
    """`value` as a list of so many integers for every stage, or a `TopologyError`."""
    given = list(value) if isinstance(value, Sequence) else []
    if not given or any(not isinstance(numbers, Sequence) or len(numbers) != length for numbers in given):
        raise TopologyError.of(f"{name} of {owner}", value, f"a list of {what} for every stage")
    return [[whole_number(owner, name, number) for number in numbers] for numbers in given]


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


def factorings(n_in: int, n_out: int, *, last_first: bool) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Both sizes as products of two numbers and of three, p of n_in and s of n_out, those with the most
    places between the stages first; p is replaced by s one at a time, the last or the first at first."""
    side, choices = min(n_in, n_out), []
    for depth in (2, 3):
        for p, s in itertools.product(products(n_in, depth), products(n_out, depth)):
            before, after = (p, s) if last_first else (s, p)
            between = [math.prod(before[:place]) * math.prod(after[place:]) for place in range(1, depth)]
            choices.append((-min(side, *between), depth, max(p) * max(s), p, s))
    yield from ((p, s) for *_, p, s in sorted(choices))


def kronecker_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """The last factor of the inputs is replaced first."""
    for p, s in factorings(n_in, n_out, last_first=True):
        yield {
            "factors": [
                [math.prod(p[:place]), s[place], p[place], math.prod(s[place + 1 :])]
                for place in reversed(range(len(p)))
            ]
        }


@families.register(
    "kronecker",
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
