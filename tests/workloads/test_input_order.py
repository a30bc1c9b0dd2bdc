"""The order in which a network sees its inputs is a part of it: in training, in its file, as integers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.workloads.synthetic import dense_layers, patches, recipe
from workloads import (
    BlockStage,
    DenseStage,
    RecipeError,
    Topology,
    TopologyError,
    TrainedNetwork,
    load_network,
    parse_recipe,
    quantise,
    train,
)
from workloads.topology.stages import KroneckerStage
from workloads.topology.topology import digit_reversed
from workloads.training.model import Model, cross_entropy, initial_weights

DIGITS = (4, 9)
"""Of the 36 pixels of the synthetic images."""


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_a_number_stands_where_its_reversed_digits_say(digits: list[int]) -> None:
    order = digit_reversed(digits)
    for place, number in enumerate(order):
        reversed_number = 0
        for digit, value in zip(digits[::-1], np.unravel_index(number, digits)[::-1], strict=True):
            reversed_number = reversed_number * digit + int(value)
        assert reversed_number == place


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4), st.integers(0, 99))
def test_interleaved_blocks_then_read_neighbours(blocks: int, size: int, outputs: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    interleaved = BlockStage(blocks, size, outputs)
    neighbours = KroneckerStage(blocks, outputs, size, 1)
    weights = random.normal(size=interleaved.weight_shape)
    x = random.normal(size=(blocks * size, 3))
    ordered = Model(Topology(((interleaved,),), (), (blocks, size)), [weights])
    plain = Model(Topology(((neighbours,),)), [weights.reshape(neighbours.weight_shape)])
    np.testing.assert_allclose(ordered.logits(x), plain.logits(x), rtol=1e-12)


def test_gradients_are_those_of_the_inputs_as_they_come() -> None:
    random = np.random.default_rng(3)
    stages = BlockStage(3, 4, 2), DenseStage(6, 3)
    topology = Topology(((stages[0],), (stages[1],)), (), (3, 4))
    model = Model(topology, [initial_weights(stage, random, np.float64) for stage in stages])
    x, labels = random.normal(size=(12, 5)), random.integers(0, 3, size=5)
    signals = model.forward(x)
    _, dy = cross_entropy(signals[-1], labels)
    gradients, dx = model.backward(signals, dy)
    np.testing.assert_allclose(gradients[0], model.loss_and_gradients(x, labels)[1][0], rtol=1e-12)
    for place in np.ndindex(x.shape):
        losses = []
        for step in (1e-6, -1e-6):
            moved = x.copy()
            moved[place] += step
            losses.append(cross_entropy(model.logits(moved), labels)[0])
        assert dx[place] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-7)


@pytest.fixture(scope="module")
def trained() -> TrainedNetwork:
    return train(recipe(epochs=2, layers=dense_layers(), input_digits=DIGITS), progress=False, data=patches())


def test_a_file_keeps_the_order(trained: TrainedNetwork, tmp_path: Path) -> None:
    trained.save(tmp_path / "network.npz")
    loaded = load_network(tmp_path / "network.npz")
    assert loaded.topology == trained.topology
    assert loaded.topology.input_digits == DIGITS


def test_integers_are_those_of_the_ordered_images(trained: TrainedNetwork) -> None:
    images = patches().test_inputs
    network = quantise(trained, 8, 8)
    plain = quantise(
        TrainedNetwork(
            trained.name,
            Topology(trained.topology.layers),
            tuple(weights.copy() for weights in trained.weights),
            trained.calibration,
            trained.recipe,
        ),
        8,
        8,
    )
    order = list(trained.topology.input_places)
    np.testing.assert_array_equal(network.quantise_input(images), plain.quantise_input(images)[order])
    np.testing.assert_array_equal(network.classify(images), plain.classify(images[:, order]))
    assert trained.accuracy["int8"] == np.mean(network.classify(images) == patches().test_labels)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: Topology(((DenseStage(6, 2),),), (), (2, 4)),
            r"input_digits is \[2, 4\], whose product is 8, allowed is the number of inputs, 6",
        ),
        (lambda: Topology(((DenseStage(6, 2),),), (), (0, 6)), "input_digits of the order of inputs is 0"),
    ],
)
def test_digits_that_are_no_order_are_refused(build: Any, message: str) -> None:
    with pytest.raises(TopologyError, match=message):
        build()


def test_a_recipe_refuses_digits_by_name() -> None:
    values = recipe(epochs=1).model_dump(mode="json")
    with pytest.raises(RecipeError, match="input_digits"):
        parse_recipe(values | {"input_digits": [5, 7]})
