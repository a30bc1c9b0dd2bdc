"""Where the figures of a result go, component by component and memory by memory, in as few bytes as a store
of many points wants, and whatever the clock: what leaks is kept a second, all else an inference."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from archsim.costs.errors import FitError, dynamic_terms
from archsim.technology.evidence import EXACT, Bracket

if TYPE_CHECKING:
    from archsim.costs.pricing import Term
    from archsim.costs.result import Result

DYNAMIC, LEAKS = "dynamic_energy_j", "leakage_w"
MEAN, WORST, LOW, HIGH = "fit_mean", "fit_worst", "low", "high"
BITS = ("bits_read", "bits_written", "word_bits")
"""What is kept of each memory."""

COUNTED = ("macs", "padding_macs", "stall_cycles", "pes")
"""What is kept of the whole."""

OF_ENERGY = ("energy_j", "power_w")
"""The figures whose errors follow from the clock. In joules they do not, but for what leaks."""

LEAKING = "leaking"
"""The ends of what leaks, in watts, as comparisons of energy have them; those of leakage may be others."""

_OF_NOTHING = Bracket(0.0, 0.0)


@dataclass(frozen=True)
class Breakdown:
    """Amounts by `names`, each `<what>:<of which part>`, as 64-bit floats in `packed`; those of nothing are
    left out.

    By component it keeps `dynamic_energy_j` and `leakage_w`, from which the energy at a clock follows,
    `area_mm2` and the resources of an FPGA; by memory `BITS` of an inference; by figure the errors of its
    fit, and the ends of its technology.
    """

    names: tuple[str, ...]
    packed: bytes

    def __repr__(self) -> str:
        return f"<Breakdown of {len(self.names)} amounts>"

    @cached_property
    def amounts(self) -> Mapping[str, Mapping[str, float]]:
        """What is kept, by what it is and of which part."""
        held: dict[str, dict[str, float]] = {}
        values = struct.unpack(f"<{len(self.names)}d", self.packed)
        for (what, part), value in zip(_split(self.names), values, strict=True):
            held.setdefault(what, {})[part] = value
        return held

    def _kept(self, what: str) -> Mapping[str, float]:
        return self.amounts.get(what, {})

    def components(self, metric: str, interval_s: float) -> dict[str, float]:
        """A metric by component, the largest first, where an inference takes so long; empty for one that is
        not kept by component."""
        parts = {} if metric in _NO_COMPONENTS else dict(self._kept(metric))
        if metric == "energy_j":
            dynamic, leaks = self._kept(DYNAMIC), self._kept(LEAKS)
            names = dict.fromkeys((*dynamic, *leaks))
            parts = {name: dynamic.get(name, 0.0) + leaks.get(name, 0.0) * interval_s for name in names}
        return dict(sorted(parts.items(), key=lambda item: -item[1]))

    def traffic(self) -> dict[str, dict[str, int]]:
        """`BITS` of each memory by its role."""
        return {
            role: {what: int(self._kept(what).get(role, 0)) for what in BITS}
            for role in self._kept("word_bits")
        }

    def counted(self) -> dict[str, int]:
        """`COUNTED` by name."""
        return {name: int(self._kept(name).get("", 0)) for name in COUNTED}

    def fit_error(self, energy_j: float | None) -> dict[str, FitError]:
        """The relative errors of the fit by figure, at the clock at which an inference takes this energy."""
        means, worsts = self._kept(MEAN), self._kept(WORST)
        scales = dict.fromkeys(OF_ENERGY, energy_j or math.inf)
        return {
            name: FitError(means.get(name, 0.0), worst).of_share(1 / scales.get(name, 1.0))
            for name, worst in worsts.items()
        }

    def technology_error(self, energy_j: float | None, interval_s: float) -> dict[str, Bracket]:
        """By figure the ends of the truth, as multiples of it, at the clock at which an inference takes this
        energy and so long."""
        lows = self._kept(LOW)
        ends = {name: Bracket(lows.get(name, 0.0), high) for name, high in self._kept(HIGH).items()}
        leaking = ends.pop(LEAKING, _OF_NOTHING)
        if DYNAMIC in ends and energy_j:
            dynamic = ends.pop(DYNAMIC)
            of_energy = (dynamic.low + leaking.low * interval_s, dynamic.high + leaking.high * interval_s)
            ends |= dict.fromkeys(OF_ENERGY, Bracket(*(joules / energy_j for joules in of_energy)))
        return ends


_NO_COMPONENTS = frozenset({*BITS, *COUNTED, MEAN, WORST, LOW, HIGH, DYNAMIC})


def breakdown_of(result: Result) -> Breakdown:
    """The breakdown of a result."""
    kept = [(f"{what}:{part}", amount) for what, part, amount in _amounts(result) if amount]
    names = tuple(name for name, _ in kept)
    return Breakdown(names, struct.pack(f"<{len(kept)}d", *(amount for _, amount in kept)))


def _amounts(result: Result) -> Iterator[tuple[str, str, float]]:
    """What is kept: what it is, of which part, and how much."""
    bill = result.bill
    terms = {
        DYNAMIC: () if "energy_j" in result.missing else dynamic_terms(bill),
        LEAKS: () if LEAKS in result.missing else bill.leakage,
        "area_mm2": () if "area_mm2" in result.missing else bill.area,
    }
    for what, summed in terms.items():
        yield from ((what, part, total) for part, total in _by_component(summed).items())
    for part, taken in bill.resources.items():
        yield from ((what, part, number) for what, number in taken.items())
    for role, words in result.traffic.items():
        yield from ((what, role, getattr(words, what)) for what in BITS)
    counts = result.counts
    numbers = (counts.macs, counts.padding, counts.stalls, result.design["engine"]["pes"])
    yield from ((what, "", number) for what, number in zip(COUNTED, numbers, strict=True))
    yield from _errors(result)


def _by_component(terms: Iterable[Term]) -> dict[str, float]:
    sums: dict[str, list[float]] = {}
    for term in terms:
        sums.setdefault(term.component, []).append(term.value)
    return {name: math.fsum(values) for name, values in sums.items()}


def _errors(result: Result) -> Iterator[tuple[str, str, float]]:
    """The errors of the fit and the ends of the technology by figure, those of energy in joules."""
    energy_j = result.energy_j or 0.0
    for name, error in result.fit_error.items():
        scaled = error.of_share(energy_j) if name in OF_ENERGY else error
        yield MEAN, name, scaled.mean
        yield WORST, name, scaled.worst
    ends = dict(result.technology_error)
    if "energy_j" in ends:
        dynamic_j = math.fsum(term.value for term in dynamic_terms(result.bill))
        dynamic = ends.get("dynamic_power_w", EXACT) * Bracket(dynamic_j, dynamic_j)
        whole = ends["energy_j"] * Bracket(energy_j, energy_j)
        per_second = 1 / result.interval_s
        ends[LEAKING] = Bracket(
            (whole.low - dynamic.low) * per_second, (whole.high - dynamic.high) * per_second
        )
        ends[DYNAMIC] = dynamic
    for name, bracket in ends.items():
        if name not in OF_ENERGY:
            yield LOW, name, bracket.low
            yield HIGH, name, bracket.high


@lru_cache(maxsize=1024)
def _split(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((what, part) for what, _, part in (name.partition(":") for name in names))
