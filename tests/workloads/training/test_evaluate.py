"""Accuracy in floating point, with integers of every width, and with one layer alone as integers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.workloads.strategies import integer_networks
from tests.workloads.synthetic import dense_layers, patches, recipe
from workloads import (
    DenseStage,
    IntegerStage,
    LabelledData,
    TrainedNetwork,
    accuracies,
    evaluate,
    layer_sensitivity,
    quantise,
    train,
)
from workloads.refusal import Refusal
from workloads.topology.integer import WORTH_FILLING
from workloads.topology.ranges import InputWarning
from workloads.training.models.model import Model
from workloads.training.quantisation.float_network import FloatNetwork
from workloads.training.quantisation.quantise import calibrate

DATA = patches()


@pytest.fixture(scope="module")
def trained() -> TrainedNetwork:
    return train(recipe(bias=True), progress=False, data=DATA)


def test_a_network_is_measured_in_float_and_with_every_width(trained: TrainedNetwork) -> None:
    measured = accuracies(trained, DATA.test_inputs, DATA.test_labels)
    assert measured == trained.accuracy
    assert list(measured) == ["float", *(f"int{bits}" for bits in range(2, 17))]
    for bits in (3, 11):
        integer = quantise(trained, bits, bits)
        assert measured[f"int{bits}"] == evaluate(integer, DATA.test_inputs, DATA.test_labels)
    assert measured["int16"] == pytest.approx(measured["float"], abs=0.01)
    assert measured["int2"] < measured["int8"]


def test_skip_connections_are_measured_with_the_weights_that_they_become() -> None:
    layers = [{"family": "csc", "outputs": 36, "fan_in": 6, "skips": True}, *dense_layers()]
    network = train(recipe(epochs=1, layers=layers), progress=False, data=DATA)
    measured = accuracies(network, DATA.test_inputs, DATA.test_labels)
    assert measured["int8"] == evaluate(quantise(network, 8, 8), DATA.test_inputs, DATA.test_labels)
    alone = layer_sensitivity(network, DATA.test_inputs, DATA.test_labels, 16, 16)
    assert alone.accuracy == measured["float"]
    assert len(alone.losses) == len(layers)


@pytest.mark.parametrize("changes", [{}, {"bias": True}, {"input_digits": [4, 9]}, {"skips": True}])
def test_a_float_network_computes_what_its_model_does(changes: dict[str, object]) -> None:
    layers = [{"family": "csc", "outputs": 36, "fan_in": 6, "skips": changes.pop("skips", False)}]
    chosen = recipe(epochs=1, layers=[*layers, *dense_layers()], **changes)
    network = train(chosen, progress=False, data=DATA)
    biases = [bias for bias in network.biases if bias is not None]
    model, plain = Model(network.topology, [*network.weights, *biases]), FloatNetwork.of(network)
    x = np.ascontiguousarray(DATA.test_inputs.T)
    for ours, theirs in zip(plain.forward(x), model.forward(x), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    one, other = (calibrate(either, DATA.test_inputs).ranges for either in (plain, model))
    np.testing.assert_allclose(one, other, rtol=1e-4)


def test_one_layer_alone_is_the_whole_network_of_one_layer() -> None:
    layers = [{"family": "dense", "outputs": 4}]
    network = train(recipe(layers=layers), progress=False, data=DATA)
    for bits in (2, 4, 8):
        measured = layer_sensitivity(network, DATA.test_inputs, DATA.test_labels, bits, bits)
        assert measured.alone == (network.accuracy[f"int{bits}"],)
        assert measured.accuracy == network.accuracy["float"]


@pytest.mark.parametrize("layer", range(3))
def test_the_layer_that_loses_most_is_the_one_with_a_weight_far_from_the_others(
    trained: TrainedNetwork, layer: int
) -> None:
    first = sum(len(before) for before in trained.topology.layers[:layer])
    weights = [array.copy() for array in trained.weights]
    weights[first].flat[0] = 50 * np.abs(weights[first]).max()
    spoilt = dataclasses.replace(trained, weights=tuple(weights))
    measured = layer_sensitivity(spoilt, DATA.test_inputs, DATA.test_labels, 4, 16)
    assert measured.worst == layer
    assert measured.losses[layer] == measured.accuracy - measured.alone[layer]
    fine = layer_sensitivity(trained, DATA.test_inputs, DATA.test_labels, 16, 16)
    assert max(map(abs, fine.losses)) < 0.01


def test_labels_without_inputs_are_refused(trained: TrainedNetwork) -> None:
    for measure in (accuracies, layer_sensitivity):
        with pytest.raises(Refusal, match="labels has 299 entries, allowed are one for each of the 300"):
            measure(trained, DATA.test_inputs, DATA.test_labels[1:])
        with pytest.raises(Refusal, match="labels has 0 entries"):
            measure(trained, DATA.test_inputs[:0], DATA.test_labels[:0])


def test_what_saturates_is_told_once(trained: TrainedNetwork) -> None:
    wide = LabelledData(DATA.train_inputs, DATA.train_labels, DATA.test_inputs.copy(), DATA.test_labels)
    wide.test_inputs[:, 0] = 1.5
    with pytest.warns(InputWarning, match=r"^300 of 10,800 inputs of tiny lie beyond") as told:
        accuracies(trained, wide.test_inputs, wide.test_labels)
    assert len(told) == 1


@given(data=st.data())
def test_a_product_of_floats_is_that_of_integers(data: st.DataObject) -> None:
    network = data.draw(integer_networks())
    top = 1 << (network.activation_bits - 1)
    x = np.random.default_rng(0).integers(-top, top, size=(network.n_in, 3))
    for stage in network.stages:
        exact = np.asarray(stage.stage.csr(stage.weights) @ x)
        if stage.bias is not None:
            exact = exact + stage.initial_sums[:, None]
        np.testing.assert_array_equal(stage.accumulate(x), exact)
        x = stage.requantise(exact, network.activation_bits)


def test_sums_that_floats_cannot_hold_stay_integers() -> None:
    stage = IntegerStage(DenseStage(3, 1), np.array([[1 << 40, 1, -(1 << 40)]]), shift=0, relu=False)
    assert stage.stage.density > WORTH_FILLING
    x = np.array([[1 << 14], [1], [1 << 14]])
    assert stage.accumulate(x).tolist() == [[1]]
