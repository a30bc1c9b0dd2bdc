"""What a recipe may say: its sections and fields, each with its type, range and default."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, field_validator, model_validator

from workloads.data.order import read_order
from workloads.data.registry import datasets, is_there
from workloads.refusal import Refusal
from workloads.topology.ranges import checked_range
from workloads.topology.topology import ORDERS, Topology
from workloads.training.models.model import Initialisation
from workloads.training.optimisers import RATES

if TYPE_CHECKING:
    from workloads.training.pruning.schedule import Schedule


class RecipeError(Refusal):
    """A recipe is missing, is not YAML, or holds a value that is not allowed."""


Whole = Annotated[int, Field(strict=True)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Size = Annotated[int, Field(strict=True, ge=1)]
"""Numbers and truth values as they are: a boolean or a text is no number, and a number is not true."""


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TileOrder(_Strict):
    """The order of the inputs in which every block or output of the first stage reads neighbours, along tiles
    of so many rows and columns."""

    tile: tuple[Size, Size]


class LayerRecipe(BaseModel):
    """A layer: its family, its outputs, and whatever parameters the family takes.

    With `skips`, every square stage of the layer has an identity skip connection.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    family: str
    outputs: Whole = Field(ge=1)
    skips: Flag = False

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
    momentum: Real | None = Field(default=None, ge=0, lt=1)
    weight_decay: Real = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _momentum_belongs_to_sgd(self) -> Self:
        if (self.momentum is None) == (self.kind == "sgd"):
            raise RecipeError.of("momentum", self.momentum, "a number for sgd, and none for adam")
        return self


class RateRecipe(_Strict):
    """The learning rate: its peak, and its course over the steps of training: a name, or a list of shares of
    the peak, each for an equal part of the steps."""

    peak: Real = Field(gt=0)
    course: str | tuple[float, ...] = "one-cycle"

    @field_validator("course", mode="before")
    @classmethod
    def _course_is_known(cls, course: Any) -> Any:
        if isinstance(course, list | tuple) and course and all(_is_share(share) for share in course):
            return tuple(map(float, course))
        if not isinstance(course, str) or course not in RATES:
            raise RecipeError.of("course", course, [*RATES, "a list of shares above 0 up to 1"])
        return course

    @property
    def levels(self) -> tuple[float, ...]:
        """The rates of a course of levels, one after another."""
        shares = (1.0,) if isinstance(self.course, str) else self.course
        return tuple(self.peak * share for share in shares)


Shape = tuple[int, int]
"""The inputs and outputs of a dense layer."""


class PruningRecipe(_Strict, ABC):
    """How the weights of dense layers become few. A `method` is a member of
    `workloads.training.pruning.registry.methods`, with fields of its own; what it leaves is a network of
    `PrunedStage`s, which every engine for any pattern runs.
    """

    method: str
    example: ClassVar[dict[str, Any]]
    """Fields with which the method prunes layers of 36 to 16 to 4 places, for the tests of all methods."""

    @abstractmethod
    def check(self, shapes: Sequence[Shape], epochs: int) -> None:
        """Raises RecipeError where a field does not fit dense layers of these shapes or so many epochs."""

    def start(self, topology: Topology, random: np.random.Generator) -> Topology:
        """What training starts from in place of these dense layers: these, unless the method says more."""
        return topology

    @abstractmethod
    def schedule(self, epochs: int, batches: int) -> Schedule:
        """What it does at which step of a run with so many steps an epoch."""


GROWN = {"fan_in": "csc", "depth": "csc", "middle": "clos"}
"""What grows of the layers of which family: taps, support layers, middle blocks."""


class GrowthStep(_Strict):
    """A size on the way to the final one, and how long it trains: the `fan_in` and the `depth`, the number of
    support layers, of every csc layer, and the `middle` blocks of every clos layer. What is not named has its
    final size."""

    fan_in: tuple[Whole, ...] | None = Field(default=None, min_length=1)
    depth: tuple[Whole, ...] | None = Field(default=None, min_length=1)
    middle: tuple[Whole, ...] | None = Field(default=None, min_length=1)
    epochs: Whole = Field(ge=1)

    @model_validator(mode="after")
    def _a_size_is_named(self) -> Self:
        if all(getattr(self, name) is None for name in GROWN):
            raise RecipeError(f"size is missing, allowed are {', '.join(GROWN)}")
        return self


class GrowthRecipe(_Strict):
    """Bottom-up training: sizes from the smallest on; what epochs remain train the layers of the recipe.

    With `until`, a network grows only while its accuracy on the images held out is below it. In a `search`
    every size trains to its end: the rate runs its course anew at each, and training is over with the first
    that reaches `until`. With `calcify`, connections freeze once the network has grown so many times since
    they came: their weights get no update any more. Biases never freeze.
    """

    steps: tuple[GrowthStep, ...] = Field(min_length=1)
    until: Real | None = Field(default=None, gt=0, le=1)
    search: Flag = False
    calcify: Whole | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _options_have_their_ground(self) -> Self:
        if self.search and self.until is None:
            raise RecipeError("search is given without until, allowed is an accuracy to search for")
        if self.calcify is not None and self.calcify > len(self.steps):
            raise RecipeError.of("calcify", self.calcify, f"1 to {len(self.steps)}, the number of steps")
        return self


class RoundingRecipe(_Strict):
    """Training in the arithmetic of the hardware, from the share `begin` of the steps on: weights of
    `weight_bits`, and inputs and the outputs of every stage of `activation_bits`, rounded and cut off.
    Gradients go straight through what is rounded, and are zero where an activation is cut off."""

    weight_bits: Whole = Field(ge=2, le=16)
    activation_bits: Whole = Field(ge=2, le=16)
    begin: Real = Field(default=0.0, ge=0, lt=1)


class OnChipArithmetic(_Strict):
    """Training as hardware does it, bit for bit (`workloads.training.onchip.arithmetic`): stored weights of
    `weight_bits`, of which the upper `forward_bits` are read forward and backward, all where it is not given;
    outputs of every stage of `activation_bits`, errors of `error_bits`. Weights reach to 2**`integer_bits`.
    `rounding` of the update is to the nearest, or stochastic, by a register of random bits in each PE. `loss`
    is a squared hinge, `margin`, or `squared`. With `overlap` `pipelined` one walk over the weights takes a
    sample forward in every stage and an older one back."""

    weight_bits: Whole = Field(default=12, ge=8, le=16)
    forward_bits: Whole | None = None
    activation_bits: Whole = Field(default=8, ge=4, le=16)
    error_bits: Whole = Field(default=8, ge=4, le=16)
    integer_bits: Whole = Field(default=1, ge=0, le=4)
    rounding: Literal["nearest", "stochastic"] = "nearest"
    loss: Literal["margin", "squared"] = "margin"
    overlap: Literal["none", "pipelined"] = "none"

    @model_validator(mode="after")
    def _forward_reads_upper_bits(self) -> Self:
        least = 2 + self.integer_bits
        if not least <= self.read_bits <= self.weight_bits:
            allowed = f"{least}, integer_bits and 2 more, to {self.weight_bits}, the weight_bits"
            raise RecipeError.of("forward_bits", self.forward_bits, allowed)
        return self

    @property
    def read_bits(self) -> int:
        """The upper bits of a weight that are read forward and backward."""
        return self.weight_bits if self.forward_bits is None else self.forward_bits

    def in_flight(self, stages: int) -> int:
        """Samples that have gone through the first of so many stages, and not back through all, while the
        next one goes."""
        return stages if self.overlap == "pipelined" else 0

    @property
    def dropped(self) -> int:
        """The lower bits of a weight that only the update sees."""
        return self.weight_bits - self.read_bits

    @property
    def narrowed(self) -> int:
        """The last bits of a score that its error has no room for."""
        return max(0, self.activation_bits - self.error_bits)

    @property
    def weight_fraction(self) -> int:
        """Bits of a stored weight behind the point."""
        return self.weight_bits - 1 - self.integer_bits

    @property
    def forward_fraction(self) -> int:
        """Bits of a weight behind the point as forward and backward read it."""
        return self.weight_fraction - self.dropped


class OnChipRecipe(OnChipArithmetic):
    """The arithmetic of hardware with so many `pes`, each of which has random bits of its own."""

    pes: Whole = Field(default=16, ge=1, le=1024)


class ConvolutionRecipe(LayerRecipe):
    """A convolution: a cascade from kernel * kernel * channels inputs to `outputs` channels, at every place.

    Images are padded with zeros by (kernel - 1) / 2 on each side, and every `stride`-th place is kept.
    """

    kernel: Whole = Field(default=1, ge=1)
    stride: Whole = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _kernel_has_a_middle(self) -> Self:
        if self.kernel % 2 == 0:
            raise RecipeError.of("kernel", self.kernel, "odd numbers")
        return self


class RecurrenceRecipe(_Strict):
    """A recurrent layer that reads the inputs in `steps` equal parts: h = f(input part + hidden h).

    The `activation` f is tanh, or hardtanh, which cuts values to -1 to 1; hardware runs the latter.
    """

    steps: Whole = Field(ge=1)
    activation: Literal["tanh", "hardtanh"] = "tanh"
    input: LayerRecipe
    hidden: LayerRecipe


class RecipeFields(_Strict):
    """The fields of a recipe.

    `layers` are fully connected; in a `cnn` they follow the `convolutions`, in an `rnn` the last state of the
    `recurrence`. `data` is the name of a data set or the path of one's own data, or none where data are given
    in Python; `input_scale` divides the inputs of one's own, and `input_range` states their range where that
    of the training part is not to be taken. `input_digits` is the order in which an `mlp` sees its inputs
    (see `Topology`), as `input_order` is: `tiles`, `neighbours`, a `tile`, the numbers of the inputs, or the
    path of a file of them.
    With `bias`, the last stage of every layer of an `mlp` adds one to each of its outputs. `shift_pixels`
    moves every training image by up to so many pixels at random, each time it is seen. `hold_out` is the
    number of training inputs, the last ones, kept for validation. With `on_chip` an `mlp` is trained as
    hardware does it: a batch of 1, plain gradient descent, and rates that are powers of two.
    """

    name: str = Field(min_length=1)
    data: str | None = "mnist"
    input_scale: Real | None = Field(default=None, gt=0)
    input_range: tuple[float, float] | None = None
    seed: Whole = Field(default=0, ge=0)
    model: Literal["mlp", "cnn", "rnn"] = "mlp"
    inputs: Whole = Field(ge=1)
    input_digits: tuple[Whole, ...] = ()
    input_order: tuple[Whole, ...] | Literal["tiles", "neighbours"] | TileOrder = ()
    convolutions: tuple[ConvolutionRecipe, ...] = ()
    recurrence: RecurrenceRecipe | None = None
    layers: tuple[LayerRecipe, ...] = Field(min_length=1)
    bias: Flag = False
    init: Initialisation = "sparse-glorot"
    epochs: Whole = Field(ge=1)
    batch: Whole = Field(default=128, ge=1)
    optimiser: OptimiserRecipe = OptimiserRecipe()
    rate: RateRecipe
    pruning: SerializeAsAny[PruningRecipe] | None = None
    growth: GrowthRecipe | None = None
    rounding: RoundingRecipe | None = None
    on_chip: OnChipRecipe | None = None
    shift_pixels: Whole = Field(default=0, ge=0)
    hold_out: Whole = Field(default=0, ge=0)

    @field_validator("data")
    @classmethod
    def _data_is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in datasets and not is_there(name):
            raise RecipeError.of("data", name, [*datasets, "the path of an .npz file or of a folder"])
        return name

    @field_validator("input_range", mode="before")
    @classmethod
    def _range_rises(cls, ends: Any) -> tuple[float, float] | None:
        return None if ends is None else checked_range("input_range", ends, RecipeError)

    @field_validator("input_order", mode="before")
    @classmethod
    def _order_is_read(cls, order: Any) -> Any:
        return read_order(order) if isinstance(order, str) and order not in ORDERS else order

    @model_validator(mode="after")
    def _sections_fit_the_model(self) -> Self:
        for section, model in (("convolutions", "cnn"), ("recurrence", "rnn")):
            if bool(getattr(self, section)) != (self.model == model):
                raise RecipeError.of(
                    section, getattr(self, section), f"some for a {model}, and none for others"
                )
        if self.input_digits and self.input_order:
            raise RecipeError("input_order is given with input_digits, allowed is one of the two")
        for section in ("pruning", "growth", "rounding", "on_chip", "input_digits", "input_order", "bias"):
            if self.model != "mlp" and getattr(self, section):
                raise RecipeError.of("model", self.model, f"mlp with {section}")
        if self.pruning and self.growth:
            raise RecipeError("growth is given with pruning, allowed is one of the two")
        if self.rounding and any(layer.skips for layer in self.layers):
            raise RecipeError("rounding is given with layers.skips, allowed is one of the two")
        if self.on_chip:
            self._check_on_chip()
        return self

    def _check_on_chip(self) -> None:
        """What training on chip is given with: one sample at a time, and rates that are shifts."""
        for section in ("pruning", "growth", "rounding", "bias"):
            if getattr(self, section):
                raise RecipeError(f"on_chip is given with {section}, allowed is one of the two")
        for number, layer in enumerate(self.layers):
            if layer.skips:
                raise RecipeError(f"on_chip is given with skips of layer {number}, allowed is one of the two")
        if self.batch != 1:
            raise RecipeError.of("batch", self.batch, "1 with on_chip")
        if self.optimiser != OptimiserRecipe(kind="sgd", momentum=0.0):
            given = self.optimiser.model_dump()
            raise RecipeError.of(
                "optimiser", given, "kind sgd with momentum 0 and no weight_decay with on_chip"
            )
        if isinstance(self.rate.course, str) and self.rate.course != "constant":
            raise RecipeError.of("rate.course", self.rate.course, "constant or a list of shares with on_chip")
        for rate in self.rate.levels:
            if math.frexp(rate)[0] != 0.5 or rate > 1:
                allowed = "powers of two up to 1 with on_chip"
                raise RecipeError.of("rate", rate, allowed)
