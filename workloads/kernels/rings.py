"""Compiled loops over square CSC stages of many taps, in which every output reads its own place and the next.

The stride leads from place to place of a ring: of n features, those of one class modulo gcd(n, stride) are a
ring of n / gcd places. Neighbours on a ring read nearly the same inputs, so four outputs are computed
together, or the gradients of two inputs, and a row that is loaded serves them all. Rings are cut in parts;
the rows that a part reads are packed side by side first, because rows of a large stride would all
fall on the same few lines of a cache.

`rings` (rings, 3 * places) has the features of every ring three times over, so that nothing is taken modulo
n. Rounding is as in `workloads.kernels.compiled`. What works on a few rows is written into its callers
(`inline`), since a call for so little takes half as long again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from workloads.kernels.arrays import Array
from workloads.kernels.compiled import ROUNDING


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _pack(rows: Array, x: Array, packed: Array) -> None:
    for line in range(rows.size):
        row = x[rows[line]]
        for b in range(x.shape[1]):
            packed[line, b] = row[b]


@njit(nogil=True, cache=True, error_model="numpy", fastmath=ROUNDING, inline="always")
def _one_output(w: Array, seen: Array, y: Array) -> None:
    """y = the sum of w[k] seen[k]."""
    y[:] = 0
    for k in range(w.size):
        weight, x = w[k], seen[k]
        for b in range(y.size):
            y[b] += weight * x[b]


@njit(nogil=True, cache=True, error_model="numpy", fastmath=ROUNDING, inline="always")
def _corners(w0: Array, w1: Array, w2: Array, w3: Array, seen: Array, y: tuple[Array, ...]) -> None:
    """What only some of four neighbours read: the lines before 3, and those from the number of taps on."""
    y0, y1, y2, y3 = y
    n = w0.size
    a0, a1, a2, z0, z1, z2 = seen[0], seen[1], seen[2], seen[n], seen[n + 1], seen[n + 2]
    p0, p1, p2, q1, q2, q3 = w0[0], w0[1], w0[2], w1[0], w1[1], w1[n - 1]
    r2, r3, r4, t3, t4, t5 = w2[0], w2[n - 2], w2[n - 1], w3[n - 3], w3[n - 2], w3[n - 1]
    for b in range(y0.size):
        first1, first2, last0, last1 = a1[b], a2[b], z0[b], z1[b]
        y0[b] = p0 * a0[b] + p1 * first1 + p2 * first2
        y1[b] = q1 * first1 + q2 * first2 + q3 * last0
        y2[b] = r2 * first2 + r3 * last0 + r4 * last1
        y3[b] = t3 * last0 + t4 * last1 + t5 * z2[b]


@njit(nogil=True, cache=True, error_model="numpy", fastmath=ROUNDING, inline="always")
def _four_outputs(w0: Array, w1: Array, w2: Array, w3: Array, seen: Array, y: tuple[Array, ...]) -> None:
    """Output r of four reads the lines r to r + taps - 1 of `seen`."""
    _corners(w0, w1, w2, w3, seen, y)
    y0, y1, y2, y3 = y
    q, taps = 3, w0.size
    while q + 4 <= taps:
        a0, a1, a2, a3 = w0[q], w0[q + 1], w0[q + 2], w0[q + 3]
        b0, b1, b2, b3 = w1[q - 1], w1[q], w1[q + 1], w1[q + 2]
        c0, c1, c2, c3 = w2[q - 2], w2[q - 1], w2[q], w2[q + 1]
        d0, d1, d2, d3 = w3[q - 3], w3[q - 2], w3[q - 1], w3[q]
        for b in range(y0.size):
            s0, s1, s2, s3 = seen[q, b], seen[q + 1, b], seen[q + 2, b], seen[q + 3, b]
            y0[b] += a0 * s0 + a1 * s1 + a2 * s2 + a3 * s3
            y1[b] += b0 * s0 + b1 * s1 + b2 * s2 + b3 * s3
            y2[b] += c0 * s0 + c1 * s1 + c2 * s2 + c3 * s3
            y3[b] += d0 * s0 + d1 * s1 + d2 * s2 + d3 * s3
        q += 4
    while q < taps:
        x0, a0, b0, c0, d0 = seen[q], w0[q], w1[q - 1], w2[q - 2], w3[q - 3]
        for b in range(y0.size):
            y0[b] += a0 * x0[b]
            y1[b] += b0 * x0[b]
            y2[b] += c0 * x0[b]
            y3[b] += d0 * x0[b]
        q += 1


@njit(nogil=True, cache=True, error_model="numpy", fastmath=ROUNDING)
def multiply_rings(
    rings: Array, part: int, weights: Array, x: Array, y: Array, start: int, stop: int
) -> None:
    """y = W x for the parts start to stop - 1 of all rings, of `part` places each but the last of a ring."""
    places, taps = rings.shape[1] // 3, weights.shape[1]
    parts = (places + part - 1) // part
    packed = np.empty((part + taps - 1, x.shape[1]), x.dtype)
    for number in range(start, stop):
        first = number % parts * part
        ring = rings[number // parts, first:]
        rows = min(part, places - first)
        _pack(ring[: rows + taps - 1], x, packed)
        r = 0
        while r + 4 <= rows:
            o0, o1, o2, o3 = ring[r], ring[r + 1], ring[r + 2], ring[r + 3]
            out = y[o0], y[o1], y[o2], y[o3]
            _four_outputs(weights[o0], weights[o1], weights[o2], weights[o3], packed[r:], out)
            r += 4
        while r < rows:
            _one_output(weights[ring[r]], packed[r:], y[ring[r]])
            r += 1


@njit(nogil=True, cache=True, error_model="numpy", fastmath=ROUNDING, inline="always")
def _one_connection(weight: float, x: Array, dy: Array, dx: Array) -> Any:
    """dx += weight dy; the gradient of the weight."""
    total = x.dtype.type(0)
    for b in range(x.size):
        total += x[b] * dy[b]
        dx[b] += weight * dy[b]
    return total


@njit(nogil=True, cache=True, error_model="numpy", fastmath=ROUNDING, inline="always")
def _two_inputs(
    outputs: Array,
    weights: Array,
    x: tuple[Array, Array],
    dy: Array,
    gradient: Array,
    dx: tuple[Array, Array],
) -> None:
    """Lines 0 to taps - 1 of `dy` are of the outputs that read the first input, by tap taps - 1 down to 0;
    the second input is read by those one line on."""
    (x0, x1), (dx0, dx1) = x, dx
    last = weights.shape[1] - 1
    dx0[:] = 0
    dx1[:] = 0
    o0, o1 = outputs[0], outputs[last + 1]
    gradient[o0, last] = _one_connection(weights[o0, last], x0, dy[0], dx0)
    gradient[o1, 0] = _one_connection(weights[o1, 0], x1, dy[last + 1], dx1)
    q = 1
    while q + 4 <= last + 1:
        t = last - q
        o0, o1, o2, o3 = outputs[q], outputs[q + 1], outputs[q + 2], outputs[q + 3]
        a0, a1, a2, a3 = weights[o0, t], weights[o1, t - 1], weights[o2, t - 2], weights[o3, t - 3]
        b0, b1, b2, b3 = weights[o0, t + 1], weights[o1, t], weights[o2, t - 1], weights[o3, t - 2]
        s0 = s1 = s2 = s3 = u0 = u1 = u2 = u3 = x0.dtype.type(0)
        for b in range(x0.size):
            v, w = x0[b], x1[b]
            e0, e1, e2, e3 = dy[q, b], dy[q + 1, b], dy[q + 2, b], dy[q + 3, b]
            s0 += v * e0
            s1 += v * e1
            s2 += v * e2
            s3 += v * e3
            u0 += w * e0
            u1 += w * e1
            u2 += w * e2
            u3 += w * e3
            dx0[b] += a0 * e0 + a1 * e1 + a2 * e2 + a3 * e3
            dx1[b] += b0 * e0 + b1 * e1 + b2 * e2 + b3 * e3
        gradient[o0, t], gradient[o1, t - 1], gradient[o2, t - 2], gradient[o3, t - 3] = s0, s1, s2, s3
        gradient[o0, t + 1], gradient[o1, t], gradient[o2, t - 1], gradient[o3, t - 2] = u0, u1, u2, u3
        q += 4
    while q <= last:
        output = outputs[q]
        gradient[output, last - q] = _one_connection(weights[output, last - q], x0, dy[q], dx0)
        gradient[output, last - q + 1] = _one_connection(weights[output, last - q + 1], x1, dy[q], dx1)
        q += 1


@njit(nogil=True, cache=True, error_model="numpy", fastmath=ROUNDING)
def multiply_rings_back(
    rings: Array,
    part: int,
    weights: Array,
    x: Array,
    dy: Array,
    gradient: Array,
    dx: Array,
    start: int,
    stop: int,
) -> None:
    """dx = W' dy and the stored part of dy x' for the inputs of the parts start to stop - 1."""
    places, taps = rings.shape[1] // 3, weights.shape[1]
    parts = (places + part - 1) // part
    packed = np.empty((part + taps - 1, dy.shape[1]), dy.dtype)
    for number in range(start, stop):
        first = number % parts * part
        inputs = rings[number // parts, places + first :]
        outputs = rings[number // parts, places + first - taps + 1 :]
        rows = min(part, places - first)
        _pack(outputs[: rows + taps - 1], dy, packed)
        r = 0
        while r + 2 <= rows:
            i0, i1 = inputs[r], inputs[r + 1]
            seen, slopes = (x[i0], x[i1]), (dx[i0], dx[i1])
            _two_inputs(outputs[r:], weights, seen, packed[r:], gradient, slopes)
            r += 2
        if r < rows:
            dx[inputs[r]] = 0
            for tap in range(taps):
                line = r + taps - 1 - tap
                gradient[outputs[line], tap] = _one_connection(
                    weights[outputs[line], tap], x[inputs[r]], packed[line], dx[inputs[r]]
                )
