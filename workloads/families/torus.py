"""Torus layers: places on a grid that closes in every dimension, each reading its neighbours along the axes.

The torus of Isakov and Kinsy, "NeuroFabric" (arXiv 2002.08339), in k dimensions: a place reads itself and the
places up to `radius` steps away along each axis, so a fan-in of 1 + sum_d min(2 radius, side_d - 1). All D
stages are alike; after sum_d ceil(floor(side_d / 2) / radius) of them every place has reached every other.
Sides differ by at most one: the largest product of such sides that there is room for. A layer stores
F (n_in + (D - 2) m + n_out) weights by the rule of `rectangular`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from workloads.families.rectangular import from_columns, wrap, wrapped_weights
from workloads.families.registry import families
from workloads.stages import Stage, whole_number

OWNER = "a torus layer"


def torus_sides(places: int, dimensions: int) -> tuple[int, ...]:
    """Sides that differ by at most one, with the largest product that is at most `places`."""
    side = 1
    while (side + 1) ** dimensions <= places:
        side += 1
    longer = 0
    while longer < dimensions and (side + 1) ** (longer + 1) * side ** (dimensions - longer - 1) <= places:
        longer += 1
    return (side + 1,) * longer + (side,) * (dimensions - longer)


def _shape(
    n_in: int,
    n_out: int,
    dimensions: int = 2,
    radius: int = 1,
    depth: int | None = None,
    places: int | None = None,
) -> tuple[tuple[int, ...], int, int]:
    """Sides, fan-in and stages."""
    dimensions = whole_number(OWNER, "dimensions", dimensions)
    radius = whole_number(OWNER, "radius", radius)
    side = min(n_in, n_out)
    room = whole_number(
        OWNER, "places", side if places is None else places, 1, side, "the smaller side of the layer"
    )
    sides = torus_sides(room, dimensions)
    across = sum(-(-(length // 2) // radius) for length in sides)
    stages = max(across, 1) if depth is None else whole_number(OWNER, "depth", depth)
    return sides, 1 + sum(min(2 * radius, length - 1) for length in sides), stages


def torus_weights(n_in: int, n_out: int, **parameters: Any) -> int:
    """F (n_in + (D - 2) m + n_out)."""
    sides, fan_in, stages = _shape(n_in, n_out, **parameters)
    return wrapped_weights([fan_in] * stages, math.prod(sides), n_in, n_out, owner=OWNER)


def torus_grid(n_in: int, n_out: int) -> Iterator[dict[str, Any]]:
    """As deep as full connectivity asks, on all places, then on fewer; then shallower."""
    side = min(n_in, n_out)
    shapes = []
    for room in (side, side // 2, side // 4, side // 8):
        for dimensions in (2, 3, 4):
            sides = torus_sides(room, dimensions) if room else (1,)
            for radius in range(1, max(sides) // 2 + 1):
                stages = sum(-(-(length // 2) // radius) for length in sides)
                shape = {"dimensions": dimensions, "radius": radius, "places": room}
                shapes.append((shape, stages))
    shapes = [(shape, stages) for shape, stages in shapes if stages > 1]
    yield from ({**shape, "depth": stages} for shape, stages in shapes)
    yield from ({**shape, "depth": d} for shape, stages in shapes for d in range(stages - 1, 1, -1))


@families.register(
    "torus",
    weights=torus_weights,
    grid=torus_grid,
    examples=[
        (9, 9, {}),
        (14, 13, {}),
        (12, 9, {"dimensions": 3}),
        (10, 7, {"dimensions": 1, "radius": 2}),
        (9, 4, {"depth": 2}),
    ],
)
def torus(
    n_in: int,
    n_out: int,
    *,
    dimensions: int = 2,
    radius: int = 1,
    depth: int | None = None,
    places: int | None = None,
) -> tuple[Stage, ...]:
    """`depth` stages on a torus of `dimensions` and at most `places` places, by default the smaller side."""
    sides, _, stages = _shape(n_in, n_out, dimensions, radius, depth, places)
    m = math.prod(sides)
    at = np.array(np.unravel_index(np.arange(m), sides))
    columns = [np.arange(m)]
    for axis, length in enumerate(sides):
        steps = sorted({step % length for step in range(-radius, radius + 1)} - {0})
        for step in steps:
            moved = at.copy()
            moved[axis] = (moved[axis] + step) % length
            columns.append(np.ravel_multi_index(tuple(moved), sides))
    return wrap([from_columns(m, np.stack(columns, axis=1))] * stages, n_in, n_out, owner=OWNER)
