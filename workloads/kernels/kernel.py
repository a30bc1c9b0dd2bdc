"""The products of training, one class per shape of stage: y = W x, dx = W' dy and the stored part of dy x'.

All arrays are feature-major: activations have shape (features, batch). No kernel ever forms the dense matrix
of a sparse stage: block, Kronecker and CSC stages multiply in tiles of vector registers (see
`workloads.kernels.tiles`), pruned stages and CSC stages of few taps go through their connections in compiled
loops (see `workloads.kernels.compiled`). Both are compiled when a kernel first multiplies, and kept on disk.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workloads.kernels.threads import Part, share

Array = NDArray[Any]


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


# Rows of a tile, and its products in the time of one in a compiled loop.
TILE_ROWS, TILE_SPEED = 6, 6


class TiledKernel(Kernel):
    """Products in tiles of vector registers, cut in `parts` that can be worked on at once."""

    def __init__(self, n_in: int, n_out: int, weight_shape: tuple[int, ...], *, parts: int) -> None:
        self.n_in, self.n_out, self.weight_shape, self.parts = n_in, n_out, weight_shape, parts

    @abstractmethod
    def _products(self, weights: Array, right: Array, out: Array, *, back: bool) -> Part:
        """Computes out = W right, or W' right (`back`), for parts start to stop - 1; all is contiguous."""

    @abstractmethod
    def _correlations(self, dy: Array, x: Array, gradient: Array) -> Part:
        """Computes the stored part of dy x' likewise."""

    def _new_gradient(self, x: Array) -> Array:
        """Room for dW, which is zero where there are no examples."""
        return (np.empty if x.shape[1] else np.zeros)(self.weight_shape, x.dtype)

    def _share(self, batch: int, *works: Part) -> None:
        def part(start: int, stop: int) -> None:
            for work in works:
                work(start, stop)

        products = math.prod(self.weight_shape) * batch * len(works)
        if batch:
            share(self.parts, products // TILE_SPEED, part)

    def forward(self, weights: Array, x: Array) -> Array:
        weights, x = alike(weights, x)
        y = np.empty((self.n_out, x.shape[1]), x.dtype)
        self._share(x.shape[1], self._products(weights, x, y, back=False))
        return y

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        weights, dy = alike(weights, dy)
        dx = np.empty((self.n_in, dy.shape[1]), dy.dtype)
        self._share(dy.shape[1], self._products(weights, dy, dx, back=True))
        return dx

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        x, dy = alike(x, dy)
        gradient = self._new_gradient(x)
        self._share(x.shape[1], self._correlations(dy, x, gradient))
        return gradient

    def gradients(self, weights: Array, x: Array, dy: Array) -> tuple[Array, Array]:
        weights, x, dy = alike(weights, x, dy)
        gradient, dx = self._new_gradient(x), np.empty(x.shape, x.dtype)
        works = self._correlations(dy, x, gradient), self._products(weights, dy, dx, back=True)
        self._share(x.shape[1], *works)
        return gradient, dx


class GatherKernel(Kernel):
    """Any pattern of connections, in compressed sparse row form: indptr (n_out + 1,), indices (weights,).

    Forward goes through the connections by output, backward by input, where one pass yields dW and dx. Both
    write every row of results once, so rows can be shared among threads. The index takes twelve bytes a
    connection. `weight_shape` is that of the weights, if they are not a vector.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        indptr: Array,
        indices: Array,
        *,
        weight_shape: tuple[int, ...] | None = None,
    ) -> None:
        self.n_in, self.n_out = n_in, n_out
        self.weight_shape = (indices.size,) if weight_shape is None else weight_shape
        self.ends = indptr.astype(np.int64)
        self.columns = indices.astype(np.int32)
        self.places = np.argsort(self.columns, kind="stable").astype(np.int32)
        self.rows = np.repeat(np.arange(n_out, dtype=np.int32), np.diff(indptr))[self.places]
        self.input_ends = np.concatenate(([0], np.cumsum(np.bincount(indices, minlength=n_in))))
        self.output_order = np.arange(n_out, dtype=np.int32)
        self.input_order = np.arange(n_in, dtype=np.int32)

    def _work(self, batch: int) -> int:
        return self.columns.size * batch

    def forward(self, weights: Array, x: Array) -> Array:
        from workloads.kernels.compiled import multiply

        weights, x = alike(weights.reshape(-1), x)
        y = np.empty((self.n_out, x.shape[1]), x.dtype)
        given = (self.output_order, self.ends, self.columns, weights, x, y)
        share(self.n_out, self._work(x.shape[1]), lambda start, stop: multiply(*given, start, stop))
        return y

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        from workloads.kernels.compiled import multiply

        weights, dy = alike(weights.reshape(-1)[self.places], dy)
        dx = np.empty((self.n_in, dy.shape[1]), dy.dtype)
        given = (self.input_order, self.input_ends, self.rows, weights, dy, dx)
        share(self.n_in, self._work(dy.shape[1]), lambda start, stop: multiply(*given, start, stop))
        return dx

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        from workloads.kernels.compiled import correlate

        x, dy = alike(x, dy)
        gradient = np.empty(self.columns.size, x.dtype)
        given = (self.output_order, self.ends, self.columns, x, dy, gradient)
        share(self.n_out, self._work(x.shape[1]), lambda start, stop: correlate(*given, start, stop))
        return gradient.reshape(self.weight_shape)

    def gradients(self, weights: Array, x: Array, dy: Array) -> tuple[Array, Array]:
        from workloads.kernels.compiled import multiply_back

        weights, x, dy = alike(weights.reshape(-1), x, dy)
        dx, gradient = np.empty(x.shape, x.dtype), np.empty(weights.shape, x.dtype)
        given = (self.input_order, self.input_ends, self.rows, self.places, weights, x, dy, gradient, dx)
        work = 2 * self._work(x.shape[1])
        share(self.n_in, work, lambda start, stop: multiply_back(*given, start, stop))
        return gradient.reshape(self.weight_shape), dx


def alike(*arrays: Array) -> tuple[Array, ...]:
    """The arrays, contiguous and of one type, as compiled loops want them; a copy only where they are not."""
    dtype = np.result_type(*arrays)
    return tuple(np.ascontiguousarray(array, dtype) for array in arrays)
