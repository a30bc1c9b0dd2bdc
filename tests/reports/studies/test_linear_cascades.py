"""Deep cascades without activations: signals, gradients and training from two starts."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from reports.studies.topologies import cascade_runs
from reports.studies.topologies.cascade_runs import (
    INITIALISATIONS,
    TrainedCascade,
    best_rate,
    deep_cascade,
    depth_study,
    starting_gains,
    train_cascade,
    variance,
)
from tests.workloads.strategies import stages
from workloads import BlockStage, CscStage, DenseStage, TopologyError, build_layer
from workloads.data.labelled import LabelledData
from workloads.topology.topology import skips_of
from workloads.training.models.model import Initialisation

LAYER = build_layer("csc", 64, 64, fan_in=4)
DENSITY = 4 / 64


def clusters(classes: int = 5, each: int = 200) -> LabelledData:
    """Points around as many random centres, as easy to part as the digits."""
    random = np.random.default_rng(8)
    centres = random.normal(size=(classes, 64))
    labels = np.arange(2 * classes * each) % classes
    points = (centres[labels] + 0.7 * random.normal(size=(labels.size, 64))).astype(np.float32)
    half = classes * each
    return LabelledData(points[:half], labels[:half], points[half:], labels[half:])


def test_ordinary_glorot_multiplies_the_energy_by_the_density_at_every_stage() -> None:
    gains = starting_gains(deep_cascade(LAYER, 64), init="glorot", seeds=range(2), batch=4)
    powers = DENSITY ** np.arange(65)
    np.testing.assert_allclose(gains.expected_signal, powers, rtol=1e-12)
    np.testing.assert_allclose(gains.expected_gradient, powers, rtol=1e-12)
    assert (gains.measured_signal[:, -1] < 1e-70).all()
    assert (gains.measured_gradient[:, -1] < 1e-70).all()


def test_sparse_glorot_keeps_the_energy_at_any_depth() -> None:
    gains = starting_gains(deep_cascade(LAYER, 64), init="sparse-glorot", seeds=range(2), batch=4)
    np.testing.assert_allclose(gains.expected_signal, 1, rtol=1e-12)
    np.testing.assert_allclose(gains.expected_gradient, 1, rtol=1e-12)


def test_skips_double_the_energy_at_every_stage_of_sparse_glorot() -> None:
    cascade = deep_cascade(LAYER, 6)
    gains = starting_gains(cascade, init="sparse-glorot", skips=skips_of((cascade,)), seeds=[0])
    np.testing.assert_allclose(gains.expected_signal, 2.0 ** np.arange(7), rtol=1e-12)


@settings(deadline=None, max_examples=15)
@given(st.data(), st.sampled_from(INITIALISATIONS))
def test_the_expectation_is_the_mean_over_many_starts(data: st.DataObject, init: Initialisation) -> None:
    """For any pattern, even or not. The mean of 400 starts is compared at five standard errors."""
    first = data.draw(stages())
    cascade = (first, data.draw(stages(n_in=first.n_out)))
    assume(all(stage.stored_weights for stage in cascade))
    skips = skips_of((cascade,)) if data.draw(st.booleans()) else ()
    gains = starting_gains(cascade, init=init, skips=skips, seeds=range(400), batch=16)
    for expected, measured in (
        (gains.expected_signal, gains.measured_signal),
        (gains.expected_gradient, gains.measured_gradient),
    ):
        error = measured.std(axis=0) / 20
        assert (np.abs(measured.mean(axis=0) - expected) <= 5 * error + 1e-12).all()


def test_the_variance_of_a_start_is_that_of_its_uniform_weights() -> None:
    stage = CscStage(64, 64, fan_in=4, stride=4)
    assert variance(stage, "glorot") == pytest.approx(1 / 64)
    assert variance(stage, "sparse-glorot") == pytest.approx(1 / 4)
    assert variance(DenseStage(30, 10), "sparse-glorot") == variance(DenseStage(30, 10), "glorot") == 2 / 40


def test_a_deep_cascade_repeats_its_layer_and_may_end_inside_it() -> None:
    assert len(LAYER) == 3
    assert deep_cascade(LAYER, 7) == (*LAYER, *LAYER, LAYER[0])


@pytest.mark.parametrize(
    ("layer", "depth", "said"),
    [
        (LAYER, 0, "depth of a deep cascade is 0, allowed are integers of at least 1"),
        ((DenseStage(8, 9),), 2, "layer of a deep cascade takes 8 values and gives 9 after 2 stages"),
        ((BlockStage(2, 4, 2), DenseStage(4, 8)), 3, "takes 8 values and gives 4 after 3 stages"),
    ],
)
def test_a_layer_that_does_not_repeat_is_refused(layer: Any, depth: int, said: str) -> None:
    with pytest.raises(TopologyError) as refusal:
        deep_cascade(layer, depth)
    assert said in str(refusal.value)


def test_a_deep_cascade_trains_from_sparse_glorot_and_not_from_glorot() -> None:
    cascade, data = deep_cascade(LAYER, 24), clusters()
    sparse = train_cascade(cascade, data, init="sparse-glorot", rate=0.01, steps=150)
    plain = train_cascade(cascade, data, init="glorot", rate=0.01, steps=150)
    assert sparse.accuracy > 0.9
    assert plain.accuracy < 0.4
    assert plain.loss == pytest.approx(np.log(5), rel=1e-3)


def test_the_same_seed_trains_to_the_same_loss() -> None:
    cascade, data = deep_cascade(LAYER, 3), clusters()
    once, again, other = (
        train_cascade(cascade, data, init="sparse-glorot", rate=0.01, steps=20, seed=seed)
        for seed in (1, 1, 2)
    )
    assert once == again
    assert once.loss != other.loss


def test_a_rate_that_is_far_too_large_ends_without_a_finite_loss() -> None:
    cascade = deep_cascade(LAYER, 64)
    run = train_cascade(cascade, clusters(), init="sparse-glorot", rate=1e6, steps=30)
    assert run.loss == float("inf")


def test_the_best_rate_has_the_least_mean_loss_over_seeds() -> None:
    def run(rate: float, seed: int, loss: float) -> TrainedCascade:
        return TrainedCascade("glorot", 2, seed, rate, loss, 0.5)

    runs = [run(0.1, 0, 0.1), run(0.1, 1, float("inf")), run(0.01, 0, 0.4), run(0.01, 1, 0.5)]
    assert best_rate(runs) == (runs[2], runs[3])


def test_a_study_of_depths_is_remembered_and_has_both_starts_at_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path))
    settings: dict[str, Any] = {
        "depths": (1, 12),
        "rates": (0.01, 0.03),
        "seeds": (0, 1),
        "steps": 30,
        "progress": False,
    }
    once = list(depth_study("csc", LAYER, clusters(), **settings))
    starts = itertools.product((1, 12), INITIALISATIONS, (0, 1))
    assert [(each.depth, each.init, each.seed) for each in once] == list(starts)
    assert all(one.rate == other.rate for one, other in zip(once[::2], once[1::2], strict=True))
    vanished, kept = once[4], once[6]
    assert vanished.signal == pytest.approx(DENSITY**12)
    assert kept.gradient == pytest.approx(1)
    monkeypatch.setattr(cascade_runs, "train_cascade", None)
    assert list(depth_study("csc", LAYER, clusters(), **settings)) == once
