"""Training in the arithmetic of the hardware: what is rounded, and the gradients that pass it.

Weights are rounded as `workloads.training.quantisation.quantise` does it, activations to the format that it
would choose on the batch at hand, halves up, and what is too large is cut off. The gradient goes to the exact
weights as if nothing had been rounded, the straight-through estimator of Y. Bengio, N. Léonard and
A. Courville, "Estimating or propagating gradients through stochastic neurons", arXiv 1308.3432, and none
passes an activation that was cut off.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from workloads.kernels.arrays import Array
from workloads.topology.ranges import INNER_PERCENTILE, input_fraction_bits
from workloads.topology.topology import Topology
from workloads.training.models.model import Model, cross_entropy
from workloads.training.quantisation.quantise import fraction_bits, quantise_bias, quantise_weights
from workloads.training.schema import RoundingRecipe


class RoundingModel(Model):
    """A model that computes as the hardware does while `is_rounding`, and exactly else; its weights are exact
    all the time. `input_range` is the least and the largest input, `fractions` the bits behind the point of
    the outputs of every stage in the last pass that rounded."""

    def __init__(
        self,
        topology: Topology,
        weights: Sequence[Array],
        rounding: RoundingRecipe,
        input_range: tuple[float, float],
    ) -> None:
        super().__init__(topology, weights)
        self.rounding, self.is_rounding = rounding, rounding.begin == 0
        self.fractions: tuple[int, ...] = ()
        self.input_fraction = input_fraction_bits(input_range, rounding.activation_bits)

    def forward(self, x: Array) -> list[Array]:
        return self._rounded(x)[0] if self.is_rounding else super().forward(x)

    def loss_and_gradients(self, x: Array, labels: NDArray[np.int64]) -> tuple[float, list[Array]]:
        if not self.is_rounding:
            return super().loss_and_gradients(x, labels)
        signals, weights, inside = self._rounded(x)
        loss, dy = cross_entropy(signals[-1], labels)
        gradients: list[list[Array]] = []
        slopes: list[Array] = []
        for number in reversed(range(len(self.cascades))):
            part, cascade = self.parts[number], self.cascades[number]
            dy *= inside[part.stop - 1]
            slopes.append(dy)
            given = weights[part], signals[part], dy, inside[part]
            if number == 0:
                gradients.append(cascade.weight_gradients(*given))
            else:
                of_layer, dy = cascade.backward(*given)
                gradients.append(of_layer)
                dy *= signals[part.start] > 0
        of_biases = [slope.sum(axis=1) for slope in reversed(slopes)] if self.biases else []
        return loss, [*itertools.chain.from_iterable(reversed(gradients)), *of_biases]

    def _rounded(self, x: Array) -> tuple[list[Array], list[Array], list[Array]]:
        """The signals of `forward`, the weights that they are of, and of the outputs of every stage which
        were not cut off."""
        settling = _Settling(self.rounding.activation_bits, self.input_fraction)
        signals, used = [_cut(self.ordered(x).copy(), self.input_fraction, settling.bits)], list[Array]()
        for number, (cascade, part) in enumerate(zip(self.cascades, self.parts, strict=True)):
            exact = self.weights[part]
            whole = [quantise_weights(array, self.rounding.weight_bits) for array in exact]
            weights = [
                np.ldexp(integers, -places).astype(array.dtype)
                for (integers, places), array in zip(whole, exact, strict=True)
            ]
            places = [fraction for _, fraction in whole]
            outputs = cascade.forward(weights, signals[-1], partial(settling.between, places))
            last, is_end = outputs[-1], number == len(self.cascades) - 1
            if self.biases:
                of_sums = settling.fraction + places[-1]
                integers, shift = quantise_bias(self.biases[number], of_sums, self.rounding.weight_bits)
                last += np.ldexp(integers, shift - of_sums).astype(last.dtype)[:, None]
            if not is_end:
                np.maximum(last, 0, out=last)
            settling.settle(last, places[-1], all_of_it=is_end)
            signals += outputs
            used += weights
        self.fractions = tuple(settling.fractions)
        return signals, used, settling.inside


class _Settling:
    """What becomes of the outputs of one stage after another: the bits behind the point of the last ones are
    `fraction`, and `inside` says of those of every stage which were not cut off."""

    def __init__(self, bits: int, fraction: int) -> None:
        self.bits, self.fraction = bits, fraction
        self.inside: list[Array] = []
        self.fractions: list[int] = []

    def between(self, weight_fractions: Sequence[int], stage: int, y: Array) -> None:
        """Rounds what passes from a stage of a cascade to the next."""
        self.settle(y, weight_fractions[stage])

    def settle(self, y: Array, weight_fraction: int, *, all_of_it: bool = False) -> None:
        """Rounds outputs in place to the format that holds nearly all of their magnitudes, or all."""
        percentile = 100.0 if all_of_it else INNER_PERCENTILE
        larger = y.size - 1 - math.ceil(percentile / 100 * (y.size - 1))
        reach, of_sums = _reach(np.abs(y), larger), self.fraction + weight_fraction
        self.fraction = min(fraction_bits(reach, self.bits), of_sums) if math.isfinite(reach) else of_sums
        unit, top = math.ldexp(1.0, -self.fraction), 1 << (self.bits - 1)
        self.inside.append((y >= -top * unit) & (y <= (top - 1) * unit))
        self.fractions.append(self.fraction)
        _cut(y, self.fraction, self.bits)


def _reach(magnitudes: Array, larger: int) -> float:
    """The magnitude than which so many are larger, or as large. Among few it is found sooner: where as many
    rows have a larger one, all that come into question are as large as the least of these."""
    most = magnitudes.max(axis=1)
    if larger < len(most):
        least = np.partition(most, len(most) - 1 - larger)[len(most) - 1 - larger]
        magnitudes = magnitudes[~(magnitudes < least)]
    place = magnitudes.size - 1 - larger
    return float(np.partition(magnitudes, place, axis=None)[place])


def _cut(y: Array, fraction: int, bits: int) -> Array:
    """Numbers of so many bits, `fraction` of them behind the point, in place."""
    top = 1 << (bits - 1)
    np.ldexp(y, fraction, out=y)
    y += 0.5
    np.floor(y, out=y)
    np.clip(y, -top, top - 1, out=y)
    return np.ldexp(y, -fraction, out=y)
