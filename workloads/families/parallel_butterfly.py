"""Parallel butterflies: a sum of butterflies whose inputs are permuted, as one cascade.

The parallel butterflies of Isakov and Kinsy, "NeuroFabric" (arXiv 2002.08339): B copies side by side, each
with its own random order of the inputs, the first with the given one. The first stage leads n_in inputs to
B m places, every copy reading its permutation of them; the stages between are the butterfly's, B times; the
last stage reads all B copies at once, and that is the sum, which costs no weight of its own. So the cascade
stores exactly B times the weights of a butterfly of the same radix and places, and has B paths from any input
to any output. Other sizes wrap by the rule of `rectangular`, after the permutation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse

from workloads.families.butterfly import butterfly_core, butterfly_grid, butterfly_places
from workloads.families.random_regular import generator
from workloads.families.rectangular import check_places, from_matrix, tiled, wrap, wrapped_weights
from workloads.families.registry import families
from workloads.stages import KroneckerStage, Stage, TopologyError, whole_number

OWNER = "a parallel-butterfly layer"


def _shape(n_in: int, n_out: int, copies: int, radix: int, places: int | None) -> tuple[int, int]:
    copies = whole_number(OWNER, "copies", copies)
    m, depth = butterfly_places(OWNER, n_in, n_out, radix, places)
    if copies > 1 and depth == 1:
        raise TopologyError(
            f"copies of {OWNER} is {copies}, allowed is 1 where a single stage of radix {radix} joins all "
            f"{m} places, because its copies would store the same connections"
        )
    return m, depth


def parallel_weights(
    n_in: int, n_out: int, *, copies: int, radix: int = 2, places: int | None = None, seed: int = 0
) -> int:
    """B r (n_in + (k - 2) m + n_out)."""
    m, depth = _shape(n_in, n_out, copies, radix, places)
    return copies * wrapped_weights([radix] * depth, m, n_in, n_out, owner=OWNER)


def parallel_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """Two to sixteen copies of every butterfly that a budget may choose."""
    for shape in butterfly_grid(n_in, n_out):
        yield from ({"copies": copies, **shape} for copies in range(2, 17))


@families.register(
    "parallel-butterfly",
    weights=parallel_weights,
    grid=parallel_grid,
    examples=[
        (8, 8, {"copies": 3}),
        (12, 9, {"copies": 2, "radix": 3}),
        (9, 4, {"copies": 2, "seed": 5}),
        (5, 3, {"copies": 1, "radix": 3}),
    ],
)
def parallel_butterfly(
    n_in: int, n_out: int, *, copies: int, radix: int = 2, places: int | None = None, seed: int = 0
) -> tuple[Stage, ...]:
    """`copies` butterflies of `radix` on `places` places; `seed` draws the orders of their inputs."""
    m, depth = _shape(n_in, n_out, copies, radix, places)
    core = butterfly_core(radix, depth)
    if copies == 1:
        return wrap(core, n_in, n_out, owner=OWNER)
    check_places(OWNER, m, n_in, n_out, sparse_alone=False)
    random = generator(OWNER, seed)
    orders = [np.arange(n_in), *(random.permutation(n_in) for _ in range(copies - 1))]
    entry = tiled(core[0], n_in, m).adjacency()
    first = from_matrix(scipy.sparse.vstack([entry[:, order] for order in orders], format="csr"))
    inner = [
        KroneckerStage(copies * radix ** (depth - 1 - level), radix, radix, radix**level)
        for level in range(1, depth - 1)
    ]
    summed = KroneckerStage(1, radix, copies * radix, m // radix)
    return (first, *inner, tiled(summed, copies * m, n_out))
