"""What a metric is charged for: amounts of structure, as clocks, gates and switching follow them.

`archsim.calibration` fits what one of each amount costs, `archsim.costs.fidelity.estimate` multiplies
the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from archsim.costs.operands import OperandActivity, Workload
from rtl import Amounts, Sizes
from rtl.parts.sweep_amounts import sweep_amounts
from workloads.refusal import Refusal

REGISTER_METRICS = ("ungated_clock_energy_j", "ff")
CLOCK_METRIC = "clock_energy_j"
GATE_METRICS = ("lut", "carry4")
GLITCHES = "glitch_switching_j"
SWITCHING_METRICS = ("gate_switching_j", GLITCHES, "register_switching_j")
FABRIC, CELLS = "fabric_", "cells_"
"""Begin the name of an amount that only an FPGA is charged for, what its DSP blocks would have taken in, and
of one that only an ASIC is charged for, what DSP blocks take in."""

QUEUED = "broadcast."
"""Begins the families of what queues activations that are broadcast; where none is, since all are zero, they
are charged for a rate of zero."""


class Structure(Amounts):
    """All instances of one component, as metrics are charged for them. `family` names its coefficients."""

    def amounts(self, metric: str, workload: Workload | None = None) -> Mapping[str, float]:
        """What a metric may be charged for. Clocks and flip-flops follow from the registers alone, LUTs and
        carries from the gates; cells are both. What switches follows the workload too; so do gated clocks."""
        if metric in (*SWITCHING_METRICS, CLOCK_METRIC):
            if workload is None:
                raise Refusal(f"workload is None, {metric} needs to know what the logic works on")
            return self._clocked(workload) if metric == CLOCK_METRIC else self._switching(metric, workload)
        if metric in REGISTER_METRICS:
            return self.registers
        if metric in GATE_METRICS:
            return self.gates
        bits = sum(amount for name, amount in self.registers.items() if not name.startswith(FABRIC))
        return {**self.gates, "register_bits": bits}

    def _clocked(self, workload: Workload) -> Mapping[str, float]:
        """Registers that are clocked in every cycle, the gates of the others among them, and those that are
        clocked in the share of busy PEs; of PEs whose operands rest at a zero, only with the others."""
        registers = {"one": 1.0, **self.registers}
        clocked = dict.fromkeys(registers, workload.clocked)
        if self.registers.get("zero_bits"):
            clocked |= dict.fromkeys(RESTING, workload.clocked * workload.operands.nonzero)
        return registers | {f"{name}.busy": amount * clocked[name] for name, amount in registers.items()}

    def _switching(self, metric: str, workload: Workload) -> Mapping[str, float]:
        """Amounts times how often each changes: in a PE with the operand it belongs to, elsewhere each cycle,
        with the share of busy PEs, with the activations that move, with those that are broadcast, and in
        training with the products of errors.
        Glitches follow what the gates do; in a PE they also grow with the rows of partial products that
        ripple, one for each bit of an activation, and with how often the product changes."""
        operands = workload.operands
        if self.component == "pe":
            rates = vars(operands) | {
                "work": 1.0,
                "nonzero_product": operands.product * operands.nonzero,
                "both": operands.weight * operands.activation,
            }
            if "heard_bits" in self.registers:
                rates["heard"] = operands.activation / workload.busy
            # A PE is charged for each of its products, and changes with its taps.
            each = workload.worked / max(workload.products, 1)
            rates = {name: rate * each for name, rate in rates.items()}
            if workload.emptied:
                rates["emptied"] = workload.emptied / max(workload.products, 1)
            followed = PE_REGISTERS_FOLLOW if metric == "register_switching_j" else PE_GATES_FOLLOW
            amounts = {**self.gates, **self.registers, **self.operand_bits}
            changing = {
                f"{name}.{rate}": amounts[name] * rates[rate]
                for name, follows in followed.items()
                if name in amounts
                for rate in follows
                if rate in rates
            }
            if metric != GLITCHES:
                return changing
            return self._glitching(changing, operands)
        busy = workload.busy
        rates = {"cycle": 1.0, "busy": busy, "moved": busy * operands.activation}
        if self.family.startswith(QUEUED):
            rates["broadcast"] = workload.broadcast
        if workload.taps:
            rates |= {"returned": busy * workload.returned, "slopes": busy * workload.slopes}
        described = self.registers if metric == "register_switching_j" else self.gates
        if metric == GLITCHES:
            described = {**described, **self.late}
        return {
            f"{name}.{rate}": amount * rates[rate]
            for name, amount in described.items()
            if not name.startswith(FABRIC)
            for rate in rates
        }

    def _glitching(self, changing: Mapping[str, float], operands: OperandActivity) -> Mapping[str, float]:
        """Glitches of a PE: where products ripple they grow with the rows of partial products and with how
        often the product changes, apart where a register takes them up; in the requantiser with the sum."""
        rows, total = self.operand_bits["activation_bits"], self.gates["accumulator_bits"]
        registered = bool(self.registers["cells_product_register_bits"])
        growing: dict[str, float] = {}
        for name, amount in changing.items():
            if name.startswith(RIPPLING):
                for by, factor in (("once", 1.0), ("rows", rows), ("product", operands.product)):
                    growing[f"{name}.{by}"] = amount * factor * (not registered)
                    growing[f"registered.{name}.{by}"] = amount * factor * registered
            else:
                growing |= {f"{name}.once": amount, f"{name}.sum": amount * total}
        return growing

    def charged(self, metric: str, kind: str, workload: Workload | None = None) -> dict[str, float]:
        """The amounts that a technology of this kind is charged for."""
        other = {"asic": FABRIC, "fpga": CELLS}[kind]
        amounts = self.amounts(metric, workload)
        return {name: amount for name, amount in amounts.items() if not name.startswith(other)}


RESTING = ("operand_and_sum_bits", "cells_product_register_bits")
"""The registers of a PE that stay as they are while an activation is zero, with zero gating."""

PE_GATES_FOLLOW = {
    "one": ("work",),
    "heard_product_bits": ("heard",),
    "cells_product_bits": ("weight", "activation", "product", "nonzero_product", "both"),
    "accumulator_bits": ("product", "total"),
    "rounded_bits": ("total",),
    "shifter_bits": ("total",),
    "clipped_bits": ("activation", "total"),
    "isolated_rounded_bits": ("total",),
    "isolated_shifter_bits": ("total",),
    "isolated_clipped_bits": ("activation", "total"),
    "zero_gated_bits": ("activation", "product"),
    "cells_weight_choice_bits": ("weight", "work"),
    "sums": ("work", "emptied"),
    "cells_sum_choice_bits": ("total", "work", "emptied"),
}
RIPPLING = ("cells_product_bits", "accumulator_bits")
"""The amounts of a PE in which glitches grow along the way."""

PE_REGISTERS_FOLLOW = {
    "one": ("work",),
    "heard_bits": ("heard",),
    "weight_bits": ("weight",),
    "activation_bits": ("activation",),
    "accumulator_bits": ("kept",),
    "shifter_bits": ("total",),
    "cells_product_bits": ("weight", "activation", "both"),
    "cells_weight_choice_bits": ("weight", "work"),
    "cells_product_register_bits": ("product",),
    "result_bits": ("work",),
    "sums": ("work", "emptied"),
    "row_bits": ("work",),
}
"""Which operand's changes drive which amount of a PE."""


@lru_cache(maxsize=256)
def structures(sizes: Sizes) -> tuple[Structure, ...]:
    """The components of an engine of these sizes, and what they are made of."""
    return tuple(Structure(**vars(amounts)) for amounts in (*sizes.structures, *sweep_amounts(sizes)))
