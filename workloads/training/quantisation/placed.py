"""Trained CNNs and RNNs as networks with places: the form that is quantised, and that hardware runs.

A recurrent layer h_t = f(U x_t + W h_(t-1)) is one cascade over the window (x_t, h_(t-1)): stage by stage the
two matrices beside each other, and their last stages side by side, so that their sums add up. Where one has
fewer stages than the other, connections of weight 1 carry its inputs along.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.stages import DenseStage, PrunedStage, Stage
from workloads.topology.integer import IntegerNetworkError
from workloads.topology.placed import PlacedLayers, PlacedNetwork
from workloads.topology.places import Places, Steps, Sweep
from workloads.topology.topology import Topology
from workloads.training.models.convolution import Convolution
from workloads.training.models.trained_model import TrainedModel
from workloads.training.recipe import Recipe, parse_recipe

Arrays = Sequence[NDArray[Any]]


def placed_network(model: TrainedModel) -> PlacedNetwork:
    """The network that a trained model is.

    Raises IntegerNetworkError for what no engine runs: skip connections, and a tanh that is not cut.
    """
    recipe = parse_recipe(dict(model.recipe))
    weights = iter(model.weights)

    def taken(topology: Topology) -> tuple[NDArray[Any], ...]:
        if topology.skips:
            raise IntegerNetworkError(
                f"skips of {model.name} is true, allowed is false, because no engine has skip connections"
            )
        return tuple(next(weights) for _ in topology.stages)

    layers = [
        PlacedLayers(_places(each), each.mixing, taken(each.mixing), ending="relu")
        for each in recipe.geometry()
    ]
    if recipe.recurrence:
        layers.append(_recurrent_layers(recipe, taken))
    head = recipe.topology()
    layers.append(PlacedLayers(_behind(layers[-1]), head, taken(head)))
    return PlacedNetwork(
        name=model.name,
        layers=tuple(layers),
        calibration=model.calibration,
        recipe=model.recipe,
        accuracy=model.accuracy,
        samples=model.samples,
    )


def _places(convolution: Convolution) -> Places:
    """The places of a convolution."""
    side, kernel, stride, margin = (
        convolution.side,
        convolution.kernel,
        convolution.stride,
        convolution.kernel // 2,
    )
    return Places(
        convolution.channels,
        side,
        side,
        kernel=(kernel, kernel),
        stride=(stride, stride),
        padding=(margin, margin, margin, margin),
    )


def _behind(layers: PlacedLayers) -> Sweep:
    """The one place of fully connected layers behind others."""
    sweep = layers.sweep
    if isinstance(sweep, Places):
        return Places.whole(layers.topology.n_out, *sweep.shape_out)
    return Places.whole(layers.topology.n_out)


def _recurrent_layers(recipe: Recipe, taken: Any) -> PlacedLayers:
    """The recurrent layer of a recipe."""
    recurrence, cascades = recipe.recurrence, recipe.recurrent_cascades()
    assert recurrence is not None
    assert cascades is not None
    if recurrence.activation != "hardtanh":
        raise IntegerNetworkError.of(
            f"activation of the recurrence of {recipe.name}",
            recurrence.activation,
            "hardtanh, because the hardware saturates and has no tanh",
        )
    inputs, hidden = cascades
    topology, weights = _side_by_side(inputs, taken(inputs), hidden, taken(hidden))
    steps = Steps(recurrence.steps, recipe.inputs // recurrence.steps)
    return PlacedLayers(steps, topology, weights, ending="hardtanh")


def _side_by_side(
    inputs: Topology, of_inputs: Arrays, hidden: Topology, of_hidden: Arrays
) -> tuple[Topology, tuple[NDArray[Any], ...]]:
    """One cascade of two whose outputs are added: a dense stage where both are one, else pruned stages."""
    import scipy.sparse

    both = [(inputs.stages, of_inputs), (hidden.stages, of_hidden)]
    length = max(len(stages) for stages, _ in both)
    if length == 1 and all(isinstance(stage, DenseStage) for stages, _ in both for stage in stages):
        joined = np.hstack([of_inputs[0], of_hidden[0]])
        return Topology(((DenseStage(joined.shape[1], joined.shape[0]),),)), (joined,)
    matrices = []
    for stages, arrays in both:
        carried = [scipy.sparse.eye_array(stages[0].n_in, format="csr")] * (length - len(stages))
        matrices.append([*carried, *(stage.csr(array) for stage, array in zip(stages, arrays, strict=True))])
    pairs = list(zip(*matrices, strict=True))
    beside = [scipy.sparse.block_diag(pair, format="csr") for pair in pairs[:-1]]
    cascade = [*beside, scipy.sparse.hstack(pairs[-1], format="csr")]
    built: list[Stage] = []
    for matrix in cascade:
        matrix.sort_indices()
        n_out, n_in = matrix.shape
        built.append(PrunedStage(n_in, n_out, matrix.indptr, matrix.indices))
    return Topology((tuple(built),)), tuple(matrix.data.astype(np.float32) for matrix in cascade)
