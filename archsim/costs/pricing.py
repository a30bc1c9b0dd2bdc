"""The one place where counts meet unit costs. A figure is a list of terms: count x unit cost, with source."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from archsim.costs.glitch_factors import glitch_share
from archsim.costs.logic import Logic
from archsim.engines.counts import Counts
from archsim.technology import FpgaResources, Technology
from rtl import Sizes

RESOURCES = {"lut": "LUT", "ff": "flip-flops", "dsp": "DSP48E1", "bram18": "RAMB18E1", "bram36": "RAMB36E1"}
"""What a design takes of an FPGA, and what is counted."""


@dataclass(frozen=True)
class Term:
    """One addend of a metric: `count` times `unit_cost`, in `unit`.

    `count` is so many of `counted`; `kind` and `source` say where the unit cost comes from.
    """

    component: str
    what: str
    count: float
    counted: str
    unit_cost: float
    unit: str
    kind: str
    source: str

    @property
    def value(self) -> float:
        return self.count * self.unit_cost


@dataclass(frozen=True)
class Bill:
    """All terms of a design point, by metric."""

    energy: tuple[Term, ...]
    area: tuple[Term, ...]
    leakage: tuple[Term, ...]
    resources: dict[str, FpgaResources]
    usage: Mapping[str, tuple[Term, ...]] = field(default_factory=dict)
    """What an FPGA's resources go to, by resource."""

    @property
    def energy_j(self) -> float:
        return math.fsum(term.value for term in self.energy)

    @property
    def area_mm2(self) -> float:
        return math.fsum(term.value for term in self.area)

    @property
    def leakage_w(self) -> float:
        return math.fsum(term.value for term in self.leakage)

    @property
    def total_resources(self) -> FpgaResources:
        return sum(self.resources.values(), FpgaResources())


def price(counts: Counts, sizes: Sizes, logic: Logic, technology: Technology, clock_hz: float) -> Bill:
    """Multiplies what happened by what it costs."""
    seconds = counts.cycles / clock_hz
    priced = _PRICED[technology.kind](technology, counts, sizes, logic)
    leakage = tuple(priced.leakage)
    energy = [*priced.energy]
    energy += [
        Term(t.component, "leakage", t.count * seconds, "seconds", t.unit_cost, "J/s", t.kind, t.source)
        for t in leakage
    ]
    usage = {name: tuple(terms) for name, terms in priced.usage.items()}
    return Bill(tuple(energy), tuple(priced.area), leakage, priced.resources, usage)


@dataclass(frozen=True)
class _Priced:
    energy: list[Term]
    area: list[Term]
    leakage: list[Term]
    resources: dict[str, FpgaResources]
    usage: Mapping[str, list[Term]]


@lru_cache(maxsize=4096)
def memory_cost(technology: Any, words: int, word_bits: int, ports: Any) -> Any:
    """The unit costs of one memory, looked up once."""
    return technology.memory(words=words, word_bits=word_bits, ports=ports)


def memories(sizes: Sizes, technology: Any) -> Iterator[tuple[str, int, Any]]:
    """The memories of an engine: role, how many, and what each costs."""
    for shape in sizes.memory_shapes:
        ports = "1rw" if shape.exclusive else "1r1w"
        yield shape.role, shape.number, memory_cost(technology, shape.words, shape.word_bits, ports)


def _memory_energy(technology: Technology, counts: Counts, sizes: Sizes) -> list[Term]:
    terms = []
    for role, number, cost in memories(sizes, technology):
        name, traffic = f"{role} memory", counts.traffic[role]
        for what, count, unit_cost in (
            ("reads", traffic.words_read, cost.read_energy_j),
            ("writes", traffic.words_written, cost.write_energy_j),
        ):
            terms.append(Term(name, what, count, "words", unit_cost, "J/word", cost.kind, cost.source))
        if cost.clock_energy_j:
            terms.append(
                Term(
                    name,
                    "clock",
                    number * counts.cycles,
                    "memory cycles",
                    cost.clock_energy_j,
                    "J/cycle",
                    cost.kind,
                    cost.source,
                )
            )
    return terms


def _asic(technology: Any, counts: Counts, sizes: Sizes, logic: Logic) -> _Priced:
    energy, area, leakage = _memory_energy(technology, counts, sizes), [], []
    for part in logic.parts:
        name, origin = part.component, (logic.kind, logic.source)
        active = part.active_cycles(counts)
        for what, count, counted, each_j in (
            ("clock", counts.cycles, "cycles", part.clock_energy_j),
            ("gates", active, "active cycles", part.gate_switching_j),
            ("registers", active, "active cycles", part.register_switching_j),
        ):
            energy.append(Term(name, what, count, counted, each_j, "J/cycle", *origin))
        share, glitches = glitch_share(technology.glitches, name, sizes)
        extra_j = part.gate_switching_j * share
        source = f"{share:.3g} of the gates: {glitches.source}"
        energy.append(
            Term(name, "glitches", active, "active cycles", extra_j, "J/cycle", glitches.kind, source)
        )
        area.append(
            Term(name, "cells", part.instances, "instances", part.area_mm2 / part.instances, "mm2", *origin)
        )
        leakage.append(Term(name, "cells", 1, "all instances", part.leakage_w, "W", *origin))
    for role, number, cost in memories(sizes, technology):
        origin = cost.kind, cost.source
        area.append(Term(f"{role} memory", cost.built_as, number, "memories", cost.area_mm2, "mm2", *origin))
        leakage.append(
            Term(f"{role} memory", cost.built_as, number, "memories", cost.leakage_w, "W", *origin)
        )
    return _Priced(energy, area, leakage, {}, {})


def _fpga(technology: Any, counts: Counts, sizes: Sizes, logic: Logic) -> _Priced:
    energy = _memory_energy(technology, counts, sizes)
    resources = {part.component: part.resources for part in logic.parts}
    origin = dict.fromkeys(resources, (logic.kind, logic.source))
    for part in logic.parts:
        for what, number, counted, cost in (
            ("LUT logic and signals", part.resources.lut, part.active_cycles(counts), technology.lut_cost),
            ("flip-flop clocks", part.resources.ff, counts.cycles, technology.ff_cost),
            ("DSP48E1", part.resources.dsp, part.active_cycles(counts), technology.dsp_cost),
        ):
            if number:
                energy.append(
                    Term(
                        part.component,
                        what,
                        number * counted,
                        "active cycles",
                        cost.value,
                        "J/cycle",
                        cost.kind,
                        cost.source,
                    )
                )
    if logic.memory_resources is not None:
        resources["memories"] = logic.memory_resources
        origin["memories"] = (logic.kind, logic.source)
    else:
        for role, number, cost in memories(sizes, technology):
            resources[f"{role} memory"] = cost.resources * number
            origin[f"{role} memory"] = (cost.resources_kind, cost.resources_source)
    static = technology.device.static_w
    return _Priced(
        energy,
        [],
        [Term("device", "static power", 1, "device", static.value, "W", static.kind, static.source)],
        resources,
        {name: _usage(resources, name, counted, origin) for name, counted in RESOURCES.items()},
    )


def _usage(
    resources: Mapping[str, FpgaResources], name: str, counted: str, origin: Mapping[str, tuple[str, str]]
) -> list[Term]:
    """How much of one resource each component takes."""
    taken = {component: getattr(each, name) for component, each in resources.items()}
    return [
        Term(component, "resources", number, counted, 1.0, counted, *origin[component])
        for component, number in taken.items()
        if number
    ]


_PRICED = {"asic": _asic, "fpga": _fpga}
