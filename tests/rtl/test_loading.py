"""Inputs are loaded while the engine runs, where they have a memory of their own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archsim.engine import engines
from rtl import Simulation
from tests.strategies import cases

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", sorted(engines))
@settings(max_examples=4)
@given(data=st.data())
def test_the_next_inputs_are_loaded_while_the_engine_runs(kind: str, data: st.DataObject) -> None:
    case = data.draw(cases(kind))
    mapping = case.engine.map(case.network)
    top = 1 << (case.network.activation_bits - 1)
    x = np.random.default_rng(0).integers(-top, top, size=(case.network.n_in, 2))
    simulation = Simulation(mapping.hardware, mapping.images)
    first = simulation.run(mapping.load(x[:, 0]), following=mapping.load(x[:, 1]))
    second = simulation.run([])
    expected = case.network.run(x)
    assert np.array_equal(mapping.scores(first), expected[:, 0])
    assert np.array_equal(mapping.scores(second), expected[:, 1])


@pytest.mark.parametrize("kind", sorted(engines))
@settings(max_examples=4)
@given(data=st.data())
def test_no_memory_is_read_and_written_in_one_cycle(kind: str, data: st.DataObject) -> None:
    case = data.draw(cases(kind))
    mapping = case.engine.map(case.network)
    hardware = mapping.hardware
    probes = {name: wire.name for name, wire in hardware.probes.items()}
    simulation = Simulation(hardware, mapping.images, record=list(probes.values()))
    recorded = simulation.run(mapping.load(np.zeros(case.network.n_in, dtype=np.int64))).recorded
    for memory in {memory.role for memory in hardware.memories}:
        if f"{memory}.write" in probes:
            reads, writes = recorded[probes[f"{memory}.read"]], recorded[probes[f"{memory}.write"]]
            assert not any(read & write for read, write in zip(reads, writes, strict=True))
