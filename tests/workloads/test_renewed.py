"""A network of ours that is imported again: without the zeros that it stored, on the inputs given."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.workloads.matrices import outputs
from workloads import (
    Calibration,
    CscStage,
    DenseStage,
    NetworkFileError,
    PrunedStage,
    Stage,
    Topology,
    TrainedNetwork,
    import_network,
    load_network,
)

RANDOM = np.random.default_rng(3)
PERCENTILES = (99.0, 99.9, 99.99, 100.0)


def network(*layers: tuple[Stage, np.ndarray], name: str = "ours") -> TrainedNetwork:
    """A network of one stage a layer."""
    return TrainedNetwork(
        name=name,
        topology=Topology(tuple((stage,) for stage, _ in layers)),
        weights=tuple(np.asarray(weights, dtype=np.float32) for _, weights in layers),
        calibration=Calibration(PERCENTILES, ((1.0,) * 4,) * len(layers)),
        recipe={"trained": "elsewhere"},
        accuracy={"float": 0.5, "int8": 0.25},
    )


def masked(n_out: int, n_in: int, share: float) -> np.ndarray:
    """A full matrix of which this share of the weights is zero."""
    matrix = RANDOM.normal(size=(n_out, n_in))
    matrix.ravel()[RANDOM.permutation(matrix.size)[: int(share * matrix.size)]] = 0
    return matrix


def test_a_full_matrix_of_zeros_becomes_a_pruned_one_and_all_else_stays(tmp_path: Path) -> None:
    matrix = masked(40, 60, 0.9)
    before = network((DenseStage(60, 40), matrix), (DenseStage(40, 5), RANDOM.normal(size=(5, 40))))
    before.save(tmp_path / "masked.npz")
    for source in (before, tmp_path / "masked.npz"):
        after = import_network(source)
        assert [stage.kind for stage in after.topology.stages] == ["pruned", "dense"]
        assert after.stored_weights == 240 + 200
        x = RANDOM.random((60, 3))
        np.testing.assert_allclose(outputs(after, x), outputs(before, x), rtol=1e-6)
        assert (after.calibration, after.accuracy) == (before.calibration, before.accuracy)
        assert (after.name, after.recipe, after.remarks) == (before.name, before.recipe, ())
    assert load_network(tmp_path / "masked.npz").stored_weights == before.stored_weights


def test_zeros_that_leave_a_ring_leave_a_ring() -> None:
    ring = CscStage(12, 12, 3, 4)
    after = import_network(network((DenseStage(12, 12), ring.csr(np.ones(ring.weight_shape)).toarray())))
    assert after.topology.stages == (ring,)


def test_stored_zeros_of_a_pruned_stage_are_given_up() -> None:
    stage = PrunedStage.from_mask(np.ones((2, 3)) > 0)
    after = import_network(network((stage, np.array([1.0, 0, 0, 0, 2.0, 0]))))
    assert after.topology.stages[0].columns().tolist() == [0, 1]


@pytest.mark.parametrize("share", [0.0, 0.2, 0.4])
def test_few_zeros_change_nothing(share: float) -> None:
    before = network((DenseStage(20, 10), masked(10, 20, share)))
    assert import_network(before) is not before
    assert import_network(before).topology == before.topology


def test_with_inputs_scales_samples_and_accuracy_are_found_anew() -> None:
    weights = RANDOM.normal(size=(4, 9))
    inputs = RANDOM.normal(size=(200, 9))
    labels = np.argmax(weights @ inputs.T, axis=0)
    after = import_network(network((DenseStage(9, 4), weights)), inputs=inputs, labels=labels, name="again")
    assert after.name == "again"
    assert after.accuracy["float"] == 1
    assert after.accuracy["int8"] > 0.9
    assert after.samples is not None
    assert len(after.samples.values) == 64
    assert after.input_range[0] < -2
    reach = float(np.abs(weights @ inputs.T).max())
    assert after.calibration.ranges[0][-1] == pytest.approx(reach, rel=1e-5)


def test_another_range_of_inputs_alone_is_assumed_to_be_filled() -> None:
    after = import_network(network((DenseStage(9, 4), RANDOM.normal(size=(4, 9)))), input_range=(-2, 2))
    assert after.input_range == (-2, 2)
    assert after.accuracy == {}
    assert after.remarks == (
        "scales were assumed: they follow from 256 random inputs from -2 to 2, because the network was "
        "imported without inputs",
    )


def test_remarks_are_kept_in_the_file_and_must_be_sentences(tmp_path: Path) -> None:
    before = network((DenseStage(3, 2), np.ones((2, 3))))
    dataclasses.replace(before, remarks=("one thing", "another\nthing")).save(tmp_path / "remarks.npz")
    assert load_network(tmp_path / "remarks.npz").remarks == ("one thing", "another thing")
    with pytest.raises(NetworkFileError, match=r"remarks of ours is .* allowed is a list of sentences"):
        dataclasses.replace(before, remarks=(3,))  # type: ignore[arg-type]
