"""An order of inputs from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from workloads.archive import UNREADABLE, one_line
from workloads.data.files import read_array
from workloads.data.labelled import DataError

BINARY = (b"\x93NUMPY", b"PK")
"""How files of NumPy begin."""


def read_order(path: str | Path) -> tuple[int, ...]:
    """The numbers of the inputs, from 0, in the order of a file: an .npy file, an .npz file of one array, or
    a text of whole numbers. Raises DataError for anything else; nothing is unpickled."""
    try:
        content = Path(path).read_bytes()
        words = [] if content.startswith(BINARY) else content.decode("utf-8").split()
        numbers = np.array([int(word) for word in words], dtype=np.int64) if words else read_array(path)
    except DataError:
        raise
    except UNREADABLE as cause:
        raise DataError(
            f"input_order is {str(path)!r}, which cannot be read ({one_line(cause)}), allowed are tiles, "
            "neighbours or a file of whole numbers"
        ) from cause
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        given = f"{numbers.dtype} of shape {numbers.shape}"
        raise DataError.of(f"input_order in {path}", given, "whole numbers of shape (n_in,)")
    return tuple(numbers.tolist())
