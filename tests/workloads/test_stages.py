"""What the stages connect."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.workloads.strategies import sizes, stages
from workloads import BlockStage, CscStage, DenseStage, PrunedStage, Stage, TopologyError, build_stage
from workloads.stages import KroneckerStage


@given(stages())
def test_a_stage_describes_its_connections_the_same_way_in_every_form(stage: Stage) -> None:
    columns, lengths = stage.columns(), stage.row_lengths()
    assert columns.dtype == lengths.dtype == np.int64
    assert columns.shape == (stage.stored_weights,) == (math.prod(stage.weight_shape),)
    assert lengths.shape == (stage.n_out,)
    assert lengths.sum() == stage.stored_weights
    assert stage.density == stage.stored_weights / (stage.n_in * stage.n_out)
    weights = np.arange(1, stage.stored_weights + 1).reshape(stage.weight_shape)
    dense = np.zeros((stage.n_out, stage.n_in), dtype=np.int64)
    dense[np.repeat(np.arange(stage.n_out), lengths), columns] = weights.ravel()
    np.testing.assert_array_equal(stage.csr(weights).toarray(), dense)


@given(stages())
def test_no_stage_stores_two_weights_for_one_connection(stage: Stage) -> None:
    assert stage.adjacency().toarray().max(initial=0) <= 1


@given(stages())
def test_a_stage_is_rebuilt_from_its_parameters(stage: Stage) -> None:
    rebuilt = build_stage(stage.kind, stage.parameters())
    assert rebuilt == stage
    assert hash(rebuilt) == hash(stage)


@given(sizes, sizes, st.integers(1, 12), st.integers(1, 30))
def test_a_csc_output_reads_every_stride_th_place_of_the_ring_and_none_twice(
    n_in: int, n_out: int, fan_in: int, stride: int
) -> None:
    stage = CscStage(n_in, n_out, fan_in, stride)
    for output, row in enumerate(stage.columns().reshape(n_out, stage.taps)):
        read: list[int] = []
        for tap in range(fan_in):
            place = (output + tap * stride) % n_in
            if place not in read:
                read.append(place)
        assert list(row) == read


def test_a_fold_from_784_to_300_reads_every_pixel() -> None:
    fold = CscStage(784, 300, 3, 300)
    rows = fold.columns().reshape(300, 3)
    assert list(rows[0]) == [0, 300, 600]
    assert list(rows[299]) == [299, 599, 899 - 784]
    assert set(rows.ravel()) == set(range(784))


def test_the_outputs_of_a_block_read_the_same_interleaved_inputs() -> None:
    stage = BlockStage(blocks=3, block_in=2, block_out=4)
    assert (stage.n_in, stage.n_out, stage.weight_shape) == (6, 12, (3, 4, 2))
    rows = stage.columns().reshape(12, 2)
    for block in range(3):
        for c in range(4):
            assert list(rows[block * 4 + c]) == [block, 3 + block]


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_a_kronecker_stage_is_a_kronecker_product(left: int, outputs: int, inputs: int, right: int) -> None:
    stage = KroneckerStage(left, outputs, inputs, right)
    product = np.kron(np.kron(np.eye(left), np.ones((outputs, inputs))), np.eye(right))
    np.testing.assert_array_equal(stage.adjacency().toarray(), product)
    assert stage.stored_weights == left * outputs * inputs * right


def test_a_block_stage_is_a_kronecker_stage_whose_outputs_are_permuted() -> None:
    block = BlockStage(blocks=3, block_in=2, block_out=4).adjacency().toarray()
    kronecker = KroneckerStage(left=1, outputs=4, inputs=2, right=3).adjacency().toarray()
    np.testing.assert_array_equal(kronecker.reshape(4, 3, 6).swapaxes(0, 1).reshape(12, 6), block)


def test_a_pruned_stage_keeps_its_own_copy_of_the_connections() -> None:
    ends, indices = np.array([0, 1, 2]), np.array([0, 1])
    stage = PrunedStage(2, 2, ends, indices)
    indices[0] = 1
    assert list(stage.indices) == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        stage.indices[0] = 1


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: DenseStage(0, 3), "n_in of DenseStage is 0, allowed are integers of at least 1"),
        (lambda: DenseStage(3, True), "n_out of DenseStage is True"),
        (lambda: CscStage(4, 4, 2.5, 1), "fan_in of CscStage is 2.5, allowed are integers"),  # type: ignore[arg-type]
        (lambda: CscStage(4, 4, 2, 0), "stride of CscStage is 0"),
        (lambda: BlockStage(0, 1, 1), "blocks of BlockStage is 0"),
        (lambda: KroneckerStage(1, 2, 0, 1), "inputs of KroneckerStage is 0"),
        (lambda: PrunedStage(3, 2, np.array([0, 1]), np.array([0])), "allowed are n_out + 1 = 3"),
        (lambda: PrunedStage(3, 2, np.array([0, 2, 1]), np.array([0])), "never fall"),
        (lambda: PrunedStage(3, 1, np.array([0, 1]), np.array([3])), "allowed are 0 to 2"),
        (lambda: PrunedStage(3, 1, np.array([0, 2]), np.array([1, 1])), "increase strictly"),
        (lambda: PrunedStage(3, 1, np.array([0.0, 1.0]), np.array([1])), "vector of integers"),
        (lambda: PrunedStage.from_mask(np.ones(3)), "mask has 1 dimensions"),
        (lambda: build_stage("butterfly", {}), "allowed are block, csc, dense, kronecker, pruned"),
        (lambda: build_stage("dense", {"size": 3}), "are size, allowed are those of its constructor"),
        (lambda: DenseStage(2, 2).csr(np.ones(4)), r"allowed is (2, 2)"),
    ],
)
def test_a_stage_refuses_a_value_by_name(build: Any, message: str) -> None:
    with pytest.raises(TopologyError) as caught:
        build()
    assert message in str(caught.value)
