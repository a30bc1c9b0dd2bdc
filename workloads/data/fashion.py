"""Fashion-MNIST: ten kinds of clothes in the form of MNIST.

Han Xiao, Kashif Rasul and Roland Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms", arXiv 1708.07747; under the MIT licence. The sources are, in order, the user's cache,
the files of the Debian package `dataset-fashion-mnist`, and the addresses where its authors publish it.
"""

from __future__ import annotations

import functools
from pathlib import Path

from workloads.data.files import decode_idx
from workloads.data.images import Bytes, Part, Source, first_that_answers, from_mirror
from workloads.data.labelled import LabelledData
from workloads.data.registry import datasets

DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
DEBIAN_PACKAGE = "dataset-fashion-mnist"
MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)
PARTS = (
    Part(
        "train-images-idx3-ubyte.gz",
        "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
    ),
    Part(
        "train-labels-idx1-ubyte.gz",
        "md5:25c81989df183df01b3e8a0aad5dffbe",
        "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
    ),
    Part(
        "t10k-images-idx3-ubyte.gz",
        "md5:bef4ecab320f06d8554ea6380940ec79",
        "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
    ),
    Part(
        "t10k-labels-idx1-ubyte.gz",
        "md5:bb300cfdad3c16e7a12a480ee83cd310",
        "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
    ),
)
"""The md5 of the published files is given by the authors; what counts is the sha256 of the decoded bytes."""


def load_fashion_mnist() -> LabelledData:
    """Fashion-MNIST, from the cache or brought into it; a `DataUnavailableError` says what was tried."""
    sources: list[Source] = [(f"the Debian package {DEBIAN_PACKAGE}", _from_debian)]
    sources += [(f"the mirror {mirror}", functools.partial(from_mirror, mirror, PARTS)) for mirror in MIRRORS]
    return first_that_answers("Fashion-MNIST", PARTS, sources)


datasets.register("fashion-mnist")(lambda inputs, classes: load_fashion_mnist())


def _from_debian() -> list[Bytes]:
    return [decode_idx(DEBIAN_FOLDER / part.file) for part in PARTS]
