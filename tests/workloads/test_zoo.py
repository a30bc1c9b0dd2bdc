"""The trained networks that come with the package keep what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from workloads import evaluate, load_network, load_recipe, parse_recipe, quantise, zoo_names
from workloads.data import digits
from workloads.training.pruning import BudgetedPruning

FAMILIES = ("csc", "clos", "deformable-butterfly", "pruned")
EQUAL = tuple(f"lenet-300-100-{family}" for family in FAMILIES)
EXTREME = tuple(f"lenet-300-100-{family}-x40" for family in FAMILIES)
DENSE = "lenet-300-100-dense"


def test_the_zoo_has_the_dense_network_and_four_families_at_two_sizes() -> None:
    assert set(zoo_names()) == {DENSE, *EQUAL, *EXTREME}


def test_the_shipped_digits_are_four_of_every_class() -> None:
    images, labels = digits.test_digits()
    assert images.shape == (40, 784)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0, 1)
    assert np.bincount(labels).tolist() == [4] * 10


@pytest.mark.parametrize("name", [DENSE, *EQUAL, *EXTREME])
def test_a_network_of_the_zoo_is_lenet_300_100_and_follows_its_recipe(name: str) -> None:
    network, recipe = load_network(name), load_recipe(name)
    assert network.name == name
    assert parse_recipe(network.recipe) == recipe
    shapes = [(layer[0].n_in, layer[-1].n_out) for layer in network.topology.layers]
    assert shapes == [(784, 300), (300, 100), (100, 10)]
    assert network.topology.dense_weights == 266_200
    if recipe.pruning is None:
        assert network.topology == recipe.topology()
    else:
        assert isinstance(recipe.pruning, BudgetedPruning)
        assert network.stored_weights == recipe.pruning.stored_weights


def test_the_dense_network_is_98_percent_accurate_as_integers() -> None:
    assert load_network(DENSE).accuracy["int8"] >= 0.98


@pytest.mark.parametrize("name", EQUAL)
def test_a_sparse_network_is_12_times_smaller_and_at_most_a_point_less_accurate(name: str) -> None:
    network = load_network(name)
    assert network.compression >= 12
    assert network.accuracy["int8"] >= load_network(DENSE).accuracy["int8"] - 0.01


@pytest.mark.parametrize("name", EXTREME)
def test_an_extreme_network_is_40_times_smaller_and_at_most_two_points_less_accurate(name: str) -> None:
    network = load_network(name)
    assert network.compression >= 40
    assert network.accuracy["int8"] >= load_network(DENSE).accuracy["int8"] - 0.02


@pytest.mark.parametrize("group", [EQUAL, EXTREME])
def test_networks_that_are_compared_store_the_same_number_of_weights(group: tuple[str, ...]) -> None:
    stored = [load_network(name).stored_weights for name in group]
    assert max(stored) <= 1.03 * min(stored)


@pytest.mark.parametrize("name", EQUAL)
def test_the_layers_of_an_a_priori_network_are_fully_connected(name: str) -> None:
    topology = load_network(name).topology
    assert topology.is_fully_connected() == (not name.endswith("pruned"))


@pytest.mark.parametrize("name", [DENSE, *EQUAL, *EXTREME])
def test_the_integer_network_reads_the_shipped_digits(name: str) -> None:
    network = load_network(name)
    assert evaluate(quantise(network, 8, 8), *digits.test_digits()) >= 0.95
    assert network.accuracy["float"] == pytest.approx(network.accuracy["int8"], abs=0.005)


def test_the_empty_set_has_no_accuracy() -> None:
    integer = quantise(load_network(EQUAL[0]), 8, 8)
    with pytest.raises(ValueError, match="labels has 0 entries"):
        evaluate(integer, np.zeros((0, 784)), np.zeros(0))
