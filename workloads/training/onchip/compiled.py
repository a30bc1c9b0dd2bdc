"""The steps of `workloads.training.onchip.arithmetic` in compiled loops, bit for bit, many samples at once.

All stages lie one after another, as in `Wiring`; signals and errors are the inputs, then the outputs of every
row. A loop takes PEs one after another that hardware has side by side: they share no weight and no register.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workloads.kernels.arrays import Array
from workloads.training.onchip.arithmetic import (
    CUT,
    ERRORS_CUT,
    ERRORS_NEAR,
    LEAP,
    NEAR,
    REGISTER_BITS,
    SECOND_TAP,
    WEIGHTS_CUT,
    WORD,
)


@njit(nogil=True, cache=True, error_model="numpy")
def train(
    inputs: Array,
    labels: Array,
    weights: Array,
    columns: Array,
    ends: Array,
    rows: Array,
    firsts: Array,
    spans: Array,
    relu: Array,
    shifts: Array,
    dropped: int,
    tops: Array,
    one: int,
    narrowed: int,
    is_margin: bool,
    is_stochastic: bool,
    in_flight: int,
    registers: Array,
    counts: Array,
) -> int:
    """Trains on inputs (n, n_in) of labels (n,), changes weights, registers and counts in place, and returns
    the sum of the squares of the errors of all scores. `shifts` are those forward, backward and of the update
    (3, stages), `tops` are 1 beyond the largest weight, signal and error, and errors of scores lose their
    last `narrowed` bits. A walk takes a sample back that came so many before its newest: as many as there are
    stages, each of which takes its own forward, or none."""
    stages, n_in, outputs = relu.size, firsts[1] if relu.size > 1 else inputs.shape[1], rows[relu.size]
    kept = np.zeros((in_flight + 1, n_in + outputs), np.int64)
    errors = np.zeros(n_in + outputs, np.int64)
    sums = np.zeros(n_in + outputs, np.int64)
    last, squares = n_in + rows[stages - 1], 0
    for walk in range(labels.size + in_flight):
        for s in range(stages):
            sample = walk - min(s, in_flight)
            if 0 <= sample < labels.size:
                signals = kept[sample % (in_flight + 1)]
                if s == 0:
                    signals[:n_in] = inputs[sample]
                _forward(
                    s, weights, columns, ends, rows, relu[s], shifts[0, s], dropped, tops[1], signals, n_in,
                    counts[s],
                )  # fmt: skip
        sample = walk - in_flight
        signals = kept[sample % (in_flight + 1)]
        if sample >= 0:  # before there is one to take back all errors are 0
            scored, at_scores = signals[last:], errors[last:]
            squares += _score(
                scored, labels[sample], one, is_margin, narrowed, tops[2], at_scores, counts[stages - 1]
            )
        for s in range(stages - 1, -1, -1):
            first, stop = firsts[s], n_in + rows[s]
            sums[first:stop] = 0
            _update(
                s, weights, columns, ends, rows, spans[s], shifts[2, s], dropped, tops[0], is_stochastic,
                registers, signals, errors, n_in, sums, counts[s],
            )  # fmt: skip
            if s > 0:
                _back(first, stop, relu[s - 1], shifts[1, s], tops[2], signals, sums, errors, counts[s - 1])
    return squares


@njit(nogil=True, cache=True, error_model="numpy")
def _forward(
    s: int,
    weights: Array,
    columns: Array,
    ends: Array,
    rows: Array,
    relu: bool,
    shift: int,
    dropped: int,
    top: int,
    signals: Array,
    n_in: int,
    counts: Array,
) -> None:
    half = (1 << shift) >> 1
    cut = near = 0
    for r in range(rows[s], rows[s + 1]):
        total = 0
        for e in range(ends[r], ends[r + 1]):
            total += np.int64(weights[e] >> dropped) * signals[columns[e]]
        y = (total + half) >> shift
        if relu:
            y = max(y, 0)
        cut += y >= top or y < -top
        near += y >= top >> 1 or y < -(top >> 1)
        signals[n_in + r] = min(max(y, -top), top - 1)
    counts[CUT] += cut
    counts[NEAR] += near


@njit(nogil=True, cache=True, error_model="numpy")
def _rounded(value: int, shift: int) -> int:
    half = (1 << shift) >> 1
    return (value + half - (1 if value < 0 and shift > 0 else 0)) >> shift


@njit(nogil=True, cache=True, error_model="numpy")
def _score(
    scores: Array,
    label: int,
    one: int,
    is_margin: bool,
    shift: int,
    top: int,
    errors: Array,
    counts: Array,
) -> int:
    squares = 0
    for j in range(scores.size):
        error = scores[j] - one if j == label else scores[j]
        if is_margin:
            error = min(error, 0) if j == label else max(error + one, 0)
        squares += error * error
        error = _rounded(error, shift)
        counts[ERRORS_CUT] += error >= top or error < -top
        errors[j] = min(max(error, -top), top - 1)
    return squares


@njit(nogil=True, cache=True, error_model="numpy")
def _update(
    s: int,
    weights: Array,
    columns: Array,
    ends: Array,
    rows: Array,
    span: int,
    shift: int,
    dropped: int,
    top: int,
    is_stochastic: bool,
    registers: Array,
    signals: Array,
    errors: Array,
    n_in: int,
    sums: Array,
    counts: Array,
) -> None:
    """One pass over the weights of a stage: the errors of its inputs are summed, and the weights move. A row
    whose error is 0 changes nothing, but its register goes on."""
    pes = registers.size
    down = 1 if shift > 0 and not is_stochastic else 0
    r_of_update, mask = (1 << shift) >> 1, (1 << shift) - 1
    for block in range(rows[s], rows[s + 1], span):
        stop = block + span
        for group in range(block, stop, pes):
            longest = 0
            for r in range(group, min(group + pes, stop)):
                longest = max(longest, ends[r + 1] - ends[r])
            for p in range(pes):
                r, taps = group + p, 0
                register = registers[p]
                if r < stop and errors[n_in + r] != 0:
                    error = errors[n_in + r]
                    taps = ends[r + 1] - ends[r]
                    for e in range(ends[r], ends[r + 1]):
                        weight, place = np.int64(weights[e]), columns[e]
                        sums[place] += (weight >> dropped) * error
                        if is_stochastic:
                            fresh = (register ^ (register >> SECOND_TAP)) & WORD
                            register = (register >> LEAP) | (fresh << (REGISTER_BITS - LEAP))
                            r_of_update = fresh & mask
                        product = error * signals[place]
                        weight += (r_of_update - product - (down if product > 0 else 0)) >> shift
                        if weight >= top or weight < -top:
                            counts[WEIGHTS_CUT] += 1
                        weights[e] = min(max(weight, -top), top - 1)
                if is_stochastic:
                    for _ in range(longest - taps):
                        fresh = (register ^ (register >> SECOND_TAP)) & WORD
                        register = (register >> LEAP) | (fresh << (REGISTER_BITS - LEAP))
                    registers[p] = register


@njit(nogil=True, cache=True, error_model="numpy")
def _back(
    first: int,
    stop: int,
    relu: bool,
    shift: int,
    top: int,
    signals: Array,
    sums: Array,
    errors: Array,
    counts: Array,
) -> None:
    cut = near = 0
    for i in range(first, stop):
        error = 0 if relu and signals[i] <= 0 else _rounded(sums[i], shift)
        cut += error >= top or error < -top
        near += error >= top >> 1 or error < -(top >> 1)
        errors[i] = min(max(error, -top), top - 1)
    counts[ERRORS_CUT] += cut
    counts[ERRORS_NEAR] += near
