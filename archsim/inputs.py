"""The inputs that a design point brings along in a file, instead of the samples of its network."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from workloads import AnyIntegerNetwork
from workloads.refusal import Refusal
from workloads.topology.archive import UNREADABLE
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
    inputs = read_inputs(network, file.path)
    name, most = Path(file.path).name, min(inputs.shape[1], MOST_REPRESENTATIVE)
    return replace(network, samples=IntegerSamples(inputs, name, representative=most))


def read_inputs(network: AnyIntegerNetwork, path: str) -> NDArray[np.int64]:
    """The inputs of a file as the hardware takes them, shape (n_in, k).

    An .npy file, or an .npz file of one array, holds shape (k, n_in) in the order in which the network was
    trained to see its inputs. Numbers with a point are values from 0 to 1 and are quantised as images are;
    whole numbers are activations of the design's `activation_bits` already, and are taken as they are.
    Raises InputsError, in a sentence, for anything else; nothing is unpickled.
    """
    top = 1 << (network.activation_bits - 1)

    def refuse(what: str) -> NoReturn:
        raise InputsError(
            f"inputs is {path!r}, {what}, allowed is an .npy file, or an .npz file of one array, of shape "
            f"(k, {network.n_in}), k from 1, of floats from 0 to 1 or of integers from {-top} to {top - 1}"
        )

    values = _array(path, refuse)
    kind = values.dtype.kind
    if kind not in "fiu":
        refuse(f"which holds values of type {values.dtype}")
    if values.ndim != 2 or not len(values) or values.shape[1] != network.n_in:
        refuse(f"which holds an array of shape {values.shape}")
    least, most = (0, 1) if kind == "f" else (-top, top - 1)
    if np.isnan(values).any():
        refuse("which holds nan")
    if values.min() < least or values.max() > most:
        refuse(f"which holds {'floats' if kind == 'f' else 'integers'} from {values.min()} to {values.max()}")
    return network.quantise_input(values) if kind == "f" else network.ordered(values.astype(np.int64))


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
    except (*UNREADABLE, MemoryError, pickle.UnpicklingError) as cause:
        refuse(f"which cannot be read ({_reason(cause)})")
    if len(arrays) != 1:
        refuse(f"which holds {len(arrays)} arrays")
    array: NDArray[Any] = arrays[0]
    return array


def _reason(cause: BaseException) -> str:
    return " ".join(str(cause).split())[:100] or type(cause).__name__
