"""Experiments: many short trainings, each a cell that is kept once it is trained.

A cell is a recipe and the images it sees; its key is a hash of what decides its outcome. Outcomes are
remembered one by one, so that an interrupted experiment goes on where it stopped and a repeated one trains
nothing.
"""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from archsim.store import remembered
from reports.parallel import worked
from workloads import LabelledData, load_mnist
from workloads.data.fashion import load_fashion_mnist
from workloads.refusal import Refusal
from workloads.training.recipe import Recipe
from workloads.training.training import Examples, TrainingError, fit, train_model

KIND = "experiments"
CODE_VERSION = 3
"""Raised whenever the training core gives other weights for the same recipe: old outcomes are then stale."""

Images = Literal["mnist", "mnist-32", "mnist-16", "mnist-8", "fashion", "fashion-16", "fashion-8"]


@dataclass(frozen=True)
class Cell:
    """A training of `recipe` on MNIST or Fashion-MNIST as it is (784 inputs), or shrunk to 16 x 16 or 8 x 8
    pixels."""

    recipe: Recipe
    images: Images = "mnist"

    @property
    def content(self) -> dict[str, Any]:
        """Everything that decides the outcome, as plain values; the name of the recipe does not."""
        return {"version": CODE_VERSION, "images": self.images, "recipe": recipe_values(self.recipe)}

    @property
    def key(self) -> str:
        """The sha256 of the content."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Outcome:
    """What came out of a cell: accuracies in [0, 1] of the float network, on the images that were held out of
    training and on all test images. A training that left the finite numbers has none.
    """

    stored_weights: int
    dense_weights: int
    validation_accuracy: float | None
    test_accuracy: float | None
    cpu_s: float

    def __post_init__(self) -> None:
        for name in ("validation_accuracy", "test_accuracy"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise Refusal(f"{name} of an outcome is {value}, allowed are 0 to 1")


def recipe_values(recipe: Recipe) -> dict[str, Any]:
    """A recipe as plain values, without its name and without what is at its default.

    Options that a later version adds to recipes thus leave the keys of old cells as they are.
    """
    return recipe.model_dump(mode="json", exclude={"name"}, exclude_defaults=True)


def run(cells: Sequence[Cell], *, processes: int = 1, progress: bool = True) -> dict[str, Outcome]:
    """The outcomes of all cells by their keys, trained where they are not kept already.

    Every process trains a cell at a time. After an interrupt all cells that were done are kept.
    """
    wanted = {cell.key: cell for cell in cells}
    outcomes: dict[str, Outcome] = {}
    with tqdm(total=len(wanted), desc="networks", unit="network", disable=not progress) as bar:
        for cell, outcome in worked(train_cell, list(wanted.values()), processes):
            outcomes[cell.key] = outcome
            bar.update()
    return {key: outcomes[key] for key in wanted}


def train_cell(cell: Cell) -> Outcome:
    """Trains one cell, or recalls what came out before."""
    return Outcome(
        **remembered(KIND, cell.content, lambda: asdict(train_on(cell.recipe, images_of(cell.images))))
    )


def train_on(recipe: Recipe, data: LabelledData) -> Outcome:
    """Trains a recipe, holding out the images it says, on data of the form of MNIST.

    A multi-layer perceptron that left the finite numbers has no accuracies; another network has no outcome.
    """
    start = time.process_time()
    if recipe.model != "mlp":
        trained = train_model(recipe, progress=False, data=data)
        shares = trained.accuracy.get("validation_float"), trained.accuracy["float"]
        stored, dense = trained.stored_weights, trained.dense_weights
        return Outcome(stored, dense, *shares, time.process_time() - start)
    topology, seen = recipe.topology(), len(data.train_labels) - recipe.hold_out
    dense = topology.dense_weights
    held_out = Examples(data.train_inputs[seen:], data.train_labels[seen:])
    try:
        learnt = data.train_inputs[:seen], data.train_labels[:seen]
        model = fit(recipe, *learnt, progress=False, held_out=held_out if recipe.hold_out else None)
    except TrainingError:
        return Outcome(topology.stored_weights, dense, None, None, time.process_time() - start)
    validation = held_out.accuracy(model) if recipe.hold_out else None
    test = Examples(data.test_inputs, data.test_labels).accuracy(model)
    stored = model.topology.stored_weights
    return Outcome(stored, dense, validation, test, time.process_time() - start)


def shrink(images: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Images (n, 784) of 28 x 28 as (n, side * side): framed with two zeros to 32 x 32, then means of squares
    of pixels. `side` divides 32.
    """
    framed = np.pad(images.reshape(-1, 28, 28), ((0, 0), (2, 2), (2, 2)))
    squares = framed.reshape(-1, side, 32 // side, side, 32 // side)
    return np.ascontiguousarray(squares.mean(axis=(2, 4), dtype=np.float32).reshape(-1, side * side))


SETS: Mapping[str, Callable[[], LabelledData]] = {"mnist": load_mnist, "fashion": load_fashion_mnist}


@functools.cache
def images_of(images: Images) -> LabelledData:
    """MNIST or Fashion-MNIST in this form."""
    name, _, side = images.partition("-")
    full = SETS[name]()
    if not side:
        return full
    learnt, tested = (shrink(part, int(side)) for part in (full.train_inputs, full.test_inputs))
    return replace(full, train_inputs=learnt, test_inputs=tested)
