"""The one place where counts meet unit costs. A figure is a list of terms: count x unit cost, with source."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, singledispatch
from typing import Any

from archsim.costs.glitch_factors import glitch_share
from archsim.costs.logic import Logic
from archsim.engine.counts import Counts
from archsim.technology import Fpga, FpgaResources, MemoryCost, StandardCells, Technology
from archsim.technology.technology import refuse_fabric
from rtl import MemoryShape, Sizes


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

    def __repr__(self) -> str:
        return (
            f"<Term {self.component}, {self.what}: {self.count:g} {self.counted} at "
            f"{self.unit_cost:.4g} {self.unit}, {self.kind}>"
        )

    @property
    def value(self) -> float:
        return self.count * self.unit_cost


@dataclass(frozen=True)
class Bill:
    """All terms of a design point, by metric."""

    energy: tuple[Term, ...] = ()
    area: tuple[Term, ...] = ()
    leakage: tuple[Term, ...] = ()
    resources: Mapping[str, FpgaResources] = field(default_factory=dict)
    usage: Mapping[str, tuple[Term, ...]] = field(default_factory=dict)
    """What an FPGA's resources go to, by resource."""

    def __repr__(self) -> str:
        return f"<Bill of {len(self.energy)} terms of energy, {len(self.area)} of area>"

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


NOTHING = Bill()
"""The bill of what nobody can price."""


def price(counts: Counts, sizes: Sizes, logic: Logic, technology: Technology, clock_hz: float) -> Bill:
    """Multiplies what happened by what it costs."""
    seconds = counts.interval_cycles / clock_hz
    bill = _priced(technology, counts, sizes, logic)
    leaked = (
        replace(term, what="leakage", count=term.count * seconds, counted="seconds", unit="J/s")
        for term in bill.leakage
    )
    return replace(bill, energy=(*bill.energy, *leaked))


@lru_cache(maxsize=4096)
def memory_cost(technology: Technology, words: int, word_bits: int) -> MemoryCost:
    """The unit costs of one memory with a single port, looked up once."""
    return technology.memory(words=words, word_bits=word_bits)


def memories(sizes: Sizes, technology: Technology) -> Iterator[tuple[MemoryShape, Any]]:
    """The memories of an engine, and what one of each role costs, in the words of the technology."""
    for shape in sizes.memory_shapes:
        yield shape, memory_cost(technology, shape.words, shape.word_bits)


def _memory_energy(technology: Technology, counts: Counts, sizes: Sizes) -> Iterator[Term]:
    for shape, cost in memories(sizes, technology):
        name, traffic = f"{shape.role} memory", counts.traffic[shape.role]
        origin = (cost.kind, cost.source)
        yield Term(name, "reads", traffic.words_read, "words", cost.read_energy_j, "J/word", *origin)
        yield Term(name, "writes", traffic.words_written, "words", cost.write_energy_j, "J/word", *origin)
        if cost.clock_energy_j:
            cycles = shape.number * counts.interval_cycles
            yield Term(name, "clock", cycles, "memory cycles", cost.clock_energy_j, "J/cycle", *origin)


@singledispatch
def _priced(technology: Technology, counts: Counts, sizes: Sizes, logic: Logic) -> Bill:
    """What this fabric charges for, energy without leakage."""
    refuse_fabric(technology, "the price")


@_priced.register(StandardCells)
def _cells(technology: StandardCells, counts: Counts, sizes: Sizes, logic: Logic) -> Bill:
    energy, area, leakage = list(_memory_energy(technology, counts, sizes)), [], []
    for part in logic.parts:
        name, origin = part.component, (logic.kind, logic.source)
        active = part.active_cycles(counts)
        share, glitches = glitch_share(technology.glitches, name, sizes)
        added = (glitches.kind, f"{share:.3g} of the gates: {glitches.source}")
        for what, count, counted, cost_j, whence in (
            ("clock", counts.interval_cycles, "cycles", part.clock_energy_j, origin),
            ("gates", active, "active cycles", part.gate_switching_j, origin),
            ("registers", active, "active cycles", part.register_switching_j, origin),
            ("glitches", active, "active cycles", part.gate_switching_j * share, added),
        ):
            energy.append(Term(name, what, count, counted, cost_j, "J/cycle", *whence))
        one_mm2 = part.area_mm2 / part.instances
        area.append(Term(name, "cells", part.instances, "instances", one_mm2, "mm2", *origin))
        leakage.append(Term(name, "cells", 1, "all instances", part.leakage_w, "W", *origin))
    for shape, cost in memories(sizes, technology):
        name, origin = f"{shape.role} memory", (cost.kind, cost.source)
        area.append(Term(name, cost.built_as, shape.number, "memories", cost.area_mm2, "mm2", *origin))
        leakage.append(Term(name, cost.built_as, shape.number, "memories", cost.leakage_w, "W", *origin))
    return Bill(tuple(energy), tuple(area), tuple(leakage))


@_priced.register(Fpga)
def _fabric(technology: Fpga, counts: Counts, sizes: Sizes, logic: Logic) -> Bill:
    energy = list(_memory_energy(technology, counts, sizes)) if technology.fabric_costs else []
    for part in logic.parts:
        for charged in technology.fabric_costs:
            cycles = counts.interval_cycles if charged.every_cycle else part.active_cycles(counts)
            if number := part.resources[charged.resource]:
                name, count, cost = part.component, number * cycles, charged.cost
                price_j, origin = cost.value, (cost.kind, cost.source)
                energy.append(Term(name, charged.what, count, "active cycles", price_j, "J/cycle", *origin))
    resources = {part.component: part.resources for part in logic.parts}
    origins = dict.fromkeys(resources, (logic.kind, logic.source))
    if logic.memory_resources is not None:
        resources["memories"] = logic.memory_resources
        origins["memories"] = (logic.kind, logic.source)
    else:
        for shape, cost in memories(sizes, technology):
            resources[f"{shape.role} memory"] = cost.resources * shape.number
            origins[f"{shape.role} memory"] = (cost.resources_kind, cost.resources_source)
    leakage: tuple[Term, ...] = ()
    if (static := technology.part.static_w) is not None:
        leakage = (
            Term("device", "static power", 1, "device", static.value, "W", static.kind, static.source),
        )
    usage = {
        name: tuple(
            Term(component, "resources", taken[name], counted, 1.0, counted, *origins[component])
            for component, taken in resources.items()
            if taken[name]
        )
        for name, counted in technology.counted.items()
    }
    return Bill(tuple(energy), leakage=leakage, resources=resources, usage=usage)
