"""The products of training, one class per shape of stage: y = W x, dx = W' dy and the stored part of dy x'.

All arrays are feature-major: activations have shape (features, batch).  No kernel ever forms the dense matrix
of a sparse stage: block stages multiply as a batch of small matrices in BLAS, CSC and pruned stages by
compiled loops over their connections (see `workloads.kernels_compiled`; they are compiled when a kernel first
multiplies, and kept on disk).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workloads.kernels_threads import share

Array = NDArray[Any]

# Inputs between the first and the last tap of an output, from which the outputs of a CSC stage are better
# taken class by class: at 128 float32 an input, they are half of a second-level cache of 2 MiB.
FAR = 2048


# Taps from which turning the weights of a CSC stage for BLAS is faster than a compiled loop.
WORTH_TURNING = 16
# Products of BLAS in the time of one in a compiled loop.
BLAS_SPEED = 8


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


class BlockKernel(Kernel):
    """A batch of small matrix products; input k * blocks + b is seen as place (b, k).

    The shuffle is a view with other strides, which BLAS reads and writes in place: nothing is permuted.
    """

    def __init__(self, blocks: int, block_in: int, block_out: int) -> None:
        self.blocks, self.block_in, self.block_out = blocks, block_in, block_out

    def _inputs(self, x: Array) -> Array:
        return x.reshape(self.block_in, self.blocks, -1).transpose(1, 0, 2)

    def _outputs(self, y: Array) -> Array:
        return y.reshape(self.blocks, self.block_out, -1)

    def forward(self, weights: Array, x: Array) -> Array:
        y = np.empty((self.blocks * self.block_out, x.shape[1]), np.result_type(weights, x))
        self._share([(weights, self._inputs(x), self._outputs(y))])
        return y

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        dx = np.empty((self.blocks * self.block_in, dy.shape[1]), np.result_type(weights, dy))
        self._share([self._of_inputs(weights, dy, dx)])
        return dx

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        gradient = np.empty((self.blocks, self.block_out, self.block_in), np.result_type(x, dy))
        self._share([self._of_weights(x, dy, gradient)])
        return gradient

    def gradients(self, weights: Array, x: Array, dy: Array) -> tuple[Array, Array]:
        gradient = np.empty(weights.shape, np.result_type(x, dy))
        dx = np.empty(x.shape, np.result_type(weights, dy))
        self._share([self._of_weights(x, dy, gradient), self._of_inputs(weights, dy, dx)])
        return gradient, dx

    def _of_inputs(self, weights: Array, dy: Array, dx: Array) -> tuple[Array, Array, Array]:
        return weights.transpose(0, 2, 1), self._outputs(dy), self._inputs(dx)

    def _of_weights(self, x: Array, dy: Array, gradient: Array) -> tuple[Array, Array, Array]:
        return self._outputs(dy), self._inputs(x).transpose(0, 2, 1), gradient

    def _share(self, products: Sequence[tuple[Array, Array, Array]]) -> None:
        """Compute products, each of the first two arrays into the third, block by block."""

        def part(start: int, stop: int) -> None:
            for left, right, out in products:
                np.matmul(left[start:stop], right[start:stop], out=out[start:stop])

        work = sum(left.size * right.shape[-1] for left, right, _ in products)
        share(self.blocks, work // BLAS_SPEED, part)


class GatherKernel(Kernel):
    """Any pattern of connections, in compressed sparse row form: indptr (n_out + 1,), indices (weights,).

    Forward goes through the connections by output, backward by input, where one pass yields dW and dx.  Both
    write every row of results once, so rows can be shared among threads.  The index takes twelve bytes a
    connection.  `weight_shape` is that of the weights, if they are not a vector.
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
        from workloads.kernels_compiled import multiply

        weights, x = _alike(weights.reshape(-1), x)
        y = np.empty((self.n_out, x.shape[1]), x.dtype)
        given = (self.output_order, self.ends, self.columns, weights, x, y)
        share(self.n_out, self._work(x.shape[1]), lambda start, stop: multiply(*given, start, stop))
        return y

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        from workloads.kernels_compiled import multiply

        weights, dy = _alike(weights.reshape(-1)[self.places], dy)
        dx = np.empty((self.n_in, dy.shape[1]), dy.dtype)
        given = (self.input_order, self.input_ends, self.rows, weights, dy, dx)
        share(self.n_in, self._work(dy.shape[1]), lambda start, stop: multiply(*given, start, stop))
        return dx

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        from workloads.kernels_compiled import correlate

        x, dy = _alike(x, dy)
        gradient = np.empty(self.columns.size, x.dtype)
        given = (self.output_order, self.ends, self.columns, x, dy, gradient)
        share(self.n_out, self._work(x.shape[1]), lambda start, stop: correlate(*given, start, stop))
        return gradient.reshape(self.weight_shape)

    def gradients(self, weights: Array, x: Array, dy: Array) -> tuple[Array, Array]:
        from workloads.kernels_compiled import multiply_back

        weights, x, dy = _alike(weights.reshape(-1), x, dy)
        dx, gradient = np.empty(x.shape, x.dtype), np.empty(weights.shape, x.dtype)
        given = (self.input_order, self.input_ends, self.rows, self.places, weights, x, dy, gradient, dx)
        work = 2 * self._work(x.shape[1])
        share(self.n_in, work, lambda start, stop: multiply_back(*given, start, stop))
        return gradient.reshape(self.weight_shape), dx


class CyclicKernel(GatherKernel):
    """A CSC stage: output j reads inputs (j + k * stride) mod n_in for k < taps.

    Outputs of one class modulo the stride read the same inputs.  Where an output reads from all over the
    ring, they are computed one after another, and find these inputs in a cache.
    """

    def __init__(self, n_in: int, n_out: int, taps: int, stride: int) -> None:
        columns = (np.arange(n_out)[:, None] + np.arange(taps) * (stride % n_in)) % n_in
        super().__init__(
            n_in, n_out, np.arange(n_out + 1) * taps, columns.ravel(), weight_shape=(n_out, taps)
        )
        if taps * stride > FAR:
            self.output_order = _by_class(n_out, stride)
            self.input_order = _by_class(n_in, stride)


class TurnKernel(BlockKernel):
    """A CSC stage whose taps go once round the ring, taps * stride = n_in = n_out: dense blocks for BLAS.

    The outputs of one class modulo the stride read all inputs of that class.  Output m of a class has its
    first tap at input m, so a row of its block is the row of its weights, turned by m places.
    """

    def __init__(self, taps: int, stride: int) -> None:
        super().__init__(stride, taps, taps)
        outputs = np.arange(taps) * stride + np.arange(stride)[:, None]
        turns = (np.arange(taps) - np.arange(taps)[:, None]) % taps
        self.stored = outputs[:, :, None] * taps + turns
        self.turned = np.argsort(self.stored.ravel()).reshape(taps * stride, taps)

    def _outputs(self, y: Array) -> Array:
        return self._inputs(y)

    def forward(self, weights: Array, x: Array) -> Array:
        return super().forward(weights.ravel()[self.stored], x)

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        return super().input_gradient(weights.ravel()[self.stored], dy)

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        return super().weight_gradient(x, dy).ravel()[self.turned]

    def gradients(self, weights: Array, x: Array, dy: Array) -> tuple[Array, Array]:
        gradient, dx = super().gradients(weights.ravel()[self.stored], x, dy)
        return gradient.ravel()[self.turned], dx


def cyclic_kernel(n_in: int, n_out: int, taps: int, stride: int) -> Kernel:
    """The faster kernel of a CSC stage."""
    if taps >= WORTH_TURNING and taps * stride == n_in == n_out:
        return TurnKernel(taps, stride)
    return CyclicKernel(n_in, n_out, taps, stride)


def _by_class(count: int, stride: int) -> Array:
    """0 to count - 1, those of equal remainder modulo the stride next to each other."""
    return np.argsort(np.arange(count) % stride, kind="stable").astype(np.int32)


def _alike(*arrays: Array) -> tuple[Array, ...]:
    """The arrays, contiguous and of one type, as compiled loops want them; a copy only where they are not."""
    dtype = np.result_type(*arrays)
    return tuple(np.ascontiguousarray(array, dtype) for array in arrays)
