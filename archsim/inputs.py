"""The inputs that a design point brings along in a file, instead of the samples of its network."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from workloads import AnyIntegerNetwork, IntegerNetworkError
from workloads.archive import UNREADABLE
from workloads.refusal import Refusal
from workloads.topology.samples import IntegerSamples

MOST_REPRESENTATIVE = 8
"""How many inputs of a file, from the first, switching is measured on: at the gates each takes seconds."""


class InputsError(Refusal):
    """A file does not hold inputs of the network."""


@dataclass(frozen=True)
class InputFile:
    """A file as it is now: another `stamp` is another file, so that nothing stale is used."""

    path: str
    stamp: tuple[int, ...]

    @classmethod
    def now(cls, path: str) -> InputFile:
        """The file at this path, which need not exist."""
        try:
            status = Path(path).stat()
        except (OSError, ValueError):
            return cls(path, ())
        return cls(path, (status.st_mtime_ns, status.st_size, status.st_ino))


def with_inputs(network: AnyIntegerNetwork, file: InputFile) -> AnyIntegerNetwork:
    """The network with the inputs of a file as its samples; see `read_inputs`."""
    inputs, saturated = read_inputs(network, file.path)
    name, most = Path(file.path).name, min(inputs.shape[1], MOST_REPRESENTATIVE)
    return replace(network, samples=IntegerSamples(inputs, name, most, saturated))


def read_inputs(network: AnyIntegerNetwork, path: str) -> tuple[NDArray[np.int64], int]:
    """The inputs of a file as the hardware takes them, shape (n_in, k), and how many values saturated.

    An .npy file, or an .npz file of one array, holds shape (k, n_in) in the order in which the network was
    trained to see its inputs. Numbers with a point are values as it was trained on, and become integers as
    `IntegerNetwork.integer_inputs` says; whole numbers are activations of the design's `activation_bits`
    already, and are taken as they are. Raises InputsError, in a sentence, for anything else; nothing is
    unpickled.
    """
    top = 1 << (network.activation_bits - 1)
    low, high = network.input_range

    def refuse(what: str) -> NoReturn:
        raise InputsError(
            f"inputs is {path!r}, {what}, allowed is an .npy file, or an .npz file of one array, of shape "
            f"(k, {network.n_in}), k from 1, of floats from {low:g} to {high:g}, at most a tenth beyond, or "
            f"of integers from {-top} to {top - 1}"
        )

    values = _array(path, refuse)
    kind = values.dtype.kind
    if kind not in "fiu":
        refuse(f"which holds values of type {values.dtype}")
    if values.ndim != 2 or not len(values) or values.shape[1] != network.n_in:
        refuse(f"which holds an array of shape {values.shape}")
    if not np.isfinite(values).all():
        refuse("which holds nan or infinity")
    if kind == "f":
        try:
            return network.integer_inputs(values)
        except IntegerNetworkError:
            refuse(f"which holds floats from {values.min():g} to {values.max():g}")
    if values.min() < -top or values.max() > top - 1:
        refuse(f"which holds integers from {values.min()} to {values.max()}")
    return network.ordered(values.astype(np.int64)), 0


def _array(path: str, refuse: Callable[[str], NoReturn]) -> NDArray[Any]:
    """The one array of a file."""
    try:
        is_there, is_file = Path(path).exists(), Path(path).is_file()
    except OSError as cause:
        refuse(f"which cannot be read ({cause.strerror})")
    if not is_file:
        refuse("which is no file" if is_there else "which does not exist")
    try:
        with Path(path).open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            arrays = [loaded] if isinstance(loaded, np.ndarray) else [loaded[name] for name in loaded.files]
    except (*UNREADABLE, pickle.UnpicklingError) as cause:
        refuse(f"which cannot be read ({_reason(cause)})")
    if len(arrays) != 1:
        refuse(f"which holds {len(arrays)} arrays")
    array: NDArray[Any] = arrays[0]
    return array


def _reason(cause: BaseException) -> str:
    return " ".join(str(cause).split())[:100] or type(cause).__name__
