"""An order of inputs from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workloads.data.labelled import DataError
from workloads.topology.archive import UNREADABLE, one_line

BINARY = (b"\x93NUMPY", b"PK")
"""How files of NumPy begin."""


def read_order(path: str | Path) -> tuple[int, ...]:
    """The numbers of the inputs, from 0, in the order of a file: an .npy file, an .npz file of one array, or
    a text of whole numbers. Raises DataError for anything else; nothing is unpickled."""
    try:
        with Path(path).open("rb") as file:
            start = file.read(6)
            file.seek(0)
            if start.startswith(BINARY):
                loaded = np.load(file, allow_pickle=False)
                arrays = (
                    [loaded] if isinstance(loaded, np.ndarray) else [loaded[name] for name in loaded.files]
                )
            else:
                arrays = [
                    np.array([int(word) for word in file.read().decode("utf-8").split()], dtype=np.int64)
                ]
    except UNREADABLE as cause:
        raise DataError(
            f"input_order is {str(path)!r}, which cannot be read ({one_line(cause)}), allowed are tiles or a "
            "file of whole numbers"
        ) from cause
    if len(arrays) != 1 or arrays[0].ndim != 1 or arrays[0].dtype.kind not in "iu":
        given = ", ".join(f"{array.dtype} of shape {array.shape}" for array in arrays)
        raise DataError.of(f"input_order in {path}", given, "whole numbers of shape (n_in,)")
    return tuple(int(number) for number in arrays[0])
