"""How near a cascade comes to a matrix, where the optimum is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from numpy.typing import NDArray

from tests.workloads.strategies import stages
from workloads import BlockStage, CscStage, DenseStage, PrunedStage, Stage, TopologyError, build_layer
from workloads.measures.decomposition import (
    MET_WITHIN,
    DecompositionError,
    Loss,
    decompose,
    random_target,
)
from workloads.topology.topology import skips_of

N = 12
EMPTY = PrunedStage(9, 9, np.zeros(10, dtype=np.int64), np.zeros(0, dtype=np.int64))


def matrix(stage: Stage, weights: NDArray[Any], *, skip: bool = False) -> NDArray[Any]:
    return np.asarray(stage.csr(weights).toarray()) + (np.eye(stage.n_in) if skip else 0.0)


def shift(stride: int) -> PrunedStage:
    """Output j reads input j + stride and nothing else."""
    return PrunedStage(N, N, np.arange(N + 1), (np.arange(N) + stride) % N)


@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_a_dense_stage_becomes_any_matrix(loss: Loss) -> None:
    target = random_target(9, N, seed=3)
    found = decompose((DenseStage(N, 9),), target, loss=loss)
    assert found.relative_error < 1e-4
    assert found.met == target.size == found.stored_weights
    assert found.parameter_efficiency == 1


@pytest.mark.parametrize("rank", [1, 3, 6])
def test_two_narrow_dense_stages_come_within_a_percent_of_the_best_matrix_of_their_rank(rank: int) -> None:
    target = random_target(20, 24, seed=rank)
    found = decompose((DenseStage(24, rank), DenseStage(rank, 20)), target)
    values = np.linalg.svd(target, compute_uv=False)
    best = np.sqrt((values[rank:] ** 2).sum() / (values**2).sum())
    assert best * (1 - 1e-9) <= found.relative_error <= best * 1.01


def test_what_lies_outside_the_blocks_is_lost_and_nothing_else() -> None:
    stage = BlockStage(blocks=4, block_in=4, block_out=3)
    target = random_target(12, 16, seed=0)
    lost = np.where(stage.adjacency().toarray() > 0, 0.0, target)
    found = decompose((stage,), target)
    assert found.relative_error == pytest.approx(np.linalg.norm(lost) / np.linalg.norm(target), rel=1e-6)
    met = decompose((stage,), target, loss="l1")
    assert met.met == stage.stored_weights
    assert met.absolute_error == pytest.approx(np.abs(lost).sum() / np.abs(target).sum(), rel=1e-4)


def test_a_cascade_finds_weights_that_make_its_own_product() -> None:
    cascade = build_layer("csc", 16, 16, fan_in=4)
    random = np.random.default_rng(2)
    target = np.eye(16)
    for stage in cascade:
        target = matrix(stage, random.normal(size=stage.weight_shape)) @ target
    assert decompose(cascade, target, seed=1).relative_error < 1e-4


def test_skips_reach_what_the_same_stages_cannot_reach_alone() -> None:
    """Two weighted shifts make one shift by both strides; with skips also the identity and each by itself."""
    cascade = (shift(1), shift(3))
    random = np.random.default_rng(5)
    first, second = (matrix(stage, random.normal(size=N), skip=True) for stage in cascade)
    target = second @ first
    assert decompose(cascade, target, skips=(True, True)).relative_error < 1e-4
    together = matrix(shift(4), np.ones(N)) > 0
    lost = np.linalg.norm(np.where(together, 0.0, target)) / np.linalg.norm(target)
    assert decompose(cascade, target).relative_error == pytest.approx(lost, rel=1e-6)


@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_a_skip_changes_nothing_where_the_stage_has_a_weight_on_its_diagonal(loss: Loss) -> None:
    stage, target = CscStage(N, N, fan_in=3, stride=2), random_target(N, N, seed=4)
    without = decompose((stage,), target, loss=loss)
    skipped = decompose((stage,), target, loss=loss, skips=(True,))
    assert skipped.relative_error == pytest.approx(without.relative_error, rel=1e-4)
    np.testing.assert_allclose(skipped.product, without.product, atol=1e-4)


def test_a_skip_adds_the_diagonal_of_one_where_the_stage_has_none() -> None:
    """An error of (w - 1)^2 in place of w^2 on the diagonal, and the same elsewhere."""
    target = random_target(N, N, seed=6) + np.eye(N)
    kept = matrix(shift(1), np.ones(N)) > 0
    lost = np.where(kept, 0.0, target)
    for skip in (False, True):
        left = np.linalg.norm(lost - skip * np.eye(N)) / np.linalg.norm(target)
        found = decompose((shift(1),), target, skips=(skip,))
        assert found.relative_error == pytest.approx(left, rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.data(), st.integers(0, 99), st.sampled_from(["l1", "l2"]))
def test_the_figures_describe_the_product_of_the_weights(data: st.DataObject, seed: int, loss: Loss) -> None:
    first = data.draw(stages())
    cascade = (first, data.draw(stages(n_in=first.n_out)))
    assume(all(stage.stored_weights for stage in cascade))
    skips = skips_of((cascade,)) if data.draw(st.booleans()) else ()
    target = random_target(cascade[-1].n_out, first.n_in, seed)
    found = decompose(cascade, target, loss=loss, skips=skips, seed=seed, iterations=26)
    product = np.eye(first.n_in)
    for place, (stage, weights) in enumerate(zip(cascade, found.weights, strict=True)):
        product = matrix(stage, weights, skip=bool(skips) and skips[place]) @ product
    np.testing.assert_allclose(found.product, product, atol=1e-9)
    difference = product - target
    assert found.relative_error == pytest.approx(np.linalg.norm(difference) / np.linalg.norm(target))
    assert found.absolute_error == pytest.approx(np.abs(difference).sum() / np.abs(target).sum())
    assert found.met == (np.abs(difference) < MET_WITHIN * np.sqrt((target**2).mean())).sum()


def test_the_same_call_gives_the_same_weights_and_another_seed_others() -> None:
    cascade = build_layer("csc", 16, 16, fan_in=2)
    target = random_target(16, 16, seed=0)
    once, again, other = (decompose(cascade, target, loss="l1", seed=s, iterations=26) for s in (7, 7, 8))
    assert all(np.array_equal(a, b) for a, b in zip(once.weights, again.weights, strict=True))
    assert not np.array_equal(once.product, other.product)


def test_a_random_target_keeps_the_norm_of_a_signal() -> None:
    target = random_target(200, 150, seed=1)
    assert np.array_equal(target, random_target(200, 150, seed=1))
    assert not np.array_equal(target, random_target(200, 150, seed=2))
    assert (target**2).sum() == pytest.approx(200, rel=0.02)


def test_a_deep_cascade_wastes_weights_that_skips_bring_back() -> None:
    """Eight weighted shifts make one shift, of N entries; with skips they meet many times as many."""
    cascade, target = tuple(shift(1 + number % 5) for number in range(8)), random_target(N, N, seed=1)
    alone = decompose(cascade, target, loss="l1", iterations=390)
    skipped = decompose(cascade, target, loss="l1", skips=(True,) * 8, iterations=390)
    assert alone.stored_weights == 8 * N
    assert alone.met == N
    assert skipped.met > 4 * N


@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_a_deep_cascade_with_skips_stays_finite(loss: Loss) -> None:
    cascade = tuple(shift(1 + number % 5) for number in range(32))
    found = decompose(cascade, random_target(N, N, seed=0), loss=loss, skips=(True,) * 32, iterations=39)
    assert found.absolute_error < 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"loss": "l3"}, "loss of a decomposition is 'l3', allowed are"),
        (
            {"skips": (True,)},
            "skips has 1 entries, allowed are 2, one a stage, or none",
        ),
        (
            {"skips": (False, True)},
            "skips of stage 1 is true, with 12 inputs and 9 outputs, allowed is false",
        ),
        ({"iterations": 0}, "iterations of a decomposition is 0, allowed are integers of at least 1"),
        ({"target": np.zeros((9, N))}, "is zero everywhere or not finite, allowed is finite"),
        ({"target": np.full((9, N), np.nan)}, "is zero everywhere or not finite, allowed is finite"),
        ({"target": np.ones((N, 9))}, "shape of target is (12, 9), allowed are (9, 12)"),
        (
            {"stages": (DenseStage(N, 9), EMPTY)},
            "stored_weights of stage 1 of a decomposition is 0, allowed are values of at least 1",
        ),
        ({"stages": (DenseStage(N, 9), DenseStage(N, 9))}, "n_in of stage 1 is 12, allowed is 9"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(change: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {
        "stages": (DenseStage(N, N), DenseStage(N, 9)),
        "target": random_target(9, N, seed=0),
    }
    with pytest.raises((DecompositionError, TopologyError)) as refusal:
        decompose(**(given | change))
    assert said in str(refusal.value)
