"""The products of CSC stages: ring by ring where there are many taps, else connection by connection."""

from __future__ import annotations

import math

import numpy as np

from workloads.kernels.arrays import Array, alike
from workloads.kernels.gather import GatherKernel
from workloads.kernels.threads import share

FAR = 2048
"""Inputs between the first and the last tap of an output, from which the outputs of a CSC stage are better
taken class by class: at 128 float32 an input, they are half of a second-level cache of 2 MiB."""
RING_SPEED = 2
"""Products of neighbours together in the time in which a compiled loop makes one."""
PART = 128
"""Places of a ring that are packed at once, unless the taps are more."""


class CyclicKernel(GatherKernel):
    """A CSC stage: output j reads inputs (j + k * stride) mod n_in for k < taps.

    Outputs of one class modulo the stride read the same inputs. Where an output reads from all over the
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


class RingKernel(CyclicKernel):
    """A square CSC stage of at least 3 taps, and no more than a ring has places."""

    def __init__(self, n: int, taps: int, stride: int) -> None:
        super().__init__(n, n, taps, stride)
        count = math.gcd(n, stride)
        places = n // count
        steps = np.arange(3 * places) * (stride % n) % n
        self.rings = ((np.arange(count)[:, None] + steps) % n).astype(np.int32)
        parts = -(-places // max(PART, taps))
        self.part = -(-places // parts)
        self.parts = parts * count

    def _work(self, batch: int) -> int:
        return super()._work(batch) // RING_SPEED

    def forward(self, weights: Array, x: Array) -> Array:
        from workloads.kernels.rings import multiply_rings

        weights, x = alike(weights, x)
        y = np.empty((self.n_out, x.shape[1]), x.dtype)
        given = (self.rings, self.part, weights, x, y)
        share(self.parts, self._work(x.shape[1]), lambda start, stop: multiply_rings(*given, start, stop))
        return y

    def gradients(self, weights: Array, x: Array, dy: Array) -> tuple[Array, Array]:
        from workloads.kernels.rings import multiply_rings_back

        weights, x, dy = alike(weights, x, dy)
        gradient, dx = np.empty(weights.shape, x.dtype), np.empty(x.shape, x.dtype)
        given = (self.rings, self.part, weights, x, dy, gradient, dx)
        work = 2 * self._work(x.shape[1])
        share(self.parts, work, lambda start, stop: multiply_rings_back(*given, start, stop))
        return gradient, dx


def _by_class(count: int, stride: int) -> Array:
    """0 to count - 1, those of equal remainder modulo the stride next to each other."""
    return np.argsort(np.arange(count) % stride, kind="stable").astype(np.int32)
