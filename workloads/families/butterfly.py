"""Butterfly layers: the wiring of the fast Fourier transform.

After Dao et al., "Learning Fast Algorithms for Linear Transforms Using Butterfly Factorizations" (arXiv
1903.05895), here of any radix r. On m = r^k places, stage l < k joins the places that differ in digit l of
base r: I (x) 1_{r x r} (x) I_{r^l}.  A square layer stores k r m weights, and exactly one path leads from any
place to any other. Other sizes wrap around the places by the rule of `rectangular`; a layer of k > 1 stages
then stores r * (n_in + (k - 2) m + n_out) weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from workloads.families.rectangular import exact_power, largest_power, powers_of, wrap, wrapped_weights
from workloads.families.registry import families
from workloads.stages import KroneckerStage, Stage, whole_number

OWNER = "a butterfly layer"


def butterfly_core(radix: int, depth: int) -> list[Stage]:
    """The square stages on radix^depth places."""
    return [
        KroneckerStage(radix ** (depth - 1 - level), radix, radix, radix**level) for level in range(depth)
    ]


def butterfly_places(owner: str, n_in: int, n_out: int, radix: int, places: int | None) -> tuple[int, int]:
    """The places of the square and its number of stages."""
    radix = whole_number(owner, "radix", radix, 2)
    if places is None:
        places = largest_power(owner, radix, min(n_in, n_out))
    return places, exact_power(owner, radix, places)


def butterfly_weights(n_in: int, n_out: int, *, radix: int = 2, places: int | None = None) -> int:
    """r * (n_in + (k - 2) m + n_out)."""
    m, depth = butterfly_places(OWNER, n_in, n_out, radix, places)
    return wrapped_weights([radix] * depth, m, n_in, n_out, owner=OWNER)


def butterfly_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """Every radix that needs at least two stages, on as many places as there is room for, then on fewer."""
    side = min(n_in, n_out)
    powers = [(radix, powers_of(radix, side)) for radix in range(2, math.isqrt(side) + 1)]
    roomiest = sorted(powers, key=lambda pair: -pair[1][0])
    yield from ({"radix": radix, "places": sizes[0]} for radix, sizes in roomiest)
    yield from ({"radix": radix, "places": size} for radix, sizes in powers for size in sizes[1:])


@families.register(
    "butterfly",
    weights=butterfly_weights,
    grid=butterfly_grid,
    examples=[
        (8, 8, {}),
        (12, 9, {"radix": 3}),
        (9, 4, {"places": 4}),
        (5, 3, {"radix": 3}),
        (18, 27, {"radix": 3}),
    ],
)
def butterfly(n_in: int, n_out: int, *, radix: int = 2, places: int | None = None) -> tuple[Stage, ...]:
    """log_radix(places) stages; `places` is a power of `radix`, by default the largest with room."""
    _, depth = butterfly_places(OWNER, n_in, n_out, radix, places)
    return wrap(butterfly_core(radix, depth), n_in, n_out, owner=OWNER)
