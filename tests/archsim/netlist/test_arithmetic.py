"""Products and sums as gates: the same on every library, and the adders and drives it has are used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.netlist import AsicSynthesis, ToggleCounter, synthesise_asic
from archsim.technology import Asic, Cmos65
from tests.archsim.netlist.sample import engine, pe_module
from tests.archsim.technology.small_library import library
from tests.archsim.technology.test_asic import OSU018, needs_osu018

pytestmark = pytest.mark.slow

CYCLES = 600


def registered(expression: str, *, left: int, right: int, bits: int, signed: bool) -> str:
    """A circuit whose register takes over `expression` of its inputs a and b."""
    kind = "signed " if signed else ""
    return f"""
module circuit(input clk, input {kind}[{left - 1}:0] a, input {kind}[{right - 1}:0] b,
               output reg {kind}[{bits - 1}:0] p);
  always @(posedge clk) p <= {expression};
endmodule
"""


def follow(made: AsicSynthesis, technology: Any, a: list[int], b: list[int], p: list[int]) -> None:
    """Runs a mapped circuit. ToggleCounter refuses one whose register does not take these values."""
    counter = ToggleCounter(made.flat(), technology.library, {"a": "a", "b": "b", "p": "p"})
    assert counter.count({"a": a, "b": b, "p": p}).toggles.sum() > CYCLES


def as_signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def operands(left: int, right: int) -> tuple[list[int], list[int]]:
    """Random bits, and every pair of extremes."""
    draw = np.random.default_rng(left * 100 + right)
    ends = [
        (x, y) for x in (0, 1 << (left - 1), (1 << left) - 1) for y in (0, 1 << (right - 1), (1 << right) - 1)
    ]
    drawn = zip(draw.integers(0, 1 << left, CYCLES), draw.integers(0, 1 << right, CYCLES), strict=True)
    pairs = [*ends, *((int(x), int(y)) for x, y in drawn)]
    return [x for x, _ in pairs], [y for _, y in pairs]


def multiplies(
    technology: Any, left: int, right: int, bits: int, *, signed: bool, booth: bool
) -> AsicSynthesis:
    verilog = registered("a * b", left=left, right=right, bits=bits, signed=signed)
    made = synthesise_asic(verilog, "circuit", technology, booth=booth)
    a, b = operands(left, right)
    products = [
        (as_signed(x, left) * as_signed(y, right) if signed else x * y) % (1 << bits)
        for x, y in zip(a, b, strict=True)
    ]
    follow(made, technology, a, b, [0, *products[:-1]])
    return made


@pytest.mark.parametrize("booth", [False, True], ids=["rows", "booth"])
@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
@pytest.mark.parametrize(
    ("left", "right", "bits"),
    [(8, 8, 16), (2, 2, 4), (4, 9, 13), (9, 4, 13), (8, 8, 22), (6, 5, 7), (1, 6, 7)],
)
def test_a_product_of_any_shape_is_the_product(
    left: int, right: int, bits: int, signed: bool, booth: bool
) -> None:
    multiplies(Cmos65(), left, right, bits, signed=signed, booth=booth)


@pytest.mark.parametrize("booth", [False, True], ids=["rows", "booth"])
def test_a_library_without_adders_multiplies_as_well(booth: bool, tmp_path: Path) -> None:
    path = tmp_path / "own.lib"
    path.write_text(library(), encoding="utf-8")
    multiplies(Asic(liberty=str(path), node_nm=65), 8, 8, 16, signed=True, booth=booth)


@needs_osu018
@pytest.mark.parametrize("booth", [False, True], ids=["rows", "booth"])
def test_the_adders_of_an_open_library_are_used(booth: bool) -> None:
    made = multiplies(Asic(liberty=str(OSU018), node_nm=180), 8, 8, 16, signed=True, booth=booth)
    assert made.components["circuit"].cells["FAX1"] > 10


def test_a_product_is_a_tree_of_adder_cells() -> None:
    cells = multiplies(Cmos65(), 8, 8, 16, signed=True, booth=False).components["circuit"].cells
    # 64 partial products and the constants become two rows: a full adder takes one bit away.
    assert 30 <= cells["FA_X1"] <= 48
    assert cells["HA_X1"] > 5


def test_a_sign_extended_product_costs_what_the_narrow_one_costs() -> None:
    narrow = pe_module()
    wide = narrow.replace("wire signed [15:0] product = w * a;", "wire signed [23:0] product = w * a;")
    areas = [synthesise_asic(text, "pe").components["pe"].area_um2 for text in (narrow, wide)]
    assert areas[1] == pytest.approx(areas[0], rel=0.02)


@pytest.mark.parametrize("bits", [22, 32])
def test_a_sum_keeps_its_fast_carry(bits: int) -> None:
    verilog = registered("a + b", left=bits, right=bits, bits=bits, signed=False)
    made = synthesise_asic(verilog, "circuit")
    a, b = operands(bits, bits)
    follow(made, Cmos65(), a, b, [0, *((x + y) % (1 << bits) for x, y in zip(a, b, strict=True))][:-1])
    # A ripple of this library takes 0.09 ns a bit.
    assert made.critical_path_s < 0.055e-9 * bits


def test_drives_are_chosen_where_speed_wants_them() -> None:
    counts = synthesise_asic(engine(4), "archsim_engine").flat().count()
    stronger = {name: number for name, number in counts.items() if name.endswith(("_X2", "_X4"))}
    assert len(stronger) >= 4
    assert 0.01 < sum(stronger.values()) / sum(counts.values()) < 0.2
