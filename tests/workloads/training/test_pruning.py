"""Methods of pruning: each keeps what it says, exactly, and what it leaves is a pruned network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from tests.workloads.synthetic import CLASSES, dense_layers, patches, recipe
from workloads import DenseStage, PrunedStage, Recipe, RecipeError, Topology, parse_recipe, train
from workloads.training.models.model import Model, initial_weights
from workloads.training.optimisers import RATES, Adam, Sgd
from workloads.training.pruning.blocks import BlockPruning
from workloads.training.pruning.n_m import NMPruning
from workloads.training.pruning.registry import MAGNITUDE, methods
from workloads.training.pruning.rigl import dense_gradients, erdos_renyi
from workloads.training.pruning.schedule import keep, places_of
from workloads.training.run import Run

DATA = patches()
BATCHES = 15
SHAPES = [(36, 16), (16, CLASSES)]
DENSE = 36 * 16 + 16 * CLASSES


def by(method: str, **changes: Any) -> Recipe:
    pruning = {"method": method} | dict(methods[method].example) | changes
    return recipe(layers=dense_layers(), bias=True, epochs=3, pruning=pruning)


def run_of(chosen: Recipe) -> Run:
    return Run(chosen, DATA.train_inputs, DATA.train_labels)


def model_of(run: Run) -> Model:
    assert isinstance(run.model, Model)
    return run.model


def finished(chosen: Recipe) -> Model:
    run = run_of(chosen)
    while run.step < run.steps:
        run.advance()
    return model_of(run)


def random_model(shapes: Sequence[tuple[int, int]] = SHAPES, seed: int = 2) -> Model:
    random = np.random.default_rng(seed)
    stages = [DenseStage(*shape) for shape in shapes]
    weights = [initial_weights(stage, random) for stage in stages]
    return Model(Topology(tuple((stage,) for stage in stages)), weights)


def matrices(model: Model) -> list[NDArray[Any]]:
    return [
        stage.csr(weights).toarray()
        for stage, weights in zip(model.topology.stages, model.of_stages, strict=True)
    ]


# Every method.


@pytest.mark.parametrize("method", sorted(methods))
def test_what_a_method_leaves_is_a_pruned_network_that_works(method: str) -> None:
    network = train(by(method).replace(epochs=20), progress=False, data=DATA)
    assert all(isinstance(stage, PrunedStage) for stage in network.topology.stages)
    assert network.stored_weights < DENSE
    assert parse_recipe(network.recipe).pruning == by(method).pruning
    assert network.accuracy["float"] > 0.9
    assert network.accuracy["int8"] > 0.9


@pytest.mark.parametrize("method", sorted(methods))
def test_a_method_trains_in_the_arithmetic_of_the_hardware_and_by_any_optimiser(method: str) -> None:
    chosen = by(method).replace(
        rounding={"weight_bits": 6, "activation_bits": 8, "begin": 0.5},
        optimiser={"kind": "sgd", "momentum": 0.9},
    )
    model = finished(chosen)
    assert all(np.isfinite(array).all() for array in model.weights)
    assert model.topology.stored_weights == finished(by(method)).topology.stored_weights


def test_a_recipe_that_names_no_method_prunes_by_magnitude() -> None:
    chosen = recipe(layers=dense_layers(), pruning={"stored_weights": 100})
    assert chosen.pruning is not None
    assert chosen.pruning.method == MAGNITUDE
    assert chosen == recipe(layers=dense_layers(), pruning={"method": MAGNITUDE, "stored_weights": 100})


# N:M.


@given(st.integers(2, 16), st.data(), st.floats(0, 1))
def test_a_group_keeps_its_largest_and_as_many_as_there_are_to_be(
    m: int, data: st.DataObject, left: float
) -> None:
    n = data.draw(st.integers(1, m - 1))
    method, model = NMPruning(method="n-m", n=n, m=m), random_model()
    before, optimiser = matrices(model), Adam(model.weights, weight_decay=0)
    for share in (left, 0.0):
        keep(model, optimiser, method.kept(model, share))
        count = n + round(share * (m - n))
        for full, sparse in zip(before, matrices(model), strict=True):
            for start in range(0, full.shape[1], m):
                group, kept = (np.abs(each[:, start : start + m]) for each in (full, sparse))
                width = group.shape[1]
                np.testing.assert_array_equal(np.count_nonzero(kept, axis=1), min(count, width))
                wanted = np.sort(group, axis=1)[:, max(0, width - count) :]
                np.testing.assert_array_equal(np.sort(kept, axis=1)[:, max(0, width - count) :], wanted)


def test_an_n_m_network_has_equal_rows_after_training() -> None:
    model = finished(by("n-m", n=1, m=5))
    assert [set(stage.row_lengths().tolist()) for stage in model.topology.stages] == [{8}, {4}]
    half = finished(by("n-m", n=2, m=4))
    assert half.topology.stored_weights == DENSE // 2


# Blocks.


@given(st.integers(1, 4), st.integers(1, 7), st.integers(28, DENSE), st.floats(0, 1))
def test_blocks_stay_or_go_as_a_whole_by_their_root_mean_square(
    rows: int, columns: int, budget: int, left: float
) -> None:
    method = BlockPruning(method="blocks", rows=rows, columns=columns, stored_weights=budget)
    model = random_model()
    before, optimiser = matrices(model), Adam(model.weights, weight_decay=0)
    for share in (left, 0.0):
        keep(model, optimiser, method.kept(model, share))
    kept: list[float] = []
    gone: list[float] = []
    for full, sparse in zip(before, matrices(model), strict=True):
        for row in range(0, full.shape[0], rows):
            for column in range(0, full.shape[1], columns):
                place = slice(row, row + rows), slice(column, column + columns)
                whole, block = full[place].astype(np.float64), sparse[place]
                assert np.array_equal(whole, block) or not block.any()
                norm = math.sqrt((whole**2).mean())
                (kept if block.any() else gone).append(norm)
    assert min(kept) >= max(gone, default=0.0) - 1e-12
    stored = model.topology.stored_weights
    assert stored <= budget
    assert stored > budget - rows * columns


def test_a_budget_of_whole_blocks_is_met_exactly() -> None:
    model = finished(by("blocks", rows=2, columns=4, stored_weights=104))
    assert model.topology.stored_weights == 104
    of_layers = by("blocks", rows=2, columns=4, stored_weights=None, layer_weights=[72, 16])
    assert [stage.stored_weights for stage in finished(of_layers).topology.stages] == [72, 16]


# RigL.


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=4), st.data())
def test_layers_share_a_budget_by_their_sums_and_none_has_more_than_it_holds(
    shapes: list[tuple[int, int]], data: st.DataObject
) -> None:
    dense = [n_in * n_out for n_in, n_out in shapes]
    count = data.draw(st.integers(1, sum(dense)))
    counts = erdos_renyi(shapes, count)
    assert sum(counts) == count
    assert all(0 <= kept <= full for kept, full in zip(counts, dense, strict=True))
    shares = [
        kept / sum(shape) for kept, full, shape in zip(counts, dense, shapes, strict=True) if kept < full - 1
    ]
    assert max(shares, default=0) - min(shares, default=0) <= 1


def test_rigl_is_sparse_from_the_start_and_keeps_its_count_while_connections_move() -> None:
    run = run_of(by("rigl", stored_weights=200, every=5))
    counts = [stage.stored_weights for stage in model_of(run).topology.stages]
    assert tuple(counts) == erdos_renyi(SHAPES, 200)
    moved = []
    while run.step < run.steps:
        before = model_of(run).topology.stages
        run.advance()
        after = model_of(run).topology.stages
        assert [stage.stored_weights for stage in after] == counts
        if after != before:
            moved.append(run.step - 1)
    assert moved == [step for step in range(5, 34, 5) if step < 0.75 * run.steps]


def test_a_step_of_rigl_drops_the_smallest_and_grows_where_the_gradient_is_largest() -> None:
    run = run_of(by("rigl", stored_weights=200, every=BATCHES))
    while run.step < BATCHES:
        run.advance()
    model, x, labels = model_of(run), DATA.train_inputs[:20].T, DATA.train_labels[:20]
    stages, weights = model.topology.stages, [array.copy() for array in model.weights]
    moments = [[array.copy() for array in moment] for moment in run.optimiser.moments]
    slopes = [np.abs(gradient).ravel() for gradient in dense_gradients(model, x, labels)]
    run.schedule.change(BATCHES, model, run.optimiser, x, labels)
    for number, old in enumerate(stages):
        places, now = places_of(old), places_of(model.topology.stages[number])
        share = 0.3 / 2 * (1 + math.cos(math.pi * BATCHES / (0.75 * run.steps)))
        moving = min(int(share * places.size), old.n_in * old.n_out - places.size)
        assert moving > 3
        order = np.argsort(np.abs(weights[number]))
        stay = np.sort(places[order[moving:]])
        grown = now[~np.isin(now, stay)]
        assert np.isin(stay, now).all()
        assert grown.size == moving
        others = np.setdiff1d(np.arange(old.n_in * old.n_out), now)
        assert slopes[number][grown].min() >= slopes[number][others].max()
        is_old = np.isin(now, stay)
        was = np.searchsorted(places, stay)
        np.testing.assert_array_equal(model.weights[number][is_old], weights[number][was])
        assert not model.weights[number][~is_old].any()
        first, second = (moment[number] for moment in run.optimiser.moments)
        np.testing.assert_array_equal(second[is_old], moments[1][number][was])
        np.testing.assert_array_equal(second[~is_old], moments[1][number][was].mean())
        assert not first[~is_old].any()


def test_the_gradient_of_a_connection_that_is_not_there_is_a_slope() -> None:
    model = random_model()
    keep(model, Adam(model.weights, weight_decay=0), [np.arange(0, 576, 3), np.arange(0, 64, 2)])
    model.weights = [array.astype(np.float64) for array in model.weights]
    x, labels = DATA.train_inputs[:9].T.astype(np.float64), DATA.train_labels[:9]
    gradients = dense_gradients(model, x, labels)
    _, sparse = model.loss_and_gradients(x, labels)
    for stage, whole, own in zip(model.topology.stages, gradients, sparse, strict=True):
        np.testing.assert_allclose(whole.ravel()[places_of(stage)], own, atol=1e-12)
    full, dense = random_model(), matrices(model)
    losses = []
    for step in (1e-6, -1e-6):
        changed = [array.copy() for array in dense]
        changed[0][3, 10] += step
        losses.append(Model(full.topology, changed).loss_and_gradients(x, labels)[0])
    assert matrices(model)[0][3, 10] == 0
    assert gradients[0][3, 10] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-8)


def test_a_layer_that_is_full_does_not_move() -> None:
    model = finished(by("rigl", stored_weights=None, layer_weights=[100, 64], every=5))
    assert [stage.stored_weights for stage in model.topology.stages] == [100, 64]


# Rewinding.


@pytest.mark.parametrize("rewind_to", [0, 1])
@pytest.mark.parametrize("optimiser", [{"kind": "adam"}, {"kind": "sgd", "momentum": 0.9}])
def test_rewinding_returns_to_the_weights_and_moments_of_that_epoch(
    rewind_to: int, optimiser: dict[str, Any]
) -> None:
    chosen = by("rewinding", stored_weights=40, rounds=2, rewind_to=rewind_to).replace(optimiser=optimiser)
    dense = run_of(chosen.replace(pruning=None))
    while dense.step < rewind_to * BATCHES:
        dense.advance()
    early = [array.copy() for array in dense.model.weights]
    moments = [[array.copy() for array in moment] for moment in dense.optimiser.moments]
    run, again = run_of(chosen), (3 - rewind_to) * BATCHES
    assert run.steps == 3 * BATCHES + 2 * again
    for event in (3 * BATCHES, 3 * BATCHES + again):
        while run.step < event:
            run.advance()
        model, trained = model_of(run), [np.abs(each) for each in matrices(model_of(run))]
        run.schedule.change(event, model, run.optimiser, DATA.train_inputs[:1].T, DATA.train_labels[:1])
        assert run.optimiser.steps == rewind_to * BATCHES
        kept = [places_of(stage) for stage in model.topology.stages]
        for number, places in enumerate(kept):
            np.testing.assert_array_equal(model.weights[number], early[number].ravel()[places])
            for moment, wanted in zip(run.optimiser.moments, moments, strict=True):
                np.testing.assert_array_equal(moment[number], wanted[number].ravel()[places])
        for number in (2, 3):
            np.testing.assert_array_equal(model.weights[number], early[number])
        chosen_ones = np.concatenate([each.ravel()[at] for each, at in zip(trained, kept, strict=True)])
        count = model.topology.stored_weights
        assert count == round(DENSE * (40 / DENSE) ** (0.5 if event == 3 * BATCHES else 1.0))
        everything = np.sort(np.concatenate([each.ravel() for each in trained]))
        np.testing.assert_array_equal(np.sort(chosen_ones), everything[-count:])
        run.schedule.change = lambda *_: None  # type: ignore[method-assign]
        run.advance()
        del run.schedule.change
    while run.step < run.steps:
        run.advance()
    assert model_of(run).topology.stored_weights == 40


def test_the_rate_goes_back_with_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def watched(progress: float) -> float:
        seen.append(progress)
        return 0.5

    monkeypatch.setitem(RATES, "one-cycle", watched)
    finished(by("rewinding", rounds=1, rewind_to=1))
    first = [step / 45 for step in range(45)]
    assert seen == [*first, *first[BATCHES:]]


def test_epochs_of_all_trainings_are_counted() -> None:
    assert by("rewinding", rounds=4, rewind_to=1).total_epochs == 3 + 4 * 2
    assert by("rigl").total_epochs == recipe(epochs=3).total_epochs == 3


def test_every_layer_keeps_its_own_share_where_it_has_a_budget() -> None:
    model = finished(by("rewinding", stored_weights=None, layer_weights=[64, 16], rounds=3))
    assert [stage.stored_weights for stage in model.topology.stages] == [64, 16]


# Optimisers, and what is refused.


@pytest.mark.parametrize("kind", [Adam, Sgd])
def test_an_optimiser_carries_its_state_to_where_connections_move(kind: type) -> None:
    options: dict[str, Any] = {"momentum": 0.9} if kind is Sgd else {}
    weights = [np.arange(4, dtype=np.float32)]
    optimiser = kind(weights, weight_decay=0.0, **options)
    optimiser.step(weights, [np.array([1, 2, 3, 4], dtype=np.float32)], rate=0.1)
    before = [moment[0].copy() for moment in optimiser.moments]
    optimiser.reconnect(0, np.array([3, -1, 0]))
    for number, (old, (new,)) in enumerate(zip(before, optimiser.moments, strict=True)):
        assert new.dtype == np.float32
        fresh = old[[3, 0]].mean() if number else 0
        np.testing.assert_array_equal(new, np.array([old[3], fresh, old[0]], dtype=np.float32))


@pytest.mark.parametrize(
    ("pruning", "message"),
    [
        ({"method": "snip"}, "recipe.pruning.method is 'snip', allowed are blocks, magnitude, n-m,"),
        ({"method": ["rigl"]}, "recipe.pruning.method is ['rigl'], allowed are blocks,"),
        (3, "recipe.pruning is 3, allowed is"),
        ({"method": "rigl"}, "stored_weights, layer_weights is (None, None), allowed are one"),
        ({"method": "rigl", "stored_weights": 9, "begin": 0.1}, "recipe.pruning.begin is 0.1, allowed is no"),
        (
            {"method": "rigl", "stored_weights": 1},
            "pruning.stored_weights is 1, allowed are as many as leave",
        ),
        ({"method": "rigl", "stored_weights": 999}, "pruning.stored_weights is 999, allowed are 1 to 640"),
        (
            {"method": "rigl", "stored_weights": 9, "every": 0},
            "recipe.pruning.every is 0, allowed is greater",
        ),
        (
            {"method": "rigl", "stored_weights": 9, "share": 0},
            "recipe.pruning.share is 0, allowed is greater",
        ),
        ({"stored_weights": 9, "rounds": 2}, "recipe.pruning.rounds is 2, allowed is no such field"),
        ({"method": "n-m", "n": 2}, "recipe.pruning.m is missing, allowed is a value"),
        ({"method": "n-m", "n": 4, "m": 4}, "recipe.pruning.n is 4, allowed are 1 to 3, below m"),
        ({"method": "n-m", "n": True, "m": 4}, "recipe.pruning.n is True, allowed is a valid integer"),
        ({"method": "n-m", "n": 1, "m": 17}, "recipe.pruning.m is 17, allowed are 2 to 16, the inputs"),
        ({"method": "n-m", "n": 1, "m": 4, "stored_weights": 9}, "stored_weights is 9, allowed is no such"),
        ({"method": "n-m", "n": 1, "m": 4, "begin": 0.7}, "recipe.pruning.begin is 0.7, allowed are shares"),
        (
            {"method": "rewinding", "stored_weights": 9, "rewind_to": 30},
            "recipe.pruning.rewind_to is 30, allowed are 0 to 29, below epochs",
        ),
        (
            {"method": "blocks", "stored_weights": 9, "rows": 5, "columns": 1},
            "recipe.pruning.rows is 5, allowed are 1 to 4, those of the smallest layer",
        ),
        (
            {"method": "blocks", "stored_weights": 7, "rows": 2, "columns": 4},
            "recipe.pruning.stored_weights is 7, allowed are at least 8, the weights of a block",
        ),
        (
            {"method": "blocks", "layer_weights": [8, 3], "rows": 1, "columns": 4},
            "recipe.pruning.layer_weights is (8, 3), allowed are at least 4",
        ),
    ],
)
def test_a_field_that_does_not_fit_is_refused_by_name(pruning: Any, message: str) -> None:
    with pytest.raises(RecipeError) as refused:
        recipe(layers=dense_layers(), pruning=pruning)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
