"""The trained networks that come with the package keep what they promise."""

from __future__ import annotations

import re

import numpy as np
import pytest

from workloads import Recipe, evaluate, load_network, load_recipe, parse_recipe, quantise, zoo_names
from workloads.data import digits
from workloads.importers.zoo import FOLDER
from workloads.training.pruning import BudgetedPruning

DENSE = "lenet-300-100-dense"
SPARSE = tuple(name for name in zoo_names() if name != DENSE)
FAMILIES = ("csc", "clos", "deformable-butterfly", "pruned")
SIZES = {"": (12, 0.01, 0.01), "-x40": (40, 0.02, 0.02), "-x100": (100, 0.06, 0.09)}
"""By the ending of a name: how many times smaller a network is at least, and what of the accuracy of the
dense one with 8 bits it has lost at most, for weights of 8 bits and of 4."""

MOST_BYTES = 4_000_000


def ending(name: str) -> str:
    found = re.search(r"-x[0-9]+(?=-|$)", name)
    return found[0] if found else ""


def of_size(size: str) -> list[str]:
    return [name for name in SPARSE if ending(name) == size]


def bits(recipe: Recipe) -> tuple[int, int]:
    """What weights and activations were trained for."""
    rounding = recipe.rounding
    return (rounding.weight_bits, rounding.activation_bits) if rounding else (8, 8)


def is_ordered(name: str) -> bool:
    recipe = load_recipe(name)
    return bool(recipe.input_order or recipe.input_digits)


def test_the_zoo_has_four_families_at_three_sizes_with_weights_of_8_and_4_bits() -> None:
    assert {ending(name) for name in SPARSE} == set(SIZES)
    for size in SIZES:
        for width in (8, 4):
            there = [name for name in of_size(size) if bits(load_recipe(name))[0] == width]
            for family in FAMILIES:
                assert any(name.startswith(f"lenet-300-100-{family}") for name in there), (
                    family,
                    size,
                    width,
                )


def test_csc_and_clos_are_there_with_and_without_an_order_at_the_sizes_of_the_papers() -> None:
    for family in FAMILIES[:2]:
        for size in ("", "-x40"):
            plain = f"lenet-300-100-{family}{size}"
            ordered = f"{plain}-neighbours"
            assert not is_ordered(plain)
            assert is_ordered(ordered)
            alike = {"name", "input_order"}
            one, other = (load_recipe(name).model_dump(exclude=alike) for name in (plain, ordered))
            assert one == other, "they differ in nothing else"


def test_what_is_trained_for_4_bits_is_trained_alike() -> None:
    for size in SIZES:
        recipes = [load_recipe(name) for name in of_size(size)]
        narrow = [recipe for recipe in recipes if recipe.rounding]
        assert len({(recipe.epochs, recipe.rounding, recipe.shift_pixels) for recipe in narrow}) == 1


def test_the_page_states_the_accuracies_of_the_files() -> None:
    """The first and the last of three columns of each size: 8 bits, and trained for weights of 4 bits."""
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    for family, words in (("csc", "-neighbours"), ("clos", "-neighbours"), (FAMILIES[2], ""), ("pruned", "")):
        told = f"| {family}, `{words}` |" if words else f"| {family} |"
        (row,) = (line for line in page.splitlines() if line.startswith(told) and line.count("%") == 9)
        figures = [cell.strip() for cell in row.split("|")[2:-1]]
        for k, size in enumerate(SIZES):
            name = f"lenet-300-100-{family}{size}{words}"
            stored = load_network(name).accuracy["int8"], load_network(f"{name}-4bit").accuracy["int4x8"]
            assert [figures[3 * k], figures[3 * k + 2]] == [
                f"{share:.2%}".replace("%", " %") for share in stored
            ]


def test_the_folder_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < MOST_BYTES


def test_the_shipped_digits_are_four_of_every_class() -> None:
    images, labels = digits.test_digits()
    assert images.shape == (40, 784)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0, 1)
    assert np.bincount(labels).tolist() == [4] * 10


@pytest.mark.parametrize("name", zoo_names())
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


@pytest.mark.parametrize("name", SPARSE)
def test_a_sparse_network_is_as_small_as_it_says_and_little_less_accurate(name: str) -> None:
    network, (compression, *losses) = load_network(name), SIZES[ending(name)]
    is_narrow = network.recipe.get("rounding") is not None
    assert network.compression >= compression
    reached = network.accuracy["int4x8" if is_narrow else "int8"]
    assert reached >= load_network(DENSE).accuracy["int8"] - losses[is_narrow]


@pytest.mark.parametrize("size", SIZES)
def test_networks_that_are_compared_store_the_same_number_of_weights(size: str) -> None:
    stored = [load_network(name).stored_weights for name in of_size(size)]
    assert max(stored) <= 1.03 * min(stored)


@pytest.mark.parametrize("name", of_size(""))
def test_the_layers_of_an_a_priori_network_are_fully_connected(name: str) -> None:
    topology = load_network(name).topology
    assert topology.is_fully_connected() == ("pruned" not in name)


@pytest.mark.parametrize("name", zoo_names())
def test_the_integer_network_reads_the_shipped_digits(name: str) -> None:
    network, trained_for = load_network(name), bits(load_recipe(name))
    stated = network.accuracy["int8" if trained_for == (8, 8) else "int4x8"]
    images, labels = digits.test_digits()
    error = (stated * (1 - stated) / len(labels)) ** 0.5
    assert evaluate(quantise(network, *trained_for), images, labels) >= stated - 2 * error
    if trained_for == (8, 8):
        assert network.accuracy["float"] == pytest.approx(network.accuracy["int8"], abs=0.005)


def test_the_empty_set_has_no_accuracy() -> None:
    integer = quantise(load_network(SPARSE[0]), 8, 8)
    with pytest.raises(ValueError, match="labels has 0 entries"):
        evaluate(integer, np.zeros((0, 784)), np.zeros(0))
