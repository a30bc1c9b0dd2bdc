"""State dictionaries of PyTorch: tensors by name, from memory, `.pt` and `.pth`, or `.safetensors`.

They say nothing of what lies between their matrices, so only what is plain is taken: weights and biases of
fully connected layers, with masks of pruning, in an order that can be told, and ReLU between them.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.importers.extras import extra
from workloads.importers.layers import Layer, Layers
from workloads.importers.operations import convolution
from workloads.importers.registry import importers
from workloads.importers.signals import placed
from workloads.importers.torch_archive import members
from workloads.importers.torch_module import as_array, quietly, said
from workloads.topology.network import NetworkFileError

GIVE_MODULE = "weights and biases of Linear layers: give the module, or what torch.export makes of it"
GIVE_ORDER = "widths that chain, as the keys go or in one way only: give a dict of the tensors in their order"
SAFE = "tensors alone: save model.state_dict(), or the program with torch.export.save"
PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "module")
"""Keys under which the checkpoints of trainings keep the state dictionary of the model."""

SAFEST_TORCH = (2, 6)
"""Before this version of PyTorch a file could run code in spite of `weights_only` (CVE-2025-32434)."""


@importers.register("state dict")
class StateDict:
    """A mapping of names to tensors, as `model.state_dict()` gives it."""

    def recognises(self, source: Any) -> bool:
        if not isinstance(source, Mapping) or not source or not all(isinstance(key, str) for key in source):
            return False
        return any(_is_tensor(value) or key.endswith("weight") for key, value in _inner(source).items())

    def read(self, source: Any) -> Layers:
        return layers_of(_arrays(_inner(source)), "state dict", "a state dict of PyTorch")


@importers.register("torch tensors")
class TorchTensors:
    """Files of `torch.save` with tensors alone, usually named `.pt` or `.pth`. Nothing else is unpickled."""

    def recognises(self, source: Any) -> bool:
        if not isinstance(source, Path):
            return False
        if any(name.endswith("/data.pkl") for name in members(source)):
            return True
        return source.suffix in (".pt", ".pth") or _beginning(source, 2) in PICKLES

    def read(self, source: Any) -> Layers:
        if any(name.endswith("/constants.pkl") for name in members(source)):
            raise NetworkFileError.of(
                "file", str(source), f"{SAFE}; this one is of TorchScript, which is code"
            )
        torch = extra("torch", "torch", "PyTorch's files")
        if tuple(map(int, torch.__version__.split(".")[:2])) < SAFEST_TORCH:
            raise NetworkFileError.of(
                "version of torch", torch.__version__, "2.6 and later, which read safely"
            )
        try:
            with quietly():
                content = torch.load(source, map_location="cpu", weights_only=True)
        except Exception as error:
            strange = re.search(r"(?:GLOBAL|global) ([\w.]+)", str(error))
            why = f"; it asks for {strange[1]}, which could run code" if strange else "; it is not whole"
            raise NetworkFileError.of("file", str(source), f"{SAFE}{why}") from error
        if not StateDict().recognises(content):
            raise NetworkFileError.of("file", str(source), f"{SAFE}; it holds a {type(content).__name__}")
        return layers_of(_arrays(_inner(content)), source.stem, f"state dict {source.name}")


@importers.register("safetensors")
class Safetensors:
    """Files of tensors by name, usually named `.safetensors`, whose order is that of the alphabet."""

    def recognises(self, source: Any) -> bool:
        if not isinstance(source, Path):
            return False
        if source.suffix == ".safetensors":
            return True
        beginning = _beginning(source, 9)
        length = int.from_bytes(beginning[:8], "little")
        return beginning[8:] == b"{" and 8 + length <= source.stat().st_size

    def read(self, source: Any) -> Layers:
        safetensors = extra("safetensors", "safetensors", "safetensors files")
        try:
            with safetensors.safe_open(source, framework="numpy") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, no mapping
        except Exception as error:
            raise NetworkFileError.of(
                "file", str(source), f"whole safetensors files ({said(error)})"
            ) from error
        arrays = {name: _plain(tensor, name) for name, tensor in tensors.items()}
        return layers_of(arrays, source.stem, f"tensors of {source.name}", ordered=False)


def layers_of(tensors: Mapping[str, NDArray[Any]], name: str, origin: str, *, ordered: bool = True) -> Layers:
    """The layers whose weights, biases and masks these are. `ordered` says that the order of the names means
    something; where it does not, numbers in the names do. Raises NetworkFileError for other tensors, and for
    an order that cannot be told."""
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    for key, tensor in tensors.items():
        path, _, kind = key.rpartition(".")
        if kind not in ("weight", "bias", "weight_orig", "weight_mask", "bias_orig", "bias_mask"):
            raise NetworkFileError.of(f"tensor of {origin}", key, GIVE_MODULE)
        parts.setdefault(path, {})[kind] = tensor
    layers = [_layer(path or "weight", kinds, origin) for path, kinds in parts.items()]
    if not ordered:
        layers.sort(key=lambda layer: _natural(layer.name))
        ordered = len({re.sub(r"\d+", "0", layer.name) for layer in layers}) == 1
    if not ordered or not _chain(layers):
        layers = _only_chain(layers, origin)
    last = len(layers) - 1
    remarks = [
        f"{origin} says neither the order of its layers nor what lies between: taken are "
        f"{', '.join(layer.name for layer in layers)}, with ReLU between them"
    ]
    activated = [
        Layer(layer.name, layer.matrix, layer.bias, "none" if number == last else "relu")
        for number, layer in enumerate(layers)
    ]
    return Layers(name, tuple(activated), origin, tuple(remarks if last else ()))


def _layer(name: str, kinds: Mapping[str, NDArray[Any]], origin: str) -> Layer:
    weight, bias = (_masked(kinds, kind, name, origin) for kind in ("weight", "bias"))
    if weight is not None and weight.ndim > 2:
        with placed(f"weight of {name} in {origin}"):
            convolution()
    if weight is None or weight.ndim != 2:
        shape = "nothing" if weight is None else f"of shape {weight.shape}"
        raise NetworkFileError.of(f"weight of {name} in {origin}", shape, GIVE_MODULE)
    return Layer(name, weight, bias)


def _masked(kinds: Mapping[str, NDArray[Any]], kind: str, name: str, origin: str) -> NDArray[Any] | None:
    original, mask = kinds.get(f"{kind}_orig"), kinds.get(f"{kind}_mask")
    if original is None and mask is None:
        return kinds.get(kind)
    if original is None or mask is None or original.shape != mask.shape:
        field = f"{kind}_orig and {kind}_mask of {name} in {origin}"
        raise NetworkFileError.of(field, "not of one shape", "both, of one shape")
    masked: NDArray[Any] = original * mask
    return masked


def _chain(layers: list[Layer]) -> bool:
    pairs = itertools.pairwise(layers)
    return all(before.matrix.shape[0] == after.matrix.shape[1] for before, after in pairs)


def _only_chain(layers: list[Layer], origin: str) -> list[Layer]:
    """The layers in the one order in which their widths chain. Raises NetworkFileError for none or several."""
    by_inputs = {layer.matrix.shape[1]: layer for layer in layers}
    outputs = {layer.matrix.shape[0] for layer in layers}
    starts = [layer for layer in layers if layer.matrix.shape[1] not in outputs]
    chained: list[Layer] = []
    following = starts[0] if len(starts) == 1 else None
    while following is not None and len(chained) < len(layers):
        chained.append(following)
        following = by_inputs.get(following.matrix.shape[0])
    if not len(chained) == len(layers) == len(by_inputs) == len(outputs):
        shapes = ", ".join(f"{layer.name} {layer.matrix.shape}" for layer in layers[:8])
        raise NetworkFileError.of(f"order of the layers of {origin}", shapes, GIVE_ORDER)
    return chained


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part or 0), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _inner(source: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state dictionary inside a checkpoint, or the mapping itself."""
    for wrapper in WRAPPERS:
        inner = source.get(wrapper)
        if isinstance(inner, Mapping) and any(_is_tensor(value) for value in inner.values()):
            return inner
    return source


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _arrays(tensors: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    return {
        name: _plain(as_array(value, name) if _is_tensor(value) else np.asarray(value), name)
        for name, value in tensors.items()
    }


def _plain(array: Any, name: str) -> NDArray[Any]:
    """An array of real numbers in a type that NumPy itself has."""
    if array.dtype.kind == "V" or array.dtype.name in ("bfloat16",):
        array = array.astype(np.float32)
    if array.dtype.kind not in "fiub":
        raise NetworkFileError.of(f"tensor {name}", str(array.dtype), "real numbers")
    return np.asarray(array)


def _beginning(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return b""
