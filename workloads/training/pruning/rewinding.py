"""Iterative magnitude pruning with rewinding: train, prune, go back to early weights, and train again.

The lottery tickets of J. Frankle and M. Carbin, "The lottery ticket hypothesis: finding sparse, trainable
neural networks", ICLR 2019, whose networks go back to their first weights; late rewinding, to those of a
later epoch, is of J. Frankle, G. K. Dziugaite, D. M. Roy and M. Carbin, "Linear mode connectivity and the
lottery ticket hypothesis", ICML 2020. They prune a fifth of the weights a round; here the number of rounds is
chosen, and each takes the same share. The optimiser goes back with the weights, and the rate with the step;
the order of the images goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from workloads.kernels.arrays import Array
from workloads.training.models.model import Model
from workloads.training.optimisers import Optimiser
from workloads.training.pruning.budget import BudgetedPruning
from workloads.training.pruning.registry import methods
from workloads.training.pruning.schedule import Schedule, keep
from workloads.training.schema import RecipeError, Shape, Whole


@methods.register("rewinding")
class RewindingPruning(BudgetedPruning):
    """After each of `rounds` trainings the same share of the weights goes, the smallest ones, and what is
    left returns to what it was after the epoch `rewind_to`, 0 for the first weights; one more training ends
    the run. `epochs` of the recipe are those of a training, of which the later ones leave out `rewind_to`."""

    rounds: Whole = Field(default=5, ge=1)
    rewind_to: Whole = Field(default=0, ge=0)
    example: ClassVar[dict[str, Any]] = {"stored_weights": 100, "rounds": 2, "rewind_to": 1}

    def check(self, shapes: Sequence[Shape], epochs: int) -> None:
        super().check(shapes, epochs)
        if self.rewind_to >= epochs:
            raise RecipeError.of("pruning.rewind_to", self.rewind_to, f"0 to {epochs - 1}, below epochs")

    def schedule(self, epochs: int, batches: int) -> Schedule:
        return RewindingSchedule(self, epochs, batches)


class RewindingSchedule(Schedule):
    """Where a run is rewound, and the weights and moments that it returns to, for what is still connected."""

    def __init__(self, recipe: RewindingPruning, epochs: int, batches: int) -> None:
        super().__init__(epochs, batches)
        self.recipe = recipe
        self.early = recipe.rewind_to * batches
        self.again = self.training - self.early
        self.steps += recipe.rounds * self.again

    def place(self, step: int) -> int:
        over = step - self.training
        return step if over < 0 else self.early + over % self.again

    def change(
        self, step: int, model: Model, optimiser: Optimiser, x: Array, labels: NDArray[np.int64]
    ) -> None:
        if step == self.early:
            self.kept = [[array.copy() for array in arrays] for arrays in (model.weights, *optimiser.moments)]
        over = step - self.training
        if over >= 0 and over % self.again == 0:
            self._rewind(1 + over // self.again, model, optimiser)

    def _rewind(self, number: int, model: Model, optimiser: Optimiser) -> None:
        done = number / self.recipe.rounds
        kept = self.recipe.largest(model, lambda target, full: round(full * (target / full) ** done))
        keep(model, optimiser, kept)
        for arrays in self.kept:
            arrays[: len(kept)] = [array.ravel()[places] for array, places in zip(arrays, kept, strict=False)]
        weights, *moments = ([array.copy() for array in arrays] for arrays in self.kept)
        model.replace(model.topology, weights)
        optimiser.resume(self.early, moments)
