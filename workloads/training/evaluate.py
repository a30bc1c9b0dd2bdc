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
from workloads.topology.integer import BITS
from workloads.topology.integer_model import AnyIntegerNetwork
from workloads.topology.network import TrainedNetwork
from workloads.topology.ranges import InputWarning
from workloads.training.float_network import FloatNetwork
from workloads.training.model import CHUNK
from workloads.training.quantise import quantise, stage_formats

FLOAT = "float"
"""What the accuracy in floating point is called."""


def evaluate(network: AnyIntegerNetwork | FloatNetwork, values: NDArray[Any], labels: NDArray[Any]) -> float:
    """The share, in [0, 1], of inputs (n, n_in) whose class equals labels (n,). An `InputWarning` counts the
    inputs that saturated on the way to integers."""
    right = saturated = 0
    for seen, classes in _chunks(values, labels):
        if isinstance(network, FloatNetwork):
            named = network.classify(seen)
        else:
            inputs, cut = network.integer_inputs(seen)
            named, saturated = np.argmax(network.run(inputs), axis=0), saturated + cut
        right += int(np.count_nonzero(named == classes))
    if not isinstance(network, FloatNetwork) and saturated:
        told = network.told_of_saturation(saturated, np.size(values))
        warnings.warn(told, InputWarning, stacklevel=2)
    return right / len(labels)


def width_name(bits: int) -> str:
    """What the accuracy with weights and activations of so many bits is called."""
    return f"int{bits}"


def accuracies(
    network: TrainedNetwork, values: NDArray[Any], labels: NDArray[Any], widths: Iterable[int] = BITS
) -> dict[str, float]:
    """The accuracy in floating point and with weights and activations of each width, by name: `float`, `int2`
    to `int16`. What saturates is told once, for the widest."""
    measured = {FLOAT: evaluate(FloatNetwork.of(network), values, labels)}
    *narrow, widest = sorted(widths)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        for bits in narrow:
            measured[width_name(bits)] = evaluate(quantise(network, bits, bits), values, labels)
    measured[width_name(widest)] = evaluate(quantise(network, widest, widest), values, labels)
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
    network: TrainedNetwork,
    values: NDArray[Any],
    labels: NDArray[Any],
    weight_bits: int = 8,
    activation_bits: int = 8,
) -> Sensitivity:
    """What every layer of a network loses on inputs (n, n_in) with labels (n,) by becoming integers alone.

    Raises IntegerNetworkError for widths that there are not.
    """
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


def _chunks(values: NDArray[Any], labels: NDArray[Any]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Inputs with their labels, some at a time. Raises Refusal where they are not equally many, or none."""
    if len(values) != len(labels) or not len(labels):
        raise Refusal(
            f"labels has {len(labels)} entries, allowed are one for each of the {len(values)} inputs, and at "
            "least one"
        )
    for start in range(0, len(labels), CHUNK):
        yield values[start : start + CHUNK], labels[start : start + CHUNK]
