"""Training: from a recipe to a trained network."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from workloads.data.images import ImageData
from workloads.data.registry import load_data
from workloads.topology.network import TrainedNetwork
from workloads.training.checkpoint import EVERY_S, Checkpoints, checkpoint_beside, interrupts_held
from workloads.training.evaluate import evaluate
from workloads.training.model import Classifier, Model, classify
from workloads.training.placed import placed_network
from workloads.training.quantise import calibrate, quantise
from workloads.training.quantise_places import quantise_places
from workloads.training.recipe import Recipe
from workloads.training.run import Run, TrainingError
from workloads.training.schema import RecipeError
from workloads.training.trained_model import TrainedModel
from workloads.training.typical import typical_samples

__all__ = ["Examples", "TrainingError", "fit", "train", "train_model", "train_to_file"]

CALIBRATION_IMAGES = 10_000
"""Training images whose activations set the integer formats."""

PLACED_CALIBRATION_IMAGES = 1_000
"""The same for a network with places, where each image has many activations of a stage."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Images (n, n_in) with their labels (n,)."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]

    def accuracy(self, model: Classifier) -> float:
        """The share, in [0, 1], of images that the model classifies right."""
        return float(np.mean(classify(model, self.images) == self.labels))


def train_to_file(
    recipe: Recipe,
    out: Path,
    *,
    progress: bool = True,
    data: ImageData | None = None,
    every_s: float = EVERY_S,
    every_steps: int = 1,
) -> TrainedNetwork | TrainedModel:
    """Train as the recipe says and write the file `out`; what is trained is returned too.

    A checkpoint lies beside the file while the run lasts. A run that was killed or interrupted goes on from
    it to the same file, bit for bit; `CheckpointError` refuses one of another recipe or of other data. A run
    that leaves the finite numbers would do so again, so its checkpoint goes.
    """
    checkpoints = Checkpoints(checkpoint_beside(out), every_s=every_s, every_steps=every_steps)
    way = train if recipe.model == "mlp" else train_model
    try:
        trained = way(recipe, progress=progress, data=data, checkpoints=checkpoints)
    except TrainingError:
        checkpoints.remove()
        raise
    trained.save(out)
    checkpoints.remove()
    return trained


def train(
    recipe: Recipe,
    *,
    progress: bool = True,
    data: ImageData | None = None,
    checkpoints: Checkpoints | None = None,
) -> TrainedNetwork:
    """Train an MLP as the recipe says, on its data or on other `data` of that form, and measure the accuracy.

    The network carries samples of the test part. Raises `TrainingError`, with the step and the stage, if the
    loss is no longer finite. Nothing is written but the checkpoint, if there is to be one.
    """
    _check_model(recipe, is_mlp=True)
    learnt, judged = _examples(recipe, data)
    tested, origin = judged[""], recipe.data if data is None else "the data given"
    held_out = judged.get("validation_")
    model = _fit(recipe, learnt, progress=progress, held_out=held_out, checkpoints=checkpoints)
    assert isinstance(model, Model), "the model of an mlp"
    network = TrainedNetwork(
        name=recipe.name,
        topology=model.topology,
        weights=tuple(model.of_stages),
        biases=_biases_of_stages(model),
        calibration=calibrate(model, learnt.images[:CALIBRATION_IMAGES]),
        recipe=recipe.model_dump(mode="json"),
        samples=typical_samples(tested.images, tested.labels, f"test part of {origin}"),
    )
    integer = None if model.topology.skips else quantise(network, 8, 8)
    accuracy = {}
    for prefix, seen in judged.items():
        accuracy[f"{prefix}float"] = seen.accuracy(model)
        if integer:
            accuracy[f"{prefix}int8"] = evaluate(integer, seen.images, seen.labels)
    return replace(network, accuracy=accuracy)


def _biases_of_stages(model: Model) -> tuple[NDArray[np.float32] | None, ...]:
    """The biases with an entry a stage: the last of every layer has those of the layer."""
    biases = iter(model.biases)
    return tuple(next(biases) if ends else None for ends in model.topology.ends_layer) if model.biases else ()


def train_model(
    recipe: Recipe,
    *,
    progress: bool = True,
    data: ImageData | None = None,
    checkpoints: Checkpoints | None = None,
) -> TrainedModel:
    """Train a CNN or an RNN as `train` does an MLP; one with a tanh has no integer form."""
    _check_model(recipe, is_mlp=False)
    learnt, judged = _examples(recipe, data)
    model = _fit(recipe, learnt, progress=progress, checkpoints=checkpoints)
    tested, origin = judged[""], recipe.data if data is None else "the data given"
    trained = TrainedModel(
        recipe=recipe.model_dump(mode="json"),
        weights=tuple(model.weights),
        dense_weights=recipe.dense_weights,
        accuracy={f"{prefix}float": seen.accuracy(model) for prefix, seen in judged.items()},
        samples=typical_samples(tested.images, tested.labels, f"test part of {origin}"),
    )
    if not _has_integer_form(recipe):
        return trained
    seen_at_places = placed_network(trained).calibrated(learnt.images[:PLACED_CALIBRATION_IMAGES])
    integer = quantise_places(seen_at_places, 8, 8)
    measured = {
        f"{prefix}int8": evaluate(integer, seen.images, seen.labels) for prefix, seen in judged.items()
    }
    return replace(trained, calibration=seen_at_places.calibration, accuracy={**trained.accuracy, **measured})


def _has_integer_form(recipe: Recipe) -> bool:
    """Whether hardware computes what the model does: it has neither skip connections nor a tanh."""
    skips = any(
        each.skips
        for each in (
            *(c.mixing for c in recipe.geometry()),
            *(recipe.recurrent_cascades() or ()),
            recipe.topology(),
        )
    )
    return not skips and not (recipe.recurrence and recipe.recurrence.activation == "tanh")


def fit(
    recipe: Recipe,
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    progress: bool = True,
    held_out: Examples | None = None,
    checkpoints: Checkpoints | None = None,
) -> Model:
    """The MLP after all epochs of the recipe over images (n, n_in) and labels (n,).

    A recipe that grows until an accuracy is reached needs images `held_out` to judge by.
    """
    _check_model(recipe, is_mlp=True)
    learnt = Examples(images, labels)
    model = _fit(recipe, learnt, progress=progress, held_out=held_out, checkpoints=checkpoints)
    assert isinstance(model, Model), "the model of an mlp"
    return model


def _check_model(recipe: Recipe, *, is_mlp: bool) -> None:
    if (recipe.model == "mlp") != is_mlp:
        allowed = "mlp" if is_mlp else "cnn or rnn"
        raise RecipeError(f"model of {recipe.name} is {recipe.model}, allowed is {allowed} here")


def _examples(recipe: Recipe, data: ImageData | None) -> tuple[Examples, Mapping[str, Examples]]:
    """What is learnt from, and by the prefix of its accuracies what is judged by."""
    if data is None:
        data = load_data(recipe.data, inputs=recipe.inputs, classes=recipe.layers[-1].outputs)
    kept = len(data.train_images) - recipe.hold_out
    if kept < recipe.batch or data.train_images.shape[1] != recipe.inputs:
        raise RecipeError(
            f"training images of {recipe.name} have shape {(kept, data.train_images.shape[1])}, "
            f"allowed are at least {recipe.batch} of {recipe.inputs} values each"
        )
    judged = {"": Examples(data.test_images, data.test_labels)}
    if recipe.hold_out:
        judged["validation_"] = Examples(data.train_images[kept:], data.train_labels[kept:])
    return Examples(data.train_images[:kept], data.train_labels[:kept]), judged


def _fit(
    recipe: Recipe,
    learnt: Examples,
    *,
    progress: bool,
    held_out: Examples | None = None,
    checkpoints: Checkpoints | None = None,
) -> Classifier:
    run = Run(recipe, learnt.images, learnt.labels, held_out.accuracy if held_out else None)
    if checkpoints and (state := checkpoints.open(recipe, (learnt.images, learnt.labels))):
        run.resume(state)
    bar = functools.partial(tqdm, desc=recipe.name, unit="step", disable=not progress)
    with bar(total=run.steps, initial=run.step) as shown:
        if checkpoints is None:
            while run.step < run.steps:
                _advance(run, shown)
            return run.model
        with interrupts_held() as interrupt:
            while run.step < run.steps and not interrupt.is_set():
                _advance(run, shown)
                if checkpoints.is_due(run.step):
                    checkpoints.write(recipe.name, run.state())
            checkpoints.write(recipe.name, run.state())
    if interrupt.is_set():
        raise KeyboardInterrupt
    return run.model


def _advance(run: Run, shown: tqdm[None]) -> None:
    loss = run.advance()
    shown.update()
    if run.step % run.batches == 0:
        shown.set_postfix(loss=f"{loss:.3f}")
