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
        "activation_bits": activation,
        "shifter_bits": (total + 1) * sizes.shift_bits,
        "cells_weight_choice_bits": (sizes.weights_per_fetch - 1) * weight,
        "fabric_weight_choice_bits": four_way(sizes.weights_per_fetch) * weight,
        "fabric_product_bits": in_fabric * weight * activation,
        "fabric_sum_bits": in_fabric * total,
    }
    registers = {
        "operand_and_sum_bits": weight + activation + total,
        "result_bits": activation,
        "fabric_operand_and_sum_bits": in_fabric * (weight + activation + total),
    }
    return Amounts("pe", sizes.pes, "pe", gates, registers, {"weight_bits": weight})


def processing_element_path(sizes: Sizes) -> dict[str, float]:
    """What the delay of the longest path through a PE follows."""
    operand_bits = sizes.weight_bits + sizes.activation_bits
    return {"one": 1.0, "accumulator_bits": sizes.accumulator_bits, "operand_bits": operand_bits}


def four_way(items: int) -> int:
    """Multiplexers of four inputs, which a LUT6 holds, that choose one of the items of a fetch."""
    return math.ceil(items / 4) if items > 1 else 0


def field_bits(sizes: Sizes) -> int:
    """Bits of the descriptor fields, kept in registers of the controller. A single PE is always valid."""
    unused = "valid_less_one" if sizes.pes == 1 else ""
    return sum(bits for name, bits in sizes.descriptor_format.fields if name != unused)


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
