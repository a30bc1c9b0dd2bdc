"""The speed of the toggle evaluator beside the simulation of the same cycles: `make bench` prints it.

PyRTL simulates the described hardware and keeps the wires that the evaluator needs, which its compiled
simulator cannot; the evaluator then finds every net of the mapped netlist in every cycle. Ratios are of
medians of one run.
"""

from __future__ import annotations

import functools

from rich.console import Console
from rich.table import Table

import archsim as a
from archsim.engine.stimulus import stimulus
from archsim.netlist import ToggleCounter, synthesise_asic
from rtl import Simulation, to_verilog
from tests.benchmarks.training_speed import medians_s

NETWORK, PES, ROUNDS = "lenet-300-100-csc-x40", 16, 5
# So many expected cycles that the simulator is compiled.
COMPILED = 1_000_000


def _inference(simulation: Simulation, cycles: int) -> None:
    """The cycles of one inference on inputs that are loaded already, whatever they are, and no others: a run
    would load inputs and go on in bulk past the end."""
    simulation._forget()
    simulation._steps([{**simulation._idle, "start": 1}, *[simulation._idle] * cycles])


def main() -> None:
    design = a.DesignPoint(network=NETWORK, engine=a.Csc(pes=PES), technology="cmos65")
    mapping, technology = design.mapping, a.Cmos65()
    described = to_verilog(mapping.hardware)
    netlist = synthesise_asic(described.text, described.top, technology).flat()
    counter = ToggleCounter(netlist, technology.library, described.wires)
    writes = mapping.load(stimulus(mapping.network)[:, 0])
    cycles = mapping.count().cycles
    by = {
        "PyRTL, interpreted, wires kept": Simulation(
            mapping.hardware, mapping.images, record=counter.recorded
        ),
        "PyRTL, compiled, wires not kept": Simulation(
            mapping.hardware, mapping.images, expected_cycles=COMPILED
        ),
    }
    recorded = by["PyRTL, interpreted, wires kept"].run(writes).recorded
    assert len(next(iter(recorded.values()))) == cycles + 1
    steps = [functools.partial(_inference, simulation, cycles) for simulation in by.values()]
    *simulated_s, counted_s = medians_s([*steps, lambda: counter.count(recorded)], ROUNDS)
    table = Table(title=f"{cycles} cycles of {NETWORK} on {PES} PEs, a netlist of {netlist.nets} nets")
    for heading in ("by", "cycles/s", "this / toggle evaluator"):
        table.add_column(heading, justify="left" if heading == "by" else "right")
    table.add_row("toggle evaluator", f"{cycles / counted_s:,.0f}", "")
    for name, taken in zip(by, simulated_s, strict=True):
        table.add_row(name, f"{cycles / taken:,.0f}", f"{taken / counted_s:.2f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
