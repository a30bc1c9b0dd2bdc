"""Magnitude pruning while training: the smallest weights go, a few more at every event.

Between events the network trains as the sparse network it has become: its stages are `PrunedStage`s, and no
mask is kept over a dense matrix.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray

from workloads.stages import PrunedStage, Stage
from workloads.training.model import Model
from workloads.training.optimisers import Optimiser
from workloads.training.schema import PruningRecipe


class PruningSchedule:
    """When to prune and to how many weights: cubic in progress, after Zhu and Gupta, arXiv 1710.01878."""

    def __init__(self, recipe: PruningRecipe, steps: int) -> None:
        self.recipe = recipe
        shares = np.linspace(0, 1, recipe.events + 1)[1:]
        places = recipe.begin + (recipe.end - recipe.begin) * shares
        self.left_at = {
            min(steps - 1, int(place * steps)): float((1 - share) ** 3)
            for place, share in zip(places, shares, strict=True)
        }

    def prune(self, step: int, model: Model, optimiser: Optimiser) -> None:
        """Prune `model` and the state of `optimiser` if there is an event at this step."""
        left = self.left_at.get(step)
        if left is None:
            return
        kept = self._kept(model, left)
        stages = [
            _pruned_stage(stage, places) for stage, places in zip(model.topology.stages, kept, strict=True)
        ]
        model.replace(
            dataclasses.replace(model.topology, layers=tuple((stage,) for stage in stages)),
            [weights.ravel()[places] for weights, places in zip(model.of_stages, kept, strict=True)]
            + model.biases,
        )
        for number, places in enumerate(kept):
            optimiser.select(number, places)

    def _kept(self, model: Model, left: float) -> list[NDArray[np.int64]]:
        """Positions to keep in every weight array, when `left` of the way from target to dense remains."""
        magnitudes = [np.abs(weights).ravel() for weights in model.of_stages]
        dense = [stage.n_in * stage.n_out for stage in model.topology.stages]
        if self.recipe.layer_weights is not None:
            return [
                _largest(layer, round(target + left * (full - target)))
                for layer, target, full in zip(magnitudes, self.recipe.layer_weights, dense, strict=True)
            ]
        target = self.recipe.stored_weights
        assert target is not None, "a recipe gives one of the two budgets"
        places = _largest(np.concatenate(magnitudes), round(target + left * (sum(dense) - target)))
        ends = np.cumsum([0, *(layer.size for layer in magnitudes)])
        return [places[(start <= places) & (places < end)] - start for start, end in itertools.pairwise(ends)]


def _largest(magnitudes: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Positions of the `count` largest entries, in rising order; of equals, the first."""
    return np.sort(np.argsort(-magnitudes, kind="stable")[:count])


def _pruned_stage(stage: Stage, kept: NDArray[np.int64]) -> PrunedStage:
    rows = np.repeat(np.arange(stage.n_out), stage.row_lengths())[kept]
    ends = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=stage.n_out))))
    return PrunedStage(stage.n_in, stage.n_out, ends, stage.columns()[kept])
