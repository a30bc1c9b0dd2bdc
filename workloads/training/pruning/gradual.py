"""Methods that prune a few weights more at every event, and train the sparse network between events."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from workloads.kernels.arrays import Array
from workloads.training.models.model import Model
from workloads.training.optimisers import Optimiser
from workloads.training.pruning.schedule import Schedule, keep
from workloads.training.schema import PruningRecipe, Real, RecipeError, Whole


class GradualPruning(PruningRecipe):
    """Pruning in `events` steps between the shares `begin` and `end` of training."""

    begin: Real = Field(default=0.2, ge=0, le=1)
    end: Real = Field(default=0.6, ge=0, le=1)
    events: Whole = Field(default=10, ge=1)

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.begin > self.end:
            raise RecipeError.of("begin", self.begin, f"shares up to end, {self.end}")
        return self

    def schedule(self, epochs: int, batches: int) -> Schedule:
        return GradualSchedule(self, epochs, batches)

    @abstractmethod
    def kept(self, model: Model, left: float) -> list[NDArray[np.int64]]:
        """Positions to keep in every weight array, in rising order, when `left` of the way from sparse to
        dense remains."""


class GradualSchedule(Schedule):
    """When to prune and how far: cubic in progress, after M. Zhu and S. Gupta, "To prune, or not to prune",
    ICLR workshops 2018, arXiv 1710.01878."""

    def __init__(self, recipe: GradualPruning, epochs: int, batches: int) -> None:
        super().__init__(epochs, batches)
        self.recipe = recipe
        shares = np.linspace(0, 1, recipe.events + 1)[1:]
        places = recipe.begin + (recipe.end - recipe.begin) * shares
        self.left_at = {
            min(self.steps - 1, int(place * self.steps)): float((1 - share) ** 3)
            for place, share in zip(places, shares, strict=True)
        }

    def change(
        self, step: int, model: Model, optimiser: Optimiser, x: Array, labels: NDArray[np.int64]
    ) -> None:
        left = self.left_at.get(step)
        if left is not None:
            keep(model, optimiser, self.recipe.kept(model, left))
