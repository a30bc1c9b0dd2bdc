"""ONNX files and models, walked node by node; QONNX and QDQ models with their quantisers.

Nothing but the file is read, except data that it keeps in files beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from workloads.importers.extras import extra
from workloads.importers.graphs.onnx_node import Node
from workloads.importers.graphs.onnx_operations import OPERATIONS
from workloads.importers.graphs.operations import IN_ORDER, refuse_operation
from workloads.importers.graphs.quantisers import Quantisers
from workloads.importers.graphs.signals import BATCH, MOST_ELEMENTS, NotUnderstoodError, Signal, placed
from workloads.importers.layers import Layers
from workloads.importers.registry import importers
from workloads.topology.network import NetworkFileError

FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Fields of a model in ONNX's protocol buffer, and how each is written there."""
GRAPH, OPSETS, BYTES = 7, 8, 2

DOMAINS = ("", "ai.onnx", "qonnx.custom_op.general", "finn.custom_op.general", "onnx.brevitas")
"""Where the operations that are understood come from: ONNX itself, and QONNX under its names."""

WHOLE = "whole ONNX models"


@importers.register("onnx")
class Onnx:
    """Models of ONNX: a file, usually named `.onnx`, or an `onnx.ModelProto`."""

    def recognises(self, source: Any) -> bool:
        if isinstance(source, Path):
            return source.suffix == ".onnx" or _is_model(source)
        onnx = sys.modules.get("onnx")
        return onnx is not None and isinstance(source, onnx.ModelProto)

    def read(self, source: Any) -> Layers:
        onnx = extra("onnx", "onnx", "ONNX models")
        origin, name, folder = "an ONNX model", "onnx", None
        model = source
        if isinstance(source, Path):
            origin, name, folder = f"ONNX model {source.name}", source.stem, source.parent
            try:
                model = onnx.load(source, load_external_data=False)
            except Exception as error:
                raise NetworkFileError.of("file", str(source), WHOLE) from error
        if not model.graph.node or not model.opset_import or not all(map(_is_text, _texts(model.graph))):
            raise NetworkFileError.of(origin, "without nodes, version or readable names", WHOLE)
        return _Walk(onnx, model, origin, folder).layers(name)


class _Walk:
    """A walk through the graph of a model, whose data may also lie in `folder`."""

    def __init__(self, onnx: Any, model: Any, origin: str, folder: Path | None) -> None:
        self.onnx, self.origin, self.folder = onnx, origin, folder
        if model.functions:
            try:
                model = onnx.inliner.inline_local_functions(model)
            except Exception as error:
                raise NetworkFileError.of(f"functions of {origin}", "not whole", WHOLE) from error
        self.graph = model.graph
        self.opset = max(
            (entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1
        )
        self.quantisers = Quantisers()

    def layers(self, name: str) -> Layers:
        constants = {tensor.name: self._array(tensor) for tensor in self.graph.initializer}
        if self.graph.sparse_initializer:
            raise NetworkFileError.of(
                f"initialisers of {self.origin}", "sparse", "dense ones: their zeros are seen as such"
            )
        inputs = [value for value in self.graph.input if value.name not in constants]
        outputs = [value.name for value in self.graph.output]
        if len(inputs) != 1 or len(outputs) != 1:
            raise NetworkFileError.of(
                f"inputs and outputs of {self.origin}", f"{len(inputs)} and {len(outputs)}", "one tensor each"
            )
        shape = self._shape(inputs[0])
        signal = self._signal(constants, inputs[0].name, shape, outputs[0])
        with placed(f"output of {self.origin}"):
            layers = signal.finished(name, self.origin)
        return self.quantisers.noted(layers)

    def _signal(
        self, constants: Mapping[str, Any], entry: str, shape: tuple[int, ...], exit_name: str
    ) -> Signal:
        """The output, where the first axis of the input counts samples, or else all of it is one sample."""
        try:
            return self._walked(constants, entry, shape, exit_name, batched=len(shape) > 1)
        except NetworkFileError:
            if len(shape) < 2:
                raise
            try:
                return self._walked(constants, entry, shape, exit_name, batched=False)
            except NetworkFileError:
                pass
            raise

    def _walked(
        self,
        constants: Mapping[str, Any],
        entry: str,
        shape: tuple[int, ...],
        exit_name: str,
        *,
        batched: bool,
    ) -> Signal:
        with placed(f"input of {self.origin}"):
            values: dict[str, Any] = {**constants, entry: Signal.entering(shape, batched=batched)}
        self.quantisers = Quantisers()
        needed = {exit_name}
        nodes = list(enumerate(self.graph.node, start=1))
        for _, node in reversed(nodes):
            if needed & set(node.output):
                needed.update(node.input)
        for number, node in nodes:
            if not needed & set(node.output):
                continue
            title = f" {node.name!r}" if node.name else ""
            with placed(f"node {number} of {self.origin}, {node.op_type}{title} for {node.output[0]!r},"):
                made = self._made(node, values)
            values.update(zip(node.output, made if isinstance(made, tuple) else (made,), strict=False))
        result = values.get(exit_name)
        if not isinstance(result, Signal):
            raise NetworkFileError.of(f"output of {self.origin}", "no function of its input", "one that is")
        return result

    def _made(self, node: Any, values: Mapping[str, Any]) -> Any:
        known = OPERATIONS.get(node.op_type) if node.domain in DOMAINS else None
        if known is None:
            refuse_operation(node.op_type, f"those of {', '.join(sorted(OPERATIONS))}")
        missing = [name for name in node.input if name and name not in values]
        if missing:
            raise NotUnderstoodError(f"reads {missing[0]!r}, which nothing before it makes", IN_ORDER)
        inputs = [values[name] if name else None for name in node.input]
        attributes = {entry.name: self._attribute(entry) for entry in node.attribute}
        name = node.name or next(iter(node.output), node.op_type)
        call = Node(name, node.op_type, inputs, attributes, self.opset, list(node.input), list(node.output))
        try:
            made = known(call)
            self.quantisers.see(call, made)
        except NetworkFileError:
            raise
        except (TypeError, ValueError, IndexError, KeyError, AttributeError, OverflowError) as error:
            raise NotUnderstoodError(
                f"does not fit its operands ({error})", "those of its specification"
            ) from error
        return made

    def _attribute(self, entry: Any) -> Any:
        if entry.type == self.onnx.AttributeProto.TENSOR:
            return self._array(entry.t)
        value = self.onnx.helper.get_attribute_value(entry)
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        return list(value) if isinstance(value, list | tuple) else value

    def _shape(self, value: Any) -> tuple[int, ...]:
        tensor = value.type.tensor_type
        dims = [dim.dim_value if dim.HasField("dim_value") else 0 for dim in tensor.shape.dim]
        shape = tuple(BATCH if axis == 0 and size <= 0 else size for axis, size in enumerate(dims))
        if not tensor.HasField("shape") or not shape or min(shape) < 1:
            raise NetworkFileError.of(
                f"shape of input {value.name} of {self.origin}",
                [dim.dim_param or dim.dim_value for dim in tensor.shape.dim],
                "whole numbers, of which the first alone may be open",
            )
        return shape

    def _array(self, tensor: Any) -> NDArray[Any]:
        """A stored tensor. Data outside the file are read from its folder only."""
        where, base = f"tensor {tensor.name!r} of {self.origin}", ""
        if tensor.data_location == self.onnx.TensorProto.EXTERNAL:
            base = self._folder_of(tensor, where)
        if np.prod([float(size) for size in tensor.dims]) > MOST_ELEMENTS:
            raise NetworkFileError.of(
                f"shape of {where}", list(tensor.dims), f"up to {MOST_ELEMENTS:,} numbers"
            )
        try:
            array: NDArray[Any] = self.onnx.numpy_helper.to_array(tensor, base)
        except Exception as error:
            raise NetworkFileError.of(where, "not whole", WHOLE) from error
        return array.astype(np.float32) if "float" in array.dtype.name and array.itemsize < 4 else array

    def _folder_of(self, tensor: Any, where: str) -> str:
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        parts = PurePath(location)
        path = None if self.folder is None else self.folder / location
        outside = not location or parts.is_absolute() or ".." in parts.parts or "\\" in location
        if path is None or outside or not path.resolve().is_relative_to(path.parent.resolve()):
            raise NetworkFileError.of(f"file of {where}", location, "files beside the model")
        if not path.is_file() or path.is_symlink():
            raise NetworkFileError.of(f"file of {where}", location, "files that lie beside the model")
        return str(self.folder)


def _texts(graph: Any) -> Iterator[Any]:
    """All names of a graph, which are bytes where they are not text."""
    yield from (entry.name for entry in (*graph.initializer, *graph.input, *graph.output))
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, *node.input, *node.output)
        yield from (entry.name for entry in node.attribute)


def _is_text(name: Any) -> bool:
    return isinstance(name, str)


def _is_model(path: Path) -> bool:
    """Whether a file is, from its first byte to its last, the fields of a model, a graph among them."""
    seen = set()
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            while file.tell() < size:
                key, length = _varint(file), _varint(file)
                field, form = key >> 3, key & 7
                if FIELDS.get(field) != form or length < 0:
                    return False
                if form == BYTES:
                    file.seek(min(length, size + 1), 1)
                seen.add(field)
            return file.tell() == size and {GRAPH, OPSETS} <= seen
    except OSError:
        return False


def _varint(file: BinaryIO) -> int:
    """A whole number as protocol buffers write it, seven bits a byte; less than 0 where there is none."""
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return -1
