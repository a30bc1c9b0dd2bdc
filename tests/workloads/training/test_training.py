"""Training does what its recipe says, and says so when it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workloads.synthetic import dense_layers, patches, recipe
from workloads import (
    PrunedStage,
    RecipeError,
    TrainingError,
    evaluate,
    load_recipe,
    parse_recipe,
    quantise,
    recipe_names,
    train,
    zoo_names,
)
from workloads.training.augmentation import Shifts
from workloads.training.models.model import initial_weights
from workloads.training.optimisers import RATES, Adam, Sgd
from workloads.training.recipe import RECIPES
from workloads.training.training import fit, train_model

DATA = patches()
CONVOLUTIONS: dict[str, Any] = {"convolutions": [{"family": "dense", "outputs": 2, "kernel": 3}]}


def recurrence(**changes: Any) -> dict[str, Any]:
    matrix = {"family": "dense", "outputs": 8}
    return {"model": "rnn", "recurrence": {"steps": 6, "input": matrix, "hidden": matrix} | changes}


def growth(*fan_ins: list[int], epochs: int = 2, **changes: Any) -> dict[str, Any]:
    return {"growth": {"steps": [{"fan_in": each, "epochs": epochs} for each in fan_ins]} | changes}


def test_a_network_of_all_families_learns_and_stays_accurate_as_integers() -> None:
    network = train(recipe(), progress=False, data=DATA)
    assert network.accuracy["float"] > 0.95
    assert network.accuracy["int8"] > 0.95
    integer = quantise(network, 8, 8)
    assert evaluate(integer, DATA.test_inputs, DATA.test_labels) == network.accuracy["int8"]


@pytest.mark.parametrize("extra", [{}, {"shift_pixels": 1}, {"optimiser": {"kind": "sgd", "momentum": 0.9}}])
def test_the_same_recipe_gives_the_same_network(extra: dict[str, Any]) -> None:
    chosen = recipe(epochs=3, **extra)
    first, again = (train(chosen, progress=False, data=DATA) for _ in range(2))
    for one, other in zip(first.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.accuracy == again.accuracy
    different = train(chosen.replace(seed=12), progress=False, data=DATA)
    assert not np.array_equal(first.weights[0], different.weights[0])


def test_the_recipe_inside_a_network_trains_it_again() -> None:
    network = train(recipe(epochs=2), progress=False, data=DATA)
    again = train(parse_recipe(network.recipe), progress=False, data=DATA)
    np.testing.assert_array_equal(network.weights[0], again.weights[0])


@pytest.mark.parametrize(
    ("pruning", "lengths"),
    [
        ({"layer_weights": [100, 30], "events": 4}, [100, 30]),
        ({"stored_weights": 130, "events": 4}, None),
        ({"stored_weights": 130, "events": 1, "begin": 1.0, "end": 1.0}, None),
    ],
)
def test_a_pruned_network_meets_its_budget_and_still_works(
    pruning: dict[str, Any], lengths: list[int] | None
) -> None:
    network = train(recipe(layers=dense_layers(), pruning=pruning), progress=False, data=DATA)
    assert all(isinstance(stage, PrunedStage) for stage in network.topology.stages)
    assert network.stored_weights == 130
    if lengths is not None:
        assert [stage.stored_weights for stage in network.topology.stages] == lengths
    assert network.accuracy["int8"] > 0.9


def test_pruning_keeps_the_largest_weights_with_their_places() -> None:
    chosen = recipe(layers=dense_layers(), epochs=1)
    dense = fit(chosen, DATA.train_inputs, DATA.train_labels, progress=False)
    # One event at the last step: what is pruned is the dense network one step before its end, at a rate of 0.
    pruned = fit(
        chosen.replace(pruning={"layer_weights": [50, 20], "events": 1, "begin": 1.0, "end": 1.0}),
        DATA.train_inputs,
        DATA.train_labels,
        progress=False,
    )
    for number, kept in enumerate((50, 20)):
        matrix = pruned.topology.stages[number].csr(pruned.weights[number]).toarray()
        full = dense.weights[number]
        least = np.sort(np.abs(full).ravel())[-kept]
        assert np.mean((matrix != 0) == (np.abs(full) >= least)) > 0.98
        np.testing.assert_allclose(matrix[matrix != 0], full[matrix != 0], atol=1e-3)


def test_held_out_images_are_judged_and_not_trained_on() -> None:
    network = train(recipe(epochs=2, hold_out=100), progress=False, data=DATA)
    of_tests = {"float", *(f"int{bits}" for bits in range(2, 17))}
    assert set(network.accuracy) == of_tests | {"validation_float", "validation_int8"}
    shorter = fit(recipe(epochs=2), DATA.train_inputs[:200], DATA.train_labels[:200], progress=False)
    np.testing.assert_array_equal(network.weights[0], shorter.weights[0])


def test_a_loss_that_is_not_finite_stops_training_and_names_step_and_stage() -> None:
    with pytest.raises(
        TrainingError,
        match=r"loss of tiny is (nan|inf) at step 1 of 450; .* is stage 1 \(csc\), in layer 0\.",
    ):
        train(
            recipe(optimiser={"kind": "sgd", "momentum": 0.9}, rate={"peak": 1e30, "course": "constant"}),
            progress=False,
            data=DATA,
        )


def test_weights_that_overflow_in_the_last_step_stop_training_too() -> None:
    one_step = recipe(
        epochs=1,
        batch=300,
        optimiser={"kind": "sgd", "momentum": 0.9},
        rate={"peak": 1e60, "course": "constant"},
    )
    with pytest.raises(TrainingError, match=r"a weight of tiny is not finite at step 1 of 1; .* stage 0 "):
        fit(one_step, DATA.train_inputs, DATA.train_labels, progress=False)


def test_an_mlp_is_asked_for_where_another_model_does_not_do() -> None:
    with pytest.raises(ValueError, match="model of tiny is rnn, allowed is mlp here"):
        fit(recipe(**recurrence()), DATA.train_inputs, DATA.train_labels, progress=False)
    with pytest.raises(ValueError, match="model of tiny is mlp, allowed is cnn or rnn here"):
        train_model(recipe(), progress=False, data=DATA)


def test_glorot_leaves_out_the_density_that_sparse_glorot_puts_in() -> None:
    (stage,) = recipe(layers=[{"family": "csc", "outputs": 36, "fan_in": 4, "depth": 1}]).topology().stages
    sparse, plain = (
        initial_weights(stage, np.random.default_rng(0), init=init) for init in ("sparse-glorot", "glorot")
    )
    np.testing.assert_allclose(sparse, plain * np.sqrt(36 / 4), rtol=1e-6)
    chosen = recipe(layers=[{"family": "csc", "outputs": 4, "fan_in": 4}], epochs=1, rate={"peak": 1e-12})
    small, large = (
        fit(chosen.replace(init=init), DATA.train_inputs, DATA.train_labels, progress=False)
        for init in ("glorot", "sparse-glorot")
    )
    assert np.abs(large.weights[0]).max() > 1.5 * np.abs(small.weights[0]).max()


def test_too_little_data_for_a_batch_is_refused() -> None:
    with pytest.raises(ValueError, match=r"training inputs of tiny are 300 .* at least 500"):
        train(recipe(batch=500), progress=False, data=DATA)
    with pytest.raises(ValueError, match="values of an input of the data given is 36, allowed are 49"):
        train(recipe(inputs=49, layers=[{"family": "dense", "outputs": 4}]), progress=False, data=DATA)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epoch": 3}, "recipe.epoch is 3, allowed is no such field"),
        ({"epochs": 0}, "recipe.epochs is 0, allowed is greater than or equal to 1"),
        ({"rate": {"peak": -1}}, "recipe.rate.peak is -1, allowed is greater than 0"),
        ({"layers": [{"family": "omega", "outputs": 3}]}, "family is 'omega', allowed are"),
        (
            {"layers": [{"family": "csc", "outputs": 3, "fanin": 3}]},
            "parameter of the csc family is 'fanin', allowed are fan_in, depth",
        ),
        ({"pruning": {"stored_weights": 3}}, "allowed are dense ones alone"),
        ({"pruning": {}}, "stored_weights, layer_weights is (None, None), allowed are one"),
        (
            {"pruning": {"stored_weights": 3, "begin": 0.9}},
            "recipe.pruning.begin is 0.9, allowed are shares up to end, 0.6",
        ),
        (
            {"layers": dense_layers(), "pruning": {"layer_weights": [3]}},
            "recipe.pruning.layer_weights is (3,), allowed are an entry a layer",
        ),
        ({"layers": dense_layers(), "pruning": {"layer_weights": [3, 999]}}, "of 1 to [576, 64] each"),
        (
            {"layers": dense_layers(), "pruning": {"stored_weights": 641}},
            "recipe.pruning.stored_weights is 641, allowed are 1 to 640",
        ),
        ({"optimiser": {"kind": "sgd"}}, "momentum is None, allowed are a number for sgd"),
        ({"optimiser": {"momentum": 0.5}}, "recipe.optimiser.momentum is 0.5, allowed are"),
        ({"data": "letters"}, "recipe.data is 'letters', allowed are"),
        ({"bias": "perhaps"}, "recipe.bias is 'perhaps', allowed is a valid boolean"),
        (
            {"layers": [{"family": "dense", "outputs": 4, "bias": True}]},
            "recipe.layers.0.bias is True, allowed is no such field of a layer, but of the recipe",
        ),
        (recurrence() | {"bias": True}, "recipe.model is 'rnn', allowed are mlp with bias"),
        ({"init": "zeros"}, "recipe.init is 'zeros', allowed is 'glorot' or"),
        ({"model": "cnn"}, "recipe.convolutions is (), allowed are some for a cnn"),
        ({"model": "rnn"}, "recipe.recurrence is None, allowed are some for a rnn"),
        (CONVOLUTIONS, "allowed are some for a cnn, and none for others"),
        (CONVOLUTIONS | {"model": "cnn", "inputs": 35}, "recipe.inputs is 35, allowed are square numbers"),
        (
            {"model": "cnn", "convolutions": [{"family": "dense", "outputs": 2, "kernel": 4}]},
            "recipe.convolutions.0.kernel is 4, allowed are odd numbers",
        ),
        (
            CONVOLUTIONS | {"model": "cnn", "pruning": {"stored_weights": 3}},
            "recipe.model is 'cnn', allowed are mlp with pruning",
        ),
        (recurrence(steps=5), "allowed are steps that divide inputs, 36"),
        (recurrence(hidden={"family": "dense", "outputs": 9}), "and equal outputs"),
        (growth([3, 3]), "recipe.growth.steps.fan_in is [(3, 3)], allowed are 1 each, one a csc layer"),
        (growth([5]), "recipe.growth.steps.fan_in is [(5,)], allowed are those that rise from 1 to [4]"),
        (growth([0]), "allowed are those that rise from 1"),
        (growth([2], [1]), "allowed are those that rise from 1"),
        (
            {"growth": {"steps": [{"depth": [3], "epochs": 1}]}},
            "recipe.growth.steps.depth is [(3,)], allowed are those that rise from 1 to [2], the layers'",
        ),
        (
            {"growth": {"steps": [{"middle": [1, 2], "epochs": 1}]}},
            "recipe.growth.steps.middle is [(1, 2)], allowed are 1 each, one a clos layer",
        ),
        (
            {"growth": {"steps": [{"epochs": 1}]}},
            "recipe.growth.steps.0.size is missing, allowed are fan_in, depth, middle",
        ),
        (
            {
                "layers": [
                    {"family": "clos", "outputs": 4, "ingress": 6, "middle": 2, "egress": 2, "stages": 4}
                ],
                "growth": {"steps": [{"middle": [1], "epochs": 1}]},
            },
            "recipe.layers.stages is 4, allowed is 3 where middle grows",
        ),
        (
            {
                "layers": [
                    {"family": "clos", "outputs": 36, "ingress": 6, "middle": 6, "egress": 6, "skips": True}
                ],
                "growth": {"steps": [{"middle": [1], "epochs": 1}]},
            },
            "recipe.layers.skips is True, allowed is False for a clos layer where middle grows",
        ),
        (growth([2], search=True), "recipe.growth.search is given without until, allowed is an accuracy to"),
        (growth([2], calcify=2), "recipe.growth.calcify is 2, allowed are 1 to 1, the number of steps"),
        (growth([2], epochs=30), "recipe.growth.steps.epochs is 30, allowed are sums below 30"),
        (growth([2], until=0.9), "recipe.growth.until is 0.9, allowed are none without hold_out images"),
        (
            growth([2]) | {"pruning": {"stored_weights": 9}},
            "recipe.growth is given with pruning, allowed is one",
        ),
    ],
)
def test_a_recipe_refuses_a_value_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        recipe(**changes)
    assert message in str(caught.value)


def test_a_recipe_that_is_missing_or_not_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"recipe is 'lenet-5', allowed are .*lenet-300-100-csc"):
        load_recipe("lenet-5")
    path = tmp_path / "broken.yaml"
    path.write_text("name: [")
    with pytest.raises(RecipeError, match="is not YAML in line 1"):
        load_recipe(path)
    path.write_text("- a list")
    with pytest.raises(RecipeError, match="holds list, allowed is a mapping in YAML"):
        load_recipe(path)


def test_every_network_of_the_zoo_has_its_recipe_and_every_recipe_its_name() -> None:
    assert {path.stem for path in RECIPES.glob("*.yaml")} == set(zoo_names())
    assert set(zoo_names()) < set(recipe_names())
    for name in recipe_names():
        assert load_recipe(name).name == name


def test_shifts_move_whole_images_and_fill_with_zero() -> None:
    images = np.arange(1, 3 * 16 + 1, dtype=np.float32).reshape(3, 16)
    random = np.random.default_rng(0)
    seen = set()
    for _ in range(40):
        for image, shifted in zip(images, Shifts(16, 1)(images, random), strict=True):
            padded = np.pad(image.reshape(4, 4), 1)
            matches = [
                (row, column)
                for row in range(3)
                for column in range(3)
                if np.array_equal(padded[row : row + 4, column : column + 4].ravel(), shifted)
            ]
            assert len(matches) == 1
            seen.add(matches[0])
    assert len(seen) == 9
    with pytest.raises(ValueError, match="n_in of shifted images is 15"):
        Shifts(15, 1)


def test_rates_start_and_end_as_they_say() -> None:
    progress = np.linspace(0, 1, 101)
    cycle = [RATES["one-cycle"](share) for share in progress]
    assert cycle[0] == pytest.approx(1 / 25)
    assert max(cycle) == cycle[30] == pytest.approx(1)
    assert cycle[-1] == pytest.approx(0, abs=1e-12)
    assert np.diff(cycle)[:29].min() > 0 > np.diff(cycle)[31:].max()
    assert [RATES["cosine"](share) for share in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])


def test_adam_makes_the_first_step_of_the_size_of_the_rate() -> None:
    weights = [np.array([1.0, -2.0, 3.0])]
    Adam(weights, weight_decay=0.0).step(weights, [np.array([5.0, -0.01, 0.3])], rate=0.1)
    np.testing.assert_allclose(weights[0], [0.9, -1.9, 2.9], atol=1e-6)


@pytest.mark.parametrize("kind", [Adam, Sgd])
def test_an_optimiser_that_goes_on_from_its_moments_makes_the_same_steps(kind: type) -> None:
    options = {"weight_decay": 0.1} | ({"momentum": 0.9} if kind is Sgd else {})
    random = np.random.default_rng(3)
    gradients = random.normal(size=(6, 4))
    straight = [np.ones(4)]
    whole = kind(straight, **options)
    for gradient in gradients:
        whole.step(straight, [gradient], rate=0.1)
    halved = [np.ones(4)]
    first = kind(halved, **options)
    for gradient in gradients[:3]:
        first.step(halved, [gradient], rate=0.1)
    second = kind(halved, **options)
    second.resume(3, [[moment.copy() for moment in moments] for moments in first.moments])
    for gradient in gradients[3:]:
        second.step(halved, [gradient], rate=0.1)
    np.testing.assert_array_equal(halved[0], straight[0])


def test_momentum_adds_up_and_decay_shrinks() -> None:
    weights = [np.array([1.0])]
    sgd = Sgd(weights, momentum=0.5, weight_decay=0.0)
    for _ in range(2):
        sgd.step(weights, [np.array([1.0])], rate=0.1)
    assert weights[0] == pytest.approx([1 - 0.1 - 0.15])
    weights = [np.array([1.0])]
    Sgd(weights, momentum=0.5, weight_decay=0.2).step(weights, [np.array([0.0])], rate=0.5)
    assert weights[0] == pytest.approx([0.9])


@pytest.mark.parametrize("kind", [Adam, Sgd])
def test_an_optimiser_carries_its_state_over_pruning(kind: type) -> None:
    options = {"weight_decay": 0.0} | ({"momentum": 0.9} if kind is Sgd else {})
    whole, kept = [np.ones((2, 2))], np.array([0, 3])
    part = [np.ones(2)]
    pruned, full = kind(whole, **options), kind([np.ones((2, 2))], **options)
    gradient = np.array([[1.0, 2.0], [3.0, 4.0]])
    other = [np.ones((2, 2))]
    pruned.step(whole, [gradient], rate=0.1)
    full.step(other, [gradient], rate=0.1)
    pruned.select(0, kept)
    part = [whole[0].ravel()[kept]]
    pruned.step(part, [gradient.ravel()[kept]], rate=0.1)
    full.step(other, [gradient], rate=0.1)
    np.testing.assert_allclose(part[0], other[0].ravel()[kept])
