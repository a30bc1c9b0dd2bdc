"""The products of any pattern of connections, in compiled loops over them."""

from __future__ import annotations

import numpy as np

from workloads.kernels.arrays import Array, alike
from workloads.kernels.kernel import Kernel
from workloads.kernels.threads import share


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
