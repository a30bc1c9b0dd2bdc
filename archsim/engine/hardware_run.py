"""Fidelity `rtl`: the described hardware runs the integer network, and its port enables are counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archsim.engine.counts import Counts, Traffic
from archsim.engine.mapping import Mapping
from rtl import Run, Simulation
from workloads.refusal import Defect


class OutputMismatchError(Defect):
    """The hardware gave other outputs than the integer network."""


def count_rtl(mapping: Mapping, x: NDArray[np.int64]) -> Counts:
    """Runs inputs, shape (n_in, batch), on the hardware, checks the outputs, and counts the cycles and port
    enables of the last. Raises OutputMismatchError where an output differs from the integer network."""
    runs, outputs, kept = watch_rtl(mapping, x)
    expected, of_network = mapping.expected(x)
    if not (np.array_equal(outputs, expected) and equal_weights(kept[-1], of_network[-1])):
        raise OutputMismatchError(
            f"the hardware gives {outputs[:, -1].tolist()}, the integer network {expected[:, -1].tolist()}"
        )
    return counts_of_run(mapping.count_of(x[:, -1:]), runs[-1])


def run_rtl(mapping: Mapping, inputs: NDArray[np.int64]) -> tuple[list[Run], NDArray[np.int64]]:
    """Runs `inputs`, shape (n_in, batch), one after the other on one simulated engine: the runs, and the
    outputs, shape (n_out, batch)."""
    runs, outputs, _ = watch_rtl(mapping, inputs)
    return runs, outputs


def watch_rtl(
    mapping: Mapping, inputs: NDArray[np.int64]
) -> tuple[list[Run], NDArray[np.int64], list[list[NDArray[np.int64]]]]:
    """Runs inputs as `run_rtl` does; also what the engine keeps after each."""
    simulation = Simulation(mapping.hardware, mapping.images, expected_cycles=mapping.count().cycles)
    runs, kept = [], []
    for x in inputs.T:
        runs.append(simulation.run(mapping.load(x)))
        kept.append(mapping.kept(simulation))
    return runs, np.stack([mapping.scores(run) for run in runs], axis=1), kept


def equal_weights(some: Sequence[NDArray[np.int64]], others: Sequence[NDArray[np.int64]]) -> bool:
    """Whether arrays are equal, one by one."""
    return all(np.array_equal(one, other) for one, other in zip(some, others, strict=True))


def counts_of_run(scheduled: Counts, run: Run) -> Counts:
    """The counts of a simulated run. The hardware cannot tell padding from stored weights, nor why a PE
    waits, so `padding`, `beside` and `stalls` are those that were `scheduled`."""
    ports = run.port_counts
    return Counts(
        cycles=run.cycles,
        macs=ports["pe.product"] - scheduled.padding - scheduled.biases,
        load_cycles=run.load_cycles,
        interval_cycles=max(run.cycles, run.inputs_free_after + run.load_cycles),
        padding=scheduled.padding,
        biases=scheduled.biases,
        beside=scheduled.beside,
        stalls=scheduled.stalls,
        traffic={
            role: Traffic(ports.get(f"{role}.read", 0), ports.get(f"{role}.write", 0), t.word_bits)
            for role, t in scheduled.traffic.items()
        },
        exact=scheduled.exact,
        least=scheduled.least,
        most=scheduled.most,
    )
