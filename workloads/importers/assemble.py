"""From the layers of a network as its author wrote it to one of ours: stages, weights, scales and samples."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workloads.data.labelled import DataError
from workloads.importers.cascades import cascades, placed_layers
from workloads.importers.examples import CALIBRATION_INPUTS, Examples, Given, read_examples
from workloads.importers.layers import Activation, Layer, Layers
from workloads.importers.structure import Structure, structures, without_zeros
from workloads.topology.network import Calibration, NetworkFileError, TrainedNetwork
from workloads.topology.placed import PlacedNetwork
from workloads.topology.ranges import IMAGES, InputWarning, checked_range, range_of
from workloads.topology.topology import Topology
from workloads.training import sharing
from workloads.training.evaluate import accuracies, layer_sensitivity
from workloads.training.quantisation.float_network import FloatNetwork
from workloads.training.quantisation.integer_form import quantise
from workloads.training.quantisation.quantise import PERCENTILES, calibrate

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
MOST_WORDS = 1 << 25
"""Numbers at the windows of all places that are computed at once while scales are found."""

Imported: TypeAlias = TrainedNetwork | Any
"""What layers from elsewhere become: a `PlacedNetwork` where there are convolutions, which the caller knows
and a type checker does not; all others are cascades."""


def assemble(
    layers: Layers,
    *,
    inputs: Any = None,
    labels: Any = None,
    name: str | None = None,
    input_range: Sequence[float] | None = None,
    output_ranges: Sequence[float] | None = None,
    codebook_bits: int | None = None,
) -> Imported:
    """The network of these layers, called `name` or as they are.

    `inputs` and `labels` are those of `read_examples`: with inputs, scales are found on them and up to 64
    are kept as samples; with labels, accuracy is measured. `input_range`, the least and the largest value of
    an input, and `output_ranges`, the largest magnitude at the end of each layer, may be told, by the user or
    by `layers.settings`, and hold before what inputs show: a model that is quantised was trained for them.
    Without either, scales are assumed, and a remark says so. With `codebook_bits` the weights of each stage
    are shared (`workloads.training.sharing`).
    Raises NetworkFileError or DataError for what does not fit.
    """
    told = _told(layers.settings, input_range=input_range, output_ranges=output_ranges)
    built = structures([(layer.name, layer.matrix) for layer in layers.layers])
    given = Given.of("inputs", inputs), Given.of("labels", labels)
    examples = read_examples(*given, n_in=layers.layers[0].n_in, n_out=layers.layers[-1].n_out)
    span, assumed = spanned(examples, told.get("input_range")), list[str]()
    if examples is None and "output_ranges" not in told:
        assumed = [assumed_scales(span)]
    named = name or layers.name
    recipe = {"imported_from": layers.origin, STAGE_NAMES: _names(layers.layers, built), **_files(*given)}
    remarks = (
        *layers.remarks,
        *left_out_at_the_end(layers.layers[-1].name, layers.layers[-1].activation),
        *(remark for structure in built for remark in structure.remarks),
        *([] if codebook_bits is None else [sharing.remark(codebook_bits)]),
        *assumed,
    )
    network: TrainedNetwork | PlacedNetwork
    if any(layer.sweep for layer in layers.layers):
        _refuse_sharing(named, codebook_bits)
        parts = placed_layers(layers.layers, built)
        network = PlacedNetwork(named, parts, recipe=recipe, remarks=remarks, input_range=span)
        network = replace(network, calibration=calibrated(network, examples, span))
    else:
        topology, weights, biases = _topology(layers.layers, built)
        if codebook_bits is not None:
            weights = sharing.share(weights, codebook_bits)
        calibration = calibrated(FloatNetwork(topology, weights, biases), examples, span)
        network = TrainedNetwork(
            named, topology, weights, calibration, recipe, biases=biases, remarks=remarks, input_range=span
        )
    if "output_ranges" in told and network.calibration:
        counts = [len(structure.stages) for structure in built]
        calibration = _with_ranges(network.calibration, told["output_ranges"], counts)
        network = replace(network, calibration=calibration)
    return network if examples is None else with_examples(network, examples)


def _refuse_sharing(name: str, codebook_bits: int | None) -> None:
    """Raises SharingError where weights were to be shared that no engine reads from a codebook."""
    if codebook_bits is not None:
        raise sharing.SharingError(
            f"codebook_bits is {codebook_bits}, allowed is none for {name}, which has places or steps: "
            "no engine with a codebook runs those"
        )


def _told(settings: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """What the file says, and over it what the user does."""
    told = {**settings, **{field: value for field, value in given.items() if value is not None}}
    if strange := sorted(told.keys() - given.keys()):
        raise NetworkFileError.of("settings of a network", ", ".join(strange), given)
    return told


def _topology(
    layers: Sequence[Layer], built: Sequence[Structure]
) -> tuple[Topology, tuple[NDArray[np.float32], ...], tuple[NDArray[np.float32] | None, ...]]:
    """A cascade of fully connected layers: its topology, and the weights and biases of its stages."""
    following, together = iter(built), cascades(layers)
    topology = Topology(
        tuple(
            tuple(stage for _ in cascade.layers for stage in next(following).stages) for cascade in together
        )
    )
    of_cascades = iter(cascade.bias for cascade in together)
    biases = tuple(next(of_cascades) if ends else None for ends in topology.ends_layer)
    return topology, tuple(array for structure in built for array in structure.weights), biases


def _names(layers: Sequence[Layer], built: Sequence[Structure]) -> list[str]:
    """The name of the layer of every stage."""
    return [layer.name for layer, structure in zip(layers, built, strict=True) for _ in structure.stages]


def left_out_at_the_end(last: str, activation: Activation) -> tuple[str, ...]:
    """What has to be said of what follows the last layer."""
    if activation == "none":
        return ()
    return (
        f"the ReLU after layer {last}, the last one, is left out: outputs below zero stay as they are, "
        "and the largest one is the same unless none is above zero",
    )


def spanned(examples: Examples | None, told: Sequence[float] | None) -> tuple[float, float]:
    """The range of the inputs: as told, else that of those given, else of images."""
    if told is not None:
        return checked_range("input_range", told, DataError)
    return range_of(examples.inputs) if examples else IMAGES


def assumed_scales(span: tuple[float, float]) -> str:
    """What has to be said of scales that no inputs showed."""
    low, high = span
    return (
        f"scales were assumed: they follow from {ASSUMED_INPUTS} random inputs from {low:g} to {high:g}, "
        "because the network was imported without inputs"
    )


def calibrated(
    network: FloatNetwork | PlacedNetwork, examples: Examples | None, span: tuple[float, float]
) -> Calibration:
    """Scales from the inputs given, or from random ones in a range. What overflows is refused as it is."""
    most, sizes = CALIBRATION_INPUTS, network if isinstance(network, PlacedNetwork) else network.topology
    if isinstance(network, PlacedNetwork):
        most = max(1, min(most, MOST_WORDS // network.most_words))
    if examples is not None:
        inputs = examples.spread(most)
    else:
        random = np.random.default_rng(0)
        inputs = random.uniform(*span, size=(min(most, ASSUMED_INPUTS), sizes.n_in)).astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        if isinstance(network, PlacedNetwork):
            return network.calibration_on(inputs)
        return calibrate(network, inputs)


def _computing(network: TrainedNetwork | PlacedNetwork) -> FloatNetwork | PlacedNetwork:
    return FloatNetwork.of(network) if isinstance(network, TrainedNetwork) else network


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


def with_examples(
    network: TrainedNetwork | PlacedNetwork,
    examples: Examples,
    apart: Iterable[tuple[int, int]] = (),
) -> Imported:
    """The network with samples of its inputs, and with its accuracy where they are labelled, at every width,
    at those that weights and activations have `apart`, and with the layer that loses most by being integers.
    Inputs beyond the range of a network saturate, as its results then say."""
    remarks = (*network.remarks, *examples.remarks)
    network = replace(network, samples=examples.samples(), accuracy={}, remarks=remarks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        # What does not fit the range is refused now, and not when the network is first costed.
        quantise(network, WIDTH, WIDTH)
        if examples.labels is None:
            return network
        labelled = examples.inputs, examples.labels
        network = replace(network, accuracy=accuracies(network, *labelled, apart=apart))
        losses = layer_sensitivity(network, *labelled, WIDTH, WIDTH).losses
    return replace(network, recipe={**network.recipe, LOSSES: list(losses)})


def renewed(
    network: TrainedNetwork | PlacedNetwork,
    *,
    inputs: Any = None,
    labels: Any = None,
    name: str | None = None,
    input_range: Sequence[float] | None = None,
    codebook_bits: int | None = None,
) -> Imported:
    """A network of ours with what `assemble` would make of the same arguments: zeros that are stored are
    given up, and with inputs scales, samples and accuracy are found anew."""
    network = replace(network, name=name or network.name)
    if isinstance(network, TrainedNetwork):
        network = without_zeros(network)
        network = network if codebook_bits is None else sharing.share_weights(network, codebook_bits)
    else:
        _refuse_sharing(network.name, codebook_bits)
    sizes = network.topology if isinstance(network, TrainedNetwork) else network
    given = Given.of("inputs", inputs), Given.of("labels", labels)
    examples = read_examples(*given, n_in=sizes.n_in, n_out=sizes.n_out)
    if examples is None and input_range is None:
        return network
    span = spanned(examples, input_range)
    network = replace(
        network,
        calibration=calibrated(_computing(network), examples, span),
        input_range=span,
        recipe={key: value for key, value in network.recipe.items() if key not in ("data", LOSSES)}
        | _files(*given),
    )
    if examples is not None:
        return with_examples(network, examples)
    return replace(network, samples=None, accuracy={}, remarks=(*network.remarks, assumed_scales(span)))
