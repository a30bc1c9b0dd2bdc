"""Networks at equal bits stored, of weights and of indices as an engine stores them, and at equal accuracy
with whatever width of weights suits either side.

Every network takes part with weights of the width that it was trained for and of all narrower ones that it
bears, each on the engine that is strongest for it. Both sides are chosen alike: of the networks whose
hardware stores indices and of the others, whichever does best within what is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from reports.side_by_side import SideBySide
from reports.studies.csc_dac2019.equal_accuracy import STANDARD_ERROR
from reports.studies.csc_dac2019.points import (
    DENSE,
    FAMILY,
    FRONT,
    SIZES,
    Candidate,
    Point,
    candidates_of,
    trained_bits,
    unindexed_if_any,
)
from reports.studies.csc_dac2019.ratio_map import MOST_LOST, accuracy_in_float

if TYPE_CHECKING:
    from archsim import DesignPoint, Result
    from archsim.explore.search.settings import Found


NARROW = (4, 3, 2)
"""Widths of weights beside that of the study."""


class Narrow(NamedTuple):
    """A design point whose weights have so many bits."""

    point: Point
    weight_bits: int

    @property
    def technology(self) -> str:
        return self.point.technology

    @property
    def network(self) -> str:
        return self.point.network

    @property
    def name(self) -> str:
        return f"{self.point.name}, {self.weight_bits} bits"

    @property
    def file_name(self) -> str:
        return f"{self.point.file_name}-{self.weight_bits}-bits"


@dataclass(frozen=True)
class Standing:
    """The design that is strongest for a network with weights of some width. `expense` is its energy times
    size, by which it was found."""

    design: DesignPoint
    result: Result
    expense: float

    @property
    def bits(self) -> int:
        """What is stored, weights and indices."""
        return self.result.stored_bits.total

    @property
    def accuracy(self) -> float:
        return self.result.accuracy or 0.0

    @property
    def indexed(self) -> bool:
        return self.result.stored_bits.index > 0


@dataclass(frozen=True)
class Match:
    """Two designs, one of either side: `given` is the one whose bits, or accuracy, the other one was held
    to."""

    given: Narrow
    unindexed: Narrow
    indexed: Narrow
    standings: Mapping[Narrow, Standing]

    @property
    def indexed_given(self) -> bool:
        return self.given == self.indexed

    @property
    def side(self) -> SideBySide:
        """Both, in ratio to the one without an index."""
        shown = {one.name: self.standings[one].result for one in (self.unindexed, self.indexed)}
        return SideBySide(self.given.technology, shown, self.unindexed.name, [self.indexed.name])

    @property
    def with_index(self) -> Standing:
        return self.standings[self.indexed]

    @property
    def without(self) -> Standing:
        return self.standings[self.unindexed]

    @property
    def ahead(self) -> float:
        """By which share of inputs the network with an index is more accurate."""
        return self.with_index.accuracy - self.without.accuracy


def narrow_candidates() -> dict[Narrow, Candidate]:
    """The networks with weights narrower than those of the study, as far as they bear them."""
    from workloads import zoo_names

    candidates: dict[Narrow, Candidate] = {}
    for network in zoo_names():
        for bits in NARROW if network != f"{FAMILY}{DENSE}" else ():
            if bears(network, bits):
                there = dict(candidates_of(FRONT, network, SIZES | {"weight_bits": bits}))
                candidates |= {Narrow(point, bits): one for point, one in unindexed_if_any(there).items()}
    return candidates


def bears(network: str, weight_bits: int) -> bool:
    """Whether a network was trained for weights of this width, or for wider ones and loses little by it. A
    loss that nobody can tell, since the data are not at hand, is none that it bears."""
    from archsim.accuracy import AccuracyError, accuracy_at
    from workloads import load_network

    trained = trained_bits(network)
    if weight_bits >= trained:
        return weight_bits == trained
    try:
        reached = accuracy_at(load_network(network), weight_bits, SIZES["activation_bits"])
    except AccuracyError:
        return False
    return accuracy_in_float(network) - reached <= MOST_LOST


def standings(searched: Mapping[Point, Found], narrow: Mapping[Narrow, Found]) -> dict[Narrow, Standing]:
    """For every network and width the design with the least energy times size, without an index where there
    is one. The dense network, and any whose accuracy is not known, take no part."""
    from archsim.explore.search.settings import energy_by_size

    wide = {
        Narrow(point, SIZES["weight_bits"]): one
        for point, one in searched.items()
        if point.technology == FRONT and point.network != f"{FAMILY}{DENSE}"
    }
    best: dict[tuple[str, int], tuple[Narrow, Standing]] = {}
    for at, one in (wide | dict(narrow)).items():
        if one.result.accuracy is None:
            continue
        stands = Standing(one.design, one.result, energy_by_size(one.design, one.result))
        place = (at.network, at.weight_bits)
        if place not in best or _rank(stands) < _rank(best[place][1]):
            best[place] = at, stands
    return dict(best.values())


def _rank(one: Standing) -> tuple[bool, float]:
    return one.indexed, one.expense


def at_equal_bits(there: Mapping[Narrow, Standing]) -> list[Match]:
    """For each network that is more accurate, by more than a standard error, than all of its side that store
    fewer bits, the most accurate one of the other side that stores at most as many."""
    return list(
        _matches(
            there,
            lambda one: one.bits,
            lambda other, one: other.bits <= one.bits,
            lambda other: (-other.accuracy, other.expense),
        )
    )


def at_equal_accuracy(there: Mapping[Narrow, Standing]) -> list[Match]:
    """For each network that is more accurate, by more than a standard error, than all of its side with less
    energy times size, the one of the other side with the least of it that is as accurate, to within as
    much."""
    return list(
        _matches(
            there,
            lambda one: one.expense,
            lambda other, one: other.accuracy >= one.accuracy - STANDARD_ERROR,
            lambda other: (other.expense, -other.accuracy),
        )
    )


def _matches(
    there: Mapping[Narrow, Standing],
    cost: Callable[[Standing], float],
    is_met: Callable[[Standing, Standing], bool],
    rank: Callable[[Standing], tuple[float, float]],
) -> Iterator[Match]:
    """Those with an index given come first, and of each side the dearest; two that are met both ways are told
    once."""
    told: set[tuple[Narrow, Narrow]] = set()
    for indexed in (True, False):
        own = {at: one for at, one in there.items() if one.indexed == indexed}
        others = {at: one for at, one in there.items() if one.indexed != indexed}
        for given in reversed(_steps(own, cost)):
            good = {at: one for at, one in others.items() if is_met(one, own[given])}
            met = min(good, key=lambda at: rank(good[at]), default=None)
            if met is None:
                continue
            both = (met, given) if indexed else (given, met)
            if both not in told:
                told.add(both)
                yield Match(given, *both, there)


def _steps(own: Mapping[Narrow, Standing], cost: Callable[[Standing], float]) -> list[Narrow]:
    """Those that gain more than a standard error over whatever costs less, the cheapest first."""
    steps: list[Narrow] = []
    for at in sorted(own, key=lambda at: (cost(own[at]), -own[at].accuracy)):
        if not steps or own[at].accuracy > own[steps[-1]].accuracy + STANDARD_ERROR:
            steps.append(at)
    return steps


def to_map(matches: Iterable[Match]) -> dict[Narrow, DesignPoint]:
    """The designs of all matches."""
    met = {at: match.standings for match in matches for at in (match.unindexed, match.indexed)}
    return {at: there[at].design for at, there in met.items()}


def priced(matches: Iterable[Match], results: Mapping[Narrow, Result]) -> list[Match]:
    """The same matches with other results of the designs, as of another fidelity."""
    made: list[Match] = []
    for match in matches:
        both = (match.unindexed, match.indexed)
        there = {at: replace(match.standings[at], result=results[at]) for at in both}
        made.append(replace(match, standings=there))
    return made
