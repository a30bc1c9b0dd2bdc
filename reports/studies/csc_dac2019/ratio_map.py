"""Who wins, and by how much, over PEs and bits: at every place of a map the strongest design with an index
beside the strongest one whose pattern is known beforehand.

Each side has the best of all engines that run its networks, each engine with the settings that the search of
the tables finds there, at fidelity analytic. An engine takes part as soon as somebody calibrated its logic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from reports.side_by_side import SideBySide
from reports.studies.csc_dac2019.equal_accuracy import STANDARD_ERROR
from reports.studies.csc_dac2019.points import (
    DENSE,
    ENDINGS,
    FAMILY,
    INDEXED,
    TECHNOLOGIES,
    Point,
    candidates_of,
    ending_of,
    networks as trained_alike,
    unindexed_if_any,
)

if TYPE_CHECKING:
    from archsim import DesignPoint, Result

PES = (1, 2, 4, 8, 16, 32, 64)
BITS = (2, 3, 4, 6, 8, 12, 16)
"""Of weights and activations alike."""

MOST_LOST = 0.01
"""Of the accuracy in floating point: who loses more by becoming integers of so few bits is not compared, for
the networks were trained first and quantised afterwards."""

LEAST_BITS = 4
"""The narrowest weights and activations of netlists that a calibration draws for every engine
(`archsim.calibration.plan.draw`)."""

EQUAL_WEIGHTS, EQUAL_ACCURACY = "equal weights", "equal accuracy"
BASES = (EQUAL_WEIGHTS, EQUAL_ACCURACY)
"""What the two sides have in common: as many weights, or an accuracy of at least that of the side with an
index."""

COMPARED = {"energy": "energy_j", "size": "size", "interval": "interval_s", "latency": "latency_s"}
"""What a ratio is told of, and the name of the figure."""

KIND, VERSION = "maps", 1
"""Where the settings of a place are remembered, and which way of searching them they are of."""


class Place(NamedTuple):
    """Where on which map."""

    technology: str
    pes: int
    bits: int


PLACES = tuple(Place(*at) for at in product(TECHNOLOGIES, PES, BITS))


@dataclass(frozen=True)
class Costed:
    """A network on an engine with the settings that are best for it, and what the two cost. `expense` is
    energy times size, by which the strongest is found; `tried` how many settings were."""

    point: Point
    result: Result
    expense: float
    tried: int

    @property
    def lost(self) -> float:
        """Of the accuracy in floating point."""
        return accuracy_in_float(self.point.network) - (self.result.accuracy or 0.0)

    @property
    def keeps_accuracy(self) -> bool:
        return self.lost <= MOST_LOST

    def plain(self) -> dict[str, Any]:
        """As plain values: the network, the engine with its settings, and figures."""
        from archsim.costs.metrics import figures

        design = self.result.design
        return {
            "network": design["network"],
            "engine": design["engine"],
            "tried": self.tried,
            **figures(self.result),
        }

    @property
    def is_drawn(self) -> bool:
        """Whether its PEs and bits are among those that the calibration of its engine draws."""
        from archsim.calibration.plan import PLANS
        from archsim.engine import engines

        kind, _, variant = self.point.design.partition(" ")
        settings = self.result.design["engine"]
        most = PLANS[self.point.technology].most_pes // (2 if variant in engines[kind].crossed else 1)
        narrowest = min(settings["weight_bits"], settings["activation_bits"])
        return bool(settings["pes"] <= most and narrowest >= LEAST_BITS)


@dataclass(frozen=True)
class Meeting:
    """The two sides at a place: the strongest design with an index, and the strongest without that it may be
    compared with, None where no network is as accurate."""

    place: Place
    ending: str
    basis: str
    indexed: Costed
    unindexed: Costed | None

    @cached_property
    def side(self) -> SideBySide | None:
        """Both, in ratio to the one without an index."""
        if self.unindexed is None:
            return None
        names = [one.point.name for one in (self.unindexed, self.indexed)]
        results = dict(zip(names, (self.unindexed.result, self.indexed.result), strict=True))
        return SideBySide(self.place.technology, results, names[0], names[1:])

    def ratio(self, label: str) -> float | None:
        """What the design with an index takes as a multiple of the one without, of a figure in `COMPARED`."""
        side = self.side
        return None if side is None else side.ratio(COMPARED[label], side.baseline)

    @property
    def both(self) -> tuple[Costed, ...]:
        """The designs that meet."""
        return tuple(one for one in (self.indexed, self.unindexed) if one is not None)

    @property
    def clock_met(self) -> bool:
        return all(one.result.clock_met for one in self.both)

    @property
    def counts(self) -> bool:
        """Whether there are two, have kept their accuracy and meet the clock."""
        return len(self.both) > 1 and self.clock_met and all(one.keeps_accuracy for one in self.both)

    @property
    def is_drawn(self) -> bool:
        """Whether the calibrations of both engines draw such PEs and bits."""
        return all(one.is_drawn for one in self.both)


def search_map(places: Sequence[Place] = PLACES, *, progress: bool = True) -> dict[Place, list[Costed]]:
    """Every network of few weights on every engine that runs it, at every place, as many at a time as there
    are cores. The settings are remembered, so that a search that was stopped goes on."""
    from tqdm import tqdm

    from archsim.explore.sweep.cluster import cores
    from reports.parallel import in_processes

    # Those with many PEs take longest.
    order = sorted(places, key=lambda place: -place.pes)
    with tqdm(total=len(order), desc="map", unit="place", disable=not progress) as bar:
        costed: dict[Place, list[Costed]] = {}
        for place, there in in_processes(costed_at, order, cores()):
            costed[place] = there
            bar.update()
    return {place: costed[place] for place in places}


def costed_at(place: Place) -> list[Costed]:
    """The designs at a place with their settings, which are searched if they are not remembered."""
    from archsim import DesignPoint
    from archsim.engine import engines
    from archsim.explore.store import this_version
    from archsim.store import remembered

    content = {"version": VERSION, "archsim": this_version(), "engines": sorted(engines), "place": place}
    settings = remembered(KIND, content, lambda: list(_settings_at(place)))
    clock_hz, kind = TECHNOLOGIES[place.technology]
    common = {"clock_hz": clock_hz, "technology": dict(kind)}
    return [
        _costed(place, one, DesignPoint(network=one["network"], engine=one["engine"], **common))
        for one in settings
    ]


def _settings_at(place: Place) -> Iterator[dict[str, Any]]:
    """The settings that are best for each design at a place, as plain values. What nobody can price, and what
    does not fit the device, is left out."""
    from archsim import DeviceError, MetricError
    from archsim.explore.search.settings import best

    sizes = {"pes": place.pes, "weight_bits": place.bits, "activation_bits": place.bits}
    for network in networks():
        there = dict(candidates_of(place.technology, network, sizes))
        for point, one in unindexed_if_any(there).items():
            with suppress(MetricError, DeviceError):
                searched = best(one.design, one.over)
                engine = searched.design.engine.model_dump()
                yield {"network": network, "design": point.design, "engine": engine, "tried": searched.tried}


def _costed(place: Place, settings: Mapping[str, Any], design: DesignPoint) -> Costed:
    from archsim.explore.search.settings import energy_by_size

    result = design.simulate("analytic")
    point = Point(place.technology, settings["network"], settings["design"])
    return Costed(point, result, energy_by_size(design, result), settings["tried"])


@cache
def accuracy_in_float(network: str) -> float:
    """What a network of the zoo reached before it was quantised."""
    from workloads import load_network
    from workloads.training.evaluate import FLOAT

    return load_network(network).accuracy[FLOAT]


def networks() -> list[str]:
    """Of every family at the compressions of the map the network that was the most accurate before it was
    quantised: the one with its inputs in another order, or the one with them as they come."""
    best: dict[tuple[str, str], str] = {}
    for name in trained_alike():
        at = (name.removeprefix(FAMILY).partition("-")[0], ending_of(name))
        if name == f"{FAMILY}{DENSE}" or at[1] not in ENDINGS:
            continue
        if at not in best or accuracy_in_float(name) > accuracy_in_float(best[at]):
            best[at] = name
    return sorted(best.values())


def meetings(costed: Mapping[Place, Iterable[Costed]]) -> list[Meeting]:
    """Who meets whom, at every place, compression and basis: those that meet the clock and have kept their
    accuracy before others."""
    return [
        meeting
        for basis, ending, place in product(BASES, ENDINGS, costed)
        if (meeting := _meeting(place, ending, basis, list(costed[place]))) is not None
    ]


def _meeting(place: Place, ending: str, basis: str, there: Sequence[Costed]) -> Meeting | None:
    given = f"{FAMILY}{INDEXED}{ending}"
    indexed = _strongest(one for one in there if one.point.network == given)
    if indexed is None:
        return None
    others = [one for one in there if not one.result.stored_bits.index]
    if basis == EQUAL_WEIGHTS:
        others = [one for one in others if ending_of(one.point.network) == ending]
    else:
        needed = (indexed.result.accuracy or 0.0) - STANDARD_ERROR
        others = [one for one in others if (one.result.accuracy or 0.0) >= needed]
    return Meeting(place, ending, basis, indexed, _strongest(others))


def _strongest(designs: Iterable[Costed]) -> Costed | None:
    """The one with the least energy times size; who misses the clock or has lost accuracy comes last."""
    return min(
        designs, key=lambda one: (not one.keeps_accuracy, not one.result.clock_met, one.expense), default=None
    )
