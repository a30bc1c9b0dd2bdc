"""From the layers of a network as its author wrote it to one of ours: stages, weights, scales and samples."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.data.labelled import DataError
from workloads.importers.examples import CALIBRATION_INPUTS, Examples, Given, read_examples
from workloads.importers.layers import Layer, Layers
from workloads.importers.structure import Structure, structures, without_zeros
from workloads.topology.network import Calibration, NetworkFileError, TrainedNetwork
from workloads.topology.ranges import IMAGES, InputWarning, checked_range, range_of
from workloads.topology.topology import Topology
from workloads.training.evaluate import accuracies, layer_sensitivity
from workloads.training.float_network import FloatNetwork
from workloads.training.quantise import PERCENTILES, calibrate, quantise

ASSUMED_INPUTS = 256
"""Random inputs that scales are found on where nobody gives inputs."""
STAGE_NAMES = "stages"
"""In the recipe of a network from elsewhere what its author calls the layer of each stage."""
WIDTH = 8
"""Bits with which inputs are tried, and with which layers are, one at a time."""
LOSSES = "losses_int8"
"""In the recipe of a network the share of the labelled inputs that each layer alone costs as integers."""
MEASURED = ("data", LOSSES)
"""What a recipe says of inputs that are replaced."""


@dataclass(frozen=True)
class Cascade:
    """Layers with nothing but linear maps between them: a layer of ours. Its bias is that of its end, into
    which those before are carried: W2 (W1 x + b1) + b2 = W2 W1 x + (W2 b1 + b2)."""

    layers: tuple[Layer, ...]

    @property
    def bias(self) -> NDArray[np.float32] | None:
        """The bias (n_out,) of the whole cascade."""
        total: NDArray[np.float64] | None = None
        for layer in self.layers:
            if total is not None:
                total = np.asarray(layer.matrix @ total, dtype=np.float64)
            if layer.bias is not None:
                total = layer.bias.astype(np.float64) + (0.0 if total is None else total)
        return None if total is None else total.astype(np.float32)


def assemble(
    layers: Layers,
    *,
    inputs: Any = None,
    labels: Any = None,
    name: str | None = None,
    input_range: Sequence[float] | None = None,
    output_ranges: Sequence[float] | None = None,
) -> TrainedNetwork:
    """The network of these layers, called `name` or as they are.

    `inputs` and `labels` are those of `read_examples`: with inputs, scales are found on them and up to 64
    are kept as samples; with labels, accuracy is measured. `input_range`, the least and the largest value of
    an input, and `output_ranges`, the largest magnitude at the end of each layer, may be told, by the user or
    by `layers.settings`, and hold before what inputs show: a model that is quantised was trained for them.
    Without either, scales are assumed, and a remark says so.
    Raises NetworkFileError or DataError for what does not fit.
    """
    told = _told(layers.settings, input_range=input_range, output_ranges=output_ranges)
    cascades = _cascades(layers.layers)
    built = structures([(layer.name, layer.matrix) for layer in layers.layers])
    topology = _topology(cascades, built)
    weights = tuple(array for structure in built for array in structure.weights)
    of_cascades = iter(cascade.bias for cascade in cascades)
    biases = tuple(next(of_cascades) if ends else None for ends in topology.ends_layer)
    given = Given.of("inputs", inputs), Given.of("labels", labels)
    examples = read_examples(*given, n_in=topology.n_in, n_out=topology.n_out)
    span, assumed = _span(examples, told.get("input_range")), list[str]()
    calibration = _calibrated(FloatNetwork(topology, weights, biases), examples, span)
    if "output_ranges" in told:
        counts = [len(structure.stages) for structure in built]
        calibration = _with_ranges(calibration, told["output_ranges"], counts)
    elif examples is None:
        assumed = [_assumed(span)]
    network = TrainedNetwork(
        name=name or layers.name,
        topology=topology,
        weights=weights,
        calibration=calibration,
        recipe={
            "imported_from": layers.origin,
            STAGE_NAMES: _names(layers.layers, built),
            **_files(*given),
        },
        biases=biases,
        remarks=(
            *layers.remarks,
            *_of_the_end(layers.layers[-1]),
            *(remark for structure in built for remark in structure.remarks),
            *assumed,
        ),
        input_range=span,
    )
    return network if examples is None else _with_examples(network, examples)


def _told(settings: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """What the file says, and over it what the user does."""
    told = {**settings, **{field: value for field, value in given.items() if value is not None}}
    if strange := sorted(told.keys() - given.keys()):
        raise NetworkFileError.of("settings of a network", ", ".join(strange), given)
    return told


def _cascades(layers: Sequence[Layer]) -> list[Cascade]:
    cascades: list[list[Layer]] = [[]]
    for layer in layers:
        cascades[-1].append(layer)
        if layer.activation == "relu":
            cascades.append([])
    return [Cascade(tuple(cascade)) for cascade in cascades if cascade]


def _topology(cascades: Sequence[Cascade], built: Sequence[Structure]) -> Topology:
    following = iter(built)
    return Topology(
        tuple(
            tuple(stage for _ in cascade.layers for stage in next(following).stages) for cascade in cascades
        )
    )


def _names(layers: Sequence[Layer], built: Sequence[Structure]) -> list[str]:
    """The name of the layer of every stage."""
    return [layer.name for layer, structure in zip(layers, built, strict=True) for _ in structure.stages]


def _of_the_end(last: Layer) -> tuple[str, ...]:
    if last.activation == "none":
        return ()
    return (
        f"the ReLU after layer {last.name}, the last one, is left out: outputs below zero stay as they are, "
        "and the largest one is the same unless none is above zero",
    )


def _span(examples: Examples | None, told: Sequence[float] | None) -> tuple[float, float]:
    """The range of the inputs: as told, else that of those given, else of images."""
    if told is not None:
        return checked_range("input_range", told, DataError)
    return range_of(examples.inputs) if examples else IMAGES


def _assumed(span: tuple[float, float]) -> str:
    low, high = span
    return (
        f"scales were assumed: they follow from {ASSUMED_INPUTS} random inputs from {low:g} to {high:g}, "
        "because the network was imported without inputs"
    )


def _calibrated(network: FloatNetwork, examples: Examples | None, span: tuple[float, float]) -> Calibration:
    """Scales from the inputs given, or from random ones in a range. What overflows is refused as it is."""
    if examples is not None:
        inputs = examples.spread(CALIBRATION_INPUTS)
    else:
        random = np.random.default_rng(0)
        inputs = random.uniform(*span, size=(ASSUMED_INPUTS, network.topology.n_in)).astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        return calibrate(network, inputs)


def _with_ranges(calibration: Calibration, told: Sequence[float], counts: Sequence[int]) -> Calibration:
    """The calibration with the largest magnitudes that are told, one at the end of each of the layers that
    were given, which have so many stages."""
    if len(told) != len(counts) or not all(np.isfinite(reach) and reach >= 0 for reach in told):
        allowed = f"{len(counts)} finite numbers from 0, one a layer"
        raise NetworkFileError.of("output_ranges", list(told), allowed)
    ranges = list(calibration.ranges)
    for end, reach in zip(itertools.accumulate(counts), told, strict=True):
        ranges[end - 1] = (float(reach),) * len(PERCENTILES)
    return replace(calibration, ranges=tuple(ranges))


def _files(inputs: Given | None, labels: Given | None) -> dict[str, Any]:
    """Where the labelled inputs are, so that accuracy at other widths can be measured."""
    if inputs is None or labels is None or not (inputs.path and labels.path):
        return {}
    return {"data": {"inputs": inputs.path, "labels": labels.path}}


def _with_examples(network: TrainedNetwork, examples: Examples) -> TrainedNetwork:
    """The network with samples of its inputs, and with its accuracy where they are labelled, at every width
    and with the layer that loses most by being integers. Inputs beyond the range of a network saturate, as
    its results then say."""
    remarks = (*network.remarks, *examples.remarks)
    network = replace(network, samples=examples.samples(), accuracy={}, remarks=remarks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        # What does not fit the range is refused now, and not when the network is first costed.
        quantise(network, WIDTH, WIDTH)
        if examples.labels is None:
            return network
        labelled = examples.inputs, examples.labels
        network = replace(network, accuracy=accuracies(network, *labelled))
        losses = layer_sensitivity(network, *labelled, WIDTH, WIDTH).losses
    return replace(network, recipe={**network.recipe, LOSSES: list(losses)})


def renewed(
    network: TrainedNetwork,
    *,
    inputs: Any = None,
    labels: Any = None,
    name: str | None = None,
    input_range: Sequence[float] | None = None,
) -> TrainedNetwork:
    """A network of ours with what `assemble` would make of the same arguments: zeros that are stored are
    given up, and with inputs scales, samples and accuracy are found anew."""
    network = without_zeros(replace(network, name=name or network.name))
    topology = network.topology
    given = Given.of("inputs", inputs), Given.of("labels", labels)
    examples = read_examples(*given, n_in=topology.n_in, n_out=topology.n_out)
    if examples is None and input_range is None:
        return network
    span = _span(examples, input_range)
    network = replace(
        network,
        calibration=_calibrated(FloatNetwork.of(network), examples, span),
        input_range=span,
        recipe={key: value for key, value in network.recipe.items() if key not in ("data", LOSSES)}
        | _files(*given),
    )
    if examples is not None:
        return _with_examples(network, examples)
    return replace(network, samples=None, accuracy={}, remarks=(*network.remarks, _assumed(span)))
