"""Rough placement: springs at rest (a lower bound) and no crowds (an upper one) in turn, until they meet.

SimPL (M.-C. Kim, D.-J. Lee, I. L. Markov, IEEE TCAD 31(1), 2012): anchors at the spread places pull stronger
from round to round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from archsim.layout.placer.problem import Floats, PlacementProblem
from archsim.layout.placer.quadratic import Axis, relaxed
from archsim.layout.placer.spreading import Bins, spread

Progress = Callable[[str, float], None]
"""Told, from time to time, what is being done and which share of it is done."""

MOST_ROUNDS = 100
_FREE_ROUNDS = 5
_STALE_ROUNDS = 12
"""Rounds without a better upper bound after which none is expected."""
_PULL = 0.03
"""How much stronger anchors pull in each round."""
_CLOSE = 0.95
"""Bounds that are this close are one."""


@dataclass(frozen=True, eq=False)
class Springy:
    """What is placed roughly: the nets that pull along both axes, the areas of the movable objects, which are
    the first, and the bins that they are spread over."""

    x: Axis
    y: Axis
    area: Floats
    bins: Bins


def axes(problem: PlacementProblem, offsets: Floats) -> tuple[Axis, Axis]:
    """The pins (pins, 2, from the centres of their objects) of the nets that pull."""
    pins = np.diff(problem.net_start)
    pulls = (pins > 1) & problem.pulls
    kept = pulls[problem.pin_net]
    start = np.concatenate([[0], np.cumsum(pins[pulls])])
    x, y = (Axis(start, problem.pin_object[kept], offsets[kept, axis]) for axis in (0, 1))
    return x, y


def roughly(
    given: Springy,
    centre: Floats,
    *,
    seed: int,
    rounds: int = MOST_ROUNDS,
    progress: Callable[[float], None] | None = None,
) -> Floats:
    """The centres (objects, 2) of the best upper bound that was met. What is fixed stays at its `centre`; the
    others start in the middle of the core."""
    movable, bins = len(given.area), given.bins
    if not movable:
        return centre
    box = bins.right.max(), bins.high.max()
    scatter = np.random.default_rng(seed).normal(0, 1, (2, movable))
    x, y = centre[:, 0].copy(), centre[:, 1].copy()
    x[:movable], y[:movable] = box[0] / 2 + scatter[0], box[1] / 2 + scatter[1]
    for _ in range(_FREE_ROUNDS):
        x, y = relaxed(given.x, x, movable), relaxed(given.y, y, movable)
    best, kept, stale = np.inf, (x, y), 0
    for step in range(rounds):
        to_x, to_y = spread(x[:movable], y[:movable], given.area, bins)
        up_x, up_y = x.copy(), y.copy()
        up_x[:movable], up_y[:movable] = to_x, to_y
        upper = given.x.spans(up_x).sum() + given.y.spans(up_y).sum()
        lower = given.x.spans(x).sum() + given.y.spans(y).sum()
        if upper < best:
            best, kept, stale = upper, (up_x, up_y), 0
        else:
            stale += 1
        if lower > _CLOSE * upper or stale > _STALE_ROUNDS:
            break
        if progress is not None:
            progress(min(1.0, step / rounds))
        pull = _PULL * (step + 1)
        x = relaxed(given.x, x, movable, anchors=to_x, pull=pull)
        y = relaxed(given.y, y, movable, anchors=to_y, pull=pull)
    return np.stack(kept, axis=1)
