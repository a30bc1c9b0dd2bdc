"""A PE: its weight fetches, multiplier, accumulator and requantiser, and what it is told in each cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyrtl

from rtl.parts.arithmetic import choose, requantise, signed_product
from rtl.parts.components import (
    Wire,
    bits_for,
    component,
    delayed,
    fit,
    named,
    register,
    staged,
)
from rtl.parts.resume import Resume, counted_from
from rtl.parts.sizes import Sizes
from rtl.parts.skeleton import Description


@dataclass(frozen=True)
class TapControl:
    """What one PE is told in each pipeline stage: take operands, multiply (where the product has a register),
    accumulate, finish an output."""

    take: Wire
    multiply: Wire | None
    accumulate: Wire
    first: Wire
    finish: Wire


@dataclass(frozen=True)
class WeightFetch:
    """The fetches of weights: when one is due and where, and which weight of the held word is dealt out to
    the PE (`None` where a fetch brings one)."""

    due: Wire
    address: Wire
    sub_word: Wire | None

    def after(self, last: int, *, first: int = 1, enable: Wire | None = None) -> WeightFetch:
        """The same with `sub_word` as the pipeline stage `last` knows it."""
        if self.sub_word is None:
            return self
        return replace(
            self, sub_word=staged(self.sub_word, "sub_word", last, first=first, enable=enable)[last]
        )


def weight_fetch(
    sizes: Sizes,
    tap: Wire,
    *,
    stage_start: Wire,
    starting: Wire,
    begins: Wire | None = None,
    name: str = "",
    reset: bool = False,
    resume: Resume | None = None,
) -> WeightFetch:
    """Fetches a word when a tap `begins` (where it takes more than the cycle in which it is issued) and the
    last word is used up, and deals out its weights."""
    per_fetch = sizes.weights_per_fetch
    sub = register(bits_for(per_fetch), "sub_word", reset=reset)
    at = register(bits_for(sizes.weight_words + 1), "weight_address")
    due = (tap if begins is None else begins) & (sub == 0)
    if name:
        due = named(due, name)
    wraps = sub == per_fetch - 1
    sub.next <<= pyrtl.select(stage_start | (tap & wraps), pyrtl.Const(0, len(sub)), fit(sub + tap, len(sub)))
    counted_from(at, "weight_address", starting=starting, step=due, resume=resume)
    return WeightFetch(due, at, sub if per_fetch > 1 else None)


def processing_element(
    number: int,
    described: Description,
    weights: WeightFetch,
    activation: Wire,
    control: TapControl,
    held: Mapping[str, Wire],
    passed_on: Wire | None = None,
) -> Wire:
    """Weight memory, multiplier, accumulator and requantiser of one PE; `held` are the descriptor's fields
    until its last result is written. Returns the register of its result, or of its sum where the requantiser
    is shared. `passed_on` is driven with the activation that it has taken last."""
    sizes = described.sizes
    word = described.loaded_memory(
        "weight",
        number,
        words=sizes.weight_words,
        word_bits=sizes.fetch_bits,
        read_enable=weights.due,
        read_address=weights.address,
    )
    described.count_products(control.accumulate)
    with component("pe", number):
        bits = sizes.weight_bits
        dealt = [word[i * bits : (i + 1) * bits] for i in range(sizes.weights_per_fetch)]
        weight = dealt[0] if weights.sub_word is None else choose(weights.sub_word, dealt)
        weight = named(weight, "dealt_weight")
        zero = activation == 0 if sizes.zero_gating else None
        take = control.take if zero is None else control.take & ~zero
        weight_operand = delayed(weight, "weight", enable=take)
        activation_operand = delayed(activation, "activation", enable=take)
        if passed_on is not None:
            copied = zero is not None
            passed_on <<= delayed(activation, "copied", enable=control.take) if copied else activation_operand
        product = signed_product(weight_operand, activation_operand)
        accumulate = control.accumulate
        if zero is not None:
            zero = delayed(zero, "zero", enable=control.take)
        if control.multiply is not None:
            moves = control.multiply if zero is None else control.multiply & ~zero
            product = delayed(product, "product", enable=moves)
            zero = zero if zero is None else delayed(zero, "zero_product", enable=control.multiply)
        if zero is not None:
            product = only_if(~zero, product)
            accumulate = accumulate & (control.first | ~zero)
        total = register(sizes.accumulator_bits, "total")
        start = only_if(~control.first, total)
        added = fit(start + product.sign_extended(sizes.accumulator_bits), sizes.accumulator_bits)
        total.next <<= pyrtl.select(accumulate, added, total)
        if sizes.shared_requantiser:
            return delayed(total, "sum", enable=control.finish)
        finished = only_if(control.finish, total) if sizes.operand_isolation else total
        rounded = requantise(finished, held["shift"], held["relu"], sizes.activation_bits)
        return delayed(rounded, "result", enable=control.finish)


def shared_requantiser(number: int, sizes: Sizes, total: Wire, held: Mapping[str, Wire], used: Wire) -> Wire:
    """A requantiser that serves several PEs, one after the other: the result of a sum while it is `used`."""
    with component("requantiser", number):
        total = only_if(used, total) if sizes.operand_isolation else total
        return named(requantise(total, held["shift"], held["relu"], sizes.activation_bits), "result")


def bias_operand(sizes: Sizes, field: Mapping[str, Wire]) -> Wire:
    """The power of two, as an activation, that brings biases to their scale."""
    bits = [field["bias_shift"] == k for k in range(sizes.activation_bits - 1)]
    return named(pyrtl.concat_list([*bits, pyrtl.Const(0, 1)]), "bias_operand")


def only_if(condition: Wire, value: Wire) -> Wire:
    """`value`, or zero while the condition is low."""
    return value & condition.sign_extended(len(value))
