"""State dictionaries of PyTorch: tensors by name, from memory, `.pt` and `.pth`, or `.safetensors`.

They say nothing of what lies between their matrices, so only what is plain is taken: weights and biases of
fully connected layers, with masks of pruning, in an order that can be told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.importers.extras import extra
from workloads.importers.graphs.convolutions import SHAPE
from workloads.importers.graphs.torch_module import quietly, said
from workloads.importers.layers import Layers
from workloads.importers.matrices import Told
from workloads.importers.names import layers_by_name
from workloads.importers.npz import members
from workloads.importers.registry import importers
from workloads.importers.tensors import as_array, is_tensor
from workloads.importers.torch_archive import numbers_of
from workloads.topology.network import NetworkFileError

GIVE_MODULE = "weights and biases of Linear layers: give the module, or what torch.export makes of it"
SAFE = "tensors alone: save model.state_dict(), or the program with torch.export.save"
PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
"""How files of Python's pickle begin."""

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "module")
"""Keys under which the checkpoints of trainings keep the state dictionary of the model."""

SAFEST_TORCH = (2, 6)
"""Before this version of PyTorch a file could run code in spite of `weights_only` (CVE-2025-32434)."""

TYPES = {
    **{f"{letter}{bits}": f"{letter.lower()}{bits // 8}" for letter in "IU" for bits in (8, 16, 32, 64)},
    "F16": "f2",
    "F32": "f4",
    "F64": "f8",
    "BF16": "bfloat16",
    "BOOL": "?",
}
"""Types of numbers by the names that safetensors has for them."""

MASKED = ("_orig", "_mask")
"""How `torch.nn.utils.prune` names a tensor and its mask."""

Order = Sequence[str] | None
Activations = str | Sequence[str] | None


@importers.register("state dict")
class StateDict:
    """A mapping of names to tensors, as `model.state_dict()` gives it."""

    def recognises(self, source: Any) -> bool:
        if not isinstance(source, Mapping) or not all(isinstance(key, str) for key in source):
            return False
        return any(is_tensor(value) for value in _inner(source).values())

    def read(self, source: Any, *, activations: Activations = None, order: Order = None) -> Layers:
        tensors = {name: _array(value, name) for name, value in _inner(source).items()}
        return _layers(tensors, activations, order, name="state dict", origin="a state dict of PyTorch")


@importers.register("torch tensors")
class TorchTensors:
    """Files of `torch.save` with tensors alone, usually named `.pt` or `.pth`. Nothing else is unpickled."""

    def recognises(self, source: Any) -> bool:
        if not isinstance(source, Path):
            return False
        if any(name.endswith("/data.pkl") for name in members(source) or ()):
            return True
        return source.suffix in (".pt", ".pth") or _beginning(source, 2) in PICKLES

    def read(self, source: Any, *, activations: Activations = None, order: Order = None) -> Layers:
        if any(name.endswith("/constants.pkl") for name in members(source) or ()):
            raise NetworkFileError.of("file", str(source), f"{SAFE}; this one is TorchScript, which is code")
        torch = extra("torch", "torch", "PyTorch's files")
        if tuple(map(int, torch.__version__.split(".")[:2])) < SAFEST_TORCH:
            raise NetworkFileError.of("version of torch", torch.__version__, "2.6 and later, which are safe")
        try:
            with quietly():
                content = torch.load(source, map_location="cpu", weights_only=True)
        except Exception as error:
            strange = re.search(r"(?:GLOBAL|global) ([\w.]+)", str(error))
            why = f"; it asks for {strange[1]}, which could run code" if strange else "; it is not whole"
            raise NetworkFileError.of("file", str(source), f"{SAFE}{why}") from error
        if not StateDict().recognises(content):
            raise NetworkFileError.of("file", str(source), f"{SAFE}; it holds a {type(content).__name__}")
        tensors = {name: _array(value, name) for name, value in _inner(content).items()}
        return _layers(tensors, activations, order, name=source.stem, origin=source.name)


@importers.register("safetensors")
class Safetensors:
    """Files of tensors by name, usually named `.safetensors`."""

    def recognises(self, source: Any) -> bool:
        if not isinstance(source, Path):
            return False
        if source.suffix == ".safetensors":
            return True
        beginning = _beginning(source, 9)
        length = int.from_bytes(beginning[:8], "little")
        return beginning[8:] == b"{" and 8 + length <= source.stat().st_size

    def read(self, source: Any, *, activations: Activations = None, order: Order = None) -> Layers:
        safetensors = extra("safetensors", "safetensors", "safetensors files")
        try:
            tensors = safetensors.deserialize(source.read_bytes())
        except Exception as error:
            allowed = f"whole safetensors files ({said(error)})"
            raise NetworkFileError.of("file", str(source), allowed) from error
        arrays = {}
        for name, entry in tensors:
            if entry["dtype"] not in TYPES:
                raise NetworkFileError.of(f"type of tensor {name}", entry["dtype"], TYPES)
            arrays[name] = numbers_of(entry["data"], TYPES[entry["dtype"]]).reshape(entry["shape"])
        return _layers(arrays, activations, order, name=source.stem, origin=source.name)


def _layers(
    tensors: Mapping[str, NDArray[Any]], activations: Activations, order: Order, *, name: str, origin: str
) -> Layers:
    """The layers whose weights, biases and masks these are."""
    named = _masked(tensors, origin)
    for key, tensor in named.items():
        kind = key.rpartition(".")[2]
        if kind == "weight" and tensor.ndim > 2:
            raise NetworkFileError(
                f"tensor {key} of {origin} is that of a convolution, whose strides and map it does not tell, "
                f"allowed are matrices: give {SHAPE}"
            )
        if tensor.ndim != {"weight": 2, "bias": 1}.get(kind):
            raise NetworkFileError.of(f"tensor {key} of {origin}", f"of shape {tensor.shape}", GIVE_MODULE)
    told = Told(layout="out_in", activations=activations)
    return layers_by_name(named, told, order, name=name, origin=origin)


def _masked(tensors: Mapping[str, NDArray[Any]], origin: str) -> dict[str, NDArray[Any]]:
    """The tensors, with those that pruning masks multiplied by their masks."""
    stems = dict.fromkeys(
        key.removesuffix(ending) for key in tensors for ending in MASKED if key.endswith(ending)
    )
    named = {key: tensor for key, tensor in tensors.items() if not key.endswith(MASKED)}
    for stem in stems:
        pair = [tensors.get(f"{stem}{ending}") for ending in MASKED]
        if pair[0] is None or pair[1] is None or pair[0].shape != pair[1].shape:
            field = f"{stem}_orig and {stem}_mask of {origin}"
            raise NetworkFileError.of(field, "not of one shape", "both, of one shape")
        named[stem] = pair[0] * pair[1]
    return named


def _inner(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state dictionary inside a checkpoint, or the mapping itself."""
    for wrapper in WRAPPERS:
        inner = source.get(wrapper)
        if isinstance(inner, Mapping) and any(is_tensor(value) for value in inner.values()):
            return inner
    return source


def _array(value: Any, name: str) -> NDArray[Any]:
    """An array of real numbers, in a type that NumPy itself has."""
    array = np.asarray(as_array(value, name))
    if "float" in array.dtype.name and array.itemsize < 4:
        array = array.astype(np.float32)
    if array.dtype.kind not in "fiub":
        raise NetworkFileError.of(f"tensor {name}", str(array.dtype), "real numbers")
    return array


def _beginning(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return b""
