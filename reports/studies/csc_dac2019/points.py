"""The design points of the comparison: every network of the zoo on every engine that runs it, each with the
settings that a search found best, and of these the ones that are mapped to gates.

All have 16 PEs and 8-bit integers, in 65 nm CMOS and on an Artix-7, at a clock that every one of them meets.
Networks that were trained for narrower weights are met in `equal_bits`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from reports.side_by_side import SideBySide

if TYPE_CHECKING:
    from archsim import DesignPoint, Result
    from archsim.explore.search.settings import Found

FAMILY = "lenet-300-100-"
REFERENCE, CLOS, INDEXED, DENSE = "csc", "clos", "pruned", "dense"
EQUAL_WEIGHTS = (REFERENCE, CLOS, INDEXED, DENSE)
"""The networks that store equally many weights, without the endings of their names; and the dense one."""

ENDINGS = ("", "-x40")
"""Of the networks' names: the first compression, and a stronger one."""

SIZES = {"pes": 16, "weight_bits": 8, "activation_bits": 8}
TECHNOLOGIES = {
    "cmos65": (100e6, {"kind": "cmos65"}),
    "artix7": (50e6, {"kind": "artix7", "device": "XC7A100T"}),
}
PLACES = {"cmos65": "65 nm CMOS", "artix7": "Artix-7 XC7A100T"}


def place_of(technology: str) -> str:
    """What a technology is called in a sentence: one that is not of the study by its own name."""
    return PLACES.get(technology, technology)


FRONT = "cmos65"
"""The technology in which every network is costed on every engine."""

RATIOS = {
    "power at equal throughput": "equal_throughput_power",
    "dynamic power at equal throughput": "equal_throughput_dynamic_power",
    "energy": "energy_j",
    "dynamic energy": "dynamic_energy_j",
    "area": "area_mm2",
    "LUT": "lut",
    "FF": "ff",
    "DSP": "dsp",
    "BRAM36 tiles": "bram_tiles",
    "latency": "latency_s",
    "interval": "interval_s",
    "stored bits": "stored_bits",
    "memory traffic": "traffic_bits",
}
"""What a ratio is shown of, and the name of the figure. The powers themselves are each at a design's own
throughput, and no ratio is taken of them."""

K = TypeVar("K", bound=Hashable)

Sides = Mapping[tuple[str, str], SideBySide]
"""Technology and ending of the networks' names, to the designs there."""


class Point(NamedTuple):
    """A design point of the study: technology, network, and an organisation of an engine."""

    technology: str
    network: str
    design: str

    @property
    def short(self) -> str:
        """The network without what all share."""
        return self.network.removeprefix(FAMILY)

    @property
    def name(self) -> str:
        """The network and how it is run; an engine that is made for it goes without saying."""
        kind, _, variant = self.design.partition(" ")
        if self.short.partition("-")[0] == kind:
            return f"{self.short} {variant}".strip()
        return f"{self.short} on {self.design}"

    @property
    def file_name(self) -> str:
        return f"{self.technology}-{self.name.replace(' ', '-')}"


@dataclass(frozen=True)
class Candidate:
    """A design point before its settings are searched: the values of parameters that may change, and whether
    it stores indices."""

    design: DesignPoint
    over: Mapping[str, tuple[Any, ...]]
    indexed: bool


def trained_bits(network: str) -> int:
    """The width of weights that a network of the zoo was trained for: that of the study, unless it was
    trained in rounded arithmetic."""
    from workloads import load_network

    rounding = load_network(network).recipe.get("rounding")
    return int(rounding["weight_bits"]) if rounding else SIZES["weight_bits"]


def networks() -> list[str]:
    """The networks of the zoo that were trained for the widths of the study."""
    from workloads import zoo_names

    return [name for name in zoo_names() if trained_bits(name) == SIZES["weight_bits"]]


def ending_of(network: str) -> str:
    """What the name of a network says of its compression: nothing of the first one, else as `-x40`."""
    found = re.search(r"-x[0-9]+(?=-|$)", network)
    return found[0] if found else ""


def candidates() -> dict[Point, Candidate]:
    """Every network on every engine that runs it; beside the technology of the front only those that may be
    mapped to gates: of a network that needs no index the designs without."""
    runs: dict[Point, Candidate] = {}
    for technology in TECHNOLOGIES:
        for network in networks():
            there = dict(candidates_of(technology, network))
            runs |= there if technology == FRONT else unindexed_if_any(there)
    return runs


def unindexed_if_any(there: Mapping[Point, Candidate]) -> Mapping[Point, Candidate]:
    """Of a network's designs those that store no index; where none is without, every one with."""
    return {point: one for point, one in there.items() if not one.indexed} or there


def candidates_of(
    technology: str, network: str, sizes: Mapping[str, int] = SIZES
) -> Iterator[tuple[Point, Candidate]]:
    """A network on every engine that runs it with so many PEs and bits."""
    from archsim import DesignError, DesignPoint
    from archsim.engine import engines
    from archsim.engine.mapping import MappingError
    from archsim.explore.search.settings import choices

    clock_hz, kind = TECHNOLOGIES[technology]
    for name, engine in engines.items():
        for variant, options in engine.organisations().items():
            try:
                design = DesignPoint(
                    network=network,
                    engine={"kind": name, **options, **sizes},
                    clock_hz=clock_hz,
                    technology=dict(kind),
                )
                indexed = design.mapping.stored_bits.index > 0
            except (DesignError, MappingError):
                continue
            free = {key: values for key, values in choices(design.engine).items() if key not in options}
            label = name if variant == name else f"{name} {variant}"
            yield Point(technology, network, label), Candidate(design, free, indexed)


def search_settings(runs: Mapping[K, Candidate], *, progress: bool = True) -> dict[K, Found]:
    """Each design with the settings that are best for it. An engine that nobody calibrated is left out."""
    from tqdm import tqdm

    from archsim import MetricError
    from archsim.explore.search.settings import best

    searched: dict[K, Found] = {}
    for point, run in tqdm(runs.items(), desc="settings", unit="design", disable=not progress):
        with suppress(MetricError):
            searched[point] = best(run.design, run.over)
    return searched


def to_map(searched: Mapping[Point, Found]) -> dict[Point, DesignPoint]:
    """The designs that are mapped to gates: of each network the best without an index, and where there is
    none every one with."""
    from archsim.explore.search.settings import energy_by_size

    chosen: dict[Point, DesignPoint] = {}
    for place in dict.fromkeys((point.technology, point.network) for point in searched):
        there = {point: one for point, one in searched.items() if point[:2] == place}
        free = [point for point, one in there.items() if not one.result.stored_bits.index]
        if free:
            free = [min(free, key=lambda point: energy_by_size(there[point].design, there[point].result))]
        chosen |= {point: searched[point].design for point in free or there}
    return chosen


def longest_first(points: Mapping[K, DesignPoint], searched: Mapping[K, Found]) -> dict[K, DesignPoint]:
    """The same design points, those that take the most cycles to simulate first, so that two processes end
    together."""
    return dict(sorted(points.items(), key=lambda item: -searched[item[0]].result.cycles))


def shown_as(point: Point) -> str:
    """What a design is called among those of equally many weights: one without an index has the name of its
    network, one with an index that of its engine."""
    stem = point.short.partition("-x")[0]
    return point.design if stem == INDEXED else stem


def of_equal_weights(results: Mapping[Point, Result], technology: str, ending: str) -> dict[str, Point]:
    """The designs of equally many weights there, by what they are called among each other."""
    networks = [f"{FAMILY}{stem}{ending}" for stem in EQUAL_WEIGHTS]
    there = [point for point in results if point.technology == technology and point.network in networks]
    return {shown_as(point): point for point in sorted(there, key=lambda one: networks.index(one.network))}


def side_by_side(results: Mapping[Point, Result]) -> Sides:
    """The designs of equally many weights by technology and ending."""
    sides = {}
    for technology in dict.fromkeys(point.technology for point in results):
        for ending in ENDINGS:
            points = of_equal_weights(results, technology, ending)
            shown = {name: results[point] for name, point in points.items()}
            candidates = [name for name, result in shown.items() if result.stored_bits.index]
            sides[technology, ending] = SideBySide(technology, shown, REFERENCE, candidates)
    return sides


def technologies_of(sides: Sides) -> list[str]:
    """The technologies, once each."""
    return list(dict.fromkeys(technology for technology, _ in sides))


def settings_of(sides: Sides, technology: str) -> Iterator[SideBySide]:
    """What was compared in one technology: each compression, the first first."""
    return (side for (name, _), side in sides.items() if name == technology)


def of_technology(points: Iterable[Point], technology: str) -> list[Point]:
    """The design points in one technology."""
    return [point for point in points if point.technology == technology]
