"""Small ONNX models, written node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from workloads.importers.graphs.onnx_file import Onnx
from workloads.importers.layers import Layers

SEED = 7
RANDOM = np.random.default_rng(SEED)
QONNX = "qonnx.custom_op.general"


def normal(*shape: int) -> NDArray[np.float32]:
    """Random float32 numbers of this shape."""
    return RANDOM.standard_normal(shape).astype(np.float32)


def read(made: Any) -> Layers:
    """The layers that a model, or the file of one, is read as."""
    return Onnx().read(made)


def node(operation: str, inputs: str, output: str, **attributes: Any) -> Any:
    """A node that reads the inputs, names with spaces between, and makes the output."""
    domain = QONNX if operation in ("Quant", "BipolarQuant", "Trunc") else ""
    return helper.make_node(operation, inputs.split(" "), output.split(" "), domain=domain, **attributes)


def model(
    nodes: Sequence[Any],
    constants: Mapping[str, Any],
    shape: Sequence[int | str | None] = ("N", 6),
    *,
    opset: int = 17,
    kind: int = TensorProto.FLOAT,
) -> Any:
    """A model from `x` of this shape to `y`."""
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        tensors,
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(QONNX, 1)]
    made = helper.make_model(graph, opset_imports=opsets)
    made.ir_version = 8
    return made


def mlp() -> Any:
    """Six inputs, five hidden outputs with ReLU, three classes."""
    nodes = [
        node("Gemm", "x w1 b1", "h", transB=1, name="first"),
        node("Relu", "h", "a"),
        node("MatMul", "a w2", "p", name="second"),
        node("Add", "p b2", "y"),
    ]
    constants = {"w1": normal(5, 6), "b1": normal(5), "w2": normal(5, 3), "b2": normal(3)}
    return model(nodes, constants)


__all__ = [
    "QONNX",
    "RANDOM",
    "SEED",
    "TensorProto",
    "helper",
    "mlp",
    "model",
    "node",
    "normal",
    "numpy_helper",
    "onnx",
    "read",
]
