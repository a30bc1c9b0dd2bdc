"""Models of ONNX become the layers that they compute, or are refused with the place of what is in the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from tests.workloads.formats.onnx_models import (
    TensorProto,
    helper,
    mlp,
    model,
    node,
    normal,
    numpy_helper,
    read,
)
from workloads.importers.graphs.signals import through
from workloads.importers.layers import Layers
from workloads.topology.network import NetworkFileError


def expected(made: Any, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the reference of the onnx package gives, one row a sample."""
    outputs = ReferenceEvaluator(made).run(None, {"x": inputs})[0]
    return np.asarray(outputs, dtype=np.float64).reshape(len(inputs) if inputs.ndim > 1 else 1, -1)


def assert_the_same(made: Any, inputs: NDArray[np.float32]) -> Layers:
    layers = read(made)
    samples = len(inputs) if inputs.ndim > 1 else 1
    np.testing.assert_allclose(
        through(layers, inputs.reshape(samples, -1)), expected(made, inputs), rtol=1e-4, atol=1e-5
    )
    return layers


def images() -> dict[str, NDArray[np.float32]]:
    return {"w": normal(18, 4)}


STATISTICS = {"g": normal(6), "h": normal(6), "m": normal(6), "v": np.abs(normal(6)) + np.float32(0.1)}
SMALL = {"g": normal(4), "h": normal(4), "m": normal(4), "v": np.abs(normal(4)) + np.float32(0.1)}

COMPUTED: dict[str, tuple[list[Any], dict[str, Any], tuple[Any, ...], int]] = {
    "gemm": ([node("Gemm", "x w b", "y")], {"w": normal(6, 4), "b": normal(4)}, ("N", 6), 17),
    "gemm with alpha, beta and transB": (
        [node("Gemm", "x w b", "y", alpha=0.5, beta=2.0, transB=1)],
        {"w": normal(4, 6), "b": normal(4)},
        (3, 6),
        13,
    ),
    "gemm without constant": ([node("Gemm", "x w", "y", transB=1)], {"w": normal(4, 6)}, ("N", 6), 11),
    "gemm with one constant for all": (
        [node("Gemm", "x w b", "y")],
        {"w": normal(6, 4), "b": normal(1)},
        ("N", 6),
        17,
    ),
    "gemm of a turned signal": (
        [node("Transpose", "x", "t", perm=[1, 0]), node("Gemm", "t w", "y", transA=1)],
        {"w": normal(6, 4)},
        ("N", 6),
        17,
    ),
    "matrix from the left": (
        [
            node("Transpose", "x", "t"),
            node("MatMul", "w t", "p"),
            node("Add", "b p", "s"),
            node("Transpose", "s", "y"),
        ],
        {"w": normal(4, 6), "b": normal(4, 1)},
        ("N", 6),
        17,
    ),
    "one vector": ([node("MatMul", "x w", "y")], {"w": normal(6, 4)}, (6,), 17),
    "standardised inputs": (
        [node("Sub", "x m", "c"), node("Div", "c s", "d"), node("Gemm", "d w b", "y")],
        {"m": normal(6), "s": np.abs(normal(6)) + np.float32(0.5), "w": normal(6, 4), "b": normal(4)},
        ("N", 6),
        17,
    ),
    "normalised before": (
        [node("BatchNormalization", "x g h m v", "n"), node("MatMul", "n w", "y")],
        STATISTICS | {"w": normal(6, 4)},
        ("N", 6),
        15,
    ),
    "normalised after": (
        [node("Gemm", "x w b", "p"), node("BatchNormalization", "p g h m v", "n"), node("Relu", "n", "y")],
        SMALL | {"w": normal(6, 4), "b": normal(4)},
        ("N", 6),
        14,
    ),
    "normalised between ReLU and matrix": (
        [
            node("MatMul", "x w", "p"),
            node("Relu", "p", "r"),
            node("BatchNormalization", "r g h m v", "n", epsilon=0.01),
            node("MatMul", "n u", "y"),
        ],
        SMALL | {"w": normal(6, 4), "u": normal(4, 3)},
        ("N", 6),
        17,
    ),
    "factors after the last ReLU": (
        [node("MatMul", "x w", "p"), node("Relu", "p", "r"), node("Mul", "r s", "y")],
        {"w": normal(6, 4), "s": np.float32(0.25)},
        ("N", 6),
        17,
    ),
    "flattened images": (
        [node("Flatten", "x", "f"), node("MatMul", "f w", "y")],
        images(),
        ("N", 2, 3, 3),
        17,
    ),
    "reshaped images": (
        [node("Reshape", "x s", "f"), node("MatMul", "f w", "y")],
        images() | {"s": np.array([0, -1])},
        ("N", 2, 3, 3),
        17,
    ),
    "images whose channels come last": (
        [
            node("Transpose", "x", "t", perm=[0, 2, 3, 1]),
            node("Reshape", "t s", "f"),
            node("MatMul", "f w", "y"),
        ],
        images() | {"s": np.array([-1, 18])},
        ("N", 2, 3, 3),
        17,
    ),
    "a reshape whose shape is calculated": (
        [
            node("Shape", "x", "a"),
            node("Gather", "a zero", "n", axis=0),
            node("Unsqueeze", "n axes", "one"),
            node("Concat", "one rest", "s", axis=0),
            node("Reshape", "x s", "f"),
            node("MatMul", "f w", "y"),
        ],
        images() | {"zero": np.array(0), "axes": np.array([0]), "rest": np.array([-1])},
        ("N", 2, 3, 3),
        17,
    ),
    "an image without a batch": (
        [node("Reshape", "x s", "f"), node("MatMul", "f w", "y")],
        images() | {"s": np.array([1, 18])},
        (1, 6, 3),
        17,
    ),
    "some of the inputs": (
        [node("Slice", "x from to along", "c"), node("MatMul", "c w", "y")],
        {"from": np.array([1]), "to": np.array([5]), "along": np.array([1]), "w": normal(4, 3)},
        ("N", 6),
        17,
    ),
    "some of the outputs": (
        [node("MatMul", "x w", "p"), node("Gather", "p i", "y", axis=1)],
        {"w": normal(6, 4), "i": np.array([2, 0])},
        ("N", 6),
        17,
    ),
    "what computes nothing": (
        [
            node("Identity", "x", "i"),
            node("Dropout", "i", "d"),
            node("Cast", "d", "c", to=TensorProto.FLOAT),
            helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(normal(6, 4))),
            node("MatMul", "c w", "p"),
            node("Unsqueeze", "p one", "u"),
            node("Squeeze", "u one", "y"),
        ],
        {"one": np.array([1])},
        ("N", 6),
        17,
    ),
    "matrices that are calculated": (
        [
            node("Mul", "w m", "masked"),
            node("Transpose", "masked", "t"),
            node("MatMul", "x t", "y"),
        ],
        {"w": normal(4, 6), "m": (normal(4, 6) > 0.5).astype(np.float32)},
        ("N", 6),
        17,
    ),
    "a clip that is a ReLU": (
        [node("MatMul", "x w", "p"), node("Clip", "p least", "r"), node("MatMul", "r u", "y")],
        {"w": normal(6, 4), "least": np.float32(0), "u": normal(4, 3)},
        ("N", 6),
        17,
    ),
    "two matrices in a row": (
        [node("MatMul", "x w", "p"), node("MatMul", "p u", "y")],
        {"w": normal(6, 2), "u": normal(2, 5)},
        ("N", 6),
        17,
    ),
    "a branch that nobody reads": (
        [node("MatMul", "x w", "y"), node("Tanh", "x", "nobody")],
        {"w": normal(6, 4)},
        ("N", 6),
        17,
    ),
    "a threshold of zero": (
        [
            node("MatMul", "x w", "p"),
            node("ThresholdedRelu", "p", "r", alpha=0.0),
            node("MatMul", "r u", "y"),
        ],
        {"w": normal(6, 4), "u": normal(4, 3)},
        ("N", 6),
        17,
    ),
    "an old squeeze": (
        [
            node("MatMul", "x w", "p"),
            node("Unsqueeze", "p", "u", axes=[0]),
            node("Squeeze", "u", "y", axes=[0]),
        ],
        {"w": normal(6, 4)},
        ("N", 6),
        11,
    ),
    "an old clip": (
        [node("MatMul", "x w", "p"), node("Clip", "p", "y", min=0.0)],
        {"w": normal(6, 4)},
        ("N", 6),
        6,
    ),
}


@pytest.mark.parametrize("case", COMPUTED)
def test_layers_compute_what_the_reference_of_onnx_computes(case: str) -> None:
    nodes, constants, shape, opset = COMPUTED[case]
    made = model(nodes, constants, shape, opset=opset)
    sizes = [3 if isinstance(size, str) else size for size in shape]
    assert_the_same(made, normal(*sizes))


@pytest.mark.parametrize("opset", [6, 7, 9, 13, 15])
def test_batch_normalisation_is_that_of_inference_in_every_version(opset: int) -> None:
    attributes = {"is_test": 1} if opset < 7 else {}
    nodes = [node("MatMul", "x w", "p"), node("BatchNormalization", "p g h m v", "y", **attributes)]
    constants = SMALL | {"w": normal(6, 4)}
    inputs = normal(3, 6)
    gain, bias, mean, variance = (constants[name].astype(np.float64) for name in "ghmv")
    sums = inputs.astype(np.float64) @ constants["w"]
    np.testing.assert_allclose(
        through(read(model(nodes, constants, opset=opset)), inputs),
        (sums - mean) / np.sqrt(variance + 1e-5) * gain + bias,
    )


def test_biases_of_old_versions_stand_where_their_axis_says() -> None:
    nodes = [node("MatMul", "x w", "p"), node("Add", "p b", "y", broadcast=1, axis=1)]
    constants = {"w": normal(6, 4), "b": normal(4)}
    layers = read(model(nodes, constants, opset=6))
    np.testing.assert_array_equal(layers.layers[0].bias, constants["b"].astype(np.float64))


def test_two_matrices_in_a_row_stay_two_layers() -> None:
    nodes, constants, shape, _ = COMPUTED["two matrices in a row"]
    assert [layer.activation for layer in read(model(nodes, constants, shape)).layers] == ["none", "none"]


def test_layers_are_called_as_their_nodes() -> None:
    assert [layer.name for layer in read(mlp()).layers] == ["first", "second"]


def test_matrices_are_taken_bit_for_bit() -> None:
    made = mlp()
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in made.graph.initializer}
    first, second = read(made).layers
    np.testing.assert_array_equal(first.matrix, stored["w1"])
    np.testing.assert_array_equal(second.matrix, stored["w2"].T)


@pytest.mark.parametrize("last", ["Softmax", "LogSoftmax", "Sigmoid"])
def test_what_follows_the_last_layer_is_left_out_and_said(last: str) -> None:
    constants = {"w": normal(6, 4)}
    made = model([node("MatMul", "x w", "p"), node(last, "p", "y")], constants)
    layers = read(made)
    inputs = normal(5, 6)
    classes = expected(made, inputs).argmax(axis=1)
    assert (through(layers, inputs).argmax(axis=1) == classes).all()
    assert any(last in remark for remark in layers.remarks)


def weights_of(*nodes: Any) -> list[Any]:
    return [node("MatMul", "x w", "p"), *nodes]


REFUSED: list[tuple[list[Any], str]] = [
    (weights_of(node("Tanh", "p", "y", name="act")), r"node 2 of .* Tanh 'act' for 'y', is an activation"),
    (weights_of(node("Clip", "p zero six", "y")), "Clip .* is an activation function that no engine has"),
    (weights_of(node("ThresholdedRelu", "p", "y")), "ThresholdedRelu .* is an activation function"),
    (weights_of(node("Einsum", "p p", "y", equation="bi,bi->b")), "multiplies two signals with each other"),
    (weights_of(node("Einsum", "p", "y", equation="bi->b")), "adds up a signal by itself"),
    (weights_of(node("Einsum", "p u", "y", equation="b,io->bo")), "is 'b,io->bo' for operands of 2, 2 axes"),
    (weights_of(node("Einsum", "p u", "y", equation="bi,i(->bo")), "allowed are a term for each operand"),
    (weights_of(node("Einsum", "p u", "y", equation="bi,io->bz")), "allowed are a term for each operand"),
    (weights_of(node("Einsum", "p w", "y", equation="bi,io->bo")), "does not fit a signal of shape"),
    (weights_of(node("LayerNormalization", "p b", "y")), "normalises each sample by itself"),
    (weights_of(node("Add", "p p", "y")), "joins two branches"),
    (weights_of(node("Mul", "p p", "y")), "multiplies or divides by a signal"),
    (weights_of(node("MatMul", "p p", "y")), "multiplies two signals"),
    (weights_of(node("Concat", "p p", "y", axis=1)), "joins branches"),
    (weights_of(node("Relu", "p", "r"), node("Add", "r b", "s"), node("Relu", "s", "y")), "second ReLU"),
    (weights_of(node("Relu", "p", "r"), node("Add", "r b", "y")), "factors and shifts after its last ReLU"),
    ([node("Relu", "x", "r"), node("MatMul", "r w", "y")], "ReLU on the inputs"),
    (weights_of(node("Softmax", "p", "s"), node("MatMul", "s u", "y")), "left out at the end only"),
    (weights_of(node("Softmax", "p", "y", axis=0)), "works along axis 0"),
    (weights_of(node("Dropout", "p half yes", "y")), "drops at random"),
    (weights_of(node("BatchNormalization", "p b b b b", "y", training_mode=1)), "batch at hand"),
    (weights_of(node("Cast", "p", "y", to=TensorProto.INT8)), "whole numbers"),
    (weights_of(node("Reshape", "p long", "y")), "does not fit a signal of shape"),
    (weights_of(node("MatMul", "p w", "y")), "multiplies a signal of shape"),
    (weights_of(node("Div", "p zeros", "y")), "divides by zero"),
    (weights_of(node("Expand", "p long", "y")), "Expand for 'y', is not known, allowed are those of Add"),
    ([node("Conv", "x w", "y")], "Conv for 'y', is a convolution along 0 axes"),
    ([node("MaxPool", "x", "y")], "MaxPool for 'y', takes the largest value of a window"),
    ([node("LSTM", "x w u", "y")], "is recurrent"),
    ([node("If", "x", "y")], "decides while it runs"),
    ([node("MatMulInteger", "x w", "y")], "computes with integers"),
    ([node("MatMul", "later w", "y"), node("Relu", "x", "later")], "reads 'later', which nothing before"),
    ([node("MatMul", "y w", "z"), node("Relu", "z", "y")], "reads 'y', which nothing before it makes"),
    ([node("Identity", "w", "y")], "no function of its input"),
    ([node("Identity", "x", "y")], "layers"),
    ([node("Reshape", "x flat", "f"), node("MatMul", "f narrow", "y")], "works on 4 rows of a signal"),
    ([node("Transpose", "x", "t"), node("MatMul", "t square", "y")], "works on 6 rows of a signal"),
]


@pytest.mark.parametrize(
    ("nodes", "words"), REFUSED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_not_understood_is_named_with_its_place(nodes: list[Any], words: str) -> None:
    constants = {
        "w": normal(6, 4),
        "u": normal(4, 4),
        "b": normal(4),
        "zero": np.float32(0),
        "six": np.float32(6),
        "half": np.float32(0.5),
        "yes": np.array(True),
        "long": np.array([7, 7]),
        "zeros": np.zeros(4, dtype=np.float32),
        "flat": np.array([4, 3]),
        "narrow": normal(3, 4),
        "square": normal(2, 2),
    }
    with pytest.raises(NetworkFileError, match=words) as refusal:
        read(model(nodes, constants))
    assert "allowed are" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_more_than_one_input_or_output_is_refused() -> None:
    two = mlp()
    two.graph.output.append(helper.make_tensor_value_info("h", TensorProto.FLOAT, None))
    with pytest.raises(NetworkFileError, match="'1 and 2', allowed are one tensor each"):
        read(two)


@pytest.mark.parametrize("shape", [("N", "M"), (), ("N", 0)])
def test_an_input_of_open_shape_is_refused(shape: tuple[Any, ...]) -> None:
    with pytest.raises(NetworkFileError, match="allowed are whole numbers, of which the first alone"):
        read(model(weights_of(), {"w": normal(6, 4)}, shape))


def test_a_constant_of_a_few_bytes_that_asks_for_memory_is_refused() -> None:
    nodes = [node("ConstantOfShape", "s", "w"), node("MatMul", "x w", "y")]
    with pytest.raises(NetworkFileError, match="makes a constant of shape"):
        read(model(nodes, {"s": np.array([1 << 20, 1 << 20])}))
    with pytest.raises(NetworkFileError, match="makes a signal of shape"):
        read(model(weights_of(), {"w": normal(6, 4)}, (1 << 40, 6)))
