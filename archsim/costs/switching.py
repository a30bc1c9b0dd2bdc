"""Switching of an engine at the gates: its described hardware runs the stimulus, its netlist is evaluated
on what the registers held, and every toggle is priced."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from itertools import chain

import numpy as np

from archsim.costs.components import component_of_instance
from archsim.costs.stimulus import representative, stimulus
from archsim.engine.mapping import Mapping
from archsim.netlist import Activity, AsicSynthesis, Netlist, Switching, ToggleCounter, activity, switching
from archsim.store import remembered
from archsim.technology import StandardCells
from rtl import Simulation, VerilogDesign, load_writes

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class MeasuredSwitching:
    """What switched during `cycles` cycles of `inferences` inferences, by instance at the top of the
    netlist; "" is the top itself."""

    inferences: int
    cycles: int
    instances: MappingOf[str, Switching]

    def of(self, component: str) -> list[Switching]:
        """What switched in each instance of a component."""
        return [spent for name, spent in self.instances.items() if component_of_instance(name) == component]


def measure_switching(
    mapping: Mapping, design: VerilogDesign, made: AsicSynthesis, technology: StandardCells
) -> MeasuredSwitching:
    """Runs the stimulus through the engine and counts the toggles of the mapped netlist, or reads the
    remembered result. Raises ActivityError where the netlist does not follow the described hardware."""
    inputs = stimulus(mapping.network)
    writes = [load_writes(mapping.images), *(mapping.load(x) for x in inputs.T)]
    content = {
        "evaluation": inspect.getsource(activity),
        "verilog": design.text,
        "cells": technology.library.text,
        "writes": [(write.target, write.unit, write.address, int(write.data)) for write in chain(*writes)],
    }
    netlist = made.flat()
    found = remembered("toggles", content, lambda: _count(mapping, design, netlist, technology))
    counted = Activity(found["cycles"], np.array(found["toggles"], np.int64))
    spent = switching(netlist, technology.library, technology.wiring, counted)
    return MeasuredSwitching(inputs.shape[1], counted.cycles, spent)


def _count(
    mapping: Mapping, design: VerilogDesign, netlist: Netlist, technology: StandardCells
) -> dict[str, int | list[int]]:
    """Cycles, and the toggles of each net, over all inputs."""
    count = representative(mapping.network)
    _LOG.info("running %d inputs through a netlist of %d cells", count, len(netlist.cell_names))
    counter = ToggleCounter(netlist, technology.library, design.wires)
    simulation = Simulation(mapping.hardware, mapping.images, record=counter.recorded)
    runs = (simulation.run(mapping.load(x)) for x in stimulus(mapping.network).T)
    first, *others = (counter.count(run.recorded) for run in runs)
    total = sum(others, first)
    return {"cycles": total.cycles, "toggles": total.toggles.tolist()}
