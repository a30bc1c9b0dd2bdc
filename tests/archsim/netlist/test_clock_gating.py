"""Clock gates: the same hardware as without them, at the energy of the clocks that they let through."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from archsim.calibration.plan import draw_small
from archsim.costs.fidelity.gate import map_to_gates
from archsim.engine.mapping import Mapping
from archsim.netlist import Activity, ActivityError, Netlist, ToggleCounter, switching, synthesise_asic
from archsim.netlist.clocks import clock_energies_j, gated_clocks
from archsim.netlist.netlist import CONSTANTS
from archsim.netlist.netlist_verilog import netlist_verilog
from archsim.netlist.timing import analyse
from archsim.technology import Cmos65
from rtl import to_verilog
from tests.archsim.netlist.icarus import recorded_run
from tests.archsim.netlist.test_timing import WIRE_F, Gate, delay, design, no_memory
from workloads.refusal import Refusal

pytestmark = pytest.mark.slow

GATED, UNGATED = Cmos65(), Cmos65(clock_gating="none")
LIBRARY, WIRING = GATED.library, GATED.wiring
SMALL = {each.engine.kind + str(getattr(each.engine, "gather", "")): each for each in draw_small(8, 8, pes=2)}
CLOCK = CONSTANTS
needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")


@cache
def mapping(kind: str) -> Mapping:
    return SMALL[kind].map()


@cache
def measured(kind: str, technology: Cmos65) -> tuple[Netlist, Activity]:
    """The netlist of a small engine and the toggles of one inference."""
    verilog = to_verilog(mapping(kind).hardware)
    netlist = synthesise_asic(verilog.text, verilog.top, technology).flat()
    counter = ToggleCounter(netlist, technology.library, verilog.wires)
    return netlist, counter.count(recorded_run(counter, mapping(kind)).recorded)


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_a_gated_engine_moves_its_data_as_the_ungated_one_does(kind: str) -> None:
    (with_gates, gated), (without, ungated) = measured(kind, GATED), measured(kind, UNGATED)
    assert gated_clocks(with_gates, LIBRARY).any()
    assert not gated_clocks(without, LIBRARY).any()
    assert gated.cycles == ungated.cycles
    held = ToggleCounter(without, LIBRARY, to_verilog(mapping(kind).hardware).wires).held
    compared = 0
    for name in with_gates.named.keys() & without.named.keys():
        nets = np.isin(without.named[name], np.concatenate([nets for _, nets in held.values()]))
        both = (gated.toggles[with_gates.named[name]], ungated.toggles[without.named[name]])
        assert both[0][nets].tolist() == both[1][nets].tolist(), name
        compared += int(nets.sum())
    assert compared > 100


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_the_clock_of_a_gated_engine_never_costs_more_and_the_rest_not_either(kind: str) -> None:
    gated, ungated = (map_to_gates(mapping(kind), each) for each in (GATED, UNGATED))
    clock = [sum(part.clock_energy_j for part in logic.parts) for logic in (gated, ungated)]
    area = [sum(part.area_mm2 for part in logic.parts) for logic in (gated, ungated)]
    assert clock[0] < 0.9 * clock[1]
    assert area[0] < area[1]


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_the_ungated_figures_of_a_gated_netlist_are_those_of_one_without_gates(kind: str) -> None:
    gated, ungated = (map_to_gates(mapping(kind), each) for each in (GATED, UNGATED))
    # What enables registers is mapped anew where no gate takes it: the same logic mapped twice differs by
    # some hundredths of a part, and of the whole by less.
    some_mm2 = 0.02 * sum(part.area_mm2 for part in ungated.parts)
    for of_gated, of_ungated in zip(gated.parts, ungated.parts, strict=True):
        assert of_gated.ungated_clock_energy_j == pytest.approx(of_ungated.clock_energy_j, rel=1e-6)
        assert of_gated.ungated_area_mm2 == pytest.approx(of_ungated.area_mm2, abs=some_mm2)
        assert of_ungated.ungated_clock_energy_j == pytest.approx(of_ungated.clock_energy_j)
        assert of_ungated.ungated_area_mm2 == pytest.approx(of_ungated.area_mm2)


def test_clock_energy_is_every_flop_by_the_pulses_that_reach_it() -> None:
    netlist, activity = measured("csc", GATED)
    spent = sum(each.clock_j for each in switching(netlist, LIBRARY, WIRING, activity).values())
    gate, network = LIBRARY.cells["CLKGATE_X1"], WIRING.clock_network_factor * LIBRARY.supply_v**2
    pulses = activity.toggles[netlist.pin("CLKGATE_X1", "GCK")] // 2
    assert 0 < pulses.min() < pulses.max() <= activity.cycles
    gate_j = 2 * gate.clock_edge_energy_j + network * gate.input_capacitance_f["CK"]
    by_hand = len(pulses) * activity.cycles * gate_j + 2 * gate.switch_energy_j["GCK"] * pulses.sum()
    for name in ("DFF_X1", "DFFE_X1"):
        flop, clocks = LIBRARY.cells[name], netlist.pin(name, "CK")
        behind = gated_clocks(netlist, LIBRARY)[clocks]
        assert behind.any() == (name == "DFF_X1")
        clocked = np.where(behind, activity.toggles[clocks] // 2, activity.cycles).sum()
        by_hand += clocked * (2 * flop.clock_edge_energy_j + network * flop.input_capacitance_f["CK"])
    assert spent == pytest.approx(by_hand)


def test_a_gate_that_is_never_open_leaves_only_its_own_clock() -> None:
    netlist, activity = measured("csc", GATED)
    shut = np.where(gated_clocks(netlist, LIBRARY), 0, activity.toggles)
    energies = clock_energies_j(netlist, LIBRARY, WIRING, cycles=activity.cycles, toggles=shut)
    behind = netlist.cells_of("DFF_X1")[gated_clocks(netlist, LIBRARY)[netlist.pin("DFF_X1", "CK")]]
    assert len(behind) > 20
    assert not energies[behind].any()
    assert (energies[netlist.cells_of("CLKGATE_X1")] > 0).all()


def test_a_flop_that_moves_while_its_gate_is_closed_is_refused() -> None:
    verilog = to_verilog(mapping("csc").hardware)
    netlist = synthesise_asic(verilog.text, verilog.top, GATED).flat()
    closed = netlist.pin("CLKGATE_X1", "E")
    table = netlist.pin_table[netlist.pin_cell, netlist.pin_name].copy()
    is_enable = (netlist.pin_name == netlist.pin_names.index("E")) & np.isin(table, closed)
    table[is_enable] = 0
    broken = replace(netlist, pin_net=table)
    counter = ToggleCounter(broken, LIBRARY, verilog.wires)
    with pytest.raises(ActivityError, match="does not follow the gates"):
        counter.count(recorded_run(counter, mapping("csc")).recorded)


def test_a_path_ends_at_the_enable_of_a_clock_gate_with_its_setup() -> None:
    netlist = design(
        [
            ("INV_X1", {"A": 4, "Y": 5}),
            ("CLKGATE_X1", {"CK": 2, "E": 5, "GCK": 6}),
            ("DFF_X1", {"CK": 6, "D": 3, "Q": 7}),
        ],
        inputs={"clk": 2, "d": 3, "enable": 4},
        outputs={"q": 7},
    )
    gate, flop = LIBRARY.cells["CLKGATE_X1"], LIBRARY.cells["DFF_X1"]
    inverter_s = delay("INV_X1", gate.input_capacitance_f["E"] + WIRE_F)
    ways_s = (inverter_s + gate.setup_s, flop.setup_s, delay("DFF_X1", WIRE_F))
    timing = analyse(netlist, library=LIBRARY, wiring=WIRING, memory=no_memory)
    assert timing.critical_path_s == pytest.approx(max(ways_s))
    slow: list[Gate] = [("INV_X1", {"A": 4 + k, "Y": 5 + k}) for k in range(8)]
    chain = design([*slow, ("CLKGATE_X1", {"CK": 2, "E": 12, "GCK": 13})], {"clk": 2, "enable": 4}, {})
    path = analyse(chain, library=LIBRARY, wiring=WIRING, memory=no_memory).path
    assert path[-1].startswith("setup of CLKGATE_X1")


def test_latches_are_refused_where_time_and_toggles_are_counted() -> None:
    netlist = design([("DLATCH_X1", {"D": 3, "G": 2, "Q": 4})], {"clk": 2, "d": 3}, {"q": 4})
    with pytest.raises(Refusal, match="cell type is 'DLATCH_X1', a latch, allowed are flops and clock gates"):
        analyse(netlist, library=LIBRARY, wiring=WIRING, memory=no_memory)
    with pytest.raises(ActivityError, match="has latches"):
        ToggleCounter(netlist, LIBRARY, {})


@needs_icarus
def test_a_latch_and_a_clock_gate_run_in_icarus_as_they_should(tmp_path: Path) -> None:
    netlist = design(
        [
            ("DLATCH_X1", {"D": 3, "G": 4, "Q": 5}),
            ("CLKGATE_X1", {"CK": 2, "E": 4, "GCK": 6}),
            ("DFF_X1", {"CK": 6, "D": 3, "Q": 7}),
        ],
        inputs={"clk": 2, "d": 3, "enable": 4},
        outputs={"latched": 5, "gated": 6, "q": 7},
    )
    netlist = replace(netlist, name="gates")
    bench = """
module bench; reg clk = 0, d = 0, e = 0; wire latched, gated, q; integer pulses = 0;
  gates under_test(.clk(clk), .d(d), .enable(e), .latched(latched), .gated(gated), .q(q));
  always @(posedge gated) pulses = pulses + 1;
  initial begin
    #2 d = 1; #1 if (latched !== 0) $display("the latch is open");
    e = 1; #1 if (latched !== 1) $display("the latch is shut");
    #1 clk = 1; #1 if (gated !== 1 || q !== 1) $display("no pulse");
    e = 0; d = 0; #1 if (gated !== 1) $display("a pulse is cut"); if (latched !== 1) $display("not held");
    #1 clk = 0; #1 e = 0; #1 clk = 1; #1 e = 1; #1 if (gated !== 0) $display("a pulse too many");
    #1 clk = 0; e = 0; #1 clk = 1; #1 if (q !== 1) $display("the flop moved");
    $display("%0d", pulses);
  end
endmodule
"""
    (tmp_path / "design.v").write_text(netlist_verilog(netlist, LIBRARY) + bench, encoding="utf-8")
    run = {"cwd": tmp_path, "check": True, "capture_output": True, "text": True}
    subprocess.run(["iverilog", "-o", "simulation", "design.v"], **run)  # type: ignore[call-overload]
    done = subprocess.run(["vvp", "simulation"], **run)  # type: ignore[call-overload]
    assert done.stdout.split() == ["1"]
