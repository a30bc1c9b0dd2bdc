"""Rough places without crowds, near wanted ones: recursive cuts by area, then neighbouring bins that share
their cells again by distance. The upper bound of the placement (SimPL), before rows are looked at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from archsim.layout.placer.problem import Floats, Ints
from archsim.layout.placer.rows import Rows

BIN_ROWS = 4
"""Rows of a bin, which is about square: some dozen cells."""
_PASSES = 3
_WAYS = np.array([(1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2)])
"""To which bins, in steps right and up, a bin gives cells and from which it takes some."""


class Bins(NamedTuple):
    """A grid of `across` x `up` bins: the free area of each, and the box in um around it,
    0 where nothing is free."""

    across: int
    up: int
    free_um2: Floats
    left: Floats
    right: Floats
    low: Floats
    high: Floats


def bins_of(rows: Rows, site_um: float, row_um: float) -> Bins:
    """The bins of a core, of what is free in it."""
    across = max(1, round(rows.core.sites * site_um / (BIN_ROWS * row_um)))
    up = max(1, round(rows.core.rows / BIN_ROWS))
    edges = np.linspace(0, rows.core.sites, across + 1)
    free = np.zeros((up, across))
    left, right = np.full((up, across), np.inf), np.full((up, across), -np.inf)
    low, high = np.full((up, across), np.inf), np.full((up, across), -np.inf)
    band_of = np.minimum(np.arange(rows.core.rows) * up // rows.core.rows, up - 1)
    for row, first, end in zip(rows.row.tolist(), rows.first.tolist(), rows.end.tolist(), strict=True):
        band = band_of[row]
        begins, ends = np.maximum(edges[:-1], first), np.minimum(edges[1:], end)
        there = ends > begins
        free[band, there] += (ends - begins)[there]
        left[band, there] = np.minimum(left[band, there], begins[there])
        right[band, there] = np.maximum(right[band, there], ends[there])
        low[band, there] = np.minimum(low[band, there], row)
        high[band, there] = np.maximum(high[band, there], row + 1)
    for box in (left, right, low, high):
        box[free == 0] = 0.0
    scaled = (free * site_um * row_um, left * site_um, right * site_um, low * row_um, high * row_um)
    return Bins(across, up, *(part.ravel() for part in scaled))


@njit(nogil=True, cache=True)
def _dealt(x: Floats, y: Floats, area: Floats, bins: Bins, square: Floats) -> Ints:
    """A bin for each cell, all about equally full and the order of the cells kept: a region is cut in two
    along its longer side, its cells by the free area of both sides. `square` holds the free area below and
    to the left of each corner."""
    home = np.zeros(len(x), np.int64)
    order = np.arange(len(x))
    stack = [(0, len(x), 0, bins.across, 0, bins.up)]
    while stack:
        begin, end, x0, x1, y0, y1 = stack.pop()
        if begin == end:
            continue
        if x1 - x0 == 1 and y1 - y0 == 1:
            home[order[begin:end]] = y0 * bins.across + x0
            continue
        is_wide = x1 - x0 >= y1 - y0
        cells = order[begin:end].copy()
        key = x[cells] if is_wide else y[cells]
        cells = cells[np.argsort(key, kind="mergesort")]
        order[begin:end] = cells
        xm, ym = ((x0 + x1) // 2, y1) if is_wide else (x1, (y0 + y1) // 2)
        whole = square[y1, x1] - square[y0, x1] - square[y1, x0] + square[y0, x0]
        one = square[ym, xm] - square[y0, xm] - square[ym, x0] + square[y0, x0]
        wanted = area[cells].sum() * (one / whole if whole > 0 else 0.5)
        if one <= 0:
            cut = 0
        elif one >= whole:
            cut = len(cells)
        else:
            summed, cut = 0.0, 0
            while cut < len(cells) and summed + 0.5 * area[cells[cut]] < wanted:
                summed += area[cells[cut]]
                cut += 1
        middle = begin + cut
        if is_wide:
            stack.append((begin, middle, x0, xm, y0, y1))
            stack.append((middle, end, xm, x1, y0, y1))
        else:
            stack.append((begin, middle, x0, x1, y0, ym))
            stack.append((middle, end, x0, x1, ym, y1))
    return home


@njit(nogil=True, cache=True)
def _share(
    a: int, b: int, members: Ints, count: Ints, x: Floats, y: Floats, area: Floats, bins: Bins, mid: Floats
) -> None:
    """Two bins share their cells again: those go to the first that are nearest to it by comparison, as far as
    either has room."""
    m = count[a] + count[b]
    both, gain, total = np.empty(m, np.int64), np.empty(m), 0.0
    for t in range(m):
        cell = members[a, t] if t < count[a] else members[b, t - count[a]]
        both[t] = cell
        total += area[cell]
        near_a = abs(x[cell] - mid[a, 0]) + abs(y[cell] - mid[a, 1])
        gain[t] = near_a - abs(x[cell] - mid[b, 0]) - abs(y[cell] - mid[b, 1])
    order = np.argsort(gain)
    least, most = total - bins.free_um2[b], bins.free_um2[a]
    if least > most:
        least = most = total * most / (most + bins.free_um2[b])
    filled, k = 0.0, 0
    while k < m:
        one = area[both[order[k]]]
        if (gain[order[k]] < 0 and filled + one <= most + 1e-9) or filled + one / 2 < least:
            filled += one
            k += 1
        else:
            break
    for t in range(k):
        members[a, t] = both[order[t]]
    for t in range(k, m):
        members[b, t - k] = both[order[t]]
    count[a], count[b] = k, m - k


@njit(nogil=True, cache=True)
def _shared(home: Ints, x: Floats, y: Floats, area: Floats, bins: Bins, ways: Ints, passes: int) -> Ints:
    """The bin of each cell after neighbours have shared theirs."""
    number = bins.across * bins.up
    count = np.bincount(home, minlength=number)
    room = 4 * count.max() + 8
    members, filled = np.zeros((number, room), np.int64), np.zeros(number, np.int64)
    for cell in range(len(home)):
        members[home[cell], filled[home[cell]]] = cell
        filled[home[cell]] += 1
    mid = np.empty((number, 2))
    mid[:, 0], mid[:, 1] = 0.5 * (bins.left + bins.right), 0.5 * (bins.low + bins.high)
    for _ in range(passes):
        for way in range(len(ways)):
            for v in range(bins.up):
                for u in range(bins.across):
                    i, j = u + ways[way, 0], v + ways[way, 1]
                    if i >= bins.across or j >= bins.up or j < 0:
                        continue
                    a, b = v * bins.across + u, j * bins.across + i
                    if bins.free_um2[a] <= 0 or bins.free_um2[b] <= 0:
                        continue
                    if 0 < filled[a] + filled[b] < room:
                        _share(a, b, members, filled, x, y, area, bins, mid)
    told = np.empty_like(home)
    for b in range(number):
        for t in range(filled[b]):
            told[members[b, t]] = b
    return told


def _within(wanted: Floats, home: Ints, area: Floats, low: Floats, high: Floats) -> Floats:
    """Along one axis each bin's cells in the order in which they were wanted, evenly by area."""
    order = np.lexsort((wanted, home))
    part, summed = area[order], np.cumsum(area[order])
    bins = home[order]
    total = np.bincount(home, area, len(low))
    before = np.concatenate([[0.0], np.cumsum(total)[:-1]])
    share = (summed - part / 2 - before[bins]) / total[bins]
    places = np.empty_like(wanted)
    places[order] = low[bins] + (high[bins] - low[bins]) * share
    return places


def spread(x: Floats, y: Floats, area: Floats, bins: Bins) -> tuple[Floats, Floats]:
    """Places near the wanted centres `x` and `y` (cells,) at which no bin is overfull, but for what does not
    fit elsewhere."""
    square = np.zeros((bins.up + 1, bins.across + 1))
    square[1:, 1:] = bins.free_um2.reshape(bins.up, bins.across).cumsum(0).cumsum(1)
    home = _shared(_dealt(x, y, area, bins, square), x, y, area, bins, _WAYS, _PASSES)
    return _within(x, home, area, bins.left, bins.right), _within(y, home, area, bins.low, bins.high)
