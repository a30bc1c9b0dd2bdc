"""The products of CSC stages: in tiles of vector registers, or in compiled loops where there are few taps."""

from __future__ import annotations

import math

import numpy as np

from workloads.kernels.kernel import TILE_ROWS, Array, GatherKernel, Kernel, TiledKernel
from workloads.kernels.threads import Part

# Inputs between the first and the last tap of an output, from which the outputs of a CSC stage are better
# taken class by class: at 128 float32 an input, they are half of a second-level cache of 2 MiB.
FAR = 2048
# Taps from which tiles are faster than a compiled loop.
WORTH_TILES = 12
# Places of a ring that are packed at once, unless the taps are more.
PART = 96


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


class BandKernel(TiledKernel):
    """A square CSC stage as rings, in which every output reads the inputs of its own place and the next ones.

    The stride leads from place to place of a ring: of n features, those of one class modulo gcd(n, stride)
    are a ring of n / gcd places. Raises `ValueError` for fewer taps than a tile has rows, or more than a
    ring has places.
    """

    def __init__(self, n: int, taps: int, stride: int) -> None:
        count = math.gcd(n, stride)
        self.taps, self.places = taps, n // count
        if not TILE_ROWS <= taps <= self.places:
            raise ValueError(
                f"taps of a band are {taps}; they must be {TILE_ROWS} to {self.places}, "
                "the places of its ring."
            )
        steps = np.arange(3 * self.places) * (stride % n) % n
        self.rings = ((np.arange(count)[:, None] + steps) % n).ravel()
        parts = -(-self.places // max(PART, taps))
        self.part = -(-self.places // parts)
        super().__init__(n, n, (n, taps), parts=parts * count)

    def _products(self, weights: Array, right: Array, out: Array, *, back: bool) -> Part:
        from workloads.kernels.tiles import multiply_bands

        given = weights.reshape(-1), back, self.taps, self.rings, self.places, self.part
        signals = right.reshape(-1), out.reshape(-1), right.shape[1]
        return lambda start, stop: multiply_bands(*given, *signals, start, stop)

    def _correlations(self, dy: Array, x: Array, gradient: Array) -> Part:
        from workloads.kernels.tiles import correlate_bands

        arrays = dy.reshape(-1), x.reshape(-1), gradient.reshape(-1)
        given = *arrays, self.taps, self.rings, self.places, self.part, x.shape[1]
        return lambda start, stop: correlate_bands(*given, start, stop)


def cyclic_kernel(n_in: int, n_out: int, taps: int, stride: int) -> Kernel:
    """The faster kernel of a CSC stage."""
    if taps >= WORTH_TILES and n_in == n_out:
        return BandKernel(n_in, taps, stride)
    return CyclicKernel(n_in, n_out, taps, stride)


def _by_class(count: int, stride: int) -> Array:
    """0 to count - 1, those of equal remainder modulo the stride next to each other."""
    return np.argsort(np.arange(count) % stride, kind="stable").astype(np.int32)
