"""Memories are priced at the points of the CACTI table, between them, and never beyond."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from archsim.technology import Cmos, Cmos65, MemoryMacro, SramTable, StandardCells
from archsim.technology.memories import sram
from archsim.technology.memories.flop_memory import MemoryFigures, clock_energy_j, clock_gate, flop_memory
from archsim.technology.memories.sram import SRAM_TABLE
from archsim.technology.quantity import load_table

SRAM = Cmos65().sram
ROWS = load_table(SRAM_TABLE).rows
COSTS = ("read_energy_j", "write_energy_j", "leakage_w", "area_mm2", "access_time_s")
SMALLEST_BITS = 512 * 8


def test_every_point_of_the_table_is_met() -> None:
    for row in ROWS:
        macro = _macro_of(SRAM, row)
        assert macro.built_as == "macro"
        for cost in COSTS:
            stated = row[cost] if cost != "read_energy_j" else _most_of_smaller(row)
            assert math.isclose(getattr(macro, cost), stated, rel_tol=1e-12), (row, cost)


ALIKE = ("node_nm", "cell_type", "ports", "word_bits")


def _most_of_smaller(row: Mapping[str, Any]) -> float:
    """What a read of the macro, or of a smaller one of its width and kind, takes at most."""
    return float(
        max(r["read_energy_j"] for r in _COLUMNS[_key(row)] if r["capacity_bytes"] <= row["capacity_bytes"])
    )


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ALIKE)


_COLUMNS = {_key(row): [other for other in ROWS if _key(other) == _key(row)] for row in ROWS}


@pytest.mark.parametrize(
    ("technology", "words", "bits"),
    [
        (Cmos65(cell_type="hp"), 32768, 16),
        (Cmos(node_nm=45), 16384, 8),
        (Cmos(node_nm=45, cell_type="lop"), 8192, 16),
    ],
)
def test_a_macro_of_twice_the_words_never_reads_for_less(
    technology: StandardCells, words: int, bits: int
) -> None:
    small, large = (technology.memory(words=each, word_bits=bits) for each in (words, 2 * words))
    assert large.read_energy_j >= small.read_energy_j
    assert large.area_mm2 > small.area_mm2


def test_the_default_macros_are_charged_what_cacti_says() -> None:
    default = [row for row in ROWS if (row["node_nm"], row["cell_type"]) == (65, "lstp")]
    assert all(_most_of_smaller(row) == row["read_energy_j"] for row in default)
    assert sum(_most_of_smaller(row) > row["read_energy_j"] for row in ROWS) == 11


STATED_MEANS = dict(zip(COSTS, (0.09, 0.07, 0.04, 0.05, 0.05), strict=True))
STATED_WORST = 0.58


@pytest.mark.parametrize("axis", ["capacity_bytes", "word_bits"])
def test_points_that_are_left_out_are_met_within_the_stated_errors(
    axis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = sorted({row[axis] for row in ROWS})
    errors: dict[str, list[float]] = {cost: [] for cost in COSTS}
    there = {_place(row) for row in ROWS}
    for fold in (0, 1):
        kept = {step for place, step in enumerate(steps) if place % 2 == fold}
        table = replace(load_table(SRAM_TABLE), rows=tuple(row for row in ROWS if row[axis] in kept))
        monkeypatch.setattr(sram, "load_table", lambda name, table=table: table)
        sparse = SramTable(cells=Cmos65().library, wiring=Cmos65().wiring)
        for row in ROWS:
            beside = [_place({**row, axis: step}) for step in _beside(row, axis)]
            if row[axis] not in kept and there.issuperset(beside):
                macro = _macro_of(sparse, row)
                for cost in COSTS:
                    errors[cost].append(abs(getattr(macro, cost) / row[cost] - 1))
    assert len(errors["area_mm2"]) > 500
    for cost, found in errors.items():
        assert np.mean(found) < STATED_MEANS[cost] + 0.005
        assert max(found) < STATED_WORST + 0.005


def _beside(row: Mapping[str, Any], axis: str) -> tuple[int, int]:
    return row[axis] // 2, row[axis] * 2


def _place(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[column] for column in ("node_nm", "cell_type", "ports", "capacity_bytes", "word_bits"))


def _macro_of(table: SramTable, row: Mapping[str, Any]) -> MemoryMacro:
    bits = row["word_bits"]
    return table.macro(
        words=row["capacity_bytes"] * 8 // bits,
        word_bits=bits,
        ports=row["ports"],
        node_nm=row["node_nm"],
        cell_type=row["cell_type"],
    )


@pytest.mark.parametrize("node_nm", [65, 45])
@pytest.mark.parametrize("cell_type", ["lstp", "lop", "hp"])
def test_a_second_port_and_a_longer_or_wider_memory_cost_area(node_nm: int, cell_type: str) -> None:
    def area_mm2(words: int, word_bits: int, ports: Any = "1rw") -> float:
        options = {"node_nm": node_nm, "cell_type": cell_type, "ports": ports}
        return SRAM.macro(words=words, word_bits=word_bits, **options).area_mm2

    assert area_mm2(1500, 24) < area_mm2(1500, 24, "1r1w")
    assert area_mm2(1500, 24) < area_mm2(1600, 24)
    assert area_mm2(1500, 24) < area_mm2(1500, 28)


def test_low_power_macros_leak_least_and_high_performance_ones_are_fastest() -> None:
    for node_nm in (65, 45):
        lstp, lop, hp = (
            SRAM.macro(words=1024, word_bits=64, node_nm=node_nm, cell_type=each)
            for each in ("lstp", "lop", "hp")
        )
        assert lstp.leakage_w < lop.leakage_w < hp.leakage_w
        assert hp.access_time_s < min(lop.access_time_s, lstp.access_time_s)


@given(
    word_bits=st.integers(8, 128),
    words=st.lists(st.integers(1, 60_000), min_size=2, max_size=2),
    cell_type=st.sampled_from(["lstp", "lop", "hp"]),
    ports=st.sampled_from(["1rw", "1r1w"]),
)
def test_a_macro_with_more_words_is_never_smaller_nor_leaks_less(
    word_bits: int, words: list[int], cell_type: str, ports: Any
) -> None:
    least = -(-SMALLEST_BITS // word_bits)
    small, large = (
        SRAM.macro(words=least + more, word_bits=word_bits, ports=ports, cell_type=cell_type)
        for more in sorted(words)
    )
    assert large.area_mm2 >= small.area_mm2
    assert large.leakage_w >= small.leakage_w
    assert large.write_energy_j >= small.write_energy_j


def worth(memory: MemoryFigures) -> float:
    """Area times the energy of a cycle in which the memory is read."""
    return memory.area_mm2 * (memory.read_energy_j + memory.clock_energy_j)


@given(word_bits=st.integers(1, 256), words=st.integers(1, 32_768))
def test_one_more_word_never_makes_a_macro_smaller_nor_flops_worth_less(word_bits: int, words: int) -> None:
    if word_bits * (words + 1) <= 8 << 20:
        less, more = (SRAM.macro(words=each, word_bits=word_bits) for each in (words, words + 1))
        if less.built_as == "macro":
            assert (more.built_as, more.area_mm2 >= less.area_mm2) == ("macro", True)
        else:
            assert worth(more) >= worth(less)


def test_a_few_words_are_flops_and_the_rest_of_a_small_memory_is_the_smallest_macro() -> None:
    tiny, small = SRAM.macro(words=4, word_bits=8), SRAM.macro(words=128, word_bits=8)
    assert (tiny.built_as, tiny.built_bits, tiny.kind) == ("flops", 32, "assumed")
    assert tiny.clock_energy_j > 0
    assert (small.built_as, small.built_bits, small.kind) == ("macro", 2048, "published")
    assert small == SRAM.macro(words=256, word_bits=8).__class__(
        **{**vars(SRAM.macro(words=256, word_bits=8)), "words": 128}
    )


@pytest.mark.parametrize(("ports", "most_words"), [("1rw", 24), ("1r1w", 37)])
def test_a_small_memory_is_built_as_what_has_the_less_area_times_energy(ports: Any, most_words: int) -> None:
    macro = SRAM.macro(words=256, word_bits=8, ports=ports)
    built = [SRAM.macro(words=words, word_bits=8, ports=ports) for words in range(1, 64)]
    for words, memory in enumerate(built, start=1):
        flops = flop_memory(words=words, word_bits=8, cells=SRAM.cells, wiring=SRAM.wiring)
        assert worth(memory) == min(worth(flops), worth(macro))
    assert [memory.words for memory in built if memory.built_as == "flops"] == list(range(1, most_words + 1))


def flops(words: int, word_bits: int) -> MemoryFigures:
    return flop_memory(words=words, word_bits=word_bits, cells=SRAM.cells, wiring=SRAM.wiring)


def test_flops_that_stand_by_are_clocked_at_two_gates_however_many_they_are() -> None:
    flop_j, gate_j = (
        clock_energy_j(cell, SRAM.cells.supply_v, SRAM.wiring.clock_network_factor)
        for cell in (SRAM.cells.flop(enable=False), clock_gate(SRAM.cells))
    )
    for words, word_bits in ((1, 1), (13, 8), (24, 60)):
        assert flops(words, word_bits).clock_energy_j == pytest.approx(2 * gate_j)
    ungated_j = (13 + 1) * 8 * flop_j
    assert flops(13, 8).clock_energy_j < 0.03 * ungated_j


def test_a_write_clocks_the_gates_of_all_words_and_the_flops_of_one() -> None:
    """Where nothing changes, clocks are all that an access spends."""
    still = replace(SRAM.wiring, flop_memory_activity=0.0)
    gate = clock_gate(SRAM.cells)
    flop_j, gate_j = (
        clock_energy_j(cell, SRAM.cells.supply_v, still.clock_network_factor)
        for cell in (SRAM.cells.flop(enable=False), gate)
    )
    pulse_j = 2 * sum(gate.switch_energy_j.values())
    memory = flop_memory(words=13, word_bits=8, cells=SRAM.cells, wiring=still)
    assert memory.read_energy_j == pytest.approx(8 * flop_j + pulse_j)
    assert memory.write_energy_j == pytest.approx(8 * flop_j + 13 * gate_j + 2 * pulse_j)


def test_without_gates_every_flop_of_a_small_memory_is_clocked_in_every_cycle() -> None:
    table = replace(SRAM, gated=False)
    enabled = SRAM.cells.flop(enable=True)
    memory = table.macro(words=10, word_bits=8)
    one_j = clock_energy_j(enabled, SRAM.cells.supply_v, SRAM.wiring.clock_network_factor)
    assert memory.built_as == "flops"
    assert memory.clock_energy_j == pytest.approx(11 * 8 * one_j)
    assert table.macro(words=20, word_bits=8, ports="1r1w").built_as == "macro"
    assert SRAM.macro(words=20, word_bits=8, ports="1r1w").built_as == "flops"


def test_a_gate_for_each_word_costs_less_area_than_an_enable_in_each_flop() -> None:
    gated, ungated = (
        flop_memory(words=13, word_bits=8, cells=SRAM.cells, wiring=SRAM.wiring, gated=each)
        for each in (True, False)
    )
    plain, enabled = (SRAM.cells.flop(enable=each).area_um2 for each in (False, True))
    saved_um2 = 14 * 8 * (enabled - plain) - 15 * clock_gate(SRAM.cells).area_um2
    assert saved_um2 > 0
    assert ungated.area_mm2 - gated.area_mm2 == pytest.approx(saved_um2 * 1e-6)


def test_a_narrow_word_uses_the_column_of_eight_bits_at_its_own_capacity() -> None:
    narrow, wide = SRAM.macro(words=4096, word_bits=4), SRAM.macro(words=2048, word_bits=8)
    assert [getattr(narrow, cost) for cost in COSTS] == [getattr(wide, cost) for cost in COSTS]


def test_a_word_wider_than_the_table_is_dealt_to_macros_side_by_side() -> None:
    wide, half = Cmos65().memory(words=512, word_bits=512), Cmos65().memory(words=512, word_bits=256)
    assert (wide.macros, half.macros) == (2, 1)
    assert wide.read_energy_j == 2 * half.read_energy_j
    assert wide.area_mm2 == 2 * half.area_mm2
    assert wide.access_time_s == half.access_time_s


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"word_bits": 257}, "word_bits is 257, allowed are 1 to 256"),
        ({"words": 131_073, "word_bits": 64}, "words is 131073, allowed are at most 131072 of 64 bits"),
        ({"words": 0}, "words is 0, allowed is an integer of 1 or more"),
        ({"word_bits": 8.0}, "word_bits is 8.0, allowed is an integer"),
        ({"ports": "2rw"}, "ports is '2rw', allowed are 1r1w, 1rw"),
        ({"node_nm": 28}, "node_nm is 28, allowed are 45, 65"),
        ({"cell_type": "itrs"}, "cell_type is 'itrs', allowed are hp, lop, lstp"),
    ],
)
def test_what_lies_beyond_the_table_is_refused_by_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SRAM.macro(**{"words": 1024, "word_bits": 8, **change})
