"""How long the wire of each net will be: a rectilinear Steiner tree over its pins, and what routing adds.

The half perimeter is the tree of two or three pins and less than that of more. The tree here grows pin by
pin, each time by the pin that is nearest to it, which joins at the nearest point that an edge can be led
through without becoming longer (an edge is free inside the box of its ends).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from archsim.layout.blocks import LAYOUT_CONSTANTS
from archsim.layout.placer.placement import Placement
from archsim.layout.placer.problem import Flags, Floats, Ints
from archsim.technology.quantity import load_quantities

ROUTED = "routed_over_tree"


def wire_length_m(placement: Placement) -> Floats:
    """The routed length of each net (nets,), in metre: its tree times the measured factor. Clock nets are
    measured by their tree of buffers instead (`clock_tree`), and are 0 here."""
    factor = float(load_quantities(LAYOUT_CONSTANTS)[ROUTED])
    lengths: Floats = 1e-6 * factor * tree_um(placement)
    lengths[placement.problem.is_clock] = 0.0
    return lengths


def half_perimeter_um(placement: Placement) -> Floats:
    """The half perimeter of the box around the pins of each net (nets,), clock nets left out."""
    return np.where(placement.problem.is_clock, 0.0, placement.hpwl_um)


def tree_um(placement: Placement) -> Floats:
    """The Steiner tree over the pins of each net (nets,)."""
    return trees(placement.problem.net_start, placement.pin_um, ~placement.problem.is_clock)


def trees(start: Ints, pins: Floats, wanted: Flags) -> Floats:
    """The length of a Steiner tree over the pins (pins, 2) of each of the wanted nets, those of net k being
    `start[k]` to `start[k + 1]`; 0 for the others."""
    lengths: Floats = _trees(start, np.ascontiguousarray(pins), wanted)
    return lengths


@njit(nogil=True, cache=True)
def _trees(start: Ints, pins: Floats, wanted: Flags) -> Floats:
    lengths = np.zeros(len(start) - 1)
    for k in range(len(start) - 1):
        here = pins[start[k] : start[k + 1]]
        if wanted[k] and len(here) > 1:
            lengths[k] = _tree(here)
    return lengths


@njit(nogil=True, cache=True, inline="always")
def _into(value: float, one: float, other: float) -> float:
    """The point between two ends that is nearest to a value."""
    return min(max(value, min(one, other)), max(one, other))


@njit(nogil=True, cache=True)
def _tree(pins: Floats) -> float:
    """The tree of one net. `ends` are the edges (x and y of both ends); an edge that is split gets the first
    half in place and the second at the end, so that a pin that was nearest to it looks again."""
    n, edges, total = len(pins), 1, 0.0
    ends = np.empty((2 * n + 1, 4))
    ends[0, :2] = ends[0, 2:] = pins[0]
    waits, far, near = np.ones(n, np.bool_), np.empty(n), np.zeros(n, np.int64)
    stale = np.zeros(n, np.bool_)
    waits[0] = False
    for i in range(n):
        far[i] = abs(pins[i, 0] - pins[0, 0]) + abs(pins[i, 1] - pins[0, 1])
    for _ in range(n - 1):
        while True:
            pin = -1
            for i in range(n):
                if waits[i] and (pin < 0 or far[i] < far[pin]):
                    pin = i
            if not stale[pin]:
                break
            stale[pin], far[pin] = False, np.inf
            for e in range(edges):
                _nearer(pins, ends, e, pin, far, near)
        waits[pin] = False
        total += far[pin]
        old = near[pin]
        x, y = (
            _into(pins[pin, 0], ends[old, 0], ends[old, 2]),
            _into(pins[pin, 1], ends[old, 1], ends[old, 3]),
        )
        ends[edges] = (x, y, ends[old, 2], ends[old, 3])
        ends[old, 2], ends[old, 3] = x, y
        ends[edges + 1] = (x, y, pins[pin, 0], pins[pin, 1])
        for i in range(n):
            if waits[i]:
                stale[i] |= near[i] == old
                _nearer(pins, ends, edges, i, far, near)
                _nearer(pins, ends, edges + 1, i, far, near)
                stale[i] &= near[i] == old
        edges += 2
    return total


@njit(nogil=True, cache=True, inline="always")
def _nearer(pins: Floats, ends: Floats, e: int, i: int, far: Floats, near: Ints) -> None:
    """Makes an edge the nearest one of a pin where it is that."""
    x, y = pins[i, 0], pins[i, 1]
    away = abs(x - _into(x, ends[e, 0], ends[e, 2])) + abs(y - _into(y, ends[e, 1], ends[e, 3]))
    if away < far[i]:
        far[i], near[i] = away, e
