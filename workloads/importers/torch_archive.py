"""Files of `torch.export.save`, usually named `.pt2`: a graph in JSON, and its tensors as plain bytes.

They are read here without PyTorch, whose own reader unpickles and evaluates expressions of the file.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.importers.graphs.aten import Name, Operation, Program, walked
from workloads.importers.graphs.signals import BATCH, MOST_ELEMENTS, placed
from workloads.importers.layers import Layers
from workloads.importers.npz import members
from workloads.importers.registry import importers
from workloads.topology.network import NetworkFileError

MAJOR = 8
"""Version of the form of the graph in files of archive format 0, which are those of PyTorch 2.9 and later."""

TYPES = {1: "u1", 2: "i1", 3: "i2", 4: "i4", 5: "i8", 6: "f2", 7: "f4", 8: "f8", 12: "?", 13: "bfloat16"}
"""Types of numbers by PyTorch's number for them."""

BROKEN = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What reading a graph that is not whole raises."""

UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)
"""What `zipfile` raises for an archive that is not whole."""

SAVE_AGAIN = "those of torch.export.save of PyTorch 2.9 and later, whole"


@importers.register("torch archive")
class TorchArchive:
    """Files of `torch.export.save`: a graph, read without running anything of it."""

    def recognises(self, source: Any) -> bool:
        if not isinstance(source, Path):
            return False
        return source.suffix == ".pt2" or any(_is_graph(name) for name in members(source) or ())

    def read(self, source: Any) -> Layers:
        origin = f"exported program {source.name}"
        try:
            with zipfile.ZipFile(source) as archive:
                if "serialized_exported_program.json" in archive.namelist():
                    raise NetworkFileError.of(
                        "file", str(source), f"{SAVE_AGAIN}; this one is of an older form"
                    )
                graph = next((name for name in archive.namelist() if _is_graph(name)), None)
                if graph is None:
                    raise NetworkFileError.of("file", str(source), SAVE_AGAIN)
                program = _Archive(archive, PurePosixPath(graph).parts[0]).program(graph, origin)
        except NetworkFileError:
            raise
        except (*BROKEN, *UNREADABLE) as error:
            raise NetworkFileError.of(
                "file", str(source), f"{SAVE_AGAIN} ({error or type(error).__name__})"
            ) from error
        signal = walked(program, origin)
        with placed(f"output of {origin}"):
            return signal.finished(source.stem, origin)


def _is_graph(name: str) -> bool:
    path = PurePosixPath(name)
    return path.match("*/models/*.json") or name == "serialized_exported_program.json"


class _Archive:
    """An open archive whose members lie in `folder`."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        self.archive, self.folder = archive, folder

    def program(self, graph: str, origin: str) -> Program:
        whole = json.loads(self._member(graph))
        if whole["schema_version"]["major"] != MAJOR:
            raise NetworkFileError.of(f"schema of {origin}", whole["schema_version"]["major"], str(MAJOR))
        module = whole["graph_module"]
        stored = {
            **self._tensors("weights", "model_weights"),
            **self._tensors("constants", "model_constants"),
        }
        constants: dict[str, Any] = {}
        inputs: list[str] = []
        for spec in module["signature"]["input_specs"]:
            ((kind, entry),) = spec.items()
            if kind == "user_input":
                inputs.append(_text(entry["arg"].get("as_tensor", {}).get("name", "")))
            else:
                (target,) = (value for name, value in entry.items() if name.endswith("_name"))
                constants[_text(entry["arg"]["name"])] = stored[target]
        outputs = [
            _text(spec["user_output"]["arg"].get("as_tensor", {}).get("name", ""))
            for spec in module["signature"]["output_specs"]
            if "user_output" in spec
        ]
        if len(inputs) != 1 or len(outputs) != 1 or not all(inputs + outputs):
            raise NetworkFileError.of(
                f"inputs and outputs of {origin}", f"{len(inputs)} and {len(outputs)}", "one tensor each"
            )
        sizes = module["graph"]["tensor_values"][inputs[0]]["sizes"]
        shape = tuple(int(size.get("as_int", BATCH if axis == 0 else 0)) for axis, size in enumerate(sizes))
        operations = tuple(_operation(node) for node in module["graph"]["nodes"])
        return Program(operations, constants, inputs[0], shape, outputs[0])

    def _member(self, name: str) -> bytes:
        """The bytes of a member, which PyTorch never compresses."""
        if self.archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
            raise NetworkFileError.of(f"member {name}", "compressed", "members that are stored as they are")
        return self.archive.read(name)

    def _tensors(self, folder: str, config: str) -> dict[str, NDArray[Any]]:
        inside = f"{self.folder}/data/{folder}"
        entries: Mapping[str, Any] = json.loads(self._member(f"{inside}/{config}_config.json"))["config"]
        tensors = {}
        for name, entry in entries.items():
            if entry["use_pickle"]:
                raise NetworkFileError.of(f"tensor {name}", "pickled, which could run code", "plain tensors")
            tensors[name] = _tensor(
                self._member(f"{inside}/{entry['path_name']}"), entry["tensor_meta"], name
            )
        return tensors


def numbers_of(stored: bytes, kind: str) -> NDArray[Any]:
    """Stored numbers, the low byte first; bfloat16, which NumPy lacks, as float32."""
    if kind == "bfloat16":
        return (np.frombuffer(stored, "<u2").astype("<u4") << 16).view("<f4")
    return np.frombuffer(stored, np.dtype(kind).newbyteorder("<"))


def _tensor(stored: bytes, meta: Mapping[str, Any], name: str) -> NDArray[Any]:
    """The view of the stored numbers that a tensor is."""
    kind = TYPES.get(meta["dtype"])
    if kind is None:
        raise NetworkFileError.of(f"type of tensor {name}", meta["dtype"], "whole and real numbers")
    numbers = numbers_of(stored, kind)
    sizes, strides = ([int(length["as_int"]) for length in meta[key]] for key in ("sizes", "strides"))
    offset = int(meta["storage_offset"]["as_int"])
    if 0 in sizes:
        return np.zeros(sizes, numbers.dtype)
    last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    within = min([offset, *sizes, *strides]) >= 0 and last < len(numbers)
    if not within or np.prod([float(size) for size in sizes]) > MOST_ELEMENTS:
        raise NetworkFileError.of(f"shape of tensor {name}", sizes, f"views of its {len(numbers):,} numbers")
    steps = [stride * numbers.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(numbers[offset:], sizes, steps, writeable=False).copy()


def _operation(node: Mapping[str, Any]) -> Operation:
    arguments = {entry["name"]: _argument(entry["arg"]) for entry in node["inputs"]}
    made = [_argument(entry) for entry in node["outputs"]]
    outputs = tuple(value.name if isinstance(value, Name) else "" for value in made)
    stack = node.get("metadata", {}).get("nn_module_stack", "").split(";")[-1].split(",")
    return Operation(_text(node["target"]), arguments, outputs, stack[1] if len(stack) > 1 else "")


def _text(name: Any) -> str:
    if not isinstance(name, str):
        raise NetworkFileError.of("name in an exported program", name, "text")
    return name


def _argument(argument: Mapping[str, Any]) -> Any:
    ((kind, value),) = argument.items()
    if kind == "as_none":
        return None
    if kind == "as_tensor":
        return Name(_text(value["name"]))
    if kind == "as_name":
        return Name(_text(value))
    if kind == "as_scalar_type":
        return np.dtype(np.float32 if TYPES.get(value) == "bfloat16" else TYPES.get(value, "O"))
    if kind in ("as_sym_int", "as_optional_tensor"):
        return _argument(value)
    if kind == "as_tensors":
        return [Name(_text(inner["name"])) for inner in value]
    return [_argument(inner) for inner in value] if kind in ("as_sym_ints", "as_optional_tensors") else value
