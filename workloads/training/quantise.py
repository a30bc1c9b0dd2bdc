"""From a float network to an integer one, with a power of two as the scale of each weight and output array.

A number v of f fraction bits stands for v / 2**f. A stage whose inputs have fa_in fraction bits and whose
weights have fw sums numbers of fw + fa_in fraction bits; shifting them right by fw + fa_in - fa_out gives
outputs of fa_out. A bias enters the sum as b << bias_shift, with the least shift at which all biases of the
stage fit the bits of a weight.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.topology.integer import (
    IntegerNetwork,
    IntegerNetworkError,
    IntegerStage,
    check_bits,
    check_no_skips,
)
from workloads.topology.network import Calibration, TrainedNetwork
from workloads.topology.samples import IntegerSamples
from workloads.training.model import Model
from workloads.training.trained_model import TrainedModel

INNER_PERCENTILE = 99.99
"""The share of magnitudes, in percent, that the format of an inner stage must hold; what lies above
saturates. The last stage must hold them all, since saturated classes would tie."""
PERCENTILES = (99.0, 99.9, 99.99, 100.0)
WEIGHT_EXPONENTS = range(-1, 4)
"""Exponents tried for the weights, relative to the finest that holds the largest weight; finer saturate
it."""
MOST_FRACTION_BITS = 24
"""A finer format than this only lengthens the shift of weights that are next to nothing."""


def calibrate(model: Model, images: NDArray[Any]) -> Calibration:
    """Percentiles of the magnitudes of the outputs of every stage, after ReLU, over images (batch, n_in)."""
    signals = model.forward(np.ascontiguousarray(images.T))
    ranges = tuple(
        tuple(float(value) for value in np.percentile(np.abs(signal), PERCENTILES)) for signal in signals[1:]
    )
    return Calibration(percentiles=PERCENTILES, ranges=ranges)


def quantise(
    network: TrainedNetwork | TrainedModel, weight_bits: int, activation_bits: int
) -> IntegerNetwork:
    """The integer network of these widths, 2 to 16 bits each, closest to `network` stage by stage.

    An `IntegerNetworkError` refuses a network that no engine runs: one with skip connections, or no MLP.
    """
    if not isinstance(network, TrainedNetwork):
        raise IntegerNetworkError(
            f"model of {network.name} is {network.recipe['model']}, "
            "allowed is mlp, because the engines run fully connected layers one after another"
        )
    check_bits(network.name, weight_bits=weight_bits, activation_bits=activation_bits)
    check_no_skips(network.name, network.topology)
    topology = network.topology
    last = len(topology.stages) - 1
    stages: list[IntegerStage] = []
    input_fraction_bits = fraction_in = activation_bits - 1
    for number, stage in enumerate(topology.stages):
        weights, weight_fraction = quantise_weights(network.weights[number], weight_bits)
        reach = network.calibration.reach(number, 100.0 if number == last else INNER_PERCENTILE)
        of_sums = weight_fraction + fraction_in
        fraction_out = min(fraction_bits(reach, activation_bits), of_sums)
        exact = network.biases[number] if network.biases else None
        bias, bias_shift = (None, 0) if exact is None else quantise_bias(exact, of_sums, weight_bits)
        stages.append(
            IntegerStage(
                stage=stage,
                weights=weights,
                shift=of_sums - fraction_out,
                relu=topology.ends_layer[number] and number != last,
                bias=bias,
                bias_shift=bias_shift,
            )
        )
        fraction_in = fraction_out
    integer = IntegerNetwork(
        name=network.name,
        stages=tuple(stages),
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        input_fraction_bits=input_fraction_bits,
        input_digits=topology.input_digits,
    )
    if network.samples is None:
        return integer
    inputs = integer.quantise_input(network.samples.values)
    return replace(integer, samples=IntegerSamples(inputs, f"{network.name}: {network.samples.source}"))


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
