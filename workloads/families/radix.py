"""RadiX-Nets: cyclic stages whose strides are the place values of a mixed-radix number system.

After Kepner and Robinett, "RadiX-Net: Structured Sparse Matrices for Deep Neural Networks" (arXiv
1905.00416). A system of radices (r_1, ..., r_L) counts m = r_1 ... r_L places; in its stage l, place j reads
the places j + k v_l mod m for k < r_l, with v_l = r_1 ... r_(l-1). Several systems may follow one another;
all must count m places, the last a divisor of m. One system has exactly one path between any two places.
The paper then takes the Kronecker product of every stage with a matrix of ones, D_l by D_(l-1): here n_in / m
and n_out / m at the ends (by the rule of `rectangular` where m does not divide them) and `width` between the
stages. Weights: the sum over the stages, from a to b places, of r a b / m, which for width 1 is
r_1 n_in + m (r_2 + ... + r_(L-1)) + r_L n_out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

from workloads.families.rectangular import wrap, wrapped_weights
from workloads.families.registry import families
from workloads.stages import CscStage, Stage, TopologyError, whole_number

OWNER = "a radix layer"
Radices = Sequence[int] | Sequence[Sequence[int]]


def _systems(radices: Radices) -> list[list[int]]:
    """The systems, checked: one list of radices or several."""
    given = list(radices) if isinstance(radices, Sequence) and not isinstance(radices, str) else []
    nested = [list(system) for system in given if isinstance(system, Sequence)]
    lists = nested if len(nested) == len(given) else [given]
    if not lists or not all(lists):
        raise TopologyError(
            f"radices of {OWNER} is {radices!r}, allowed is a list of integers of at least 2, or several"
        )
    systems = [[whole_number(OWNER, "radices", radix, 2) for radix in system] for system in lists]
    counts = [math.prod(system) for system in systems]
    if any(count != counts[0] for count in counts[:-1]) or counts[0] % counts[-1]:
        raise TopologyError(
            f"radices of {OWNER} have the products {', '.join(map(str, counts))}, "
            "allowed are equal ones, and the last a divisor of the others"
        )
    return systems


def radix_weights(n_in: int, n_out: int, *, radices: Radices, width: int = 1) -> int:
    """The sum over the stages, from a to b places, of r a b / m."""
    systems = _systems(radices)
    fan_ins = [radix for system in systems for radix in system]
    width = whole_number(OWNER, "width", width)
    return wrapped_weights(fan_ins, math.prod(systems[0]), n_in, n_out, owner=OWNER, width=width)


def factorisations(number: int, factors: int, least: int = 2) -> Iterator[tuple[int, ...]]:
    """All ways to write a number as a product of so many factors of at least `least`, in rising order."""
    if factors == 1:
        if number >= least:
            yield (number,)
        return
    for factor in range(least, int(number ** (1 / factors) + 1e-9) + 1):
        if number % factor == 0:
            rest = factorisations(number // factor, factors - 1, factor)
            yield from ((factor, *others) for others in rest)


def radix_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """Balanced systems (no radix above four times another) on at least three quarters of the places there is
    room for, the fullest first; then two or three times as wide between the stages; then on fewer places."""
    side = min(n_in, n_out)
    for places, widths in (
        (range(side, 3 * side // 4, -1), (1,)),
        (range(side, 3 * side // 4, -1), (2, 3)),
        (range(3 * side // 4, 3, -1), (1,)),
    ):
        for m, width, factors in itertools.product(places, widths, range(2, 7)):
            for system in factorisations(m, factors):
                if system[-1] <= 4 * system[0]:
                    yield {"radices": list(system), "width": width}


@families.register(
    "radix",
    weights=radix_weights,
    grid=radix_grid,
    examples=[
        (12, 12, {"radices": [2, 3, 2]}),
        (12, 9, {"radices": [3, 3]}),
        (9, 4, {"radices": [2, 2], "width": 2}),
        (13, 11, {"radices": [[2, 4], [4, 2], [2, 2]], "width": 2}),
        (12, 6, {"radices": [[6], [3]]}),
    ],
)
def radix(n_in: int, n_out: int, *, radices: Radices, width: int = 1) -> tuple[Stage, ...]:
    """A stage for every radix of the mixed-radix systems `radices`; `width` repeats the places between."""
    systems, width = _systems(radices), whole_number(OWNER, "width", width)
    m = math.prod(systems[0])
    core = [
        CscStage(m, m, fan_in, math.prod(system[:place]))
        for system in systems
        for place, fan_in in enumerate(system)
    ]
    return wrap(core, n_in, n_out, owner=OWNER, width=width)
