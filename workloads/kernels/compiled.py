"""Compiled loops over the connections of a sparse stage, and over the weights of an update.

A row is the batch of one feature, contiguous in memory; the innermost loop runs along it and is vectorised.
Connections are taken four at a time, so that a row of results is loaded and stored once for four products.

Rounding of a stage's products: they may be fused into sums (`contract`), and a sum along the batch is taken
in several strands (`reassoc`, which `nsz` makes possible), so results differ from numpy's in the last bits of
float32 or float64. NaN and infinity are kept. The order is that of the compiled code, always the same on
one machine.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workloads.kernels.arrays import Array

ROUNDING = {"contract", "reassoc", "nsz"}


@njit(nogil=True, cache=True, error_model="numpy", fastmath=ROUNDING)
def multiply(
    order: Array, ends: Array, columns: Array, weights: Array, x: Array, y: Array, start: int, stop: int
) -> None:
    """y = W x for the outputs order[start:stop]; output j has the weights ends[j] to ends[j + 1]."""
    batch = x.shape[1]
    for number in range(start, stop):
        j = order[number]
        row, e, end = y[j], ends[j], ends[j + 1]
        if end - e >= 4:
            w0, w1, w2, w3 = weights[e], weights[e + 1], weights[e + 2], weights[e + 3]
            x0, x1, x2, x3 = x[columns[e]], x[columns[e + 1]], x[columns[e + 2]], x[columns[e + 3]]
            for b in range(batch):
                row[b] = w0 * x0[b] + w1 * x1[b] + w2 * x2[b] + w3 * x3[b]
            e += 4
        else:
            row[:] = 0
        while e + 4 <= end:
            w0, w1, w2, w3 = weights[e], weights[e + 1], weights[e + 2], weights[e + 3]
            x0, x1, x2, x3 = x[columns[e]], x[columns[e + 1]], x[columns[e + 2]], x[columns[e + 3]]
            for b in range(batch):
                row[b] += w0 * x0[b] + w1 * x1[b] + w2 * x2[b] + w3 * x3[b]
            e += 4
        while e < end:
            w0, x0 = weights[e], x[columns[e]]
            for b in range(batch):
                row[b] += w0 * x0[b]
            e += 1


@njit(nogil=True, cache=True, error_model="numpy", fastmath=ROUNDING)
def multiply_back(
    order: Array,
    ends: Array,
    rows: Array,
    places: Array,
    weights: Array,
    x: Array,
    dy: Array,
    gradient: Array,
    dx: Array,
    start: int,
    stop: int,
) -> None:
    """dx = W' dy and the stored part of dy x' for the inputs order[start:stop], reading each row of dy once.

    Input i has the connections ends[i] to ends[i + 1]: connection e leads to output rows[e] and its weight is
    weights[places[e]].
    """
    batch = x.shape[1]
    for number in range(start, stop):
        i = order[number]
        seen, row, e, end = x[i], dx[i], ends[i], ends[i + 1]
        row[:] = 0
        while e + 4 <= end:
            p0, p1, p2, p3 = places[e], places[e + 1], places[e + 2], places[e + 3]
            w0, w1, w2, w3 = weights[p0], weights[p1], weights[p2], weights[p3]
            d0, d1, d2, d3 = dy[rows[e]], dy[rows[e + 1]], dy[rows[e + 2]], dy[rows[e + 3]]
            s0 = s1 = s2 = s3 = x.dtype.type(0)
            for b in range(batch):
                value = seen[b]
                s0 += value * d0[b]
                s1 += value * d1[b]
                s2 += value * d2[b]
                s3 += value * d3[b]
                row[b] += w0 * d0[b] + w1 * d1[b] + w2 * d2[b] + w3 * d3[b]
            gradient[p0], gradient[p1], gradient[p2], gradient[p3] = s0, s1, s2, s3
            e += 4
        while e < end:
            p0, d0 = places[e], dy[rows[e]]
            w0, s0 = weights[p0], x.dtype.type(0)
            for b in range(batch):
                s0 += seen[b] * d0[b]
                row[b] += w0 * d0[b]
            gradient[p0] = s0
            e += 1


@njit(nogil=True, cache=True, error_model="numpy", fastmath=ROUNDING)
def correlate(
    order: Array, ends: Array, columns: Array, x: Array, dy: Array, gradient: Array, start: int, stop: int
) -> None:
    """The stored part of dy x' for the outputs order[start:stop]."""
    batch = x.shape[1]
    for number in range(start, stop):
        j = order[number]
        row, e, end = dy[j], ends[j], ends[j + 1]
        while e + 4 <= end:
            x0, x1, x2, x3 = x[columns[e]], x[columns[e + 1]], x[columns[e + 2]], x[columns[e + 3]]
            s0 = s1 = s2 = s3 = x.dtype.type(0)
            for b in range(batch):
                value = row[b]
                s0 += value * x0[b]
                s1 += value * x1[b]
                s2 += value * x2[b]
                s3 += value * x3[b]
            gradient[e], gradient[e + 1], gradient[e + 2], gradient[e + 3] = s0, s1, s2, s3
            e += 4
        while e < end:
            x0, s0 = x[columns[e]], x.dtype.type(0)
            for b in range(batch):
                s0 += row[b] * x0[b]
            gradient[e] = s0
            e += 1


@njit(nogil=True, cache=True, error_model="numpy")
def adam(
    weights: Array,
    gradient: Array,
    first: Array,
    second: Array,
    first_share: float,
    second_share: float,
    keep: float,
    size: float,
    scale: float,
    epsilon: float,
) -> None:
    """The update of `workloads.kernels.update`, every operation rounded as numpy rounds it."""
    for place in range(weights.size):
        slope = gradient[place]
        mean = first[place] + first_share * (slope - first[place])
        square = second[place] + second_share * (slope * slope - second[place])
        first[place], second[place] = mean, square
        weights[place] = weights[place] * keep - size * mean / (np.sqrt(square) * scale + epsilon)
