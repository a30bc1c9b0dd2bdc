"""Tensors of PyTorch as arrays, where there is a PyTorch: nothing here imports it before somebody has."""

from __future__ import annotations

import sys
from typing import Any

from workloads.topology.network import NetworkFileError


def is_tensor(value: Any) -> bool:
    """Whether this is a tensor of PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def as_array(value: Any, name: str) -> Any:
    """A tensor as an array, in a type that NumPy has; lists inner by inner, the rest as it is.
    Raises NetworkFileError for a tensor without numbers, or of quantised ones."""
    if isinstance(value, list | tuple):
        return [as_array(inner, name) for inner in value]
    if not is_tensor(value):
        return value
    if value.is_quantized or value.is_meta or value.is_complex():
        raise NetworkFileError.of(
            f"tensor {name}", f"{value.dtype} on {value.device}", "real numbers in memory"
        )
    import torch

    plain = value.detach().cpu()
    plain = plain.to_dense() if plain.layout != torch.strided else plain
    return (plain.float() if plain.is_floating_point() and plain.itemsize < 4 else plain).numpy().copy()
