"""Convolutions whose channels are mixed by cascades."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, strategies as st

from tests.workloads.slopes import assert_gradients_are_slopes
from tests.workloads.synthetic import CLASSES, patches, recipe
from workloads import Topology, TopologyError, build_layer
from workloads.training.models.convolution import Convolution, ConvolutionalModel
from workloads.training.models.model import initial_weights
from workloads.training.run import initial_model
from workloads.training.training import train_model

CONVOLUTIONS = [
    {"family": "dense", "outputs": 4, "kernel": 3, "stride": 2},
    {"family": "clos", "outputs": 6, "kernel": 3, "ingress": 6, "middle": 2, "egress": 3},
    {"family": "csc", "outputs": 6, "fan_in": 3, "skips": True},
]


def cnn(**changes: Any) -> Any:
    layers = [{"family": "dense", "outputs": CLASSES}]
    return recipe(**({"model": "cnn", "convolutions": CONVOLUTIONS, "layers": layers} | changes))


def convolution(channels: int, side: int, kernel: int, stride: int, outputs: int = 2) -> Convolution:
    mixing = Topology((build_layer("dense", kernel**2 * channels, outputs),))
    return Convolution(mixing, side=side, kernel=kernel, stride=stride)


sizes = st.tuples(st.integers(1, 3), st.integers(1, 7), st.sampled_from([1, 3, 5]), st.integers(1, 3))


@given(sizes, st.integers(0, 99))
def test_im2col_and_a_product_are_a_convolution(size: tuple[int, int, int, int], seed: int) -> None:
    channels, side, kernel, stride = size
    layer = convolution(*size)
    random = np.random.default_rng(seed)
    x = random.normal(size=(channels, side, side, 2))
    weights = random.normal(size=(2, channels, kernel, kernel))
    found = weights.reshape(2, -1) @ layer.columns(x.reshape(-1, 2))
    found = found.reshape(2, layer.side_out, layer.side_out, 2)
    for image in range(2):
        for output in range(2):
            wanted = sum(
                scipy.signal.correlate2d(x[channel, :, :, image], weights[output, channel], mode="same")
                for channel in range(channels)
            )
            np.testing.assert_allclose(
                found[output, :, :, image], np.asarray(wanted)[::stride, ::stride], atol=1e-10
            )


@given(sizes, st.integers(0, 99))
def test_from_columns_is_the_transpose_of_columns(size: tuple[int, int, int, int], seed: int) -> None:
    layer = convolution(*size)
    random = np.random.default_rng(seed)
    x = random.normal(size=(layer.n_in, 2))
    columns = layer.columns(x)
    other = random.normal(size=columns.shape)
    assert np.sum(columns * other) == pytest.approx(np.sum(x * layer.from_columns(other)))


def test_gradients_of_a_cnn_are_the_slopes_of_its_loss() -> None:
    chosen = cnn()
    model = initial_model(chosen, np.random.default_rng(1))
    assert isinstance(model, ConvolutionalModel)
    weights = [array.astype(np.float64) for array in model.weights]
    exact = ConvolutionalModel(chosen.geometry(), chosen.topology(), weights)
    assert_gradients_are_slopes(exact, n_in=36, classes=CLASSES, batch=3)


def test_a_cnn_keeps_float32() -> None:
    model = initial_model(cnn(), np.random.default_rng(1))
    _, gradients = model.loss_and_gradients(np.ones((36, 5), dtype=np.float32), np.zeros(5, dtype=np.int64))
    assert all(gradient.dtype == np.float32 for gradient in gradients)


def test_a_cnn_learns_and_counts_its_weights() -> None:
    trained = train_model(cnn(epochs=10), progress=False, data=patches())
    assert trained.accuracy["float"] > 0.95
    # On a ring of six places, the second support layer of stride three has two taps.
    assert trained.stored_weights == 36 + 2 * (36 + 18 + 6) + (18 + 12) + 54 * 4
    assert trained.dense_weights == 36 + 36 * 6 + 36 + 54 * 4


def test_a_cnn_that_leaves_the_finite_numbers_names_its_part() -> None:
    model = initial_model(cnn(), np.random.default_rng(1))
    x = np.ones((36, 5), dtype=np.float32)
    names = []
    for array in model.weights:
        kept = array.flat[0]
        array.flat[0] = np.nan
        names.append(model.first_out_of_range(x))
        array.flat[0] = kept
    assert names[:4] == ["stage 0 of convolution 0", *(f"stage {n} of convolution 1" for n in range(3))]
    assert names[-1] == "stage 0 (dense), in layer 0 of the fully connected ones"


def test_a_convolution_refuses_a_kernel_that_does_not_fit() -> None:
    mixing = Topology((build_layer("dense", 9, 2),))
    with pytest.raises(TopologyError, match="kernel of a convolution is 2"):
        Convolution(mixing, side=4, kernel=2, stride=1)
    with pytest.raises(TopologyError, match="and 9 inputs, allowed are odd kernels whose square divides"):
        Convolution(mixing, side=4, kernel=5, stride=1)


@given(st.integers(0, 9))
def test_initial_weights_follow_the_seed(seed: int) -> None:
    one, other = (initial_model(cnn(), np.random.default_rng(seed)) for _ in range(2))
    stages = [stage for each in cnn().geometry() for stage in each.mixing.stages]
    assert [array.shape for array in one.weights[:-1]] == [stage.weight_shape for stage in stages]
    assert all(np.array_equal(*pair) for pair in zip(one.weights, other.weights, strict=True))
    first = initial_weights(stages[0], np.random.default_rng(seed))
    np.testing.assert_array_equal(one.weights[0], first)
