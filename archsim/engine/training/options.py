"""What a design point says of training: the arithmetic, the rate, and from which weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from archsim.engine.mapping import MappingError
from archsim.refusals import one_sentence, without_numpy
from workloads import IntegerNetwork, Topology, TrainedNetwork
from workloads.training.models.model import initial_arrays
from workloads.training.onchip.arithmetic import COUNTED, REGISTER_BITS, Scales
from workloads.training.onchip.run import stored_words
from workloads.training.onchip.trainer import Trainer, Words
from workloads.training.schema import OnChipArithmetic, OnChipRecipe, RecipeError

SETTLING = 8
"""After so many looks at its samples a trained network has found its scales."""

OF_ENGINE = ("kind", "pes")
"""What counts of the options of an engine that trains: widths are those of `training`."""

MULTIPLIERS = {"none": 2, "pipelined": 3}
"""Products that a PE makes in a cycle at most, by `overlap`: going back for the error and the update, and
overlapped for the sample that goes forward too."""


def _power_of_two(value: Any) -> Any:
    is_rate = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
    if not is_rate or math.frexp(value)[0] != 0.5:
        raise RecipeError.of("rate", value, "powers of two")
    return value


class Training(OnChipArithmetic):
    """An engine trains the network, one sample a step, at a `rate` that is a power of two.

    The first step is from `weights` that are `initial`, drawn by sparse Glorot initialisation from `seed`, or
    those of the network as `trained`: at the beginning errors are largest, and so is what switches for them;
    of a network that was trained on chip most are zero at the end. Raises RecipeError for what is not
    allowed.
    """

    rate: Annotated[float, BeforeValidator(_power_of_two), Field(ge=2.0**-15, le=1.0)] = 2.0**-6
    weights: Literal["initial", "trained"] = "initial"
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, strict=True)] = 0

    _plain = model_validator(mode="before")(without_numpy)

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except ValidationError as error:
            raise RecipeError(one_sentence(error, type(self))) from None

    @property
    def rate_shift(self) -> int:
        """The rate is 2**-rate_shift."""
        return -round(math.log2(self.rate))

    def on(self, pes: int) -> OnChipRecipe:
        """The arithmetic with so many PEs."""
        fields = OnChipArithmetic.model_fields
        return OnChipRecipe(pes=pes, **{name: getattr(self, name) for name in fields})

    def begun(self, trained: TrainedNetwork, inputs: IntegerNetwork, pes: int) -> Trainer:
        """The network before its first step on so many PEs; `inputs` is the same as integers, whose samples
        it may see. Raises MappingError for biases and skips, which nobody trains on chip, and RecipeError
        where a rate or a width does not fit."""
        topology = trained.topology
        if trained.stored_biases:
            raise MappingError.of("stored biases", trained.stored_biases, "0 on an engine that trains")
        if any(topology.skips):
            raise MappingError.of("skips", sum(topology.skips), "0 on an engine that trains")
        random = np.random.default_rng(self.seed)
        drawn = initial_arrays(topology, random)
        trainer = begun_from(
            trained.name,
            topology,
            drawn if self.weights == "initial" else trained.weights,
            self.on(pes),
            inputs=inputs.input_fraction_bits,
            rate_shift=self.rate_shift,
            random=random,
        )
        if self.weights == "trained":
            _settle(trainer, inputs, self.rate_shift)
        return trainer

    @model_validator(mode="after")
    def _draws_what_is_needed(self) -> Self:
        if self.weights == "trained" and self.rounding == "nearest" and self.seed:
            raise RecipeError(f"seed is {self.seed}, allowed is 0 where nothing is drawn from it")
        return self


def begun_from(
    name: str,
    topology: Topology,
    floats: Sequence[NDArray[Any]],
    arithmetic: OnChipRecipe,
    *,
    inputs: int,
    rate_shift: int,
    random: np.random.Generator,
) -> Trainer:
    """A network of this name before its first step, from weights of every stage; its inputs have so many
    fraction bits, and `random` fills the registers of random words. Raises RecipeError where a rate or a
    width does not fit."""
    words = Words(
        weights=np.concatenate([stored_words(array, arithmetic) for array in floats]),
        scales=Scales.checked(name, arithmetic, inputs, (rate_shift,), len(floats)),
        registers=random.integers(1, 1 << REGISTER_BITS, arithmetic.pes, dtype=np.int64),
        counts=np.zeros((len(floats), COUNTED), dtype=np.int64),
    )
    return Trainer(topology, arithmetic, words)


def _settle(trainer: Trainer, inputs: IntegerNetwork, rate_shift: int) -> None:
    """Moves the scales to where the samples want them, and leaves the weights as they are."""
    if inputs.samples is None:
        return
    x, before = inputs.samples.inputs, trainer.words
    labels = np.argmax(inputs.run(x), axis=0)
    for _ in range(SETTLING):
        trainer.words = Words(
            before.weights.copy(), trainer.words.scales, before.registers.copy(), before.counts.copy()
        )
        trainer.window(x, labels, rate_shift)
    trainer.words = Words(before.weights, trainer.words.scales, before.registers, before.counts)
