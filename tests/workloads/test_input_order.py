"""The order in which a network sees its inputs is a part of it: in training, in its file, as integers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import archsim as a
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
from workloads.stages import KroneckerStage, PrunedStage
from workloads.topology.topology import digit_reversed, neighbours, tiles
from workloads.training.models.model import Model, cross_entropy, initial_weights

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


def test_of_tiles_a_quarter_of_the_image_comes_before_the_next() -> None:
    for side in (1, 2, 3, 6, 28):
        order = tiles(side * side)
        assert sorted(order) == list(range(side * side))
    rows, columns = np.divmod(np.array(tiles(64)), 8)
    for start in range(0, 64, 16):
        within = slice(start, start + 16)
        assert np.ptp(rows[within]) == np.ptp(columns[within]) == 3
    with pytest.raises(TopologyError, match="inputs of an order by tiles is 12, allowed are square numbers"):
        tiles(12)


@pytest.mark.parametrize(
    ("layer", "reads"),
    [
        ({"family": "clos", "outputs": 4, "ingress": 16, "middle": 2, "egress": 2}, 4),
        ({"family": "deformable-butterfly", "outputs": 8, "blocks": [[4, 2], [4, 2], [4, 2]]}, 4),
        ({"family": "csc", "outputs": 16, "fan_in": 4}, 4),
    ],
)
def test_a_first_stage_reads_neighbours(layer: dict[str, Any], reads: int) -> None:
    stage = recipe(inputs=64, layers=[layer], input_order="neighbours").topology().stages[0]
    order = np.array(neighbours(stage))
    assert sorted(order) == list(range(64))
    pixels = np.sort(order[stage.columns()].reshape(-1, reads))
    tops = pixels[:, :1]
    np.testing.assert_array_equal(pixels, tops + np.array([0, 1, 8, 9]))  # squares of two by two


def test_every_block_of_a_first_stage_reads_a_tile() -> None:
    layer = {"family": "clos", "outputs": 4, "ingress": 8, "middle": 2, "egress": 2}
    chosen = recipe(inputs=64, layers=[layer], input_order={"tile": [2, 4]})
    assert parse_recipe(chosen.model_dump(mode="json")) == chosen
    topology = chosen.topology()
    read = np.array(topology.input_order)[topology.stages[0].columns()].reshape(8, 2, 8)[:, 0]
    for pixels, (row, column) in zip(np.sort(read), np.ndindex(4, 2), strict=True):
        tile = np.arange(64).reshape(8, 8)[row * 2 :, column * 4 :][:2, :4]
        np.testing.assert_array_equal(pixels, tile.ravel())
    allowed = "of tiles of 3 by 4 with 64 inputs, allowed are divisors of the side"
    with pytest.raises(RecipeError, match=allowed):
        recipe(inputs=64, layers=[layer], input_order={"tile": [3, 4]})
    with pytest.raises(RecipeError, match="tile"):
        recipe(inputs=64, layers=[layer], input_order={"tile": [0, 4]})


def test_an_input_that_nothing_reads_has_a_place_in_the_order() -> None:
    stage = PrunedStage(4, 2, np.array([0, 1, 2]), np.array([3, 1]))
    assert neighbours(stage) == (2, 1, 3, 0)


@pytest.mark.parametrize("form", ["tiles", "numbers", "npy", "npz", "text"])
def test_any_order_is_trained_kept_and_run_on_the_hardware(form: str, tmp_path: Path) -> None:
    order = np.array(tiles(36)) if form == "tiles" else np.random.default_rng(2).permutation(36)
    path = tmp_path / "order"
    given: Any = {"tiles": "tiles", "numbers": order.tolist()}.get(form, str(path))
    if form == "text":
        np.savetxt(path, order, fmt="%d")
    elif form in ("npy", "npz"):
        with path.open("wb") as file:
            (np.save if form == "npy" else np.savez)(file, order)
    chosen = recipe(epochs=1, input_order=given)
    network = train(chosen, progress=False, data=patches())
    assert network.topology.input_order == tuple(order)
    network.save(tmp_path / "network.npz")
    with np.load(tmp_path / "network.npz") as archive:
        assert json.loads(str(archive["metadata"]))["version"] == 4
        np.testing.assert_array_equal(archive["input_order"], order)
    loaded = load_network(tmp_path / "network.npz")
    assert loaded.topology == network.topology
    integer = quantise(loaded, 8, 8)
    images = patches().test_inputs
    pixels = np.minimum(np.floor(images.T * np.float64(128) + 0.5), 127)
    np.testing.assert_array_equal(integer.quantise_input(images), pixels[order])
    assert loaded.accuracy["int8"] == np.mean(integer.classify(images) == patches().test_labels)
    assert parse_recipe(network.recipe).topology() == network.topology


def test_the_hardware_agrees_on_a_network_with_an_order_of_its_own(tmp_path: Path) -> None:
    layers = [{"family": "csc", "outputs": 12, "fan_in": 4}, {"family": "csc", "outputs": 4, "fan_in": 3}]
    chosen = recipe(epochs=1, layers=layers, input_order="tiles", input_range=(-1, 2))
    train(chosen, progress=False, data=patches()).save(tmp_path / "network.npz")
    np.save(tmp_path / "inputs.npy", patches().test_inputs[:2])
    design = a.DesignPoint(
        network=str(tmp_path / "network.npz"),
        engine=a.Csc(pes=4),
        technology="cmos65",
        inputs=str(tmp_path / "inputs.npy"),
    )
    np.testing.assert_array_equal(
        design.integer.samples.inputs if design.integer.samples else None,
        quantise(design.trained, 8, 8).quantise_input(patches().test_inputs[:2]),
    )
    assert a.verify(design.mapping, inputs=2).agrees


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"0 1 two", "which cannot be read"),
        (b"", "which cannot be read"),
        (b"0 1 2", "input_order is [0, 1, 2] of 3 places, allowed are the numbers 0 to 35, once each"),
        (b"\xff\xfe", "which cannot be read"),
    ],
)
def test_a_file_that_is_no_order_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "order").write_bytes(content)
    with pytest.raises(RecipeError) as refused:
        recipe(input_order=str(tmp_path / "order"))
    assert message in str(refused.value)


def test_one_order_is_given() -> None:
    with pytest.raises(
        RecipeError, match="input_order is given with input_digits, allowed is one of the two"
    ):
        recipe(input_order="tiles", input_digits=DIGITS)
    matrix = {"family": "dense", "outputs": 8}
    recurrence = {"steps": 6, "input": matrix, "hidden": matrix}
    with pytest.raises(RecipeError, match="model is 'rnn', allowed are mlp with input_order"):
        recipe(model="rnn", recurrence=recurrence, input_order="tiles")


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
