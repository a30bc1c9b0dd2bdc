"""A recipe: everything that decides how a network comes out of training, as a YAML file or a `Recipe`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from workloads.families import build_layer
from workloads.topology.topology import Stage, Topology, skips_of
from workloads.training.convolution import Convolution
from workloads.training.model import Initialisation

RECIPES = Path(__file__).parents[1] / "recipes"


class RecipeError(ValueError):
    """A recipe is missing, is not YAML, or holds a value that is not allowed."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LayerRecipe(BaseModel):
    """A layer: its family, its outputs, and whatever parameters the family takes.

    With `skips`, every square stage of the layer has an identity skip connection.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    family: str
    outputs: int = Field(ge=1)
    skips: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the family."""
        return dict(self.model_extra or {})


class OptimiserRecipe(_Strict):
    """How weights move: by Adam, or by stochastic gradient descent, which alone takes a `momentum`."""

    kind: Literal["adam", "sgd"] = "adam"
    momentum: float | None = Field(default=None, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _momentum_belongs_to_sgd(self) -> Self:
        if (self.momentum is None) == (self.kind == "sgd"):
            raise ValueError("momentum must be given for sgd, and for sgd only")
        return self


class RateRecipe(_Strict):
    """The learning rate: its peak, and its course over the steps of training."""

    peak: float = Field(gt=0)
    course: Literal["one-cycle", "cosine", "constant"] = "one-cycle"


class PruningRecipe(_Strict):
    """Magnitude pruning of every layer, in `events` steps between the shares `begin` and `end` of training.

    Either `stored_weights`, a budget for the whole network (the smallest magnitudes go, wherever they are),
    or `layer_weights`, a budget a layer.
    """

    stored_weights: int | None = Field(default=None, ge=1)
    layer_weights: tuple[int, ...] | None = None
    begin: float = Field(default=0.2, ge=0, le=1)
    end: float = Field(default=0.6, ge=0, le=1)
    events: int = Field(default=10, ge=1)

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if (self.stored_weights is None) == (self.layer_weights is None):
            raise ValueError("exactly one of stored_weights and layer_weights must be given")
        if self.begin > self.end:
            raise ValueError("begin must not be above end")
        return self


class GrowthStep(_Strict):
    """A size on the way to the final one: the fan-in of every csc layer, and how long it trains."""

    fan_in: tuple[int, ...] = Field(min_length=1)
    epochs: int = Field(ge=1)


class GrowthRecipe(_Strict):
    """Bottom-up training: sizes from the smallest on; what epochs remain train the layers of the recipe.

    With `until`, a network grows only while its accuracy on the images held out is below it.
    """

    steps: tuple[GrowthStep, ...] = Field(min_length=1)
    until: float | None = Field(default=None, gt=0, le=1)


class ConvolutionRecipe(LayerRecipe):
    """A convolution: a cascade from kernel * kernel * channels inputs to `outputs` channels, at every place.

    Images are padded with zeros by (kernel - 1) / 2 on each side, and every `stride`-th place is kept.
    """

    kernel: int = Field(default=1, ge=1)
    stride: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _kernel_has_a_middle(self) -> Self:
        if self.kernel % 2 == 0:
            raise ValueError("kernel must be odd")
        return self


class RecurrenceRecipe(_Strict):
    """A recurrent layer that reads the inputs in `steps` equal parts: h = tanh(input part + hidden h)."""

    steps: int = Field(ge=1)
    input: LayerRecipe
    hidden: LayerRecipe


class Recipe(_Strict):
    """How to train one network. The same recipe on the same machine gives the same network.

    `layers` are fully connected; in a `cnn` they follow the `convolutions`, in an `rnn` the last state of the
    `recurrence`. `input_digits` is the order in which an `mlp` sees its inputs (see `Topology`).
    `shift_pixels` moves every training image by up to so many pixels at random, each time it
    is seen. `hold_out` is the number of training images, the last ones, kept for validation.
    """

    name: str = Field(min_length=1)
    data: Literal["mnist", "fashion-mnist", "synthetic"] = "mnist"
    seed: int = Field(default=0, ge=0)
    model: Literal["mlp", "cnn", "rnn"] = "mlp"
    inputs: int = Field(ge=1)
    input_digits: tuple[int, ...] = ()
    convolutions: tuple[ConvolutionRecipe, ...] = ()
    recurrence: RecurrenceRecipe | None = None
    layers: tuple[LayerRecipe, ...] = Field(min_length=1)
    init: Initialisation = "sparse-glorot"
    epochs: int = Field(ge=1)
    batch: int = Field(default=128, ge=1)
    optimiser: OptimiserRecipe = OptimiserRecipe()
    rate: RateRecipe
    pruning: PruningRecipe | None = None
    growth: GrowthRecipe | None = None
    shift_pixels: int = Field(default=0, ge=0)
    hold_out: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _sections_fit_the_model(self) -> Self:
        if bool(self.convolutions) != (self.model == "cnn"):
            raise ValueError("convolutions must be given for a cnn, and for a cnn only")
        if (self.recurrence is not None) != (self.model == "rnn"):
            raise ValueError("recurrence must be given for an rnn, and for an rnn only")
        if self.model != "mlp" and (self.pruning or self.growth):
            raise ValueError("pruning and growth must be left out of a model that is not an mlp")
        if self.model != "mlp" and self.input_digits:
            raise ValueError("input_digits must be left out of a model that is not an mlp")
        if self.pruning and self.growth:
            raise ValueError("pruning and growth must not both be given")
        return self

    @model_validator(mode="after")
    def _topology_exists(self) -> Self:
        topology = self.topology()
        self.recurrent_cascades()
        if self.pruning:
            self._check_pruning(self.pruning, topology)
        if self.growth:
            self._check_growth(self.growth)
        return self

    def _check_pruning(self, pruning: PruningRecipe, topology: Topology) -> None:
        if any(layer.family != "dense" for layer in self.layers):
            raise ValueError("family must be dense in every layer of a network that is pruned")
        dense = [stage.stored_weights for stage in topology.stages]
        budgets, budget = pruning.layer_weights, pruning.stored_weights
        if budget is not None and budget > sum(dense):
            raise ValueError(
                f"stored_weights of pruning must be at most {sum(dense)}, those of the dense network"
            )
        if budgets is not None and (
            len(budgets) != len(dense)
            or any(not 1 <= kept <= full for kept, full in zip(budgets, dense, strict=True))
        ):
            raise ValueError(f"layer_weights of pruning must have an entry a layer, of 1 to {dense} each")

    def _check_growth(self, growth: GrowthRecipe) -> None:
        final = [layer.parameters["fan_in"] for layer in self.layers if layer.family == "csc"]
        sizes = [*(list(step.fan_in) for step in growth.steps), final]
        if any(len(size) != len(final) for size in sizes):
            raise ValueError(f"fan_in of growth must have {len(final)} entries, one a csc layer")
        if any(
            not 1 <= smaller <= larger
            for before, after in itertools.pairwise(sizes)
            for smaller, larger in zip(before, after, strict=True)
        ):
            raise ValueError(f"fan_in of growth must rise from at least 1 to that of the layers, {final}")
        if sum(step.epochs for step in growth.steps) >= self.epochs:
            raise ValueError(f"epochs of growth must add up to less than those of the recipe, {self.epochs}")
        if growth.until is not None and not self.hold_out:
            raise ValueError("until of growth must come with hold_out images to judge by")

    def topology(self) -> Topology:
        """The fully connected layers: of a network that is pruned, the dense ones; of one that grows, the
        final ones."""
        return _chain(self._features(), self.layers, self.input_digits)

    def _features(self) -> int:
        """What the fully connected layers read."""
        if self.recurrence:
            return self.recurrence.hidden.outputs
        return self.geometry()[-1].n_out if self.convolutions else self.inputs

    @property
    def dense_weights(self) -> int:
        """Number of weights if every cascade were one dense matrix."""
        return sum(each.dense_weights for each in self._cascades())

    @property
    def stored_weights(self) -> int:
        """Number of weights that are trained, before any pruning."""
        return sum(each.stored_weights for each in self._cascades())

    def _cascades(self) -> tuple[Topology, ...]:
        """Those of the convolutions or the recurrence, and of the fully connected layers."""
        convolutions = (each.mixing for each in self.geometry())
        return (*convolutions, *(self.recurrent_cascades() or ()), self.topology())

    def geometry(self) -> tuple[Convolution, ...]:
        """The convolutions, for square images of one channel."""
        side, channels = math.isqrt(self.inputs), 1
        if self.convolutions and side * side != self.inputs:
            raise ValueError("inputs must be a square number for a cnn")
        found: list[Convolution] = []
        for each in self.convolutions:
            mixing = _chain(each.kernel**2 * channels, (each,))
            found.append(Convolution(mixing, side=side, kernel=each.kernel, stride=each.stride))
            side, channels = found[-1].side_out, each.outputs
        return tuple(found)

    def recurrent_cascades(self) -> tuple[Topology, Topology] | None:
        """The input and the hidden matrix of a recurrent layer, as a layer each."""
        if self.recurrence is None:
            return None
        steps, first, hidden = self.recurrence.steps, self.recurrence.input, self.recurrence.hidden
        if self.inputs % steps or first.outputs != hidden.outputs:
            raise ValueError(
                f"steps of recurrence must divide inputs, {self.inputs}, "
                "and its input and hidden outputs must be equal"
            )
        return _chain(self.inputs // steps, (first,)), _chain(hidden.outputs, (hidden,))

    def replace(self, **changes: Any) -> Recipe:
        """This recipe with other values for some fields, checked again."""
        return parse_recipe(self.model_dump() | changes)


def _chain(n_in: int, layers: Sequence[LayerRecipe], input_digits: tuple[int, ...] = ()) -> Topology:
    built: list[tuple[Stage, ...]] = []
    for layer in layers:
        built.append(build_layer(layer.family, n_in, layer.outputs, **layer.parameters))
        n_in = layer.outputs
    return Topology(tuple(built), skips_of(built, [layer.skips for layer in layers]), input_digits)


def parse_recipe(values: Any) -> Recipe:
    """The recipe with these values; a `RecipeError` names the first field that is wrong."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "recipe"
        reason = first["msg"].removeprefix("Value error, ").rstrip(".")
        given = repr(first["input"])
        shown = given if len(given) <= 60 else f"{given[:57]}..."
        raise RecipeError(f"{field} of a recipe is {shown}; {reason[0].lower()}{reason[1:]}.") from error


def recipe_names() -> tuple[str, ...]:
    """The recipes that come with the package, by name: those of the zoo, and the examples."""
    return tuple(sorted(_recipe_files()))


def _recipe_files() -> dict[str, Path]:
    return {path.stem: path for path in RECIPES.rglob("*.yaml")}


def load_recipe(name_or_path: str | Path) -> Recipe:
    """A recipe of the package by name, or any recipe by the path of its YAML file."""
    path = _recipe_files().get(str(name_or_path), Path(name_or_path))
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(
            f"{name_or_path} is neither the path of a recipe nor the name of one; "
            f"the names are {', '.join(recipe_names())}."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not YAML; a recipe must be a YAML mapping.") from error
    return parse_recipe(values)
