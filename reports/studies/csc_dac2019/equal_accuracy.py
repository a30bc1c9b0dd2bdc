"""Which networks are compared at equal accuracy: for each the nearest one of the other side that is at least
as accurate, chosen by accuracy alone. The sides are networks whose hardware stores indices, and others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.side_by_side import SideBySide
from reports.studies.csc_dac2019.points import Point

if TYPE_CHECKING:
    from archsim import Result


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
    def accuracies(self) -> tuple[float, float]:
        """Of the network without an index, and of the one with."""
        results = self.side.results
        own, other = results[self.side.reference].accuracy, results[self.side.baseline].accuracy
        return own or 0.0, other or 0.0


def pairs(results: Mapping[Point, Result], technology: str) -> list[Pair]:
    """The pairs of a technology: first those in which the accuracy of a network with an index is given, the
    most accurate first; then those that are not yet there in which that of one without is."""
    there = {point: result for point, result in results.items() if point.technology == technology}
    accuracy = {point.network: result.accuracy for point, result in there.items() if result.accuracy}
    indexed = {point.network for point, result in there.items() if result.stored_bits.index}
    chosen = [
        (network, *((nearest, network) if network in indexed else (network, nearest)))
        for network in sorted(accuracy, key=lambda name: (name not in indexed, -accuracy[name]))
        if (nearest := _nearest(network, accuracy, indexed))
    ]
    distinct = {(unindexed, with_index): given for given, unindexed, with_index in reversed(chosen)}
    return [
        Pair(given, unindexed, with_index, _side(there, technology, unindexed, with_index))
        for given, unindexed, with_index in chosen
        if distinct[unindexed, with_index] == given
    ]


def _nearest(network: str, accuracy: Mapping[str, float], indexed: set[str]) -> str | None:
    """The least accurate network of the other side that is at least as accurate."""
    others = (name for name in accuracy if (name in indexed) != (network in indexed))
    good = [name for name in others if accuracy[name] >= accuracy[network]]
    return min(good, key=accuracy.__getitem__, default=None)


def _side(there: Mapping[Point, Result], technology: str, unindexed: str, indexed: str) -> SideBySide:
    shown = {
        point.name: result
        for network in (unindexed, indexed)
        for point, result in there.items()
        if point.network == network
    }
    reference, *others = shown
    return SideBySide(technology, shown, reference, others)
