"""Bottom-up training: begin with a small network and raise its fan-in and connectivity step by step.

After Hosseini et al. (DAC 2019), who begin with low connectivity and raise it until the accuracy is reached
for the compression asked, and after Isakov and Kinsy ("NeuroFabric", arXiv 2002.08339), whose future work is
to densify networks while they train and to freeze older connections ("calcification").

A network that grows computes what it did and keeps its weights. New taps of a support layer start at zero; a
new support layer starts as the identity; of a new middle block of a Clos network, the weights of the egress
start at zero and those before it at random, since a path of zeros alone would never learn. Until the last
size is reached, a layer may not be fully connected.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from workloads.kernels.arrays import Array
from workloads.stages import BlockStage
from workloads.topology.topology import Topology
from workloads.training.models.model import Model, initial_weights
from workloads.training.optimisers import Optimiser, filled
from workloads.training.recipe import Recipe
from workloads.training.sizes import full_size, origins, size_of, topology_of

STREAM = 3
"""The stream of a recipe's seed that new middle blocks are drawn from; those before it are of the run."""
Box = tuple[slice, ...]


def sizes_of(recipe: Recipe) -> list[Topology]:
    """The topology at every step of the recipe's growth, and the final one; neighbours may be equal."""
    final = recipe.topology()
    steps = recipe.growth.steps if recipe.growth else ()
    full = full_size(recipe.layers, final) if steps else {}
    return [*(topology_of(recipe.layers, final, size_of(step, full)) for step in steps), final]


class GrowthSchedule:
    """When a network grows and to what; `batches` is the number of steps of an epoch."""

    def __init__(self, recipe: Recipe, batches: int) -> None:
        assert recipe.growth is not None, "a schedule is made for a recipe that grows"
        self.recipe, self.growth = recipe, recipe.growth
        ends = np.cumsum([step.epochs for step in self.growth.steps]) * batches
        self.ends: list[int] = [*ends.tolist(), recipe.epochs * batches]
        at_steps = sizes_of(recipe)
        self.sizes = list({size.stored_weights: size for size in at_steps}.values())
        self.number = {size.stored_weights: number for number, size in enumerate(self.sizes)}
        self.events = dict(
            zip(self.ends, (self.number[size.stored_weights] for size in at_steps[1:]), strict=False)
        )
        self.frozen = [self._frozen(number) for number in range(len(self.sizes))]

    def progress(self, step: int) -> float:
        """How far the course of the rate is after so many steps, in [0, 1): of all, or in a search of those
        of the size that trains."""
        if not self.growth.search:
            return step / self.ends[-1]
        number = int(np.searchsorted(self.ends, step, side="right"))
        begin = self.ends[number - 1] if number else 0
        return (step - begin) / (self.ends[number] - begin)

    def is_found(self, step: int, model: Model, accuracy: Callable[[Model], float] | None) -> bool:
        """Whether a search is over after so many steps: a size has trained and is accurate enough."""
        return self.growth.search and step in self.events and self._is_enough(model, accuracy)

    def _is_enough(self, model: Model, accuracy: Callable[[Model], float] | None) -> bool:
        until = self.growth.until
        return until is not None and accuracy is not None and accuracy(model) >= until

    def grow(
        self, step: int, model: Model, optimiser: Optimiser, accuracy: Callable[[Model], float] | None
    ) -> None:
        """Bring `model` and the state of `optimiser` to the next size if there is an event at this step.

        Where the recipe says until when to grow, `accuracy` tells how far the network has come; a search that
        goes on is not accurate enough.
        """
        now = self.number[model.topology.stored_weights]
        number = min(now + 1, self.events.get(step, 0))
        if number <= now:
            return
        if not self.growth.search and self._is_enough(model, accuracy):
            return
        grown_from, larger = origins(model.topology, self.sizes[number]), self.sizes[number]
        stages, biases = len(model.of_stages), model.biases
        arrays = self._grown(larger, grown_from, model.of_stages)
        optimiser.grow(
            [*grown_from, *range(stages, stages + len(biases))], [each.shape for each in (*arrays, *biases)]
        )
        model.replace(larger, [*arrays, *biases])

    def _grown(
        self, larger: Topology, grown_from: Sequence[int | None], weights: Sequence[Array]
    ) -> list[Array]:
        """The weights of the larger size: those that there are, and new ones that change no output."""
        random = np.random.default_rng(
            np.random.SeedSequence(self.recipe.seed, spawn_key=(STREAM, larger.stored_weights))
        )
        arrays: list[Array] = []
        for number, (stage, origin) in enumerate(zip(larger.stages, grown_from, strict=True)):
            if origin is None:
                new = np.zeros(stage.weight_shape, dtype=weights[0].dtype)
                new[..., 0] = 0 if larger.skipped[number] else 1
            elif weights[origin].shape == stage.weight_shape:
                new = weights[origin]
            elif isinstance(stage, BlockStage) and not larger.ends_layer[number]:
                new = initial_weights(stage, random, weights[origin].dtype.type, init=self.recipe.init)
                new[_box(weights[origin])] = weights[origin]
            else:
                new = filled(weights[origin], stage.weight_shape)
            arrays.append(new)
        return arrays

    def _frozen(self, number: int) -> list[tuple[int, Box]]:
        """Which weights of which stages are frozen at this size: those of the size that is so much older."""
        older = number - (self.growth.calcify or len(self.sizes))
        if older < 0:
            return []
        grown_from: list[int | None] = list(range(len(self.sizes[older].stages)))
        for size in range(older, number):
            step = origins(self.sizes[size], self.sizes[size + 1])
            grown_from = [None if place is None else grown_from[place] for place in step]
        return [
            (place, tuple(slice(length) for length in self.sizes[older].stages[origin].weight_shape))
            for place, origin in enumerate(grown_from)
            if origin is not None
        ]

    def frozen_weights(self, topology: Topology) -> int:
        """How many weights get no update at this size."""
        older = self.number[topology.stored_weights] - (self.growth.calcify or len(self.sizes))
        return self.sizes[older].stored_weights if older >= 0 else 0

    @contextlib.contextmanager
    def calcified(self, model: Model) -> Iterator[None]:
        """What is frozen is afterwards what it was, whatever an update did."""
        frozen = self.frozen[self.number[model.topology.stored_weights]]
        kept: list[NDArray[np.floating]] = [model.weights[place][box].copy() for place, box in frozen]
        yield
        for (place, box), values in zip(frozen, kept, strict=True):
            model.weights[place][box] = values


def _box(array: Array) -> Box:
    return tuple(slice(length) for length in array.shape)
