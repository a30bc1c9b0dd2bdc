"""Training that rounds computes what integer networks do, and lets gradients through where it should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from tests.workloads.synthetic import patches, recipe
from workloads import Topology, TrainedNetwork, build_layer, quantise
from workloads.topology.network import Calibration
from workloads.training.evaluate import evaluate
from workloads.training.models.model import Model, initial_weights
from workloads.training.quantisation.quantise import stage_formats
from workloads.training.rounding import RoundingModel, _reach
from workloads.training.schema import RecipeError, RoundingRecipe
from workloads.training.training import train

TOPOLOGY = Topology(
    (
        build_layer("clos", 24, 16, ingress=4, middle=3, egress=4),
        build_layer("csc", 16, 12, fan_in=4),
        build_layer("dense", 12, 5),
    )
)


def drawn(seed: int, *, biases: bool = True) -> list[Any]:
    """Weights of the topology, and biases of its layers."""
    random = np.random.default_rng(seed)
    weights = [initial_weights(stage, random, np.float64) for stage in TOPOLOGY.stages]
    widths = [layer[-1].n_out for layer in TOPOLOGY.layers] if biases else []
    return weights + [random.normal(size=width) / 4 for width in widths]


def rounding(weight_bits: int, activation_bits: int, weights: list[Any]) -> RoundingModel:
    of = RoundingRecipe(weight_bits=weight_bits, activation_bits=activation_bits)
    return RoundingModel(TOPOLOGY, weights, of, (0.0, 1.0))


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), weight_bits=st.integers(2, 8), activation_bits=st.integers(3, 8))
def test_a_pass_that_rounds_is_the_integer_network(seed: int, weight_bits: int, activation_bits: int) -> None:
    arrays = drawn(seed)
    model = rounding(weight_bits, activation_bits, arrays)
    x = np.random.default_rng(seed + 1).random((24, 300))
    signals = model.forward(x)
    largest = tuple((float(np.abs(signal).max()),) for signal in signals[1:])
    stages = len(TOPOLOGY.stages)
    of_layers = iter(arrays[stages:])
    network = TrainedNetwork(
        "drawn",
        TOPOLOGY,
        tuple(array.astype(np.float32) for array in arrays[:stages]),
        Calibration((100.0,), largest),
        {},
        biases=tuple(next(of_layers).astype(np.float32) if ends else None for ends in TOPOLOGY.ends_layer),
    )
    formats = stage_formats(network, weight_bits, activation_bits)
    # The largest of the rounded outputs may need another format than those that were not rounded yet.
    assume(tuple(form.fraction_out for form in formats) == model.fractions)
    integer = quantise(network, weight_bits, activation_bits)
    outputs = integer.run(integer.quantise_input(x.T.astype(np.float32)))
    exact = rounding(weight_bits, activation_bits, [array.astype(np.float32) for array in arrays])
    np.testing.assert_array_equal(
        np.ldexp(exact.forward(x.astype(np.float32))[-1].astype(float), formats[-1].fraction_out), outputs
    )


def test_wide_words_give_the_gradients_of_exact_ones() -> None:
    arrays = drawn(3)
    random = np.random.default_rng(4)
    x, labels = random.random((24, 50)), random.integers(0, 5, 50)
    exact_loss, exact = Model(TOPOLOGY, arrays).loss_and_gradients(x, labels)
    loss, gradients = rounding(16, 16, arrays).loss_and_gradients(x, labels)
    assert loss == pytest.approx(exact_loss, rel=1e-3)
    for gradient, expected in zip(gradients, exact, strict=True):
        np.testing.assert_allclose(gradient, expected, atol=2e-3 * np.abs(expected).max())


def test_outputs_that_are_cut_off_pass_no_gradient() -> None:
    topology = Topology((build_layer("dense", 1, 1), build_layer("dense", 1, 2)))
    of = RoundingRecipe(weight_bits=8, activation_bits=4)
    model = RoundingModel(topology, [np.ones((1, 1)), np.array([[1.0], [-1.0]])], of, (0.0, 8.0))
    # Of 20,000 outputs a few lie beyond the format that holds 99.99 % of them.
    x = np.r_[np.full(19_999, 1.0), 7.9][None, :]
    _, _, inside = model._rounded(x)
    assert inside[0].sum() == 19_999
    assert not inside[0][0, -1]


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 6), st.integers(1, 9)),
        elements=st.sampled_from([0.0, 0.5, 1.0, 2.0, np.inf, np.nan]),
    ),
    st.data(),
)
def test_the_magnitude_that_few_exceed_is_that_of_a_sorted_list(magnitudes: Any, data: st.DataObject) -> None:
    larger = data.draw(st.integers(0, magnitudes.size - 1))
    in_order = np.sort(magnitudes, axis=None)
    np.testing.assert_array_equal(_reach(magnitudes, larger), in_order[-1 - larger])


def test_narrow_words_are_learnt(tmp_path: Any) -> None:
    data = patches(1200)
    shares = {}
    for section in (None, {"weight_bits": 2, "activation_bits": 8, "begin": 0.3}):
        trained = train(recipe(rounding=section, bias=True), data=data, progress=False)
        integer = quantise(trained, 2, 8)
        shares[section is not None] = evaluate(integer, data.test_inputs, data.test_labels)
        assert trained.recipe["rounding"] == (section and {**section})
        told = {name: share for name, share in trained.accuracy.items() if "x" in name}
        assert list(told) == [f"int{bits}x8" for bits in range(2, 8) if section]
        assert told.get("int2x8") == (shares[True] if section else None)
    assert shares[True] > shares[False] + 0.02
    assert shares[True] > 0.8


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rounding": {"weight_bits": 1, "activation_bits": 8}}, "recipe.rounding.weight_bits is 1"),
        ({"rounding": {"weight_bits": 4}}, "recipe.rounding.activation_bits is missing"),
        (
            {"rounding": {"weight_bits": 4, "activation_bits": 8, "begin": 1.0}},
            "recipe.rounding.begin is 1.0",
        ),
    ],
)
def test_what_is_wrong_is_refused_in_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RecipeError) as error:
        recipe(**changes)
    assert str(error.value).startswith(sentence)


def test_skips_are_not_rounded() -> None:
    layers = [{"family": "csc", "outputs": 36, "fan_in": 4, "skips": True}, {"family": "dense", "outputs": 4}]
    with pytest.raises(RecipeError, match="rounding is given with layers"):
        recipe(layers=layers, rounding={"weight_bits": 4, "activation_bits": 8})
