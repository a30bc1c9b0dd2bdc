"""What a step costs: engines that train, mapped to gates, priced by what switches in real steps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from archsim import Clos, Csc, Dense, DesignPoint, Engine, Result
from reports.studies.closnets_fpl2018.hardware import NETWORK, SHOWN_PES

CLOCK_HZ = 100e6
TECHNOLOGY = "cmos65"
ENGINES: tuple[tuple[str, type[Engine]], ...] = (
    ("clos", Clos),
    ("clos-x40", Clos),
    ("csc", Csc),
    ("csc-x40", Csc),
    ("dense", Dense),
)
"""Networks of the zoo and the engines that run and train them."""
OVERLAPPED = ("clos", "csc")
"""Those whose steps are priced with samples overlapped too."""
WEIGHT_MEMORY, UPDATE, WRITES = "weight memory", "update", "writes"
"""What the update has for itself: a component of its own, and the writes of weights."""


@dataclass(frozen=True)
class StepCost:
    """A sample in inference, or a step of training: from its first input loaded to its end, and what of its
    energy goes into reads of weights, and into the update: its own logic and the writes of weights. With
    `overlap` one step takes a sample forward and another one back."""

    network: str
    trains: bool
    stored_weights: int
    cycles: int
    energy_j: float
    area_mm2: float
    memory_j: float
    update_j: float
    writes_j: float
    overlap: str = "none"

    @property
    def time_s(self) -> float:
        return self.cycles / CLOCK_HZ


def points(weight_bits: int) -> Iterator[tuple[str, DesignPoint]]:
    """Each network on the engine that runs it, and on the same with training from drawn weights, of some with
    samples overlapped too."""
    for label, engine in ENGINES:
        point = DesignPoint(
            network=NETWORK.format(label),
            engine=engine(pes=SHOWN_PES),
            clock_hz=CLOCK_HZ,
            technology=TECHNOLOGY,
        )
        yield label, point
        yield label, point.replace(training={"weight_bits": weight_bits})
        if label in OVERLAPPED:
            yield label, point.replace(training={"weight_bits": weight_bits, "overlap": "pipelined"})


def step_costs(weight_bits: int) -> list[StepCost]:
    """Those of the points at fidelity `gate`."""
    return [step_cost(label, point.simulate("gate")) for label, point in points(weight_bits)]


def step_cost(label: str, result: Result) -> StepCost:
    """What a result says of a step. Raises MetricError where it lacks a cost."""
    terms = result.terms("energy_j")
    writes = [term for term in terms if term.component == WEIGHT_MEMORY and term.what == WRITES]
    own = [term for term in terms if term.component == UPDATE]
    memory = [term for term in terms if term.component == WEIGHT_MEMORY and term not in writes]
    return StepCost(
        network=label,
        trains=result.design.get("training") is not None,
        stored_weights=result.stored_weights,
        cycles=result.interval_cycles,
        energy_j=result.cost("energy_j"),
        area_mm2=result.cost("area_mm2"),
        memory_j=math.fsum(term.value for term in memory),
        update_j=math.fsum(term.value for term in (*writes, *own)),
        writes_j=math.fsum(term.value for term in writes),
        overlap=(result.design.get("training") or {}).get("overlap", "none"),
    )
