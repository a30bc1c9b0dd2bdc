"""Switching of an engine at the gates: its described hardware runs the stimulus, its netlist is evaluated
on what the registers held, without delays and with them, and every toggle is priced."""

from __future__ import annotations

import logging
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from importlib import resources
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from archsim.costs.fidelity.components import component_of_instance
from archsim.engine.mapping import Mapping
from archsim.engine.stimulus import stimulus
from archsim.netlist import (
    Activity,
    EventSimulation,
    Netlist,
    Switching,
    ToggleCounter,
    delays_of,
    switching,
)
from archsim.netlist.asic import mapping_script
from archsim.store import remembered
from archsim.technology import StandardCells
from archsim.technology.memories.flop_memory import Wiring
from rtl import Simulation, VerilogDesign, load_writes

_EVALUATION = ("activity.py", "event_simulation.py", "event_loop.py")
"""The modules whose results are remembered: where one changes they are computed again."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class MeasuredSwitching:
    """What switched during `cycles` cycles of `inferences` inferences, by instance at the top of the
    netlist; "" is the top itself. The last net was still `settling_s` after a clock edge."""

    inferences: int
    cycles: int
    settling_s: float
    instances: MappingOf[str, Switching]

    def of(self, component: str) -> list[Switching]:
        """What switched in each instance of a component."""
        return [spent for name, spent in self.instances.items() if component_of_instance(name) == component]


def measure_switching(
    mapping: Mapping,
    design: VerilogDesign,
    netlist: Netlist,
    technology: StandardCells,
    wiring: Wiring | None = None,
) -> MeasuredSwitching:
    """Runs the stimulus through the engine and counts the toggles of its flat mapped netlist, without delays
    and with them, or reads the remembered result. Wires are those of the technology unless others are given.
    Raises ActivityError where the netlist does not follow the described hardware."""
    inputs = stimulus(mapping.network)
    before = _before(mapping)
    writes = [load_writes(mapping.images), *(mapping.load(x) for x in np.hstack([before, inputs]).T)]
    library, wiring = technology.library, wiring or technology.wiring
    counter = ToggleCounter(netlist, library, design.wires)
    simulation = EventSimulation(counter, delays_of(netlist, technology, wiring))
    modules = resources.files("archsim.netlist")
    content = {
        "evaluation": [(modules / name).read_text(encoding="utf-8") for name in _EVALUATION],
        "mapping": mapping_script(design.top, technology),
        "verilog": design.text,
        "cells": library.text,
        "steps": [simulation.network.step_s, *simulation.network.delays.tolist()],
        "writes": [(write.target, write.unit, write.address, int(write.data)) for write in chain(*writes)],
    }
    counts = remembered("toggles", content, lambda: _count(mapping, simulation))
    cycles = counts["cycles"]
    still, moving = (
        switching(netlist, library, wiring, Activity(cycles, np.array(toggles, np.int64)))
        for toggles in (counts["toggles"], counts["with_glitches"])
    )
    instances = {
        name: replace(spent, glitches_j=moving[name].gates_j - spent.gates_j) for name, spent in still.items()
    }
    return MeasuredSwitching(inputs.shape[1], cycles, counts["settling_s"], instances)


def _before(mapping: Mapping) -> NDArray[np.int64]:
    """The inputs that are on their way when the first that counts is given: the last ones of the stimulus,
    over and over where it has too few."""
    inputs = stimulus(mapping.network)
    return inputs[:, np.arange(-mapping.in_flight, 0) % inputs.shape[1]]


def _count(mapping: Mapping, simulation: EventSimulation) -> dict[str, float | list[int]]:
    """Cycles, those of loading among them, and the toggles of each net without and with glitches, over all
    inputs."""
    counter, inputs = simulation.counter, stimulus(mapping.network)
    _LOG.info(
        "running %d inputs through a netlist of %d cells", inputs.shape[1], len(counter.netlist.cell_names)
    )
    hardware = Simulation(mapping.hardware, mapping.images, record=counter.recorded)
    for x in _before(mapping).T:
        hardware.run(mapping.load(x))
    runs = [hardware.run(mapping.load(x)) for x in inputs.T]
    first, *others = (counter.count(run.recorded) for run in runs)
    still = sum(others, first)
    _LOG.info("simulating its glitches")
    start, *rest = (simulation.count(run.recorded) for run in runs)
    moving = sum(rest, start)
    return {
        "cycles": still.cycles,
        "toggles": still.toggles.tolist(),
        "with_glitches": moving.activity.toggles.tolist(),
        "settling_s": moving.settling_s,
    }
