"""A foundry's library is read by the rules of the project's own, and what it lacks is named, not guessed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from archsim.technology.asic.generic_cells import cmos65_library, cmos65_wiring
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.liberty.reader import read_liberty
from archsim.technology.liberty.text import LibertyError, parse_liberty, write_liberty
from archsim.technology.memories.sram import SramTable
from tests.archsim.technology.small_library import HEADER, clock_gate, flop, gate, library

LIBRARY = library()


def test_a_gate_is_read_in_si_units_at_the_reference_slew_and_load() -> None:
    found = read_liberty(LIBRARY)
    nand2 = found.cells["ND2"]
    assert found.supply_v == 2
    assert nand2.area_um2 == found.gate_equivalent_um2 == 3
    assert nand2.leakage_w == pytest.approx(7e-12)
    assert nand2.input_capacitance_f == pytest.approx({"A": 5e-15, "B": 5e-15})
    # Half way between the slews; the line runs over the loads up to the middle one: 0 and 10 fF.
    arc, other = nand2.arcs
    assert (arc.input, other.input) == ("A", "B")
    assert arc.intrinsic_s == pytest.approx(0.2 * 10e-12)
    assert arc.slope_s_per_f == pytest.approx((0.1 + 0.3) / 2 * 10e-12 / 10e-15)
    # Four inputs of 5 fF are 20 fF, a third of the way from the 10 fF column (3) to the 40 fF column (4).
    assert nand2.switch_energy_j["Z"] == pytest.approx((3 + 1 / 3) * 10e-15)


def test_a_flop_is_known_by_its_clock() -> None:
    ff = read_liberty(LIBRARY).flop(enable=False)
    assert (ff.name, ff.clock_pin, ff.next_state, ff.state_names) == ("FF", "C", "D", ("IQ", "IQN"))
    assert ff.setup_s == pytest.approx(7 * 10e-12)
    assert ff.leakage_w == pytest.approx(3e-12)


def test_a_clock_gate_is_known_by_its_pins_though_it_is_marked_dont_use() -> None:
    found = read_liberty(library(CG=clock_gate("CG"), BIG=clock_gate("BIG", area=8)))
    gate_cell = found.clock_gate
    assert gate_cell is not None
    assert (gate_cell.name, gate_cell.kind, gate_cell.clock_pin) == ("CG", "clock gate", "CP")
    assert gate_cell.enable_pin == "EN"
    assert gate_cell.setup_s == pytest.approx(7 * 10e-12)
    assert gate_cell.input_capacitance_f == pytest.approx({"EN": 3e-15, "CP": 4e-15})
    assert list(gate_cell.functions) == ["GCP"]
    assert read_liberty(LIBRARY).clock_gate is None


def test_a_latch_is_a_cell_of_its_own_and_no_flop() -> None:
    text = (
        flop("LA").replace('clocked_on : "C"; next_state', 'enable : "C"; data_in').replace("ff (", "latch (")
    )
    found = read_liberty(library(LA=text))
    assert (found.cells["LA"].kind, found.cells["LA"].next_state) == ("latch", "D")
    assert found.flop(enable=False).name == "FF"


@pytest.mark.parametrize(
    ("time", "scale"), [("1ns", 1e-9), ("100ps", 1e-10), ("10ps", 1e-11), ("1ps", 1e-12), ("1 ns", 1e-9)]
)
def test_every_time_unit_of_the_format_is_known(time: str, scale: float) -> None:
    text = LIBRARY.replace('"10ps"', f'"{time}"').replace('index_1 ("5, 15")', 'index_1 ("0, 1000000")')
    (first, _) = read_liberty(text).cells["ND2"].arcs
    assert first.intrinsic_s == pytest.approx(0.1 * scale, rel=0.01)


@pytest.mark.parametrize(
    ("unit", "scale"), [("10, ff", 1e-14), ("1, ff", 1e-15), ("1, pf", 1e-12), ("0.1,pf", 1e-13)]
)
def test_every_capacitance_unit_of_the_format_is_known(unit: str, scale: float) -> None:
    nand2 = read_liberty(LIBRARY.replace("10, ff", unit)).cells["ND2"]
    assert nand2.input_capacitance_f["A"] == pytest.approx(0.5 * scale)
    assert nand2.switch_energy_j["Z"] == pytest.approx((3 + 1 / 3) * scale)


@pytest.mark.parametrize(("unit", "scale"), [("1pW", 1e-12), ("1nW", 1e-9), ("10pW", 1e-11), ("1uW", 1e-6)])
def test_every_leakage_unit_of_the_format_is_known(unit: str, scale: float) -> None:
    assert read_liberty(LIBRARY.replace("1pW", unit)).cells["ND2"].leakage_w == pytest.approx(7 * scale)


def test_a_compressed_library_is_the_same_library(tmp_path: Path) -> None:
    packed = tmp_path / "library.lib"
    packed.write_bytes(gzip.compress(LIBRARY.encode()))
    assert read_liberty(packed) == read_liberty(LIBRARY)


def test_a_library_that_is_written_and_read_again_is_the_same() -> None:
    again = read_liberty(write_liberty(parse_liberty(cmos65_library().text)))
    assert again.cells == cmos65_library().cells


LEFT_OUT = {
    "is a latch": gate("X", "DG", "IQ").replace("pin (D)", 'latch (IQ, IQN) { enable : "G"; } pin (D)'),
    "is a pad": gate("X", "A", "A").replace("area", "pad_cell : true; area"),
    "is marked dont_use": gate("X", "A", "A", area=0.1).replace("area", "dont_use : true; area"),
    "is a clock gate": gate("X", "A", "A").replace(
        "area", 'clock_gating_integrated_cell : "latch_posedge"; area'
    ),
    "is a clock gate of another kind": clock_gate("X", kind="latch_negedge"),
    "is a clock gate of another kind than latch_posedge with one enable": clock_gate(
        "X", more="pin (TE) { clock_gate_test_pin : true; direction : input; capacitance : 0.3; }"
    ),
    "is a latch that is not simply open": gate("X", "DG", "IQ").replace(
        "pin (D)", 'latch (IQ, IQN) { enable : "G\'"; data_in : "D"; } pin (D)'
    ),
    "has bus pins": gate("X", "A", "A").replace("pin (A)", "bus (W) { bus_type : bus8; } pin (A)"),
    "is a tri-state": gate("X", "AE", "A").replace("function", 'three_state : "E"; function'),
    "states no area": gate("X", "A", "A").replace("area : 3.0;", ""),
    "states no capacitance at A": gate("X", "A", "A").replace("capacitance : 0.5;", ""),
    "has no known function at Z": gate("X", "A", "A @ 2"),
    "has no tables of delay and transition from B to Z": gate("X", "AB", "A+B").replace('"B"', '"VDD"'),
    "has no tables of delay and transition from A to Z": gate("X", "A", "A").replace(
        "_transition (t)", "_slope (t)"
    ),
    "has no internal_power at Z": gate("X", "A", "A", power=""),
    "states no leakage": gate("X", "A", "A").replace("cell_leakage_power : 7;", ""),
    "has no setup time": flop("X", setup=""),
    "has no single clock pin": flop("X", clocked_on="C * D"),
    "shows something else than its state at Q": flop("X", function="1"),
    "has several bits": flop("X").replace("ff (IQ, IQN)", "ff_bank (IQ, IQN, 2)"),
    "has no inputs, no outputs or a pin that is both": gate("X", "A", "A").replace(
        "pin (A)", "pin (P) { direction : inout; } pin (A)"
    ),
}


@pytest.mark.parametrize("why", LEFT_OUT)
def test_a_cell_that_cannot_be_priced_is_left_out_with_the_reason_and_unknown_to_yosys(why: str) -> None:
    whole, found = read_liberty(LIBRARY), read_liberty(library(X=LEFT_OUT[why]))
    assert found.left_out["X"].startswith(why)
    assert found.cells == whole.cells
    assert "cell (X)" not in found.text
    assert found.text == whole.text


def test_missing_power_counts_as_none_only_on_request_and_the_cells_are_named() -> None:
    text = library(ND2=gate("ND2", "AB", "(A B)'", power=""), FF=flop("FF", power=""))
    with pytest.raises(
        LibertyError, match=r"no gate .*; not used: ND2 has no internal_power at Z \(missing_power"
    ):
        read_liberty(text)
    found = read_liberty(text, missing_power="zero")
    assert found.without_power == ("ND2", "FF")
    assert found.cells["ND2"].switch_energy_j == {"Z": 0}
    assert (found.cells["FF"].switch_energy_j["Q"], found.cells["FF"].clock_edge_energy_j) == (0, 0)
    assert read_liberty(LIBRARY, missing_power="zero").without_power == ()
    with pytest.raises(LibertyError, match="missing_power is 'guess', allowed are refuse, zero"):
        read_liberty(LIBRARY, missing_power="guess")


def test_a_default_pin_capacitance_of_the_library_stands_in_for_one_of_a_pin() -> None:
    text = LIBRARY.replace("capacitance : 0.5;", "").replace(
        HEADER, HEADER + "\ndefault_input_pin_cap : 0.2;"
    )
    assert read_liberty(text).cells["ND2"].input_capacitance_f["A"] == pytest.approx(0.2e-14)


def test_a_default_leakage_of_the_library_stands_in_for_one_of_a_cell() -> None:
    text = LIBRARY.replace("cell_leakage_power : 7;", "").replace(
        HEADER, HEADER + "\n  default_cell_leakage_power : 5;"
    )
    assert read_liberty(text).cells["ND2"].leakage_w == pytest.approx(5e-12)


@pytest.mark.parametrize(
    ("conditions", "supply_v"),
    [
        ("nom_voltage : 1.1; operating_conditions (slow) { voltage : 0.9; }", 1.1),
        (
            "operating_conditions (slow) { voltage : 0.9; } operating_conditions (fast) { voltage : 1.3; } "
            "default_operating_conditions : fast;",
            1.3,
        ),
        ("operating_conditions (typical) { process : 1; voltage : 1.2; }", 1.2),
    ],
)
def test_the_supply_is_the_nominal_one_else_that_of_the_default_condition(
    conditions: str, supply_v: float
) -> None:
    assert read_liberty(LIBRARY.replace("nom_voltage : 2.0;", conditions)).supply_v == supply_v


def test_several_conditions_without_a_default_give_no_supply() -> None:
    two = "operating_conditions (a) { voltage : 0.9; } operating_conditions (b) { voltage : 1.3; }"
    with pytest.raises(
        LibertyError, match="nom_voltage is missing and 2 operating conditions give no one supply"
    ):
        read_liberty(LIBRARY.replace("nom_voltage : 2.0;", two))


@pytest.mark.parametrize("clocked_on", ["!C", "C'", "(!C)", "(C)'"])
def test_a_flop_of_the_falling_edge_is_left_out_and_named_where_there_is_no_other(clocked_on: str) -> None:
    falling = flop("FFN", area=1, clocked_on=clocked_on)
    assert read_liberty(library(FFN=falling)).flop(enable=False).name == "FF"
    with pytest.raises(
        LibertyError, match=r"no flop without enable.*not used: FFN works at the falling edge"
    ):
        read_liberty(library(FFN=falling, FF=""))


@pytest.mark.parametrize("clocked_on", ["C", "(C)", "!(!C)"])
def test_a_clock_may_be_written_as_any_function_that_is_one_pin(clocked_on: str) -> None:
    assert read_liberty(library(FF=flop("FF", clocked_on=clocked_on))).cells["FF"].clock_pin == "C"


def test_a_flop_that_shows_only_the_inverse_of_its_state_is_a_flop() -> None:
    found = read_liberty(library(FF=flop("FF", output="QN", function="IQ'")))
    assert found.flop(enable=False).functions == {"QN": "IQN"}


@pytest.mark.parametrize(
    "next_state", ["(D&E)|(IQ&!E)", "(D !E) + (IQ E)", "(E&D)|(!E&IQ)", "E ? D : IQ"], ids=range(4)
)
def test_a_flop_with_enable_is_known_by_what_it_takes_over(next_state: str) -> None:
    found = read_liberty(library(FFE=flop("FFE", data="DE", next_state=next_state)))
    if "?" in next_state:
        with pytest.raises(LibertyError, match="it has no flop with enable, allowed is a library with one"):
            found.flop(enable=True)
    else:
        assert found.flop(enable=True).name == "FFE"


@pytest.mark.parametrize(
    "other",
    [
        flop("FFX", area=1, data="DR", next_state="D&R"),
        flop("FFX", area=1, data="DR", extra='clear : "R\'";'),
        flop("FFX", area=1, data="DSE", next_state="(D&!E)|(S&E)"),
    ],
    ids=["synchronous reset", "reset", "scan"],
)
def test_a_flop_with_another_pin_is_not_taken_for_one_with_enable(other: str) -> None:
    found = read_liberty(library(FFX=other))
    assert "FFX" in found.cells
    assert found.flop(enable=False).name == "FF"
    with pytest.raises(LibertyError, match="library foundry: it has no flop with enable"):
        found.flop(enable=True)


def test_without_flops_that_hold_or_a_multiplexer_a_small_memory_is_always_a_macro() -> None:
    table = SramTable(cells=read_liberty(LIBRARY), wiring=cmos65_wiring())
    assert table.macro(words=2, word_bits=8).built_as == "macro"


def test_a_gate_the_library_lacks_is_named() -> None:
    with pytest.raises(LibertyError, match=r"library foundry: it has no gate 'A\^B'"):
        read_liberty(LIBRARY).gate("A^B", ("A", "B"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LIBRARY.replace('"10ps"', '"10 apples"'), "a unit is '10 apples', allowed is a number, a prefix"),
        (LIBRARY.replace("(10, ff)", "(10)"), "capacitive_load_unit is 10, allowed is a number and ff or pf"),
        (LIBRARY.replace("capacitive_load_unit (10, ff);", ""), "capacitive_load_unit is missing"),
        (
            LIBRARY.replace('leakage_power_unit : "1pW";', ""),
            "leakage_power_unit is missing where cells state",
        ),
        (
            LIBRARY.replace("nom_voltage", "delay_model : generic_cmos; nom_voltage"),
            "delay_model is generic_cmos",
        ),
        (
            LIBRARY.replace('values ("0.1, 0.2, 0.6", ', "values ("),
            "line .*: cell_rise has 3 values over axes of",
        ),
        (LIBRARY.replace('("6")', '("six")'), "line .*: values of rise_constraint holds 'six'"),
        (LIBRARY.replace('("6")', '("inf")'), "line .*: values of rise_constraint holds 'inf'"),
        (
            LIBRARY.replace("area : 3.0", "area : nan"),
            r"line .*: area of cell \(ND2\) is 'nan', allowed is a",
        ),
        (library(FF=""), "it has no flop without enable, set or reset"),
        (library(INV=""), "it has no gate '!A'"),
        (library(BUF=""), "it has no gate 'A'"),
        (library(ND2=""), "library foundry: it has no two-input NAND, allowed is a library with one"),
    ],
)
def test_a_library_that_lacks_what_the_project_needs_is_refused_in_one_sentence(
    text: str, message: str
) -> None:
    with pytest.raises(LibertyError, match=message) as refusal:
        read_liberty(text)
    assert "\n" not in str(refusal.value)


def test_tables_may_put_the_load_first_or_have_three_axes() -> None:
    load, slew = "variable_{} : total_output_net_capacitance;", "variable_{} : input_net_transition;"
    points = 'index_1 ("{}"); index_2 ("{}"); }}'
    swapped = LIBRARY.replace(
        f"(t) {{ {slew.format(1)} {load.format(2)}\n    {points.format('5, 15', '0, 1, 4')}",
        f"(t) {{ {load.format(1)} {slew.format(2)} {points.format('0, 1, 4', '5, 15')}",
    )
    for before, after in (
        ('"0.1, 0.2, 0.6", "0.3, 0.4, 0.9"', '"0.1, 0.3", "0.2, 0.4", "0.6, 0.9"'),
        ('"0.1, 0.4, 0.6", "0.3, 0.6, 0.9"', '"0.1, 0.3", "0.4, 0.6", "0.6, 0.9"'),
    ):
        swapped = swapped.replace(before, after)
    assert swapped != LIBRARY
    assert _arcs(read_liberty(swapped)) == pytest.approx(_arcs(read_liberty(LIBRARY)))
    axes = 'index_1 ("5, 15"); index_2 ("0, 1, 4"); index_3 ("5, 15");'
    third = f'{{ {axes} values ("1,1, 2,2, 3,3", "3,3, 4,4, 5,5"); }}'
    text = LIBRARY.replace('rise_power (p) { values ("1, 2, 3", "3, 4, 5"); }', f"rise_power (p) {third}")
    assert read_liberty(text).cells["ND2"].switch_energy_j["Z"] == pytest.approx((3 + 1 / 3) * 10e-15)


def _arcs(found: CellLibrary) -> list[float]:
    return [figure for arc in found.cells["ND2"].arcs for figure in (arc.intrinsic_s, arc.slope_s_per_f)]


PIECES = ["", "}", "(", '"', "0", "x : y;", "\\"]


@settings(max_examples=300)
@given(st.integers(0, len(LIBRARY)), st.integers(1, 60), st.sampled_from(PIECES))
def test_a_library_of_which_a_piece_is_lost_is_read_or_refused_in_one_sentence(
    start: int, length: int, put: str
) -> None:
    said = ""
    try:
        found = read_liberty(LIBRARY[:start] + put + LIBRARY[start + length :])
        assert all(cell.area_um2 > 0 for cell in found.cells.values())
    except LibertyError as refusal:
        said = str(refusal)
    assert "\n" not in said
    assert not said.endswith(".")
