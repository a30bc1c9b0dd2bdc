"""Optimisers and their rates.

An optimiser keeps moments of the shape of every weight array; `select` carries them over when entries are
pruned, `reconnect` when they move, `grow` when a network grows, `resume` when a run goes on from a checkpoint
or goes back. The last arrays may be biases, which no weight decay pulls to zero.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from workloads.kernels.arrays import Array
from workloads.kernels.update import adam_update


class Optimiser(ABC):
    """Changes weights in place. `moments` is what is kept between steps: for every moment, an array for each
    weight array. The last `biases` arrays are free of `weight_decay`."""

    def __init__(self, weights: Sequence[Array], moments: int, weight_decay: float, biases: int) -> None:
        self.moments = [[np.zeros_like(array) for array in weights] for _ in range(moments)]
        self.weight_decay, self.biases = weight_decay, biases
        self.steps = 0

    def decays(self, count: int) -> Iterator[tuple[slice, float]]:
        """Which of `count` arrays decay by how much: the weights, then the biases if there are any."""
        yield slice(count - self.biases), self.weight_decay
        if self.biases:
            yield slice(count - self.biases, count), 0.0

    def resume(self, steps: int, moments: Sequence[Sequence[Array]]) -> None:
        """Go on after so many steps, with these moments."""
        self.steps, self.moments = steps, [list(moment) for moment in moments]

    @abstractmethod
    def step(self, weights: Sequence[Array], gradients: Sequence[Array], rate: float) -> None:
        """One update at this rate."""

    def select(self, number: int, kept: NDArray[np.int64]) -> None:
        """Keep the state of these entries, by position in the raveled array, of weight array `number`."""
        for moment in self.moments:
            moment[number] = moment[number].ravel()[kept]

    def reconnect(self, number: int, sources: NDArray[np.int64]) -> None:
        """Give weight array `number` the state of these entries, by position in the raveled array; one that
        comes from none, below zero, starts afresh."""
        for moment in self.moments:
            old = moment[number].ravel()
            moment[number] = np.where(sources < 0, 0, old[sources]).astype(old.dtype)

    def grow(self, origins: Sequence[int | None], shapes: Sequence[tuple[int, ...]]) -> None:
        """Carry the state over to the arrays of a network that has grown: each has this shape, and comes from
        the array of this number, or is new. New entries start afresh."""
        self.moments = [
            [
                np.zeros(shape, dtype=moment[0].dtype) if origin is None else filled(moment[origin], shape)
                for origin, shape in zip(origins, shapes, strict=True)
            ]
            for moment in self.moments
        ]


class Sgd(Optimiser):
    """Stochastic gradient descent with momentum; weight decay is decoupled from the gradient."""

    def __init__(
        self, weights: Sequence[Array], *, momentum: float, weight_decay: float, biases: int = 0
    ) -> None:
        super().__init__(weights, 1, weight_decay, biases)
        self.momentum = momentum

    def step(self, weights: Sequence[Array], gradients: Sequence[Array], rate: float) -> None:
        for part, decay in self.decays(len(weights)):
            arrays = zip(weights[part], gradients[part], self.moments[0][part], strict=True)
            for array, gradient, velocity in arrays:
                velocity *= self.momentum
                velocity += gradient
                array *= 1 - rate * decay
                array -= rate * velocity


class Adam(Optimiser):
    """Adam (Kingma and Ba, arXiv 1412.6980) with decoupled weight decay (arXiv 1711.05101)."""

    def __init__(
        self,
        weights: Sequence[Array],
        *,
        weight_decay: float,
        biases: int = 0,
        first_decay: float = 0.9,
        second_decay: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(weights, 2, weight_decay, biases)
        self.epsilon = epsilon
        self.first_decay, self.second_decay = first_decay, second_decay

    def step(self, weights: Sequence[Array], gradients: Sequence[Array], rate: float) -> None:
        self.steps += 1
        for part, decay in self.decays(len(weights)):
            adam_update(
                weights[part],
                gradients[part],
                *(moment[part] for moment in self.moments),
                first_share=1 - self.first_decay,
                second_share=1 - self.second_decay,
                keep=1 - rate * decay,
                size=rate / (1 - self.first_decay**self.steps),
                scale=1 / math.sqrt(1 - self.second_decay**self.steps),
                epsilon=self.epsilon,
            )

    def reconnect(self, number: int, sources: NDArray[np.int64]) -> None:
        """The second moment of a new entry is the mean of those that stay, as in `widen`."""
        super().reconnect(number, sources)
        second, is_new = self.moments[1][number], sources < 0
        if is_new.any() and not is_new.all():
            second[is_new] = second[~is_new].mean()

    def grow(self, origins: Sequence[int | None], shapes: Sequence[tuple[int, ...]]) -> None:
        """The second moment of a new entry is the mean of those beside it, and in a new array that of the
        array behind it: bias correction is long over, and with a second moment of zero the first step would
        be some three times the rate."""
        before = self.moments[1]
        super().grow(origins, shapes)
        for number in reversed(range(len(shapes))):
            origin, shape = origins[number], shapes[number]
            self.moments[1][number] = (
                np.full(shape, self.moments[1][number + 1].mean(), dtype=before[0].dtype)
                if origin is None
                else filled(before[origin], shape, with_means=True)
            )


def filled(array: Array, shape: Sequence[int], *, with_means: bool = False) -> Array:
    """The array filled up to this shape, axis by axis: with zeros, or with the means along the axis."""
    for axis, length in enumerate(shape):
        if missing := length - array.shape[axis]:
            mean = array.mean(axis=axis, keepdims=True)
            new = np.repeat(mean if with_means else np.zeros_like(mean), missing, axis=axis)
            array = np.concatenate([array, new], axis=axis)
    return array


RISE, START = 0.3, 1 / 25
"""A one-cycle rate rises from a 25th of its peak during the first 30 % of the steps (Smith, arXiv
1803.09820)."""


def one_cycle(progress: float) -> float:
    """The share of the peak rate at this progress in [0, 1]: up from 1/25 along a cosine, then down to 0."""
    if progress < RISE:
        return START + (1 - START) * (1 - math.cos(math.pi * progress / RISE)) / 2
    return (1 + math.cos(math.pi * (progress - RISE) / (1 - RISE))) / 2


def cosine(progress: float) -> float:
    """The share of the peak rate at this progress in [0, 1]: down from 1 to 0 along a cosine."""
    return (1 + math.cos(math.pi * progress)) / 2


def constant(progress: float) -> float:
    """The peak rate throughout."""
    return 1.0


RATES = {"one-cycle": one_cycle, "cosine": cosine, "constant": constant}


def share_of_peak(course: str | Sequence[float], progress: float) -> float:
    """The share of the peak rate at this progress in [0, 1]: of a course by name, or of a list of shares,
    each for an equal part."""
    if isinstance(course, str):
        return RATES[course](progress)
    return course[min(int(progress * len(course)), len(course) - 1)]
