"""Clock trees over placed flops: every sink is reached, buffers are as many as they must be, wires add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from archsim.layout import Placement, Subject
from archsim.layout.clock_tree import ClockTree, clock_trees, cut
from archsim.technology.quantity import load_quantities
from tests.archsim.layout.conftest import TECHNOLOGY

WIRE_F_PER_UM = 2e-16
LEAF = int(float(load_quantities("layout.yaml")["clock_leaf_flops"]))


@pytest.fixture(scope="module")
def made(placed: Placement, subject: Subject) -> dict[int, ClockTree]:
    trees = clock_trees(placed, subject.netlist, TECHNOLOGY, wire_f_per_um=WIRE_F_PER_UM)
    return {tree.net: tree for tree in trees}


def test_every_clock_pin_is_a_sink_of_one_tree(made: dict[int, ClockTree], subject: Subject) -> None:
    netlist, library = subject.netlist, TECHNOLOGY.library
    clocked = [
        library.cells[name].input_capacitance_f[library.cells[name].clock_pin]
        for name, number in netlist.count().items()
        if library.cells[name].clock_pin
        for _ in range(number)
    ]
    assert sum(tree.sinks for tree in made.values()) == len(clocked) + len(subject.blocks)
    macros_f = len(subject.blocks) * TECHNOLOGY.wiring.memory_pin_capacitance_f
    assert sum(tree.pin_f for tree in made.values()) == pytest.approx(sum(clocked) + macros_f)


def test_what_a_tree_switches_is_its_pins_wires_and_buffers(made: dict[int, ClockTree]) -> None:
    buffer = TECHNOLOGY.library.buffer
    (pin_f,) = buffer.input_capacitance_f.values()
    for tree in made.values():
        assert tree.wire_f == pytest.approx(tree.wire_um * WIRE_F_PER_UM)
        assert tree.buffer_f == pytest.approx(sum(tree.buffers) * tree.drive * pin_f)
        assert tree.capacitance_f == pytest.approx(tree.pin_f + tree.wire_f + tree.buffer_f)
        assert tree.area_um2 == pytest.approx(sum(tree.buffers) * tree.drive * buffer.area_um2)
        assert tree.wire_um > 0


def test_a_clock_of_a_few_flops_needs_no_buffer_and_that_of_many_does(
    made: dict[int, ClockTree], subject: Subject
) -> None:
    for tree in made.values():
        assert (tree.levels == 0) == (tree.sinks <= LEAF)
        if tree.levels:
            assert tree.buffers[0] >= tree.sinks / LEAF
    (clock,) = subject.netlist.ports["clk"].nets
    assert made[int(clock)].levels >= 1


def test_the_network_of_an_engine_switches_two_to_five_times_its_pins(made: dict[int, ClockTree]) -> None:
    """2.0 for pins and wires alone, and more for gates whose flops lie apart."""
    total = sum(tree.capacitance_f for tree in made.values())
    assert 1.5 < total / sum(tree.pin_f for tree in made.values()) < 5


@given(st.integers(1, 200), st.integers(1, 24), st.integers(0, 100))
def test_groups_hold_every_sink_once_and_are_about_equal(sinks: int, most: int, seed: int) -> None:
    places = np.random.default_rng(seed).random((sinks, 2))
    groups = list(cut(np.arange(sinks), places, most))
    assert sorted(np.concatenate(groups).tolist()) == list(range(sinks))
    assert len(groups) == -(-sinks // most)
    assert max(len(group) for group in groups) <= most
