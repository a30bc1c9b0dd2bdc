"""Bottom-up training: a CSC network grows and keeps what it has learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.workloads.synthetic import CLASSES, patches, recipe
from workloads import Recipe, train
from workloads.training.growth import GrowthSchedule, at_fan_in
from workloads.training.model import Model
from workloads.training.optimisers import Adam, Sgd
from workloads.training.run import Run
from workloads.training.training import fit

DATA = patches()
BATCHES = 15


def growing(**growth: Any) -> Recipe:
    steps = [{"fan_in": [2, 2], "epochs": 2}, {"fan_in": [4, 3], "epochs": 1}]
    return recipe(
        layers=[
            {"family": "csc", "outputs": 20, "fan_in": 5},
            {"family": "csc", "outputs": 20, "fan_in": 5},
            {"family": "dense", "outputs": CLASSES},
        ],
        epochs=8,
        growth={"steps": steps} | growth,
        hold_out=100 if "until" in growth else 0,
    )


def run_of(chosen: Recipe, judge: Any = None) -> Run:
    return Run(chosen, DATA.train_inputs, DATA.train_labels, judge)


def test_a_network_grows_at_the_epochs_of_its_recipe() -> None:
    run = run_of(growing())
    stored = []
    while run.step < run.steps:
        run.advance()
        stored.append(run.model.topology.stored_weights)
    sizes = [at_fan_in(growing(), fan_in).stored_weights for fan_in in ([2, 2], [4, 3], [5, 5])]
    assert sizes[0] < sizes[1] < sizes[2]
    assert stored == [
        size for size, epochs in zip(sizes, (2, 1, 5), strict=True) for _ in range(epochs * BATCHES)
    ]
    assert run.model.topology == growing().topology()


def test_a_fold_reads_every_input_from_the_start() -> None:
    small, final = at_fan_in(growing(), [1, 1]), growing().topology()
    assert small.layers[0][0] == final.layers[0][0]
    assert small.layers[2] == final.layers[2]
    assert all(stage.stored_weights == stage.n_out for stage in (*small.layers[0][1:], *small.layers[1]))


@pytest.mark.parametrize("kind", [Adam, Sgd])
def test_growing_changes_no_output_and_keeps_the_state_of_the_optimiser(kind: type) -> None:
    run = run_of(growing())
    for _ in range(2 * BATCHES):
        run.advance()
    model = run.model
    assert isinstance(model, Model)
    options = {"weight_decay": 0.0} | ({"momentum": 0.9} if kind is Sgd else {})
    optimiser = kind(model.weights, **options)
    x = np.ascontiguousarray(DATA.test_inputs.T)
    _, gradients = model.loss_and_gradients(x, DATA.test_labels)
    optimiser.step(model.weights, gradients, 0.01)
    before, outputs = list(model.weights), model.logits(x)
    moments = [[array.copy() for array in moment] for moment in optimiser.moments]
    GrowthSchedule(growing(), BATCHES).grow(2 * BATCHES, model, optimiser, None)
    np.testing.assert_allclose(model.logits(x), outputs, atol=1e-5)
    for number, (stage, old) in enumerate(zip(model.topology.stages, before, strict=True)):
        width = old.shape[-1]
        new = model.weights[number]
        assert new.shape == stage.weight_shape
        np.testing.assert_array_equal(new[..., :width], old)
        assert not new[..., width:].any()
        for was, moment in zip(moments, optimiser.moments, strict=True):
            assert moment[number].shape == stage.weight_shape
            np.testing.assert_array_equal(moment[number][..., :width], was[number])


def test_new_taps_of_adam_take_steps_of_the_size_of_the_others() -> None:
    weights = [np.ones((3, 2))]
    adam = Adam(weights, weight_decay=0.0)
    random = np.random.default_rng(0)
    for _ in range(2000):
        adam.step(weights, [random.normal(size=(3, 2))], 0.001)
    adam.widen(0, 4)
    grown = [np.zeros((3, 4))]
    adam.step(grown, [np.ones((3, 4))], 0.001)
    assert np.abs(grown[0][:, 2:]).max() < 0.001


def test_a_network_stops_growing_once_it_is_accurate_enough() -> None:
    small = train(growing(until=0.01), progress=False, data=DATA)
    assert small.topology == at_fan_in(growing(), [2, 2])
    large = train(growing(until=1.0), progress=False, data=DATA)
    assert large.topology == growing().topology()
    with pytest.raises(ValueError, match="held_out of tiny is missing"):
        fit(growing(until=0.5), DATA.train_inputs, DATA.train_labels, progress=False)


def test_a_step_to_the_size_that_there_is_changes_nothing() -> None:
    steps = [{"fan_in": [5, 5], "epochs": 1}, {"fan_in": [5, 5], "epochs": 1}]
    grown = train(growing(steps=steps), progress=False, data=DATA)
    direct = train(growing().replace(growth=None), progress=False, data=DATA)
    for one, other in zip(grown.weights, direct.weights, strict=True):
        np.testing.assert_array_equal(one, other)
