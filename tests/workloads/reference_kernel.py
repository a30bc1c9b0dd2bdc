"""The plain products of a sparse stage, in NumPy and SciPy: what the fast kernels are held to."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from workloads.kernels.arrays import Array
from workloads.kernels.kernel import Kernel

CHUNK = 512
"""Connections whose two gathered rows are multiplied at once: small enough for the second-level cache."""


class ReferenceKernel(Kernel):
    """Any pattern of connections in compressed sparse row form, multiplied by SciPy; dW gathers the input and
    the output of every connection, a chunk of them at a time."""

    def __init__(
        self, n_in: int, n_out: int, indptr: Array, indices: Array, *, weight_shape: tuple[int, ...]
    ) -> None:
        self.shape, self.weight_shape = (n_out, n_in), weight_shape
        self.indptr, self.indices = indptr.astype(np.int32), indices.astype(np.int32)
        self.rows = np.repeat(np.arange(n_out), np.diff(indptr))

    def _matrix(self, weights: Array) -> scipy.sparse.csr_array[Any, tuple[int, int]]:
        return scipy.sparse.csr_array((weights.ravel(), self.indices, self.indptr), shape=self.shape)

    def forward(self, weights: Array, x: Array) -> Array:
        return np.asarray(self._matrix(weights) @ x)

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        return np.asarray(self._matrix(weights).T @ dy)

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        gradient = np.empty(self.indices.size, dtype=x.dtype)
        for start in range(0, gradient.size, CHUNK):
            part = slice(start, start + CHUNK)
            gradient[part] = np.einsum("eb,eb->e", dy[self.rows[part]], x[self.indices[part]])
        return gradient.reshape(self.weight_shape)
