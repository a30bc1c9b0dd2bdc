"""Toggles of a mapped netlist, as a plain simulation cycle by cycle counts them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archsim.calibration.plan import draw_small
from archsim.netlist import Activity, ActivityError, Netlist, ToggleCounter, switching, synthesise_asic
from archsim.netlist.activity import pack
from archsim.netlist.netlist import CONSTANTS
from archsim.technology import Cmos65
from rtl import to_verilog
from tests.archsim.netlist.random_netlists import LIBRARY, WIRES, netlists, step_by_step

pytestmark = pytest.mark.slow

TECHNOLOGY = Cmos65()
SMALL = {each.engine.kind + str(getattr(each.engine, "gather", "")): each for each in draw_small(4, 5, pes=2)}


@settings(max_examples=60)
@given(netlist=netlists(), data=st.data())
def test_toggles_are_those_of_a_simulation_cycle_by_cycle(netlist: Netlist, data: st.DataObject) -> None:
    cycles = data.draw(st.sampled_from((2, 3, 63, 64, 65, 66, 130)))
    width = len(netlist.ports["in"].nets)
    inputs = data.draw(st.lists(st.integers(0, (1 << width) - 1), min_size=cycles, max_size=cycles))
    states, toggles = step_by_step(netlist, inputs)
    counter = ToggleCounter(netlist, LIBRARY, WIRES)
    counted = counter.count({"in": inputs, "state": states})
    assert counted.cycles == cycles - 1
    driven = np.arange(netlist.nets) > CONSTANTS
    assert counted.toggles[driven].tolist() == toggles[driven].tolist()


@settings(max_examples=30)
@given(netlist=netlists(), data=st.data())
def test_a_state_that_the_gates_do_not_explain_is_refused(netlist: Netlist, data: st.DataObject) -> None:
    width, flops = len(netlist.ports["in"].nets), len(netlist.named["state"])
    inputs = data.draw(st.lists(st.integers(0, (1 << width) - 1), min_size=70, max_size=70))
    states, _ = step_by_step(netlist, inputs)
    states[69] ^= 1 << data.draw(st.integers(0, flops - 1))
    counter = ToggleCounter(netlist, LIBRARY, WIRES)
    with pytest.raises(ActivityError, match="does not follow the gates"):
        counter.count({"in": inputs, "state": states})


@given(netlist=netlists())
def test_a_register_that_nobody_recorded_is_refused(netlist: Netlist) -> None:
    with pytest.raises(ActivityError, match=r"state(\[0\])? is no recorded register"):
        ToggleCounter(netlist, LIBRARY, {"in": "in"})


@given(values=st.lists(st.integers(0, 2**130 - 1), min_size=1, max_size=200), bits=st.integers(1, 130))
def test_packing_keeps_every_bit_in_its_place(values: list[int], bits: int) -> None:
    rows = pack(values, bits)
    for bit, row in enumerate(rows):
        word = int.from_bytes(row.tobytes(), "little")
        assert [word >> t & 1 for t in range(len(values))] == [value >> bit & 1 for value in values]


@settings(max_examples=20)
@given(netlist=netlists(), data=st.data())
def test_a_long_run_is_put_together_from_parts_without_a_seam(netlist: Netlist, data: st.DataObject) -> None:
    width = len(netlist.ports["in"].nets)
    inputs = data.draw(st.lists(st.integers(0, (1 << width) - 1), min_size=150, max_size=150))
    states, toggles = step_by_step(netlist, inputs)
    counter = ToggleCounter(netlist, LIBRARY, WIRES, cycles_at_once=64)
    driven = np.arange(netlist.nets) > CONSTANTS
    assert counter.count({"in": inputs, "state": states}).toggles[driven].tolist() == toggles[driven].tolist()


def test_energy_of_one_toggle_on_every_net_is_that_of_the_components() -> None:
    mapping = SMALL["clos"].map()
    design = to_verilog(mapping.hardware)
    made = synthesise_asic(design.text, design.top, TECHNOLOGY)
    netlist = made.flat()
    once = Activity(1, np.ones(netlist.nets, np.int64))
    spent = switching(netlist, LIBRARY, TECHNOLOGY.wiring, once)
    logic = sum(part.toggle_energy_j * part.instances for part in made.components.values() if part.cells)
    assert sum(each.gates_j + each.registers_j for each in spent.values()) == pytest.approx(logic, rel=1e-9)
