"""Gradients against finite differences, for every family and every kernel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.workloads.strategies import stages
from workloads import Stage, Topology, build_layer
from workloads.families import Example, families
from workloads.kernels.stages import kernel_of
from workloads.training.models.model import Model, cross_entropy, initial_weights

EXAMPLES = [
    pytest.param(family.name, example, id=f"{family.name}-{number}")
    for family in families.values()
    for number, example in enumerate(family.examples)
]
CLASSES = 3
# Central differences in float64 of a loss near 1: rounding of 1e-16 over a step of 1e-6, and curvature.
STEP, TOLERANCE = 1e-6, 1e-7


def float64_model(family: str, example: Example, random: np.random.Generator) -> Model:
    """The example, a ReLU, the example's outputs in a dense layer that tells classes apart."""
    layer = build_layer(family, example.n_in, example.n_out, **example.parameters)
    topology = Topology((layer, build_layer("dense", example.n_out, CLASSES)))
    return Model(topology, [initial_weights(stage, random, np.float64) for stage in topology.stages])


@pytest.mark.parametrize(("family", "example"), EXAMPLES)
def test_the_gradient_of_every_weight_is_the_slope_of_the_loss(family: str, example: Example) -> None:
    random = np.random.default_rng(7)
    model = float64_model(family, example, random)
    x, labels = random.normal(size=(example.n_in, 6)), random.integers(0, CLASSES, size=6)
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
    kernel, weights = kernel_of(stage), random.normal(size=stage.weight_shape)
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


@pytest.mark.parametrize(("family", "example"), EXAMPLES)
def test_a_layer_keeps_float32_through_forward_and_backward(family: str, example: Example) -> None:
    random = np.random.default_rng(0)
    model = float64_model(family, example, random)
    model.weights = [weights.astype(np.float32) for weights in model.weights]
    x = random.normal(size=(example.n_in, 3)).astype(np.float32)
    assert all(signal.dtype == np.float32 for signal in model.forward(x))
    _, gradients = model.loss_and_gradients(x, np.array([0, 1, 2]))
    assert all(gradient.dtype == np.float32 for gradient in gradients)
