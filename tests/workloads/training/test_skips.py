"""A stage with an identity skip connection computes y = W x + x, and its gradients know it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.workloads.slopes import assert_gradients_are_slopes
from tests.workloads.synthetic import dense_layers, patches, recipe
from workloads import Topology, build_layer, train
from workloads.topology.identity import with_identity
from workloads.topology.topology import skips_of
from workloads.training.models.model import Model, initial_weights

SQUARE: dict[str, dict[str, Any]] = {
    "dense": {},
    "csc": {"fan_in": 3},
    "clos": {"ingress": 4, "middle": 3, "egress": 4},
    "pruned": {"mask": np.random.default_rng(1).random((12, 12)) < 0.4},
}


def model_with_skips(family: str, seed: int) -> Model:
    layers = (build_layer(family, 12, 12, **SQUARE[family]), build_layer("dense", 12, 5))
    topology = Topology(layers, skips_of(layers))
    random = np.random.default_rng(seed)
    return Model(topology, [initial_weights(stage, random, np.float64) for stage in topology.stages])


@given(st.sampled_from(sorted(SQUARE)), st.integers(0, 99))
def test_an_output_is_the_product_plus_the_input(family: str, seed: int) -> None:
    model = model_with_skips(family, seed)
    x = np.random.default_rng(seed + 1).normal(size=(12, 3))
    wanted = x
    for stage, weights, skip, ends in zip(
        model.topology.stages, model.weights, model.topology.skipped, model.topology.ends_layer, strict=True
    ):
        wanted = stage.csr(weights) @ wanted + (wanted if skip else 0)
        if ends and stage is not model.topology.stages[-1]:
            wanted = np.maximum(wanted, 0)
    np.testing.assert_allclose(model.logits(x), wanted, atol=1e-12)


@pytest.mark.parametrize("family", sorted(SQUARE))
def test_gradients_go_through_the_identity(family: str) -> None:
    model = model_with_skips(family, 7)
    assert any(model.topology.skips)
    assert_gradients_are_slopes(model, n_in=12, classes=5)


def test_skips_of_a_recipe_are_on_every_square_stage_of_the_layer_that_asks() -> None:
    layers = [
        {"family": "csc", "outputs": 36, "fan_in": 6, "skips": True},
        {"family": "csc", "outputs": 36, "fan_in": 6},
        {"family": "dense", "outputs": 4, "skips": True},
    ]
    assert recipe(layers=layers).topology().skips == (True, True, False, False, False)


def test_a_network_with_skips_can_be_pruned_and_keeps_them() -> None:
    layers = [{"family": "dense", "outputs": 36, "skips": True}, *dense_layers()]
    chosen = recipe(layers=layers, epochs=4, pruning={"stored_weights": 200, "events": 2})
    network = train(chosen, progress=False, data=patches())
    assert network.topology.skips == (True, False, False)
    assert network.stored_weights == 200


@given(st.sampled_from(sorted(SQUARE)), st.integers(0, 99))
def test_an_identity_skip_is_a_weight_on_the_diagonal(family: str, seed: int) -> None:
    for stage in build_layer(family, 12, 12, **SQUARE[family]):
        weights = np.random.default_rng(seed).integers(-9, 9, stage.weight_shape)
        if stage.n_in != stage.n_out:
            continue
        joined, sums = with_identity(stage, weights, 16)
        np.testing.assert_array_equal(
            joined.csr(sums).toarray(), stage.csr(weights).toarray() + 16 * np.eye(12, dtype=np.int64)
        )
        reads_itself = bool((stage.adjacency().diagonal() == 1).all())
        assert (joined == stage) == reads_itself
        assert joined.stored_weights == stage.stored_weights + int((stage.adjacency().diagonal() == 0).sum())


@pytest.mark.parametrize(
    ("family", "parameters"),
    [("dense", {}), ("csc", {"fan_in": 3}), ("butterfly", {}), ("hypercube", {}), ("torus", {})],
)
def test_stages_that_read_themselves_take_the_identity_for_nothing(
    family: str, parameters: dict[str, Any]
) -> None:
    for stage in build_layer(family, 16, 16, **parameters):
        joined, _ = with_identity(stage, np.ones(stage.weight_shape))
        assert joined == stage
