"""A cascade while it is trained: stages one after another with no activation between them.

A stage with an identity skip connection computes y = W x + x. Activations are (features, batch).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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

    def forward(
        self, weights: Sequence[Array], x: Array, between: Callable[[int, Array], None] | None = None
    ) -> list[Array]:
        """The outputs (n_out, batch) of every stage for inputs x (n_in, batch). What passes from one stage to
        the next is changed in place by `between`, which is given the number of the stage too."""
        signals = [x]
        for number, (kernel, array) in enumerate(zip(self.kernels, weights, strict=True)):
            y = kernel.forward(array, signals[-1])
            if self.skips[number]:
                y += signals[-1]
            if between and number < len(self) - 1:
                between(number, y)
            signals.append(y)
        return signals[1:]

    def backward(
        self, weights: Sequence[Array], signals: Sequence[Array], dy: Array, inside: Sequence[Array] = ()
    ) -> tuple[list[Array], Array]:
        """The gradients of every weight array, and dx (n_in, batch), from dy (n_out, batch).

        `signals` are the inputs of every stage. `inside` says of the outputs of every stage, where it is
        given, which of them a gradient passes between two stages.
        """
        later, dy = self._back_to_second(weights, signals, dy, inside)
        first, dx = self._back(0, weights[0], signals[0], dy)
        return [first, *later], dx

    def weight_gradients(
        self, weights: Sequence[Array], signals: Sequence[Array], dy: Array, inside: Sequence[Array] = ()
    ) -> list[Array]:
        """The gradients alone, for the first cascade of a network: nobody asks for those of its inputs."""
        later, dy = self._back_to_second(weights, signals, dy, inside)
        return [self.kernels[0].weight_gradient(signals[0], dy), *later]

    def _back_to_second(
        self, weights: Sequence[Array], signals: Sequence[Array], dy: Array, inside: Sequence[Array]
    ) -> tuple[list[Array], Array]:
        gradients = []
        for number in reversed(range(1, len(self))):
            gradient, dy = self._back(number, weights[number], signals[number], dy)
            if inside:
                dy *= inside[number - 1]
            gradients.append(gradient)
        return gradients[::-1], dy

    def _back(self, number: int, weights: Array, x: Array, dy: Array) -> tuple[Array, Array]:
        gradient, dx = self.kernels[number].gradients(weights, x, dy)
        if self.skips[number]:
            dx += dy
        return gradient, dx
