"""Memories on Artix-7: the rule against everything that was mapped, and what an access costs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st

from archsim.calibration.fpga_memories import (
    MANY_BLOCKS,
    MEASURED,
    MEASURED_TABLE,
    beside_primitives,
    grid,
    held_out,
    measure,
)
from archsim.engine.engine import BEST
from archsim.technology import Artix7, technology
from archsim.technology.memories.block_ram import (
    BuiltAs,
    fit_lut_laws,
    law,
    lut_laws,
    plan_memory,
    shapes,
    tiles,
)
from archsim.technology.quantity import load_table

ROWS = load_table(MEASURED_TABLE).rows
EXACT_BELOW_BLOCKS = 11


def size(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["words"], row["word_bits"]


def lut_errors(label: str) -> list[float]:
    """Relative errors of the LUTs of every memory of a set that takes any."""
    of_set = [row for row in ROWS if row["set"] == label and row["lut"]]
    return [plan_memory(*size(row)).resources["lut"] / row["lut"] - 1 for row in of_set]


def test_the_table_holds_every_memory_of_its_three_sets() -> None:
    stored = {
        label: tuple(size(row) for row in ROWS if row["set"] == label) for label in ("grid", "held_out")
    }
    assert stored["grid"] == grid()
    assert stored["held_out"] == held_out()
    many = tuple(size(row) for row in ROWS if row["set"] == "many_blocks")
    assert many == held_out(least_blocks=MANY_BLOCKS)
    assert len(ROWS) == 148 + 80 + 40


@pytest.mark.parametrize("name", ["bram18", "bram36", "lut_as_memory", "ff"])
def test_primitives_and_flip_flops_are_exact_on_every_memory_measured(name: str) -> None:
    for row in ROWS:
        assert plan_memory(*size(row)).resources[name] == row[name], size(row)


def test_luts_are_exact_below_eleven_blocks_of_block_ram_and_of_lut_ram() -> None:
    for row in ROWS:
        plan = plan_memory(*size(row))
        if plan.blocks < EXACT_BELOW_BLOCKS:
            assert plan.resources["lut"] == row["lut"], size(row)


def test_luts_of_held_out_memories_are_off_by_no_more_than_stated() -> None:
    assert set(lut_errors("held_out")) == {0.0}
    many = [abs(error) for error in lut_errors("many_blocks")]
    assert statistics.fmean(many) < 0.005
    assert max(many) < 0.04
    assert max(abs(error) for error in lut_errors("grid")) < 0.18


def test_fitting_the_measured_grid_again_gives_the_stored_laws() -> None:
    measured = [(*size(row), row["lut"] - row["lut_as_memory"]) for row in ROWS if row["set"] == "grid"]
    stored = {
        (kind, blocks): (each.decode, each.each_bit)
        for kind, laws in lut_laws().items()
        for blocks, each in laws.items()
    }
    assert {key: (each.decode, each.each_bit) for key, each in fit_lut_laws(measured).items()} == stored


@pytest.mark.slow
def test_yosys_still_builds_what_the_table_says() -> None:
    stored = {size(row): row for row in ROWS}
    for made in measure([(2, 3), (65, 9), (8193, 4)], "grid"):
        row = stored[made.words, made.word_bits]
        assert [made.resources[name] for name in MEASURED] == [row[name] for name in MEASURED]
        assert beside_primitives(made)[2] == row["lut"] - row["lut_as_memory"]


@given(words=st.integers(1, 200_000), word_bits=st.integers(1, 512))
def test_a_memory_holds_what_is_asked_of_it(words: int, word_bits: int) -> None:
    plan = plan_memory(words, word_bits)
    taken = plan.resources
    bits = {"bram": 18432 * (taken["bram18"] + 2 * taken["bram36"]), "lut_ram": 64 * taken["lut_as_memory"]}
    assert bits.get(plan.built_as, taken["ff"]) >= words * word_bits
    assert taken["lut"] == taken["lut_as_memory"] + plan.decode_lut + plan.multiplex_lut
    assert (plan.decode_lut + plan.multiplex_lut == 0) == (plan.blocks == 1)


@given(blocks=st.integers(2, 200), kind=st.sampled_from(["bram", "lut_ram"]))
def test_numbers_of_blocks_that_were_not_measured_lie_between_or_beyond(blocks: int, kind: BuiltAs) -> None:
    known = lut_laws()[kind]
    found = law(kind, blocks)
    if blocks <= max(known):
        around = [known[max(n for n in known if n <= blocks)], known[min(n for n in known if n >= blocks)]]
        assert min(each.each_bit for each in around) <= found.each_bit <= max(e.each_bit for e in around)
    else:
        assert found.each_bit == pytest.approx(known[max(known)].each_bit * blocks / max(known))


def test_the_shapes_are_those_of_the_primitives() -> None:
    for shape in shapes():
        full = {"RAM32M": (192, 128), "RAM64M": (192,), "RAM128X1D": (128,)}
        full |= {"RAMB18E1": (16384, 18432), "RAMB36E1": (32768, 36864, 65536)}
        assert shape.words * shape.bits in full[shape.primitive]


def test_reading_pays_the_multiplexers_and_writing_the_decoders() -> None:
    part, deep = Artix7(), Artix7().memory(words=256, word_bits=6)
    assert (deep.built_as, deep.resources["lut"]) == ("lut_ram", 32 + 6 + 6)
    assert deep.read_energy_j == pytest.approx((32 + 6) * part.lut_cost.value)
    assert deep.write_energy_j == pytest.approx((32 + 6) * part.lut_cost.value)
    assert deep.clock_energy_j == pytest.approx(6 * part.costs["clocks"].value)


def test_an_access_of_a_block_ram_costs_its_tiles_for_one_enabled_cycle() -> None:
    part = Artix7()
    memory = part.memory(words=1024, word_bits=64)
    assert tiles(memory.resources) == 2
    assert memory.read_energy_j == memory.write_energy_j == pytest.approx(2 * part.bram_access_cost.value)
    assert (memory.kind, memory.clock_energy_j) == ("assumed", 0.0)
    half = part.memory(words=1024, word_bits=8)
    assert half.read_energy_j == pytest.approx(part.bram_access_cost.value / 2)


def test_an_access_costs_more_than_the_cycle_that_the_reports_average_over() -> None:
    for coefficients in ("neural_network", "fitted"):
        part: Any = technology("artix7", coefficients=coefficients)
        share = part.costs["bram"].value / part.bram_access_cost.value
        assert 0.1 < share < 0.6
        given_rate: Any = technology("artix7", coefficients=coefficients, bram_enable_rate=share)
        assert given_rate.bram_access_cost.value == pytest.approx(part.bram_access_cost.value)
        assert given_rate.memory(words=4096, word_bits=8).kind == part.costs["bram"].kind


def test_an_enable_rate_out_of_range_is_refused() -> None:
    for rate in (0, -1, 1.5):
        with pytest.raises(ValueError, match=f"bram_enable_rate is {rate}, allowed are more than 0 to 1"):
            Artix7(bram_enable_rate=rate)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"words": 0, "word_bits": 8}, "words is 0, allowed is an integer of 1 or more"),
        ({"words": 8, "word_bits": 2.5}, "word_bits is 2.5, allowed is an integer of 1 or more"),
        ({"words": 8, "word_bits": 8, "ports": "2rw"}, "ports is '2rw', allowed are 1rw, 1r1w"),
    ],
)
def test_a_memory_that_cannot_be_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Artix7().memory(**options)  # type: ignore[arg-type]


def test_a_fetch_of_the_default_width_takes_as_few_tiles_as_any() -> None:
    """21,000 weights of 8 bits on 16 PEs, a memory each: 8 tiles, where 64 bits take 16."""
    taken = {bits: tiles(plan_memory(-(-1313 * 8 // bits), bits).resources * 16) for bits in (8, 16, 32, 64)}
    assert taken == {8: 8, 16: 8, 32: 8, 64: 16}
    assert taken[BEST["fpga"]["fetch_bits"]] == min(taken.values())
