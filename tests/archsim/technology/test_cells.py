"""The project's own cell library: what it holds, where it comes from, and how it is read back."""

from __future__ import annotations

import itertools
import re
from importlib import resources

import pytest
from hypothesis import given, strategies as st

from archsim.calibration.cells import DRIVES, GATES, base_and_drive, derive_cells
from archsim.calibration.liberty_writer import library_text
from archsim.technology.asic.generic_cells import LIBRARY_FILE, cmos65_library
from archsim.technology.liberty.boolean import truth_table
from archsim.technology.liberty.reader import read_liberty
from archsim.technology.liberty.text import LibertyError
from tests.archsim.technology.small_library import library

LIBRARY = cmos65_library()
DERIVED = derive_cells()


def test_the_committed_library_is_what_the_data_gives_byte_for_byte() -> None:
    committed = (resources.files("archsim.technology") / "data" / LIBRARY_FILE).read_bytes()
    assert library_text().encode() == committed


def test_a_nand2_is_one_gate_equivalent_of_1_44_square_micron() -> None:
    assert LIBRARY.gate_equivalent_um2 == pytest.approx(1.44)
    assert LIBRARY.nand2.name == "NAND2_X1"


def test_the_library_is_read_back_as_it_was_derived() -> None:
    assert set(LIBRARY.cells) == set(DERIVED)
    for name, figures in DERIVED.items():
        cell = LIBRARY.cells[name]
        assert cell.area_um2 == pytest.approx(figures.area_um2, rel=1e-5)
        assert cell.leakage_w == pytest.approx(figures.leakage_w, rel=1e-5)
        assert max(cell.input_capacitance_f.values()) == pytest.approx(figures.input_capacitance_f, rel=1e-5)
        for energy_j in cell.switch_energy_j.values():
            assert energy_j == pytest.approx(figures.switch_energy_j, rel=1e-5)
        assert cell.clock_edge_energy_j == pytest.approx(figures.clock_edge_energy_j, rel=1e-5)
        assert cell.setup_s == pytest.approx(figures.setup_s, rel=1e-5)
        for arc in cell.arcs:
            assert arc.intrinsic_s == pytest.approx(figures.intrinsic_s, rel=1e-4)
            assert arc.slope_s_per_f == pytest.approx(figures.slope_s_per_f, rel=1e-4)


def test_flops_with_and_without_enable_have_a_clock_that_costs() -> None:
    for enable, name in ((False, "DFF_X1"), (True, "DFFE_X1")):
        flop = LIBRARY.flop(enable=enable)
        assert flop.name == name
        assert flop.clock_pin == "CK"
        assert flop.clock_edge_energy_j > 1e-15


def test_the_library_has_a_latch_and_a_clock_gate_of_about_a_flop() -> None:
    flop, latch, gate = (LIBRARY.cells[f"{name}_X1"] for name in ("DFF", "DLATCH", "CLKGATE"))
    assert (latch.kind, gate.kind) == ("latch", "clock gate")
    assert LIBRARY.clock_gate is gate
    assert latch.area_um2 < gate.area_um2 < flop.area_um2
    assert 0.5 < gate.clock_edge_energy_j / flop.clock_edge_energy_j < 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no complete library group"),
        ("library (x) { }", "capacitive_load_unit is missing"),
        ("library (x) { capacitive_load_unit (1, pf); }", "no two-input NAND"),
    ],
)
def test_a_text_that_is_no_library_is_refused(text: str, message: str) -> None:
    with pytest.raises(LibertyError, match=message):
        read_liberty(text)


@pytest.mark.parametrize("gate", GATES)
def test_each_gate_computes_what_its_name_says(gate: str) -> None:
    shape = GATES[gate]
    meaning = {
        "INV": lambda a: not a,
        "BUF": lambda a: a,
        "NAND2": lambda a, b: not (a and b),
        "NAND3": lambda a, b, c: not (a and b and c),
        "NAND4": lambda a, b, c, d: not (a and b and c and d),
        "NOR2": lambda a, b: not (a or b),
        "NOR3": lambda a, b, c: not (a or b or c),
        "AND2": lambda a, b: a and b,
        "OR2": lambda a, b: a or b,
        "AOI21": lambda a, b, c: not ((a and b) or c),
        "OAI21": lambda a, b, c: not ((a or b) and c),
        "AOI22": lambda a, b, c, d: not ((a and b) or (c and d)),
        "XOR2": lambda a, b: a != b,
        "XNOR2": lambda a, b: a == b,
        "MUX2": lambda a, b, s: b if s else a,
        "HA": lambda a, b: a != b,
        "FA": lambda a, b, c: a ^ b ^ c,
    }[gate]
    places = range(len(shape.inputs))
    rows = [[bool(row >> place & 1) for place in places] for row in range(1 << len(shape.inputs))]
    assert truth_table(shape.function, shape.inputs) == tuple(bool(meaning(*row)) for row in rows)  # type: ignore[operator]


@pytest.mark.parametrize(("name", "bits"), [("HA_X1", 2), ("FA_X1", 3)])
def test_sum_and_carry_of_an_adder_are_the_sum_of_its_bits(name: str, bits: int) -> None:
    cell = LIBRARY.cells[name]
    inputs = tuple(cell.input_capacitance_f)
    total, carry = (truth_table(cell.functions[pin], inputs) for pin in ("S", "CO"))
    assert [int(low) + 2 * int(high) for low, high in zip(total, carry, strict=True)] == [
        row.bit_count() for row in range(1 << bits)
    ]
    assert {(arc.input, arc.output) for arc in cell.arcs} == set(itertools.product(inputs, ("S", "CO")))


def test_the_adders_of_a_library_are_known_by_what_they_compute() -> None:
    full, half = LIBRARY.full_adder, LIBRARY.half_adder
    assert full is not None
    assert (full.cell.name, full.sum, full.carry) == ("FA_X1", "S", "CO")
    assert half is not None
    assert (half.cell.name, half.sum, half.carry) == ("HA_X1", "S", "CO")
    renamed = re.sub(r"\bFA_X1\b", "ADD", LIBRARY.text).replace("pin (CO)", "pin (SUM)")
    swapped = read_liberty(renamed.replace("pin (S)", "pin (OUT)")).full_adder
    assert swapped is not None
    assert (swapped.cell.name, swapped.sum, swapped.carry) == ("ADD", "OUT", "SUM")
    assert read_liberty(library()).full_adder is None


def test_an_adder_takes_less_than_the_gates_that_do_the_same() -> None:
    cells = LIBRARY.cells
    gates = 2 * cells["XOR2_X1"].area_um2 + 3 * cells["NAND2_X1"].area_um2
    assert 0.6 * gates < cells["FA_X1"].area_um2 < gates
    # Every published library lies between: 5.0 (osu018) to 6.0 gate equivalents (ICS55).
    assert 5 < cells["FA_X1"].area_um2 / LIBRARY.gate_equivalent_um2 < 6


@pytest.mark.parametrize("base", DRIVES)
def test_a_stronger_drive_is_larger_and_loses_less_by_its_load(base: str) -> None:
    drives = sorted(
        (base_and_drive(name)[1], figures)
        for name, figures in DERIVED.items()
        if base_and_drive(name)[0] == base
    )
    assert [drive for drive, _ in drives] == ([1, 2, 4] if base in ("INV", "BUF") else [1, 2])
    for (_, weak), (_, strong) in itertools.pairwise(drives):
        assert strong.area_um2 > weak.area_um2
        assert strong.leakage_w > weak.leakage_w
        assert strong.switch_energy_j > weak.switch_energy_j
        assert 0.45 < strong.slope_s_per_f / weak.slope_s_per_f < 0.6


@given(st.integers(0, 15))
def test_liberty_operators_in_every_spelling(row: int) -> None:
    a, b, c, d = (bool(row >> place & 1) for place in range(4))
    names = ("A", "B", "C", "D")
    assert truth_table("A B' + (C ^ D)", names)[row] == ((a and not b) or (c != d))
    assert truth_table("!(A*B) & (C|D)'", names)[row] == (not (a and b) and not (c or d))
    assert truth_table("A & 1 | 0", names)[row] == a


@pytest.mark.parametrize("function", ["A &", "(A", "A @ B", "E", "A) B"])
def test_a_text_that_is_no_function_is_refused(function: str) -> None:
    with pytest.raises(ValueError, match="allowed"):
        truth_table(function, ("A", "B"))
