"""The best settings of a design: every parameter of its engine that says how the work is done, not which.

One parameter after the other takes the value that is best with all others as they are, until none changes: a
local optimum, which is never worse than what the search began with. What is `auto` remains so until the end,
since what it stands for may follow from another parameter; then it says what it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archsim.costs.result import Result
from archsim.design import DesignPoint
from archsim.engine import Engine
from archsim.engine.engine import AUTO
from archsim.technology import Fpga
from workloads.refusal import Refusal

KEPT = frozenset({"pes", "weight_bits", "activation_bits"})
"""Parameters that say what is asked of an engine: they stay as they are, unless they are searched by name."""

Objective = Callable[[DesignPoint, Result], float]
_Ranked = tuple[tuple[bool, float], Result | None]
"""Whether a design misses its clock, and what the objective is of it: the least is the best. And its result,
unless it was refused."""


@dataclass(frozen=True)
class Found:
    """The best `design` of those `tried`, its `result`, and the result `at_first`, of the design that the
    search began with."""

    design: DesignPoint
    result: Result
    at_first: Result
    tried: int


def choices(engine: Engine) -> dict[str, tuple[Any, ...]]:
    """What each parameter of an engine may be, as the engine itself declares it, without those that are
    `KEPT` or mean nothing on it. Of integers the powers of two are taken, of a range without end those up to
    the most PEs; `auto` stands for one of the others, and what is no choice among a few, as a real number, is
    left out."""
    declared: Mapping[str, Any] = type(engine).model_json_schema()["properties"]
    most = declared["pes"]["maximum"]
    left_out = KEPT | engine.unused
    values = {name: tuple(_values(schema, most)) for name, schema in declared.items() if name not in left_out}
    return {name: options for name, options in values.items() if len(options) > 1}


def _values(schema: Mapping[str, Any], most: int) -> Iterator[Any]:
    kind = schema.get("type")
    if kind == "boolean":
        yield from (False, True)
    elif kind == "integer":
        low, high = schema.get("minimum", 1), schema.get("maximum", most)
        powers = (1 << exponent for exponent in range(high.bit_length()))
        yield from (power for power in powers if low <= power <= high)
    yield from (value for value in schema.get("enum", ()) if value != AUTO)
    for other in schema.get("anyOf", ()):
        yield from _values(other, most)


def energy_by_size(design: DesignPoint, result: Result) -> float:
    """Energy times size: the area, or the share of an FPGA that is taken, the mean of all that it holds.

    The right one where a single engine is fast enough, as in a sensor that classifies now and then: what is
    faster than asked for is no merit, and energy and size are what one engine costs. It never takes what
    only shortens the interval, as an `input_buffer` does; `energy_by_size_at_throughput` weighs that.
    """
    return result.cost("energy_j") * _size(design, result)


def energy_by_size_at_throughput(design: DesignPoint, result: Result) -> float:
    """Energy times the size of as many engines as an inference a second takes.

    The right one where throughput is what is asked for: a design of half the interval needs half the engines
    for it, at the energy an inference that it has anyway. In units of `energy_by_size` times a second.
    """
    return energy_by_size(design, result) * result.interval_s


def _size(design: DesignPoint, result: Result) -> float:
    if not isinstance(design.technology, Fpga):
        return result.cost("area_mm2")
    used, held = design.technology.used(result.bill.total_resources), design.technology.part.available
    return math.fsum(used[name] / number for name, number in held.items()) / len(held)


def best(
    design: DesignPoint,
    over: Mapping[str, tuple[Any, ...]] | None = None,
    objective: Objective = energy_by_size,
    fidelity: str = "analytic",
) -> Found:
    """The design with the settings at which `objective` is least, `over` the values of parameters by name,
    else all `choices`. Settings that the engine or the device refuses, and those whose critical path is
    longer than a cycle, are passed over. Raises what `simulate` and the objective raise for the design
    itself, as a MetricError where nobody can tell its costs."""
    over = choices(design.engine) if over is None else over
    first = design.simulate(fidelity)
    objective(design, first)
    seen: dict[Engine, _Ranked] = {}

    def rank(candidate: DesignPoint) -> tuple[bool, float]:
        if candidate.engine not in seen:
            seen[candidate.engine] = _ranked(candidate, objective, fidelity)
        return seen[candidate.engine][0]

    chosen, before = design.replace(engine=design.engine.settled(design.technology.fabric)), None
    while chosen != before:
        before = chosen
        for name, values in over.items():
            chosen = min([chosen, *_changed(chosen, name, values)], key=rank)
        if chosen == before:  # what is auto is named, and with its name others may be better
            for name, values in over.items():
                if getattr(chosen.engine, name) == AUTO:
                    chosen = min([*_changed(chosen, name, values), chosen], key=rank)
    rank(chosen)
    return Found(chosen, seen[chosen.engine][1] or first, first, len(seen))


def _changed(design: DesignPoint, name: str, values: tuple[Any, ...]) -> Iterator[DesignPoint]:
    """The design with one parameter changed, as far as its engine allows it."""
    parameters = design.engine.model_dump()
    for value in values:
        try:
            if value != parameters[name]:
                yield design.replace(engine={**parameters, name: value})
        except Refusal:
            continue


def _ranked(design: DesignPoint, objective: Objective, fidelity: str) -> _Ranked:
    try:
        result = design.simulate(fidelity)
        cost = objective(design, result)
    except Refusal:
        return (True, math.inf), None
    return (not result.clock_met, cost), result
