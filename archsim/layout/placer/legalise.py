"""Cells into rows and sites without overlap, each moved as little as may be.

Abacus (P. Spindler, U. Schlichtmann, F. M. Johannes, ISPD 2008): cells go from left to right to the stretch
of a row where they are moved least; cells of a stretch that touch form a cluster, which lies where the
squares of all their moves are least. Widths and places are whole sites throughout.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from archsim.layout.placer.problem import Floats, Ints, LayoutError
from archsim.layout.placer.rows import Rows


@njit(nogil=True, cache=True, inline="always")
def _clipped(value: float, first: int, end: int, width: float) -> float:
    """The whole site nearest to a value at which a width lies in a stretch."""
    return float(min(max(np.floor(value + 0.5), first), end - width))


@njit(nogil=True, cache=True)
def _trial(
    want: float,
    width: int,
    first: int,
    end: int,
    k: int,
    weight: Floats,
    pulled: Floats,
    wide: Floats,
    at: Floats,
) -> tuple[int, float, float, float, float]:
    """What adding a cell to the right end of a stretch makes of its `k` clusters: how many stay, and weight,
    pull, width and place of the one that the cell is in."""
    e, q, w = 1.0, want, float(width)
    place = _clipped(q, first, end, w)
    while k > 0 and at[k - 1] + wide[k - 1] > place:
        k -= 1
        q = pulled[k] + q - e * wide[k]
        e += weight[k]
        w += wide[k]
        place = _clipped(q / e, first, end, w)
    return k, e, q, w, place


@njit(nogil=True, cache=True)
def _assigned(
    want: Floats, y: Floats, width: Ints, order: Ints, start: Ints, first: Ints, end: Ints, aspect: float
) -> Ints:
    """The stretch of each cell, -1 where none has room. `want` is the left edge in sites, `y` the lower one
    in rows; a row is `aspect` sites high."""
    rows, stretches = len(start) - 1, len(first)
    offset = np.zeros(stretches + 1, np.int64)
    offset[1:] = np.cumsum(end - first + 1)
    weight, pulled = np.empty(offset[-1]), np.empty(offset[-1])
    wide, at = np.empty(offset[-1]), np.empty(offset[-1])
    clusters, used = np.zeros(stretches, np.int64), np.zeros(stretches, np.int64)
    chosen = np.full(len(want), -1, np.int64)
    for cell in order:
        best = np.inf
        near = min(max(int(np.floor(y[cell] + 0.5)), 0), rows - 1)
        for away in range(rows):
            if best < max(away - 1, 0) * aspect:
                break
            for side in range(2 if away else 1):
                row = near - away if side else near + away
                if row < 0 or row >= rows or abs(row - y[cell]) * aspect >= best:
                    continue
                for s in range(start[row], start[row + 1]):
                    if used[s] + width[cell] > end[s] - first[s]:
                        continue
                    outside = max(first[s] - want[cell], want[cell] + width[cell] - end[s], 0.0)
                    if abs(row - y[cell]) * aspect + outside >= best:
                        continue
                    b = offset[s]
                    _, _, _, w, place = _trial(
                        want[cell],
                        width[cell],
                        first[s],
                        end[s],
                        clusters[s],
                        weight[b:],
                        pulled[b:],
                        wide[b:],
                        at[b:],
                    )
                    cost = abs(row - y[cell]) * aspect + abs(place + w - width[cell] - want[cell])
                    if cost < best:
                        best, chosen[cell] = cost, s
        s = chosen[cell]
        if s < 0:
            continue
        b = offset[s]
        k, e, q, w, place = _trial(
            want[cell], width[cell], first[s], end[s], clusters[s], weight[b:], pulled[b:], wide[b:], at[b:]
        )
        weight[b + k], pulled[b + k], wide[b + k], at[b + k] = e, q, w, place
        clusters[s] = k + 1
        used[s] += width[cell]
    return chosen


@njit(nogil=True, cache=True)
def _packed(cells: Ints, want: Floats, width: Ints, first: int, end: int, left: Ints) -> None:
    """Puts the cells of a stretch, in their order, as near to where they are wanted as they fit."""
    n, k = len(cells), 0
    weight, pulled, wide, at = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    begins = np.empty(n, np.int64)
    for t in range(n):
        cell = cells[t]
        stay, e, q, w, place = _trial(want[cell], width[cell], first, end, k, weight, pulled, wide, at)
        weight[stay], pulled[stay], wide[stay], at[stay] = e, q, w, place
        if stay == k:
            begins[k] = t
        k = stay + 1
    for cluster in range(k):
        place = at[cluster]
        for t in range(begins[cluster], begins[cluster + 1] if cluster + 1 < k else n):
            left[cells[t]] = int(place)
            place += width[cells[t]]


@njit(nogil=True, cache=True)
def _fitted(
    want: Floats, y: Floats, width: Ints, order: Ints, start: Ints, first: Ints, end: Ints, aspect: float
) -> Ints:
    """The stretch of each cell where that by which cells are moved counts less than that all fit: in the
    given order, widest first, each goes to the nearest that has room; -1 where none has."""
    used, chosen = np.zeros(len(first), np.int64), np.full(len(want), -1, np.int64)
    for cell in order:
        best = np.inf
        for row in range(len(start) - 1):
            for s in range(start[row], start[row + 1]):
                if used[s] + width[cell] > end[s] - first[s]:
                    continue
                outside = max(first[s] - want[cell], want[cell] + width[cell] - end[s], 0.0)
                if abs(row - y[cell]) * aspect + outside < best:
                    best, chosen[cell] = abs(row - y[cell]) * aspect + outside, s
        if chosen[cell] >= 0:
            used[chosen[cell]] += width[cell]
    return chosen


def can_hold(rows: Rows, width: Ints) -> bool:
    """Whether the widest cell first, each next one finds a stretch with room."""
    anywhere, order = np.zeros(len(width)), np.argsort(-width, kind="stable")
    stretch = _fitted(anywhere, anywhere, width, order, rows.start, rows.first, rows.end, 1.0)
    return bool((stretch >= 0).all())


def legalised(want: Floats, y: Floats, width: Ints, rows: Rows, aspect: float) -> tuple[Ints, Ints]:
    """Left site and row of each cell, from the left edge in sites and the lower one in rows where it is
    wanted; a row is `aspect` sites high. Raises LayoutError where cells do not fit."""
    stretches = rows.start, rows.first, rows.end
    order = np.lexsort((np.arange(len(want)), want))
    stretch = _assigned(want, y, width, order, *stretches, aspect)
    if (stretch < 0).any():
        stretch = _fitted(want, y, width, np.argsort(-width, kind="stable"), *stretches, aspect)
    if (stretch < 0).any():
        share = float(width.sum()) / max(rows.free_sites, 1)
        raise LayoutError(
            f"utilisation is {share:.4g}, at which a cell of {width[stretch < 0].max()} sites fits into no "
            "row, allowed are a lower one and a larger core"
        )
    left = np.zeros(len(want), np.int64)
    grouped = order[np.argsort(stretch[order], kind="stable")]
    ends = np.searchsorted(stretch[grouped], np.arange(len(rows.first) + 1))
    for s in np.unique(stretch).tolist():
        _packed(grouped[ends[s] : ends[s + 1]], want, width, int(rows.first[s]), int(rows.end[s]), left)
    return left, rows.row[stretch]
