"""Bottom-up training of CSC networks: begin with a small fan-in and raise it step by step.

After Hosseini et al. (DAC 2019), who begin with low connectivity and raise it until the accuracy is reached
for the compression asked. The strides are those of the final size throughout, so that the taps of a smaller
support layer are the first taps of a larger one: a network that grows keeps its weights, and its new taps
start at zero. A fold, which reads every input once, has its full fan-in from the start. Until the last size
is reached, a layer may not be fully connected.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from workloads.stages import CscStage, Stage
from workloads.topology.topology import Topology
from workloads.training.model import Model
from workloads.training.optimisers import Optimiser, widened
from workloads.training.recipe import Recipe


def at_fan_in(recipe: Recipe, fan_in: Sequence[int]) -> Topology:
    """The topology of the recipe with this fan-in at most in the support layers, one a csc layer."""
    final = recipe.topology()
    wanted = iter(fan_in)
    layers = []
    for layer, stages in zip(recipe.layers, final.layers, strict=True):
        if layer.family == "csc":
            most = next(wanted)
            stages = tuple(_narrowed(stage, most) for stage in stages)
        layers.append(stages)
    return dataclasses.replace(final, layers=tuple(layers))


def _narrowed(stage: Stage, fan_in: int) -> Stage:
    is_fold = stage.n_in > stage.n_out and isinstance(stage, CscStage) and stage.stride == stage.n_out
    if is_fold or not isinstance(stage, CscStage):
        return stage
    return dataclasses.replace(stage, fan_in=min(fan_in, stage.taps))


class GrowthSchedule:
    """When a network grows and to what; `batches` is the number of steps of an epoch."""

    def __init__(self, recipe: Recipe, batches: int) -> None:
        assert recipe.growth is not None, "a schedule is made for a recipe that grows"
        steps = recipe.growth.steps
        self.until = recipe.growth.until
        self.sizes = [*(at_fan_in(recipe, step.fan_in) for step in steps), recipe.topology()]
        self.events = {int(end) * batches for end in np.cumsum([step.epochs for step in steps])}

    def grow(
        self, step: int, model: Model, optimiser: Optimiser, accuracy: Callable[[Model], float] | None
    ) -> None:
        """Bring `model` and the state of `optimiser` to the next size if there is an event at this step.

        Where the recipe says until when to grow, `accuracy` tells how far the network has come.
        """
        if step not in self.events:
            return
        if self.until is not None and accuracy is not None and accuracy(model) >= self.until:
            return
        stored = model.topology.stored_weights
        larger = next((size for size in self.sizes if size.stored_weights > stored), model.topology)
        weights = list(model.weights)
        for number, stage in enumerate(larger.stages):
            if weights[number].shape != stage.weight_shape:
                width = stage.weight_shape[-1]
                weights[number] = widened(weights[number], width)
                optimiser.widen(number, width)
        model.replace(larger, weights)
