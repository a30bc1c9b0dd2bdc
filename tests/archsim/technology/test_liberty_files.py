"""Libraries as they come: several supply pins, files and spellings, resets everywhere; and Yosys's text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from archsim.technology.liberty.boolean import truth_table
from archsim.technology.liberty.cell_reader import CellReader
from archsim.technology.liberty.reader import read_liberty
from archsim.technology.liberty.text import LibertyError, parse_liberty
from tests.archsim.technology.small_library import CELLS, HEADER, POWER, flop, gate, library

LIBRARY = library()
PIECES = ["", "}", "(", '"', "0", "x : y;", "\\"]

PER_PIN = " ".join(
    f'leakage_power () {{ when : "{when}"; related_pg_pin : {pin}; value : {value}; }}'
    for when, pin, value in (("A", "VDD", 1.0), ("A", "VNW", 0.2), ("!A", "VDD", 3.0), ("!A", "VNW", 0.4))
)


@pytest.mark.parametrize("marks", [{}, {"related_pg_pin": "power_level"}])
def test_leakage_is_the_mean_over_states_added_over_supply_pins(marks: dict[str, str]) -> None:
    text = gate("INV", "A", "A'", area=2).replace("cell_leakage_power : 7;", PER_PIN)
    for old, new in marks.items():
        text = text.replace(old, new)
    assert read_liberty(library(INV=text)).cells["INV"].leakage_w == pytest.approx(2.3e-12)


def test_internal_energies_of_different_supply_pins_add_up_and_those_of_states_do_not() -> None:
    def power(more: str) -> str:
        return POWER.replace("internal_power () {", f"internal_power () {{ {more}")

    once = read_liberty(LIBRARY).cells["INV"].switch_energy_j["Z"]
    for pairs, times in (
        (("related_pg_pin : VDD;", "related_pg_pin : VNW;"), 2),
        (('when : "A";', 'when : "!A";'), 1),
        (('related_pg_pin : VDD; when : "A";', 'related_pg_pin : VDD; when : "!A";'), 1),
    ):
        both = gate("INV", "A", "A'", area=2, power=" ".join(map(power, pairs)))
        assert read_liberty(library(INV=both)).cells["INV"].switch_energy_j["Z"] == pytest.approx(
            times * once
        )


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "functions without quotes": lambda text: re.sub(
        r'(function|next_state|clocked_on) : "([^"]*)"', r"\1 : \2", text
    ),
    "functions in brackets": lambda text: re.sub(r'function : "([^"]*)"', r'function : "(\1)"', text),
    "names in quotes": lambda text: re.sub(r"(cell|pin) \((\w+)\)", r'\1 ("\2")', text),
    "stray semicolons": lambda text: text.replace("};", "} ;;").replace("; }", ";; }"),
    "no semicolon": lambda text: text.replace("cell_leakage_power : 7;", "cell_leakage_power : 7\n"),
    "comments": lambda text: text.replace("{", "{ /* a } \n // b */", 40),
    "line continuations": lambda text: text.replace('("1, 2, 3", ', '( \\\n "1, 2, 3", \\\n '),
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "defines": lambda text: text.replace(
        "time_unit", "define (x, cell, string); define_group (g, cell); time_unit"
    ),
    "units without quotes": lambda text: (
        text.replace('"10ps"', "10 ps").replace('"1V"', "1v").replace('"1pW"', "1e-3nW")
    ),
    "a unit of other prefix": lambda text: text.replace("(10, ff)", "(0.01, pF)"),
    "two pins in one group": lambda text: text.replace(
        "pin (A) { direction : input; capacitance : 0.5; } pin (B) { direction : input; capacitance : 0.5; }",
        "pin (A, B) { direction : input; capacitance : 0.5; }",
    ),
    "an attribute twice alike": lambda text: text.replace("area : 3.0;", "area : 3.0; area : 3.0;"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_whatever_the_spelling_yosys_is_given_the_same_text(spelling: str) -> None:
    respelt = SPELLINGS[spelling](LIBRARY)
    assert respelt != LIBRARY
    found, plain = read_liberty(respelt), read_liberty(LIBRARY)
    assert found.text == plain.text
    assert found.cells.keys() == plain.cells.keys()
    for name, cell in found.cells.items():
        assert cell.leakage_w == pytest.approx(plain.cells[name].leakage_w)
        assert cell.switch_energy_j == pytest.approx(plain.cells[name].switch_energy_j)


def test_what_yosys_is_given_reads_back_as_the_gates_that_were_read() -> None:
    """Its functions, areas, pins and tables; power is not in it, and no flop's delays."""
    found = read_liberty(library(XO=gate("XO", "AB", "A^B"), AO=gate("AO", "ABC", "A*B ^ C + !A'")))
    again = parse_liberty(found.text)
    reader = CellReader(again, load_f=1e-15, zero_power=True)
    gates = [cell for cell in found.cells.values() if cell.is_gate]
    assert len(gates) == 5
    for group in again.groups("cell"):
        cell = found.cells[group.name]
        if cell.is_gate:
            same = reader.cell(group)
            assert same.area_um2 == cell.area_um2
            assert same.input_capacitance_f == pytest.approx(dict(cell.input_capacitance_f))
            pins = tuple(cell.input_capacitance_f)
            for name, function in cell.functions.items():
                assert truth_table(same.functions[name], pins) == truth_table(function, pins)
            for arc, other in zip(cell.arcs, same.arcs, strict=True):
                assert other.intrinsic_s == pytest.approx(arc.intrinsic_s, rel=1e-6)
                assert other.slope_s_per_f == pytest.approx(arc.slope_s_per_f, rel=1e-6)


def test_a_table_that_does_not_follow_slew_or_load_goes_to_yosys_as_one_that_does() -> None:
    text = LIBRARY.replace(
        'cell_rise (t) { values ("0.1, 0.2, 0.6", "0.3, 0.4, 0.9"); }', "cell_rise (scalar) { values (0.2); }"
    )
    group = next(each for each in parse_liberty(read_liberty(text).text).groups("cell") if each.name == "INV")
    timing = next(next(pin for pin in group.groups("pin") if pin.name == "Z").groups("timing"))
    assert next(timing.groups("cell_rise")).values("values") == ("0.002, 0.002", "0.002, 0.002")


def _halves(folder: Path, header: str = HEADER) -> list[Path]:
    """The library in two files: gates in one, flops in the other, under a header of its own."""
    gates, flops = folder / "gates.lib", folder / "flops.lib"
    gates.write_text(library(FF=""))
    flops.write_text(library(header, INV="", BUF="", ND2="").replace("foundry", "other"))
    return [gates, flops]


def test_a_library_in_two_files_is_the_library_in_one(tmp_path: Path) -> None:
    found = read_liberty(_halves(tmp_path))
    whole = read_liberty(LIBRARY)
    assert found.cells == whole.cells
    assert found.name == "foundry and 1 more"
    assert found.text.partition("{")[2] == whole.text.partition("{")[2]


def test_each_file_has_its_own_units_and_templates(tmp_path: Path) -> None:
    """The flops in units ten times as large: their numbers mean ten times as much, those of gates do not."""
    larger = HEADER.replace("(10, ff)", "(100, ff)").replace('"10ps"', '"100ps"').replace('"1pW"', '"10pW"')
    found, whole = read_liberty(_halves(tmp_path, larger)), read_liberty(LIBRARY)
    assert found.cells["ND2"] == whole.cells["ND2"]
    assert found.cells["FF"].setup_s == pytest.approx(10 * whole.cells["FF"].setup_s)
    assert found.cells["FF"].leakage_w == pytest.approx(10 * whole.cells["FF"].leakage_w)
    assert found.cells["FF"].input_capacitance_f["D"] == pytest.approx(10 * 1e-15)


def test_what_two_files_both_have_or_say_differently_is_refused_with_both_named(tmp_path: Path) -> None:
    gates, flops = _halves(tmp_path)
    flops.write_text(library(INV="", BUF=""))
    with pytest.raises(
        LibertyError, match=r"cell ND2 is there twice, in .*gates.lib, line 22, and in .*flops.lib, line"
    ):
        read_liberty([gates, flops])
    flops.write_text(library(HEADER.replace("2.0", "1.8"), INV="", BUF="", ND2=""))
    with pytest.raises(
        LibertyError, match=r"nom_voltage is 2 in .*gates.lib and 1.8 in .*flops.lib, allowed"
    ):
        read_liberty([gates, flops])
    flops.write_text("library (x) {")
    with pytest.raises(LibertyError, match=r"file .*flops.lib: Liberty text, line 1: the bracket"):
        read_liberty([gates, flops])
    with pytest.raises(LibertyError, match=r"file .*gates.lib is named twice"):
        read_liberty([gates, gates])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (library(TWO=CELLS["INV"]), "cell INV is there twice, in lines .* and .*, allowed is one of a name"),
        (
            LIBRARY.replace("area : 3.0;", "area : 3.0; area : 4;"),
            r"area of cell \(ND2\) is '4' after '3.0', allowed",
        ),
        (
            LIBRARY.replace("lu_table_template (t) {", "lu_table_template (t) { } lu_table_template (t) {"),
            "template .* twice",
        ),
        (
            LIBRARY.replace("cell_rise (t)", 'cell_rise (u) { index_1 ("1, 2"); } x (t)'),
            "template of cell_rise is 'u', which",
        ),
    ],
)
def test_what_is_there_twice_or_not_at_all_is_never_guessed(text: str, message: str) -> None:
    with pytest.raises(LibertyError, match=message):
        read_liberty(text)


def test_a_pin_that_is_there_twice_makes_a_cell_unusable() -> None:
    twice = gate("X", "A", "A").replace(
        "pin (Z)", "pin (A) { direction : input; capacitance : 0.7; } pin (Z)"
    )
    assert read_liberty(library(X=twice)).left_out["X"] == "has two pins called A"


def test_templates_of_times_and_of_energies_may_have_one_name() -> None:
    text = LIBRARY.replace("power_lut_template (p)", "power_lut_template (t)").replace(
        "_power (p)", "_power (t)"
    )
    assert read_liberty(text).cells == read_liberty(LIBRARY).cells
    head, mark, rest = text.partition("power_lut_template")
    other = head + mark + rest.replace("0, 1, 4", "0, 2, 8", 1)
    assert other != text
    assert read_liberty(other).cells["ND2"].arcs == read_liberty(LIBRARY).cells["ND2"].arcs


# Flops that all have a reset.


@pytest.mark.parametrize(
    ("extra", "level"),
    [('clear : "!R";', True), ('clear : "R\'";', True), ('clear : "R";', False), ('preset : "(!R)";', True)],
)
def test_where_every_flop_has_a_reset_it_is_held_at_rest(extra: str, level: bool) -> None:
    found = read_liberty(library(FF=flop("FF", data="DR", extra=extra)))
    plain = read_liberty(LIBRARY).cells["FF"]
    held = found.flop(enable=False)
    assert (held.name, held.tied, found.tied) == ("FF", {"R": level}, ("FF",))
    assert held.takes_data
    assert held.input_capacitance_f.keys() == plain.input_capacitance_f.keys()
    for figure in ("area_um2", "leakage_w", "clock_edge_energy_j", "setup_s"):
        assert getattr(held, figure) == getattr(plain, figure)
    assert "pin (R)" not in found.text
    assert "clear" not in found.text


def test_both_set_and_reset_are_held_and_one_that_does_more_is_not() -> None:
    both = read_liberty(library(FF=flop("FF", data="DRS", extra='clear : "R"; preset : "!S";')))
    assert both.flop(enable=False).tied == {"R": False, "S": True}
    for next_state, extra in (("D&R", 'clear : "R";'), ("D", 'clear : "R & D";')):
        with pytest.raises(LibertyError, match="it has no flop without enable, set or reset"):
            read_liberty(library(FF=flop("FF", data="DR", next_state=next_state, extra=extra)))


def test_a_library_that_has_a_plain_flop_keeps_its_resets() -> None:
    found = read_liberty(library(FR=flop("FR", area=5, data="DR", extra='clear : "!R";')))
    assert found.tied == ()
    assert found.flop(enable=False).name == "FF"
    assert found.cells["FR"].clear == "!R"
    assert 'clear : "(!R)"' in found.text


@settings(max_examples=100)
@given(st.integers(0, len(LIBRARY)), st.integers(1, 60), st.sampled_from(PIECES))
def test_what_is_read_of_a_damaged_library_is_what_yosys_is_given(start: int, length: int, put: str) -> None:
    try:
        found = read_liberty(LIBRARY[:start] + put + LIBRARY[start + length :])
    except LibertyError:
        return
    written = parse_liberty(found.text)
    assert {group.name for group in written.groups("cell")} == found.cells.keys()
    assert all(group.number("area") == found.cells[group.name].area_um2 for group in written.groups("cell"))
