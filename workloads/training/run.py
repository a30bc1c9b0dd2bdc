"""A run of training: the model, its optimiser and its random numbers, one step after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from workloads.kernels.arrays import Array
from workloads.refusal import Refusal
from workloads.topology.ranges import range_of
from workloads.training.augmentation import Shifts
from workloads.training.checkpoint import State
from workloads.training.growth import GrowthSchedule, sizes_of
from workloads.training.models.convolution import ConvolutionalModel
from workloads.training.models.model import Classifier, Model, initial_arrays
from workloads.training.models.recurrent import RecurrentModel
from workloads.training.optimisers import Adam, Optimiser, Sgd, share_of_peak
from workloads.training.pruning.schedule import Schedule
from workloads.training.recipe import Recipe
from workloads.training.rounding import RoundingModel

Judge = Callable[[Classifier], float]


class TrainingError(Refusal, ArithmeticError):
    """Training left the finite numbers."""


class Run:
    """A recipe on images (n, n_in) and labels (n,), before its first step or after some.

    `judge` gives the accuracy of a model on images held out, for a recipe that grows until one is reached.
    `input_range` is that of the inputs, which rounding goes by; without it that of the images.
    """

    def __init__(
        self,
        recipe: Recipe,
        images: NDArray[np.float32],
        labels: NDArray[np.int64],
        judge: Judge | None = None,
        input_range: tuple[float, float] | None = None,
    ) -> None:
        if recipe.growth and recipe.growth.until is not None and judge is None:
            raise Refusal(
                f"held_out of {recipe.name} is missing, allowed is a value for a recipe that grows until an "
                "accuracy is reached"
            )
        self.recipe, self.images, self.labels, self.judge = recipe, images, labels, judge
        seeds = np.random.SeedSequence(recipe.seed).spawn(3)
        initial, self.order, self.offsets = (np.random.default_rng(seed) for seed in seeds)
        self.batches = len(labels) // recipe.batch
        self.schedule = (recipe.pruning.schedule if recipe.pruning else Schedule)(recipe.epochs, self.batches)
        self.steps = self.schedule.steps
        self.growth = GrowthSchedule(recipe, self.batches) if recipe.growth else None
        self.shifts = Shifts(recipe.inputs, recipe.shift_pixels) if recipe.shift_pixels else None
        self.model = initial_model(recipe, initial)
        if recipe.rounding and isinstance(self.model, Model):
            span = input_range or range_of(images)
            self.model = RoundingModel(self.model.topology, self.model.weights, recipe.rounding, span)
        self.optimiser = _optimiser(recipe, self.model)
        self.shuffled: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.step = 0

    def advance(self) -> float:
        """Take one step and return the loss before it; `TrainingError` if that is not finite."""
        recipe, place = self.recipe, self.step % self.batches
        if place == 0:
            self.shuffled = self.order.permutation(len(self.labels))
        chosen = self.shuffled[place * recipe.batch :][: recipe.batch]
        seen = self.images[chosen] if self.shifts is None else self.shifts(self.images[chosen], self.offsets)
        x, labels = np.ascontiguousarray(seen.T), self.labels[chosen]
        with np.errstate(over="ignore", invalid="ignore"):
            self._change(x, labels)
            loss, gradients = self.model.loss_and_gradients(x, labels)
            if not np.isfinite(loss):
                raise self._out_of_range(f"the loss of {recipe.name} is {loss}", x)
            self._update(gradients)
            self.step += 1
            if self.step == self.steps and not all(np.isfinite(each).all() for each in self.model.weights):
                raise self._out_of_range(f"a weight of {recipe.name} is not finite", x)
        return loss

    @property
    def is_over(self) -> bool:
        """Whether all steps are taken, or a search has found its size."""
        return self.step == self.steps or (
            self.growth is not None
            and isinstance(self.model, Model)
            and self.growth.is_found(self.step, self.model, self.judge)
        )

    def _update(self, gradients: Sequence[Array]) -> None:
        rate, growth = self.recipe.rate, self.growth
        whole = self.schedule.place(self.step) / self.schedule.training
        progress = growth.progress(self.step) if growth else whole
        now = rate.peak * share_of_peak(rate.course, progress)
        if growth and isinstance(self.model, Model):
            with growth.calcified(self.model):
                self.optimiser.step(self.model.weights, gradients, now)
        else:
            self.optimiser.step(self.model.weights, gradients, now)

    def _change(self, x: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
        if isinstance(self.model, Model):
            self.schedule.change(self.step, self.model, self.optimiser, x, labels)
            if self.growth:
                self.growth.grow(self.step, self.model, self.optimiser, self.judge)
            if isinstance(self.model, RoundingModel):
                begin = self.model.rounding.begin * self.schedule.training
                self.model.is_rounding = self.schedule.place(self.step) >= begin

    def _out_of_range(self, what: str, x: NDArray[np.float32]) -> TrainingError:
        return TrainingError(
            f"{what} at step {self.step} of {self.steps}; "
            f"the first that is not finite is {self.model.first_out_of_range(x)}."
        )

    def state(self) -> State:
        """All that further steps depend on; the arrays are those of the run, not copies."""
        return State(
            step=self.step,
            topology=self.model.topology,
            weights=self.model.weights,
            moments=self.optimiser.moments,
            kept=self.schedule.kept,
            shuffled=self.shuffled,
            random={"order": self.order.bit_generator.state, "offsets": self.offsets.bit_generator.state},
        )

    def resume(self, state: State) -> None:
        """Go on from this state of a run of the same recipe on the same data."""
        self.step, self.shuffled = state.step, state.shuffled
        self.model.replace(state.topology, state.weights)
        self.optimiser.resume(self.schedule.place(state.step), state.moments)
        self.schedule.kept = [list(arrays) for arrays in state.kept]
        self.order.bit_generator.state = state.random["order"]
        self.offsets.bit_generator.state = state.random["offsets"]


def initial_model(recipe: Recipe, random: np.random.Generator) -> Classifier:
    """The model of the recipe with random weights, at the size that training starts from."""
    topology = sizes_of(recipe)[0]
    if recipe.pruning:
        topology = recipe.pruning.start(topology, random)
    convolutions, recurrence = recipe.geometry(), recipe.recurrent_cascades()
    cascades = [*(each.mixing for each in convolutions), *(recurrence or ()), topology]
    weights = [array for each in cascades for array in initial_arrays(each, random, init=recipe.init)]
    if recipe.bias:
        weights += [np.zeros(layer[-1].n_out, dtype=np.float32) for layer in topology.layers]
    if recipe.recurrence and recurrence:
        hard = recipe.recurrence.activation == "hardtanh"
        return RecurrentModel(recipe.recurrence.steps, *recurrence, topology, weights, hard=hard)
    return ConvolutionalModel(convolutions, topology, weights) if convolutions else Model(topology, weights)


def _optimiser(recipe: Recipe, model: Classifier) -> Optimiser:
    kind, biases = recipe.optimiser, len(model.topology.layers) if recipe.bias else 0
    if kind.momentum is not None:
        return Sgd(model.weights, momentum=kind.momentum, weight_decay=kind.weight_decay, biases=biases)
    return Adam(model.weights, weight_decay=kind.weight_decay, biases=biases)
