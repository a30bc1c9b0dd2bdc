"""How often a network names the right class: in floating point, as integers of any width, and with one layer
alone as integers."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal
from workloads.topology.integer import BITS, IntegerNetwork
from workloads.topology.integer_model import AnyIntegerNetwork
from workloads.topology.network import TrainedNetwork
from workloads.topology.placed import PlacedNetwork
from workloads.topology.ranges import InputWarning
from workloads.training.models.model import CHUNK
from workloads.training.quantisation.float_network import FloatNetwork
from workloads.training.quantisation.integer_form import quantise
from workloads.training.quantisation.quantise import stage_formats

FLOAT = "float"
"""What the accuracy in floating point is called."""
ON_CHIP = "on_chip"
"""What the accuracy of a network that was trained on chip is called, in the very arithmetic of training."""
MOST_WORDS = 1 << 24
"""Numbers at the windows of all places that are computed at once."""


def evaluate(
    network: AnyIntegerNetwork | FloatNetwork | PlacedNetwork, values: NDArray[Any], labels: NDArray[Any]
) -> float:
    """The share, in [0, 1], of inputs (n, n_in) whose class equals labels (n,). An `InputWarning` counts the
    inputs that saturated on the way to integers."""
    right = saturated = 0
    for seen, classes in _chunks(values, labels, _at_once(network)):
        if isinstance(network, FloatNetwork | PlacedNetwork):
            named = network.classify(seen)
        else:
            inputs, cut = network.integer_inputs(seen)
            named, saturated = np.argmax(network.run(inputs), axis=0), saturated + cut
        right += int(np.count_nonzero(named == classes))
    if not isinstance(network, FloatNetwork | PlacedNetwork) and saturated:
        told = network.told_of_saturation(saturated, np.size(values))
        warnings.warn(told, InputWarning, stacklevel=2)
    return right / len(labels)


def width_name(weight_bits: int, activation_bits: int) -> str:
    """What the accuracy with weights and activations of so many bits is called: `int8`, or `int4x8` where
    they differ."""
    return f"int{weight_bits}" + f"x{activation_bits}" * (weight_bits != activation_bits)


def accuracies(
    network: TrainedNetwork | PlacedNetwork,
    values: NDArray[Any],
    labels: NDArray[Any],
    widths: Iterable[int] = BITS,
    apart: Iterable[tuple[int, int]] = (),
) -> dict[str, float]:
    """The accuracy in floating point, with weights and activations of each width, by name (`float`, `int2` to
    `int16`), and of the widths that are `apart` (`int4x8`). What saturates is told once, for the widest."""
    plain = FloatNetwork.of(network) if isinstance(network, TrainedNetwork) else network
    measured = {FLOAT: evaluate(plain, values, labels)}
    *narrow, widest = *apart, *((bits, bits) for bits in sorted(widths))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        for bits in narrow:
            measured[width_name(*bits)] = evaluate(quantise(network, *bits), values, labels)
    measured[width_name(*widest)] = evaluate(quantise(network, *widest), values, labels)
    return measured


@dataclass(frozen=True)
class Sensitivity:
    """What each layer loses by becoming integers: the accuracy in floating point, and that with one layer
    alone as integers of these widths, its inputs, weights and outputs, for every layer in turn."""

    weight_bits: int
    activation_bits: int
    accuracy: float
    alone: tuple[float, ...]

    @property
    def losses(self) -> tuple[float, ...]:
        """The share of inputs that each layer costs; below zero where it gains."""
        return tuple(self.accuracy - share for share in self.alone)

    @property
    def worst(self) -> int:
        """The layer that loses most, the first of several."""
        return int(np.argmax(self.losses))


def layer_sensitivity(
    network: TrainedNetwork | PlacedNetwork,
    values: NDArray[Any],
    labels: NDArray[Any],
    weight_bits: int = 8,
    activation_bits: int = 8,
) -> Sensitivity:
    """What every layer of a network loses on inputs (n, n_in) with labels (n,) by becoming integers alone.

    Raises IntegerNetworkError for widths that there are not.
    """
    if isinstance(network, PlacedNetwork):
        return _sensitivity_at_places(network, values, labels, weight_bits, activation_bits)
    integer, plain = quantise(network, weight_bits, activation_bits), FloatNetwork.of(network)
    formats = stage_formats(network, weight_bits, activation_bits)
    layers, top = range(len(network.topology.layers)), 1 << (activation_bits - 1)
    right, alone = 0, np.zeros(len(layers), dtype=np.int64)
    for seen, classes in _chunks(values, labels):
        x = plain.ordered(np.asarray(seen, dtype=np.float32).T)
        for layer in layers:
            stages = plain.stages_of(layer)
            scaled = np.floor(np.ldexp(x.astype(np.float64), formats[stages[0]].fraction_in) + 0.5)
            signal = np.clip(scaled, -top, top - 1).astype(np.int64)
            for stage in stages:
                computed = integer.stages[stage]
                signal = computed.requantise(computed.accumulate(signal), activation_bits)
            y = np.ldexp(signal.astype(np.float32), -formats[stages[-1]].fraction_out)
            alone[layer] += np.count_nonzero(np.argmax(plain.rest(layer + 1, y), axis=0) == classes)
            x = plain.layer(layer, x)[-1]
        right += int(np.count_nonzero(np.argmax(x, axis=0) == classes))
    shares = tuple(int(count) / len(labels) for count in alone)
    return Sensitivity(weight_bits, activation_bits, right / len(labels), shares)


def _sensitivity_at_places(
    network: PlacedNetwork, values: NDArray[Any], labels: NDArray[Any], weight_bits: int, activation_bits: int
) -> Sensitivity:
    """`layer_sensitivity` of a network with places."""
    parts = quantise(network, weight_bits, activation_bits).parts
    fractions = [part.cascade.input_fraction_bits for part in parts]
    right, alone, top = 0, np.zeros(len(parts), dtype=np.int64), 1 << (activation_bits - 1)
    for seen, classes in _chunks(values, labels, _at_once(network)):
        x = np.asarray(seen, dtype=np.float32).T
        for layer, part in enumerate(parts):
            scaled = np.floor(np.ldexp(x.astype(np.float64), fractions[layer]) + 0.5)
            signal = part.run(np.clip(scaled, -top, top - 1).astype(np.int64))
            if layer + 1 < len(parts):
                y = np.ldexp(signal.astype(np.float32), -fractions[layer + 1])
                for following in network.layers[layer + 1 :]:
                    y = following.run(y)
            else:
                y = signal  # The largest output is the same in any scale.
            alone[layer] += np.count_nonzero(np.argmax(y, axis=0) == classes)
            x = network.layers[layer].run(x)
        right += int(np.count_nonzero(np.argmax(x, axis=0) == classes))
    shares = tuple(int(count) / len(labels) for count in alone)
    return Sensitivity(weight_bits, activation_bits, right / len(labels), shares)


def _at_once(network: AnyIntegerNetwork | FloatNetwork | PlacedNetwork) -> int:
    """Inputs that are computed at once."""
    return (
        CHUNK
        if isinstance(network, FloatNetwork | IntegerNetwork)
        else min(CHUNK, max(1, MOST_WORDS // network.most_words))
    )


def _chunks(
    values: NDArray[Any], labels: NDArray[Any], at_once: int = CHUNK
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Inputs with their labels, some at a time. Raises Refusal where they are not equally many, or none."""
    if len(values) != len(labels) or not len(labels):
        raise Refusal(
            f"labels has {len(labels)} entries, allowed are one for each of the {len(values)} inputs, and at "
            "least one"
        )
    for start in range(0, len(labels), at_once):
        yield values[start : start + at_once], labels[start : start + at_once]
