"""From a float network to an integer one, with a power of two as the scale of each weight and output array.

A number v of f fraction bits stands for v / 2**f. A stage whose inputs have fa_in fraction bits and whose
weights have fw sums numbers of fw + fa_in fraction bits; shifting them right by fw + fa_in - fa_out gives
outputs of fa_out. A bias enters the sum as b << bias_shift, with the least shift at which all biases of the
stage fit the bits of a weight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.stages import Stage
from workloads.topology.identity import with_identity
from workloads.topology.integer import IntegerNetwork, IntegerNetworkError, IntegerStage, check_bits
from workloads.topology.network import Calibration, TrainedNetwork
from workloads.topology.ranges import INNER_PERCENTILE, input_fraction_bits
from workloads.topology.samples import IntegerSamples
from workloads.training.models.model import Model
from workloads.training.models.trained_model import TrainedModel
from workloads.training.quantisation.float_network import FloatNetwork

PERCENTILES = (99.0, 99.9, 99.99, 100.0)
WEIGHT_EXPONENTS = range(-1, 4)
"""Exponents tried for the weights, relative to the finest that holds the largest weight; finer saturate
it."""
MOST_FRACTION_BITS = 24
"""A finer format than this only lengthens the shift of weights that are next to nothing."""


def calibrate(model: Model | FloatNetwork, values: NDArray[Any]) -> Calibration:
    """Percentiles of the magnitudes of the outputs of every stage, after ReLU, over inputs (batch, n_in)."""
    signals = model.forward(np.ascontiguousarray(values.T))
    ranges = tuple(
        tuple(float(value) for value in np.percentile(np.abs(signal), PERCENTILES)) for signal in signals[1:]
    )
    return Calibration(percentiles=PERCENTILES, ranges=ranges)


@dataclass(frozen=True, eq=False)
class StageFormat:
    """A stage as integers compute it, its identity skip a weight; its integers; and the fraction bits of its
    weights, its inputs and its outputs."""

    stage: Stage
    weights: NDArray[np.int64]
    weight_fraction: int
    fraction_in: int
    fraction_out: int
    bias: NDArray[np.int64] | None
    bias_shift: int

    @property
    def shift(self) -> int:
        """By how much sums are shifted right to become outputs."""
        return self.weight_fraction + self.fraction_in - self.fraction_out


def stage_formats(network: TrainedNetwork, weight_bits: int, activation_bits: int) -> tuple[StageFormat, ...]:
    """The formats of every stage at these widths. Raises IntegerNetworkError as `quantise` does."""
    check_bits(network.name, weight_bits=weight_bits, activation_bits=activation_bits)
    topology, last = network.topology, len(network.weights) - 1
    formats: list[StageFormat] = []
    fraction_in = input_fraction_bits(network.input_range, activation_bits)
    for number, (stage, floats) in enumerate(zip(topology.stages, network.weights, strict=True)):
        if topology.skipped[number]:
            stage, floats = with_identity(stage, floats)
        weights, weight_fraction = quantise_weights(floats, weight_bits)
        # The last stage must hold all magnitudes, since saturated classes would tie.
        reach = network.calibration.reach(number, 100.0 if number == last else INNER_PERCENTILE)
        of_sums = weight_fraction + fraction_in
        fraction_out = min(fraction_bits(reach, activation_bits), of_sums)
        exact = network.biases[number] if network.biases else None
        bias, bias_shift = (None, 0) if exact is None else quantise_bias(exact, of_sums, weight_bits)
        formats.append(
            StageFormat(stage, weights, weight_fraction, fraction_in, fraction_out, bias, bias_shift)
        )
        fraction_in = fraction_out
    return tuple(formats)


def quantise(
    network: TrainedNetwork | TrainedModel, weight_bits: int, activation_bits: int
) -> IntegerNetwork:
    """The integer network of these widths, 2 to 16 bits each, closest to `network` stage by stage.

    An identity skip becomes a weight of one in each row, quantised with the others. An `IntegerNetworkError`
    refuses a network that is no MLP, because no engine runs it.
    """
    if not isinstance(network, TrainedNetwork):
        raise IntegerNetworkError(
            f"model of {network.name} is {network.recipe['model']}, "
            "allowed is mlp, because the engines run fully connected layers one after another"
        )
    formats = stage_formats(network, weight_bits, activation_bits)
    topology, last = network.topology, len(formats) - 1
    stages = [
        IntegerStage(
            stage=form.stage,
            weights=form.weights,
            shift=form.shift,
            relu=topology.ends_layer[number] and number != last,
            bias=form.bias,
            bias_shift=form.bias_shift,
        )
        for number, form in enumerate(formats)
    ]
    integer = IntegerNetwork(
        name=network.name,
        stages=tuple(stages),
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        input_fraction_bits=formats[0].fraction_in,
        input_order=topology.input_places,
        input_range=network.input_range,
    )
    if network.samples is None:
        return integer
    inputs, saturated = integer.integer_inputs(network.samples.values)
    source = f"{network.name}: {network.samples.source}"
    return replace(integer, samples=IntegerSamples(inputs, source, saturated=saturated))


def fraction_bits(reach: float, bits: int) -> int:
    """The most fraction bits with which a signed number of `bits` bits holds the magnitude `reach`."""
    if not reach:
        return MOST_FRACTION_BITS
    return min(MOST_FRACTION_BITS, math.floor(math.log2(((1 << (bits - 1)) - 1) / reach)))


def quantise_weights(weights: NDArray[Any], bits: int) -> tuple[NDArray[np.int64], int]:
    """Integer weights and their fraction bits, chosen for the least mean squared error."""
    finest = fraction_bits(float(np.abs(weights).max(initial=0.0)), bits)
    candidates = [min(MOST_FRACTION_BITS, finest + step) for step in WEIGHT_EXPONENTS]
    exact = weights.astype(np.float64)

    def rounded(fraction: int) -> NDArray[np.float64]:
        top = 1 << (bits - 1)
        return np.clip(np.floor(np.ldexp(exact, fraction) + 0.5), -top, top - 1)

    def error(fraction: int) -> float:
        return float(np.sum((np.ldexp(rounded(fraction), -fraction) - exact) ** 2))

    best = min(candidates, key=error)
    return rounded(best).astype(np.int64), best


def quantise_bias(bias: NDArray[Any], fraction: int, bits: int) -> tuple[NDArray[np.int64], int]:
    """Integer biases for sums of so many fraction bits, and the least shift, from 0, at which they fit."""
    exact, top = np.ldexp(bias.astype(np.float64), fraction), 1 << (bits - 1)
    shift = 0
    while True:
        rounded = np.floor(np.ldexp(exact, -shift) + 0.5)
        if rounded.min() >= -top and rounded.max() < top:
            return rounded.astype(np.int64), shift
        shift += 1
