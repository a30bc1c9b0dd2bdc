"""How accurate a network is at the widths of a design: as its file states, else measured on its data where
they are at hand, and then remembered."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from archsim.inputs import InputFile
from archsim.store import remembered
from workloads import PlacedNetwork, Topology, TrainedModel, TrainedNetwork, load_data, quantise
from workloads.data.files import read_array
from workloads.data.images import without_downloads
from workloads.data.labelled import checked_inputs, checked_labels, scaled
from workloads.data.registry import datasets
from workloads.importers.registry import AnyNetwork
from workloads.refusal import Refusal
from workloads.topology.ranges import InputWarning
from workloads.training.evaluate import FLOAT, evaluate, width_name
from workloads.training.quantisation.float_network import FloatNetwork
from workloads.training.quantisation.placed import placed_network

Computing: TypeAlias = TrainedNetwork | PlacedNetwork
"""What computes classes: a model of a recipe does so as its network with places."""

KIND, VERSION = "accuracies", 1
"""Where accuracies are remembered, and which way of measuring them they are of."""

MEANINGLESS = "synthetic"
"""The data set whose labels are random."""

SAME = 0.002
"""How far the accuracy in floating point, on another machine, may be from what a file states on the same
data."""


class AccuracyError(Refusal):
    """The accuracy of a network at some widths cannot be told; the message says why."""


@dataclass(frozen=True, eq=False)
class TestPart:
    """Inputs (n, n_in) and labels (n,) that a network is judged by, and a `digest` of both."""

    __test__ = False

    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]
    digest: str


def accuracy_at(network: AnyNetwork, weight_bits: int, activation_bits: int) -> float:
    """The share, in [0, 1], of test data that a network classifies rightly as integers of these widths: a
    multi-layer perceptron, a CNN or an RNN of a recipe, or another network with places.

    It is what the network's file states, or is measured on the data that its recipe names: a data set that is
    on this machine, or files that are where they were. Nothing is downloaded. What was measured is remembered
    by the content of network and data. Raises AccuracyError where it cannot be told, with the reason, and
    IntegerNetworkError for a network that has no integer form.
    """
    name = width_name(weight_bits, activation_bits)
    if name in network.accuracy:
        return network.accuracy[name]
    try:
        computing = placed_network(network) if isinstance(network, TrainedModel) else network
        return _measured(computing, _tests(computing), (weight_bits, activation_bits))
    except Refusal as refused:
        widths = f"{weight_bits}-bit weights and {activation_bits}-bit activations"
        raise AccuracyError(f"accuracy is unknown with {widths}: {refused}") from None


def _measured(network: Computing, tests: TestPart, widths: tuple[int, int]) -> float:
    def measure() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InputWarning)
            return evaluate(quantise(network, *widths), tests.inputs, tests.labels)

    content = {"version": VERSION, "network": _digest(network), "data": tests.digest, "widths": widths}
    return float(remembered(KIND, content, measure))


def _tests(network: Computing) -> TestPart:
    """What a network was judged by. Raises Refusal where it is not at hand, or is not what it was."""
    named = network.recipe.get("data")
    if isinstance(named, Mapping):
        files = [InputFile.now(str(named.get(part))) for part in ("inputs", "labels")]
        tests = _of_two_files(*files, network.recipe.get("input_scale"))
    elif isinstance(named, str) and named != MEANINGLESS:
        scale = network.recipe.get("input_scale")
        sizes = network.topology if isinstance(network, TrainedNetwork) else network
        tests = _of_data(InputFile.now(named), sizes.n_in, sizes.n_out, scale)
    elif network.accuracy:
        known = ", ".join(network.accuracy)
        raise AccuracyError(f"the network's file states {known} only, and names no data to measure it on")
    else:
        raise AccuracyError("the network's file states none, and names no data to measure it on")
    if not isinstance(named, str) or named not in datasets:
        _check_unchanged(network, tests)
    return tests


@lru_cache(maxsize=4)
def _of_data(file: InputFile, inputs: int, classes: int, scale: float | None) -> TestPart:
    with without_downloads():
        data = load_data(file.path, inputs=inputs, classes=classes, scale=scale)
    return _part(data.test_inputs, data.test_labels)


@lru_cache(maxsize=4)
def _of_two_files(inputs: InputFile, labels: InputFile, scale: float | None) -> TestPart:
    values = scaled("inputs", checked_inputs("inputs", read_array(inputs.path)), scale)
    return _part(values, checked_labels("labels", read_array(labels.path)))


def _part(inputs: NDArray[np.float32], labels: NDArray[np.int64]) -> TestPart:
    digest = hashlib.sha256()
    for array in (inputs, labels):
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return TestPart(inputs, labels, digest.hexdigest())


def _check_unchanged(network: Computing, tests: TestPart) -> None:
    """Files may have changed since a network was measured on them: its accuracy in floating point tells."""
    stated = network.accuracy.get(FLOAT)
    if stated is None:
        return
    content = {"version": VERSION, "network": _digest(network), "data": tests.digest, "widths": FLOAT}
    plain = FloatNetwork.of(network) if isinstance(network, TrainedNetwork) else network
    now = remembered(KIND, content, lambda: evaluate(plain, tests.inputs, tests.labels))
    if abs(now - stated) > SAME:
        raise AccuracyError(
            f"the data are no longer those that the network's file was measured on ({now:.4f} in float, "
            f"where the file states {stated:.4f})"
        )


@lru_cache(maxsize=32)
def _digest(network: Computing) -> str:
    """All that the classes of a network follow from."""
    digest = hashlib.sha256()
    calibration = network.calibration
    known = (calibration.percentiles, calibration.ranges) if calibration else ()
    if isinstance(network, TrainedNetwork):
        topology = network.topology
        order = (topology.input_places, topology.skipped, topology.ends_layer)
        digest.update(json.dumps([order, network.input_range, *known]).encode())
        _take_in(digest, topology, network.weights, network.biases)
    else:
        digest.update(json.dumps(["places", network.input_range, *known]).encode())
        for layers in network.layers:
            digest.update(repr((layers.sweep, layers.topology.ends_layer, layers.ending)).encode())
            _take_in(digest, layers.topology, layers.weights, layers.biases)
    return digest.hexdigest()


def _take_in(
    digest: Any,
    topology: Topology,
    weights: Sequence[NDArray[Any]],
    biases: Sequence[NDArray[Any] | None],
) -> None:
    """Takes the matrices and biases of a cascade into a digest."""
    for stage, array, bias in zip(topology.stages, weights, biases or (None,) * len(weights), strict=True):
        matrix = stage.csr(array)
        for part in (matrix.indptr, matrix.indices, matrix.data, *([] if bias is None else [bias])):
            digest.update(f"{part.dtype} {part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
