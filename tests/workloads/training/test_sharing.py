"""Weight sharing: k-means in one dimension, the same each time, never worse than even steps."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from workloads import TrainedNetwork, import_network, load_network, quantise, share_weights
from workloads.training.sharing import SharingError, cluster, share

WEIGHTS = st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=40)


def lost(weights: NDArray[Any], clustered: NDArray[Any]) -> float:
    return float(np.sum((weights.astype(np.float64) - clustered) ** 2))


@settings(max_examples=80)
@given(values=WEIGHTS, count=st.integers(1, 9))
def test_a_centroid_is_the_mean_of_its_weights_which_are_nearest_to_it(
    values: list[float], count: int
) -> None:
    weights = np.array(values)
    clustered = cluster(weights, count)
    centroids = np.unique(clustered)
    assert len(centroids) <= count
    if len(np.unique(weights)) <= count:
        assert np.array_equal(clustered, weights)
        return
    for centroid in centroids:
        assert weights[clustered == centroid].mean() == pytest.approx(centroid, abs=1e-9)
    distances = np.abs(weights[:, None] - centroids)
    assert np.abs(weights - clustered) == pytest.approx(distances.min(axis=1), abs=1e-9)


def test_it_is_near_the_best_of_all_clusterings() -> None:
    weights = np.sort(np.random.default_rng(3).normal(size=12))
    best = min(
        sum(lost(part, part.mean()) for part in np.split(weights, cuts))
        for cuts in itertools.combinations(range(1, 12), 3)
    )
    assert best <= lost(weights, cluster(weights, 4)) <= 1.5 * best
    even = np.linspace(weights[0], weights[-1], 4)
    steps = even[np.abs(weights[:, None] - even).argmin(axis=1)]
    assert lost(weights, cluster(weights, 4)) < lost(weights, steps)


def test_shapes_types_and_zeros_between_stay() -> None:
    weights = np.random.default_rng(0).normal(size=(6, 7)).astype(np.float32)
    (clustered,) = share([weights], 2)
    assert (clustered.shape, clustered.dtype) == (weights.shape, weights.dtype)
    assert len(np.unique(clustered)) == 3


@pytest.fixture(scope="module")
def shared() -> TrainedNetwork:
    return share_weights(load_network("lenet-300-100-pruned-x40"), 4)


def test_a_shared_network_has_few_weights_at_every_width(shared: TrainedNetwork) -> None:
    for bits in (4, 8, 16):
        for stage in quantise(shared, bits, 8).stages:
            assert len(np.unique(stage.weights)) <= 15
    assert shared.remarks[-1] == ("the weights of each stage are at most 15 different ones, found by k-means")
    assert not shared.accuracy


def test_an_import_shares_weights_and_measures_anew() -> None:
    random = np.random.default_rng(1)
    first, second = random.normal(size=(12, 20)), random.normal(size=(4, 12))
    inputs, labels = random.random((40, 20)), random.integers(0, 4, 40)
    made = import_network([first, second], inputs=inputs, labels=labels, codebook_bits=3)
    assert isinstance(made, TrainedNetwork)
    assert all(len(np.unique(weights)) <= 7 for weights in made.weights)
    assert "int8" in made.accuracy
    again = import_network(made, inputs=inputs, labels=labels, codebook_bits=2)
    assert all(len(np.unique(weights)) <= 3 for weights in again.weights)


@pytest.mark.parametrize("bits", [1, 9, True, 2.5, "4"])
def test_other_bits_are_refused(bits: Any, shared: TrainedNetwork) -> None:
    with pytest.raises(SharingError, match=r"codebook_bits is .*, allowed are 2 to 8"):
        share_weights(shared, bits)
    with pytest.raises(SharingError, match=r"codebook_bits is .*, allowed are 2 to 8"):
        import_network([np.eye(4)], codebook_bits=bits)
