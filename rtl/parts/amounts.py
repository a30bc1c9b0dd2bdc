"""The amounts of structure that engines share: the PE, and what a controller keeps and counts."""

from __future__ import annotations

import math

from rtl.parts.arithmetic import BankedAddress
from rtl.parts.components import bits_for
from rtl.parts.sizes import Amounts, Sizes

NARROWEST_DSP_PRODUCT_BITS = 9
"""Yosys leaves a narrower product in the LUTs of a 7-series FPGA."""


def processing_elements(sizes: Sizes) -> Amounts:
    """What `rtl.parts.skeleton.processing_element` is made of.

    What begins with `cells_` a DSP block takes in; what begins with `fabric_` is there where none does.
    """
    weight, activation, total = sizes.weight_bits, sizes.activation_bits, sizes.accumulator_bits
    in_fabric = int(weight + activation < NARROWEST_DSP_PRODUCT_BITS)
    gates = {
        "one": 1,
        # Signed operands are extended to the width of the product: a triangle of partial products each.
        "cells_product_bits": weight * activation,
        "cells_weight_extension_bits": weight * weight / 2,
        "cells_activation_extension_bits": activation * activation / 2,
        "accumulator_bits": total,
        "cells_weight_choice_bits": (sizes.weights_per_fetch - 1) * weight,
        "zero_gated_bits": (weight + 2 * activation) * sizes.zero_gating,
        **requantiser_gates(sizes, 0 if sizes.shared_requantiser else 1),
        "fabric_weight_choice_bits": four_way(sizes.weights_per_fetch) * weight,
        "fabric_product_bits": in_fabric * weight * activation,
        "fabric_sum_bits": in_fabric * total,
    }
    registers = {
        "operand_and_sum_bits": weight + activation + total,
        "cells_product_register_bits": (weight + activation) * sizes.product_register,
        "result_bits": sizes.result_bits,
        "zero_bits": sizes.zero_gating * (1 + sizes.product_register),
        "copied_bits": activation * (sizes.zero_gating and sizes.passes),
        "fabric_operand_and_sum_bits": in_fabric
        * (weight + activation + total + (weight + activation) * sizes.product_register),
    }
    operands = {"weight_bits": weight, "activation_bits": activation}
    return Amounts("pe", sizes.pes, "pe", gates, registers, operands)


def requantiser_gates(sizes: Sizes, number: int) -> dict[str, float]:
    """What so many requantisers are made of."""
    total, activation = sizes.accumulator_bits, sizes.activation_bits
    amounts: dict[str, float] = {
        "rounded_bits": number * total,
        "clipped_bits": number * activation,
        "shifter_bits": number * (total + 1) * sizes.shift_bits,
    }
    # Isolated ones switch so much less that they are amounts of their own.
    isolated = {f"isolated_{name}": amount * sizes.operand_isolation for name, amount in amounts.items()}
    return {name: amount * (not sizes.operand_isolation) for name, amount in amounts.items()} | isolated


def requantisers(sizes: Sizes, number: int) -> tuple[Amounts, ...]:
    """The requantisers that PEs share; none where each has its own."""
    if not sizes.shared_requantiser:
        return ()
    return (Amounts("requantiser", number, "requantiser", {"one": 1, **requantiser_gates(sizes, 1)}, {}),)


def bank_gates(sizes: Sizes) -> dict[str, float]:
    """What lies before and behind the memories of all banks of activations: the words of several memories are
    one of which is chosen, and what the load port writes, and an address for reading and writing."""
    words, memories = sizes.activation_words, sizes.activation_memories
    chosen = (len(words) - 1) * sizes.activation_bits
    loaded = next(iter(words.values()))
    merged = 0 if "input" in words else sizes.activation_bits + bits_for(loaded)
    addressed = sum(bits_for(deep) for deep in words.values()) if sizes.one_address else 0
    return {
        "banks": memories,
        "chosen_bits": memories * chosen,
        "loaded_bits": memories * merged,
        "addressed_bits": memories * addressed,
    }


def loaded_address_bits(sizes: Sizes, words: int) -> int:
    """Bits of address of a memory that only the load port writes, chosen where it has but one address."""
    return bits_for(words) if sizes.one_address else 0


def four_way(items: int) -> int:
    """Multiplexers of four inputs, which a LUT6 holds, that choose one of the items of a fetch."""
    return math.ceil(items / 4) if items > 1 else 0


def field_bits(sizes: Sizes) -> int:
    """Bits of the descriptor fields, kept in registers of the controller, with those that are held until the
    last result is written. A single PE is always valid."""
    unused = "valid_less_one" if sizes.pes == 1 else ""
    fields = dict(sizes.descriptor_format.fields)
    return sum(bits for name, bits in fields.items() if name != unused) + sum(
        fields[name] for name in sizes.held_fields
    )


def descriptor_counted_bits(sizes: Sizes) -> int:
    """Bits that count the descriptor's words, and those of all descriptors."""
    words = sizes.descriptor_format.words
    return bits_for(words + 1) + bits_for(sizes.stages * words + 1)


def choosing_bits(items: int) -> int:
    """Bits that choose one of the items of a fetch."""
    return bits_for(items) if items > 1 else 0


def rotator(banks: int, lanes: int) -> int:
    """Multiplexers of a logarithmic rotator of `banks` words that needs only its first `lanes`."""
    return sum(min(banks, lanes + (1 << level) - 1) for level in range((banks - 1).bit_length()))


def wrap_bits(address: BankedAddress) -> int:
    """Bits of the bank where the number of banks is no power of two, so that additions must wrap."""
    return 0 if address.power_of_two else address.bank_bits
