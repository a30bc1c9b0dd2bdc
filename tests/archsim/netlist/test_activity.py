"""Toggles of a mapped netlist: as a plain simulation cycle by cycle counts them, and as Icarus does."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archsim.calibration.glitches import evaluated_activity, measure_glitches, simulated_activity
from archsim.calibration.plan import draw_small
from archsim.netlist import Activity, ActivityError, Netlist, ToggleCounter, switching, synthesise_asic
from archsim.netlist.activity import pack
from archsim.netlist.netlist import CONSTANTS, Port
from archsim.technology import Cmos65
from archsim.technology.liberty.boolean import truth_table
from archsim.technology.liberty.cell_library import Cell
from rtl import to_verilog

pytestmark = pytest.mark.slow

TECHNOLOGY = Cmos65()
LIBRARY = TECHNOLOGY.library
GATES = sorted(name for name, cell in LIBRARY.cells.items() if cell.is_gate)
FLOPS = sorted(name for name, cell in LIBRARY.cells.items() if cell.is_flop)
CLOCK_GATE = "CLKGATE_X1"
SMALL = {each.engine.kind + str(getattr(each.engine, "gather", "")): each for each in draw_small(4, 5, pes=2)}
needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")


@st.composite
def netlists(draw: st.DrawFn) -> Netlist:
    """A few inputs and flops, and gates that read any net made before them; flops read any net, and so do
    clock gates, of which any flop may stand behind one."""
    inputs, flops, gates = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(0, 15))
    first_flop = CONSTANTS + 1 + inputs
    first_gate = first_flop + flops
    pins = sorted({p for c in LIBRARY.cells.values() for p in _pins(c)})
    cells: list[str] = []
    rows: list[tuple[int, int, int]] = []
    made = first_gate
    for _ in range(gates):
        name = draw(st.sampled_from(GATES))
        for pin in LIBRARY.cells[name].input_capacitance_f:
            rows.append((len(cells), pins.index(pin), draw(st.integers(0, made - 1))))
        for pin in LIBRARY.cells[name].functions:
            rows.append((len(cells), pins.index(pin), made))
            made += 1
        cells.append(name)
    data, clocks = made, [CONSTANTS]
    for _ in range(draw(st.integers(0, 2))):
        for pin, net in (("CK", CONSTANTS), ("E", draw(st.integers(0, data - 1))), ("GCK", made)):
            rows.append((len(cells), pins.index(pin), net))
        cells.append(CLOCK_GATE)
        clocks.append(made)
        made += 1
    for k in range(flops):
        name = draw(st.sampled_from(FLOPS))
        cell = LIBRARY.cells[name]
        for pin in cell.input_capacitance_f:
            net = draw(st.sampled_from(clocks) if pin == cell.clock_pin else st.integers(0, data - 1))
            rows.append((len(cells), pins.index(pin), net))
        rows.append((len(cells), pins.index(next(iter(cell.functions))), first_flop + k))
        cells.append(name)
    types = sorted(set(cells))
    table = np.array(rows, np.int64)
    return Netlist(
        name="random",
        nets=made,
        cell_names=tuple(f"part_{k % 2}.cell_{k}" for k in range(len(cells))),
        type_names=tuple(types),
        cell_type=np.array([types.index(name) for name in cells], np.int64),
        pin_names=tuple(pins),
        pin_cell=table[:, 0],
        pin_name=table[:, 1],
        pin_net=table[:, 2],
        ports={
            "clk": Port("input", np.array([CONSTANTS])),
            "in": Port("input", np.arange(CONSTANTS + 1, first_flop)),
        },
        memories=(),
        named={
            "in": np.arange(CONSTANTS + 1, first_flop),
            "state": np.arange(first_flop, first_gate),
        },
    )


def _pins(cell: Cell) -> list[str]:
    return [*cell.input_capacitance_f, *cell.functions]


def step_by_step(netlist: Netlist, inputs: list[int]) -> tuple[list[int], np.ndarray]:
    """The states of the flops in each cycle, and the toggles of every net, one cycle after the other. A pulse
    of a gated clock is two."""
    width, flops = len(netlist.ports["in"].nets), len(netlist.named["state"])
    states, before, pulses = [0], None, dict[int, int]()
    toggles = np.zeros(netlist.nets, np.int64)
    for word in inputs:
        values = np.zeros(netlist.nets, np.int64)
        values[1] = 1
        values[netlist.named["in"]] = [word >> k & 1 for k in range(width)]
        values[netlist.named["state"]] = [states[-1] >> k & 1 for k in range(flops)]
        following = 0
        enabled = {CONSTANTS: 1}
        for index, kind in enumerate(netlist.cell_type):
            cell = LIBRARY.cells[netlist.type_names[kind]]
            row = netlist.pin_table[index]
            pins = {name: int(row[place]) for place, name in enumerate(netlist.pin_names) if row[place] >= 0}
            read = tuple(cell.input_capacitance_f)
            if cell.kind == "clock gate":
                enabled[pins["GCK"]] = int(values[pins["E"]])
                continue
            if cell.is_gate:
                at = sum(int(values[pins[pin]]) << k for k, pin in enumerate(read))
                for pin, function in cell.functions.items():
                    values[pins[pin]] = truth_table(function, read)[at]
                continue
            held = pins[next(iter(cell.functions))]
            names = (*read, *cell.state_names)
            shown = [int(values[pins[pin]]) for pin in read] + [int(values[held]), 1 - int(values[held])]
            at = sum(bit << k for k, bit in enumerate(shown))
            place = held - int(netlist.named["state"][0])
            taken = int(truth_table(cell.next_state, names)[at])
            following |= (taken if enabled[pins[cell.clock_pin]] else int(values[held])) << place
        if before is not None:
            toggles += values != before
            for net, pulse in pulses.items():
                toggles[net] += 2 * pulse
        before, pulses = values, enabled
        states.append(following)
    return states[:-1], toggles


@settings(max_examples=60)
@given(netlist=netlists(), data=st.data())
def test_toggles_are_those_of_a_simulation_cycle_by_cycle(netlist: Netlist, data: st.DataObject) -> None:
    cycles = data.draw(st.sampled_from((2, 3, 63, 64, 65, 66, 130)))
    width = len(netlist.ports["in"].nets)
    inputs = data.draw(st.lists(st.integers(0, (1 << width) - 1), min_size=cycles, max_size=cycles))
    states, toggles = step_by_step(netlist, inputs)
    counter = ToggleCounter(netlist, LIBRARY, {"in": "in", "state": "state"})
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
    counter = ToggleCounter(netlist, LIBRARY, {"in": "in", "state": "state"})
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
    counter = ToggleCounter(netlist, LIBRARY, {"in": "in", "state": "state"}, cycles_at_once=64)
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


@needs_icarus
@pytest.mark.parametrize("kind", sorted(SMALL))
def test_icarus_counts_the_same_toggles_on_every_net(kind: str) -> None:
    mapping = SMALL[kind].map()
    design = to_verilog(mapping.hardware)
    netlist = replace(synthesise_asic(design.text, design.top, TECHNOLOGY).flat(), name="netlist")
    ours = evaluated_activity(netlist, mapping, design, TECHNOLOGY)
    theirs = simulated_activity(netlist, mapping, TECHNOLOGY, delays=False)
    clock = netlist.named["clk"]
    assert ours.cycles == theirs.cycles
    assert theirs.toggles[clock].tolist() == [2 * ours.cycles]
    differing = np.flatnonzero(ours.toggles != theirs.toggles)
    assert [int(net) for net in differing if net not in clock] == []
    assert ours.toggles.sum() > 1000


@needs_icarus
def test_delays_add_transitions_of_gates_and_none_of_registers() -> None:
    mapping = SMALL["csc"].map()
    design = to_verilog(mapping.hardware)
    netlist = replace(synthesise_asic(design.text, design.top, TECHNOLOGY).flat(), name="netlist")
    still = simulated_activity(netlist, mapping, TECHNOLOGY, delays=False)
    moving = simulated_activity(netlist, mapping, TECHNOLOGY, delays=True)
    flops = [net for name in FLOPS for net in netlist.pin(name, "Q") if net >= CONSTANTS]
    clocks = [net for net in netlist.pin(CLOCK_GATE, "GCK") if net >= CONSTANTS]
    assert clocks
    assert still.toggles[clocks].tolist() == moving.toggles[clocks].tolist()
    assert still.toggles[flops].tolist() == moving.toggles[flops].tolist()
    assert moving.toggles.sum() > still.toggles.sum()
    assert measure_glitches(SMALL["csc"], TECHNOLOGY)["pe"] > 1.2
