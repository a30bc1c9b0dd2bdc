"""The one place where counts meet unit costs. A figure is a list of terms: count x unit cost, with source."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, singledispatch
from typing import Any

from archsim.costs.logic import Logic
from archsim.costs.memories import memories
from archsim.engine.counts import Counts
from archsim.technology import Fpga, FpgaResources, StandardCells, Technology
from archsim.technology.evidence import LEAKAGE, Bracket
from archsim.technology.technology import refuse_fabric
from rtl import Sizes


@dataclass(frozen=True)
class Term:
    """One addend of a metric: `count` times `unit_cost`, in `unit`.

    `count` is so many of `counted`; `kind` and `source` say where the unit cost comes from. A memory has a
    `bracket` of its own, the ends of its unit cost as multiples; what is built of cells has none.
    """

    component: str
    what: str
    count: float
    counted: str
    unit_cost: float
    unit: str
    kind: str
    source: str
    bracket: Bracket | None = None

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
    access: tuple[Term, ...] = ()
    """What an access to each memory takes: no addends, since a path begins at one of them at most."""

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

    def over(self, seconds: float) -> Bill:
        """The bill where an inference takes so long: what leaks does so all the while. Of an array of times,
        shape (n,), counts and values of those terms are arrays of the same shape."""
        dynamic = (term for term in self.energy if term.what != LEAKAGE)
        leaked = (
            replace(term, what=LEAKAGE, count=term.count * seconds, counted="seconds", unit="J/s")
            for term in self.leakage
        )
        return replace(self, energy=(*dynamic, *leaked))

    @cached_property
    def total_resources(self) -> FpgaResources:
        return sum(self.resources.values(), FpgaResources())


NOTHING = Bill()
"""The bill of what nobody can price."""


def price(counts: Counts, sizes: Sizes, logic: Logic, technology: Technology, clock_hz: float) -> Bill:
    """Multiplies what happened by what it costs."""
    return _priced(technology, counts, sizes, logic).over(counts.interval_cycles / clock_hz)


def _memory_energy(technology: Technology, counts: Counts, sizes: Sizes) -> Iterator[Term]:
    for shape, cost in memories(sizes, technology):
        name, traffic = f"{shape.role} memory", counts.traffic[shape.role]
        cycles = shape.number * counts.interval_cycles
        for what, count, counted, figure, unit in (
            ("reads", traffic.words_read, "words", "read_energy_j", "J/word"),
            ("writes", traffic.words_written, "words", "write_energy_j", "J/word"),
            ("clock", cycles, "memory cycles", "clock_energy_j", "J/cycle"),
        ):
            if what != "clock" or cost.clock_energy_j:
                yield _memory_term(cost, figure, name, what, count, counted, unit)


def _memory_term(
    cost: Any, figure: str, component: str, what: str, count: float, counted: str, unit: str
) -> Term:
    """A figure of a memory, with the ends that it has itself."""
    ends = getattr(cost.bracket, figure) if cost.bracket else None
    kind, source = cost.origin(figure)
    return Term(component, what, count, counted, getattr(cost, figure), unit, kind, source, ends)


@singledispatch
def _priced(technology: Technology, counts: Counts, sizes: Sizes, logic: Logic) -> Bill:
    """What this fabric charges for, energy without leakage."""
    refuse_fabric(technology, "the price")


@_priced.register(StandardCells)
def _cells(technology: StandardCells, counts: Counts, sizes: Sizes, logic: Logic) -> Bill:
    energy, area, leakage, access = list(_memory_energy(technology, counts, sizes)), [], [], []
    for part in logic.parts:
        name, origin = part.component, part.origin or logic.origin
        switching = part.origin or logic.switching_origin
        clock_j = part.clock_energy_j
        energy.append(Term(name, "clock", counts.interval_cycles, "cycles", clock_j, "J/cycle", *switching))
        # A product switches in one PE; the energies of a part are those of all its instances together.
        count, counted, unit, instances = counts.cycles, "active cycles", "J/cycle", 1
        if part.multiplies:
            count, counted, unit, instances = counts.products, "products", "J/product", part.instances
            if not counts.products:
                count, counted, unit = 1, "inferences", "J/inference"
        for what, cost_j in (
            ("gates", part.gate_switching_j),
            ("registers", part.register_switching_j),
            ("glitches", part.glitch_switching_j),
        ):
            energy.append(Term(name, what, count, counted, cost_j / instances, unit, *switching))
        one_mm2 = part.area_mm2 / part.instances
        area.append(Term(name, "cells", part.instances, "instances", one_mm2, "mm2", *origin))
        leakage.append(Term(name, "cells", 1, "all instances", part.leakage_w, "W", *origin))
    for shape, cost in memories(sizes, technology):
        built = (f"{shape.role} memory", cost.built_as, shape.number, "memories")
        area.append(_memory_term(cost, "area_mm2", *built, "mm2"))
        leakage.append(_memory_term(cost, "leakage_w", *built, "W"))
        access.append(_memory_term(cost, "access_time_s", *built[:2], 1, "path", "s"))
    return Bill(tuple(energy), tuple(area), tuple(leakage), access=tuple(access))


@_priced.register(Fpga)
def _fabric(technology: Fpga, counts: Counts, sizes: Sizes, logic: Logic) -> Bill:
    energy = list(_memory_energy(technology, counts, sizes)) if technology.fabric_costs else []
    for part in logic.parts:
        for charged in technology.fabric_costs:
            working = counts.pe_cycles / part.instances if part.multiplies else counts.cycles
            cycles = counts.interval_cycles if charged.every_cycle else working
            if number := part.resources[charged.resource]:
                name, count, cost = part.component, number * cycles, charged.cost
                counted = f"{charged.resource.upper()} {'cycles' if charged.every_cycle else 'active cycles'}"
                origin = (cost.kind, cost.source)
                energy.append(Term(name, charged.what, count, counted, cost.value, "J/cycle", *origin))
    resources = {part.component: part.resources for part in logic.parts}
    origins = {part.component: part.origin or logic.origin for part in logic.parts}
    if logic.memory_resources is not None:
        resources["memories"] = logic.memory_resources
        origins["memories"] = logic.origin
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
