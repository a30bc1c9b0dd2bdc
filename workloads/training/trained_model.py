"""A trained network that is no multi-layer perceptron, and its file.

Its structure is that of its recipe, so the file holds the recipe and the weights. It is not mapped to
hardware.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.topology.archive import one_line, read_archive, write_archive
from workloads.topology.network import (
    INCONSISTENT,
    NetworkFileError,
    check_kinds,
    check_shares,
    real_numbers,
)
from workloads.topology.topology import compression_of

FORMAT, VERSION = "archsim model", 1


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A recipe with float32 weights in the order of its model, and the accuracy on all test images.

    `dense_weights` is the number that the same model would have if every cascade were one dense matrix.
    """

    recipe: Mapping[str, Any]
    weights: tuple[NDArray[np.float32], ...]
    dense_weights: int
    accuracy: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the recipe."""
        return str(self.recipe["name"])

    @property
    def stored_weights(self) -> int:
        """Number of weights kept."""
        return sum(array.size for array in self.weights)

    @property
    def stored_biases(self) -> int:
        """Number of biases kept: none, because only a multi-layer perceptron is trained with biases."""
        return 0

    @property
    def compression(self) -> float:
        """Dense weights divided by stored weights, infinite where none is kept."""
        return compression_of(self.dense_weights, self.stored_weights)

    def __repr__(self) -> str:
        return f"<TrainedModel {self.name[:60]}: {self.recipe['model']}, {self.stored_weights:,} weights>"

    def save(self, path: str | Path) -> None:
        """Write the model to a file; a file that is there already stays whole until the new one is."""
        metadata = {
            "format": FORMAT,
            "version": VERSION,
            "recipe": dict(self.recipe),
            "dense_weights": self.dense_weights,
            "accuracy": dict(self.accuracy),
        }
        arrays = {f"weights_{number}": array for number, array in enumerate(self.weights)}
        write_archive(Path(path), metadata, arrays, compressed=True)

    @classmethod
    def load(cls, path: str | Path) -> TrainedModel:
        """Read a model from a file; a `NetworkFileError` says in a sentence what is wrong with it."""
        metadata, arrays = read_archive(
            Path(path), file_format=FORMAT, versions=(VERSION,), holds="trained model", error=NetworkFileError
        )
        try:
            check_kinds(metadata, recipe=dict, dense_weights=int, accuracy=dict)
            check_kinds(metadata["recipe"], name=str, model=str)
            check_shares("accuracy", metadata["accuracy"])
            return cls(
                recipe=metadata["recipe"],
                weights=tuple(real_numbers(arrays, f"weights_{number}") for number in range(len(arrays))),
                dense_weights=metadata["dense_weights"],
                accuracy=metadata["accuracy"],
            )
        except INCONSISTENT as error:
            raise NetworkFileError(
                f"file is {path}, an inconsistent model ({one_line(error)}), allowed is one that is whole"
            ) from error
