"""Fashion-MNIST comes from its Debian package or its publishers, and is the same bytes from each."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from tests.workloads.synthetic import patches
from tests.workloads.test_mnist import fake_parts, idx_file
from workloads.data import fashion, images, mnist, synthetic
from workloads.data.labelled import DataError
from workloads.data.registry import datasets, load_data


@pytest.fixture
def packaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[images.Bytes]:
    """A folder like that of the Debian package, an empty cache, and no network."""
    parts = fake_parts()
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fashion, "DEBIAN_FOLDER", tmp_path)
    named = []
    for part, content in zip(fashion.PARTS, parts, strict=True):
        (tmp_path / part.file).write_bytes(gzip.compress(idx_file(content)))
        named.append(images.Part(part.file, "", hashlib.sha256(content.tobytes()).hexdigest()))
    monkeypatch.setattr(fashion, "PARTS", tuple(named))

    def unreachable(*_: object) -> list[images.Bytes]:
        raise OSError("no route")

    monkeypatch.setattr(fashion, "from_mirror", unreachable)
    return parts


def test_the_debian_package_is_read_and_cached(packaged: list[images.Bytes], tmp_path: Path) -> None:
    first = fashion.load_fashion_mnist()
    np.testing.assert_array_equal(first.train_inputs * 255, packaged[0].reshape(3, 784))
    for part in fashion.PARTS:
        (tmp_path / part.file).unlink()
    again = fashion.load_fashion_mnist()
    for name in ("train_inputs", "train_labels", "test_inputs", "test_labels"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_other_bytes_are_refused_and_every_source_is_named(
    packaged: list[images.Bytes], tmp_path: Path
) -> None:
    changed = packaged[3].copy()
    changed[0] ^= 1
    (tmp_path / fashion.PARTS[3].file).write_bytes(gzip.compress(idx_file(changed)))
    with pytest.raises(images.DataUnavailableError) as caught:
        fashion.load_fashion_mnist()
    text = str(caught.value)
    assert "Fashion-MNIST could not be had from any source" in text
    assert "the Debian package dataset-fashion-mnist (ValueError: the decoded bytes of t10k-labels" in text
    assert all(f"the mirror {mirror} (OSError: no route)" in text for mirror in fashion.MIRRORS)


def test_data_are_had_by_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    digits, clothes = patches(seed=1), patches(seed=2)
    monkeypatch.setattr(mnist, "load_mnist", lambda: digits)
    monkeypatch.setattr(fashion, "load_fashion_mnist", lambda: clothes)
    assert set(datasets) == {"mnist", "fashion-mnist", "synthetic"}
    assert load_data("mnist") is digits
    assert load_data("fashion-mnist") is clothes
    with pytest.raises(DataError, match=f"data is 'letters', allowed are {', '.join(datasets)}"):
        load_data("letters")


def test_synthetic_features_have_the_shape_of_real_ones_and_are_the_same_each_time() -> None:
    one, other = (load_data("synthetic", inputs=36, classes=4) for _ in range(2))
    assert one.train_inputs.shape == (synthetic.EXAMPLES, 36)
    assert one.test_inputs.shape == (synthetic.TESTS, 36)
    assert one.train_inputs.dtype == np.float32
    assert 0 == one.train_inputs.min() < one.train_inputs.max() <= 1
    assert set(one.train_labels) == set(range(4))
    np.testing.assert_array_equal(one.train_inputs, other.train_inputs)


@pytest.mark.network
def test_fashion_mnist_can_be_had_without_a_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path))
    data = fashion.load_fashion_mnist()
    assert data.train_inputs.shape == (60_000, 784)
    assert np.bincount(data.test_labels).tolist() == [1000] * 10
