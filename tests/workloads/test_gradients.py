"""Gradients against finite differences, for every family and every kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workloads.strategies import stages
from workloads import FAMILIES, Stage, Topology, build_layer
from workloads.model import Model, cross_entropy, initial_weights

PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "dense": [{}, {}],
    "csc": [{"fan_in": 3}, {"fan_in": 2}],
    "clos": [{"ingress": 4, "middle": 3, "egress": 3}, {"ingress": 3, "middle": 2, "egress": 2}],
    "pruned": [
        {"mask": np.random.default_rng(1).random((9, 12)) < 0.4},
        {"mask": np.random.default_rng(2).random((4, 9)) < 0.6},
    ],
}
# Central differences in float64 of a loss near 1: rounding of 1e-16 over a step of 1e-6, and curvature.
STEP, TOLERANCE = 1e-6, 1e-7


def float64_model(family: str, random: np.random.Generator) -> Model:
    first, second = PARAMETERS[family]
    topology = Topology((build_layer(family, 12, 9, **first), build_layer(family, 9, 4, **second)))
    return Model(topology, [initial_weights(stage, random, np.float64) for stage in topology.stages])


def test_every_family_has_its_gradients_checked() -> None:
    assert set(PARAMETERS) == set(FAMILIES)


@pytest.mark.parametrize("family", PARAMETERS)
def test_the_gradient_of_every_weight_is_the_slope_of_the_loss(family: str) -> None:
    random = np.random.default_rng(7)
    model = float64_model(family, random)
    x, labels = random.normal(size=(12, 6)), random.integers(0, 4, size=6)
    _, gradients = model.loss_and_gradients(x, labels)
    for weights, gradient in zip(model.weights, gradients, strict=True):
        assert gradient.shape == weights.shape
        for place in np.ndindex(weights.shape):
            middle = weights[place]
            weights[place] = middle + STEP
            above, _ = cross_entropy(model.forward(x)[-1], labels)
            weights[place] = middle - STEP
            below, _ = cross_entropy(model.forward(x)[-1], labels)
            weights[place] = middle
            assert gradient[place] == pytest.approx((above - below) / (2 * STEP), abs=TOLERANCE)
    assert all(np.abs(gradient).max() > 0.01 for gradient in gradients)


@given(stages(), st.integers(1, 4), st.integers(0, 99))
def test_the_products_of_a_kernel_are_those_of_its_matrix(stage: Stage, batch: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    kernel, weights = stage.kernel(), random.normal(size=stage.weight_shape)
    x, dy = random.normal(size=(stage.n_in, batch)), random.normal(size=(stage.n_out, batch))
    matrix = stage.csr(weights).toarray()
    rows = np.repeat(np.arange(stage.n_out), stage.row_lengths())
    np.testing.assert_allclose(kernel.forward(weights, x), matrix @ x, atol=1e-12)
    np.testing.assert_allclose(kernel.input_gradient(weights, dy), matrix.T @ dy, atol=1e-12)
    np.testing.assert_allclose(
        kernel.weight_gradient(x, dy),
        (dy @ x.T)[rows, stage.columns()].reshape(stage.weight_shape),
        atol=1e-12,
    )


@pytest.mark.parametrize("family", PARAMETERS)
def test_a_layer_keeps_float32_through_forward_and_backward(family: str) -> None:
    random = np.random.default_rng(0)
    model = float64_model(family, random)
    model.weights = [weights.astype(np.float32) for weights in model.weights]
    x = random.normal(size=(12, 3)).astype(np.float32)
    assert all(signal.dtype == np.float32 for signal in model.forward(x))
    _, gradients = model.loss_and_gradients(x, np.array([0, 1, 2]))
    assert all(gradient.dtype == np.float32 for gradient in gradients)


def test_sparse_glorot_keeps_the_spread_of_a_signal_whatever_the_density() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(512, 200))
    for fan_in in (4, 32, 512):
        (stage,) = build_layer("csc", 512, 512, fan_in=fan_in, depth=1)
        weights = initial_weights(stage, random, np.float64)
        assert stage.kernel().forward(weights, x).std() == pytest.approx(1, rel=0.05)


def test_cross_entropy_does_not_overflow() -> None:
    loss, gradient = cross_entropy(np.array([[1000.0], [-1000.0]], dtype=np.float32), np.array([1]))
    assert loss == pytest.approx(2000)
    np.testing.assert_allclose(gradient, [[1], [-1]])
