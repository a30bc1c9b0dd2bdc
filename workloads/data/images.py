"""Labelled images from the first source that can be reached, checked to be the same bytes from each.

A data set is four arrays of bytes: training images, their labels, test images and their labels. They are
published as gzipped IDX files and cached as one NumPy archive.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from workloads.data.cache import cache_folder, keep
from workloads.refusal import Refusal

DOWNLOAD_TIMEOUT_S = 30

Bytes = NDArray[np.uint8]
Source = tuple[str, Callable[[], list[Bytes]]]
"""What a source is called, and how the four arrays are had from it."""


class DataUnavailableError(Refusal, OSError):
    """No source of a data set could be reached, or what came was something else."""


@dataclass(frozen=True)
class Part:
    """One of the four files: its name, the hash of the published file, the sha256 of the decoded bytes."""

    file: str
    published: str
    sha256: str


@dataclass(frozen=True, eq=False)
class ImageData:
    """Images (n, n_in) as float32 in [0, 1], row by row, and labels (n,) as int64 from 0."""

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]

    def __repr__(self) -> str:
        learnt, judged = self.train_images.shape, len(self.test_images)
        return f"<ImageData: {learnt[0]:,} training and {judged:,} test images of {learnt[1]:,} values>"


def first_that_answers(name: str, parts: Sequence[Part], sources: Sequence[Source]) -> ImageData:
    """The data set from its cache or from the first of `sources`, which then fills the cache.

    Raises a `DataUnavailableError`, which says what was tried.
    """
    cache = cache_folder() / f"{name.lower()}.npz"
    cached: Source = (f"the cache {cache}", functools.partial(_from_cache, cache, len(parts)))
    failures = []
    for source, fetch in (cached, *sources):
        try:
            arrays = fetch()
            _check(arrays, parts)
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else ""
            failures.append(f"{source} ({type(error).__name__}: {reason})")
            continue
        if failures:
            keep(cache, functools.partial(_write, arrays))
        train_images, train_labels, test_images, test_labels = arrays
        return ImageData(
            train_images=_scaled(train_images),
            train_labels=train_labels.astype(np.int64),
            test_images=_scaled(test_images),
            test_labels=test_labels.astype(np.int64),
        )
    raise DataUnavailableError(f"{name} could not be had from any source; tried {'; '.join(failures)}")


def from_mirror(mirror: str, parts: Sequence[Part]) -> list[Bytes]:
    """The arrays of the files under this address."""
    import pooch

    pooch.get_logger().setLevel(logging.ERROR)
    downloader = pooch.HTTPDownloader(timeout=DOWNLOAD_TIMEOUT_S)
    with tempfile.TemporaryDirectory() as folder:

        def fetched(url: str, known_hash: str) -> Path:
            return Path(pooch.retrieve(url, known_hash=known_hash, path=folder, downloader=downloader))

        return [decode_idx(fetched(mirror + part.file, part.published)) for part in parts]


def decode_idx(path: Path) -> Bytes:
    """The bytes of an IDX file: two zero bytes, type 8, the number of axes, big-endian sizes, data."""
    content = gzip.decompress(path.read_bytes())
    axes = content[3]
    sizes = np.frombuffer(content, dtype=">u4", count=axes, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(tuple(int(n) for n in sizes))


def _scaled(images: Bytes) -> NDArray[np.float32]:
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def _check(arrays: Sequence[Bytes], parts: Sequence[Part]) -> None:
    for part, array in zip(parts, arrays, strict=True):
        found = hashlib.sha256(array.tobytes()).hexdigest()
        if found != part.sha256:
            raise ValueError(
                f"the decoded bytes of {part.file} have sha256 {found}, allowed is {part.sha256}"
            )


def _from_cache(path: Path, parts: int) -> list[Bytes]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return [stored[f"arr_{number}"] for number in range(parts)]


def _write(arrays: Sequence[Bytes], file: BinaryIO) -> None:
    np.savez_compressed(file, *arrays)
