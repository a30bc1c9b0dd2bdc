"""Inputs of any range become integers by a power of two of their own; what an activation cannot hold is
counted, and data of another scale are refused."""

from __future__ import annotations

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from tests.workloads.synthetic import dense_layers, patches, recipe
from workloads import (
    IntegerNetworkError,
    NetworkFileError,
    TrainedNetwork,
    load_network,
    quantise,
    train,
    zoo_names,
)
from workloads.topology.integer import BITS
from workloads.topology.ranges import (
    IMAGES,
    InputWarning,
    RangeError,
    checked_range,
    input_fraction_bits,
    range_of,
)

ends = st.floats(-1e6, 1e6, width=32)


@pytest.fixture(scope="module")
def trained() -> TrainedNetwork:
    return train(recipe(epochs=1, layers=dense_layers()), progress=False, data=patches())


@given(low=ends, high=ends, bits=st.integers(BITS.start, BITS.stop - 1))
def test_a_range_has_the_finest_scale_that_holds_it(low: float, high: float, bits: int) -> None:
    low, high = min(low, high, 0.0), max(low, high, 0.0)
    if not low < high:
        return
    fraction, top = input_fraction_bits((low, high), bits), 1 << (bits - 1)
    assert -top <= np.ldexp(low, fraction)
    assert np.ldexp(high, fraction) <= top
    assert np.ldexp(max(-low, high), fraction + 1) > top


@pytest.mark.parametrize("bits", BITS)
def test_images_keep_all_bits_but_the_sign(bits: int) -> None:
    assert input_fraction_bits(IMAGES, bits) == bits - 1
    assert input_fraction_bits((0.0, 255.0), bits) == bits - 9
    assert input_fraction_bits((-2.1, 2.8), bits) == bits - 3


@pytest.mark.parametrize("name", zoo_names())
def test_a_network_of_the_zoo_has_the_range_of_images_and_its_integers_are_as_ever(name: str) -> None:
    network = load_network(name)
    integer = quantise(network, 8, 8)
    assert network.input_range == integer.input_range == IMAGES
    assert integer.input_fraction_bits == 7
    assert network.samples is not None
    assert integer.samples is not None
    pixels = np.minimum(np.floor(network.samples.values.T * np.float64(128) + 0.5), 127)
    order = list(network.topology.input_places) or slice(None)
    np.testing.assert_array_equal(integer.samples.inputs, pixels[order])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 1.0], IMAGES),
        ([0.1, 0.51], IMAGES),
        ([0.0, 0.0], IMAGES),
        ([0.1, 0.5], (0.0, 0.5)),
        ([0.0, 0.01], (0.0, 0.01)),
        ([3.0, 16.0], (0.0, 16.0)),
        ([-0.25, 0.75], (-0.25, 0.75)),
        ([-3.0, -1.0], (-3.0, 0.0)),
        ([0, 255], (0.0, 255.0)),
    ],
)
def test_the_range_of_data_holds_them_and_zero(values: list[float], expected: tuple[float, float]) -> None:
    assert range_of(np.array(values)) == expected


def test_one_value_in_ten_thousand_does_not_set_the_range() -> None:
    values = np.random.default_rng(0).uniform(-2, 2, size=40_000)
    values[7] = -900.0
    low, high = range_of(values)
    assert -2 <= low < -1.99
    assert 1.99 < high <= 2


@pytest.mark.parametrize("values", [np.zeros(0), np.array([np.nan]), np.array([np.inf]), np.array(["a"])])
def test_what_is_not_finite_has_no_range(values: NDArray[Any]) -> None:
    with pytest.raises(RangeError, match="allowed are finite numbers, one or more"):
        range_of(values)


@pytest.mark.parametrize(
    "ends",
    [(0.0, 0.0), (1.0, 0.0), (0.0, np.inf), (np.nan, 1.0), (0.0,), None, "01", (False, True), (0, 1e39)],
)
def test_no_other_ends_are_a_range(ends: object) -> None:
    with pytest.raises(RangeError, match=r"range is .*, allowed are two finite numbers"):
        checked_range("range", ends)


def standardised(network: TrainedNetwork) -> tuple[TrainedNetwork, float, float]:
    """The same function of inputs that are standardised, its first matrix and biases changed for it."""
    images = patches().train_inputs
    mean, deviation = float(images.mean()), float(images.std())
    first = network.weights[0]
    biases = [mean * first.sum(axis=1), *[None] * (len(network.weights) - 1)]
    changed = dataclasses.replace(
        network,
        weights=(first * np.float32(deviation), *network.weights[1:]),
        biases=tuple(biases),
        samples=None,
        input_range=range_of((images - mean) / deviation),
    )
    return changed, mean, deviation


def test_standardised_inputs_come_to_the_same_classes(trained: TrainedNetwork) -> None:
    network, mean, deviation = standardised(trained)
    images = patches().test_inputs
    own, other = quantise(trained, 12, 12), quantise(network, 12, 12)
    assert network.input_range[0] < 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        classes = other.classify((images - mean) / deviation)
    assert np.mean(classes == own.classify(images)) > 0.99


def test_a_range_that_is_not_that_of_images_is_kept_under_a_version_of_its_own(
    trained: TrainedNetwork, tmp_path: Path
) -> None:
    path, versions = tmp_path / "network.npz", []
    for network in (trained, dataclasses.replace(trained, input_range=(-2.5, 3.0), samples=None)):
        network.save(path)
        with np.load(path) as archive:
            metadata = json.loads(str(archive["metadata"]))
        versions.append((metadata["version"], metadata.get("input_range")))
        loaded = load_network(path)
        assert loaded.input_range == network.input_range
        assert quantise(loaded, 8, 8).input_fraction_bits == quantise(network, 8, 8).input_fraction_bits
    assert versions == [(1, None), (4, [-2.5, 3.0])]


def test_values_beyond_the_range_stay_where_an_activation_holds_them(trained: TrainedNetwork) -> None:
    integer = quantise(dataclasses.replace(trained, input_range=(-2.5, 3.0), samples=None), 8, 8)
    values = np.zeros((2, 36), dtype=np.float32)
    values[0, :4] = 3.5, -3.5, 4.0, -4.0
    with pytest.warns(
        InputWarning, match=r"^1 of 72 inputs of tiny lie beyond -2.5 to 3, its input_range, and"
    ):
        inputs = integer.quantise_input(values)
    assert inputs[:4, 0].tolist() == [112, -112, 127, -128]


def test_data_of_another_scale_are_refused(trained: TrainedNetwork) -> None:
    integer = quantise(trained, 8, 8)
    pixels = patches().test_inputs * 255
    with pytest.raises(IntegerNetworkError, match=r"span 0\.?.* to .*, allowed are 0 to 1 with at most a"):
        integer.quantise_input(pixels)
    with pytest.raises(IntegerNetworkError, match="and finite numbers"):
        integer.quantise_input(np.where(pixels == pixels.max(), np.inf, pixels / 255))


def test_a_network_refuses_what_is_no_range(trained: TrainedNetwork) -> None:
    with pytest.raises(NetworkFileError, match="input_range of tiny is"):
        dataclasses.replace(trained, input_range=(1.0, -1.0))
