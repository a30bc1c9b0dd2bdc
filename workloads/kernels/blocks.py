"""The products of stages that are many small dense matrices: block and Kronecker stages.

A block may find its rows anywhere among the activations, so a shuffle between stages costs nothing: every
block is multiplied where it lies, in tiles of vector registers (see `workloads.kernels.tiles`).
"""

from __future__ import annotations

import numpy as np

from workloads.kernels.kernel import Array, Kernel, TiledKernel
from workloads.kernels.threads import Part


class BlocksKernel(TiledKernel):
    """Dense blocks, of which `inputs` (blocks, block_in) and `outputs` (blocks, block_out) name the rows of
    activations. A row of weights is what one output multiplies; output i of block b has row `rows[b, i]`,
    and the next one of its block is `step` rows on.
    """

    def __init__(
        self, weight_shape: tuple[int, ...], rows: Array, step: int, inputs: Array, outputs: Array
    ) -> None:
        blocks, self.block_in = inputs.shape
        self.block_out = outputs.shape[1]
        super().__init__(inputs.size, outputs.size, weight_shape, parts=blocks)
        self.rows, self.inputs, self.outputs = rows.ravel(), inputs.ravel(), outputs.ravel()
        self.step = step * self.block_in

    def _products(self, weights: Array, right: Array, out: Array, *, back: bool) -> Part:
        from workloads.kernels.tiles import multiply_blocks

        sizes = (self.block_in, self.block_out) if back else (self.block_out, self.block_in)
        rows = (self.outputs, self.inputs) if back else (self.inputs, self.outputs)
        left = weights.reshape(-1), self.rows, self.block_in, self.step, back
        given = *left, right.reshape(-1), rows[0], out.reshape(-1), rows[1], *sizes, right.shape[1]
        return lambda start, stop: multiply_blocks(*given, start, stop)

    def _correlations(self, dy: Array, x: Array, gradient: Array) -> Part:
        from workloads.kernels.tiles import correlate_blocks

        factors = dy.reshape(-1), self.outputs, x.reshape(-1), self.inputs
        out = gradient.reshape(-1), self.rows, self.block_out, self.block_in
        batch = x.shape[1]
        return lambda start, stop: correlate_blocks(*factors, *out, batch, start, stop)


def block_kernel(blocks: int, block_in: int, block_out: int) -> Kernel:
    """A block stage: input k * blocks + b is input k of block b. Weights: (blocks, block_out, block_in)."""
    outputs = np.arange(blocks * block_out).reshape(blocks, block_out)
    inputs = np.arange(blocks * block_in).reshape(block_in, blocks).T
    return BlocksKernel((blocks, block_out, block_in), outputs, 1, inputs, outputs)


def kronecker_kernel(left: int, outputs: int, inputs: int, right: int) -> Kernel:
    """I_left (x) 1_{outputs x inputs} (x) I_right. Weights: (left, outputs, right, inputs)."""

    def places(size: int) -> Array:
        """Place (l, i, r) as row (l, r) and column i."""
        numbers = np.arange(left * size * right).reshape(left, size, right)
        return numbers.transpose(0, 2, 1).reshape(left * right, size)

    shape = (left, outputs, right, inputs)
    return BlocksKernel(shape, places(outputs), right, places(inputs), places(outputs))
