"""The products of CSC stages: in compiled loops, or in blocks where the taps go once round the ring."""

from __future__ import annotations

import numpy as np

from workloads.kernels import Array, GatherKernel, Kernel
from workloads.kernels_blocks import BlocksKernel, Places

# Inputs between the first and the last tap of an output, from which the outputs of a CSC stage are better
# taken class by class: at 128 float32 an input, they are half of a second-level cache of 2 MiB.
FAR = 2048
# Taps from which turning the weights of a CSC stage into blocks is faster than a compiled loop.
WORTH_TURNING = 16


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


class TurnKernel(BlocksKernel):
    """A CSC stage whose taps go once round the ring, taps * stride = n_in = n_out, as dense blocks.

    The outputs of one class modulo the stride read all inputs of that class.  Output m of a class has its
    first tap at input m, so a row of its block is the row of its weights, turned by m places.
    """

    def __init__(self, taps: int, stride: int) -> None:
        ring, block = Places(np.arange(stride), stride), np.arange(stride) * taps * taps
        shape = (stride, taps, taps)
        super().__init__((taps, taps), shape, weights=Places(block, taps), inputs=ring, outputs=ring)
        outputs = np.arange(taps) * stride + np.arange(stride)[:, None]
        turns = (np.arange(taps) - np.arange(taps)[:, None]) % taps
        self.stored = outputs[:, :, None] * taps + turns
        self.turned = np.argsort(self.stored.ravel()).reshape(taps * stride, taps)

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
