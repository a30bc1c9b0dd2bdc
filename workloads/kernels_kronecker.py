"""The products of a Kronecker stage, as a batch of small matrix products over reshaped arrays.

Places (l, i, r) are the axes of a view, so nothing is permuted in memory: every one of the left * right small
matrices is multiplied where it lies, and writes its outputs where they belong.
"""

from __future__ import annotations

import numpy as np

from workloads.kernels import Array, Kernel


class KroneckerKernel(Kernel):
    """I_left (x) 1_{outputs x inputs} (x) I_right.  Weights: (left, outputs, right, inputs)."""

    def __init__(self, left: int, outputs: int, inputs: int, right: int) -> None:
        self.left, self.outputs, self.inputs, self.right = left, outputs, inputs, right

    def _blocks(self, signal: Array, size: int) -> Array:
        """(left * size * right, batch) seen as (left, right, size, batch)."""
        return signal.reshape(self.left, size, self.right, -1).transpose(0, 2, 1, 3)

    def forward(self, weights: Array, x: Array) -> Array:
        y = np.empty((self.left * self.outputs * self.right, x.shape[1]), np.result_type(weights, x))
        np.matmul(
            weights.transpose(0, 2, 1, 3), self._blocks(x, self.inputs), out=self._blocks(y, self.outputs)
        )
        return y

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        dx = np.empty((self.left * self.inputs * self.right, dy.shape[1]), np.result_type(weights, dy))
        np.matmul(
            weights.transpose(0, 2, 3, 1), self._blocks(dy, self.outputs), out=self._blocks(dx, self.inputs)
        )
        return dx

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        shape = (self.left, self.outputs, self.right, self.inputs)
        gradient = np.empty(shape, np.result_type(x, dy))
        np.matmul(
            self._blocks(dy, self.outputs),
            self._blocks(x, self.inputs).swapaxes(2, 3),
            out=gradient.transpose(0, 2, 1, 3),
        )
        return gradient
