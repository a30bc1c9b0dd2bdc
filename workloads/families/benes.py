"""Benes layers: the recursive Clos network of 2 x 2 crossbars.

After Benes (Bell System Technical Journal 43, 1964): a Clos network of two middle networks, each again such
a network, down to one crossbar. On m = 2^k places that is 2k - 1 stages of pairs, at distances m/2, m/4, ..,
1, .., m/4, m/2: a butterfly and its mirror image that share their middle stage. A square layer stores
2 (2k - 1) m weights and has 2^(k-1) paths from any place to any other; it can carry every permutation. Other
sizes wrap around the places by the rule of `rectangular`, and store 2 (n_in + (2k - 3) m + n_out).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workloads.families.butterfly import butterfly_core, butterfly_places
from workloads.families.rectangular import powers_of, wrap
from workloads.families.registry import families
from workloads.stages import Stage

OWNER = "a benes layer"


def benes_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """All powers of two that there is room for."""
    yield from ({"places": places} for places in powers_of(2, min(n_in, n_out)))


@families.register(
    "benes",
    grid=benes_grid,
    examples=[(8, 8, {}), (12, 9, {}), (9, 4, {}), (7, 3, {"places": 2})],
)
def benes(n_in: int, n_out: int, *, places: int | None = None) -> tuple[Stage, ...]:
    """2 log2(places) - 1 stages; `places` is by default the largest power of two that there is room for."""
    _, half = butterfly_places(OWNER, n_in, n_out, 2, places)
    outwards = butterfly_core(2, half)
    return wrap([*reversed(outwards), *outwards[1:]], n_in, n_out, owner=OWNER)
