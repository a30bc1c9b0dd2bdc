"""The integer network: what the hardware computes, bit for bit.

A stage multiplies integer activations by integer weights, adds without loss, shifts right with rounding,
applies ReLU where a layer ends and saturates to the width of an activation:

    acc = (b << bias_shift) + sum of w * x          b as wide as a weight; nothing where a stage has no bias
    y   = (acc + (1 << (shift - 1))) >> shift       rounds half up; y = acc where shift is 0
    y   = max(y, 0)                                 where relu is set
    y   = min(max(y, -2**(ab - 1)), 2**(ab - 1) - 1)

A bias is a word of a weight's width, one a row; its shift is one a stage, and brings it to the scale of the
sums, which have more fraction bits than it needs. The last stage is requantised like the others, and the
class is the position of its largest output, the lowest position where several are equal.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal
from workloads.stages import Stage
from workloads.topology.ranges import IMAGES, InputWarning, checked_range
from workloads.topology.samples import IntegerSamples
from workloads.topology.topology import checked_order, compression_of

BITS = range(2, 17)
WIDEST_ACCUMULATOR = 63
"""Sums are taken in int64; a wider accumulator could not be simulated exactly."""


WORTH_FILLING = 0.2
"""The density from which the product of a whole matrix is faster than that of its stored entries."""

FLOAT_MANTISSA = 53
"""Bits of a whole number that a 64-bit float holds exactly."""

MOST_BEYOND = 0.1
"""The share of inputs that may lie beyond the range of a network."""


class IntegerNetworkError(Refusal):
    """An integer stage or network was given a value that is not allowed."""


def check_bits(owner: str, **widths: int) -> None:
    """Raise an `IntegerNetworkError` that names the first width that is not from 2 to 16."""
    for field, width in widths.items():
        if width not in BITS:
            allowed = f"integers from {BITS.start} to {BITS.stop - 1}"
            raise IntegerNetworkError.of(f"{field} of {owner}", width, allowed)


@dataclass(frozen=True, eq=False)
class IntegerStage:
    """One stage with its integer weights, of shape `stage.weight_shape`, and how its sums are requantised.

    `bias` (n_out,) is none where rows start from zero.
    """

    stage: Stage
    weights: NDArray[np.int64]
    shift: int
    relu: bool
    bias: NDArray[np.int64] | None = None
    bias_shift: int = 0

    def __post_init__(self) -> None:
        weights = np.asarray(self.weights)
        if weights.shape != self.stage.weight_shape or not np.issubdtype(weights.dtype, np.integer):
            raise IntegerNetworkError(
                f"weights of a {self.stage.kind} stage have shape {weights.shape} and type {weights.dtype}, "
                f"allowed are integers of shape {self.stage.weight_shape}"
            )
        weights = weights.astype(np.int64)
        weights.setflags(write=False)
        object.__setattr__(self, "weights", weights)
        for name in ("shift", "bias_shift"):
            if not 0 <= getattr(self, name) <= WIDEST_ACCUMULATOR - 1:
                field, allowed = f"{name} of an integer stage", f"0 to {WIDEST_ACCUMULATOR - 1}"
                raise IntegerNetworkError.of(field, getattr(self, name), allowed)
        if self.bias is not None:
            object.__setattr__(self, "bias", self._checked_bias(np.asarray(self.bias)))
        elif self.bias_shift:
            raise IntegerNetworkError(
                f"bias_shift of an integer stage is {self.bias_shift}, allowed is 0 where there is no bias"
            )

    def _checked_bias(self, bias: NDArray[Any]) -> NDArray[np.int64]:
        if bias.shape != (self.stage.n_out,) or not np.issubdtype(bias.dtype, np.integer):
            raise IntegerNetworkError(
                f"bias of a {self.stage.kind} stage has shape {bias.shape} and type {bias.dtype}, "
                f"allowed are integers of shape {(self.stage.n_out,)}, or none"
            )
        checked = bias.astype(np.int64)
        checked.setflags(write=False)
        return checked

    def __repr__(self) -> str:
        bias = "" if self.bias is None else f", bias << {self.bias_shift}"
        relu = "ReLU" if self.relu else "no ReLU"
        return f"<IntegerStage of {self.stage!r}{bias}, shift {self.shift}, {relu}>"

    @property
    def rounding_constant(self) -> int:
        """What is added to the sum before it is shifted."""
        return 1 << (self.shift - 1) if self.shift else 0

    @property
    def stored_biases(self) -> int:
        """Number of biases kept: one a row, or none."""
        return 0 if self.bias is None else self.bias.size

    @cached_property
    def initial_sums(self) -> NDArray[np.int64]:
        """What the accumulator of every row starts from, shape (n_out,)."""
        if self.bias is None:
            return np.zeros(self.stage.n_out, dtype=np.int64)
        return self.bias << self.bias_shift

    @cached_property
    def _matrix(self) -> Any:
        return self.stage.csr(self.weights)

    @cached_property
    def _whole(self) -> NDArray[np.float64] | None:
        """The matrix of a stage that is nearly dense, as floats, whose product is faster."""
        if self.stage.density < WORTH_FILLING:
            return None
        whole: NDArray[np.float64] = self._matrix.toarray().astype(np.float64)
        return whole

    @cached_property
    def _reach(self) -> int:
        """As much as a row can make of inputs of one, or more."""
        return int(np.abs(self.weights).max(initial=0)) * int(self.stage.row_lengths().max())

    def accumulate(self, x: NDArray[np.int64]) -> NDArray[np.int64]:
        """The sums (n_out, batch) before requantisation, for x (n_in, batch)."""
        largest = max(int(x.max()), -int(x.min())) if x.size else 0
        # Floats hold whole numbers up to 2^53 exactly, and so every part of such a sum in any order.
        matrix = self._whole if self._reach * largest < 1 << FLOAT_MANTISSA else None
        product = self._matrix @ x if matrix is None else matrix @ x.astype(np.float64)
        sums: NDArray[np.int64] = np.asarray(product, dtype=np.int64)
        return sums if self.bias is None else sums + self.initial_sums[:, None]

    def requantise(self, sums: NDArray[np.int64], activation_bits: int) -> NDArray[np.int64]:
        """The outputs that these sums turn into."""
        top = 1 << (activation_bits - 1)
        shifted = (sums + self.rounding_constant) >> self.shift
        clipped: NDArray[np.int64] = np.clip(shifted, 0 if self.relu else -top, top - 1)
        return clipped


class _Taking(Protocol):
    """What has inputs that become integers."""

    @property
    def name(self) -> str: ...
    @property
    def n_in(self) -> int: ...
    @property
    def activation_bits(self) -> int: ...
    @property
    def input_fraction_bits(self) -> int: ...
    @property
    def input_range(self) -> tuple[float, float]: ...
    def ordered(self, inputs: NDArray[np.int64]) -> NDArray[np.int64]: ...
    def integer_inputs(self, values: NDArray[Any]) -> tuple[NDArray[np.int64], int]: ...
    def told_of_saturation(self, saturated: int, values: int) -> str: ...


class TakesInputs:
    """How inputs become integers, whatever the network is that takes them."""

    def quantise_input(self: _Taking, values: NDArray[Any]) -> NDArray[np.int64]:
        """Integer inputs (n_in, batch), in the order of the first stage, for values (batch, n_in) in that of
        training: what `integer_inputs` gives, with an `InputWarning` that counts what saturated."""
        inputs, saturated = self.integer_inputs(values)
        if saturated:
            warnings.warn(self.told_of_saturation(saturated, inputs.size), InputWarning, stacklevel=2)
        return inputs

    def integer_inputs(self: _Taking, values: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
        """Integer inputs as of `quantise_input`, and how many of them saturated.

        Values are multiplied by 2**input_fraction_bits and rounded, halves up. Some values further out than
        any that was seen in training are ordinary: what an activation holds stays as it is even beyond
        `input_range`, and what it does not hold takes the end of the activation on its side. Data of which
        more than a tenth lies beyond the range are on another scale, and are refused with an
        IntegerNetworkError, as are values that are not finite.
        """
        values = np.asarray(values)
        if values.ndim != 2 or values.shape[1] != self.n_in or values.dtype.kind not in "fiub":
            raise IntegerNetworkError(
                f"inputs of {self.name} have shape {values.shape} and type {values.dtype}, "
                f"allowed are numbers of shape (batch, {self.n_in})"
            )
        low, high = self.input_range
        beyond = ~((values >= low) & (values <= high))
        if np.count_nonzero(beyond) > MOST_BEYOND * beyond.size or not np.isfinite(values).all():
            raise IntegerNetworkError(
                f"inputs of {self.name} span {values.min():.6g} to {values.max():.6g}, "
                f"{np.count_nonzero(beyond)} of {beyond.size} beyond its input_range, allowed are {low:g} to "
                f"{high:g} with at most a tenth beyond, and finite numbers"
            )
        top = 1 << (self.activation_bits - 1)
        scaled = np.floor(np.ldexp(values.astype(np.float64), self.input_fraction_bits) + 0.5)
        held = np.clip(scaled, -top, top - 1)
        return self.ordered(held.astype(np.int64)), int(np.count_nonzero(beyond & (held != scaled)))

    def told_of_saturation(self: _Taking, saturated: int, values: int) -> str:
        """The sentence that counts the inputs that saturated."""
        low, high = self.input_range
        return (
            f"{saturated:,} of {values:,} inputs of {self.name} lie beyond {low:g} to {high:g}, its "
            f"input_range, and saturate with {self.activation_bits} bits"
        )


@dataclass(frozen=True, eq=False)
class IntegerNetwork(TakesInputs):
    """A cascade of integer stages, all weights and biases of `weight_bits`, all activations of
    `activation_bits`.

    `samples` are inputs of the kind that it is made for; without them nobody knows any. `input_range` is that
    of `TrainedNetwork`; its scale has `input_fraction_bits` fraction bits, any integer. `input_order` is the
    input that stands at each place of the first stage, or empty where they come as they are.
    """

    name: str
    stages: tuple[IntegerStage, ...]
    weight_bits: int
    activation_bits: int
    input_fraction_bits: int
    input_order: tuple[int, ...] = ()
    samples: IntegerSamples | None = None
    input_range: tuple[float, float] = IMAGES

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        check_bits(self.name, weight_bits=self.weight_bits, activation_bits=self.activation_bits)
        if not self.stages:
            raise IntegerNetworkError(f"stages of {self.name} is empty, allowed is at least one stage")
        self._check_inputs()
        top = 1 << (self.weight_bits - 1)
        for number, stage in enumerate(self.stages):
            if number and stage.stage.n_in != self.stages[number - 1].stage.n_out:
                raise IntegerNetworkError(
                    f"n_in of stage {number} of {self.name} is {stage.stage.n_in}, "
                    f"allowed is {self.stages[number - 1].stage.n_out}, the n_out of the stage before"
                )
            kept = {"weights": stage.weights, "biases": stage.bias}
            for name, values in kept.items():
                if values is None or not values.size or (-top <= values.min() and values.max() < top):
                    continue
                raise IntegerNetworkError(
                    f"{name} of stage {number} of {self.name} span {values.min()} to "
                    f"{values.max()}, allowed are {-top} to {top - 1} with {self.weight_bits} bits"
                )
        if self.accumulator_bits > WIDEST_ACCUMULATOR:
            field, most = f"accumulator_bits of {self.name}", f"up to {WIDEST_ACCUMULATOR}"
            raise IntegerNetworkError.of(field, self.accumulator_bits, most)

    def _check_inputs(self) -> None:
        ends = checked_range(f"input_range of {self.name}", self.input_range, IntegerNetworkError)
        object.__setattr__(self, "input_range", ends)
        order = checked_order(self.input_order, self.n_in, IntegerNetworkError)
        object.__setattr__(self, "input_order", order)
        if not isinstance(self.input_fraction_bits, int):
            raise IntegerNetworkError.of(
                f"input_fraction_bits of {self.name}", self.input_fraction_bits, "integers"
            )

    def __repr__(self) -> str:
        bits = f"{self.weight_bits}-bit weights, {self.activation_bits}-bit activations"
        shape = f"{self.n_in} to {self.n_out} in {len(self.stages)} stages"
        stored = f"{self.stored_weights:,} weights"
        if self.stored_biases:
            stored += f" and {self.stored_biases:,} biases"
        return f"<IntegerNetwork {self.name[:60]}: {shape}, {stored}; {bits}>"

    @property
    def n_in(self) -> int:
        """Inputs of the network."""
        return self.stages[0].stage.n_in

    @property
    def n_out(self) -> int:
        """Outputs of the network."""
        return self.stages[-1].stage.n_out

    @property
    def stored_weights(self) -> int:
        """Number of weights kept; biases are counted for themselves."""
        return sum(stage.stage.stored_weights for stage in self.stages)

    @property
    def stored_biases(self) -> int:
        """Number of biases kept."""
        return sum(stage.stored_biases for stage in self.stages)

    @property
    def dense_weights(self) -> int:
        """Weights of the same layers if dense; a layer ends where a ReLU is, and at the last stage."""
        total, n_in = 0, self.n_in
        for stage in self.stages:
            if stage.relu or stage is self.stages[-1]:
                total += n_in * stage.stage.n_out
                n_in = stage.stage.n_out
        return total

    @property
    def compression(self) -> float:
        """Dense weights divided by stored weights, infinite where none is kept; as in publications, biases
        are on neither side."""
        return compression_of(self.dense_weights, self.stored_weights)

    @property
    def accumulator_bound(self) -> int:
        """The largest sum that an accumulator must hold, rounding constant included; the lowest that it must
        hold is no less than minus this, less one.

        The bound follows from formats alone: the longest row, with weights, activations and bias where they
        add up to most, or to least. It does not look at their values, because one piece of hardware must
        run every network of this shape.
        """
        return max(self._bound(stage) for stage in self.stages)

    def _bound(self, stage: IntegerStage) -> int:
        taps = int(stage.stage.row_lengths().max())
        weight, activation = 1 << (self.weight_bits - 1), 1 << (self.activation_bits - 1)
        largest, lowest = taps * weight * activation, -taps * weight * (activation - 1)
        if stage.bias is not None:
            largest += (weight - 1) << stage.bias_shift
            lowest -= weight << stage.bias_shift
        return max(largest + stage.rounding_constant, -lowest - 1)

    @cached_property
    def accumulator_bits(self) -> int:
        """The smallest signed width that holds `accumulator_bound` and what lies as far below zero, and so
        never overflows."""
        return self.accumulator_bound.bit_length() + 1

    def ordered(self, inputs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Integer inputs (batch, n_in) as the stages take them: (n_in, batch), by `input_order`."""
        columns = inputs.T
        return columns[list(self.input_order)] if self.input_order else columns

    def trace(self, x: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The outputs (n_out, batch) of every stage for integer inputs x (n_in, batch)."""
        top = 1 << (self.activation_bits - 1)
        if x.ndim != 2 or x.shape[0] != self.n_in or not np.issubdtype(x.dtype, np.integer):
            raise IntegerNetworkError(
                f"x of {self.name} has shape {x.shape} and type {x.dtype}, "
                f"allowed are integers of shape ({self.n_in}, batch)"
            )
        if x.size and not (-top <= x.min() and x.max() < top):
            raise IntegerNetworkError(
                f"x spans {x.min()} to {x.max()}, allowed are {-top} to {top - 1} with "
                f"{self.activation_bits} bits"
            )
        outputs, signal = [], x.astype(np.int64)
        for stage in self.stages:
            signal = stage.requantise(stage.accumulate(signal), self.activation_bits)
            outputs.append(signal)
        return outputs

    def signals(self, x: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The inputs (n_in, batch) of every stage for integer inputs x (n_in, batch)."""
        return [x, *self.trace(x)[:-1]]

    def run(self, x: NDArray[np.int64]) -> NDArray[np.int64]:
        """The outputs (n_out, batch) of the last stage for integer inputs x (n_in, batch)."""
        return self.trace(x)[-1]

    def classify(self, images: NDArray[Any]) -> NDArray[np.int64]:
        """The class of every image (batch, n_in): the position of the largest output, the lowest on a tie."""
        classes: NDArray[np.int64] = np.argmax(self.run(self.quantise_input(images)), axis=0)
        return classes
