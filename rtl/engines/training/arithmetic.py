"""The arithmetic of an update in gates: rounding that favours no side, random words, errors of scores."""

from __future__ import annotations

import pyrtl

from rtl.engines.training.amounts import RANDOM_REGISTER_BITS
from rtl.engines.training.sizes import SHIFT_BITS, TrainingSizes
from rtl.parts.components import Wire, fit, register
from rtl.parts.processing_element import only_if

SECOND_TAP, LEAP = 3, 24
"""The register of random bits of a PE, of x**31 + x**28 + 1: how far its second tap is from its first, and by
how many bits a tap of the stage advances it."""


def cut(value: Wire, bits: int) -> Wire:
    """The value with saturation in so many signed bits."""
    if len(value) <= bits:
        return value.sign_extended(bits)
    top, negative = value[bits - 1 :], value[-1]
    beyond = pyrtl.or_all_bits(top) & ~pyrtl.and_all_bits(top)
    most, least = pyrtl.Const((1 << (bits - 1)) - 1, bits), pyrtl.Const(1 << (bits - 1), bits)
    return pyrtl.select(beyond, pyrtl.select(negative, least, most), value[:bits])


def even(value: Wire, shift: Wire) -> Wire:
    """The value divided by 2**shift and rounded, halves away from zero."""
    bits = len(value) + 1
    half = pyrtl.shift_left_logical(pyrtl.Const(1, bits), shift)[1:].zero_extended(bits)
    added = pyrtl.select(value[-1] & (shift != 0), fit(half - 1, bits), half)
    rounded = pyrtl.shift_right_arithmetic(fit(value.sign_extended(bits) + added, bits), shift)
    # A half that is beyond the bits of the sum is more than any value.
    return only_if(shift <= len(value), rounded)


def score_error(sizes: TrainingSizes, score: Wire, is_label: Wire) -> Wire:
    """The error of a score."""
    bits = sizes.activation_bits + 1
    wide, one = score.sign_extended(bits), pyrtl.Const(sizes.one, bits)
    down, up = fit(wide - one, bits), fit(wide + one, bits)
    right, wrong = (only_if(down[-1], down), only_if(~up[-1], up)) if sizes.margin else (down, wide)
    error, narrowed = pyrtl.select(is_label, right, wrong), sizes.activation_bits - sizes.error_bits
    rounded = even(error, pyrtl.Const(narrowed, SHIFT_BITS)) if narrowed > 0 else error
    return cut(rounded, sizes.error_bits)


def updated(
    sizes: TrainingSizes, number: int, weight: Wire, slope: Wire, shift: Wire, advances: Wire
) -> Wire:
    """The weight once it has moved against its slope by 2**-shift, rounded. A random register goes on in the
    cycles in which it `advances`."""
    bits = len(slope) + 1
    against = fit(pyrtl.Const(0, bits) - slope.sign_extended(bits), bits)
    move = _drawn(sizes, number, against, shift, advances) if sizes.registers else even(against, shift)
    wide = max(len(move), sizes.weight_bits) + 1
    return cut(fit(weight.sign_extended(wide) + move.sign_extended(wide), wide), sizes.weight_bits)


def _drawn(sizes: TrainingSizes, number: int, value: Wire, shift: Wire, advances: Wire) -> Wire:
    """The value divided by 2**shift, rounded up or down by chance."""
    state = register(RANDOM_REGISTER_BITS, "random")
    state.reset_value = sizes.registers[number]
    word = state[:LEAP] ^ state[SECOND_TAP : LEAP + SECOND_TAP]
    state.next <<= pyrtl.select(advances, pyrtl.concat(word, state[LEAP:]), state)
    mask = fit(pyrtl.shift_left_logical(pyrtl.Const(1, LEAP + 1), shift) - 1, LEAP)
    wide = max(len(value), LEAP) + 1
    total = fit(value.sign_extended(wide) + (word & mask).zero_extended(wide), wide)
    return pyrtl.shift_right_arithmetic(total, shift)
