"""When a run changes its connections. One that is not pruned has the plain `Schedule`, which changes none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workloads.kernels.arrays import Array
from workloads.stages import PrunedStage, Stage
from workloads.training.models.model import Model
from workloads.training.optimisers import Optimiser


class Schedule:
    """The steps of a run, `batches` an epoch, and what changes at which of them.

    `training` is the number of steps of one training, over which the rate runs its course, and `steps` that
    of the run. `kept` is what later events need and a checkpoint must hold: as with the moments of an
    optimiser, some times an array for each weight array of the model.
    """

    def __init__(self, epochs: int, batches: int) -> None:
        self.training = self.steps = epochs * batches
        self.kept: list[list[Array]] = []

    def place(self, step: int) -> int:
        """How many steps of its training lie behind a step of the run."""
        return step

    def change(
        self, step: int, model: Model, optimiser: Optimiser, x: Array, labels: NDArray[np.int64]
    ) -> None:
        """Change `model` and the state of `optimiser` before this step, which will see the inputs x (n_in,
        batch) with `labels` (batch,)."""


def keep(model: Model, optimiser: Optimiser, kept: Sequence[NDArray[np.int64]]) -> None:
    """Keep of every stage the weights at these positions, in rising order, with the optimiser's state."""
    stages = [_pruned(stage, places) for stage, places in zip(model.topology.stages, kept, strict=True)]
    weights = [array.ravel()[places] for array, places in zip(model.of_stages, kept, strict=True)]
    rewire(model, stages, weights)
    for number, places in enumerate(kept):
        optimiser.select(number, places)


def rewire(model: Model, stages: Sequence[Stage], weights: Sequence[Array]) -> None:
    """Give the model these stages, one a layer, with these weights; its biases stay."""
    topology = dataclasses.replace(model.topology, layers=tuple((stage,) for stage in stages))
    model.replace(topology, [*weights, *model.biases])


def row_numbers(stage: Stage) -> NDArray[np.int64]:
    """The output that each stored weight belongs to."""
    return np.repeat(np.arange(stage.n_out), stage.row_lengths())


def largest(scores: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Positions of the `count` largest entries, in rising order; of equals, the first."""
    return np.sort(np.argsort(-scores, kind="stable")[:count])


def stage_at(n_in: int, n_out: int, places: NDArray[np.int64]) -> PrunedStage:
    """The stage of the connections at these places of the matrix (n_out, n_in), row by row, in rising
    order."""
    ends = np.concatenate(([0], np.cumsum(np.bincount(places // n_in, minlength=n_out))))
    return PrunedStage(n_in, n_out, ends, places % n_in)


def places_of(stage: Stage) -> NDArray[np.int64]:
    """The place of each stored weight in the matrix (n_out, n_in), row by row."""
    return row_numbers(stage) * stage.n_in + stage.columns()


def _pruned(stage: Stage, kept: NDArray[np.int64]) -> PrunedStage:
    return stage_at(stage.n_in, stage.n_out, places_of(stage)[kept])
