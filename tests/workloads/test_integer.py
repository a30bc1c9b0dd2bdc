"""The integer arithmetic that the hardware must match."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.workloads.strategies import integer_networks, stages
from workloads import (
    CscStage,
    DenseStage,
    IntegerNetwork,
    IntegerNetworkError,
    IntegerStage,
    Stage,
    Topology,
    build_layer,
    random_integer_network,
)


def one_stage(
    stage: Stage, weights: Any, *, shift: int = 0, relu: bool = False, bits: int = 8, **bias: Any
) -> IntegerNetwork:
    built = IntegerStage(stage=stage, weights=np.array(weights), shift=shift, relu=relu, **bias)
    return IntegerNetwork(
        name="one", stages=(built,), weight_bits=bits, activation_bits=bits, input_fraction_bits=bits - 1
    )


def slow_run(network: IntegerNetwork, x: list[int]) -> list[list[int]]:
    """The arithmetic, written once more in unbounded integers and without arrays."""
    top = 2 ** (network.activation_bits - 1)
    outputs = []
    for stage in network.stages:
        columns, weights = iter(stage.stage.columns().tolist()), iter(stage.weights.ravel().tolist())
        y = []
        for row, length in enumerate(stage.stage.row_lengths().tolist()):
            total = 0 if stage.bias is None else int(stage.bias[row]) * 2**stage.bias_shift
            total += sum(next(weights) * x[next(columns)] for _ in range(length))
            if stage.shift:
                total = (total * 2 + 2**stage.shift) // 2 ** (stage.shift + 1)
            if stage.relu and total < 0:
                total = 0
            y.append(min(max(total, -top), top - 1))
        outputs.append(y)
        x = y
    return outputs


@given(st.data())
def test_a_network_computes_what_plain_integers_compute(data: st.DataObject) -> None:
    network = data.draw(integer_networks())
    top = 1 << (network.activation_bits - 1)
    vector = st.lists(st.integers(-top, top - 1), min_size=network.n_in, max_size=network.n_in)
    batch = data.draw(st.lists(vector, min_size=1, max_size=3))
    traced = network.trace(np.array(batch, dtype=np.int64).T)
    for column, x in enumerate(batch):
        for got, wanted in zip(traced, slow_run(network, x), strict=True):
            assert got[:, column].tolist() == wanted
    np.testing.assert_array_equal(network.run(np.array(batch, dtype=np.int64).T), traced[-1])


def test_a_half_is_rounded_up_whatever_its_sign() -> None:
    network = one_stage(DenseStage(1, 1), [[1]], shift=1)
    x = np.array([[-3, -2, -1, 0, 1, 2, 3]])
    assert network.run(x).tolist() == [[-1, -1, 0, 0, 1, 1, 2]]


def test_an_output_saturates_at_both_ends() -> None:
    network = one_stage(DenseStage(1, 1), [[127]])
    assert network.run(np.array([[-128, -2, -1, 1, 2, 127]])).tolist() == [[-128, -128, -127, 127, 127, 127]]
    rectified = one_stage(DenseStage(1, 1), [[127]], relu=True)
    assert rectified.run(np.array([[-128, 127]])).tolist() == [[0, 127]]


def test_a_bias_enters_the_sum_shifted_and_is_rounded_with_it() -> None:
    network = one_stage(DenseStage(1, 2), [[1], [1]], shift=2, bias=[1, -3], bias_shift=1)
    (stage,) = network.stages
    assert stage.initial_sums.tolist() == [2, -6]
    assert network.run(np.array([[0, 3, 4]])).tolist() == [[1, 1, 2], [-1, -1, 0]]


def test_biases_are_counted_beside_the_weights_and_not_in_the_compression() -> None:
    plain = one_stage(DenseStage(3, 2), np.ones((2, 3), dtype=int))
    biased = one_stage(DenseStage(3, 2), np.ones((2, 3), dtype=int), bias=[5, 6])
    assert (plain.stored_weights, plain.stored_biases) == (6, 0)
    assert (biased.stored_weights, biased.stored_biases) == (6, 2)
    assert biased.compression == plain.compression == 1
    assert "6 weights and 2 biases" in repr(biased)
    assert "bias" not in repr(plain) + repr(plain.stages[0])


@given(stages(), st.integers(2, 16), st.integers(2, 16), st.integers(0, 20), st.integers(0, 40))
def test_an_accumulator_holds_the_extremes_of_rows_with_a_bias_and_has_no_bit_to_spare(
    stage: Stage, weight_bits: int, activation_bits: int, shift: int, bias_shift: int
) -> None:
    top, most = 1 << (weight_bits - 1), (1 << (activation_bits - 1)) - 1
    extremes = []
    for bias, x in ((top - 1, -most - 1), (-top, most)):
        built = IntegerStage(
            stage=stage,
            weights=np.full(stage.weight_shape, -top),
            shift=shift,
            relu=False,
            bias=np.full(stage.n_out, bias),
            bias_shift=bias_shift,
        )
        network = IntegerNetwork("extreme", (built,), weight_bits, activation_bits, activation_bits - 1)
        sums = built.accumulate(np.full((stage.n_in, 1), x))
        extremes += [int(sums.min()), int(sums.max()) + built.rounding_constant]
    lowest, largest = min(extremes), max(extremes)
    half = 1 << (network.accumulator_bits - 1)
    assert -half <= lowest
    assert largest < half
    assert lowest < -half // 2 or largest >= half // 2
    assert network.accumulator_bound == max(largest, -lowest - 1)


@given(stages(), st.integers(2, 16), st.integers(2, 16), st.integers(0, 20))
def test_the_accumulator_bound_is_reached_and_needs_every_bit(
    stage: Stage, weight_bits: int, activation_bits: int, shift: int
) -> None:
    network = IntegerNetwork(
        name="extreme",
        stages=(
            IntegerStage(
                stage=stage,
                weights=np.full(stage.weight_shape, -(1 << (weight_bits - 1))),
                shift=shift,
                relu=False,
            ),
        ),
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        input_fraction_bits=activation_bits - 1,
    )
    (built,) = network.stages
    x = np.full((stage.n_in, 1), -(1 << (activation_bits - 1)))
    reached = int(built.accumulate(x).max()) + built.rounding_constant
    assert reached == network.accumulator_bound
    top = 1 << (network.accumulator_bits - 1)
    assert reached < top
    assert reached >= top // 2


@given(st.data())
def test_no_sum_exceeds_the_accumulator_bound(data: st.DataObject) -> None:
    network = data.draw(integer_networks())
    top = 1 << (network.activation_bits - 1)
    x = np.random.default_rng(data.draw(st.integers(0, 99))).integers(-top, top, size=(network.n_in, 20))
    for stage, output in zip(network.stages, network.trace(x), strict=True):
        sums = stage.accumulate(x)
        assert sums.min() >= -network.accumulator_bound - 1
        assert (sums + stage.rounding_constant).max() <= network.accumulator_bound
        x = output


def test_the_accumulator_of_a_dense_layer_of_784_eight_bit_inputs_has_25_bits() -> None:
    assert one_stage(DenseStage(784, 1), np.zeros((1, 784), dtype=int)).accumulator_bits == 25


def test_pixels_become_fractions_of_seven_bits_and_white_saturates() -> None:
    network = one_stage(DenseStage(5, 1), [[1, 1, 1, 1, 1]])
    images = np.array([[0.0, 1.0, 0.5, 0.5 / 128, 0.49 / 128]], dtype=np.float32)
    assert network.quantise_input(images).tolist() == [[0], [127], [64], [1], [0]]


def test_the_class_is_the_lowest_of_equal_outputs() -> None:
    network = one_stage(DenseStage(1, 3), [[0], [1], [1]])
    assert network.classify(np.array([[0.5], [0.0]])).tolist() == [1, 0]


def test_layers_of_an_integer_network_end_where_a_relu_is() -> None:
    topology = Topology(
        (build_layer("csc", 20, 12, fan_in=3), build_layer("clos", 12, 6, ingress=3, middle=2, egress=3))
    )
    network = random_integer_network(topology, seed=3)
    assert network.dense_weights == topology.dense_weights
    assert network.stored_weights == topology.stored_weights
    assert network.compression == topology.compression
    assert [stage.relu for stage in network.stages].count(True) == 1


def test_a_random_network_neither_dies_nor_saturates() -> None:
    topology = Topology(
        (
            build_layer("csc", 300, 300, fan_in=7),
            build_layer("dense", 300, 100),
            build_layer("dense", 100, 10),
        )
    )
    x = np.random.default_rng(0).integers(0, 128, size=(300, 50))
    for bias_share in (0.0, 1.0):
        for output in random_integer_network(topology, bias_share=bias_share).trace(x):
            assert 5 < output.std() < 100


def test_a_share_of_the_stages_of_a_random_network_has_biases_and_the_weights_stay() -> None:
    topology = Topology((build_layer("csc", 20, 20, fan_in=3, depth=9), build_layer("dense", 20, 5)))
    plain, some, all_biased = (
        random_integer_network(topology, bias_share=share, seed=4) for share in (0.0, 0.5, 1.0)
    )
    counts = [
        sum(stage.bias is not None for stage in network.stages) for network in (plain, some, all_biased)
    ]
    assert counts[0] == 0 < counts[1] < counts[2] == 10
    assert all_biased.stored_biases == 9 * 20 + 5
    for one, other in zip(plain.stages, all_biased.stages, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)
        assert one.shift == other.shift


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: one_stage(DenseStage(1, 1), [[128]]), "allowed are -128 to 127 with 8 bits"),
        (lambda: one_stage(DenseStage(1, 1), [1]), "allowed are integers of shape (1, 1)"),
        (lambda: one_stage(DenseStage(1, 1), [[0.5]]), "allowed are integers of shape (1, 1)"),
        (lambda: one_stage(DenseStage(1, 1), [[1]], shift=-1), "shift of an integer stage is -1"),
        (lambda: one_stage(DenseStage(1, 1), [[1]], bits=17), "weight_bits of one is 17"),
        (
            lambda: one_stage(DenseStage(1, 1), [[1]]).run(np.array([[128]])),
            "allowed are -128 to 127 with 8 bits",
        ),
        (
            lambda: one_stage(DenseStage(1, 1), [[1]]).run(np.array([[1], [2]])),
            "integers of shape (1, batch)",
        ),
        (
            lambda: one_stage(DenseStage(1, 1), [[1]]).quantise_input(np.ones((2, 3))),
            "have shape (2, 3) and type float64, allowed are numbers of shape (batch, 1)",
        ),
        (
            lambda: one_stage(DenseStage(1, 1), [[1]]).quantise_input(np.array([[2.0]])),
            "inputs of one span 2 to 2, 1 of 1 beyond its input_range, allowed are 0 to 1 with at most",
        ),
        (
            lambda: dataclasses.replace(one_stage(DenseStage(1, 1), [[1]]), input_range=(1.0, 1.0)),
            "input_range of one is (1.0, 1.0), allowed are two finite numbers",
        ),
        (
            lambda: dataclasses.replace(one_stage(DenseStage(2, 1), [[1, 1]]), input_order=(0, 0)),
            "input_order is [0, 0] of 2 places, allowed are the numbers 0 to 1, once each",
        ),
        (
            lambda: one_stage(DenseStage(1, 1), [[1]]).quantise_input(np.array([[np.nan]])),
            "allowed are 0 to 1",
        ),
        (
            lambda: random_integer_network(Topology(((DenseStage(1, 1),),)), activation_bits=1),
            "activation_bits of random is 1",
        ),
        (
            lambda: one_stage(DenseStage(1, 1), [[1]], bias=[-129]),
            "biases of stage 0 of one span -129 to -129",
        ),
        (
            lambda: one_stage(DenseStage(1, 2), [[1], [1]], bias=[1]),
            "has shape (1,) and type int64, allowed are integers of shape (2,), or none",
        ),
        (
            lambda: one_stage(DenseStage(1, 1), [[1]], bias=[0.5]),
            "allowed are integers of shape (1,), or none",
        ),
        (
            lambda: one_stage(DenseStage(1, 1), [[1]], bias=[1], bias_shift=63),
            "bias_shift of an integer stage is 63, allowed are 0 to 62",
        ),
        (
            lambda: one_stage(DenseStage(1, 1), [[1]], bias_shift=3),
            "bias_shift of an integer stage is 3, allowed is 0 where there is no bias",
        ),
        (
            lambda: one_stage(DenseStage(1, 1), [[1]], bias=[1], bias_shift=62),
            "accumulator_bits of one is 71, allowed are up to 63",
        ),
        (lambda: IntegerNetwork("none", (), 8, 8, 7), "stages of none is empty"),
        (
            lambda: IntegerNetwork(
                "broken",
                (
                    IntegerStage(DenseStage(2, 3), np.zeros((3, 2), dtype=int), 0, True),
                    IntegerStage(CscStage(2, 2, 1, 1), np.zeros((2, 1), dtype=int), 0, False),
                ),
                8,
                8,
                7,
            ),
            "n_in of stage 1 of broken is 2, allowed is 3",
        ),
    ],
)
def test_an_integer_network_refuses_a_value_by_name(build: Any, message: str) -> None:
    with pytest.raises(IntegerNetworkError) as caught:
        build()
    assert message in str(caught.value)
