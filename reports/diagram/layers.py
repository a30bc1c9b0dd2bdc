"""Where the boxes of a diagram stand: in layers from top to bottom, so that most lines lead downwards and few
cross (after Sugiyama, Tagawa and Toda, 1981).

A line over several layers passes through a place of its own in each of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Line = tuple[str, str]
"""Two boxes that are joined, the upper one first."""

_BEGINNINGS, _SWEEPS = 60, 12
"""How many orders are begun with, and how often each is improved, downwards and upwards in turn."""


@dataclass(frozen=True, order=True)
class Place:
    """A box in its layer, or where a line passes through a layer."""

    layer: int
    name: str
    passes: bool = False


@dataclass(frozen=True)
class Layers:
    """The places of each layer from left to right, and every line as the places that it leads through."""

    rows: tuple[tuple[Place, ...], ...]
    ways: Mapping[Line, tuple[Place, ...]]

    def steps(self, layer: int) -> list[tuple[Place, Place]]:
        """What leads from a layer to the next."""
        return [
            (way[at], way[at + 1])
            for way in self.ways.values()
            if (at := layer - way[0].layer) in range(len(way) - 1)
        ]


def layered(names: Sequence[str], joined: Mapping[Line, int], first: str, last: str) -> Layers:
    """Puts boxes in layers, `first` alone on top and `last` alone at the bottom.

    `joined` are pairs in the direction in which they lead, with their weight; both directions may be there.
    The result follows from what is given alone.
    """
    order = _order(names, joined, first, last)
    lines = sorted({(a, b) if order[a] < order[b] else (b, a) for a, b in joined})
    depth = _depths(sorted(names, key=order.__getitem__), lines, last)
    ways = {
        (upper, lower): (
            Place(depth[upper], upper),
            *(Place(at, f"{upper} to {lower}", True) for at in range(depth[upper] + 1, depth[lower])),
            Place(depth[lower], lower),
        )
        for upper, lower in lines
    }
    places = sorted({place for way in ways.values() for place in way})
    rows = tuple(tuple(place for place in places if place.layer == at) for at in range(depth[last] + 1))
    return _least_crossing(Layers(rows, ways))


def _order(names: Sequence[str], joined: Mapping[Line, int], first: str, last: str) -> dict[str, int]:
    """An order in which little leads backwards: what feeds more than it is fed comes first (after Eades, Lin
    and Smyth, 1993)."""
    left, placed = [name for name in names if name not in (first, last)], [first]
    while left:

        def surplus(name: str) -> int:
            given = sum(weight for (a, b), weight in joined.items() if a == name and b in left)
            taken = sum(weight for (a, b), weight in joined.items() if b == name and a in left)
            return given - taken

        placed.append(max(left, key=lambda name: (surplus(name), -left.index(name))))
        left.remove(placed[-1])
    return {name: number for number, name in enumerate([*placed, last])}


def _depths(names: Sequence[str], lines: Iterable[Line], last: str) -> dict[str, int]:
    """The layer of each box, of `names` in order: below all that lead to it. A box that nothing but the first
    leads to stands just above what it leads to."""
    above: dict[str, list[str]] = {name: [] for name in names}
    below: dict[str, list[str]] = {name: [] for name in names}
    for upper, lower in lines:
        above[lower].append(upper)
        below[upper].append(lower)
    depth: dict[str, int] = {}
    for name in names:
        depth[name] = 1 + max((depth[upper] for upper in above[name]), default=-1)
    depth[last] = max(depth[name] + (name != last) for name in names)
    for name in reversed(names[1:]):
        if len(below[name]) > len(above[name]):
            depth[name] = min(depth[lower] for lower in below[name]) - 1
    return depth


def _least_crossing(layers: Layers) -> Layers:
    """The same with each layer in an order in which few lines cross, the best of several beginnings."""
    chance, best, fewest = random.Random(0), layers, crossings(layers)
    steps = [layers.steps(at) for at in range(len(layers.rows))]
    for _ in range(_BEGINNINGS):
        rows = [list(row) for row in layers.rows]
        for row in rows:
            chance.shuffle(row)
        for sweep in range(_SWEEPS):
            _sort(rows, steps, downwards=sweep % 2 == 0)
            tried = Layers(tuple(map(tuple, rows)), layers.ways)
            if (crossing := crossings(tried)) < fewest:
                best, fewest = tried, crossing
    return best


def _sort(
    rows: list[list[Place]], steps: Sequence[Sequence[tuple[Place, Place]]], *, downwards: bool
) -> None:
    """Sorts each layer by the mean place of what it is joined to in the one before, in place."""
    for layer in range(1, len(rows)) if downwards else range(len(rows) - 2, -1, -1):
        at = {place: number for row in rows for number, place in enumerate(row)}
        near: dict[Place, list[int]] = {place: [] for place in rows[layer]}
        for upper, lower in steps[layer - 1 if downwards else layer]:
            own, other = (lower, upper) if downwards else (upper, lower)
            near[own].append(at[other])
        means = {place: sum(ends) / len(ends) if ends else at[place] for place, ends in near.items()}
        rows[layer].sort(key=means.__getitem__)


def crossings(layers: Layers) -> int:
    """How often two lines cross."""
    at = {place: number for row in layers.rows for number, place in enumerate(row)}
    crossed = 0
    for layer in range(len(layers.rows) - 1):
        ends = sorted((at[upper], at[lower]) for upper, lower in layers.steps(layer))
        crossed += sum(a < c and d < b for number, (a, b) in enumerate(ends) for c, d in ends[number + 1 :])
    return crossed
