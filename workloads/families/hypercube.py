"""Hypercube layers: every place reads itself and the places that differ from it in one bit.

One of the topologies of Isakov and Kinsy, "NeuroFabric" (arXiv 2002.08339): on m = 2^k places all stages are
alike, with a fan-in of k + 1. After k stages, the diameter, every place has reached every other. A square
layer of D stages stores (k + 1) m D weights; other sizes wrap by the rule of `rectangular` and store
(k + 1) (n_in + (D - 2) m + n_out).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workloads.families.butterfly import butterfly_places
from workloads.families.rectangular import from_columns, powers_of, wrap, wrapped_weights
from workloads.families.registry import families
from workloads.stages import Stage, whole_number

OWNER = "a hypercube layer"


def _shape(n_in: int, n_out: int, depth: int | None, places: int | None) -> tuple[int, int, int]:
    """Places, bits and stages."""
    m, bits = butterfly_places(OWNER, n_in, n_out, 2, places)
    return m, bits, bits if depth is None else whole_number(OWNER, "depth", depth)


def hypercube_weights(n_in: int, n_out: int, *, depth: int | None = None, places: int | None = None) -> int:
    """(k + 1) (n_in + (D - 2) m + n_out)."""
    m, bits, stages = _shape(n_in, n_out, depth, places)
    return wrapped_weights([bits + 1] * stages, m, n_in, n_out, owner=OWNER)


def hypercube_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """As deep as full connectivity asks or deeper, then shallower, always of at least two stages."""
    shapes = [(places, places.bit_length() - 1) for places in powers_of(2, min(n_in, n_out))]
    yield from ({"places": m, "depth": d} for m, bits in shapes for d in range(bits, 2 * bits + 1))
    yield from ({"places": m, "depth": d} for m, bits in shapes for d in range(bits - 1, 1, -1))


@families.register(
    "hypercube",
    weights=hypercube_weights,
    grid=hypercube_grid,
    examples=[(8, 8, {}), (12, 9, {"depth": 2}), (9, 4, {}), (8, 16, {"places": 4, "depth": 1})],
)
def hypercube(
    n_in: int, n_out: int, *, depth: int | None = None, places: int | None = None
) -> tuple[Stage, ...]:
    """`depth` stages, by default log2(places); `places`, by default the largest power of two with room."""
    m, bits, stages = _shape(n_in, n_out, depth, places)
    neighbours = np.arange(m)[:, None] ^ np.array([0, *(1 << np.arange(bits))])
    return wrap([from_columns(m, neighbours)] * stages, n_in, n_out, owner=OWNER)
