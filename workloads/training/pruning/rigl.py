"""RigL: sparse from the start, with connections that move to where the gradient is large.

U. Evci, T. Gale, J. Menick, P. S. Castro and E. Elsen, "Rigging the lottery: making all tickets winners",
ICML 2020. Connections are drawn at random, more densely in small layers (Erdős-Rényi, as D. C. Mocanu et al.,
"Scalable training of artificial neural networks with adaptive sparse connectivity inspired by network
science", Nature Communications 9, 2018). Now and then the smallest weights of a layer go, and as many grow
at zero where the gradient of the dense layer on the batch at hand is largest; fewer each time, along a
cosine. Where the paper then skips a step of the optimiser, the step is taken here.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from workloads.kernels.arrays import Array
from workloads.stages import DenseStage
from workloads.topology.topology import Topology
from workloads.training.models.model import Model
from workloads.training.optimisers import Optimiser
from workloads.training.pruning.budget import BudgetedPruning
from workloads.training.pruning.registry import methods
from workloads.training.pruning.schedule import Schedule, largest, places_of, rewire, stage_at
from workloads.training.schema import Real, RecipeError, Shape, Whole


@methods.register("rigl")
class RiglPruning(BudgetedPruning):
    """Every `every` steps, until the share `end` of training, at first the `share` of the connections of a
    layer moves."""

    every: Whole = Field(default=100, ge=1)
    share: Real = Field(default=0.3, gt=0, le=1)
    end: Real = Field(default=0.75, ge=0, le=1)
    example: ClassVar[dict[str, Any]] = {"stored_weights": 100, "every": 7}

    def check(self, shapes: Sequence[Shape], epochs: int) -> None:
        super().check(shapes, epochs)
        if 0 in self.counts(shapes):
            raise RecipeError.of(
                "pruning.stored_weights", self.stored_weights, "as many as leave some in every layer"
            )

    def counts(self, shapes: Sequence[Shape]) -> tuple[int, ...]:
        """The weights of every layer."""
        if self.layer_weights is not None:
            return self.layer_weights
        assert self.stored_weights is not None, "a recipe gives one of the two budgets"
        return erdos_renyi(shapes, self.stored_weights)

    def start(self, topology: Topology, random: np.random.Generator) -> Topology:
        counts = self.counts([(stage.n_in, stage.n_out) for stage in topology.stages])
        layers = []
        for stage, count in zip(topology.stages, counts, strict=True):
            places = np.sort(random.choice(stage.n_in * stage.n_out, count, replace=False))
            layers.append((stage_at(stage.n_in, stage.n_out, places),))
        return dataclasses.replace(topology, layers=tuple(layers))

    def schedule(self, epochs: int, batches: int) -> Schedule:
        return RiglSchedule(self, epochs, batches)


class RiglSchedule(Schedule):
    """When connections move, and how many."""

    def __init__(self, recipe: RiglPruning, epochs: int, batches: int) -> None:
        super().__init__(epochs, batches)
        self.recipe, self.last = recipe, recipe.end * self.steps

    def change(
        self, step: int, model: Model, optimiser: Optimiser, x: Array, labels: NDArray[np.int64]
    ) -> None:
        if step % self.recipe.every or not 0 < step < self.last:
            return
        share = self.recipe.share / 2 * (1 + math.cos(math.pi * step / self.last))
        stages, weights = [], []
        for number, gradient in enumerate(dense_gradients(model, x, labels)):
            stage, array = model.topology.stages[number], model.weights[number]
            sources = _moved(places_of(stage), np.abs(array), np.abs(gradient).ravel(), share)
            places = np.flatnonzero(sources != ABSENT)
            stages.append(stage_at(stage.n_in, stage.n_out, places))
            weights.append(np.where(sources[places] < 0, 0, array[sources[places]]).astype(array.dtype))
            optimiser.reconnect(number, sources[places])
        rewire(model, stages, weights)


NEW, ABSENT = -1, -2


def _moved(
    places: NDArray[np.int64], magnitudes: NDArray[np.floating], slopes: NDArray[np.floating], share: float
) -> NDArray[np.int64]:
    """For every place of the matrix the position in the old weights, which were at `places`, of what is there
    now, NEW for a connection that grew there and ABSENT for none."""
    moving = min(int(share * places.size), slopes.size - places.size)
    stay = largest(magnitudes, places.size - moving)
    sources = np.full(slopes.size, ABSENT)
    sources[places[stay]] = stay
    free = np.flatnonzero(sources == ABSENT)
    sources[free[largest(slopes[free], moving)]] = NEW
    return sources


def dense_gradients(model: Model, x: Array, labels: NDArray[np.int64]) -> list[Array]:
    """The gradient of the loss for every weight (n_out, n_in) of each layer, of those too that are not
    there."""
    stages = model.topology.stages
    whole = copy.copy(model)
    full = [stage.csr(weights).toarray() for stage, weights in zip(stages, model.of_stages, strict=True)]
    rewire(whole, [DenseStage(stage.n_in, stage.n_out) for stage in stages], full)
    return whole.loss_and_gradients(x, labels)[1][: len(stages)]


def erdos_renyi(shapes: Sequence[Shape], count: int) -> tuple[int, ...]:
    """The weights of layers of these shapes in proportion to n_in + n_out, `count` in all; none has more than
    when it is dense, and what that leaves goes to the others."""
    dense = np.array([n_in * n_out for n_in, n_out in shapes])
    sums = np.array([n_in + n_out for n_in, n_out in shapes])
    full = np.zeros(len(shapes), dtype=bool)
    while True:
        rest = count - int(dense[full].sum())
        exact = np.where(full, dense, sums * (rest / max(1, int(sums[~full].sum()))))
        if not (over := ~full & (exact >= dense)).any():
            break
        full |= over
    counts = exact.astype(np.int64)
    ahead = np.argsort(counts - exact, kind="stable")[: count - int(counts.sum())]
    counts[ahead] += 1
    return tuple(counts.tolist())
