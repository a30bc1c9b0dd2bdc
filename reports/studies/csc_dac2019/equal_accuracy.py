"""Which networks are compared at equal accuracy: for each the one of the other side that takes least, by
energy times size, of those that are at least as accurate. The sides are networks whose hardware stores
indices, and others; either is thus at its best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.side_by_side import SideBySide
from reports.studies.csc_dac2019.points import Point

if TYPE_CHECKING:
    from archsim import Result


STANDARD_ERROR = 0.001
"""Of an accuracy of 98 to 99 % on 10,000 test images, about: networks no farther apart are equally
accurate."""


@dataclass(frozen=True)
class Pair:
    """Two networks, and the designs that run them in one technology, in ratio to the one without an index.
    `given` is the network whose accuracy the other one has at least."""

    given: str
    unindexed: str
    indexed: str
    side: SideBySide

    @property
    def indexed_given(self) -> bool:
        """Whether the accuracy of the network with an index is given."""
        return self.given == self.indexed

    @property
    def other(self) -> str:
        """The network that is at least as accurate."""
        return self.unindexed if self.indexed_given else self.indexed

    @property
    def accuracies(self) -> tuple[float, float]:
        """Of the network without an index, and of the one with."""
        results = self.side.results
        own, other = results[self.side.reference].accuracy, results[self.side.baseline].accuracy
        return own or 0.0, other or 0.0


def pairs(results: Mapping[Point, Result], technology: str) -> list[Pair]:
    """The pairs of a technology: first those in which the accuracy of a network with an index is given, the
    most accurate first; then those that are not yet there in which that of one without is."""
    found = _met(results, technology)
    distinct = {(pair.unindexed, pair.indexed): pair.given for pair in reversed(found)}
    return [pair for pair in found if distinct[pair.unindexed, pair.indexed] == pair.given]


def near_ties(results: Mapping[Point, Result], technology: str) -> list[Pair]:
    """The pairs that another network makes, which is less accurate by a standard error at most and takes less
    than whatever is at least as accurate, or where nothing is: what another training, or other test images,
    may turn."""
    strictly = {pair.given: pair.other for pair in _met(results, technology)}
    found = _met(results, technology, STANDARD_ERROR)
    return [pair for pair in found if pair.other != strictly.get(pair.given)]


def _met(results: Mapping[Point, Result], technology: str, tolerance: float = 0.0) -> list[Pair]:
    """For each network, those with an index and the most accurate first, the one of the other side that takes
    least of those that are at least as accurate but for a tolerance."""
    there = {point: result for point, result in results.items() if point.technology == technology}
    accuracy = {point.network: result.accuracy for point, result in there.items() if result.accuracy}
    indexed = {point.network for point, result in there.items() if result.stored_bits.index}
    listed = []
    for network in sorted(accuracy, key=lambda name: (name not in indexed, -accuracy[name])):
        others = {name for name in accuracy if (name in indexed) != (network in indexed)}
        good = {name for name in others if accuracy[name] >= accuracy[network] - tolerance}
        met = _met_by(network, there, technology, good)
        if met:
            unindexed, with_index = (met, network) if network in indexed else (network, met)
            side = _side(there, technology, unindexed, with_index)
            listed.append(Pair(network, unindexed, with_index, side))
    return listed


def _met_by(network: str, there: Mapping[Point, Result], technology: str, good: set[str]) -> str | None:
    """The network among those that are good enough whose design takes least, by energy times size."""
    own = next(point for point in there if point.network == network)
    candidates = {point.name: point.network for point in there if point.network in good}
    if not candidates:
        return None
    shown = {
        point.name: result for point, result in there.items() if point == own or point.name in candidates
    }
    return candidates[SideBySide(technology, shown, own.name, list(candidates)).baseline]


def _side(there: Mapping[Point, Result], technology: str, unindexed: str, indexed: str) -> SideBySide:
    shown = {
        point.name: result
        for network in (unindexed, indexed)
        for point, result in there.items()
        if point.network == network
    }
    reference, *others = shown
    return SideBySide(technology, shown, reference, others)
