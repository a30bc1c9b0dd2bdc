"""Memories of the user's own, built of the macros that tables and Liberty files describe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import archsim as a
from archsim.technology import Asic, Cmos65, MemoryMacro
from archsim.technology.memories.bracket import UNCOMPARED
from tests.archsim.technology.memory_macros import MACRO, WHEN, macro_file
from tests.archsim.technology.small_library import clock_gate, gate, library
from tests.reports.stand_ins import write_design
from workloads.refusal import Refusal

TABLE = """name,words,bits,area_um2,read_energy_pj,write_energy_pj,leakage_nw,access_time_ns
small,64,8,1000,1,1.5,10,1
large,1024,8,8000,4,5,100,2
wide,256,32,9000,6,8,120,1.5
"""


def own(folder: Path, memories: Any = None, *, table: str = TABLE, **options: Any) -> Asic:
    """A small library with a table of macros."""
    cells = {"AN": gate("AN", "AB", "A&B"), "MX": gate("MX", "ABS", "(A&!S)|(B&S)"), "CG": clock_gate("CG")}
    (folder / "own.lib").write_text(library(**cells))
    (folder / "own.csv").write_text(table)
    options["memories"] = str(folder / "own.csv") if memories is None else memories
    return Asic(liberty=str(folder / "own.lib"), **options)


def memory(technology: Asic, words: int, bits: int) -> MemoryMacro:
    return technology.memory(words=words, word_bits=bits)


def test_a_memory_that_is_a_macro_costs_what_the_table_says(tmp_path: Path) -> None:
    made = memory(own(tmp_path), 1024, 8)
    assert (made.macro, made.macros, made.built_as, made.kind) == ("large", 1, "macro", "published")
    assert (made.area_mm2, made.read_energy_j, made.write_energy_j) == pytest.approx((8e-3, 4e-12, 5e-12))
    assert (made.leakage_w, made.access_time_s) == pytest.approx((100e-9, 2e-9))
    assert made.clock_energy_j == 0
    assert made.source == f"large of {tmp_path / 'own.csv'}, one"


def test_wider_words_lie_in_macros_side_by_side_which_are_all_read(tmp_path: Path) -> None:
    head, _, large, _ = TABLE.splitlines()
    table = f"{head}\n{large}\n"
    one, wide = (memory(own(tmp_path, table=table), 1000, bits) for bits in (8, 30))
    assert (wide.macro, wide.macros) == ("large", 4)
    assert wide.read_energy_j == pytest.approx(4 * one.read_energy_j)
    assert wide.area_mm2 == pytest.approx(4 * one.area_mm2)
    assert wide.access_time_s == one.access_time_s
    assert wide.source.endswith("own.csv, 4 side by side, 8% of the bits unused")


def test_more_words_lie_in_stacked_macros_of_which_one_is_read_behind_multiplexers(tmp_path: Path) -> None:
    technology = own(tmp_path)
    one, deep = memory(technology, 1024, 8), memory(technology, 4096, 8)
    assert (deep.macro, deep.macros, deep.kind) == ("large", 4, "assumed")
    assert 4 * one.area_mm2 < deep.area_mm2
    assert one.read_energy_j < deep.read_energy_j < 2 * one.read_energy_j
    assert one.access_time_s < deep.access_time_s
    assert 4 * one.leakage_w < deep.leakage_w
    assert "4 stacked behind cells of foundry" in deep.source
    mux = technology.library.gate("(A&!S)|(B&S)", ("A", "B", "S"))
    assert deep.area_mm2 - 4 * one.area_mm2 > 3 * 8 * mux.area_um2 * 1e-6


def test_a_library_without_a_multiplexer_makes_it_of_its_nands(tmp_path: Path) -> None:
    (tmp_path / "few.lib").write_text(library())
    (tmp_path / "own.csv").write_text(TABLE)
    options: dict[str, Any] = {"liberty": str(tmp_path / "few.lib"), "memories": str(tmp_path / "own.csv")}
    few = Asic(**options)
    deep, one = memory(few, 4096, 8), memory(few, 1024, 8)
    assert deep.area_mm2 > 4 * one.area_mm2
    assert deep.access_time_s > one.access_time_s


def test_what_idle_macros_take_of_the_clock_is_in_every_cycle_and_not_twice_in_a_read(tmp_path: Path) -> None:
    table = "words,bits,area_um2,read_energy_pj,write_energy_pj,leakage_nw,access_time_ns,idle_energy_pj\n"
    table += "1024,8,8000,4,5,100,2,0.5\n"
    made = memory(own(tmp_path, table=table), 1024, 8)
    assert made.clock_energy_j == pytest.approx(0.5e-12)
    assert made.read_energy_j + made.clock_energy_j == pytest.approx(4e-12)


def test_of_several_macros_the_one_is_taken_with_the_least_area_times_energy(tmp_path: Path) -> None:
    technology = own(tmp_path)
    assert memory(technology, 60, 8).macro == "small"
    assert memory(technology, 200, 32).macro == "wide"
    dear = own(tmp_path, table="words,bits,area_um2\n64,8,1e6\n", node_nm=65)
    assert memory(dear, 1, 2).built_as == "flops"
    assert memory(dear, 1, 2).bracket is None


def test_what_needs_a_port_more_than_any_macro_has_is_built_of_flops(tmp_path: Path) -> None:
    technology = own(tmp_path)
    two = technology.memory(words=64, word_bits=8, ports="1r1w")
    assert (two.ports, two.built_as) == ("1r1w", "flops")
    assert two.area_mm2 > memory(technology, 64, 8).area_mm2
    options: dict[str, Any] = {"liberty": str(tmp_path / "few.lib"), "memories": str(tmp_path / "own.csv")}
    (tmp_path / "few.lib").write_text(library())
    with pytest.raises(Refusal, match="ports is '1r1w', allowed are 1rw"):
        Asic(**options).memory(words=64, word_bits=8, ports="1r1w")


def test_cacti_stands_in_for_what_a_macro_does_not_state_and_says_so(tmp_path: Path) -> None:
    table = "words,bits,area_um2,read_energy_pj\n1024,8,8000,4\n"
    made = memory(own(tmp_path, table=table, node_nm=65), 1024, 8)
    cacti = Cmos65().memory(words=1024, word_bits=8)
    assert made.area_mm2 == pytest.approx(8e-3)
    # The small library runs at 2 V, and CACTI's macros with it: energy follows the square of the supply.
    assert made.write_energy_j == pytest.approx(cacti.write_energy_j * (2.0 / 1.2) ** 2)
    assert made.origin("read_energy_j")[1].endswith("own.csv, one")
    kind, source = made.origin("write_energy_j")
    assert kind == "assumed"
    assert "CACTI 7" in source
    assert "whose own file states none" in source
    assert made.bracket is not None
    assert made.bracket.read_energy_j == UNCOMPARED.read_energy_j
    assert made.bracket.write_energy_j.high > 1.5
    with pytest.raises(Refusal, match=r"memories: 1024 x 8 of .*own.csv states no write_energy_j"):
        own(tmp_path, table=table)


def test_several_files_are_one_set_of_macros_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text(TABLE.replace("small", "tiny").replace("64,8,1000", "16,8,400"))
    with pytest.raises(Refusal, match=r"memories has large of .* and large of .*, allowed is one"):
        own(tmp_path, [str(tmp_path / "own.csv"), str(tmp_path / "more.csv")])
    head, row, *_ = (tmp_path / "more.csv").read_text().splitlines()
    (tmp_path / "more.csv").write_text(f"{head}\n{row}\n")
    both = own(tmp_path, str(tmp_path / "*.csv"))
    assert {macro.name for macro in both.macros} == {"small", "large", "wide", "tiny"}
    assert both.options()["memories"] == str(tmp_path / "*.csv")
    assert Asic(**both.options()) == both


@pytest.mark.parametrize(
    ("memories", "message"),
    [
        ("nowhere.csv", "memories is 'nowhere.csv', allowed is the path of a table of memory macros"),
        (["*.none"], r"memories is '\*.none', allowed is the path"),
        (7, "memories is 7, allowed is the path"),
        ([], "memories is None, allowed is the path"),
        ({"file": "x"}, "memories has the field 'file', allowed are files, read_when, write_when, idle_when"),
        ({"files": "own.csv", "read_when": ""}, "memories.read_when is '', allowed is a function"),
        (
            {"files": "own.csv", "read_when": "A"},
            "memories names read_when, allowed are read_when",
        ),
    ],
)
def test_memories_that_are_none_are_refused(
    memories: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refusal, match=message):
        own(tmp_path, memories)


def test_a_design_file_names_them_beside_it_and_explain_says_of_what_each_memory_is(tmp_path: Path) -> None:
    made = own(tmp_path)
    design = a.DesignPoint.from_file(
        write_design(tmp_path, technology={"kind": "asic", "liberty": "own.lib", "memories": "own.csv"})
    )
    assert design.technology == made
    result = design.simulate("gate")
    areas = result.explain("area_mm2").set_index("component")
    assert str(areas.loc["weight memory", "source"]).startswith("small of ")
    energies = result.explain("energy_j")
    reads = energies[(energies.component == "weight memory") & (energies.what == "reads")]
    assert reads.source.item() == areas.loc["weight memory", "source"]
    assert result.technology_error == {}
    assert any(
        text.startswith("technology_error is not known of library foundry and its")
        for text in result.warnings
    )
    names = {quantity.name: quantity for quantity in made.provenance()}
    assert names["asic:large.read_energy_j"].value == pytest.approx(4e-12)
    assert names["asic:large.read_energy_j"].unit == "J"


# Outlines.

LEF = "MACRO {}\n  CLASS CORE ;\n  SIZE {} BY {} ;\nEND {}\n"


def outline(name: str, width: float, height: float) -> str:
    return LEF.format(name, width, height, name)


def test_outlines_are_held_beside_areas_and_give_those_that_are_missing(tmp_path: Path) -> None:
    lef = tmp_path / "cells.lef"
    lef.write_text(
        "# SIZE 9 BY 9 ;\n" + outline("ND2", 1.5, 2) + outline("RAM", 30, 20) + outline("OTHER", 1, 1)
    )
    path = macro_file(tmp_path, MACRO.replace("area : 600;", "area : 0;"))
    when = {f"{name}_when": condition for name, condition in WHEN.items()}
    made = own(tmp_path, {"files": str(path), **when}, lef=str(lef))
    assert made.macros[0].figures["area_mm2"] == pytest.approx(6e-4)
    assert made.warnings[-1].startswith("below fidelity layout placing is expected")
    assert not made.warnings[-1].endswith("with lef it can be done")
    assert Asic(**made.options()) == made
    with pytest.raises(Refusal, match=r"RAM of .* states no area, allowed is one with an area, or with a"):
        own(tmp_path, {"files": str(path), **when})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            outline("ND2", 2, 2),
            r"lef says that ND2 is 2 by 2 um, 4 um2, where its area is 3 um2, allowed",
        ),
        (outline("ND2", 1.5, 2) + outline("ND2", 3, 1), "ND2 is 3 by 1 um after 1.5 by 2 um, allowed is one"),
        (outline("X", 1, 2), "lef is .*, which has none of the cells, allowed are files of the library"),
        ("VERSION 5.7 ;\n", "which gives no MACRO a SIZE, allowed are files that do"),
    ],
)
def test_outlines_of_something_else_are_refused(text: str, message: str, tmp_path: Path) -> None:
    lef = tmp_path / "cells.lef"
    lef.write_text(text)
    with pytest.raises(Refusal, match=message):
        own(tmp_path, lef=str(lef))
