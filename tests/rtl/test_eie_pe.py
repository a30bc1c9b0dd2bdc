"""The EIE element computes sparse products: its accumulators equal those of whole-number arithmetic."""

from __future__ import annotations

import numpy as np
import pyrtl
import pytest
from hypothesis import given, settings, strategies as st

from rtl.parts.eie_pe import EiePeSizes, build_eie_pe, column_words
from rtl.verilog import write_verilog

SMALL = EiePeSizes(
    queue_depth=4, pointers=32, pointer_bits=9, entry_words=64, rows=16, activation_words=64, shift=4
)
MASK = (1 << SMALL.value_bits) - 1


def wrapped(value: int) -> int:
    """Two's complement of the width of an activation."""
    half = 1 << (SMALL.value_bits - 1)
    return (value + half) % (2 * half) - half


def idle() -> dict[str, int]:
    names = """broadcast_valid broadcast_column broadcast_value load_enable load_target load_address load_data
        swap fill spill clear granted page"""
    return dict.fromkeys(names.split(), 0)


def accumulate(
    columns: list[list[tuple[int, int]]],
    codebook: list[int],
    broadcast: list[tuple[int, int]],
    gaps: list[int],
) -> list[int]:
    """The accumulators after these activations (column, value), sent with these pauses between them."""
    pe = build_eie_pe(SMALL)
    pointers, words = column_words(SMALL, columns)
    loads = [(k % 2, k // 2, value) for k, value in enumerate(pointers)]
    loads += [(2, k, word) for k, word in enumerate(words)]
    loads += [(3, code, value & MASK) for code, value in enumerate(codebook)]
    watched = [pe.block.get_wirevector_by_name("queue_full"), *pe.files[0]]
    simulation = pyrtl.FastSimulation(tracer=pyrtl.SimulationTrace(watched, block=pe.block), block=pe.block)
    for target, address, data in loads:
        simulation.step(
            idle() | {"load_enable": 1, "load_target": target, "load_address": address, "load_data": data}
        )
    for (column, value), gap in zip(broadcast, gaps, strict=True):
        sent = idle() | {"broadcast_valid": 1, "broadcast_column": column, "broadcast_value": value & MASK}
        simulation.step(sent)
        while simulation.inspect("queue_full"):
            simulation.step(sent)
        for _ in range(gap):
            simulation.step(idle())
    for _ in range(len(words) * SMALL.entries_per_word * len(broadcast) + 3 * len(broadcast) + 12):
        simulation.step(idle())
    return [wrapped(simulation.inspect(register.name)) for register in pe.files[0]]


def expected(
    columns: list[list[tuple[int, int]]], codebook: list[int], broadcast: list[tuple[int, int]]
) -> list[int]:
    totals = [0] * SMALL.rows
    for column, value in broadcast:
        row = -1
        for code, zeros in columns[column]:
            row += zeros + 1
            totals[row] = wrapped(totals[row] + (codebook[code] * value >> SMALL.shift))
    return totals


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[tuple[int, int]]], list[int], list[tuple[int, int]], list[int]]:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    columns = []
    for _ in range(draw(st.integers(1, 12))):
        rows = np.flatnonzero(random.random(SMALL.rows) < draw(st.sampled_from((0.0, 0.1, 0.5, 1.0))))
        zeros = np.diff(rows, prepend=-1) - 1
        columns.append([(int(random.integers(16)), int(gap)) for gap in zeros])
    codebook = [int(value) for value in random.integers(-(1 << 15), 1 << 15, 16)]
    sent = draw(st.integers(1, 10))
    broadcast = [(int(random.integers(len(columns))), int(random.integers(1 << 15))) for _ in range(sent)]
    gaps = [int(gap) for gap in random.integers(0, draw(st.sampled_from((1, 4, 30))), sent)]
    return columns, codebook, broadcast, gaps


@settings(max_examples=15)
@given(case=cases())
def test_an_element_adds_up_the_products_of_its_columns(
    case: tuple[list[list[tuple[int, int]]], list[int], list[tuple[int, int]], list[int]],
) -> None:
    columns, codebook, broadcast, gaps = case
    assert accumulate(columns, codebook, broadcast, gaps) == expected(columns, codebook, broadcast)


@pytest.mark.parametrize("distance", [1, 2, 3])
def test_an_accumulator_takes_sums_that_follow_at_once(distance: int) -> None:
    """The same accumulator is hit again while its last sum is still on its way."""
    columns = [[(1, 0), *[(0, 0)] * (distance - 1)]]
    broadcast = [(0, 16), (0, 32), (0, 48)]
    codebook = [0, 5, *[0] * 14]
    assert accumulate(columns, codebook, broadcast, [0, 0, 0])[0] == 5 * (1 + 2 + 3)


def test_one_entry_is_worked_off_each_cycle_and_a_word_read_for_every_eight() -> None:
    pe = build_eie_pe(EiePeSizes(pointers=16, entry_words=64))
    pointers, words = column_words(pe.sizes, [[(1, 0)] * 64])
    watched = [pe.block.get_wirevector_by_name(name) for name in ("spmat_read__busy", "spmat_read__read")]
    tracer = pyrtl.SimulationTrace(watched, block=pe.block)
    simulation = pyrtl.FastSimulation(tracer=tracer, block=pe.block)
    for target, contents in ((0, pointers[::2]), (1, pointers[1::2]), (2, words)):
        for address, data in enumerate(contents):
            port = {"load_enable": 1, "load_target": target, "load_address": address, "load_data": data}
            simulation.step(idle() | port)
    simulation.step(idle() | {"broadcast_valid": 1, "broadcast_value": 1})
    for _ in range(80):
        simulation.step(idle())
    assert sum(tracer.trace["spmat_read__busy"]) == 64
    assert sum(tracer.trace["spmat_read__read"]) == 8


def test_non_zero_activations_of_the_other_file_are_offered_rectified() -> None:
    pe = build_eie_pe(SMALL)
    names = ("offered", "offered_row", "offered_value")
    tracer = pyrtl.SimulationTrace([pe.block.get_wirevector_by_name(name) for name in names], block=pe.block)
    contents = {3: 7, 5: MASK, 9: 1}
    simulation = pyrtl.FastSimulation(
        register_value_map={pe.files[1][row]: value for row, value in contents.items()},
        tracer=tracer,
        block=pe.block,
    )
    for _ in range(SMALL.rows + 2):
        simulation.step(idle() | {"granted": 1})
    shown = zip(*(tracer.trace[name] for name in names), strict=True)
    assert {(row, value) for offered, row, value in shown if offered} == {(3, 7), (9, 1)}


def test_the_element_can_be_written_as_verilog() -> None:
    design = write_verilog(build_eie_pe(SMALL).block)
    assert {"act_queue", "ptr_read", "spmat_read", "arithm_unit", "act_rw"} <= set(design.instances)


def test_a_size_that_is_no_power_of_two_is_refused() -> None:
    with pytest.raises(ValueError, match="queue_depth is 6, allowed are powers of two from 2 on"):
        EiePeSizes(queue_depth=6)
