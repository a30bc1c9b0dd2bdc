"""The products of training: y = W x, dx = W' dy and the stored part of dy x'.

All arrays are feature-major: activations have shape (features, batch). No kernel ever forms the dense matrix
of a sparse stage: block and Kronecker stages multiply block by block in BLAS, pruned and CSC stages in
compiled loops, which are compiled when a kernel first multiplies, and kept on disk.
"""

from __future__ import annotations

from typing import Protocol

from workloads.kernels.arrays import Array


class Kernel(Protocol):
    """How a stage multiplies while it is trained."""

    def forward(self, weights: Array, x: Array) -> Array:
        """y (n_out, batch) from weights and x (n_in, batch)."""

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        """dx (n_in, batch) from weights and dy (n_out, batch)."""

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        """dW, of the shape of the weights, summed over the batch."""

    def gradients(self, weights: Array, x: Array, dy: Array) -> tuple[Array, Array]:
        """dW and dx; a kernel that reads dy once for both says so by its own method."""
        return self.weight_gradient(x, dy), self.input_gradient(weights, dy)


class DenseKernel(Kernel):
    """One matrix product each."""

    def forward(self, weights: Array, x: Array) -> Array:
        return weights @ x

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        return weights.T @ dy

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        return dy @ x.T
