"""The operations of ONNX and QONNX that are understood, in every version of their specification."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.importers.graphs.aten import folded
from workloads.importers.graphs.convolutions import Window, convolved
from workloads.importers.graphs.einsum import einsum
from workloads.importers.graphs.onnx_node import Node
from workloads.importers.graphs.operations import (
    added,
    ended,
    moved,
    multiplied,
    refuse_operation,
    scaled,
    shape_of,
)
from workloads.importers.graphs.pooling import averaged, averaged_to
from workloads.importers.graphs.quantisers import (
    bipolar_quantised,
    dequantised,
    quantised,
    quantised_at_once,
)
from workloads.importers.graphs.signals import MOST_ELEMENTS, NotUnderstoodError, Signal

FLOATS = {1, 10, 11, 16}
"""ONNX's numbers of the types float, float16, double and bfloat16."""
TYPES = {
    1: "f4",
    2: "u1",
    3: "i1",
    4: "u2",
    5: "i2",
    6: "i4",
    7: "i8",
    9: "?",
    10: "f4",
    11: "f8",
    12: "u4",
    13: "u8",
    16: "f4",
}
"""Types of numbers by ONNX's number for them; what is narrower than float32 is kept in it."""


def whole_numbers(value: Any) -> list[int]:
    """A list of whole numbers, from a constant."""
    return [int(number) for number in np.asarray(value).reshape(-1)]


def legacy(node: Node, number: int) -> Any:
    """An input as versions before 7 broadcast it: from the axis that they name."""
    value, axis = node.input(number), node.attributes.get("axis")
    if axis is None or isinstance(value, Signal) or not node.attributes.get("broadcast"):
        return value
    ahead = len(shape_of(node.input(0)))
    array = np.asarray(value)
    return array.reshape(*array.shape, *(1 for _ in range(ahead - axis % ahead - array.ndim)))


def _convolved(node: Node) -> Any:
    kernel = node.constant(1)
    window = _window(node, max(np.ndim(kernel) - 2, 1))
    return convolved(node.name, node.input(0), kernel, node.constant(2), window)


def _window(node: Node, axes: int) -> Window:
    """How a window of so many axes moves."""
    automatic = node.attributes.get("auto_pad", "NOTSET")
    return Window(
        tuple(node.attributes.get("strides", [1] * axes)),
        tuple(node.attributes.get("pads", [0] * 2 * axes)) if automatic == "NOTSET" else automatic,
        tuple(node.attributes.get("dilations", [1] * axes)),
        node.attributes.get("group", 1),
    )


def _averaged(node: Node) -> Any:
    kernel = tuple(node.attributes.get("kernel_shape", ()))
    if node.attributes.get("ceil_mode", 0):
        raise NotUnderstoodError("averages fewer values at the border of its map", "ceil_mode 0")
    window = _window(node, len(kernel))
    counts = bool(node.attributes.get("count_include_pad", 0))
    if max(window.dilations, default=1) > 1:
        raise NotUnderstoodError("averages over windows with gaps", "dilations of 1")
    return averaged(node.name, node.input(0), kernel, window, zeros_count=counts)


def _gemm(node: Node) -> Any:
    one, other, constant = (node.input(number) for number in range(3))
    turn = np.transpose
    one = moved(one, turn) if node.attributes.get("transA") else one
    other = moved(other, turn) if node.attributes.get("transB") else other
    alpha, beta = node.attributes.get("alpha", 1.0), node.attributes.get("beta", 1.0)
    if isinstance(other, Signal):
        one = _times(one, alpha)
    else:
        other = _times(other, alpha)
    product = multiplied(node.name, one, other)
    return product if constant is None else added(product, _times(constant, beta))


def _times(value: Any, factor: float) -> Any:
    return value if factor == 1 else scaled(value, np.float64(factor))


def _batch_normalisation(node: Node) -> Any:
    signal, (gain, bias, mean, variance) = node.input(0), (node.constant(number) for number in range(1, 5))
    training = node.attributes.get("training_mode", 0)
    if node.opset < 7:
        training = not node.attributes.get("is_test", 0)
    elif node.opset < 14:
        training = len(node.makes) > 1
    if training:
        raise NotUnderstoodError("normalises by the batch at hand", "models exported for inference")
    if not isinstance(signal, Signal):
        raise NotUnderstoodError("normalises a constant", "signals")
    return signal.normalised(*folded(gain, bias, mean, variance, node.attributes.get("epsilon", 1e-5)))


def _relu(node: Node) -> Any:
    signal = node.input(0)
    return signal.rectified() if isinstance(signal, Signal) else np.maximum(signal, 0)


def _clip(node: Node) -> Any:
    least, most = node.either("min", 1), node.either("max", 2)
    unbounded = most is None or np.all(np.asarray(most) >= np.finfo(np.float32).max)
    if not unbounded or least is None or np.any(least):
        refuse_operation("Clip", "")
    return _relu(node)


def _thresholded(node: Node) -> Any:
    if node.attributes.get("alpha", 1.0):
        refuse_operation("ThresholdedRelu", "")
    return _relu(node)


def _flatten(node: Node) -> Any:
    shape = shape_of(node.input(0))
    axis = node.attributes.get("axis", 1)
    axis = axis + len(shape) if axis < 0 else axis
    rows = int(np.prod(shape[:axis], dtype=np.int64))
    return moved(node.input(0), lambda array: array.reshape(rows, -1))


def _reshape(node: Node) -> Any:
    asked, shape = whole_numbers(node.either("shape", 1)), shape_of(node.input(0))
    kept = [
        shape[axis] if not size and not node.attributes.get("allowzero") else size
        for axis, size in enumerate(asked)
    ]
    return moved(node.input(0), lambda array: array.reshape(kept))


def _transpose(node: Node) -> Any:
    return moved(node.input(0), lambda array: np.transpose(array, node.attributes.get("perm")))


def _squeeze(node: Node) -> Any:
    axes = node.either("axes", 1)
    chosen = None if axes is None else tuple(whole_numbers(axes))
    return moved(node.input(0), lambda array: np.squeeze(array, chosen))


def _unsqueeze(node: Node) -> Any:
    axes = tuple(whole_numbers(node.either("axes", 1)))
    return moved(node.input(0), lambda array: np.expand_dims(array, axes))


def _slice(node: Node) -> Any:
    starts, ends = whole_numbers(node.either("starts", 1)), whole_numbers(node.either("ends", 2))
    axes = whole_numbers(node.either("axes", 3, list(range(len(starts)))))
    steps = whole_numbers(node.either("steps", 4, [1] * len(starts)))

    def move(array: NDArray[Any]) -> NDArray[Any]:
        index = [slice(None)] * array.ndim
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            index[axis] = slice(start, None if step < 0 and end < -array.shape[axis] else end, step)
        return array[tuple(index)]

    return moved(node.input(0), move)


def _gather(node: Node) -> Any:
    index, axis = np.asarray(node.constant(1)), node.attributes.get("axis", 0)
    return moved(node.input(0), lambda array: np.take(array, index, axis=axis))


def _concatenate(node: Node) -> Any:
    if any(isinstance(value, Signal) for value in node.inputs):
        if len(node.inputs) == 1:
            return node.input(0)
        raise NotUnderstoodError(
            "joins branches, and layers follow one another", "graphs in which one operation follows the other"
        )
    return np.concatenate([np.asarray(value) for value in node.inputs], axis=node.attributes.get("axis", 1))


def _constant(node: Node) -> Any:
    for kind in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if kind in node.attributes:
            return np.asarray(node.attributes[kind])
    raise NotUnderstoodError(f"holds {', '.join(node.attributes) or 'nothing'}", "dense numbers")


def _filled(node: Node) -> Any:
    shape = whole_numbers(node.constant(0))
    if np.prod([float(size) for size in shape]) > MOST_ELEMENTS or min(shape, default=0) < 0:
        raise NotUnderstoodError(f"makes a constant of shape {shape}", f"up to {MOST_ELEMENTS:,} numbers")
    value = np.asarray(node.attributes.get("value", np.float32(0))).reshape(-1)
    return np.full(shape, value[0])


def _shape(node: Node) -> Any:
    shape = shape_of(node.input(0))
    return np.asarray(shape[node.attributes.get("start", 0) : node.attributes.get("end")], dtype=np.int64)


def _cast(node: Node) -> Any:
    value, kind = node.input(0), node.attributes.get("to")
    if isinstance(value, Signal):
        if kind not in FLOATS and kind not in ("FLOAT", "DOUBLE", "FLOAT16"):
            raise NotUnderstoodError("rounds a signal to whole numbers", "floating-point numbers")
        return value
    if kind not in TYPES:
        raise NotUnderstoodError(f"makes numbers of ONNX's type {kind}", "whole and real numbers")
    return np.asarray(value).astype(TYPES[kind])


def _dropout(node: Node) -> Any:
    if np.any(node.constant(2, False)) or (node.opset < 7 and not node.attributes.get("is_test", 0)):
        raise NotUnderstoodError("drops at random", "models exported for inference")
    return node.input(0)


def _ending(node: Node) -> Any:
    signal = node.input(0)
    if not isinstance(signal, Signal):
        raise NotUnderstoodError("works on a constant", "signals")
    axis = node.attributes.get("axis", -1 if node.opset >= 13 else 1)
    if node.opset < 13 and axis == 1:
        axis = len(signal.shape) - 1 if int(np.prod(signal.shape[1:])) == signal.shape[-1] else axis
    return ended(signal, node.operation, axis)


def _negative(node: Node) -> Any:
    return scaled(node.input(0), np.float64(-1)) if isinstance(node.input(0), Signal) else -node.input(0)


OPERATIONS: dict[str, Callable[[Node], Any]] = {
    "Add": lambda node: added(node.input(0), legacy(node, 1)),
    "AveragePool": _averaged,
    "BatchNormalization": _batch_normalisation,
    "BipolarQuant": bipolar_quantised,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concatenate,
    "Constant": _constant,
    "Conv": _convolved,
    "ConstantOfShape": _filled,
    "DequantizeLinear": dequantised,
    "Div": lambda node: scaled(node.input(0), legacy(node, 1), divided=True),
    "Dropout": _dropout,
    "Einsum": lambda node: einsum(node.name, node.attributes.get("equation", ""), node.inputs),
    "Flatten": _flatten,
    "Gather": _gather,
    "Gemm": _gemm,
    "GlobalAveragePool": lambda node: averaged_to(node.name, node.input(0), (1, 1)),
    "Identity": lambda node: node.input(0),
    "LogSoftmax": _ending,
    "MatMul": lambda node: multiplied(node.name, node.input(0), node.input(1)),
    "Mul": lambda node: scaled(node.input(0), legacy(node, 1)),
    "Neg": _negative,
    "Quant": quantised_at_once,
    "QuantizeLinear": quantised,
    "Relu": _relu,
    "Reshape": _reshape,
    "Shape": _shape,
    "Sigmoid": _ending,
    "Slice": _slice,
    "Softmax": _ending,
    "Squeeze": _squeeze,
    "Sub": lambda node: added(node.input(0), legacy(node, 1), subtracted=True),
    "ThresholdedRelu": _thresholded,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
"""What is understood, by the names of ONNX and QONNX."""
