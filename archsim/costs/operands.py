"""What the logic works on: how often the operands of the multipliers change, from the network and its inputs.

The switching of a PE follows its data: a layer that reads blank pixels hardly moves. These rates are what the
fitted models take for it. They are those of a PE that works off the outputs of a stage one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from archsim.engine.mapping import Mapping, WayBack
from archsim.engine.stimulus import stimulus
from workloads import AnyIntegerNetwork

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class OperandActivity:
    """The share of the bits of a word that change from one product to the next: of the weight, of the
    activation, of their product, of the sum that is added to, and of what is kept of it, which is the same
    where a PE has one sum; and the share of products whose activation is not zero."""

    weight: float
    activation: float
    product: float
    total: float
    kept: float
    nonzero: float


@dataclass(frozen=True)
class Workload:
    """What an engine of `pes` PEs does in one inference, as far as the switching of its logic depends on
    it: its `cycles`, the `interval_cycles` from one inference to the next, the `products` of all its PEs, how
    their `operands` change, how many activations are broadcast to all PEs, and how many sums are `emptied`
    after all products of a stage."""

    pes: int
    cycles: int
    interval_cycles: int
    products: int
    operands: OperandActivity
    broadcasts: int = 0
    emptied: int = 0
    taps: int = 0
    returned: float = 0.0
    slopes: float = 0.0

    @property
    def worked(self) -> int:
        """Cycles in which a PE multiplies, of all PEs together."""
        return self.taps or self.products

    @property
    def broadcast(self) -> float:
        """Activations that are broadcast in a cycle."""
        return self.broadcasts / self.cycles

    @property
    def busy(self) -> float:
        """The share of its cycles in which a PE multiplies."""
        return self.worked / (self.pes * self.cycles)

    @property
    def clocked(self) -> float:
        """The share of all cycles, those between inferences among them, in which a PE multiplies."""
        return self.worked / (self.pes * self.interval_cycles)


_WORKLOADS: WeakKeyDictionary[Mapping, Workload] = WeakKeyDictionary()


def workload_of(mapping: Mapping) -> Workload:
    """What one inference asks of the logic, on the inputs of `archsim.engine.stimulus`; found once."""
    if mapping not in _WORKLOADS:
        counts = mapping.counts
        sizes = mapping.sizes
        network, bits, orders = mapping.network, mapping.accumulator_bits, mapping.product_orders
        operands = (
            operand_activity(network, bits, zero_gating=bool(sizes.zero_gating))
            if orders is None
            else ordered_activity(network, bits, orders, counts.padding / max(counts.products, 1))
        )
        workload = Workload(
            sizes.pes,
            counts.cycles,
            counts.interval_cycles,
            counts.products,
            operands,
            mapping.broadcasts(counts),
            mapping.emptied,
        )
        ways = [way for x in stimulus(network).T if (way := mapping.way_back(x))]
        _WORKLOADS[mapping] = with_backward(workload, ways) if ways else workload
    return _WORKLOADS[mapping]


def with_backward(forward: Workload, ways: Sequence[WayBack]) -> Workload:
    """The work of a step of training, of which these are the ways back. Operands are the mean of those of
    both: back, weights come in the same order and signals once more, and where nothing goes forward in the
    same pass, sums of rows are at rest."""
    first, operands = ways[0], forward.operands
    products = np.concatenate([way.products for way in ways])
    slopes = np.concatenate([way.slopes for way in ways])
    returned = _changed_bits(products, first.product_bits) / (products.size * first.product_bits)
    mean = replace(
        operands,
        product=(operands.product + returned) / 2,
        total=operands.total / first.passes,
        kept=operands.kept / first.passes,
        nonzero=(operands.nonzero + np.count_nonzero(products) / products.size) / 2,
    )
    return replace(
        forward,
        operands=mean,
        taps=first.passes * first.products.size,
        returned=returned,
        slopes=_changed_bits(slopes, first.slope_bits) / (slopes.size * first.slope_bits),
    )


@lru_cache(maxsize=64)
def operand_activity(
    network: AnyIntegerNetwork, accumulator_bits: int, *, zero_gating: bool = False
) -> OperandActivity:
    """The rates of a network on the inputs of `archsim.engine.stimulus`, over all products of an inference.
    With `zero_gating` the operands and their product stay as they are while the activation is zero."""
    inputs = stimulus(network)
    widths = _widths(network, accumulator_bits)
    changed, products, nonzero = dict.fromkeys(widths, 0), 0, 0
    for integer, signal in zip(network.stages, network.signals(inputs), strict=True):
        lengths = integer.stage.row_lengths()
        weights, columns = integer.weights.ravel(), integer.stage.columns()
        ends = np.cumsum(lengths)
        row_starts = np.repeat(ends - lengths, lengths)
        for x in signal.T:
            activations = x[columns]
            made = weights * activations
            running = np.concatenate([[0], np.cumsum(made)])
            totals = running[1:] - running[row_starts]
            moves = activations != 0 if zero_gating else slice(None)
            words = {
                "weight": weights[moves],
                "activation": activations[moves],
                "product": made[moves],
                "total": totals,
            }
            for name, values in words.items():
                changed[name] += _changed_bits(values, widths[name])
            products += len(made)
            nonzero += int(np.count_nonzero(activations))
    each = max(products, 1)  # a network that keeps no weight makes none
    rates = {name: changed[name] / (each * bits) for name, bits in widths.items()}
    return OperandActivity(**rates, kept=rates["total"], nonzero=nonzero / each)


def ordered_activity(
    network: AnyIntegerNetwork, accumulator_bits: int, orders: Sequence[Integers], padding: float
) -> OperandActivity:
    """The rates where the products of each stage are made in an order of their own, shape (weights,), each
    added to another sum, and those of activations that are zero are not made at all; a share of all is
    `padding`, in which a weight is zero and all else stays."""
    inputs = stimulus(network)
    widths = _widths(network, accumulator_bits)
    mask = np.int64((1 << accumulator_bits) - 1)
    changed, kept, products = dict.fromkeys(widths, 0), 0, 0
    for integer, signal, order in zip(network.stages, network.signals(inputs), orders, strict=True):
        lengths = integer.stage.row_lengths()
        rows = np.repeat(np.arange(len(lengths)), lengths)
        weights, columns = integer.weights.ravel(), integer.stage.columns()
        for x in signal.T:
            taken = order[x[columns[order]] != 0]
            activations = x[columns[taken]]
            made = weights[taken] * activations
            before = _sums_before(rows[taken], made)
            words = {"weight": weights[taken], "activation": activations, "product": made, "total": before}
            for name, values in words.items():
                changed[name] += _changed_bits(values, widths[name])
            kept += int(np.bitwise_count((before ^ (before + made)) & mask).sum())
            products += len(taken)
    each = max(products, 1) / (1 - padding)
    rates = {name: changed[name] / (each * bits) for name, bits in widths.items()}
    return OperandActivity(**rates, kept=kept / (each * accumulator_bits), nonzero=1 - padding)


def _widths(network: AnyIntegerNetwork, accumulator_bits: int) -> dict[str, int]:
    weight, activation = network.weight_bits, network.activation_bits
    return {
        "weight": weight,
        "activation": activation,
        "product": weight + activation,
        "total": accumulator_bits,
    }


def _sums_before(rows: Integers, products: Integers) -> Integers:
    """The sum of its row that each product is added to, products in the order in which they are made."""
    by_row = np.argsort(rows, kind="stable")
    running = np.cumsum(products[by_row]) - products[by_row]
    begins = np.diff(rows[by_row], prepend=-1) != 0
    before = np.zeros_like(running)
    before[by_row] = running - running[begins][np.cumsum(begins) - 1]
    return before


def _changed_bits(values: Integers, bits: int) -> int:
    """Bits of two's complement that change from each value to the next, together."""
    mask = np.int64((1 << bits) - 1)
    return int(np.bitwise_count((values[1:] ^ values[:-1]) & mask).sum())
