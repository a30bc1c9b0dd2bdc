"""From a float network with places to an integer model, layer by layer, as `quantise` does stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workloads.topology.integer import IntegerNetwork, IntegerNetworkError, IntegerStage, check_bits
from workloads.topology.integer_model import IntegerModel, IntegerPart
from workloads.topology.placed import PlacedLayers, PlacedNetwork
from workloads.topology.ranges import IMAGES, INNER_PERCENTILE, input_fraction_bits
from workloads.topology.samples import IntegerSamples
from workloads.training.quantisation.quantise import fraction_bits, quantise_bias, quantise_weights

FINAL_PERCENTILE = 100.0
"""The share of magnitudes, in percent, that the format of the last stage must hold."""


def quantise_places(network: PlacedNetwork, weight_bits: int, activation_bits: int) -> IntegerModel:
    """The integer model of these widths, 2 to 16 bits each, closest to `network` stage by stage.

    Raises IntegerNetworkError for a network without calibration, and for widths in which a hard tanh does not
    saturate where it should.
    """
    check_bits(network.name, weight_bits=weight_bits, activation_bits=activation_bits)
    calibration = network.calibration
    if calibration is None:
        raise IntegerNetworkError(
            f"calibration of {network.name} is missing, allowed is a network that was calibrated: one that "
            "is trained anew, or `calibrated` on images"
        )
    parts: list[IntegerPart] = []
    fraction, first = input_fraction_bits(network.input_range, activation_bits), 0
    for number, layers in enumerate(network.layers):
        final, after = number == len(network.layers) - 1, first + len(layers.topology.stages)
        reaches = [calibration.reach(stage, INNER_PERCENTILE) for stage in range(first, after)]
        if final:
            reaches[-1] = calibration.reach(after - 1, FINAL_PERCENTILE)
        stages, fraction_out = _stages(layers, reaches, fraction, weight_bits, activation_bits)
        name = f"layers {number} of {network.name}"
        cascade = IntegerNetwork(
            name,
            stages,
            weight_bits,
            activation_bits,
            input_fraction_bits=fraction,
            input_range=IMAGES if number else network.input_range,
        )
        parts.append(IntegerPart(layers.sweep, cascade))
        fraction, first = fraction_out, after
    model = IntegerModel(network.name, tuple(parts))
    if network.samples is None:
        return model
    inputs, saturated = model.integer_inputs(network.samples.values)
    source = f"{network.name}: {network.samples.source}"
    return replace(model, samples=IntegerSamples(inputs, source, saturated=saturated))


def _stages(
    layers: PlacedLayers, reaches: Sequence[float], fraction: int, weight_bits: int, activation_bits: int
) -> tuple[tuple[IntegerStage, ...], int]:
    """The integer stages of layers whose inputs have so many fraction bits, and the fraction bits of their
    outputs."""
    topology, stages = layers.topology, []
    for number, stage in enumerate(topology.stages):
        weights, of_weights = quantise_weights(layers.weights[number], weight_bits)
        of_sums, last = of_weights + fraction, number == len(topology.stages) - 1
        if last and layers.ending == "hardtanh":
            fraction_out = activation_bits - 1
            if of_sums < fraction_out:
                raise IntegerNetworkError(
                    f"fraction bits of the sums before a hardtanh are {of_sums}, allowed are at least "
                    f"{fraction_out}, with which 1 is where an activation saturates"
                )
        else:
            fraction_out = min(fraction_bits(reaches[number], activation_bits), of_sums)
        exact = layers.biases[number] if layers.biases else None
        bias, bias_shift = (None, 0) if exact is None else quantise_bias(exact, of_sums, weight_bits)
        stages.append(
            IntegerStage(
                stage=stage,
                weights=weights,
                shift=of_sums - fraction_out,
                relu=layers.ending == "relu" if last else topology.ends_layer[number],
                bias=bias,
                bias_shift=bias_shift,
            )
        )
        fraction = fraction_out
    return tuple(stages), fraction
