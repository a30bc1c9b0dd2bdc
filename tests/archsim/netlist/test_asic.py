"""An engine mapped to standard cells: components, sums, memories and the critical path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import pytest

from archsim.costs.fidelity.components import total
from archsim.netlist import (
    AsicSynthesis,
    NetlistError,
    YosysError,
    analyse,
    read_netlists,
    run_yosys,
    synthesise_asic,
)
from archsim.netlist.arithmetic import arithmetic_files
from archsim.netlist.asic import mapping_script
from archsim.netlist.netlist import CONSTANTS
from archsim.netlist.timing import net_loads
from archsim.technology import Cmos65
from tests.archsim.netlist.sample import engine, memory_module, pe_module

pytestmark = pytest.mark.slow

TECHNOLOGY = Cmos65()
PES = 4


@pytest.fixture(scope="module")
def mapped() -> AsicSynthesis:
    return synthesise_asic(engine(PES), "archsim_engine", TECHNOLOGY)


def test_a_pe_without_memory_is_1050_to_1250_gate_equivalents() -> None:
    # Without adder cells libraries from 45 to 180 nm give 1160 to 1440.
    pe = synthesise_asic(pe_module(accumulator_bits=32), "pe").components["pe"]
    assert pe.flops == 48
    assert 1050 <= pe.gate_equivalents <= 1250


def test_identical_pes_are_one_component_with_many_instances(mapped: AsicSynthesis) -> None:
    instances = {name: part.instances for name, part in mapped.components.items()}
    assert instances == {
        "archsim_engine": 1,
        "controller": 1,
        "route": 1,
        "activation_memory": 1,
        "pe": PES,
        "weight_memory": PES,
    }


def test_components_times_instances_add_up_to_the_flat_design(mapped: AsicSynthesis) -> None:
    flat = mapped.flat()
    counts = flat.count()
    cells = TECHNOLOGY.library.cells
    summed: dict[str, int] = {}
    for part in mapped.components.values():
        for cell, number in part.cells.items():
            summed[cell] = summed.get(cell, 0) + number * part.instances
    assert summed == counts
    assert total(mapped.components.values(), "area_um2") == pytest.approx(
        sum(cells[name].area_um2 * count for name, count in counts.items())
    )
    assert total(mapped.components.values(), "leakage_w") == pytest.approx(
        sum(cells[name].leakage_w * count for name, count in counts.items())
    )
    assert total(mapped.components.values(), "flops") == counts["DFF_X1"]
    assert "DFFE_X1" not in counts
    loads, _ = net_loads(flat, TECHNOLOGY.library, TECHNOLOGY.wiring)
    internal_j = sum(
        energy * int((flat.pin(name, pin) >= CONSTANTS).sum())
        for name in counts
        if cells[name].kind != "clock gate"
        for pin, energy in cells[name].switch_energy_j.items()
    )
    assert total(mapped.components.values(), "toggle_energy_j") == pytest.approx(
        internal_j + 0.5 * loads.sum() * TECHNOLOGY.supply_v**2
    )


def test_the_area_is_what_yosys_states_for_the_same_netlist(mapped: AsicSynthesis) -> None:
    files = {"design.v": pe_module(), "cells.lib": TECHNOLOGY.library.text}
    script = (
        "read_verilog design.v\nproc\nopt\ntechmap\nopt\ndfflibmap -liberty cells.lib\n"
        "abc -liberty cells.lib\n"
        "write_json out.json\ntee -o stat.txt stat -liberty cells.lib\n"
    )
    outputs = run_yosys(script=script, files=files, outputs=("out.json", "stat.txt"))
    counts = read_netlists(outputs["out.json"])["pe"].count()
    stated = float(outputs["stat.txt"].split("Chip area for module '\\pe':")[1].split()[0])
    area = sum(TECHNOLOGY.library.cells[name].area_um2 * number for name, number in counts.items())
    assert area == pytest.approx(stated, rel=1e-6)


def test_memories_stay_memories_and_cost_no_gates(mapped: AsicSynthesis) -> None:
    memories = mapped.flat().memories
    sizes = Counter((memory.words, memory.word_bits) for memory in memories)
    assert sizes == {(1024, 8): PES, (256, 8 * PES): 1}
    assert all(len(memory.reads) == len(memory.writes) == 1 for memory in memories)
    assert mapped.components["weight_memory"].cells == {}


def _clock_j(cells: Mapping[str, int]) -> float:
    """Two edges at each cell, its share of the network, and at a gate a pulse of its output."""
    by_hand = 0.0
    for name, number in cells.items():
        cell = TECHNOLOGY.library.cells[name]
        if cell.clock_pin:
            network_f = TECHNOLOGY.wiring.clock_network_factor * cell.input_capacitance_f["CK"]
            pulse_j = 2 * cell.switch_energy_j["GCK"] if cell.kind == "clock gate" else 0.0
            by_hand += number * (2 * cell.clock_edge_energy_j + network_f * TECHNOLOGY.supply_v**2 + pulse_j)
    return by_hand


def test_the_clock_of_a_pe_costs_its_flops_and_gates_twice_an_edge_and_the_network(
    mapped: AsicSynthesis,
) -> None:
    pe = mapped.components["pe"]
    flops = {name: number for name, number in pe.cells.items() if TECHNOLOGY.library.cells[name].clock_pin}
    assert pe.flops == flops["DFF_X1"] == 40
    assert pe.clock_energy_j == pytest.approx(_clock_j(pe.cells))
    (gate,) = set(flops) - {"DFF_X1"}
    assert TECHNOLOGY.library.cells[gate].kind == "clock gate"


def test_flattening_here_times_like_flattening_in_yosys(mapped: AsicSynthesis) -> None:
    library = TECHNOLOGY.library
    script = mapping_script("archsim_engine", TECHNOLOGY)
    script += "flatten\nopt_clean -purge\nwrite_json flat.json\n"
    files = {"design.v": engine(PES), "cells.lib": library.text, **arithmetic_files(library)}
    outputs = run_yosys(script=script, files=files, outputs=("flat.json",))
    flat = read_netlists(outputs["flat.json"])["archsim_engine"]
    assert flat.count() == mapped.flat().count()
    timing = analyse(
        flat,
        library=TECHNOLOGY.library,
        wiring=TECHNOLOGY.wiring,
        memory=lambda each: TECHNOLOGY.memory(words=each.words, word_bits=each.word_bits, ports="1r1w"),
    )
    assert timing.critical_path_s == pytest.approx(mapped.critical_path_s, rel=1e-9)


def test_a_mac_of_65_nm_low_power_takes_two_to_five_nanoseconds(mapped: AsicSynthesis) -> None:
    assert 2e-9 < mapped.critical_path_s < 5e-9
    assert mapped.critical_path[0].startswith("flop pe_")
    assert mapped.critical_path[-1].startswith("setup of DFF")


def test_a_feedthrough_and_a_constant_survive_flattening() -> None:
    verilog = """
module wire_through(input a, output b, output one); assign b = a; assign one = 1'b1; endmodule
module top(input clk, input d, output reg q, output one);
  wire e, f;
  wire_through first(.a(d), .b(e), .one(one));
  wire_through second(.a(e), .b(f), .one());
  always @(posedge clk) q <= !f;
endmodule
"""
    flat = synthesise_asic(verilog, "top").flat()
    ((drive, _),) = [each for each in flat.count().items() if each[0].startswith("INV")]
    (inverter,) = flat.pin(drive, "A")
    assert inverter == flat.ports["d"].nets[0]
    assert np.array_equal(flat.ports["one"].nets, [1])


def test_a_memory_read_without_a_register_is_refused() -> None:
    verilog = memory_module("m", 256, 8).replace("always @(posedge clk) if (re) q <=", "always @* q =")
    with pytest.raises(NetlistError, match="memory mem is read without a register"):
        synthesise_asic(verilog, "m")


def test_verilog_that_yosys_refuses_is_refused_in_one_sentence() -> None:
    with pytest.raises(YosysError, match=r"^Yosys refuses the design: .*nothing.*[^.]$"):
        synthesise_asic("module m(input a); nothing x(.a(a)); endmodule", "m")


def test_the_same_design_gives_the_same_result_again(mapped: AsicSynthesis) -> None:
    again = synthesise_asic(engine(PES), "archsim_engine", TECHNOLOGY)
    for field in fields(AsicSynthesis):
        if field.name != "modules":
            assert getattr(again, field.name) == getattr(mapped, field.name)
