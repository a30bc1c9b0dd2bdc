"""Training one sample at a time in floating point, in order or with forward, backward and update overlapped.

What integers are held against: the same loss, the same rates, and nothing rounded. Time goes in blocks, in
each of which a stage takes one sample forward and one backward, both with the weights at its beginning. Of S
stages, stage s takes sample n

    none       forward and backward in block n, stages one after another: plain gradient descent
    pipelined  forward in block n + s, backward and update in block n + S, from the last stage to the first:
               a walk of `workloads.training.onchip`
    junctions  forward in block n + s, backward and update in block n + 2 S - 1 - s

so that its update is of a sample that it took forward S - s blocks before, or 2 (S - s) - 1, of signals that
were kept and of weights that have changed since. `junctions` is the schedule of Dey et al., JETCAS 2019,
whose engine overlaps all three; of one stage the two are the same.
"""

from __future__ import annotations

import itertools

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workloads import LabelledData, Recipe
from workloads.kernels.arrays import Array
from workloads.training.models.model import Model, initial_arrays
from workloads.training.onchip.trainer import Wiring


def fitted(recipe: Recipe, data: LabelledData, *, loss: str, overlap: str) -> Model:
    """The model that a recipe of one sample at a time comes to, from the weights and in the order of samples
    that `workloads.training.run` has of the same seed."""
    seeds = np.random.SeedSequence(recipe.seed).spawn(3)
    initial, order = (np.random.default_rng(seed) for seed in seeds[:2])
    topology, samples, rates = recipe.topology(), len(data.train_labels), recipe.rate.levels
    wiring, stages = Wiring.of(topology), len(topology.stages)
    weights = np.concatenate([array.ravel() for array in initial_arrays(topology, initial, init=recipe.init)])
    numbers = np.arange(stages)
    lags = {
        "none": (0 * numbers, 0 * numbers),
        "pipelined": (numbers, 0 * numbers + stages),
        "junctions": (numbers, 2 * stages - 1 - numbers),
    }[overlap]
    places = topology.input_places
    images = data.train_inputs[:, list(places)] if places else data.train_inputs
    for epoch in range(recipe.epochs):
        steps = np.arange(samples) + epoch * samples
        course = np.array(rates, np.float32)[steps * len(rates) // (samples * recipe.epochs)]
        chosen = order.permutation(samples)
        _train(
            images,
            data.train_labels,
            chosen,
            course,
            weights,
            wiring.columns,
            wiring.ends,
            wiring.rows,
            wiring.firsts,
            wiring.relu,
            np.array(lags),
            loss == "margin",
        )
    ends = [0, *itertools.accumulate(stage.stored_weights for stage in topology.stages)]
    parts = zip(topology.stages, itertools.pairwise(ends), strict=True)
    return Model(topology, [weights[start:stop].reshape(s.weight_shape) for s, (start, stop) in parts])


@njit(nogil=True, cache=True, error_model="numpy")
def _train(
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    order: NDArray[np.int64],
    rates: NDArray[np.float32],
    weights: NDArray[np.float32],
    columns: Array,
    ends: Array,
    rows: Array,
    firsts: Array,
    relu: Array,
    lags: Array,
    is_margin: bool,
) -> None:
    """Takes images (n, n_in) in an order, at a rate each, and changes weights in place; `lags` (2, stages)
    are those of a stage forward and backward, in blocks."""
    stages, n_in = relu.size, images.shape[1]
    kept = lags.max() + 1
    signals = np.zeros((kept, n_in + rows[stages]), np.float32)
    errors = np.zeros((kept, n_in + rows[stages]), np.float32)
    last, samples = n_in + rows[stages - 1], order.size
    for block in range(samples + kept - 1):
        if block < samples:
            signals[block % kept, :n_in] = images[order[block]]
        for s in range(stages):
            sample = block - lags[0, s]
            if 0 <= sample < samples:
                seen = signals[sample % kept]
                for r in range(rows[s], rows[s + 1]):
                    total = np.float32(0)
                    for e in range(ends[r], ends[r + 1]):
                        total += weights[e] * seen[columns[e]]
                    seen[n_in + r] = max(total, np.float32(0)) if relu[s] else total
                if s == stages - 1:
                    _score(seen[last:], labels[order[sample]], is_margin, errors[sample % kept, last:])
        for s in range(stages - 1, -1, -1):
            sample = block - lags[1, s]
            if 0 <= sample < samples:
                seen, slopes, rate = signals[sample % kept], errors[sample % kept], rates[sample]
                first, stop = firsts[s], n_in + rows[s]
                slopes[first:stop] = 0
                for r in range(rows[s], rows[s + 1]):
                    slope = slopes[n_in + r]
                    if slope != 0:
                        for e in range(ends[r], ends[r + 1]):
                            place = columns[e]
                            slopes[place] += weights[e] * slope
                            weights[e] -= rate * slope * seen[place]
                if s > 0 and relu[s - 1]:
                    for place in range(first, stop):
                        if seen[place] <= 0:
                            slopes[place] = 0


@njit(nogil=True, cache=True, error_model="numpy")
def _score(scores: Array, label: int, is_margin: bool, slopes: Array) -> None:
    """The slope of the loss of scores: of half a squared hinge, or of the cross-entropy."""
    if is_margin:
        for j in range(scores.size):
            if j == label:
                slopes[j] = min(scores[j] - np.float32(1), np.float32(0))
            else:
                slopes[j] = max(scores[j] + np.float32(1), np.float32(0))
        return
    powers = np.exp(scores - scores.max())
    slopes[:] = powers / powers.sum()
    slopes[label] -= np.float32(1)
