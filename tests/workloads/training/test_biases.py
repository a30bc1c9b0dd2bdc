"""Biases: trained by their gradients, free of decay, quantised to words and a shift."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.workloads.slopes import assert_gradients_are_slopes
from tests.workloads.synthetic import CLASSES, dense_layers, patches, recipe
from tests.workloads.training.test_growth import growing
from workloads import (
    Calibration,
    DenseStage,
    IntegerNetworkError,
    LabelledData,
    PrunedStage,
    Topology,
    TrainedNetwork,
    build_layer,
    quantise,
    train,
)
from workloads.topology.topology import skips_of
from workloads.training.models.model import Model, initial_weights
from workloads.training.optimisers import Adam, Sgd
from workloads.training.quantisation.quantise import quantise_bias, quantise_weights
from workloads.training.run import Run

DATA = patches()
EMPTY_ROWS = PrunedStage.from_mask(np.eye(12, 12, dtype=bool)[:, ::-1] & (np.arange(12) < 9))
LAYERS: dict[str, Any] = {
    "dense": (DenseStage(12, 12),),
    "csc": build_layer("csc", 12, 12, fan_in=3),
    "clos": build_layer("clos", 12, 12, ingress=4, middle=3, egress=4),
    "kronecker": build_layer("kronecker", 12, 12, factors=[[1, 4, 3, 4], [4, 3, 4, 1]]),
    "low-rank": build_layer("low-rank", 12, 12, rank=5),
    "pruned": (EMPTY_ROWS,),
}


def model_with_biases(layer: Any, *, skips: bool = False, input_digits: tuple[int, ...] = ()) -> Model:
    random, layers = np.random.default_rng(3), (layer, (DenseStage(12, 5),))
    topology = Topology(layers, skips_of(layers) if skips else (), input_digits)
    weights = [initial_weights(stage, random, np.float64) for stage in topology.stages]
    return Model(topology, [*weights, random.normal(size=12), random.normal(size=5)])


def scaled(images: int = 400) -> LabelledData:
    """One picture at every brightness; the class says whether it is a bright one."""
    random = np.random.default_rng(8)
    picture = (0.2 + 0.8 * random.random(36)).astype(np.float32)
    brightness = random.random((images, 1), dtype=np.float32)
    labels, pixels, half = (brightness[:, 0] > 0.5).astype(np.int64), brightness * picture, images // 2
    return LabelledData(pixels[:half], labels[:half], pixels[half:], labels[half:])


@pytest.mark.parametrize("skips", [False, True])
@pytest.mark.parametrize("kind", sorted(LAYERS))
def test_a_bias_is_added_where_a_layer_ends_and_its_gradient_is_a_slope(kind: str, skips: bool) -> None:
    model = model_with_biases(LAYERS[kind], skips=skips)
    x = np.random.default_rng(4).normal(size=(12, 3))
    wanted, biases = x, iter(model.biases)
    topology = model.topology
    stages = zip(topology.stages, model.of_stages, topology.skipped, topology.ends_layer, strict=True)
    for stage, weights, skip, ends in stages:
        wanted = stage.csr(weights) @ wanted + (wanted if skip else 0)
        if ends:
            wanted = wanted + next(biases)[:, None]
            wanted = wanted if stage is topology.stages[-1] else np.maximum(wanted, 0)
    np.testing.assert_allclose(model.logits(x), wanted, atol=1e-12)
    assert_gradients_are_slopes(model, n_in=12, classes=5)


def test_gradients_of_a_network_with_biases_that_follows_another_hold_for_its_inputs_too() -> None:
    model = model_with_biases(LAYERS["csc"], input_digits=(3, 4))
    x, direction = np.random.default_rng(5).normal(size=(2, 12, 1))
    signals = model.forward(x)
    gradients, dx = model.backward(signals, np.ones((5, 1)))
    assert [gradient.shape for gradient in gradients] == [array.shape for array in model.weights]
    step = 1e-6 * direction
    slope = (model.logits(x + step) - model.logits(x - step)).sum() / 2e-6
    assert float((dx * direction).sum()) == pytest.approx(float(slope), abs=1e-7)


@pytest.mark.parametrize("optimiser", [{"kind": "adam"}, {"kind": "sgd", "momentum": 0.9}])
def test_weights_decay_and_biases_do_not(optimiser: dict[str, Any]) -> None:
    chosen = recipe(bias=True, optimiser=optimiser | {"weight_decay": 0.5})
    run = Run(chosen, DATA.train_inputs, DATA.train_labels)
    model, still = run.model, [np.zeros_like(array) for array in run.model.weights]
    assert isinstance(model, Model)
    assert [bias.shape for bias in model.biases] == [(12,), (8,), (CLASSES,)]
    assert not any(bias.any() for bias in model.biases)
    for array in model.weights:
        array[...] = 1
    run.optimiser.step(model.weights, still, rate=0.1)
    for weights in model.of_stages:
        np.testing.assert_allclose(weights, 0.95, rtol=1e-6)
    for bias in model.biases:
        np.testing.assert_array_equal(bias, 1)


@pytest.mark.parametrize("kind", [Adam, Sgd])
def test_an_optimiser_moves_biases_as_it_moves_weights_that_do_not_decay(kind: type) -> None:
    options: dict[str, Any] = {"momentum": 0.9} if kind is Sgd else {}
    biased, plain = ([np.ones(3), np.ones(2)] for _ in range(2))
    first = kind(biased, weight_decay=0.5, biases=1, **options)
    other = kind(plain, weight_decay=0.0, **options)
    for gradients in np.random.default_rng(0).normal(size=(4, 5)):
        first.step(biased, [gradients[:3], gradients[3:]], rate=0.1)
        other.step(plain, [gradients[:3], gradients[3:]], rate=0.1)
    np.testing.assert_array_equal(biased[1], plain[1])
    assert (biased[0] < plain[0]).all()


def test_a_network_tells_bright_from_dark_by_its_biases_alone() -> None:
    """Without biases the scores of one picture at another brightness are the same scores, scaled."""
    layers = [{"family": "dense", "outputs": 12}, {"family": "dense", "outputs": 2}]
    with_bias, without = (
        train(recipe(layers=layers, bias=bias), progress=False, data=scaled()).accuracy
        for bias in (True, False)
    )
    assert with_bias["float"] > 0.97
    assert with_bias["int8"] > 0.95
    assert without["float"] < 0.6


@pytest.mark.parametrize(
    "chosen",
    [
        recipe(bias=True),
        recipe(bias=True, layers=dense_layers(), pruning={"stored_weights": 130, "events": 4}),
        growing().replace(bias=True, epochs=20),
    ],
)
def test_a_network_with_biases_learns_and_stays_accurate_as_integers(chosen: Any) -> None:
    network = train(chosen, progress=False, data=DATA)
    assert network.accuracy["float"] > 0.9
    assert network.accuracy["int8"] > 0.9
    assert network.stored_biases == sum(layer.outputs for layer in chosen.layers)
    assert all(bias.any() for bias in network.biases if bias is not None)
    integer = quantise(network, 8, 8)
    assert integer.stored_biases == network.stored_biases
    held = [stage.bias is not None for stage in integer.stages]
    assert held == list(network.topology.ends_layer)


@given(
    st.integers(2, 16), st.integers(-4, 40), st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=6)
)
def test_a_bias_gets_the_least_shift_at_which_it_fits_and_is_off_by_half_a_step_at_most(
    bits: int, fraction: int, values: list[float]
) -> None:
    exact, top = np.array(values, dtype=np.float32), 1 << (bits - 1)
    integers, shift = quantise_bias(exact, fraction, bits)
    assert -top <= integers.min()
    assert integers.max() < top
    wanted = exact.astype(np.float64) * 2.0**fraction
    assert np.abs(integers * 2.0**shift - wanted).max() <= 2.0**shift / 2
    if shift:
        finer = np.floor(wanted / 2.0 ** (shift - 1) + 0.5)
        assert finer.min() < -top or finer.max() >= top


@given(st.integers(0, 99), st.integers(4, 16), st.floats(0.01, 30))
def test_outputs_of_a_stage_with_a_bias_are_off_by_what_its_three_roundings_explain(
    seed: int, bits: int, reach: float
) -> None:
    random = np.random.default_rng(seed)
    weights = (random.normal(size=(4, 6)) / 3).astype(np.float32)
    bias = (random.normal(size=4) * reach).astype(np.float32)
    x = np.arange(6) / 8  # eighths, which are exact with 4 bits
    y = weights.astype(np.float64) @ x + bias
    most = float(np.abs(y).max())
    network = TrainedNetwork(
        name="one",
        topology=Topology(((DenseStage(6, 4),),)),
        weights=(weights,),
        calibration=Calibration((99.99, 100.0), ((most, most),)),
        recipe={},
        biases=(bias,),
    )
    integer = quantise(network, bits, bits)
    (stage,), (rounded, fraction) = integer.stages, quantise_weights(weights, bits)
    of_sums = fraction + bits - 1
    of_outputs = of_sums - stage.shift
    from_weights = np.abs(np.ldexp(rounded, -fraction) - weights) @ x
    from_bias, from_output = 2.0 ** (stage.bias_shift - of_sums) / 2, 2.0**-of_outputs / 2
    outputs = integer.run(integer.quantise_input(x[None]))[:, 0] * 2.0**-of_outputs
    assert (np.abs(outputs - y) <= from_weights + from_bias + from_output + 1e-9).all()


def test_a_bias_beyond_any_accumulator_is_refused() -> None:
    network = train(recipe(epochs=1, bias=True), progress=False, data=DATA)
    vast = tuple(None if bias is None else np.full_like(bias, 1e30) for bias in network.biases)
    with pytest.raises(
        IntegerNetworkError, match=r"bias_shift of an integer stage is .*, allowed are 0 to 62"
    ):
        quantise(dataclasses.replace(network, biases=vast), 8, 8)
