"""The arithmetic circuits equal their definitions, for all values of small widths or for random ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyrtl
import pytest
from hypothesis import given, settings, strategies as st

from rtl.parts.arithmetic import BankedAddress, at_most, requantise, rotate, signed_product
from rtl.parts.components import StructuredBlock


def evaluate(build: Callable[..., Any], widths: dict[str, int], values: dict[str, int]) -> list[int]:
    """The outputs of a combinational circuit for one set of inputs."""
    block = StructuredBlock()
    pyrtl.set_working_block(block)
    inputs = {name: pyrtl.Input(bits, name) for name, bits in widths.items()}
    made = build(**inputs)
    wires = list(made) if isinstance(made, list | tuple) else [made]
    outputs = []
    for i, wire in enumerate(wires):
        outputs.append(pyrtl.Output(len(wire), f"out_{i}"))
        outputs[-1] <<= wire
    simulation = pyrtl.FastSimulation(tracer=None, block=block)
    simulation.step(values)
    return [simulation.inspect(output.name) for output in outputs]


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


@given(a=st.integers(-32, 31), b=st.integers(-8, 7))
def test_a_product_is_signed(a: int, b: int) -> None:
    (product,) = evaluate(signed_product, {"a": 6, "b": 4}, {"a": a & 63, "b": b & 15})
    assert signed(product, 10) == a * b


@settings(max_examples=200)
@given(
    total=st.integers(-(1 << 13), (1 << 13) - 1),
    shift=st.integers(0, 15),
    relu=st.booleans(),
    bits=st.integers(2, 8),
)
def test_requantisation_rounds_half_up_and_saturates(total: int, shift: int, relu: bool, bits: int) -> None:
    (result,) = evaluate(
        lambda total, shift, relu: requantise(total, shift, relu, bits),
        {"total": 14, "shift": 4, "relu": 1},
        {"total": total & 0x3FFF, "shift": shift, "relu": relu},
    )
    rounded = (total + (1 << shift >> 1)) >> shift
    rectified = max(rounded, 0) if relu else rounded
    top = 1 << (bits - 1)
    assert signed(result, bits) == min(max(rectified, -top), top - 1)


@given(st.data())
def test_a_rotator_turns_by_any_amount(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 9))
    lanes = data.draw(st.integers(1, count))
    amount = data.draw(st.integers(0, count - 1))
    words = data.draw(st.lists(st.integers(0, 15), min_size=count, max_size=count))
    got = evaluate(
        lambda amount, **w: rotate([w[f"w{i}"] for i in range(count)], amount, lanes),
        {"amount": max(1, (count - 1).bit_length())} | {f"w{i}": 4 for i in range(count)},
        {"amount": amount} | {f"w{i}": word for i, word in enumerate(words)},
    )
    assert got == [words[(amount + lane) % count] for lane in range(lanes)]


@pytest.mark.parametrize("value", range(6))
def test_a_thermometer_is_high_up_to_its_value(value: int) -> None:
    assert evaluate(lambda v: at_most(v, 6), {"v": 3}, {"v": value}) == [int(i <= value) for i in range(6)]


@settings(max_examples=150)
@given(banks=st.integers(1, 9), data=st.data())
def test_banked_addresses_add_like_plain_ones(banks: int, data: st.DataObject) -> None:
    address = BankedAddress(banks=banks, rows=8)
    modulus = data.draw(st.integers(1, 8 * banks - 1))
    a, b = (data.draw(st.integers(0, modulus - 1)) for _ in range(2))
    pair = {"a": address.bits, "b": address.bits, "m": address.bits}
    values = {"a": address.encode(a), "b": address.encode(b), "m": address.encode(modulus)}
    (total,) = evaluate(lambda a, b, m: address.modulo_add(a, b, m), pair, values)
    assert total == address.encode((a + b) % modulus)


@settings(max_examples=100)
@given(banks=st.integers(2, 9), start=st.integers(0, 50), data=st.data())
def test_consecutive_words_lie_in_different_banks_at_known_rows(
    banks: int, start: int, data: st.DataObject
) -> None:
    address = BankedAddress(banks=banks, rows=64)
    pair = {"pair": address.bits}
    rows = evaluate(address.rows_from, pair, {"pair": address.encode(start)})
    expected = {(start + lane) % banks: (start + lane) // banks for lane in range(banks)}
    assert rows == [expected[bank] for bank in range(banks)]
    lanes = data.draw(st.integers(1, banks))
    spread = evaluate(
        lambda pair, **w: address.spread([w[f"w{i}"] for i in range(lanes)], pair),
        pair | {f"w{i}": 4 for i in range(lanes)},
        {"pair": address.encode(start)} | {f"w{i}": i + 1 for i in range(lanes)},
    )
    taken = {(start + lane) % banks: lane + 1 for lane in range(lanes)}
    assert spread == [taken.get(bank, 0) for bank in range(banks)]
