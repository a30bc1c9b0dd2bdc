"""Weight sharing: the weights of each stage become a few, so that a short number names each of them.

By k-means in one dimension, with linear initialisation: centroids begin evenly between the least and the
largest weight, so that the few large weights, which matter most, keep some. S. Han, H. Mao, W. J. Dally, Deep
Compression, ICLR 2016, section 3. Nothing is trained afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal
from workloads.topology.network import TrainedNetwork

CODEBOOK_BITS = range(2, 9)
MOST_ROUNDS = 1000
"""Rounds of k-means, of which a thousand weights take some tens until nothing moves."""


class SharingError(Refusal):
    """Weights cannot be shared as asked; the message says what can."""


def cluster(weights: NDArray[Any], count: int) -> NDArray[Any]:
    """The weights, of any shape, each as the nearest of at most `count` centroids; those that are no more
    than that already stay as they are."""
    values, places, times = np.unique(weights.astype(np.float64), return_inverse=True, return_counts=True)
    if len(values) <= count:
        return weights
    below = np.concatenate([[0], np.cumsum(times)])
    sums = np.concatenate([[0.0], np.cumsum(values * times)])
    centroids, edges = np.linspace(values[0], values[-1], count), np.zeros(0, dtype=np.int64)
    for _ in range(MOST_ROUNDS):
        before, halfway = edges, (centroids[1:] + centroids[:-1]) / 2
        edges = np.concatenate([[0], np.searchsorted(values, halfway), [len(values)]])
        if np.array_equal(edges, before):
            break
        number, total = np.diff(below[edges]), np.diff(sums[edges])
        # One that no weight is nearest to stays where it is.
        centroids = np.where(number > 0, total / np.maximum(number, 1), centroids)
    nearest = np.repeat(centroids, np.diff(edges))
    return nearest[places].reshape(weights.shape).astype(weights.dtype)


def most_weights(bits: int) -> int:
    """How many weights numbers of so many bits name, beside the zero of padding. Raises SharingError for bits
    that are not from 2 to 8."""
    if isinstance(bits, bool) or not isinstance(bits, int) or bits not in CODEBOOK_BITS:
        raise SharingError.of("codebook_bits", bits, f"{CODEBOOK_BITS.start} to {CODEBOOK_BITS.stop - 1}")
    return (1 << bits) - 1


def share(weights: Iterable[NDArray[Any]], bits: int) -> tuple[NDArray[Any], ...]:
    """The weights of every stage, at most 2^bits - 1 different ones in each: the code that is left names the
    zeros between them. Raises SharingError as `most_weights` does."""
    most = most_weights(bits)
    return tuple(cluster(array, most) for array in weights)


def remark(bits: int) -> str:
    """What has to be said of a network with shared weights. Raises SharingError as `most_weights` does."""
    return f"the weights of each stage are at most {most_weights(bits)} different ones, found by k-means"


def share_weights(network: TrainedNetwork, bits: int) -> TrainedNetwork:
    """The network with at most 2^bits - 1 different weights in each stage, so that an engine with a codebook
    of so many bits runs it. What was known of its accuracy is not of this one. Biases stay as they are.
    Raises SharingError as `share` does."""
    weights, remarks = share(network.weights, bits), (*network.remarks, remark(bits))
    return replace(network, weights=weights, accuracy={}, remarks=remarks)
