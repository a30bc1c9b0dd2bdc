"""The coordinates of a layered diagram: where boxes stand, where lines meet them, and on which track of the
channel between two layers a line runs sideways."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.diagram.layers import Layers, Line, Place

PITCH, BOX_HEIGHT, GAP = 36.0, 46.0, 24.0
"""Between the ports of a box, its height, and the least between two that stand beside each other."""
TRACK, STUB = 9.0, 22.0
"""Between two tracks, and from a box to the first of them."""
_PASS_WIDTH = 8.0
_PASSES = 24
"""How often places are moved towards what they are joined to."""
_OVERLAP = 100
"""How many crossings are better than two lines on top of each other."""

Step = tuple[Place, Place]
Point = tuple[float, float]


@dataclass(frozen=True)
class Routed:
    """The centres of places, the tops of layers, and the corners of every line from its upper to its lower
    end; `width` and `height` of all."""

    x: Mapping[Place, float]
    widths: Mapping[Place, float]
    tops: Sequence[float]
    lines: Mapping[Line, Sequence[Point]]
    width: float
    height: float


def routed(layers: Layers, width_of: Callable[[str], float], margin: float) -> Routed:
    """Lays out a diagram whose boxes are at least as wide as `width_of` their names, and as their ports
    need."""
    ends = _Ends(layers)
    widths = {
        place: _PASS_WIDTH if place.passes else max(width_of(place.name), PITCH * ends.most(place))
        for row in layers.rows
        for place in row
    }
    x = _centres(layers, widths, ends)
    shift = margin - min(x[place] - widths[place] / 2 for place in x)
    x = {place: at + shift for place, at in x.items()}
    tops: list[float] = []
    tracks: dict[Step, float] = {}
    top = margin
    for layer in range(len(layers.rows)):
        tops.append(top)
        steps = {step: ends.of(step, x) for step in layers.steps(layer)}
        levels = _tracks(steps)
        begin = top + BOX_HEIGHT + STUB
        tracks |= {step: begin + TRACK * level for step, level in levels.items()}
        top = begin + TRACK * max(levels.values(), default=0) + STUB
    lines = {
        line: [point for step in pairwise(way) for point in _corners(step, ends.of(step, x), tracks, tops)]
        for line, way in layers.ways.items()
    }
    width = max(x[place] + widths[place] / 2 for place in x) + margin
    return Routed(x, widths, tops, lines, width, tops[-1] + BOX_HEIGHT + margin)


class _Ends:
    """The ports of boxes: those that lead up and those that lead down, in the order of what they lead to."""

    def __init__(self, layers: Layers) -> None:
        self.up: dict[Place, list[Step]] = {place: [] for row in layers.rows for place in row}
        self.down: dict[Place, list[Step]] = {place: [] for row in layers.rows for place in row}
        for layer in range(len(layers.rows)):
            for upper, lower in layers.steps(layer):
                self.down[upper].append((upper, lower))
                self.up[lower].append((upper, lower))
        at = {place: number for row in layers.rows for number, place in enumerate(row)}
        for place in self.up:
            self.up[place].sort(key=lambda step: at[step[0]])
            self.down[place].sort(key=lambda step: at[step[1]])

    def most(self, place: Place) -> int:
        """The ports of the side that has more."""
        return max(len(self.up[place]), len(self.down[place]))

    def offset(self, step: Step, place: Place) -> float:
        """How far right of the centre of a place a step meets it."""
        ports = (self.down if place == step[0] else self.up)[place]
        return 0.0 if place.passes else (ports.index(step) - (len(ports) - 1) / 2) * PITCH

    def of(self, step: Step, x: Mapping[Place, float]) -> tuple[float, float]:
        """Where a step leaves its upper place and meets its lower one."""
        upper, lower = step
        return x[upper] + self.offset(step, upper), x[lower] + self.offset(step, lower)


def _centres(layers: Layers, widths: Mapping[Place, float], ends: _Ends) -> dict[Place, float]:
    """Places as near below and above what they are joined to as those beside them allow."""
    x: dict[Place, float] = {}
    for row in layers.rows:
        whole = sum(widths[place] + GAP for place in row)
        at = -whole / 2
        for place in row:
            x[place] = at + (widths[place] + GAP) / 2
            at += widths[place] + GAP
    for number in range(_PASSES):
        for row in layers.rows if number % 2 else layers.rows[::-1]:
            wanted, weights = [], []
            for place in row:
                pulls = []
                for step in (*ends.up[place], *ends.down[place]):
                    other = step[0] if step[1] == place else step[1]
                    meets = x[other] + ends.offset(step, other) - ends.offset(step, place)
                    pulls += [meets] * (4 if place.passes and other.passes else 1)
                wanted.append(sum(pulls) / len(pulls) if pulls else x[place])
                weights.append(float(len(pulls) or 1))
            least = [(widths[a] + widths[b]) / 2 + GAP for a, b in pairwise(row)]
            x |= dict(zip(row, _apart(wanted, weights, least), strict=True))
    return x


def _apart(wanted: Sequence[float], weights: Sequence[float], least: Sequence[float]) -> list[float]:
    """Positions nearest to the wanted ones, weighted squares, each at least so far behind the one before
    (isotonic regression by pooling adjacent violators)."""
    offsets = [0.0]
    for distance in least:
        offsets.append(offsets[-1] + distance)
    pools: list[tuple[float, float, int]] = []
    for value, weight, offset in zip(wanted, weights, offsets, strict=True):
        mean, heavy, count = value - offset, weight, 1
        while pools and pools[-1][0] > mean:
            before, more, number = pools.pop()
            mean = (mean * heavy + before * more) / (heavy + more)
            heavy, count = heavy + more, count + number
        pools.append((mean, heavy, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _tracks(steps: Mapping[Step, tuple[float, float]]) -> dict[Step, int]:
    """The track of each step that runs sideways, counted from the top, so that few cross; steps that do not
    meet share one."""
    order = sorted(
        (step for step, (a, b) in steps.items() if abs(a - b) > 0.5),
        key=lambda step: (-steps[step][0] if steps[step][1] > steps[step][0] else steps[step][0], step),
    )
    better = True
    while better:
        better = False
        for at in range(len(order) - 1):
            above, below = steps[order[at]], steps[order[at + 1]]
            if _met(below, above) < _met(above, below):
                order[at], order[at + 1], better = order[at + 1], order[at], True
    levels: dict[Step, int] = {}
    for step in order:
        near = [levels[other] for other in levels if _beside(steps[step], steps[other])]
        levels[step] = max(near, default=-1) + 1
    return levels


def _beside(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return min(one) - TRACK < max(other) and min(other) - TRACK < max(one)


def _met(above: tuple[float, float], below: tuple[float, float]) -> int:
    """How often two steps cross where the track of the first is above that of the second."""
    crossed = int(min(below) < above[1] < max(below)) + int(min(above) < below[0] < max(above))
    return crossed + _OVERLAP * (abs(above[1] - below[0]) < TRACK / 2)


def _corners(
    step: Step, ends: tuple[float, float], tracks: Mapping[Step, float], tops: Sequence[float]
) -> list[Point]:
    """The corners of a step; within a layer that it passes through it leads straight on."""
    (upper, lower), (a, b) = step, ends
    begin = (a, tops[upper.layer] + BOX_HEIGHT)
    end = (b, tops[lower.layer])
    if step not in tracks:
        return [begin, (b, begin[1]), end]
    return [begin, (a, tracks[step]), (b, tracks[step]), end]
