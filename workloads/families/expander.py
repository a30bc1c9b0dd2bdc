"""Expander layers: sparse random stages that mix as fast as random stages can, and are checked to.

After Prabhu, Varma and Namboodiri, "Deep Expander Networks: Efficient Deep Networks from Graph Theory" (arXiv
1711.08757). On m = min(n_in, n_out) places every stage is a d-regular bipartite graph, drawn anew until its
second singular value is at most 1.05 times 2 sqrt(d - 1), Ramanujan's bound, which almost all random graphs
approach (Friedman, arXiv cs/0405020); for d of at least 3 that keeps it below d, where nothing would mix. A
square layer of D stages stores d m D weights; other sizes wrap by the rule of `rectangular` and store
d (n_in + (D - 2) m + n_out). By default D is ceil(log_d m) + 1, one
stage more than a path to every place needs at the least.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse.linalg

from workloads.families.csc import stages_to_connect
from workloads.families.random_regular import generator, regular_columns
from workloads.families.rectangular import from_columns, wrap, wrapped_weights
from workloads.families.registry import families
from workloads.stages import PrunedStage, Stage, TopologyError, whole_number

OWNER = "an expander layer"
SLACK = 1.05
DRAWS = 100
SMALL = 64
"""Matrices up to this size are decomposed as dense ones; Lanczos needs room between the values it seeks."""


def second_singular_value(stage: Stage) -> float:
    """The second largest singular value of the adjacency of a stage."""
    matrix = stage.adjacency().astype(np.float64)
    if min(matrix.shape) <= SMALL:
        return float(np.linalg.svd(matrix.toarray(), compute_uv=False)[1])
    start = np.random.default_rng(0).normal(size=min(matrix.shape))
    values = scipy.sparse.linalg.svds(matrix, k=2, v0=start, return_singular_vectors=False)
    return float(min(values))


def _expander(places: int, fan_in: int, random: np.random.Generator) -> PrunedStage:
    bound = SLACK * 2 * math.sqrt(fan_in - 1)
    for _ in range(DRAWS):
        stage = from_columns(places, regular_columns(places, places, fan_in, random))
        if second_singular_value(stage) <= bound:
            return stage
    raise TopologyError(
        f"fan_in of {OWNER} is {fan_in}, allowed is one for which {DRAWS} random graphs on {places} places "
        f"hold one whose second singular value is at most {bound:.3g}"
    )


def _shape(n_in: int, n_out: int, fan_in: int, depth: int | None) -> tuple[int, int]:
    """Places and stages."""
    places = min(n_in, n_out)
    whole_number(OWNER, "fan_in", fan_in, 3, places, "the smaller side of the layer")
    stages = stages_to_connect(places, fan_in) + 1 if depth is None else whole_number(OWNER, "depth", depth)
    return places, stages


def expander_weights(n_in: int, n_out: int, *, fan_in: int, depth: int | None = None, seed: int = 0) -> int:
    """d (n_in + (D - 2) m + n_out)."""
    places, stages = _shape(n_in, n_out, fan_in, depth)
    return wrapped_weights([fan_in] * stages, places, n_in, n_out, owner=OWNER)


def expander_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """Every fan-in at its default depth, then shallower."""
    fan_ins = range(3, min(n_in, n_out) // 2 + 1)
    yield from ({"fan_in": fan_in} for fan_in in fan_ins)
    yield from ({"fan_in": fan_in, "depth": 2} for fan_in in fan_ins)


@families.register(
    "expander",
    weights=expander_weights,
    grid=expander_grid,
    examples=[
        (16, 16, {"fan_in": 3}),
        (12, 9, {"fan_in": 4}),
        (9, 4, {"fan_in": 3, "seed": 2}),
        (8, 20, {"fan_in": 3, "depth": 2}),
    ],
)
def expander(
    n_in: int, n_out: int, *, fan_in: int, depth: int | None = None, seed: int = 0
) -> tuple[Stage, ...]:
    """`depth` stages of `fan_in`, at least 3, drawn by `seed` and each checked for its expansion."""
    places, stages = _shape(n_in, n_out, fan_in, depth)
    random = generator(OWNER, seed)
    return wrap([_expander(places, fan_in, random) for _ in range(stages)], n_in, n_out, owner=OWNER)
