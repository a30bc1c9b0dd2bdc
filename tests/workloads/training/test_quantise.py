"""Formats that quantisation chooses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.workloads.synthetic import patches, recipe
from workloads import (
    Calibration,
    DenseStage,
    IntegerNetworkError,
    Topology,
    TrainedNetwork,
    quantise,
    train,
)
from workloads.training.quantisation.quantise import fraction_bits, quantise_weights


@given(st.integers(2, 16), st.integers(0, 99), st.floats(1e-3, 1e3))
def test_weights_get_the_fraction_bits_of_least_squared_error(bits: int, seed: int, scale: float) -> None:
    exact = np.random.default_rng(seed).normal(scale=scale, size=50).astype(np.float32)
    integers, fraction = quantise_weights(exact, bits)
    top = 1 << (bits - 1)
    assert integers.min() >= -top
    assert integers.max() < top

    def error(exponent: int) -> float:
        rounded = np.clip(np.floor(exact * 2.0**exponent + 0.5), -top, top - 1)
        return float(np.sum((rounded / 2.0**exponent - exact) ** 2))

    found = float(np.sum((integers / 2.0**fraction - exact) ** 2))
    assert found <= min(error(exponent) for exponent in range(fraction - 4, fraction + 5)) * (1 + 1e-6)


@given(st.integers(2, 16), st.floats(1e-3, 1e6))
def test_a_format_holds_its_reach_and_one_bit_finer_would_not(bits: int, reach: float) -> None:
    most = (1 << (bits - 1)) - 1
    fraction = fraction_bits(reach, bits)
    assert reach * 2.0**fraction <= most
    assert reach * 2.0 ** (fraction + 1) > most or fraction == 24


@pytest.mark.parametrize("bias", [False, True])
def test_sixteen_bits_follow_the_float_network_closely_and_two_bits_still_run(bias: bool) -> None:
    data = patches()
    network = train(recipe(epochs=5, bias=bias), progress=False, data=data)
    fine = quantise(network, 16, 16)
    signal = data.test_inputs.T
    added = network.biases or (None,) * len(network.weights)
    for stage, weights, ends, biases in zip(
        network.topology.stages, network.weights, network.topology.ends_layer, added, strict=True
    ):
        signal = stage.csr(weights) @ signal
        signal = signal if biases is None else signal + biases[:, None]
        if ends and stage is not network.topology.stages[-1]:
            signal = np.maximum(signal, 0)
    outputs = fine.run(fine.quantise_input(data.test_inputs))
    scale = float(np.sum(signal * outputs) / np.sum(signal * signal))
    assert np.log2(scale) == pytest.approx(round(np.log2(scale)), abs=1e-3)
    np.testing.assert_allclose(outputs / scale, signal, atol=2e-3)
    coarse = quantise(network, 2, 2)
    assert coarse.run(coarse.quantise_input(data.test_inputs)).min() >= -2


def test_a_stage_of_tiny_outputs_never_shifts_left() -> None:
    network = TrainedNetwork(
        name="tiny outputs",
        topology=Topology(((DenseStage(2, 1),),)),
        weights=(np.array([[0.5, -0.5]], dtype=np.float32),),
        calibration=Calibration(percentiles=(99.99, 100.0), ranges=((1e-5, 1e-5),)),
        recipe={},
    )
    (stage,) = quantise(network, 4, 4).stages
    assert stage.shift == 0
    with pytest.raises(IntegerNetworkError, match="weight_bits of tiny outputs is 1"):
        quantise(network, 1, 8)


def test_a_stage_of_zero_weights_stays_zero() -> None:
    integers, _ = quantise_weights(np.zeros((3, 2), dtype=np.float32), 8)
    assert not integers.any()
    empty, _ = quantise_weights(np.zeros(0, dtype=np.float32), 8)
    assert empty.shape == (0,)


def test_a_network_with_skips_is_one_of_weights_that_hold_the_identity() -> None:
    layers = [{"family": "dense", "outputs": 36, "skips": True}, {"family": "dense", "outputs": 4}]
    network = train(recipe(epochs=1, layers=layers), progress=False, data=patches())
    assert {"float", "int8"} <= set(network.accuracy)
    integer = quantise(network, 16, 16)
    assert [stage.stage for stage in integer.stages] == list(network.topology.stages)
    x = np.random.default_rng(0).random((20, 36))
    hidden = np.maximum(x @ network.weights[0].T + x, 0)
    assert network.topology.stages[0].n_in == 36
    np.testing.assert_array_equal(integer.classify(x), np.argmax(hidden @ network.weights[1].T, axis=1))
