"""The products of training, one class per shape of stage: y = W x, dx = W' dy and the stored part of dy x'.

All arrays are feature-major: activations have shape (features, batch).  No kernel ever forms the dense matrix
of a sparse stage: CSC and pruned stages multiply in compressed sparse row form, block stages as a batch of
small matrices.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

Array = NDArray[Any]

# Entries whose two gathered rows are multiplied at once: small enough to stay in the second-level cache.
GATHER_CHUNK = 512


class Kernel(Protocol):
    """How a stage multiplies while it is trained."""

    def forward(self, weights: Array, x: Array) -> Array:
        """y (n_out, batch) from weights and x (n_in, batch)."""

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        """dx (n_in, batch) from weights and dy (n_out, batch)."""

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        """dW, of the shape of the weights, summed over the batch."""


class DenseKernel:
    """One matrix product each."""

    def forward(self, weights: Array, x: Array) -> Array:
        return weights @ x

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        return weights.T @ dy

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        return dy @ x.T


class BlockKernel:
    """A batch of small matrix products; input k * blocks + b is seen as place (b, k)."""

    def __init__(self, blocks: int, block_in: int, block_out: int) -> None:
        self.blocks, self.block_in, self.block_out = blocks, block_in, block_out

    def _inputs(self, x: Array) -> Array:
        return x.reshape(self.block_in, self.blocks, -1).transpose(1, 0, 2)

    def _outputs(self, y: Array) -> Array:
        return y.reshape(self.blocks, self.block_out, -1)

    def forward(self, weights: Array, x: Array) -> Array:
        return (weights @ self._inputs(x)).reshape(self.blocks * self.block_out, -1)

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        dx = weights.transpose(0, 2, 1) @ self._outputs(dy)
        return dx.transpose(1, 0, 2).reshape(self.blocks * self.block_in, -1)

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        return self._outputs(dy) @ self._inputs(x).transpose(0, 2, 1)


class _CompressedRows:
    """Products with a matrix in compressed sparse row form whose pattern is fixed and whose values change."""

    def __init__(self, n_in: int, n_out: int, indptr: Array, indices: Array) -> None:
        self.shape = (n_out, n_in)
        self.indptr = indptr.astype(np.int32)
        self.indices = indices.astype(np.int32)

    def _matrix(self, weights: Array) -> scipy.sparse.csr_array[Any, tuple[int, int]]:
        return scipy.sparse.csr_array((weights.ravel(), self.indices, self.indptr), shape=self.shape)

    def forward(self, weights: Array, x: Array) -> Array:
        return np.asarray(self._matrix(weights) @ x)

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        return np.asarray(self._matrix(weights).T @ dy)


class CyclicKernel(_CompressedRows):
    """A CSC stage.  The inputs of one tap are consecutive on the ring, so dW needs slices, not gathers."""

    def __init__(self, n_in: int, n_out: int, taps: int, stride: int) -> None:
        self.starts = np.arange(taps, dtype=np.int64) * stride % n_in
        columns = (np.arange(n_out)[:, None] + self.starts) % n_in
        super().__init__(n_in, n_out, np.arange(n_out + 1) * taps, columns.ravel())
        self.ring = np.arange(n_in + n_out) % n_in

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        n_out = self.shape[0]
        unrolled = x[self.ring]
        gradient = np.empty((n_out, self.starts.size), dtype=x.dtype)
        for tap, start in enumerate(self.starts):
            gradient[:, tap] = np.einsum("jb,jb->j", dy, unrolled[start : start + n_out])
        return gradient


class GatherKernel(_CompressedRows):
    """A pruned stage.  dW gathers the input and the output of every entry, a chunk of entries at a time."""

    def __init__(self, n_in: int, n_out: int, indptr: Array, indices: Array) -> None:
        super().__init__(n_in, n_out, indptr, indices)
        self.rows = np.repeat(np.arange(n_out), np.diff(indptr))

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        gradient = np.empty(self.indices.size, dtype=x.dtype)
        for start in range(0, gradient.size, GATHER_CHUNK):
            part = slice(start, start + GATHER_CHUNK)
            gradient[part] = np.einsum("eb,eb->e", dy[self.rows[part]], x[self.indices[part]])
        return gradient
