"""A stage that was scattered into a matrix is recognised, and what is not exactly one is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, strategies as st

from tests.workloads.strategies import (
    block_stages,
    csc_stages,
    kronecker_stages,
    pruned_stages,
    sizes,
    stages,
)
from workloads import BlockStage, CscStage, DenseStage, KroneckerStage, PrunedStage, Stage
from workloads.importers.structure import structures
from workloads.topology.recognise import Pattern, chosen, low_rank, readings, told_pattern, weights_of


def scattered(stage: Stage, seed: int = 0) -> scipy.sparse.csr_array:
    """A matrix of a stage's places, with numbers that tell them apart."""
    random = np.random.default_rng(seed)
    weights = random.permutation(stage.stored_weights).reshape(stage.weight_shape) + 1.0
    return scipy.sparse.csr_array(stage.csr(weights).toarray())


def read(matrix: scipy.sparse.csr_array) -> tuple[Stage, ...]:
    return readings(Pattern.of(matrix))


@given(stages())
def test_every_reading_of_a_stage_gives_its_matrix_back(stage: Stage) -> None:
    matrix = scattered(stage)
    for reading in read(matrix):
        np.testing.assert_array_equal(
            reading.csr(weights_of(reading, matrix)).toarray(), matrix.toarray().astype(np.float32)
        )


@given(sizes.flatmap(csc_stages) | sizes.flatmap(block_stages) | sizes.flatmap(kronecker_stages))
def test_a_regular_stage_is_never_taken_for_an_irregular_one(stage: Stage) -> None:
    kinds = {reading.kind for reading in read(scattered(stage))}
    dense = stage.stored_weights == stage.n_in * stage.n_out
    assert kinds == {"dense", "pruned"} if dense else stage.kind in kinds


@given(sizes.flatmap(pruned_stages))
def test_an_irregular_stage_is_read_as_itself(stage: Stage) -> None:
    assert read(scattered(stage))[-1] == stage


@given(stages(), st.data())
def test_one_weight_more_or_less_is_another_pattern(stage: Stage, data: st.DataObject) -> None:
    matrix = scattered(stage).toarray()
    row = data.draw(st.integers(0, stage.n_out - 1))
    column = data.draw(st.integers(0, stage.n_in - 1))
    matrix[row, column] = 0.0 if matrix[row, column] else 1.0
    assert not Pattern.of(scipy.sparse.csr_array(matrix)).is_of(stage)


@pytest.mark.parametrize(
    ("stage", "kind"),
    [
        (DenseStage(7, 5), "dense"),
        (CscStage(300, 100, 5, 25), "csc"),
        (CscStage(784, 300, 3, 300), "csc"),
        (BlockStage(28, 28, 12), "block"),
        (KroneckerStage(4, 3, 7, 5), "kronecker"),
        (KroneckerStage(8, 3, 4, 1), "kronecker"),
    ],
)
def test_stages_as_families_make_them_are_recognised(stage: Stage, kind: str) -> None:
    first = read(scattered(stage))[0]
    assert (first.kind, first) == (kind, stage)


def test_a_block_diagonal_matrix_is_one_of_dense_blocks() -> None:
    blocks: Any = scipy.sparse.block_diag([np.ones((3, 4))] * 5, format="csr")
    assert read(scipy.sparse.csr_array(blocks))[0] == KroneckerStage(5, 3, 4, 1)


def test_a_band_around_the_diagonal_is_no_ring_from_its_own_place_on() -> None:
    band = np.eye(8) + np.roll(np.eye(8), 1, axis=1) + np.roll(np.eye(8), -1, axis=1)
    assert [stage.kind for stage in read(scipy.sparse.csr_array(band))] == ["pruned"]
    ring = np.eye(8) + np.roll(np.eye(8), 1, axis=1) + np.roll(np.eye(8), 2, axis=1)
    assert read(scipy.sparse.csr_array(ring))[0] == CscStage(8, 8, 3, 1)


def test_a_matrix_without_weights_is_pruned() -> None:
    (stage,) = read(scipy.sparse.csr_array((4, 6)))
    assert isinstance(stage, PrunedStage)
    assert stage.stored_weights == 0


def test_rings_are_chosen_where_one_engine_then_runs_all() -> None:
    both, ring, block = BlockStage(4, 1, 1), CscStage(4, 4, 2, 1), BlockStage(2, 2, 2)
    of_both, of_ring, of_block = (read(scattered(stage)) for stage in (both, ring, block))
    assert [stage.kind for stage in chosen([of_both, of_ring])] == ["csc", "csc"]
    assert [stage.kind for stage in chosen([of_both, of_block])] == ["block", "block"]


@given(st.integers(1, 5), st.integers(0, 9))
def test_a_matrix_of_low_rank_is_a_product(rank: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix = (random.normal(size=(40, rank)) @ random.normal(size=(rank, 30))).astype(np.float32)
    factors = low_rank(matrix)
    assert factors is not None
    outer, seen = factors
    assert (outer.shape, seen.shape) == ((40, rank), (rank, 30))
    np.testing.assert_allclose(outer @ seen, matrix, rtol=0, atol=2e-5 * np.abs(matrix).max())


@pytest.mark.parametrize("shape", [(40, 30), (1, 9), (2, 2), (300, 400)])
def test_a_matrix_of_full_rank_is_none(shape: tuple[int, int]) -> None:
    assert low_rank(np.random.default_rng(0).normal(size=shape)) is None


def test_what_is_nearly_of_low_rank_is_not() -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(40, 3)) @ random.normal(size=(3, 30))
    matrix[4, 5] += 1e-4
    assert low_rank(matrix) is None
    assert low_rank(np.zeros((9, 9))) is None


def of_mask(mask: Any) -> str:
    return told_pattern(PrunedStage.from_mask(np.asarray(mask)))


def test_a_pattern_of_groups_may_have_a_short_last_one_and_a_few_zeros() -> None:
    groups = np.tile([1, 0, 1, 0], (6, 5))
    groups[::2] = np.roll(groups[::2], 1, axis=1)
    groups[1] = np.tile([1, 1, 0, 0], 5)
    assert of_mask(groups) == "pruned, 2:4"
    assert of_mask(groups[:, :18]) == "pruned, 2:4"
    few, many = groups.copy(), groups.copy()
    few[2, 1] = few[4, 7] = 0
    many[:, 4:10] = 0
    assert of_mask(few) == "pruned, 2:4"
    assert of_mask(many) == "pruned"


def test_blocks_may_be_cut_at_the_last_rows_and_columns() -> None:
    blocks = np.kron([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 1]], np.ones((4, 4), dtype=int))
    assert of_mask(blocks) == "pruned, blocks of 4 × 4"
    assert of_mask(blocks[:10, :14]) == "pruned, blocks of 4 × 4"


def test_half_of_each_group_is_kept_with_indices_though_it_is_more_than_half_of_all() -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(7, 18)) * (np.argsort(random.random((7, 5, 4))).reshape(7, 20) < 2)[:, :18]
    matrix[:, 16:] = 1.0
    assert np.count_nonzero(matrix) > 0.5 * matrix.size
    (found,) = structures([("layer", matrix)])
    assert [told_pattern(stage) for stage in found.stages] == ["pruned, 2:4"]
