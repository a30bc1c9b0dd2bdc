"""A cascade while it is trained: stages one after another with no activation between them.

A stage with an identity skip connection computes y = W x + x. Activations are (features, batch).
"""

from __future__ import annotations

from collections.abc import Sequence

from workloads.kernels.arrays import Array
from workloads.kernels.stages import kernel_of
from workloads.stages import Stage


class Cascade:
    """The products of a cascade. It holds no weights: those are passed, one array a stage."""

    def __init__(self, stages: Sequence[Stage], skips: Sequence[bool]) -> None:
        self.kernels = [kernel_of(stage) for stage in stages]
        self.skips = tuple(skips)

    def __len__(self) -> int:
        return len(self.kernels)

    def forward(self, weights: Sequence[Array], x: Array) -> list[Array]:
        """The outputs (n_out, batch) of every stage for inputs x (n_in, batch)."""
        signals = [x]
        for kernel, array, skip in zip(self.kernels, weights, self.skips, strict=True):
            y = kernel.forward(array, signals[-1])
            if skip:
                y += signals[-1]
            signals.append(y)
        return signals[1:]

    def backward(
        self, weights: Sequence[Array], signals: Sequence[Array], dy: Array
    ) -> tuple[list[Array], Array]:
        """The gradients of every weight array, and dx (n_in, batch), from dy (n_out, batch).

        `signals` are the inputs of every stage.
        """
        later, dy = self._back_to_second(weights, signals, dy)
        first, dx = self._back(0, weights[0], signals[0], dy)
        return [first, *later], dx

    def weight_gradients(self, weights: Sequence[Array], signals: Sequence[Array], dy: Array) -> list[Array]:
        """The gradients alone, for the first cascade of a network: nobody asks for those of its inputs."""
        later, dy = self._back_to_second(weights, signals, dy)
        return [self.kernels[0].weight_gradient(signals[0], dy), *later]

    def _back_to_second(
        self, weights: Sequence[Array], signals: Sequence[Array], dy: Array
    ) -> tuple[list[Array], Array]:
        gradients = []
        for number in reversed(range(1, len(self))):
            gradient, dy = self._back(number, weights[number], signals[number], dy)
            gradients.append(gradient)
        return gradients[::-1], dy

    def _back(self, number: int, weights: Array, x: Array, dy: Array) -> tuple[Array, Array]:
        gradient, dx = self.kernels[number].gradients(weights, x, dy)
        if self.skips[number]:
            dx += dy
        return gradient, dx
