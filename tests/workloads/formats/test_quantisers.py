"""Quantised models of ONNX and QONNX: weights are their levels, ranges are handed on, and hardware of their
width holds them without a loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

import archsim as a
from tests.workloads.formats.onnx_models import RANDOM, TensorProto, helper, model, node, normal
from workloads.importers.graphs.onnx_file import Onnx
from workloads.importers.graphs.signals import through
from workloads.importers.layers import Layers
from workloads.topology.network import NetworkFileError

STEP = np.float32(2.0**-3)
LEVELS = RANDOM.integers(-8, 8, (6, 4)).astype(np.int8)


def read(made: Any) -> Layers:
    return Onnx().read(made)


def matrix_of(nodes: list[Any], constants: dict[str, Any], opset: int = 21) -> NDArray[Any]:
    """The matrix of a model that multiplies by what the nodes make of constants, as `w`."""
    layers = read(model([*nodes, node("MatMul", "x w", "y")], constants, opset=opset))
    return np.asarray(layers.layers[0].matrix.T)


def test_weights_are_the_levels_that_are_stored() -> None:
    nodes = [node("DequantizeLinear", "q s z", "w")]
    zero = np.int8(3)
    matrix = matrix_of(nodes, {"q": LEVELS, "s": STEP, "z": zero})
    np.testing.assert_array_equal(matrix, (LEVELS.astype(int) - 3) * float(STEP))


def test_each_column_may_have_a_scale() -> None:
    scales = np.float32(2.0) ** -np.arange(1, 5, dtype=np.float32)
    nodes = [node("DequantizeLinear", "q s z", "w", axis=1)]
    matrix = matrix_of(nodes, {"q": LEVELS, "s": scales, "z": np.zeros(4, dtype=np.int8)})
    np.testing.assert_array_equal(matrix, LEVELS * scales.astype(float))


def test_each_block_may_have_a_scale() -> None:
    scales = np.abs(normal(3, 4)) + np.float32(0.1)
    nodes = [node("DequantizeLinear", "q s", "w", axis=0, block_size=2)]
    matrix = matrix_of(nodes, {"q": LEVELS, "s": scales})
    np.testing.assert_array_equal(matrix, LEVELS * np.repeat(scales.astype(float), 2, axis=0))


def test_levels_of_four_bits_are_read() -> None:
    nodes = [
        helper.make_node(
            "Constant", [], ["q"], value=helper.make_tensor("q", TensorProto.INT4, (6, 4), LEVELS)
        ),
        node("DequantizeLinear", "q s", "w"),
    ]
    np.testing.assert_array_equal(matrix_of(nodes, {"s": STEP}), LEVELS * float(STEP))


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16])
def test_weights_that_a_model_quantises_itself_are_those_of_the_reference(kind: Any) -> None:
    weights, zero = 4 * normal(6, 4), kind(5)
    nodes = [node("QuantizeLinear", "u s z", "q"), node("DequantizeLinear", "q s z", "w")]
    constants = {"u": weights, "s": np.float32(0.05), "z": zero}
    made = model([*nodes, node("MatMul", "x w", "y")], constants, opset=21)
    eye = np.eye(6, dtype=np.float32)
    np.testing.assert_allclose(
        read(made).layers[0].matrix.T, ReferenceEvaluator(made).run(None, {"x": eye})[0], rtol=1e-6
    )


def quant(signed: bool, narrow: bool, mode: str) -> Any:
    return node("Quant", "u s z b", "w", signed=int(signed), narrow=int(narrow), rounding_mode=mode)


@pytest.mark.parametrize(
    ("signed", "narrow", "mode", "expected"),
    [
        (True, False, "ROUND", [-1.0, -0.5, 0.0, 0.0, 0.0, 0.5, 0.75]),
        (True, True, "ROUND", [-0.75, -0.5, 0.0, 0.0, 0.0, 0.5, 0.75]),
        (False, False, "ROUND", [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 1.75]),
        (True, False, "FLOOR", [-1.0, -0.5, -0.25, 0.0, 0.0, 0.25, 0.75]),
        (True, False, "CEIL", [-1.0, -0.25, 0.0, 0.0, 0.25, 0.5, 0.75]),
        (True, False, "ROUND_TO_ZERO", [-1.0, -0.25, 0.0, 0.0, 0.0, 0.25, 0.75]),
        (True, False, "HALF_UP", [-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75]),
    ],
)
def test_weights_of_qonnx_are_rounded_as_it_says(
    signed: bool, narrow: bool, mode: str, expected: list[float]
) -> None:
    """Levels of three bits, a quarter each; -0.125 and 0.125 lie in the middle of two."""
    given = np.array([[-3.0, -0.4, -0.125, 0.0, 0.125, 0.4, 2.9]], dtype=np.float32)
    constants = {"u": given.T, "s": np.float32(0.25), "z": np.float32(0), "b": np.float32(3)}
    made = model([quant(signed, narrow, mode), node("MatMul", "x w", "y")], constants, ("N", 7))
    assert read(made).layers[0].matrix.tolist() == [expected]


def test_weights_of_one_bit_are_minus_and_plus_the_scale() -> None:
    matrix = matrix_of([node("BipolarQuant", "u s", "w")], {"u": LEVELS.astype(np.float32), "s": STEP})
    np.testing.assert_array_equal(matrix, np.where(LEVELS >= 0, 1, -1) * float(STEP))


def qdq(kind: Any) -> Any:
    """Two layers with quantisers around everything; none of the nodes is a ReLU."""
    nodes = [
        node("QuantizeLinear", "x sx zx", "xq"),
        node("DequantizeLinear", "xq sx zx", "xd"),
        node("DequantizeLinear", "q1 s1 z1", "w1"),
        node("Gemm", "xd w1 b1", "p"),
        node("QuantizeLinear", "p sh zh", "hq"),
        node("DequantizeLinear", "hq sh zh", "hd"),
        node("DequantizeLinear", "q2 s1 z1", "w2"),
        node("MatMul", "hd w2", "o"),
        node("QuantizeLinear", "o sx zx", "oq"),
        node("DequantizeLinear", "oq sx zx", "y"),
    ]
    constants = {
        "sx": np.float32(2.0**-4),
        "zx": np.int8(0),
        "sh": np.float32(2.0**-6),
        "zh": kind(0),
        "q1": LEVELS,
        "q2": RANDOM.integers(-8, 8, (4, 3)).astype(np.int8),
        "s1": np.float32(2.0**-4),
        "z1": np.int8(0),
        "b1": np.float32(2.0**-4) * np.arange(4, dtype=np.float32),
    }
    return model(nodes, constants, opset=21)


@pytest.mark.parametrize(("kind", "activation"), [(np.uint8, "relu"), (np.int8, "none")])
def test_a_quantiser_without_negative_levels_is_a_relu(kind: Any, activation: str) -> None:
    assert [layer.activation for layer in read(qdq(kind)).layers] == [activation, "none"]


def test_layers_are_off_from_the_reference_by_the_rounding_of_activations_alone() -> None:
    made, inputs = qdq(np.uint8), np.clip(normal(20, 6), -1, 1)
    outputs = ReferenceEvaluator(made).run(None, {"x": inputs})[0]
    layers = read(made)
    within = np.abs(outputs).max(axis=1) < 7.9
    off = np.abs(through(layers, inputs) - outputs)[within]
    first, second = (np.abs(np.asarray(layer.matrix)) for layer in layers.layers)
    bound = second.sum(axis=1).max() * (first.sum(axis=1).max() / 32 + 1 / 128) + 1 / 32
    assert within.sum() > 3
    assert 0 < off.max() <= bound


def test_ranges_and_widths_are_handed_on() -> None:
    layers = read(qdq(np.uint8))
    assert layers.settings == {"input_range": (-8.0, 7.9375), "output_ranges": (255 / 64, 127 / 16)}
    assert any("8 bits for weights and 9 bits for activations" in remark for remark in layers.remarks)
    assert not read(model([node("MatMul", "x w", "y")], {"w": normal(6, 4)})).settings


def test_hardware_of_the_width_of_a_model_computes_what_its_reference_computes(tmp_path: Path) -> None:
    """Nine bits hold the unsigned levels of eight. A hidden sum in the middle of two levels is rounded up,
    not to the even one; the last layer is then off by no more than the levels of one such sum."""
    made, inputs = qdq(np.uint8), np.clip(normal(40, 6), -3, 3)
    network = a.import_network(made, inputs=inputs)
    network.save(tmp_path / "network.npz")
    engine = a.Dense(pes=2, weight_bits=9, activation_bits=9)
    design = a.DesignPoint(network=str(tmp_path / "network.npz"), engine=engine, technology="cmos65")
    assert a.verify(design.mapping, inputs=2).agrees
    levels = design.integer.run(design.integer.quantise_input(inputs))
    outputs = ReferenceEvaluator(made).run(None, {"x": inputs})[0].T
    off = np.abs(levels / 32 - outputs)
    assert np.median(off) <= 1 / 32
    assert off.max() <= 1 / 16


def test_hardware_of_the_width_of_the_weights_holds_them_without_a_loss(tmp_path: Path) -> None:
    def four_bits(given: str, made: str) -> Any:
        return node("Quant", f"{given} s z b", made, signed=1, narrow=0, rounding_mode="ROUND")

    nodes = [
        four_bits("u", "w"),
        node("MatMul", "x w", "p"),
        node("Relu", "p", "r"),
        four_bits("v", "t"),
        node("MatMul", "r t", "y"),
    ]
    constants = {
        "u": normal(6, 4),
        "v": normal(4, 3),
        "s": STEP,
        "z": np.float32(0),
        "b": np.float32(4),
    }
    network = a.import_network(model(nodes, constants), inputs=normal(30, 6))
    network.save(tmp_path / "network.npz")
    engine = a.Dense(pes=2, weight_bits=4, activation_bits=8)
    design = a.DesignPoint(network=str(tmp_path / "network.npz"), engine=engine, technology="cmos65")
    for stage, weights in zip(design.integer.stages, network.weights, strict=True):
        np.testing.assert_array_equal(stage.weights * float(STEP), weights)
    assert a.verify(design.mapping, inputs=2).agrees


REFUSED = [
    ([node("MatMul", "x w", "p"), node("BipolarQuant", "p s", "y")], "activation function that no engine"),
    ([node("DequantizeLinear", "q minus", "w8"), node("MatMul", "x w8", "y")], "scale that is not positive"),
    ([node("QuantizeLinear", "x s", "i"), node("DequantizeLinear", "i t", "d")], "another scale"),
    ([node("QuantizeLinear", "x s", "i"), node("MatMul", "i w", "y")], "works on integers between"),
    (
        [
            node("QuantizeLinear", "x s low", "i", output_dtype=TensorProto.INT8),
            node("DequantizeLinear", "i s low", "d"),
        ],
        "no numbers below",
    ),
    ([node("Quant", "w s s ten", "v"), node("MatMul", "x v", "y")], "levels of 100 bits"),
    ([node("Quant", "w s s s", "v", rounding_mode="ODD"), node("MatMul", "x v", "y")], "rounds by ODD"),
    ([node("Trunc", "x s s s s", "d")], "is not known"),
]


@pytest.mark.parametrize(("nodes", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_other_quantisers_are_named_with_their_place(nodes: list[Any], words: str) -> None:
    constants = {
        "w": normal(6, 4),
        "q": LEVELS,
        "s": STEP,
        "t": 2 * STEP,
        "minus": -STEP,
        "low": np.array(-129, dtype=np.int16),
        "ten": np.float32(100),
    }
    after = [] if nodes[-1].output[0] == "y" else [node("MatMul", "d w", "y")]
    with pytest.raises(NetworkFileError, match=rf"^node \d+ of .*{words}.* allowed are "):
        read(model([*nodes, *after], constants, opset=21))
