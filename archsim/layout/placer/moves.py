"""What moving cells does to the half perimeter of their nets: the compiled part that all moves share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from archsim.layout.placer.problem import Floats, Ints

LARGE_NET = 60
"""Nets with more pins than this say nothing about where one of them is best, and take long to ask."""
_FAR = 1e18


class Pulls(NamedTuple):
    """The pins of the nets that pull, by net (`start`, then object and offsets from its centre), and the nets
    of each cell (`cell_start`, `cell_net`), each once."""

    start: Ints
    object: Ints
    dx: Floats
    dy: Floats
    cell_start: Ints
    cell_net: Ints


@njit(nogil=True, cache=True)
def span(
    k: int, pulls: Pulls, x: Floats, y: Floats, a: int, ax: float, ay: float, b: int, bx: float, by: float
) -> float:
    """The half perimeter of a net with objects `a` and `b` (-1: none) elsewhere than they are."""
    low_x, high_x, low_y, high_y = _FAR, -_FAR, _FAR, -_FAR
    for t in range(pulls.start[k], pulls.start[k + 1]):
        one = pulls.object[t]
        px, py = x[one], y[one]
        if one == a:
            px, py = ax, ay
        elif one == b:
            px, py = bx, by
        px += pulls.dx[t]
        py += pulls.dy[t]
        low_x, high_x = min(low_x, px), max(high_x, px)
        low_y, high_y = min(low_y, py), max(high_y, py)
    return high_x - low_x + high_y - low_y


@njit(nogil=True, cache=True)
def change(
    pulls: Pulls,
    spans: Floats,
    x: Floats,
    y: Floats,
    a: int,
    ax: float,
    ay: float,
    b: int,
    bx: float,
    by: float,
) -> float:
    """What moving `a`, and `b` unless it is -1, adds to the half perimeters, which are `spans` now."""
    more = 0.0
    for t in range(pulls.cell_start[a], pulls.cell_start[a + 1]):
        k = pulls.cell_net[t]
        more += span(k, pulls, x, y, a, ax, ay, b, bx, by) - spans[k]
    if b >= 0:
        for t in range(pulls.cell_start[b], pulls.cell_start[b + 1]):
            k = pulls.cell_net[t]
            shared = False
            for u in range(pulls.cell_start[a], pulls.cell_start[a + 1]):
                if pulls.cell_net[u] == k:
                    shared = True
            if not shared:
                more += span(k, pulls, x, y, a, ax, ay, b, bx, by) - spans[k]
    return more


@njit(nogil=True, cache=True)
def move(pulls: Pulls, spans: Floats, x: Floats, y: Floats, a: int, ax: float, ay: float) -> None:
    """Moves a cell, and brings the half perimeters of its nets up to date."""
    x[a], y[a] = ax, ay
    for t in range(pulls.cell_start[a], pulls.cell_start[a + 1]):
        k = pulls.cell_net[t]
        spans[k] = span(k, pulls, x, y, -1, 0.0, 0.0, -1, 0.0, 0.0)


@njit(nogil=True, cache=True)
def _middle(values: Floats, m: int) -> float:
    """The median of the first `m` values, which are sorted here, the mean of two."""
    for i in range(1, m):
        value, j = values[i], i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
    return 0.5 * float(values[(m - 1) // 2] + values[m // 2])


@njit(nogil=True, cache=True)
def best_place(
    a: int, pulls: Pulls, x: Floats, y: Floats, xs: Floats, ys: Floats
) -> tuple[bool, float, float]:
    """Whether anything pulls at a cell, and the median of the bounds of its nets without it, which is where
    their half perimeters are least. `xs` and `ys` are room for these bounds."""
    m = 0
    for t in range(pulls.cell_start[a], pulls.cell_start[a + 1]):
        k = pulls.cell_net[t]
        if pulls.start[k + 1] - pulls.start[k] > LARGE_NET:
            continue
        low_x, high_x, low_y, high_y = _FAR, -_FAR, _FAR, -_FAR
        own_x, own_y = 0.0, 0.0
        for u in range(pulls.start[k], pulls.start[k + 1]):
            one = pulls.object[u]
            if one == a:
                own_x, own_y = pulls.dx[u], pulls.dy[u]
                continue
            px, py = x[one] + pulls.dx[u], y[one] + pulls.dy[u]
            low_x, high_x = min(low_x, px), max(high_x, px)
            low_y, high_y = min(low_y, py), max(high_y, py)
        if high_x >= low_x and m + 2 <= len(xs):
            xs[m], xs[m + 1] = low_x - own_x, high_x - own_x
            ys[m], ys[m + 1] = low_y - own_y, high_y - own_y
            m += 2
    if m == 0:
        return False, 0.0, 0.0
    return True, _middle(xs, m), _middle(ys, m)


def all_spans(pulls: Pulls, x: Floats, y: Floats) -> Floats:
    """The half perimeter of every net that pulls."""
    if len(pulls.start) < 2:
        return np.zeros(0)
    px, py, first = x[pulls.object] + pulls.dx, y[pulls.object] + pulls.dy, pulls.start[:-1]
    spans: Floats = np.maximum.reduceat(px, first) - np.minimum.reduceat(px, first)
    spans += np.maximum.reduceat(py, first) - np.minimum.reduceat(py, first)
    return spans
