"""The products of stages that are many small dense matrices: block and Kronecker stages.

A block reads rows of the activations at equal distances and writes rows at equal distances, so a shuffle
between stages costs nothing: every block is multiplied where it lies, in tiles of vector registers (see
`workloads.kernels_tiles`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workloads.kernels import Array, Kernel, alike
from workloads.kernels_threads import share

TILE_SPEED = 6
"""Products of a tile in the time of one in a compiled loop."""


Product = tuple[Any, ...]
"""What `multiply_blocks` takes, but for the range of blocks."""


@dataclass(frozen=True)
class Places:
    """Where the blocks find their rows: row i of block b is row ``starts[b] + i * step``."""

    starts: Array
    step: int


class BlocksKernel(Kernel):
    """`size` = (outputs, inputs) of a block, weights of shape `weight_shape`, whose inputs lie side by side.

    `outputs` and `inputs` say where blocks find their rows among the activations; `weights` where, in
    elements, their weights begin, and how far the weights of two outputs are apart.
    """

    def __init__(
        self,
        size: tuple[int, int],
        weight_shape: tuple[int, ...],
        *,
        weights: Places,
        inputs: Places,
        outputs: Places,
    ) -> None:
        self.size, self.weight_shape = size, weight_shape
        self.weights, self.inputs, self.outputs = weights, inputs, outputs
        self.blocks = len(weights.starts)

    def forward(self, weights: Array, x: Array) -> Array:
        weights, x = alike(weights, x)
        y = np.empty((self.blocks * self.size[0], x.shape[1]), x.dtype)
        batch, (rows, depth) = x.shape[1], self.size
        left = weights.reshape(-1), self.weights.starts, 1, self.weights.step, 1
        self._share([(*left, *_factor(x, self.inputs), *_result(y, self.outputs), rows, depth, batch)])
        return y

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        weights, dy = alike(weights, dy)
        dx = np.empty((self.blocks * self.size[1], dy.shape[1]), dy.dtype)
        self._share([self._of_inputs(weights, dy, dx)])
        return dx

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        x, dy = alike(x, dy)
        gradient = np.empty(self.weight_shape, x.dtype)
        self._share([self._of_weights(x, dy, gradient)])
        return gradient

    def gradients(self, weights: Array, x: Array, dy: Array) -> tuple[Array, Array]:
        weights, x, dy = alike(weights, x, dy)
        gradient, dx = np.empty(self.weight_shape, x.dtype), np.empty(x.shape, x.dtype)
        self._share([self._of_weights(x, dy, gradient), self._of_inputs(weights, dy, dx)])
        return gradient, dx

    def _of_inputs(self, weights: Array, dy: Array, dx: Array) -> Product:
        """dx = W' dy."""
        batch, (depth, rows) = dy.shape[1], self.size
        left = weights.reshape(-1), self.weights.starts, 1, 1, self.weights.step
        return *left, *_factor(dy, self.outputs), *_result(dx, self.inputs), rows, depth, batch

    def _of_weights(self, x: Array, dy: Array, gradient: Array) -> Product:
        """dW = dy x'."""
        batch, (rows, columns) = x.shape[1], self.size
        values, starts, unit, row, step = _factor(x, self.inputs)
        out = gradient.reshape(-1), self.weights.starts, 1, self.weights.step
        return *_factor(dy, self.outputs), values, starts, unit, step, row, *out, rows, batch, columns

    def _share(self, products: Sequence[Product]) -> None:
        """Computes products block by block."""
        from workloads.kernels_tiles import multiply_blocks

        multiply: Callable[..., None] = multiply_blocks

        def part(start: int, stop: int) -> None:
            for product in products:
                multiply(*product, start, stop)

        work = sum(self.blocks * math.prod(product[-3:]) for product in products)
        share(self.blocks, work // TILE_SPEED, part)


def _factor(signal: Array, places: Places) -> tuple[Array, Array, int, int, int]:
    """Rows of a signal (features, batch): the flat array, where blocks start and in what unit, and the steps
    by row and column."""
    batch = signal.shape[1]
    return signal.reshape(-1), places.starts, batch, places.step * batch, 1


def _result(signal: Array, places: Places) -> tuple[Array, Array, int, int]:
    return _factor(signal, places)[:4]


def block_kernel(blocks: int, block_in: int, block_out: int) -> Kernel:
    """A block stage: input k * blocks + b is input k of block b.  Weights: (blocks, block_out, block_in)."""
    block = np.arange(blocks)
    return BlocksKernel(
        (block_out, block_in),
        (blocks, block_out, block_in),
        weights=Places(block * block_out * block_in, block_in),
        inputs=Places(block, blocks),
        outputs=Places(block * block_out, 1),
    )


def kronecker_kernel(left: int, outputs: int, inputs: int, right: int) -> Kernel:
    """I_left (x) 1_{outputs x inputs} (x) I_right.  Weights: (left, outputs, right, inputs)."""
    block = np.arange(left)[:, None], np.arange(right)

    def starts(size: int, right_step: int) -> Array:
        return np.ravel(block[0] * size * right + block[1] * right_step)

    return BlocksKernel(
        (outputs, inputs),
        (left, outputs, right, inputs),
        weights=Places(starts(outputs * inputs, inputs), right * inputs),
        inputs=Places(starts(inputs, 1), right),
        outputs=Places(starts(outputs, 1), right),
    )
