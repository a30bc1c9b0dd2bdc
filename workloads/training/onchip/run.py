"""A run of training on chip: a recipe on its data, one window of samples after another."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.topology.integer import IntegerNetwork
from workloads.topology.network import Calibration
from workloads.topology.ranges import input_fraction_bits
from workloads.training.augmentation import Shifts
from workloads.training.checkpoint import State
from workloads.training.models.model import CHUNK, Model, initial_arrays
from workloads.training.onchip.arithmetic import (
    COUNTED,
    REGISTER_BITS,
    WINDOW,
    Scales,
)
from workloads.training.onchip.trainer import Trainer, Words
from workloads.training.quantisation.quantise import PERCENTILES, calibrate
from workloads.training.recipe import Recipe
from workloads.training.schema import OnChipRecipe


class OnChipModel(Model):
    """The floats that words trained on chip stand for, and the formats that go with them."""

    def __init__(self, trainer: Trainer) -> None:
        arithmetic = trainer.arithmetic
        floats = [
            np.ldexp((words >> arithmetic.dropped).astype(np.float32), -arithmetic.forward_fraction)
            for words in trainer.of_stages
        ]
        super().__init__(trainer.topology, floats)
        self.trainer = trainer

    def calibration(self, values: NDArray[Any]) -> Calibration:
        """The magnitudes of the outputs of every stage over inputs (batch, n_in), such that integers of the
        width of signals get the formats of training: the highest percentiles are where those end."""
        seen = calibrate(self, values)
        top = (1 << (self.trainer.arithmetic.activation_bits - 1)) - 1
        ends = [math.ldexp(top, -fraction) for fraction in self.trainer.words.scales.activations]
        ranges = tuple(
            (*(min(magnitude, end) for magnitude in row[:-2]), end, end)
            for row, end in zip(seen.ranges, ends, strict=True)
        )
        return Calibration(PERCENTILES, ranges)

    def integer(self, name: str, input_range: tuple[float, float]) -> IntegerNetwork:
        """The integer network that was trained, of inputs of this range."""
        return self.trainer.network(name, input_range)

    @property
    def cut_off(self) -> str:
        """A sentence on what was cut off in training."""
        outputs, _, errors, _, weights = self.trainer.words.counts.sum(axis=0).tolist()
        of = self.trainer.arithmetic
        return (
            f"trained on chip with weights of {of.weight_bits} bits, signals of {of.activation_bits} and "
            f"errors of {of.error_bits}; cut off on the way: {outputs:,} outputs of stages, {errors:,} "
            f"errors and {weights:,} weights"
        )


class OnChipRun:
    """A recipe `on_chip` on images (n, n_in) and labels (n,), before its first window or after some.

    `input_range` is that of the inputs. Raises RecipeError where a rate or the inputs do not fit the widths.
    """

    def __init__(
        self,
        recipe: Recipe,
        images: NDArray[np.float32],
        labels: NDArray[np.int64],
        input_range: tuple[float, float],
    ) -> None:
        assert recipe.on_chip, "a recipe on chip"
        self.recipe, self.labels = recipe, labels
        seeds = np.random.SeedSequence(recipe.seed).spawn(4)
        initial, self.order, self.offsets, registers = (np.random.default_rng(seed) for seed in seeds)
        self.batches = -(-len(labels) // WINDOW)
        self.steps = self.batches * recipe.epochs
        self.shifts = Shifts(recipe.inputs, recipe.shift_pixels) if recipe.shift_pixels else None
        topology, arithmetic = recipe.topology(), recipe.on_chip
        fraction = input_fraction_bits(input_range, arithmetic.activation_bits)
        rates, stages = tuple(self._rate_shifts), len(topology.stages)
        scales = Scales.checked(recipe.name, arithmetic, fraction, rates, stages)
        floats = initial_arrays(topology, initial, init=recipe.init)
        words = Words(
            weights=np.concatenate([stored_words(array, arithmetic) for array in floats]),
            scales=scales,
            registers=registers.integers(1, 1 << REGISTER_BITS, arithmetic.pes, dtype=np.int64),
            counts=np.zeros((len(floats), COUNTED), dtype=np.int64),
        )
        self.trainer = Trainer(topology, arithmetic, words)
        self.network = self.trainer.network(recipe.name, input_range)
        self.images = _integers(self.network, images)
        self.shuffled: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.step = 0

    @property
    def _rate_shifts(self) -> list[int]:
        return [-round(math.log2(rate)) for rate in self.recipe.rate.levels]

    @property
    def model(self) -> OnChipModel:
        """The model of the words as they are."""
        return OnChipModel(self.trainer)

    @property
    def is_over(self) -> bool:
        """Whether all windows are taken."""
        return self.step == self.steps

    def advance(self) -> float:
        """Train on a window of samples and return the mean squared error of their scores."""
        place = self.step % self.batches
        if place == 0:
            self.shuffled = self.order.permutation(len(self.labels))
        chosen = self.shuffled[place * WINDOW :][:WINDOW]
        seen = self.images[chosen] if self.shifts is None else self.shifts(self.images[chosen], self.offsets)
        x = self.network.ordered(seen.astype(np.int64))
        shifts = self._rate_shifts
        loss = self.trainer.window(x, self.labels[chosen], shifts[self.step * len(shifts) // self.steps])
        self.step += 1
        return loss

    def state(self) -> State:
        """All that further windows depend on."""
        words = self.trainer.words
        pairs = zip(words.scales.activations, words.scales.errors, strict=True)
        return State(
            step=self.step,
            topology=self.trainer.topology,
            weights=self.trainer.of_stages,
            moments=[[np.array(pair) for pair in pairs], list(words.counts)],
            kept=(),
            shuffled=self.shuffled,
            random={
                "order": self.order.bit_generator.state,
                "offsets": self.offsets.bit_generator.state,
                "registers": words.registers.tolist(),
            },
        )

    def resume(self, state: State) -> None:
        """Go on from this state of a run of the same recipe on the same data."""
        activations, errors = zip(*(pair.tolist() for pair in state.moments[0]), strict=True)
        scales = replace(self.trainer.words.scales, activations=activations, errors=errors)
        self.trainer.words = Words(
            weights=np.concatenate([array.ravel() for array in state.weights]).astype(np.int32),
            scales=scales,
            registers=np.array(state.random["registers"], dtype=np.int64),
            counts=np.array(state.moments[1], dtype=np.int64),
        )
        self.step, self.shuffled = state.step, state.shuffled
        self.order.bit_generator.state = state.random["order"]
        self.offsets.bit_generator.state = state.random["offsets"]


def _integers(network: IntegerNetwork, images: NDArray[np.float32]) -> NDArray[np.int16]:
    """The integer inputs (n, n_in) of images, in their own order."""
    network, integers = replace(network, input_order=()), np.empty(images.shape, dtype=np.int16)
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        integers[part] = network.integer_inputs(images[part])[0].T
    return integers


def stored_words(floats: NDArray[Any], arithmetic: OnChipRecipe) -> NDArray[np.int32]:
    """The words nearest to weights, flat."""
    top = 1 << (arithmetic.weight_bits - 1)
    scaled = np.floor(np.ldexp(floats.astype(np.float64), arithmetic.weight_fraction) + 0.5)
    return np.clip(scaled, -top, top - 1).astype(np.int32).ravel()
