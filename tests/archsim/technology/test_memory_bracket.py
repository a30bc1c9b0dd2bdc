"""Real macros beside the model: the table read from their files, and the bracket that follows from it."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from archsim.calibration.sram_macros import FOLDER_VARIABLE, beside_model, read_macro, read_macros
from archsim.technology import Artix7, Cmos, Cmos65, MemoryMacro
from archsim.technology.asic.scaling import process
from archsim.technology.liberty.text import LibertyError
from archsim.technology.memories.bracket import (
    BRACKET_TABLE,
    FIGURES,
    FOUNDRY,
    MACROS_TABLE,
    UNCOMPARED,
    MemoryBracket,
    excess,
)
from archsim.technology.quantity import load_table

REAL = load_table(MACROS_TABLE).rows
ROWS = load_table(BRACKET_TABLE).rows
FOUNDRYS = [row for row in ROWS if row["evidence"] == FOUNDRY]
ONE_SIGMA = dict(zip(FIGURES, (1.12, 1.24, 1.37, 1.05, 1.22), strict=True))


def memory(words: int, word_bits: int) -> MemoryMacro:
    return Cmos65().memory(words=words, word_bits=word_bits)


def bracket(words: int, word_bits: int) -> MemoryBracket:
    ends = memory(words, word_bits).bracket
    assert ends is not None
    return ends


@pytest.mark.skipif(FOLDER_VARIABLE not in os.environ, reason=f"{FOLDER_VARIABLE} names no folder of macros")
def test_the_files_of_the_foundry_give_the_table() -> None:
    found = [asdict(macro) for macro in read_macros(Path(os.environ[FOLDER_VARIABLE]))]
    assert len(found) == len(REAL) == 10
    for macro, row in zip(found, REAL, strict=True):
        assert macro == pytest.approx(dict(row), rel=1e-5)


def test_a_folder_without_macros_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"folder is .*, allowed is one with files named RM_IHPSG13_1P_"):
        read_macros(tmp_path)


LIBERTY = """
library (small) {
  capacitive_load_unit (1, pf); voltage_unit : "1V"; time_unit : "1ns"; leakage_power_unit : "1nW";
  cell (small) {
    area : 6; cell_leakage_power : 50;
    memory () { type : ram; address_width : 6; word_width : 4; }
    bus (A_ADDR) { pin (A_ADDR[5:0]) {
      internal_power () { when : "A_MEN"; rise_power (scalar) { values (0.3); }
                          fall_power (scalar) { values (0.1); } }
      internal_power () { when : "!A_MEN"; rise_power (scalar) { values (9); } } }
      timing () { timing_type : setup_rising; rise_constraint (scalar) { values (-0.2); } } }
    bus (A_DIN) { pin (A_DIN[3:0]) {
      internal_power () { when : "A_MEN"; rise_power (scalar) { values (0.8); }
                          fall_power (scalar) { values (0.4); } } } }
    bus (A_BM) { }
    pin (A_WEN) { timing () { timing_type : setup_rising; rise_constraint (scalar) { values (0.25); } } }
    pin (A_REN) { timing () { timing_type : hold_rising; rise_constraint (scalar) { values (0.7); } } }
    pin (A_MEN) { }
    pin (A_CLK) {
      internal_power () { when : "!A_MEN & !A_WEN & !A_REN"; rise_power (scalar) { values (0); }
                          fall_power (scalar) { values (0.5); } }
      internal_power () { when : "A_MEN & A_WEN & !A_REN"; rise_power (scalar) { values (20); }
                          fall_power (scalar) { values (1); } }
      internal_power () { when : "A_MEN & !A_WEN & A_REN"; rise_power (scalar) { values (10); }
                          fall_power (scalar) { values (2); } } }
    bus (A_DOUT) { timing () { cell_rise (scalar) { values (3); } cell_fall (scalar) { values (2); } } }
  }
}
"""


def test_an_access_is_both_edges_of_the_clock_and_half_of_the_pins_that_change() -> None:
    macro = read_macro(LIBERTY, "MACRO small\n  SIZE 3 BY 2 ;\n")
    assert (macro.words, macro.word_bits, macro.area_mm2) == (64, 4, 6e-6)
    assert (macro.clock_idle_j, macro.leakage_w) == pytest.approx((0.5e-12, 50e-9))
    assert macro.read_energy_j == pytest.approx(12e-12 + 3 * 0.2e-12)
    assert macro.write_energy_j == pytest.approx(21e-12 + 3 * 0.2e-12 + 0.6e-12 / 2)
    assert (macro.access_time_s, macro.setup_s) == pytest.approx((2.5e-9, 0.25e-9))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("SIZE", "ORIGIN", "macro small: its LEF text states no SIZE, allowed is one with it"),
        ("cell_leakage_power : 50;", "", "line 4: cell_leakage_power is missing, allowed is a number"),
        ("bus (A_DIN)", "bus (B_DIN)", "macro small: it has no pin A_DIN, allowed is a macro with one"),
    ],
)
def test_a_macro_that_lacks_a_figure_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(LibertyError, match=message):
        read_macro(LIBERTY.replace(old, new), "  SIZE 3 BY 2 ;\n".replace(old, new))


def test_the_ratios_are_those_of_the_tables() -> None:
    for made, row in zip(beside_model(REAL), ROWS, strict=True):
        numbers = {name: value for name, value in made.items() if isinstance(value, float)}
        assert numbers == pytest.approx({name: row[name] for name in numbers}, rel=2e-5)
        rest = made.keys() - numbers.keys()
        assert {name: made[name] for name in rest} == {name: row[name] for name in rest}


def test_the_largest_word_of_the_issue_stands_as_it_was_said() -> None:
    """1024 x 64 takes 0.264 mm2 at 130 nm, a quarter of that is 0.066, and the model says 0.055."""
    real = next(row for row in REAL if (row["words"], row["word_bits"]) == (1024, 64))
    at_65 = real["area_mm2"] * process(130).area_to(65)
    assert (round(real["area_mm2"], 3), round(at_65, 3)) == (0.264, 0.061)
    assert round(memory(1024, 64).area_mm2, 3) == 0.055


@pytest.mark.parametrize("figure", FIGURES)
def test_a_macro_that_is_left_out_is_met_by_the_others_as_stated(figure: str) -> None:
    capacities = [row["words"] * row["word_bits"] / 8 for row in FOUNDRYS]
    ratios = [row[f"{figure}_ratio"] for row in FOUNDRYS]
    off = []
    for place, (capacity, ratio) in enumerate(zip(capacities, ratios, strict=True)):
        others = [values[:place] + values[place + 1 :] for values in (capacities, ratios)]
        off.append(math.log(excess(*others).ratio(capacity) / ratio))
    assert math.exp(np.sqrt(np.mean(np.square(off)))) == pytest.approx(ONE_SIGMA[figure], abs=0.006)


def test_every_real_memory_lies_in_the_bracket_but_for_the_error_of_its_end() -> None:
    for row in ROWS:
        real = bracket(row["words"], row["word_bits"])
        for figure in FIGURES:
            ratio, margin = row[f"{figure}_ratio"], ONE_SIGMA[figure] ** 2
            if ratio is not None:
                ends = getattr(real, figure)
                assert ends.low / margin < ratio < ends.high * margin, (row, figure)


def test_a_bracket_has_the_model_at_one_end_and_grows_towards_small_macros() -> None:
    small, middle, large = (bracket(words, 64) for words in (64, 1024, 4096))
    for figure in ("area_mm2", "read_energy_j", "write_energy_j"):
        ends = [getattr(each, figure) for each in (small, middle, large)]
        assert [each.low for each in ends] == [1.0, 1.0, 1.0]
        assert ends[0].high > ends[1].high >= ends[2].high > 1.0
    assert small.leakage_w.low < middle.leakage_w.low < middle.leakage_w.high == 1.0


def test_beyond_the_real_macros_the_last_of_them_counts() -> None:
    assert memory(128, 8).built_bits < 512 * 8
    assert bracket(128, 8) == bracket(64, 64)
    assert bracket(2048, 64) == bracket(16384, 64)


def test_macros_side_by_side_have_the_bracket_of_one() -> None:
    wide = memory(64, 512)
    one = replace(wide, macros=1, built_bits=wide.built_bits // 2)
    assert wide.macros == 2
    assert wide.bracket == one.bracket != UNCOMPARED


def test_flops_are_as_sure_as_cells_and_have_no_bracket_of_their_own() -> None:
    few = memory(4, 8)
    assert few.built_as == "flops"
    assert few.bracket is None


def test_scaling_is_no_part_of_it_and_block_rams_were_not_compared() -> None:
    assert Cmos(node_nm=7).memory(words=1024, word_bits=64).bracket == bracket(1024, 64)
    assert Artix7().memory(words=1024, word_bits=64).bracket == UNCOMPARED
