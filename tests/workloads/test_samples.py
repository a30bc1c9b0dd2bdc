"""A network carries samples of its inputs, the typical ones first, and gives them back as they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from tests.workloads.synthetic import dense_layers, patches, recipe
from workloads import NetworkFileError, TrainedNetwork, load_network, quantise, test_digits, train, zoo_names
from workloads.topology.samples import MOST, Samples, SamplesError
from workloads.training.typical import KEPT, PER_CLASS, typical_samples


@pytest.fixture(scope="module")
def trained() -> TrainedNetwork:
    return train(recipe(epochs=1, layers=dense_layers()), progress=False, data=patches())


def test_training_puts_in_typical_images_of_the_test_part(trained: TrainedNetwork) -> None:
    data, samples = patches(), trained.samples
    assert samples is not None
    assert samples.source == "test part of the data given"
    assert samples.values.shape == (KEPT, 36)
    tested = {image.tobytes() for image in data.test_inputs}
    assert all(sample.tobytes() in tested for sample in samples.values)


def test_the_first_samples_are_nearest_to_the_mean_in_ink_of_the_first_of_each_class() -> None:
    ink = np.array([0.9, 0.1, 0.5, 0.2, 0.8, 0.45, 0.0, 0.0], dtype=np.float32)
    labels = np.array([0, 0, 0, 0, 1, 1, 0, 0])
    images = np.repeat(ink[:, None], 3, axis=1)
    samples = typical_samples(images, labels, "here")
    assert samples is not None
    assert PER_CLASS == 4, "the last two images are the fifth and the sixth of their class"
    np.testing.assert_allclose(samples.values[:, 0], [0.5, 0.45, 0.2, 0.8, 0.1, 0.9], rtol=1e-6)


def test_ink_is_of_either_sign() -> None:
    images = np.repeat(np.array([-1.0, 0.4, 0.1, -0.5], np.float32)[:, None], 3, axis=1)
    samples = typical_samples(images, np.arange(4), "here")
    assert samples is not None
    np.testing.assert_allclose(samples.values[:, 0], [-0.5, 0.4, 0.1, -1.0], rtol=1e-6)


def test_without_images_there_are_no_samples() -> None:
    assert typical_samples(np.zeros((0, 3), np.float32), np.zeros(0, np.int64), "here") is None


@pytest.mark.parametrize("name", zoo_names())
def test_the_zoo_carries_what_training_would_put_in(name: str) -> None:
    expected, shipped = typical_samples(*test_digits(), "test part of mnist"), load_network(name).samples
    assert expected is not None
    assert shipped is not None
    np.testing.assert_array_equal(shipped.values, expected.values)
    assert shipped.source == expected.source


bytes_or_not = st.one_of(
    st.lists(st.integers(0, 255), min_size=6, max_size=6).map(lambda row: np.array(row) / np.float32(255)),
    st.lists(st.floats(0, 1, width=32), min_size=6, max_size=6).map(np.array),
    st.lists(st.floats(-300, 300, width=32), min_size=6, max_size=6).map(np.array),
)


@given(rows=st.lists(bytes_or_not, min_size=1, max_size=MOST))
def test_samples_come_back_bit_for_bit(rows: list[NDArray[Any]]) -> None:
    samples = Samples(np.array(rows, dtype=np.float32), "here")
    again = Samples.restored(samples.stored(), "here")
    np.testing.assert_array_equal(again.values, samples.values)


def test_pixels_are_stored_as_bytes_and_other_values_as_they_are(
    trained: TrainedNetwork, tmp_path: Path
) -> None:
    pixels = Samples(np.arange(72).reshape(2, 36).astype(np.float32) / np.float32(255), "pixels")
    for samples, kind in ((trained.samples, np.float32), (pixels, np.uint8)):
        replace(trained, samples=samples).save(tmp_path / "network.npz")
        with np.load(tmp_path / "network.npz") as archive:
            assert archive["samples"].dtype == kind
        loaded = load_network(tmp_path / "network.npz").samples
        assert loaded is not None
        assert samples is not None
        assert loaded.source == samples.source
        np.testing.assert_array_equal(loaded.values, samples.values)


def test_a_file_without_samples_is_read_as_ever(trained: TrainedNetwork, tmp_path: Path) -> None:
    replace(trained, samples=None).save(tmp_path / "network.npz")
    with np.load(tmp_path / "network.npz") as archive:
        assert "samples" not in archive.files
        assert "samples" not in json.loads(str(archive["metadata"]))
    loaded = load_network(tmp_path / "network.npz")
    assert loaded.samples is None
    assert quantise(loaded, 8, 8).samples is None


def test_an_integer_network_has_the_samples_as_it_takes_images() -> None:
    network = load_network("lenet-300-100-deformable-butterfly")
    integer = quantise(network, 8, 8)
    assert network.topology.input_digits
    assert network.samples is not None
    assert integer.samples is not None
    np.testing.assert_array_equal(
        integer.samples.inputs, integer.quantise_input(np.array(network.samples.values))
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((0, 4)), r"shape of samples is \(0, 4\), allowed are \(k, n_in\) with k from 1 to 64"),
        (np.zeros((65, 4)), r"shape of samples is \(65, 4\)"),
        (np.zeros(4), r"shape of samples is \(4,\)"),
        (np.full((1, 4), 1e39), r"span of samples is 'inf to inf', allowed are finite numbers"),
        (np.full((1, 4), "x"), r"type of samples is '<U1', allowed are real numbers"),
        (np.full((1, 4), np.nan), r"span of samples is 'nan to nan'"),
    ],
)
def test_other_values_are_refused(values: NDArray[Any], message: str) -> None:
    with pytest.raises(SamplesError, match=message):
        Samples(values, "here")


def _longer(metadata: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["samples"] = np.zeros((1, 35), np.uint8)


def _without_source(metadata: dict[str, Any], arrays: dict[str, Any]) -> None:
    metadata.pop("samples")


def _of_words(metadata: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["samples"] = np.zeros((1, 36), np.int64)


def _too_many(metadata: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["samples"] = np.zeros((65, 36), np.uint8)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_longer, "samples of tiny have 35 values, allowed are 36"),
        (_without_source, "'samples'"),
        (_of_words, "type of stored samples is"),
        (_too_many, "shape of samples is (65, 36)"),
    ],
)
def test_a_file_with_spoilt_samples_is_refused_in_a_sentence_that_names_it(
    spoil: Callable[[dict[str, Any], dict[str, Any]], None],
    message: str,
    trained: TrainedNetwork,
    tmp_path: Path,
) -> None:
    path = tmp_path / "network.npz"
    trained.save(path)
    with np.load(path) as archive:
        arrays: dict[str, Any] = {name: archive[name] for name in archive.files}
    metadata = json.loads(str(arrays.pop("metadata")))
    spoil(metadata, arrays)
    np.savez(path, metadata=np.array(json.dumps(metadata)), **arrays)
    with pytest.raises(NetworkFileError) as caught:
        load_network(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
