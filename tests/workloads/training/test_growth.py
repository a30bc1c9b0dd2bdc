"""Bottom-up training: a network grows and keeps what it has learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.workloads.synthetic import CLASSES, patches, recipe
from workloads import Recipe, train
from workloads.training.growth import GrowthSchedule, sizes_of
from workloads.training.models.model import Model
from workloads.training.optimisers import Adam, Sgd
from workloads.training.run import Run
from workloads.training.sizes import origins
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
    sizes = [size.stored_weights for size in sizes_of(growing())]
    assert sizes[0] < sizes[1] < sizes[2]
    assert stored == [
        size for size, epochs in zip(sizes, (2, 1, 5), strict=True) for _ in range(epochs * BATCHES)
    ]
    assert run.model.topology == growing().topology()


def test_a_fold_reads_every_input_from_the_start() -> None:
    small, final = sizes_of(growing(steps=[{"fan_in": [1, 1], "epochs": 1}]))
    assert small.layers[0][0] == final.layers[0][0]
    assert small.layers[2] == final.layers[2]
    assert all(stage.stored_weights == stage.n_out for stage in (*small.layers[0][1:], *small.layers[1]))


GROWING = {
    "taps": {"fan_in": [2, 2]},
    "support layers": {"depth": [1, 2]},
    "taps and support layers": {"fan_in": [2, 3], "depth": [2, 1]},
    "middle blocks": {"middle": [2]},
    "all of them": {"fan_in": [3, 2], "depth": [1, 1], "middle": [1]},
}


def mixed(size: dict[str, Any], *, skips: bool = False, **growth: Any) -> Recipe:
    """A layer with a fold, a square one that widens from 20 to 25, and a Clos layer."""
    return recipe(
        layers=[
            {"family": "csc", "outputs": 20, "fan_in": 3, "skips": skips},
            {"family": "csc", "outputs": 25, "fan_in": 4, "depth": 3, "skips": skips},
            {"family": "clos", "outputs": 12, "ingress": 5, "middle": 4, "egress": 3},
            {"family": "dense", "outputs": CLASSES},
        ],
        epochs=6,
        growth={"steps": [size | {"epochs": 2}]} | growth,
        hold_out=100 if "until" in growth else 0,
    )


@pytest.mark.parametrize("skips", [False, True])
@pytest.mark.parametrize("size", GROWING.values(), ids=GROWING)
@pytest.mark.parametrize("kind", [Adam, Sgd])
def test_growing_changes_no_output_and_keeps_the_state_of_the_optimiser(
    kind: type, size: dict[str, Any], skips: bool
) -> None:
    chosen = mixed(size, skips=skips)
    run = run_of(chosen)
    for _ in range(2 * BATCHES):
        run.advance()
    model = run.model
    assert isinstance(model, Model)
    options = {"weight_decay": 0.0} | ({"momentum": 0.9} if kind is Sgd else {})
    optimiser = kind(model.weights, **options)
    x = np.ascontiguousarray(DATA.test_inputs.T)
    _, gradients = model.loss_and_gradients(x, DATA.test_labels)
    optimiser.step(model.weights, gradients, 0.01)
    small, before, outputs = model.topology, list(model.weights), model.logits(x)
    moments = [[array.copy() for array in moment] for moment in optimiser.moments]
    GrowthSchedule(chosen, BATCHES).grow(2 * BATCHES, model, optimiser, None)
    assert model.topology == chosen.topology() != small
    np.testing.assert_allclose(model.logits(x), outputs, atol=1e-5)
    came_from = origins(small, model.topology)
    assert [each for each in came_from if each is not None] == [*range(len(before))]
    for number, (stage, origin) in enumerate(zip(model.topology.stages, came_from, strict=True)):
        arrays = [model.weights[number], *(moment[number] for moment in optimiser.moments)]
        assert [array.shape for array in arrays] == [stage.weight_shape] * len(arrays)
        if origin is not None:
            old = [before[origin], *(moment[origin] for moment in moments)]
            box = tuple(slice(length) for length in old[0].shape)
            for array, was in zip(arrays, old, strict=True):
                np.testing.assert_array_equal(array[box], was)


@pytest.mark.parametrize("size", GROWING.values(), ids=GROWING)
def test_everything_that_is_new_learns(size: dict[str, Any]) -> None:
    run = run_of(mixed(size))
    while run.step < 2 * BATCHES:
        run.advance()
    run.advance()
    model, start = run.model, [array.copy() for array in run.model.weights]
    assert isinstance(model, Model)
    for _ in range(3):
        run.advance()
    for array, was in zip(model.of_stages, start, strict=True):
        assert (array != was).mean() > 0.8


def test_a_new_support_layer_is_in_front_of_those_that_there_are() -> None:
    small, final = sizes_of(mixed({"depth": [1, 1]}))
    assert small.layers[0] == (final.layers[0][0], final.layers[0][-1])
    assert small.layers[1] == final.layers[1][-1:]
    assert origins(small, final) == [0, *[None] * (len(final.layers[0]) - 2), 1, None, None, 2, 3, 4, 5, 6]


def test_a_search_ends_with_the_first_size_that_is_accurate_enough() -> None:
    steps = [{"fan_in": [1, 1], "depth": [1, 1], "epochs": 2}, {"fan_in": [2, 2], "epochs": 2}]

    def accuracies(*given: float) -> Any:
        return iter(given).__next__

    for found, epochs, given in ((0, 2, (0.9,)), (1, 4, (0.5, 0.8)), (2, 8, (0.5, 0.7))):
        judged = accuracies(*given)
        run = run_of(growing(steps=steps, until=0.8, search=True), lambda _, judged=judged: judged())
        while not run.is_over:
            run.advance()
        assert run.step == epochs * BATCHES
        assert run.model.topology == sizes_of(run.recipe)[found]


def test_in_a_search_the_rate_runs_its_course_at_every_size() -> None:
    steps = [{"fan_in": [2, 2], "epochs": 2}, {"fan_in": [4, 3], "epochs": 1}]
    search = GrowthSchedule(growing(steps=steps, until=0.5, search=True), 10)
    other = GrowthSchedule(growing(steps=steps, until=0.5), 10)
    assert [search.progress(step) for step in (0, 10, 20, 25, 30, 55)] == [0, 0.5, 0, 0.5, 0, 0.5]
    assert [other.progress(step) for step in (0, 20, 40)] == [0, 0.25, 0.5]


def test_a_search_is_the_same_whatever_it_aims_at_until_it_ends() -> None:
    steps = [{"fan_in": [1, 1], "epochs": 2}, {"fan_in": [2, 2], "epochs": 2}]
    runs = [run_of(growing(steps=steps, until=until, search=True), lambda _: 0.5) for until in (0.6, 0.9)]
    for run in runs:
        while not run.is_over:
            run.advance()
    for one, other in zip(*(run.model.weights for run in runs), strict=True):
        np.testing.assert_array_equal(one, other)


def test_connections_freeze_when_the_network_has_grown_past_them() -> None:
    steps = [
        {"fan_in": [1, 1], "depth": [1, 1], "middle": [1], "epochs": 1},
        {"fan_in": [2, 2], "depth": [1, 2], "middle": [3], "epochs": 1},
    ]
    chosen = mixed({}, steps=steps, calcify=1).replace(bias=True)
    run = run_of(chosen)
    schedule = run.growth
    assert schedule is not None
    assert [schedule.frozen_weights(size) for size in schedule.sizes] == [
        0,
        *(size.stored_weights for size in schedule.sizes[:2]),
    ]
    for number in range(3):
        run.advance()
        model, before = run.model, [array.copy() for array in run.model.weights]
        assert isinstance(model, Model)
        run.advance()
        changed = [array != was for array, was in zip(model.weights, before, strict=True)]
        frozen = dict(schedule.frozen[number])
        for place in range(len(model.of_stages)):
            free = np.ones(changed[place].shape, dtype=bool)
            free[frozen.get(place, slice(0))] = False
            assert not changed[place][~free].any()
            assert not free.any() or changed[place][free].any()
        assert all(array.any() for array in changed[len(model.of_stages) :])
        while run.step < (number + 1) * BATCHES:
            run.advance()


def test_freezing_twice_as_late_freezes_the_size_before() -> None:
    steps = [{"fan_in": [1, 1], "epochs": 1}, {"fan_in": [2, 2], "epochs": 1}]
    early, late = (GrowthSchedule(growing(steps=steps, calcify=age), BATCHES) for age in (1, 2))
    small, middle, _ = early.sizes
    assert [early.frozen_weights(size) for size in early.sizes] == [
        0,
        small.stored_weights,
        middle.stored_weights,
    ]
    assert [late.frozen_weights(size) for size in late.sizes] == [0, 0, small.stored_weights]


def test_new_taps_of_adam_take_steps_of_the_size_of_the_others() -> None:
    weights = [np.ones((3, 2))]
    adam = Adam(weights, weight_decay=0.0)
    random = np.random.default_rng(0)
    for _ in range(2000):
        adam.step(weights, [random.normal(size=(3, 2))], 0.001)
    adam.grow([0], [(3, 4)])
    grown = [np.zeros((3, 4))]
    adam.step(grown, [np.ones((3, 4))], 0.001)
    assert np.abs(grown[0][:, 2:]).max() < 0.001


def test_a_network_stops_growing_once_it_is_accurate_enough() -> None:
    small = train(growing(until=0.01), progress=False, data=DATA)
    assert small.topology == sizes_of(growing())[0]
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
