"""The products of stages that are many small dense matrices: block and Kronecker stages.

Every block is multiplied by BLAS where it lies: a view of the activations has a matrix for each block, whose
rows may be far apart in memory, so that the shuffle between two stages costs nothing.
"""

from __future__ import annotations

import math

import numpy as np

from workloads.kernels.arrays import Array
from workloads.kernels.kernel import Kernel
from workloads.kernels.threads import share

PRODUCT_SPEED = 4
"""Products that BLAS makes of small blocks in the time in which a compiled loop makes one."""


class BlocksKernel(Kernel):
    """A grid (left, right) of dense blocks.

    Rows of inputs lie as (left, block_in, right); those of outputs and of weights as (left, block_out, right)
    where outputs are interleaved too, else block by block, (left, right, block_out).
    """

    def __init__(
        self, grid: tuple[int, int], block_in: int, block_out: int, *, outputs_interleaved: bool
    ) -> None:
        self.grid, self.block_in, self.block_out = grid, block_in, block_out
        self.outputs_interleaved = outputs_interleaved
        # Parts of work are cut along the longer side of the grid.
        self.along = int(grid[1] > grid[0])

    def _blocks(self, array: Array, size: int, *, interleaved: bool) -> Array:
        """The view (left, right, size, last axis) of an array whose rows are those of all blocks."""
        left, right = self.grid
        if not interleaved:
            return array.reshape(left, right, size, -1)
        return array.reshape(left, size, right, -1).swapaxes(1, 2)

    def _of_inputs(self, x: Array) -> Array:
        return self._blocks(x, self.block_in, interleaved=True)

    def _of_outputs(self, y: Array) -> Array:
        return self._blocks(y, self.block_out, interleaved=self.outputs_interleaved)

    def _multiply(self, left: Array, right: Array, out: Array) -> None:
        """out = left right for every block, shared among threads."""
        along = self.along

        def part(start: int, stop: int) -> None:
            place = slice(start, stop)
            here = (slice(None), place) if along else (place,)
            np.matmul(left[here], right[here], out=out[here])

        products = math.prod(left.shape) * right.shape[-1]
        share(self.grid[along], products // PRODUCT_SPEED, part)

    def forward(self, weights: Array, x: Array) -> Array:
        count = math.prod(self.grid)
        y = np.empty((count * self.block_out, x.shape[1]), np.result_type(weights, x))
        self._multiply(self._of_outputs(weights), self._of_inputs(x), self._of_outputs(y))
        return y

    def input_gradient(self, weights: Array, dy: Array) -> Array:
        count = math.prod(self.grid)
        dx = np.empty((count * self.block_in, dy.shape[1]), np.result_type(weights, dy))
        turned = self._of_outputs(weights).swapaxes(2, 3)
        self._multiply(turned, self._of_outputs(dy), self._of_inputs(dx))
        return dx

    def weight_gradient(self, x: Array, dy: Array) -> Array:
        left, right = self.grid
        sizes = (left, self.block_out, right) if self.outputs_interleaved else (right, self.block_out)
        gradient = np.empty((*sizes, self.block_in), np.result_type(x, dy))
        turned = self._of_inputs(x).swapaxes(2, 3)
        self._multiply(self._of_outputs(dy), turned, self._of_outputs(gradient))
        return gradient
