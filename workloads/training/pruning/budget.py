"""Methods that keep as many weights as a budget says."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from workloads.training.models.model import Model
from workloads.training.schema import PruningRecipe, RecipeError, Shape, Whole

Count = Callable[[int, int], int]
"""How many weights are left now, of the budget and the weights of dense layers."""


class BudgetedPruning(PruningRecipe):
    """Either `stored_weights`, a budget for the whole network, or `layer_weights`, a budget a layer."""

    stored_weights: Whole | None = Field(default=None, ge=1)
    layer_weights: tuple[Whole, ...] | None = None

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if (self.stored_weights is None) == (self.layer_weights is None):
            given = (self.stored_weights, self.layer_weights)
            raise RecipeError.of("stored_weights, layer_weights", given, "one of the two")
        return self

    def check(self, shapes: Sequence[Shape], epochs: int) -> None:
        dense = [n_in * n_out for n_in, n_out in shapes]
        budgets, budget = self.layer_weights, self.stored_weights
        if budget is not None and budget > sum(dense):
            raise RecipeError.of(
                "pruning.stored_weights", budget, f"1 to {sum(dense)}, those of the dense network"
            )
        if budgets is not None and (
            len(budgets) != len(dense)
            or any(not 1 <= kept <= full for kept, full in zip(budgets, dense, strict=True))
        ):
            raise RecipeError.of("pruning.layer_weights", budgets, f"an entry a layer, of 1 to {dense} each")

    def best(
        self,
        scores: Sequence[NDArray[np.floating]],
        sizes: Sequence[NDArray[np.int64]],
        dense: Sequence[int],
        count: Count,
    ) -> list[NDArray[np.int64]]:
        """Positions in every layer of what is kept, in rising order: by falling score, of equals the first,
        until the next would exceed what `count` leaves of `dense` weights a layer.

        Each entry of a layer's `scores` is of as many weights as `sizes` says.
        """
        if self.layer_weights is not None:
            layers = zip(scores, sizes, self.layer_weights, dense, strict=True)
            return [_within(score, size, count(budget, full)) for score, size, budget, full in layers]
        assert self.stored_weights is not None, "a recipe gives one of the two budgets"
        left = count(self.stored_weights, sum(dense))
        places = _within(np.concatenate(scores), np.concatenate(sizes), left)
        ends = np.cumsum([0, *(layer.size for layer in scores)])
        return [places[(start <= places) & (places < end)] - start for start, end in itertools.pairwise(ends)]

    def largest(self, model: Model, count: Count) -> list[NDArray[np.int64]]:
        """Positions of the weights of every layer that are kept: the largest by magnitude."""
        scores = [np.abs(weights).ravel() for weights in model.of_stages]
        sizes = [np.ones(score.size, dtype=np.int64) for score in scores]
        return self.best(scores, sizes, dense_sizes(model), count)


def dense_sizes(model: Model) -> list[int]:
    """The weights of every layer when it was dense."""
    return [stage.n_in * stage.n_out for stage in model.topology.stages]


def _within(scores: NDArray[np.floating], sizes: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    order = np.argsort(-scores, kind="stable")
    return np.sort(order[: np.searchsorted(np.cumsum(sizes[order]), count, side="right")])
