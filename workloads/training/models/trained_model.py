"""A trained network that is no multi-layer perceptron, and its file.

Its structure is that of its recipe, so the file holds the recipe and the weights. Hardware runs it as the
network with places that `workloads.training.quantisation.placed` makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.archive import one_line, read_archive, write_archive
from workloads.topology.network import (
    INCONSISTENT,
    SAMPLES,
    Calibration,
    NetworkFileError,
    check_kinds,
    check_shares,
    real_numbers,
    restored,
)
from workloads.topology.samples import Samples
from workloads.topology.topology import compression_of

FORMAT, PLAIN, CALIBRATED = "archsim model", 1, 2
"""Versions of a file: of weights alone, and with what hardware needs besides."""


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A recipe with float32 weights in the order of its model, and the accuracy on all test images.

    `dense_weights` is the number that the same model would have if every cascade were one dense matrix.
    `calibration` has the magnitudes seen at the stages of its network with places; a file from before there
    were any, and a model that no hardware runs, has none. `samples` are inputs that it never saw.
    """

    recipe: Mapping[str, Any]
    weights: tuple[NDArray[np.float32], ...]
    dense_weights: int
    accuracy: Mapping[str, float] = field(default_factory=dict)
    calibration: Calibration | None = None
    samples: Samples | None = None

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
            "version": CALIBRATED if self.calibration else PLAIN,
            "recipe": dict(self.recipe),
            "dense_weights": self.dense_weights,
            "accuracy": dict(self.accuracy),
            **({"calibration": asdict(self.calibration)} if self.calibration else {}),
            **({SAMPLES: self.samples.source} if self.samples else {}),
        }
        arrays: dict[str, Any] = {f"weights_{number}": array for number, array in enumerate(self.weights)}
        if self.samples:
            arrays[SAMPLES] = self.samples.stored()
        write_archive(Path(path), metadata, arrays, compressed=True)

    @classmethod
    def load(cls, path: str | Path) -> TrainedModel:
        """Read a model from a file; a `NetworkFileError` says in a sentence what is wrong with it."""
        metadata, arrays = read_archive(
            Path(path),
            file_format=FORMAT,
            versions=(PLAIN, CALIBRATED),
            holds="trained model",
            error=NetworkFileError,
        )
        try:
            check_kinds(metadata, dense_weights=int)
            common = restored(metadata, arrays)
            check_kinds(common["recipe"], name=str, model=str)
            check_shares("accuracy", common["accuracy"])
            return cls(
                weights=tuple(real_numbers(arrays, f"weights_{number}") for number in range(len(arrays))),
                dense_weights=metadata["dense_weights"],
                **common,
            )
        except INCONSISTENT as error:
            raise NetworkFileError(
                f"file is {path}, an inconsistent model ({one_line(error)}), allowed is one that is whole"
            ) from error
