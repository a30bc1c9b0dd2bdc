"""Transitions with delays: glitches where paths differ, none where they do not, and the end of each cycle as
without delays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archsim.netlist import ActivityError, EventSimulation, Netlist, ToggleCounter, Transitions, delays_of
from archsim.netlist.netlist import CONSTANTS, Port
from archsim.technology import Cmos65
from archsim.technology.liberty.cell_library import Arc, Cell, CellLibrary
from tests.archsim.netlist.random_netlists import LIBRARY, WIRES, netlists, step_by_step
from workloads.refusal import Refusal

TECHNOLOGY = Cmos65()


def wired(cells: Sequence[tuple[str, Mapping[str, str]]], library: CellLibrary = LIBRARY) -> Netlist:
    """A netlist of gates given by type and the name of the net at each pin; `a`, `b` and `c` are inputs."""
    nets = {"a": CONSTANTS, "b": CONSTANTS + 1, "c": CONSTANTS + 2}
    pins: dict[str, int] = {}
    types: dict[str, int] = {}
    rows = [
        (k, pins.setdefault(pin, len(pins)), nets.setdefault(net, CONSTANTS + len(nets)))
        for k, (_, connections) in enumerate(cells)
        for pin, net in connections.items()
    ]
    table = np.array(rows, np.int64)
    return Netlist(
        name="wired",
        nets=CONSTANTS + len(nets),
        cell_names=tuple(f"cell_{k}" for k in range(len(cells))),
        cell_type=np.array([types.setdefault(kind, len(types)) for kind, _ in cells], np.int64),
        type_names=tuple(types),
        pin_names=tuple(pins),
        pin_cell=table[:, 0],
        pin_name=table[:, 1],
        pin_net=table[:, 2],
        ports={name: Port("input", np.array([nets[name]])) for name in "abc"},
        memories=(),
        named={name: np.array([net]) for name, net in nets.items()},
    )


def simulated(
    netlist: Netlist, library: CellLibrary = LIBRARY, **inputs: Sequence[int]
) -> tuple[dict[str, int], Transitions]:
    """The transitions of each named net while the inputs take these values, and all of them."""
    samples = max(map(len, inputs.values()))
    recorded = {name: inputs.get(name, [0] * samples) for name in "abc"}
    counter = ToggleCounter(netlist, library, {name: name for name in "abc"})
    made = EventSimulation(counter, delays_of(netlist, LibraryOf(library))).count(recorded)
    return {name: int(made.activity.toggles[nets[0]]) for name, nets in netlist.named.items()}, made


class LibraryOf(Cmos65):
    """The 65 nm process with other cells."""

    def __init__(self, library: CellLibrary) -> None:
        super().__init__()
        self.__dict__["_cells"] = library

    @property
    def library(self) -> CellLibrary:
        cells: CellLibrary = self.__dict__["_cells"]
        return cells


def chain(length: int) -> list[tuple[str, dict[str, str]]]:
    """Input `a` through so many inverters to the net `end`."""
    names = ["a", *(f"link_{k}" for k in range(1, length)), "end"]
    return [("INV_X1", {"A": names[k], "Y": names[k + 1]}) for k in range(length)]


@pytest.mark.parametrize("length", [4, 8])
def test_an_unbalanced_exclusive_or_glitches_once_for_each_edge(length: int) -> None:
    netlist = wired([*chain(length), ("XOR2_X1", {"A": "a", "B": "end", "Y": "out"})])
    toggles, _ = simulated(netlist, a=[0, 1, 0, 0, 1])
    assert toggles["end"] == 3
    assert toggles["out"] == 2 * 3  # Up and down again at each of three edges.


@pytest.mark.parametrize(("gate", "pulses"), [("NAND2_X1", 2), ("XNOR2_X1", 0)])
def test_a_pulse_passes_a_fast_gate_and_is_swallowed_by_a_slow_one(gate: str, pulses: int) -> None:
    """Both inputs are high for as long as an inverter takes, which is between the delays of the two gates."""
    netlist = wired([*chain(1), (gate, {"A": "a", "B": "end", "Y": "out"})])
    assert simulated(netlist, a=[0, 1, 0, 1])[0]["out"] == 2 * pulses


def test_inputs_that_change_at_one_instant_make_no_glitch() -> None:
    netlist = wired([("XOR2_X1", {"A": "a", "B": "b", "Y": "out"})])
    assert simulated(netlist, a=[0, 1, 0, 1], b=[1, 0, 1, 0])[0]["out"] == 0


def test_a_glitch_goes_on_through_the_gates_behind() -> None:
    cells = [*chain(6), ("XOR2_X1", {"A": "a", "B": "end", "Y": "out"}), ("BUF_X1", {"A": "out", "Y": "on"})]
    toggles, _ = simulated(wired(cells), a=[0, 1])
    assert (toggles["out"], toggles["on"]) == (2, 2)


def test_the_last_change_comes_after_the_delays_of_the_path() -> None:
    netlist = wired(chain(8))
    _, made = simulated(netlist, a=[0, 1, 0])
    delays = delays_of(netlist, TECHNOLOGY)
    (arc,) = LIBRARY.cells["INV_X1"].arcs
    expected = sum(float(delays.arc_s(arc, netlist.pin("INV_X1", "Y"))[k]) for k in range(8))
    assert made.settling_s == pytest.approx(expected, rel=0.01)


def adder(late_s: float) -> CellLibrary:
    """The library with a half adder, whose sum follows B later than A."""
    arcs = tuple(
        Arc(pin, out, 50e-12 + (late_s if (pin, out) == ("B", "S") else 0.0), 0.0)
        for pin in "AB"
        for out in ("S", "CO")
    )
    cell = Cell(
        name="HA",
        area_um2=1.0,
        leakage_w=0.0,
        input_capacitance_f={"A": 1e-15, "B": 1e-15},
        functions={"S": "A^B", "CO": "A&B"},
        switch_energy_j={"S": 0.0, "CO": 0.0},
        arcs=arcs,
    )
    return replace(LIBRARY, cells={**LIBRARY.cells, "HA": cell})


HALF_ADDER = [("HA", {"A": "a", "B": "b", "S": "sum", "CO": "carry"})]


def test_a_cell_of_two_outputs_drives_both() -> None:
    library = adder(0.0)
    toggles, _ = simulated(wired(HALF_ADDER), library, a=[0, 1, 1, 0], b=[0, 0, 1, 1])
    assert (toggles["sum"], toggles["carry"]) == (3, 2)


@pytest.mark.parametrize(("late_s", "glitches"), [(0.0, 0), (20e-12, 0), (120e-12, 2)])
def test_an_input_that_a_cell_follows_later_makes_it_glitch(late_s: float, glitches: int) -> None:
    toggles, _ = simulated(wired(HALF_ADDER), adder(late_s), a=[0, 1], b=[1, 0])
    assert (toggles["sum"], toggles["carry"]) == (glitches, 0)


def test_a_gate_of_too_many_inputs_is_refused() -> None:
    pins = "ABCDEFG"
    wide = replace(
        LIBRARY.cells["AND2_X1"],
        name="AND7",
        input_capacitance_f=dict.fromkeys(pins, 1e-15),
        functions={"Y": "&".join(pins)},
    )
    library = replace(LIBRARY, cells={**LIBRARY.cells, "AND7": wide})
    netlist = wired([("AND7", {**dict.fromkeys(pins, "a"), "Y": "out"})])
    with pytest.raises(Refusal, match=r"^cell AND7 has 7 inputs, allowed are at most 6$"):
        simulated(netlist, library, a=[0, 1])


def test_a_net_that_does_not_settle_at_its_value_is_told() -> None:
    netlist = wired([("INV_X1", {"A": "a", "Y": "out"}), ("BUF_X1", {"A": "b", "Y": "other"})])
    counter = ToggleCounter(netlist, LIBRARY, {name: name for name in "abc"})
    simulation = EventSimulation(counter, delays_of(netlist, TECHNOLOGY))
    tables = simulation.network.tables.copy()
    tables[netlist.named["out"]] = 0b11
    simulation.network = replace(simulation.network, tables=tables)
    with pytest.raises(ActivityError, match="net out of netlist wired does not settle"):
        simulation.count({"a": [0, 0, 1], "b": [0, 1, 0], "c": [0, 0, 0]})


@pytest.mark.slow
@settings(max_examples=60)
@given(netlist=netlists(), data=st.data())
def test_every_cycle_ends_as_without_delays_and_glitches_come_in_pairs(
    netlist: Netlist, data: st.DataObject
) -> None:
    cycles = data.draw(st.sampled_from((2, 3, 63, 65, 130, 300)))
    width = len(netlist.ports["in"].nets)
    inputs = data.draw(st.lists(st.integers(0, (1 << width) - 1), min_size=cycles, max_size=cycles))
    states, still = step_by_step(netlist, inputs)
    parts = data.draw(st.sampled_from((64, 128, 4096)))
    counter = ToggleCounter(netlist, LIBRARY, WIRES, cycles_at_once=parts)
    simulation = EventSimulation(counter, delays_of(netlist, TECHNOLOGY))
    moving = simulation.count({"in": inputs, "state": states}).activity  # It checks the end of every cycle.
    # The pulses of gated clocks are counted without delays.
    more = (moving.toggles - still)[CONSTANTS + 1 :][~counter.gated[CONSTANTS + 1 :]]
    assert moving.cycles == cycles - 1
    assert (more >= 0).all()
    assert (more % 2 == 0).all()
    held = np.concatenate([netlist.named["in"], netlist.named["state"]])
    assert moving.toggles[held].tolist() == still[held].tolist()
