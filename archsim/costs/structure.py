"""What an engine is made of, as far as its sizes tell: for each component, amounts that its cost follows.

An amount has a physical reason: bits of multiplexer, of adder, of register, decoded lines. The file names no
cost; `archsim.calibration` fits what one of each costs, `archsim.costs.estimate` multiplies the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archsim.costs.operands import Workload
from rtl import BankedAddress, ClosSizes, CscSizes, LockstepSizes, PrunedSizes, Sizes
from rtl.parts.components import bits_for

REGISTER_METRICS = ("clock_energy_j", "ff")
GATE_METRICS = ("lut", "carry4")
SWITCHING_METRICS = ("gate_switching_j", "register_switching_j")
FABRIC, CELLS = "fabric_", "cells_"
"""Begin the name of an amount that only an FPGA is charged for, what its DSP blocks would have taken in, and
of one that only an ASIC is charged for, what DSP blocks take in."""

NARROWEST_DSP_PRODUCT_BITS = 9


@dataclass(frozen=True)
class Structure:
    """All instances of one component, and the amounts of structure in one of them: its gates, and its bits
    of register. `family` names its coefficients: components that the same code describes share them.
    `operand_bits` are further widths that the switching of a PE follows."""

    component: str
    instances: int
    family: str
    gates: Mapping[str, float]
    registers: Mapping[str, float]
    operand_bits: Mapping[str, float] = field(default_factory=dict)

    def amounts(self, metric: str, workload: Workload | None = None) -> Mapping[str, float]:
        """What a metric may be charged for. Clocks and flip-flops follow from the registers alone, LUTs and
        carries from the gates; cells are both. What switches follows the workload too."""
        if metric in SWITCHING_METRICS:
            if workload is None:
                raise ValueError(f"workload is None, {metric} needs to know what the logic works on")
            return self._switching(metric, workload)
        if metric in REGISTER_METRICS:
            return self.registers
        if metric in GATE_METRICS:
            return self.gates
        bits = sum(amount for name, amount in self.registers.items() if not name.startswith(FABRIC))
        return {**self.gates, "register_bits": bits}

    def _switching(self, metric: str, workload: Workload) -> Mapping[str, float]:
        """Amounts times how often each changes: in a PE with the operand it belongs to, elsewhere each cycle,
        with the share of busy PEs, and with the activations that move."""
        operands = workload.operands
        if self.component == "pe":
            rates = vars(operands) | {"work": 1.0}
            followed = PE_GATES_FOLLOW if metric == "gate_switching_j" else PE_REGISTERS_FOLLOW
            amounts = {**self.gates, **self.registers, **self.operand_bits}
            return {
                f"{name}.{rate}": amounts[name] * rates[rate]
                for name, follows in followed.items()
                for rate in follows
            }
        busy = workload.busy
        rates = {"cycle": 1.0, "busy": busy, "moved": busy * operands.activation}
        described = self.gates if metric == "gate_switching_j" else self.registers
        return {
            f"{name}.{rate}": amount * rates[rate]
            for name, amount in described.items()
            if not name.startswith(FABRIC)
            for rate in rates
        }

    def charged(self, metric: str, kind: str, workload: Workload | None = None) -> dict[str, float]:
        """The amounts that a technology of this kind is charged for."""
        other = {"asic": FABRIC, "fpga": CELLS}[kind]
        amounts = self.amounts(metric, workload)
        return {name: amount for name, amount in amounts.items() if not name.startswith(other)}


PE_GATES_FOLLOW = {
    "one": ("work",),
    "cells_product_bits": ("weight", "activation", "product"),
    "accumulator_bits": ("product", "total"),
    "shifter_bits": ("total",),
    "activation_bits": ("activation", "total"),
    "cells_weight_choice_bits": ("weight",),
}
PE_REGISTERS_FOLLOW = {
    "weight_bits": ("weight",),
    "activation_bits": ("activation",),
    "accumulator_bits": ("total",),
    "shifter_bits": ("total",),
    "cells_product_bits": ("weight", "activation"),
    "cells_weight_choice_bits": ("weight",),
    "result_bits": ("work",),
}
"""Which operand's changes drive which amount of a PE."""


Description = Callable[[Any], tuple[Structure, ...]]
CALIBRATED: dict[type[Sizes], tuple[str, Description]] = {}
"""The engines whose logic can be estimated: their sizes, their name, and how their structure follows."""


def describes(engine: str, sizes_type: type[Sizes]) -> Callable[[Description], Description]:
    """Registers how the structure of an engine follows from its sizes."""

    def register(description: Description) -> Description:
        CALIBRATED[sizes_type] = engine, description
        return description

    return register


def structures(sizes: Sizes) -> tuple[Structure, ...]:
    """The components of an engine of these sizes, and what they are made of."""
    _, description = CALIBRATED[type(sizes)]
    return description(sizes)


def paths(sizes: Sizes) -> dict[str, dict[str, float]]:
    """What the delay of a path follows, for the two paths one of which is the longest: through a PE, and
    through the control that finds the activations. By coefficient family."""
    address = sizes.address
    control = {"one": 1.0, "pes": sizes.pes, "bank_bits": address.bank_bits, "address_bits": address.bits}
    if isinstance(sizes, ClosSizes):
        control |= {"boundaries": sizes.lanes - 1}
    gather = ""
    if isinstance(sizes, PrunedSizes):
        gather = "replicated." if sizes.replicated else "banked."
    engine, _ = CALIBRATED[type(sizes)]
    operand_bits = sizes.weight_bits + sizes.activation_bits
    return {
        "pe": {"one": 1.0, "accumulator_bits": sizes.accumulator_bits, "operand_bits": operand_bits},
        f"{engine}.{gather}control": control,
    }


def multiplier_dsps(sizes: Sizes) -> int:
    """DSP48E1 of one PE: Yosys leaves a product of less than 9 bits in LUTs, and one DSP48E1 (25 x 18 bits)
    takes any product that the engines make."""
    return int(sizes.weight_bits + sizes.activation_bits >= NARROWEST_DSP_PRODUCT_BITS)


def _pe(sizes: Sizes) -> Structure:
    weight, activation, total = sizes.weight_bits, sizes.activation_bits, sizes.accumulator_bits
    in_fabric = 1 - multiplier_dsps(sizes)
    return Structure(
        "pe",
        sizes.pes,
        "pe",
        {
            "one": 1,
            # Signed operands are extended to the width of the product: a triangle of partial products each.
            "cells_product_bits": weight * activation,
            "cells_weight_extension_bits": weight * weight / 2,
            "cells_activation_extension_bits": activation * activation / 2,
            "accumulator_bits": total,
            "activation_bits": activation,
            "shifter_bits": (total + 1) * sizes.shift_bits,
            "cells_weight_choice_bits": (sizes.weights_per_fetch - 1) * weight,
            "fabric_weight_choice_bits": _four_way(sizes.weights_per_fetch) * weight,
            "fabric_product_bits": in_fabric * weight * activation,
            "fabric_sum_bits": in_fabric * total,
        },
        {
            "operand_and_sum_bits": weight + activation + total,
            "result_bits": activation,
            "fabric_operand_and_sum_bits": in_fabric * (weight + activation + total),
        },
        {"weight_bits": weight},
    )


def _four_way(items: int) -> int:
    """Multiplexers of four inputs, which a LUT6 holds, that choose one of the items of a fetch."""
    return math.ceil(items / 4) if items > 1 else 0


def _field_bits(sizes: Sizes) -> int:
    """Bits of the descriptor fields, kept in registers of the controller. A single PE is always valid."""
    unused = "valid_less_one" if sizes.pes == 1 else ""
    return sum(bits for name, bits in sizes.descriptor_format.fields if name != unused)


def _descriptor_counted_bits(sizes: Sizes) -> int:
    """Bits that count the descriptor's words, and those of all descriptors."""
    words = sizes.descriptor_format.words
    return bits_for(words + 1) + bits_for(sizes.stages * words + 1)


def _choosing_bits(items: int) -> int:
    """Bits that choose one of the items of a fetch."""
    return bits_for(items) if items > 1 else 0


def _lockstep_controller(sizes: LockstepSizes) -> Structure:
    counted = (
        bits_for(sizes.longest_row)
        + bits_for(sizes.most_groups)
        + bits_for(sizes.weights_per_fetch)
        + bits_for(sizes.weight_words + 1)
        + sizes.address.row_bits
        + _descriptor_counted_bits(sizes)
    )
    # How long the pause still lasts, and whether it closes the stage.
    pausing = bits_for(sizes.longest_hold + 1) + 1 if isinstance(sizes, CscSizes) else 0
    return Structure(
        "controller",
        1,
        "lockstep.controller",
        {
            "one": 1,
            "pes": sizes.pes,
            "decoded_bits": sizes.pes * bits_for(sizes.pes),
            "counted_bits": counted,
            "pausing_bits": pausing,
        },
        {
            "one": 1,
            "pes": sizes.pes,
            "field_bits": _field_bits(sizes),
            "counted_bits": counted + _choosing_bits(sizes.weights_per_fetch),
            "pausing_bits": pausing,
        },
    )


def _rotator(banks: int, lanes: int) -> int:
    """Multiplexers of a logarithmic rotator of `banks` words that needs only its first `lanes`."""
    return sum(min(banks, lanes + (1 << level) - 1) for level in range((banks - 1).bit_length()))


def _lockstep_route(
    sizes: LockstepSizes, lanes: int, *, mirrors: int = 0, listens: bool = False
) -> Structure:
    """`mirrors` bits count the mirror writes; with `listens` each PE chooses one of the lanes."""
    pes, bits, address = sizes.pes, sizes.activation_bits, sizes.address
    counted = address.bits + mirrors if mirrors else 0
    return Structure(
        "route",
        1,
        "lockstep.route",
        {
            "one": 1,
            "pes": pes,
            "loaded_bits": pes * (bits + bits_for(sizes.activation_words)),
            "rotated_bits": bits * _rotator(pes, lanes),
            "heard_bits": bits * sum(min(p, lanes - 1) for p in range(pes)) if listens else 0,
            "mirror_turned_bits": (bits + 1) * _rotator(pes, pes) if mirrors else 0,
            "mirror_chosen_bits": pes * (bits + address.row_bits + 1) if mirrors else 0,
            "mirror_counted_bits": counted,
        },
        {
            "bank_bits": address.bank_bits,
            "lane_bits": (pes - 1) * bits_for(lanes) if listens else 0,
            "mirror_counted_bits": counted,
        },
    )


ADDRESS_AMOUNTS = (
    *("counter_bits", "counter_wrap_bits", "one_enable"),
    *("ring_bits", "ring_wrap_bits", "turned_enables"),
    *("stride_bits", "stride_wrap_bits", "boundary_bits", "passed_boundaries"),
)
"""What only some address sources have: the dense counter, the CSC ring, the Clos strides and blocks."""


def _lockstep_address(sizes: LockstepSizes, registers: int, **own: float) -> Structure:
    """The rows and read enables that every bank is given, and what an engine adds of its `own`."""
    pes, address = sizes.pes, sizes.address
    gates = dict.fromkeys(ADDRESS_AMOUNTS, 0.0) | own
    gates |= {"one": 1.0, "row_bits": (pes - 1) * address.row_bits}
    return Structure("address", 1, "lockstep.address", gates, {"register_bits": registers})


def _wrap_bits(address: BankedAddress) -> int:
    """Bits of the bank where the number of banks is no power of two, so that additions must wrap."""
    return 0 if address.power_of_two else address.bank_bits


def _lockstep_top(sizes: LockstepSizes) -> Structure:
    return Structure("top", 1, "lockstep.top", {"one": 1, "pes": sizes.pes}, {})


@describes("dense", LockstepSizes)
def _dense(sizes: LockstepSizes) -> tuple[Structure, ...]:
    address = sizes.address
    return (
        _lockstep_top(sizes),
        _lockstep_address(
            sizes,
            address.bits,
            counter_bits=address.bits,
            counter_wrap_bits=_wrap_bits(address),
            one_enable=sizes.pes - 1,
        ),
        _lockstep_controller(sizes),
        _pe(sizes),
        _lockstep_route(sizes, 1),
    )


@describes("csc", CscSizes)
def _csc(sizes: CscSizes) -> tuple[Structure, ...]:
    address = sizes.address
    return (
        _lockstep_top(sizes),
        _lockstep_address(
            sizes,
            2 * address.bits,
            ring_bits=address.bits,
            ring_wrap_bits=_wrap_bits(address),
            turned_enables=_rotator(sizes.pes, sizes.pes),
        ),
        _lockstep_controller(sizes),
        _pe(sizes),
        _lockstep_route(sizes, sizes.pes, mirrors=bits_for(sizes.most_mirrors + 1)),
    )


@describes("clos", ClosSizes)
def _clos(sizes: ClosSizes) -> tuple[Structure, ...]:
    address, boundaries = sizes.address, sizes.lanes - 1
    place_bits = bits_for(sizes.largest_block + 1)
    return (
        _lockstep_top(sizes),
        _lockstep_address(
            sizes,
            2 * address.bits + place_bits,
            stride_bits=address.bits + place_bits,
            stride_wrap_bits=_wrap_bits(address),
            turned_enables=_rotator(sizes.pes, sizes.pes),
            boundary_bits=boundaries * (bits_for(sizes.pes + sizes.largest_block) + 1),
            passed_boundaries=boundaries * sizes.pes,
        ),
        _lockstep_controller(sizes),
        _pe(sizes),
        _lockstep_route(sizes, sizes.lanes, listens=sizes.lanes > 1),
    )


@describes("pruned", PrunedSizes)
def _pruned(sizes: PrunedSizes) -> tuple[Structure, ...]:
    position = sizes.address.bits if sizes.relative else 0
    row, at = bits_for(sizes.most_groups), bits_for(sizes.index_words + 1)
    entry_choosing, choosing = (
        _choosing_bits(sizes.entries_per_fetch),
        _choosing_bits(sizes.weights_per_fetch),
    )
    # The place in a fetch is counted even where it can only be the first.
    entry_counted, counted = bits_for(sizes.entries_per_fetch), bits_for(sizes.weights_per_fetch)
    weight_at, descriptor_at = bits_for(sizes.weight_words + 1), _descriptor_counted_bits(sizes)
    walk = {
        "one": 1,
        "cells_entry_choice_bits": (sizes.entries_per_fetch - 1) * (sizes.index_bits + 1),
        "fabric_entry_choice_bits": _four_way(sizes.entries_per_fetch) * (sizes.index_bits + 1),
        "position_bits": position,
        "row_bits": row,
        # PE 0 has a row in every group, so only the others ask whether they have one in the last.
        "last_group_bits": row * (sizes.pes - 1) / sizes.pes,
        "counted_bits": at + entry_counted,
    }
    back = {"one": 1, "counted_bits": weight_at + counted}
    control = {"one": 1, "pes": sizes.pes, "decoded_bits": sizes.pes * bits_for(sizes.pes)}
    return (
        Structure(
            "address",
            sizes.pes,
            "pruned.address",
            walk,
            {"one": 1, "counted_bits": row + at, "held_bits": position + entry_counted + entry_choosing},
        ),
        Structure(
            "controller",
            1,
            "pruned.controller",
            {**control, "counted_bits": descriptor_at},
            {"one": 1, "field_bits": _field_bits(sizes), "counted_bits": descriptor_at},
        ),
        _pe(sizes),
        _replicated_route(sizes) if sizes.replicated else _banked_route(sizes),
        Structure(
            "sequencer",
            sizes.pes,
            "pruned.sequencer",
            back,
            {"one": 1, "counted_bits": weight_at + counted, "held_bits": choosing},
        ),
    )


def _replicated_route(sizes: PrunedSizes) -> Structure:
    pes, row_bits = sizes.pes, sizes.address.row_bits
    return Structure(
        "route",
        1,
        "replicated.route",
        {
            "one": 1,
            "pes": pes,
            "bus_bits": (pes - 1) * sizes.activation_bits,
            "bus_row_bits": (pes - 1) * row_bits,
            "row_bits": pes * row_bits,
            "loaded_bits": sizes.activation_bits + bits_for(sizes.activation_words),
        },
        {"pes": pes, "row_bits": pes * row_bits},
    )


def _banked_route(sizes: PrunedSizes) -> Structure:
    pes, address = sizes.pes, sizes.address
    rows = pes * address.row_bits
    return Structure(
        "route",
        1,
        "banked.route",
        {
            "one": 1,
            "asks": pes * (pes - 1),
            "crossed_activation_bits": pes * (pes - 1) * sizes.activation_bits,
            "crossed_row_bits": (pes - 1) * rows,
            "row_bits": rows,
            "loaded_bits": pes * (sizes.activation_bits + bits_for(sizes.activation_words)),
        },
        {"pes": pes, "row_bits": rows, "bank_bits": (pes + 1) * address.bank_bits},
    )
