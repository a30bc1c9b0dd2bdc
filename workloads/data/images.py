"""Labelled images from the first source that can be reached, checked to be the same bytes from each.

A data set is four arrays of bytes: training images, their labels, test images and their labels. They are
published as gzipped IDX files and cached as one NumPy archive.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from workloads.data.cache import cache_folder, keep
from workloads.data.files import decode_idx
from workloads.data.labelled import PARTS, LabelledData
from workloads.refusal import Refusal

DOWNLOAD_TIMEOUT_S = 30

Bytes = NDArray[np.uint8]
Source = tuple[str, Callable[[], list[Bytes]]]
"""What a source is called, and how the four arrays are had from it."""


_downloads = ContextVar("_downloads", default=True)


class DataUnavailableError(Refusal, OSError):
    """No source of a data set could be reached, or what came was something else."""


@dataclass(frozen=True)
class Part:
    """One of the four files: its name, the hash of the published file, the sha256 of the decoded bytes."""

    file: str
    published: str
    sha256: str


def first_that_answers(name: str, parts: Sequence[Part], sources: Sequence[Source]) -> LabelledData:
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
        return LabelledData.of_arrays(dict(zip(PARTS, arrays, strict=True)), source=name)
    raise DataUnavailableError(f"{name} could not be had from any source; tried {'; '.join(failures)}")


@contextmanager
def without_downloads() -> Iterator[None]:
    """Inside, data sets come from this machine or are not available."""
    token = _downloads.set(False)
    try:
        yield
    finally:
        _downloads.reset(token)


def refuse_without_downloads() -> None:
    """Raises a `DataUnavailableError` inside `without_downloads`."""
    if not _downloads.get():
        raise DataUnavailableError("not asked, because nothing is to be downloaded")


def from_mirror(mirror: str, parts: Sequence[Part]) -> list[Bytes]:
    """The arrays of the files under this address."""
    refuse_without_downloads()
    import pooch

    pooch.get_logger().setLevel(logging.ERROR)
    downloader = pooch.HTTPDownloader(timeout=DOWNLOAD_TIMEOUT_S)
    with tempfile.TemporaryDirectory() as folder:

        def fetched(url: str, known_hash: str) -> Path:
            return Path(pooch.retrieve(url, known_hash=known_hash, path=folder, downloader=downloader))

        return [decode_idx(fetched(mirror + part.file, part.published)) for part in parts]


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
