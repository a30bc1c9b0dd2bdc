"""Training: from a recipe to a trained network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from workloads.augmentation import Shifts
from workloads.evaluate import evaluate
from workloads.mnist import MnistData, load_mnist
from workloads.model import Model, initial_weights
from workloads.network import TrainedNetwork
from workloads.optimisers import RATES, Adam, Optimiser, Sgd
from workloads.pruning import PruningSchedule
from workloads.quantise import calibrate, quantise
from workloads.recipe import OptimiserRecipe, Recipe

# Training images whose activations set the integer formats.
CALIBRATION_IMAGES = 10_000


class TrainingError(ArithmeticError):
    """Training left the finite numbers."""


@dataclass(frozen=True, eq=False)
class _Examples:
    images: NDArray[np.float32]
    labels: NDArray[np.int64]


def train(recipe: Recipe, *, progress: bool = True, data: MnistData | None = None) -> TrainedNetwork:
    """Train as the recipe says, on MNIST or on other `data` of the same form, and measure the accuracy.

    Raises `TrainingError`, with the step and the stage, if the loss is no longer finite.  Nothing is written.
    """
    data = load_mnist() if data is None else data
    kept = len(data.train_images) - recipe.hold_out
    if kept < recipe.batch or data.train_images.shape[1] != recipe.inputs:
        raise ValueError(
            f"training images of {recipe.name} have shape {(kept, data.train_images.shape[1])}; "
            f"there must be at least {recipe.batch} of {recipe.inputs} values each."
        )
    examples = _Examples(data.train_images[:kept], data.train_labels[:kept])
    model = fit(recipe, examples.images, examples.labels, progress=progress)
    network = TrainedNetwork(
        name=recipe.name,
        topology=model.topology,
        weights=tuple(model.weights),
        calibration=calibrate(model, examples.images[:CALIBRATION_IMAGES]),
        recipe=recipe.model_dump(mode="json"),
    )
    judged = {"": _Examples(data.test_images, data.test_labels)}
    if recipe.hold_out:
        judged["validation_"] = _Examples(data.train_images[kept:], data.train_labels[kept:])
    integer = quantise(network, 8, 8)
    accuracy = {}
    for prefix, seen in judged.items():
        accuracy[f"{prefix}float"] = float(np.mean(model.classify(seen.images) == seen.labels))
        accuracy[f"{prefix}int8"] = evaluate(integer, seen.images, seen.labels)
    return TrainedNetwork(
        name=network.name,
        topology=network.topology,
        weights=network.weights,
        calibration=network.calibration,
        recipe=network.recipe,
        accuracy=accuracy,
    )


def fit(
    recipe: Recipe, images: NDArray[np.float32], labels: NDArray[np.int64], *, progress: bool = True
) -> Model:
    """The model after all epochs of the recipe over images (n, n_in) and labels (n,)."""
    seeds = np.random.SeedSequence(recipe.seed).spawn(3)
    initial, order, offsets = (np.random.default_rng(seed) for seed in seeds)
    topology = recipe.topology()
    model = Model(topology, [initial_weights(stage, initial) for stage in topology.stages])
    optimiser = _optimiser(recipe.optimiser, model)
    shifts = Shifts(recipe.inputs, recipe.shift_pixels) if recipe.shift_pixels else None
    batches = len(labels) // recipe.batch
    steps = batches * recipe.epochs
    pruning = PruningSchedule(recipe.pruning, steps) if recipe.pruning else None
    course = RATES[recipe.rate.course]
    bar = tqdm(total=steps, desc=recipe.name, unit="step", disable=not progress)
    with bar, np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps):
            if step % batches == 0:
                shuffled = order.permutation(len(labels))
            if pruning:
                pruning.prune(step, model, optimiser)
            chosen = shuffled[step % batches * recipe.batch :][: recipe.batch]
            seen = images[chosen] if shifts is None else shifts(images[chosen], offsets)
            x = np.ascontiguousarray(seen.T)
            loss, gradients = model.loss_and_gradients(x, labels[chosen])
            if not np.isfinite(loss):
                raise TrainingError(
                    f"the loss of {recipe.name} is {loss} at step {step} of {steps}; "
                    f"the first stage that is not finite is {model.first_stage_out_of_range(x)}."
                )
            optimiser.step(model.weights, gradients, recipe.rate.peak * course(step / steps))
            bar.update()
            if step % batches == batches - 1:
                bar.set_postfix(loss=f"{loss:.3f}")
    return model


def _optimiser(recipe: OptimiserRecipe, model: Model) -> Optimiser:
    if recipe.momentum is not None:
        return Sgd(model.weights, momentum=recipe.momentum, weight_decay=recipe.weight_decay)
    return Adam(model.weights, weight_decay=recipe.weight_decay)
