"""What the components of an engine that trains are made of: multiplexers, adders and registers, in bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rtl.parts.components import bits_for
from rtl.parts.sizes import Amounts

if TYPE_CHECKING:
    from rtl.engines.training.sizes import TrainingSizes

RANDOM_REGISTER_BITS = 31
"""The length of the register of random bits of a PE."""


def training_amounts(sizes: TrainingSizes) -> tuple[Amounts, ...]:
    """The components of an engine of these sizes. Families are its own: none is described by code that other
    engines share."""
    parts = (_pe, _update, _controller, _address, _route, _sums, _top)
    return tuple(part(sizes) for part in parts)


def _amounts(
    sizes: TrainingSizes,
    component: str,
    gates: Mapping[str, float],
    registers: Mapping[str, float],
    number: int = 1,
) -> Amounts:
    family = f"{sizes.family}.{component}"
    return Amounts(component, number, family, {"one": 1.0, **gates}, registers)


def _pe(sizes: TrainingSizes) -> Amounts:
    """A product of the weight, or one for each way; the sum of a row and its requantiser; the error of the
    output."""
    weight, total, signal = sizes.weight_bits, sizes.accumulator_bits, sizes.activation_bits
    products = sizes.multiplied[:-1]
    multiplied, made = sum(a * b for a, b in products), sum(a + b for a, b in products)
    gates = {
        "one": 1.0,
        "cells_product_bits": float(multiplied),
        # Where it has no output a PE hears the signals of the others all the same.
        "heard_product_bits": float(multiplied),
        "accumulator_bits": total,
        "rounded_bits": total,
        "shifter_bits": (total + 1) * sizes.shift_bits,
        "clipped_bits": signal,
        "error_shifter_bits": (sizes.sum_bits + 1) * sizes.shift_bits,
        "cells_weight_choice_bits": weight,
    }
    registers = {
        "operand_and_sum_bits": weight + total,
        "cells_product_register_bits": made,
        "heard_bits": made,
        "error_bits": sizes.error_bits,
        "result_bits": signal,
    }
    operands = {"weight_bits": sizes.read_bits, "activation_bits": signal}
    return Amounts("pe", sizes.pes, f"{sizes.family}.pe", gates, registers, operands)


def _update(sizes: TrainingSizes) -> Amounts:
    """A product of error and signal, shifted and rounded, at random with a register of its own; the weight
    that moves, and the words that are written."""
    error, signal = sizes.multiplied[-1]
    random = RANDOM_REGISTER_BITS * bool(sizes.registers)
    gates = {
        "product_bits": error * signal,
        "shifter_bits": (error + signal + 1) * sizes.shift_bits,
        "weight_bits": sizes.weight_bits,
        "random_bits": random,
    }
    registers = {
        "weight_bits": sizes.weight_bits,
        "product_bits": error + signal,
        "random_bits": random,
    }
    return _amounts(sizes, "update", gates, registers, sizes.pes)


def _controller(sizes: TrainingSizes) -> Amounts:
    """Counters of taps and groups, addresses, and what travels beside a tap through the pipeline."""
    address, weight = sizes.address.bits, bits_for(sizes.weight_words + 1)
    gates = {
        "valid_bits": sizes.pes,
        "address_bits": address,
        "weight_address_bits": weight,
        "stage_bits": len(sizes.trained) * address,
    }
    registers = {
        "valid_bits": sizes.pes,
        "travelling_bits": address + weight + bits_for(len(sizes.trained)),
    }
    if sizes.overlapped:
        label = bits_for(sizes.trained[-1].outputs) + 1
        registers["label_bits"] = (len(sizes.trained) + 1) * label
    return _amounts(sizes, "controller", gates, registers)


def _address(sizes: TrainingSizes) -> Amounts:
    """The rows of all banks, and of the words of weights. Overlapped, also those of what is kept, and where
    the rows of a sample begin of every stage; around rings results that are written a cycle later."""
    row = sizes.address.bits - sizes.address.bank_bits
    gates = {
        "banks": sizes.pes,
        "row_bits": sizes.pes * row,
        "weight_row_bits": sizes.pes * bits_for(sizes.weight_words),
        "stage_bits": len(sizes.trained) * row,
    }
    registers = {}
    if sizes.overlapped:
        kept = sum(bits_for(sizes.kept_rows(half)) for half in (0, 1))
        rings = zip(sizes.rows[:-1], sizes.copies, strict=False)
        oldest = sum(bits_for(rows * copies) for rows, copies in rings)
        gates |= {
            "kept_row_bits": sizes.pes * kept,
            "kept_stage_bits": len(sizes.trained) * kept,
            "oldest_bits": oldest,
        }
        registers = {"oldest_bits": oldest, "late_bits": (sizes.pes + row + 1) * sizes.rotates}
    return _amounts(sizes, "address", gates, registers)


def _route(sizes: TrainingSizes) -> Amounts:
    """Words of banks turned to PEs, results turned to banks, one of two halves chosen. Overlapped, each PE
    around rings, or all of them together, take a word of either sample."""
    turned, ways = sizes.pes * bits_for(sizes.pes), 1 + sizes.overlapped
    gates = {
        "turned_signal_bits": turned * sizes.activation_bits,
        "turned_sum_bits": turned * sizes.sum_bits,
        "chosen_bits": sizes.pes * (ways * sizes.activation_bits + sizes.sum_bits),
        "unloaded_bits": sizes.pes * sizes.fetch_bits,
    }
    registers = {"signal_bits": sizes.activation_bits, "sum_bits": sizes.sum_bits}
    if sizes.overlapped:
        registers["signal_bits"] *= ways * (sizes.pes if sizes.rotates else 1)
    return _amounts(sizes, "route", gates, registers)


def _sums(sizes: TrainingSizes) -> Amounts:
    """Where products of errors are added up: a tree over all PEs, or an adder at each bank."""
    component, number, added = sizes.adders
    gates = {"added_bits": added * sizes.sum_bits}
    return _amounts(sizes, component, gates, {"sum_bits": sizes.sum_bits}, number)


def _top(sizes: TrainingSizes) -> Amounts:
    """What is loaded, or else written by the engine."""
    gates = {
        "loaded_signal_bits": sizes.pes * sizes.activation_bits,
        "loaded_weight_bits": sizes.pes * sizes.fetch_bits,
    }
    return _amounts(sizes, "top", gates, {})
