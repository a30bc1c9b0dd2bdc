"""A format of network files, and a data set, as an installed package may add them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from workloads import LabelledData, TrainedNetwork, networks
from workloads.data.registry import datasets
from workloads.importers import importers


@importers.register("text")
class NamedInText:
    """A text file that holds the name of a network of the zoo."""

    def recognises(self, path: Any) -> bool:
        return isinstance(path, Path) and path.suffix == ".txt"

    def read(self, path: Any) -> TrainedNetwork:
        return networks[path.read_text(encoding="utf-8")]


@datasets.register("letters")
def letters(inputs: int, classes: int) -> LabelledData:
    """One image a class, of one lit pixel."""
    images, labels = np.eye(classes, inputs, dtype=np.float32), np.arange(classes)
    return LabelledData(images, labels, images, labels)
