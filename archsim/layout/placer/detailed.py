"""Small moves that shorten wires: cells change places, go to gaps, shift and change their order in a row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from archsim.layout.placer.moves import Pulls, all_spans, best_place, change, move
from archsim.layout.placer.problem import Floats, Ints
from archsim.layout.placer.rows import Rows

_LEAST_UM = 1e-6
"""What a move has to gain, so that rounding is no gain."""
_MOST_BOUNDS = 400
_ALIKE_UM = 1e-6
_BIN_ROWS = 4
_PASSES, _END = 30, 5e-4
"""Passes end when one gains less than this share of all wires."""


class Grid(NamedTuple):
    """Things by the bin of a grid in which they lie: those of bin b are `start[b]` to `start[b + 1]` of
    `item`."""

    across: int
    up: int
    width: float
    height: float
    start: Ints
    item: Ints


def _grid(x: Floats, y: Floats, size_um: float, width_um: float, height_um: float) -> Grid:
    across, up = max(1, int(np.ceil(width_um / size_um))), max(1, int(np.ceil(height_um / size_um)))
    u = np.clip((x / size_um).astype(np.int64), 0, across - 1)
    v = np.clip((y / size_um).astype(np.int64), 0, up - 1)
    start, item = listed(v * across + u, across * up)
    return Grid(across, up, size_um, size_um, start, item)


def listed(keys: Ints, number: int) -> tuple[Ints, Ints]:
    """The indices of `keys` by their value, 0 to `number` - 1: where those of each begin, and all of them."""
    start = np.zeros(number + 1, np.int64)
    start[1:] = np.cumsum(np.bincount(keys, minlength=number))
    return start, np.argsort(keys, kind="stable")


@njit(nogil=True, cache=True)
def _swapped(
    cells: int, width: Floats, pulls: Pulls, spans: Floats, x: Floats, y: Floats, grid: Grid
) -> float:
    """Each cell tries to change places with the cells as wide as itself in the bins round its best place;
    what that gains."""
    gained, xs, ys = 0.0, np.empty(_MOST_BOUNDS), np.empty(_MOST_BOUNDS)
    for a in range(cells):
        pulled, tx, ty = best_place(a, pulls, x, y, xs, ys)
        if not pulled or abs(tx - x[a]) + abs(ty - y[a]) < 0.5 * grid.width:
            continue
        u0 = min(max(int(tx / grid.width), 0), grid.across - 1)
        v0 = min(max(int(ty / grid.height), 0), grid.up - 1)
        best, other = -_LEAST_UM, -1
        for u in range(max(u0 - 1, 0), min(u0 + 2, grid.across)):
            for v in range(max(v0 - 1, 0), min(v0 + 2, grid.up)):
                q = v * grid.across + u
                for t in range(grid.start[q], grid.start[q + 1]):
                    b = grid.item[t]
                    if b == a or abs(width[b] - width[a]) > _ALIKE_UM:
                        continue
                    more = change(pulls, spans, x, y, a, x[b], y[b], b, x[a], y[a])
                    if more < best:
                        best, other = more, b
        if other >= 0:
            ax, ay = x[a], y[a]
            move(pulls, spans, x, y, a, x[other], y[other])
            move(pulls, spans, x, y, other, ax, ay)
            gained -= best
    return gained


@njit(nogil=True, cache=True)
def _reordered(
    start: Ints, cells: Ints, width: Floats, pulls: Pulls, spans: Floats, x: Floats, y: Floats
) -> float:
    """Neighbours in a stretch change their order where that is shorter; what that gains."""
    gained = 0.0
    for s in range(len(start) - 1):
        for t in range(start[s], start[s + 1] - 1):
            a, b = cells[t], cells[t + 1]
            bx = x[a] - 0.5 * width[a] + 0.5 * width[b]
            ax = x[b] + 0.5 * width[b] - 0.5 * width[a]
            more = change(pulls, spans, x, y, a, ax, y[a], b, bx, y[b])
            if more < -_LEAST_UM:
                move(pulls, spans, x, y, a, ax, y[a])
                move(pulls, spans, x, y, b, bx, y[b])
                cells[t], cells[t + 1] = b, a
                gained -= more
    return gained


@njit(nogil=True, cache=True)
def _shifted(
    start: Ints,
    cells: Ints,
    first: Floats,
    end: Floats,
    site: float,
    width: Floats,
    pulls: Pulls,
    spans: Floats,
    x: Floats,
    y: Floats,
) -> float:
    """Each cell moves, in whole sites, as far between its neighbours as is best; what that gains."""
    gained, xs, ys = 0.0, np.empty(_MOST_BOUNDS), np.empty(_MOST_BOUNDS)
    for s in range(len(start) - 1):
        for t in range(start[s], start[s + 1]):
            a, low, high = cells[t], first[s], end[s]
            if t > start[s]:
                low = x[cells[t - 1]] + 0.5 * width[cells[t - 1]]
            if t + 1 < start[s + 1]:
                high = x[cells[t + 1]] - 0.5 * width[cells[t + 1]]
            if high - low - width[a] < 0.5 * site:
                continue
            pulled, tx, _ = best_place(a, pulls, x, y, xs, ys)
            if not pulled:
                continue
            left = min(max(np.floor((tx - 0.5 * width[a]) / site + 0.5) * site, low), high - width[a])
            left = np.floor(left / site + 0.5) * site
            more = change(pulls, spans, x, y, a, left + 0.5 * width[a], y[a], -1, 0.0, 0.0)
            if more < -_LEAST_UM:
                move(pulls, spans, x, y, a, left + 0.5 * width[a], y[a])
                gained -= more
    return gained


@njit(nogil=True, cache=True)
def _into_gaps(
    cells: int,
    site: float,
    width: Floats,
    pulls: Pulls,
    spans: Floats,
    x: Floats,
    y: Floats,
    grid: Grid,
    low: Floats,
    high: Floats,
    at_y: Floats,
) -> float:
    """Each cell that is far from its best place goes to the best gap round it; what that gains. Gaps reach
    from `low` to `high` in the row whose middle is `at_y`; what a cell leaves of one stays a gap."""
    gained, xs, ys = 0.0, np.empty(_MOST_BOUNDS), np.empty(_MOST_BOUNDS)
    for a in range(cells):
        pulled, tx, ty = best_place(a, pulls, x, y, xs, ys)
        if not pulled or abs(tx - x[a]) + abs(ty - y[a]) < 0.5 * grid.width:
            continue
        u0 = min(max(int(tx / grid.width), 0), grid.across - 1)
        v0 = min(max(int(ty / grid.height), 0), grid.up - 1)
        best, gap, best_left = -_LEAST_UM, -1, 0.0
        for u in range(max(u0 - 1, 0), min(u0 + 2, grid.across)):
            for v in range(max(v0 - 1, 0), min(v0 + 2, grid.up)):
                q = v * grid.across + u
                for t in range(grid.start[q], grid.start[q + 1]):
                    g = grid.item[t]
                    if high[g] - low[g] < width[a] - 0.5 * site:
                        continue
                    left = min(max(tx - 0.5 * width[a], low[g]), high[g] - width[a])
                    left = np.floor(left / site + 0.5) * site
                    more = change(pulls, spans, x, y, a, left + 0.5 * width[a], at_y[g], -1, 0.0, 0.0)
                    if more < best:
                        best, gap, best_left = more, g, left
        if gap >= 0:
            move(pulls, spans, x, y, a, best_left + 0.5 * width[a], at_y[gap])
            gained -= best
            if best_left - low[gap] > high[gap] - best_left - width[a]:
                high[gap] = best_left
            else:
                low[gap] = best_left + width[a]
    return gained


class Lines(NamedTuple):
    """The cells of each free stretch from the left (`start`, `cell`), and the stretches' ends in um."""

    start: Ints
    cell: Ints
    first: Floats
    end: Floats


def _lines(x: Floats, y: Floats, rows: Rows, site_um: float, row_um: float) -> Lines:
    row = (y / row_um).astype(np.int64)
    # Stretches are sorted by row and place: a cell is in the last one that begins before it.
    along = rows.core.sites * site_um * 2
    stretch = np.searchsorted(rows.row * along + rows.first * site_um, row * along + x, "right") - 1
    order = np.lexsort((x, stretch))
    start, _ = listed(stretch, len(rows.first))
    return Lines(start, order, rows.first.astype(float) * site_um, rows.end.astype(float) * site_um)


def _gaps(lines: Lines, width: Floats, x: Floats, rows: Rows, row_um: float) -> tuple[Floats, Floats, Floats]:
    """Left and right end and the middle of the row of every gap that is wider than nothing."""
    stretches = len(rows.first)
    home = np.repeat(np.arange(stretches), np.diff(lines.start))
    left, right = (x - 0.5 * width)[lines.cell], (x + 0.5 * width)[lines.cell]
    begins = np.concatenate([lines.first, right])
    home = np.concatenate([np.arange(stretches), home])
    order = np.lexsort((begins, home))
    begins, home = begins[order], home[order]
    is_last = np.append(home[1:] != home[:-1], True)
    ends = np.empty(len(begins))
    ends[is_last] = lines.end
    ends[~is_last] = left
    wide = ends - begins > 1e-3
    return begins[wide], ends[wide], (rows.row[home[wide]] + 0.5) * row_um


def improved(
    x: Floats, y: Floats, width: Floats, pulls: Pulls, rows: Rows, site_um: float, row_um: float
) -> None:
    """Moves legal cells (first of the objects `x` and `y`, their centres in um) so that they stay legal and
    wires become shorter. In place."""
    cells, spans = len(width), all_spans(pulls, x, y)
    size = rows.core.sites * site_um, rows.core.rows * row_um
    for _ in range(_PASSES):
        grid = _grid(x[:cells], y[:cells], _BIN_ROWS * row_um, *size)
        gained = _swapped(cells, width, pulls, spans, x, y, grid)
        lines = _lines(x[:cells], y[:cells], rows, site_um, row_um)
        low, high, at_y = _gaps(lines, width, x[:cells], rows, row_um)
        grid = _grid(0.5 * (low + high), at_y, _BIN_ROWS * row_um, *size)
        gained += _into_gaps(cells, site_um, width, pulls, spans, x, y, grid, low, high, at_y)
        lines = _lines(x[:cells], y[:cells], rows, site_um, row_um)
        gained += _reordered(lines.start, lines.cell, width, pulls, spans, x, y)
        gained += _shifted(*lines, site_um, width, pulls, spans, x, y)
        if gained <= _END * spans.sum():
            break
