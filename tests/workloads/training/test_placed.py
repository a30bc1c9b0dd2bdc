"""Networks with places: convolutions from elsewhere, trained CNNs and RNNs, their files and integer forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, strategies as st

from tests.workloads.synthetic import CLASSES, patches, recipe
from workloads import (
    DenseStage,
    IntegerModel,
    IntegerNetworkError,
    IntegerPart,
    NetworkFileError,
    PlacedLayers,
    PlacedNetwork,
    Places,
    PlacesError,
    PrunedStage,
    Samples,
    Steps,
    Topology,
    TrainedModel,
    evaluate,
    quantise,
    random_integer_network,
    read_network,
    train_model,
)
from workloads.training.models.convolution import ConvolutionalModel
from workloads.training.models.recurrent import RecurrentModel
from workloads.training.quantisation.placed import placed_network
from workloads.training.run import initial_model

CONVOLUTIONS = [
    {"family": "dense", "outputs": 4, "kernel": 3, "stride": 2},
    {"family": "clos", "outputs": 6, "kernel": 3, "ingress": 6, "middle": 2, "egress": 3},
    {"family": "csc", "outputs": 6, "fan_in": 3},
]


def cnn(**changes: Any) -> Any:
    layers = [{"family": "dense", "outputs": CLASSES}]
    return recipe(**({"model": "cnn", "convolutions": CONVOLUTIONS, "layers": layers} | changes))


def rnn(hidden: dict[str, Any] | None = None, **changes: Any) -> Any:
    recurrence = {
        "steps": 6,
        "activation": "hardtanh",
        "input": {"family": "dense", "outputs": 12},
        "hidden": hidden or {"family": "csc", "outputs": 12, "fan_in": 4},
    }
    layers = [{"family": "dense", "outputs": CLASSES}]
    return recipe(**({"model": "rnn", "recurrence": recurrence, "layers": layers} | changes))


def trained(of: Any) -> TrainedModel:
    """A model of a recipe with weights that nobody trained."""
    model = initial_model(of, np.random.default_rng(3))
    assert isinstance(model, ConvolutionalModel | RecurrentModel)
    return TrainedModel(of.model_dump(mode="json"), tuple(model.weights), of.dense_weights)


@given(
    st.integers(1, 2),
    st.integers(1, 3),
    st.tuples(st.integers(3, 6), st.integers(3, 6)),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(st.integers(1, 2), st.integers(1, 3)),
    st.tuples(*[st.integers(0, 2)] * 4),
    st.integers(0, 99),
)
def test_a_convolution_from_elsewhere_is_one(
    groups: int,
    channels: int,
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
    seed: int,
) -> None:
    random = np.random.default_rng(seed)
    weights, bias = random.normal(size=(2 * groups, channels, *kernel)), random.normal(size=2 * groups)
    layers = PlacedLayers.convolution(
        weights, rows=size[0], columns=size[1], stride=stride, padding=padding, groups=groups, bias=bias
    )
    assert isinstance(layers.topology.stages[0], PrunedStage if groups > 1 else DenseStage)
    image = random.normal(size=(groups * channels, *size))
    got = layers.run(image.reshape(-1, 1)).reshape(2 * groups, *layers.sweep.shape_out)  # type: ignore[attr-defined]
    top, left, bottom, right = padding
    padded = np.pad(image, ((0, 0), (top, bottom), (left, right)))
    for output in range(2 * groups):
        first = output // 2 * channels
        sums = sum(
            scipy.signal.correlate2d(padded[first + channel], weights[output, channel], mode="valid")
            for channel in range(channels)
        )
        wanted = np.maximum(np.asarray(sums)[:: stride[0], :: stride[1]] + bias[output], 0)
        np.testing.assert_allclose(got[output], wanted, atol=1e-10)


@pytest.mark.parametrize(
    "of",
    [
        cnn(),
        rnn(),
        rnn({"family": "dense", "outputs": 12}),
        rnn({"family": "clos", "outputs": 12, "ingress": 3, "middle": 4, "egress": 4}),
    ],
)
def test_a_trained_model_is_the_same_network_at_places(of: Any) -> None:
    model, images = trained(of), patches().test_inputs[:9]
    exact = initial_model(of, np.random.default_rng(3))
    placed = placed_network(model)
    np.testing.assert_allclose(placed.run(images.T), exact.logits(np.ascontiguousarray(images.T)), atol=1e-5)
    assert placed.dense_weights >= model.dense_weights


def test_a_trained_cnn_is_as_accurate_in_integers() -> None:
    data = patches()
    model = train_model(cnn(epochs=12), progress=False, data=data)
    assert model.accuracy["float"] > 0.9
    assert abs(model.accuracy["int8"] - model.accuracy["float"]) < 0.03
    integer = quantise(model, 8, 8)
    assert evaluate(integer, data.test_inputs, data.test_labels) == model.accuracy["int8"]
    assert (
        evaluate(quantise(model, 12, 12), data.test_inputs, data.test_labels)
        >= model.accuracy["float"] - 0.01
    )


def test_states_that_saturate_are_as_accurate_in_integers() -> None:
    model = train_model(rnn(epochs=12), progress=False, data=patches())
    assert model.accuracy["float"] > 0.8
    assert abs(model.accuracy["int8"] - model.accuracy["float"]) < 0.05


def test_what_is_pointwise_follows_without_a_map() -> None:
    integer = quantise(calibrated(cnn()), 8, 8)
    fused = integer.fused()
    assert [len(part.cascade.stages) for part in integer.parts] == [1, 3, 2, 1]
    assert [len(part.cascade.stages) for part in fused.parts] == [1, 5, 1]
    x = integer.quantise_input(patches().test_inputs[:5])
    assert np.array_equal(fused.run(x), integer.run(x))


def calibrated(of: Any) -> PlacedNetwork:
    return placed_network(trained(of)).calibrated(patches().train_inputs[:50])


@pytest.mark.parametrize("of", [cnn(), rnn()])
def test_a_placed_network_loads_as_it_was(of: Any, tmp_path: Path) -> None:
    images = patches().test_inputs
    network = PlacedNetwork(
        "placed", calibrated(of).layers, calibrated(of).calibration, samples=Samples(images[:3], "noise")
    )
    network.save(tmp_path / "placed.npz")
    loaded = read_network(tmp_path / "placed.npz")
    assert isinstance(loaded, PlacedNetwork)
    assert loaded.calibration == network.calibration
    assert [layers.sweep for layers in loaded.layers] == [layers.sweep for layers in network.layers]
    x = images[:4].T
    assert np.array_equal(loaded.run(x), network.run(x))
    assert np.array_equal(
        quantise(loaded, 8, 8).run(quantise(loaded, 8, 8).quantise_input(images[:4])),
        (quantise(network, 8, 8).run(quantise(network, 8, 8).quantise_input(images[:4]))),
    )


def test_a_model_of_before_is_to_be_calibrated(tmp_path: Path) -> None:
    trained(cnn()).save(tmp_path / "old.npz")
    old = read_network(tmp_path / "old.npz")
    with pytest.raises(
        IntegerNetworkError, match="calibration of tiny is missing, allowed is a network that"
    ):
        quantise(old, 8, 8)


def test_a_file_that_lacks_weights_of_a_layer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "placed.npz"
    calibrated(cnn()).save(path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "layers_1_weights_0"}
    np.savez(path, **arrays)
    with pytest.raises(NetworkFileError, match="inconsistent network"):
        read_network(path)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Places(1, 2, 2, kernel=(3, 1)), r"kernel of a convolution is \(3, 1\), allowed are up to"),
        (lambda: Places(0, 2, 2), "channels of a convolution is 0, allowed are integers from 1"),
        (lambda: Places(1, 2, 2, padding=(0, 0, 0, -1)), "padding of a convolution is"),
        (lambda: Steps(3, 0), "inputs of a recurrent layer is 0, allowed are integers from 1"),
        (
            lambda: PlacedLayers(Places(2, 3, 3), Topology(((DenseStage(3, 1),),)), (np.ones((1, 3)),)),
            "n_in of a cascade is 3, allowed are 2, the words of a window",
        ),
        (
            lambda: PlacedLayers.convolution(np.ones((3, 1, 1, 1)), rows=2, columns=2, groups=2),
            "shape of a kernel is",
        ),
        (
            lambda: PlacedLayers.convolution(np.full((1, 1, 1, 1), np.nan), rows=2, columns=2),
            "weights of a cascade are not finite",
        ),
    ],
)
def test_what_does_not_fit_is_named(made: Any, message: str) -> None:
    with pytest.raises(PlacesError, match=message):
        made()


def test_parts_that_do_not_chain_are_named() -> None:
    network = random_integer_network(Topology(((DenseStage(2, 3),),)))
    parts = (IntegerPart(Places(2, 2, 2), network), IntegerPart(Places(2, 3, 3), network))
    with pytest.raises(IntegerNetworkError, match="n_in of part 1 of model is 18, allowed are 12"):
        IntegerModel("model", parts)
