"""Drives are chosen for placed wires: paths become shorter, functions stay, results are the same again."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from archsim.layout import CellLayout, Subject, lay_out
from archsim.layout.placed_wiring import best_number, pin_f, strongest_buffer, wiring_of
from archsim.layout.sizing import retyped, sized, stronger, worst_ends
from archsim.netlist import Netlist
from archsim.netlist.netlist import Memory
from archsim.netlist.timing import analyse, arrivals, design_loads
from archsim.technology import Cmos65
from archsim.technology.memories.sram import MemoryMacro

TECHNOLOGY = Cmos65()
LIBRARY = TECHNOLOGY.library


def memory(of: Memory) -> MemoryMacro:
    return TECHNOLOGY.memory(words=of.words, word_bits=of.word_bits)


@pytest.fixture(scope="module")
def netlist(subject: Subject) -> Netlist:
    return subject.netlist


@pytest.fixture(scope="module")
def laid(netlist: Netlist) -> CellLayout:
    return lay_out(netlist, TECHNOLOGY)


def test_a_stronger_cell_has_the_same_pins_and_functions_and_is_faster_with_a_load() -> None:
    larger = stronger(LIBRARY)
    assert larger["NAND2_X1"] == "NAND2_X2"
    for one, other in larger.items():
        small, big = LIBRARY.cells[one], LIBRARY.cells[other]
        assert big.functions == small.functions
        assert tuple(big.input_capacitance_f) == tuple(small.input_capacitance_f)
        assert big.area_um2 >= small.area_um2
        assert max(arc.slope_s_per_f for arc in big.arcs) < max(arc.slope_s_per_f for arc in small.arcs)


def test_only_drives_change_and_the_longest_path_is_shorter(netlist: Netlist) -> None:
    wiring = wiring_of(netlist, LIBRARY, TECHNOLOGY.wiring, np.full(netlist.nets, 60e-6), ())
    after, cut = sized(netlist, library=LIBRARY, wiring=wiring, memory=memory)
    before_s, after_s = (
        analyse(one, library=LIBRARY, wiring=wires, memory=memory).critical_path_s
        for one, wires in ((netlist, wiring), (after, cut))
    )
    assert after_s < before_s
    assert cut.net_repeaters.sum() > wiring.net_repeaters.sum()
    changed = 0
    for cell in range(len(netlist.cell_names)):
        one = LIBRARY.cells[netlist.type_names[netlist.cell_type[cell]]]
        other = LIBRARY.cells[after.type_names[after.cell_type[cell]]]
        changed += one is not other
        assert one.functions == other.functions
    assert changed
    assert np.array_equal(netlist.pin_net, after.pin_net)


@given(st.floats(1e-15, 1e-11), st.floats(5e2, 1e4))
def test_no_other_number_of_repeaters_is_faster(load_f: float, slope: float) -> None:
    repeater = strongest_buffer(LIBRARY)
    (arc,) = repeater.arcs
    number, taken_s = best_number(repeater, load_f, slope)
    for other in (number - 1, number + 1, 2 * number):
        if other:
            behind_s = arc.intrinsic_s + arc.slope_s_per_f * load_f / other
            assert slope * other * pin_f(repeater) + behind_s >= taken_s * (1 - 1e-9)


def test_repeaters_are_loads_of_their_own_that_switch_with_their_net(netlist: Netlist) -> None:
    wiring = wiring_of(netlist, LIBRARY, TECHNOLOGY.wiring, np.zeros(netlist.nets), ())
    load_f, sinks = design_loads(netlist, LIBRARY, wiring)
    net = int(np.argmax((sinks < TECHNOLOGY.wiring.max_fanout) * sinks))
    cut = wiring.with_repeaters({net: 3}, sinks, LIBRARY.supply_v)
    seen, delay_s = cut.buffered(load_f, sinks, LIBRARY.buffer)
    repeater = strongest_buffer(LIBRARY)
    assert seen[net] == pytest.approx(3 * pin_f(repeater))
    (arc,) = repeater.arcs
    assert delay_s[net] == pytest.approx(arc.intrinsic_s + arc.slope_s_per_f * load_f[net] / 3)
    more_f = (cut.switched_f(np.array([net])) - wiring.switched_f(np.array([net]))) * sinks[net]
    (internal_j,) = repeater.switch_energy_j.values()
    assert 0.5 * more_f[0] * LIBRARY.supply_v**2 == pytest.approx(
        3 * (internal_j + 0.5 * pin_f(repeater) * LIBRARY.supply_v**2)
    )


def test_worst_ends_are_those_of_the_analysis(netlist: Netlist) -> None:
    timed = arrivals(netlist, library=LIBRARY, wiring=TECHNOLOGY.wiring, memory=memory)
    whole = analyse(netlist, library=LIBRARY, wiring=TECHNOLOGY.wiring, memory=memory)
    ends = worst_ends(timed, 5)
    assert ends[0][0] == pytest.approx(whole.critical_path_s)
    assert all(one[0] >= other[0] for one, other in pairwise(ends))


def test_a_cell_can_be_given_another_type(netlist: Netlist) -> None:
    (cell,) = netlist.cells_of("INV_X1")[:1].tolist()
    after = retyped(netlist, {cell: "INV_X4"})
    assert after.type_names[after.cell_type[cell]] == "INV_X4"
    assert after.count()["INV_X1"] == netlist.count()["INV_X1"] - 1


def test_the_wires_of_a_layout_are_those_of_its_placement(laid: CellLayout) -> None:
    taken_f = laid.wire_m.sum() * 1e6 * TECHNOLOGY.wiring.f_per_um
    every = np.arange(laid.netlist.nets)
    sinks = np.zeros(laid.netlist.nets)
    for name in laid.netlist.count():
        cell = LIBRARY.cells[name]
        for pin in cell.input_capacitance_f:
            if pin != cell.clock_pin:
                nets = laid.netlist.pin(name, pin)
                np.add.at(sinks, nets[nets >= 0], 1)
    for of in laid.netlist.memories:
        np.add.at(sinks, of.inputs, 1)
    for port in laid.netlist.ports.values():
        if port.direction == "output":
            np.add.at(sinks, port.nets, 1)
    assert (laid.wiring.sink_f(every) * sinks).sum() == pytest.approx(taken_f, rel=1e-6)
    assert laid.um_per_sink > 0
    assert laid.clock_factor > 1
    assert laid.core_mm2 >= 1e-6 * laid.subject.problem.cell_um2 + laid.memories_mm2(TECHNOLOGY)


def test_the_same_netlist_is_laid_out_the_same_again(netlist: Netlist, laid: CellLayout) -> None:
    again = lay_out(netlist, TECHNOLOGY)
    assert again.timing == laid.timing
    assert np.array_equal(again.path_um, laid.path_um)
    assert again.resized == laid.resized
