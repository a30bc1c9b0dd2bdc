"""Training: from a recipe to a trained network."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from workloads.data.labelled import LabelledData
from workloads.data.registry import Data, load_data
from workloads.topology.integer import BITS
from workloads.topology.network import TrainedNetwork
from workloads.topology.ranges import range_of
from workloads.training.checkpoint import EVERY_S, Checkpoints, checkpoint_beside, interrupts_held
from workloads.training.evaluate import ON_CHIP, accuracies, evaluate
from workloads.training.models.model import Classifier, Model, classify
from workloads.training.models.trained_model import TrainedModel
from workloads.training.onchip.run import OnChipModel, OnChipRun
from workloads.training.quantisation.placed import placed_network
from workloads.training.quantisation.quantise import calibrate
from workloads.training.quantisation.quantise_places import quantise_places
from workloads.training.recipe import Recipe
from workloads.training.run import Run, TrainingError
from workloads.training.schema import RecipeError
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
    data: Data | None = None,
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
    data: Data | None = None,
    checkpoints: Checkpoints | None = None,
) -> TrainedNetwork:
    """Train an MLP as the recipe says, on its data or on other `data`, and measure its accuracy in floating
    point, with all widths from 2 to 16 bits, and of one trained in rounded arithmetic with weights narrower
    than its activations.

    `data` is anything that `workloads.data.registry.load_data` takes: `LabelledData`, arrays, a path, or a
    function that gives them. It is checked before the first step. The network carries samples of the test
    part, and the range of the training part. Raises `DataError` for data that do not fit the recipe,
    `TrainingError`, with the step and the stage, if the loss is no longer finite. Nothing is written but the
    checkpoint, if there is to be one.
    """
    _check_model(recipe, is_mlp=True)
    seen = _data(recipe, data)
    learnt, judged = _examples(recipe, seen)
    tested, held_out = judged[""], judged.get("validation_")
    origin = _origin(recipe, data, seen)
    ends = recipe.input_range or seen.range
    model = _fit(
        recipe, learnt, progress=progress, held_out=held_out, checkpoints=checkpoints, input_range=ends
    )
    assert isinstance(model, Model), "the model of an mlp"
    calibrated = model.calibration if isinstance(model, OnChipModel) else functools.partial(calibrate, model)
    network = TrainedNetwork(
        name=recipe.name,
        topology=model.topology,
        weights=tuple(model.of_stages),
        biases=_biases_of_stages(model),
        calibration=calibrated(learnt.images[:CALIBRATION_IMAGES]),
        recipe=_kept(recipe, data, seen),
        samples=typical_samples(tested.images, tested.labels, f"test part of {origin}"),
        input_range=ends,
        remarks=(model.cut_off,) if isinstance(model, OnChipModel) else (),
    )
    accuracy: dict[str, float] = {}
    for prefix, part in judged.items():
        widths, apart = ((8,), ()) if prefix else (BITS, _widths_apart(recipe))
        measured = accuracies(network, part.images, part.labels, widths, apart)
        if isinstance(model, OnChipModel):
            measured[ON_CHIP] = evaluate(model.integer(recipe.name, ends), part.images, part.labels)
        accuracy |= {f"{prefix}{name}": share for name, share in measured.items()}
    return replace(network, accuracy=accuracy)


def samples_of(recipe: Recipe) -> int:
    """How many samples a recipe learns from, each once an epoch. Raises DataError where its data are
    missing."""
    return len(_data(recipe, None).train_inputs) - recipe.hold_out


def _widths_apart(recipe: Recipe) -> tuple[tuple[int, int], ...]:
    """What a network that was trained in rounded arithmetic is judged with too: activations as there, and
    weights of fewer bits than those."""
    most = recipe.rounding.activation_bits if recipe.rounding else 0
    return tuple((bits, most) for bits in BITS if bits < most)


def _origin(recipe: Recipe, data: Data | None, seen: LabelledData) -> str | None:
    """What data are called."""
    return recipe.data if data is None and not seen.file else seen.source


def _kept(recipe: Recipe, data: Data | None, seen: LabelledData) -> dict[str, Any]:
    """The recipe as a network keeps it: with the data that it was trained on, none where they had no name."""
    return recipe.model_dump(mode="json") | ({} if data is None else {"data": seen.file or None})


def _biases_of_stages(model: Model) -> tuple[NDArray[np.float32] | None, ...]:
    """The biases with an entry a stage: the last of every layer has those of the layer."""
    biases = iter(model.biases)
    return tuple(next(biases) if ends else None for ends in model.topology.ends_layer) if model.biases else ()


def train_model(
    recipe: Recipe,
    *,
    progress: bool = True,
    data: Data | None = None,
    checkpoints: Checkpoints | None = None,
) -> TrainedModel:
    """Train a CNN or an RNN as `train` does an MLP; one with a tanh has no integer form."""
    _check_model(recipe, is_mlp=False)
    seen = _data(recipe, data)
    learnt, judged = _examples(recipe, seen)
    model = _fit(recipe, learnt, progress=progress, checkpoints=checkpoints)
    tested = judged[""]
    trained = TrainedModel(
        recipe=_kept(recipe, data, seen),
        weights=tuple(model.weights),
        dense_weights=recipe.dense_weights,
        accuracy={f"{prefix}float": part.accuracy(model) for prefix, part in judged.items()},
        samples=typical_samples(tested.images, tested.labels, f"test part of {_origin(recipe, data, seen)}"),
    )
    if not _has_integer_form(recipe):
        return trained
    seen_at_places = placed_network(trained).calibrated(learnt.images[:PLACED_CALIBRATION_IMAGES])
    integer = quantise_places(seen_at_places, 8, 8)
    measured = {
        f"{prefix}int8": evaluate(integer, part.images, part.labels) for prefix, part in judged.items()
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


def _data(recipe: Recipe, data: Data | None) -> LabelledData:
    """The data given, else those of the recipe, which fit it."""
    chosen = recipe.data if data is None else data
    if chosen is None:
        raise RecipeError.of(f"data of {recipe.name}", None, "a data set or a path, or data given in Python")
    classes = recipe.layers[-1].outputs
    seen = load_data(chosen, inputs=recipe.inputs, classes=classes, scale=recipe.input_scale)
    seen.check_fits(recipe.name, recipe.inputs, classes)
    return seen


def _examples(recipe: Recipe, data: LabelledData) -> tuple[Examples, Mapping[str, Examples]]:
    """What is learnt from, and by the prefix of its accuracies what is judged by."""
    kept = len(data.train_inputs) - recipe.hold_out
    if kept < recipe.batch:
        raise RecipeError(
            f"training inputs of {recipe.name} are {max(kept, 0)} without those held out, allowed are at "
            f"least {recipe.batch}, a batch"
        )
    judged = {"": Examples(data.test_inputs, data.test_labels)}
    if recipe.hold_out:
        judged["validation_"] = Examples(data.train_inputs[kept:], data.train_labels[kept:])
    return Examples(data.train_inputs[:kept], data.train_labels[:kept]), judged


def _fit(
    recipe: Recipe,
    learnt: Examples,
    *,
    progress: bool,
    held_out: Examples | None = None,
    checkpoints: Checkpoints | None = None,
    input_range: tuple[float, float] | None = None,
) -> Classifier:
    run: Run | OnChipRun
    span = input_range or recipe.input_range or range_of(learnt.images)
    if recipe.on_chip:
        run = OnChipRun(recipe, learnt.images, learnt.labels, span)
    else:
        run = Run(recipe, learnt.images, learnt.labels, held_out.accuracy if held_out else None, span)
    if checkpoints and (state := checkpoints.open(recipe, (learnt.images, learnt.labels))):
        run.resume(state)
    bar = functools.partial(tqdm, desc=recipe.name, unit="step", disable=not progress)
    with bar(total=run.steps, initial=run.step) as shown:
        if checkpoints is None:
            while not run.is_over:
                _advance(run, shown)
            return run.model
        with interrupts_held() as interrupt:
            while not interrupt.is_set() and not run.is_over:
                _advance(run, shown)
                if checkpoints.is_due(run.step):
                    checkpoints.write(recipe.name, run.state())
            checkpoints.write(recipe.name, run.state())
    if interrupt.is_set():
        raise KeyboardInterrupt
    return run.model


def _advance(run: Run | OnChipRun, shown: tqdm[None]) -> None:
    loss = run.advance()
    shown.update()
    if run.step % run.batches == 0:
        shown.set_postfix(loss=f"{loss:.3f}")
