"""Positions of least wire, without regard to overlap: the bound-to-bound model of the half perimeter.

P. Spindler, U. Schlichtmann, F. M. Johannes, Kraftwerk2, IEEE TCAD 27(8), 2008: between the two outermost
pins of a net, and from each of them to every inner pin, a spring of strength 1 / ((pins - 1) x distance), so
that the energy of all springs of a net is its half perimeter where the positions are. Anchors pull cells to
where they were spread to (M.-C. Kim, D.-J. Lee, I. L. Markov, SimPL, IEEE TCAD 31(1), 2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.sparse import coo_array

from archsim.layout.placer.problem import Floats, Ints

NEAREST_UM = 0.5
"""Springs are no stiffer than at this length, about the width of a small cell, as if the pins touched."""
_TOLERANCE, _MOST_STEPS = 1e-3, 300
"""Of the conjugate gradients: what remains of the forces, and after how many steps that is good enough."""
_LOOSE = 1e-9
"""Holds what no net holds where it is."""


@dataclass(frozen=True, eq=False)
class Axis:
    """The pins of all nets that pull, along one axis: of net k `start[k]` to `start[k + 1]`, each at its
    object and an offset from the object's centre."""

    start: Ints
    object: Ints
    offset: Floats

    def pins(self, centre: Floats) -> Floats:
        """Where the pins are, from where the objects are."""
        return centre[self.object] + self.offset

    def spans(self, centre: Floats) -> Floats:
        """The extent of each net (nets,)."""
        if len(self.start) < 2:
            return np.zeros(0)
        places = self.pins(centre)
        first = self.start[:-1]
        spans: Floats = np.maximum.reduceat(places, first) - np.minimum.reduceat(places, first)
        return spans


@dataclass(frozen=True, eq=False)
class _Springs:
    """Springs between two pins, by their objects, with where the pins are from the objects' centres."""

    one: Ints
    other: Ints
    one_off: Floats
    other_off: Floats
    stiffness: Floats


def _springs(axis: Axis, centre: Floats) -> _Springs:
    """The bound-to-bound springs of all nets, for pins as they lie now."""
    places = axis.pins(centre)
    pins = np.diff(axis.start)
    net = np.repeat(np.arange(len(pins)), pins)
    order = np.lexsort((places, net))
    first, last = axis.start[:-1], axis.start[1:] - 1
    inner = np.ones(len(order), bool)
    inner[first] = inner[last] = False
    low, high, middle, of_net = order[first], order[last], order[inner], net[inner]
    one = np.concatenate([low, low[of_net], high[of_net]])
    other = np.concatenate([high, middle, middle])
    degree = np.concatenate([pins, pins[of_net], pins[of_net]])
    stiffness = 1.0 / ((degree - 1) * np.maximum(np.abs(places[one] - places[other]), NEAREST_UM))
    apart = axis.object[one] != axis.object[other]
    one, other = one[apart], other[apart]
    return _Springs(
        axis.object[one], axis.object[other], axis.offset[one], axis.offset[other], stiffness[apart]
    )


def relaxed(
    axis: Axis, centre: Floats, movable: int, *, anchors: Floats | None = None, pull: float = 0.0
) -> Floats:
    """The centres (objects,) at which the springs of the present positions are at rest, the first `movable`
    objects moving; each of these is pulled to its anchor as by a net of weight `pull`."""
    springs = _springs(axis, centre)
    diagonal, pulled = np.full(movable, _LOOSE), _LOOSE * centre[:movable]
    ends = (
        (springs.one, springs.other, springs.other_off - springs.one_off),
        (springs.other, springs.one, springs.one_off - springs.other_off),
    )
    for here, there, offset in ends:
        moves = here < movable
        k = springs.stiffness[moves]
        diagonal += np.bincount(here[moves], k, movable)
        held = there[moves] >= movable
        force = k * (offset[moves] + np.where(held, centre[there[moves]], 0.0))
        pulled += np.bincount(here[moves], force, movable)
    if anchors is not None:
        strength = pull / np.maximum(np.abs(centre[:movable] - anchors), NEAREST_UM)
        diagonal += strength
        pulled += strength * anchors
    between = (springs.one < movable) & (springs.other < movable)
    one, other, k = springs.one[between], springs.other[between], springs.stiffness[between]
    places = np.concatenate([one, other]), np.concatenate([other, one])
    between_them = coo_array((np.concatenate([k, k]), places), (movable, movable)).tocsr()
    solved = _at_rest(
        between_them.indptr.astype(np.int64),
        between_them.indices.astype(np.int64),
        between_them.data,
        diagonal,
        pulled,
        centre[:movable],
    )
    moved = centre.copy()
    moved[:movable] = solved
    return moved


@njit(nogil=True, cache=True)
def _at_rest(start: Ints, other: Ints, k: Floats, diagonal: Floats, pulled: Floats, x: Floats) -> Floats:
    """Solves `diagonal` x - springs x = `pulled` by conjugate gradients with the diagonal as preconditioner.

    Loops of our own: the vectors are short, and threads that share them cost many times what they save and
    would sum in another order every time.
    """
    n = len(x)
    solved, residue, ahead, along = x.copy(), np.empty(n), np.empty(n), np.empty(n)
    norm = product = 0.0
    for i in range(n):
        summed = diagonal[i] * x[i]
        for t in range(start[i], start[i + 1]):
            summed -= k[t] * x[other[t]]
        residue[i] = pulled[i] - summed
        ahead[i] = residue[i] / diagonal[i]
        product += residue[i] * ahead[i]
        norm += pulled[i] * pulled[i]
    for _ in range(_MOST_STEPS):
        curve = left = 0.0
        for i in range(n):
            summed = diagonal[i] * ahead[i]
            for t in range(start[i], start[i + 1]):
                summed -= k[t] * ahead[other[t]]
            along[i] = summed
            curve += summed * ahead[i]
        if curve <= 0.0:
            break
        step, following = product / curve, 0.0
        for i in range(n):
            solved[i] += step * ahead[i]
            residue[i] -= step * along[i]
            left += residue[i] * residue[i]
            following += residue[i] * residue[i] / diagonal[i]
        if left <= _TOLERANCE * _TOLERANCE * norm:
            break
        for i in range(n):
            ahead[i] = residue[i] / diagonal[i] + following / product * ahead[i]
        product = following
    return solved
