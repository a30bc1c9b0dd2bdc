"""Tables of memory macros: what they say in which units, or the row of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.technology.memories.macro_table import MacroTableError, read_table
from workloads.refusal import Refusal


def test_a_table_is_read_in_si_units_with_the_units_of_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "macros.csv"
    path.write_text(
        "words,bits,area_mm2,read_energy_fj,write_energy_nj,leakage_uw,access_time_ps,setup_ns,idle_energy_j,"
        "ports,kind,source\n"
        '128, 16, 0.01, 900, 0.002, 3, 1500, 0.1, 0, 1r1w, measured, "our bench, 25 C"\n\n'
    )
    (macro,) = read_table(path)
    assert (macro.name, macro.words, macro.word_bits, macro.ports) == ("128 x 16", 128, 16, "1r1w")
    assert macro.figures == pytest.approx(
        {
            "area_mm2": 0.01,
            "read_energy_j": 9e-13,
            "write_energy_j": 2e-12,
            "leakage_w": 3e-6,
            "access_time_s": 1.5e-9,
            "setup_s": 1e-10,
            "idle_energy_j": 0.0,
        }
    )
    assert (macro.kind, macro.lacks) == ("measured", ())
    assert macro.source == f"128 x 16 of {path} (our bench, 25 C)"


def test_a_table_in_yaml_says_the_same_as_one_in_csv(tmp_path: Path) -> None:
    csv, yaml = tmp_path / "m.csv", tmp_path / "m.yaml"
    csv.write_text("name,words,bits,area_um2,read_energy_pj\nx,64,8,1000,1\n")
    yaml.write_text("- {name: x, words: 64, bits: 8, area_um2: 1000, read_energy_pj: 1}\n")
    (one,), (other,) = read_table(csv), read_table(yaml)
    assert one.figures == other.figures
    assert one.lacks == other.lacks == ("write_energy_j", "leakage_w", "access_time_s")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no macro, allowed is a table of one or more"),
        ("words,bits,area_um2\n", "holds no macro"),
        ("words,bits\n64,8\n", "row 1 states no area, allowed is area_um2 or area_mm2"),
        ("bits,area_um2\n8,9\n", "row 1: words is missing, allowed are whole numbers from 1 to"),
        ("words,bits,area_um2\n64.5,8,9\n", "row 1: words is '64.5', allowed are whole numbers"),
        ("words,bits,area_um2\n64,-8,9\n", "row 1: bits is '-8', allowed are whole numbers"),
        ("words,bits,area_um2\n64,8,nan\n", "row 1: area_um2 is 'nan', allowed are numbers above 0"),
        ("words,bits,area_um2\n64,8,0\n", "row 1: area_um2 is '0', allowed are numbers above 0"),
        ("words,bits,area_um2\n64,8\n", "row 1 has 2 cells, allowed are 3, as many as columns"),
        ("words,words,bits,area_um2\n1,1,8,9\n", "has the column 'words' twice, allowed is once"),
        ("words,bits,area\n64,8,9\n", "row 1 has 'area', allowed are words, bits, name, .*area_mm2|um2"),
        ("words,bits,area_um2,read_energy_kwh\n64,8,9,1\n", "row 1 has 'read_energy_kwh', allowed are"),
        ("words,bits,area_um2,area_mm2\n64,8,9,1\n", "row 1 states area twice, allowed is once"),
        ("words,bits,area_um2,ports\n64,8,9,2rw\n", "row 1: ports is '2rw', allowed are 1rw, 1r1w"),
        ("words,bits,area_um2,kind\n64,8,9,guessed\n", "row 1: kind is 'guessed', allowed are measured"),
    ],
)
def test_a_table_that_is_none_is_refused_by_its_row(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "macros.csv"
    path.write_text(text)
    with pytest.raises(MacroTableError, match=message) as refused:
        read_table(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("words: 64\n", "holds something else, allowed is a list of mappings, one a macro"),
        ("- {words: true, bits: 8, area_um2: 9}\n", "entry 1: words is True, allowed are whole numbers"),
        (
            "- {words: 64, bits: 8, area_um2: true}\n",
            "entry 1: area_um2 is True, allowed are",
        ),
        ("- {words: 64, words: 65, bits: 8, area_um2: 9}\n", "gives 0.words twice"),
        ("- {words: 64, bits: 8, area_um2: 9, name: 7}\n", "entry 1: name is 7, allowed is text"),
    ],
)
def test_a_table_in_yaml_that_is_none_is_refused_too(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "macros.yaml"
    path.write_text(text)
    with pytest.raises(Refusal, match=message):
        read_table(path)
