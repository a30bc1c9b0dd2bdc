"""What a recipe may say: its sections and fields, each with its type, range and default."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workloads.data.registry import datasets
from workloads.refusal import Refusal
from workloads.training.model import Initialisation


class RecipeError(Refusal):
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

    @model_validator(mode="after")
    def _bias_is_of_the_recipe(self) -> Self:
        if "bias" in self.parameters:
            value = self.parameters["bias"]
            raise RecipeError(f"bias is {value!r}, allowed is no such field of a layer, but of the recipe")
        return self


class OptimiserRecipe(_Strict):
    """How weights move: by Adam, or by stochastic gradient descent, which alone takes a `momentum`."""

    kind: Literal["adam", "sgd"] = "adam"
    momentum: float | None = Field(default=None, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _momentum_belongs_to_sgd(self) -> Self:
        if (self.momentum is None) == (self.kind == "sgd"):
            raise RecipeError.of("momentum", self.momentum, "a number for sgd, and none for adam")
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
            given = (self.stored_weights, self.layer_weights)
            raise RecipeError.of("stored_weights, layer_weights", given, "one of the two")
        if self.begin > self.end:
            raise RecipeError.of("begin", self.begin, f"shares up to end, {self.end}")
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
            raise RecipeError.of("kernel", self.kernel, "odd numbers")
        return self


class RecurrenceRecipe(_Strict):
    """A recurrent layer that reads the inputs in `steps` equal parts: h = f(input part + hidden h).

    The `activation` f is tanh, or hardtanh, which cuts values to -1 to 1; hardware runs the latter.
    """

    steps: int = Field(ge=1)
    activation: Literal["tanh", "hardtanh"] = "tanh"
    input: LayerRecipe
    hidden: LayerRecipe


class RecipeFields(_Strict):
    """The fields of a recipe.

    `layers` are fully connected; in a `cnn` they follow the `convolutions`, in an `rnn` the last state of the
    `recurrence`. `input_digits` is the order in which an `mlp` sees its inputs (see `Topology`). With `bias`,
    the last stage of every layer of an `mlp` adds one to each of its outputs. `shift_pixels` moves every
    training image by up to so many pixels at random, each time it is seen. `hold_out` is the number of
    training images, the last ones, kept for validation.
    """

    name: str = Field(min_length=1)
    data: str = "mnist"
    seed: int = Field(default=0, ge=0)
    model: Literal["mlp", "cnn", "rnn"] = "mlp"
    inputs: int = Field(ge=1)
    input_digits: tuple[int, ...] = ()
    convolutions: tuple[ConvolutionRecipe, ...] = ()
    recurrence: RecurrenceRecipe | None = None
    layers: tuple[LayerRecipe, ...] = Field(min_length=1)
    bias: bool = False
    init: Initialisation = "sparse-glorot"
    epochs: int = Field(ge=1)
    batch: int = Field(default=128, ge=1)
    optimiser: OptimiserRecipe = OptimiserRecipe()
    rate: RateRecipe
    pruning: PruningRecipe | None = None
    growth: GrowthRecipe | None = None
    shift_pixels: int = Field(default=0, ge=0)
    hold_out: int = Field(default=0, ge=0)

    @field_validator("data")
    @classmethod
    def _data_is_known(cls, name: str) -> str:
        if name not in datasets:
            raise RecipeError.of("data", name, datasets)
        return name

    @model_validator(mode="after")
    def _sections_fit_the_model(self) -> Self:
        for section, model in (("convolutions", "cnn"), ("recurrence", "rnn")):
            if bool(getattr(self, section)) != (self.model == model):
                raise RecipeError.of(
                    section, getattr(self, section), f"some for a {model}, and none for others"
                )
        for section in ("pruning", "growth", "input_digits", "bias"):
            if self.model != "mlp" and getattr(self, section):
                raise RecipeError.of("model", self.model, f"mlp with {section}")
        if self.pruning and self.growth:
            raise RecipeError("growth is given with pruning, allowed is one of the two")
        return self
