"""Data of one's own, from a file of arrays or from a folder of IDX files."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.archive import UNREADABLE, one_line
from workloads.data.labelled import DataError, LabelledData

IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
"""Types of an IDX file by their number, as its description lists them
(Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section on file formats)."""

GZIP = b"\x1f\x8b"
"""How a file begins that is packed."""

ROLES = {"x_train": ("train", "images"), "y_train": ("train", "labels")} | {
    "x_test": ("t10k", "images"),
    "y_test": ("t10k", "labels"),
}
"""The words in the name of each of the four files of a folder; `test` will do for `t10k`."""


def read_data(path: str | Path, *, scale: float | None = None) -> LabelledData:
    """The data of an .npz file, or of a folder of four IDX files (packed by gzip or not).

    What an .npz file holds says `LabelledData.of_arrays`; nothing is unpickled. Raises DataError, in a
    sentence.
    """
    place = Path(path)
    file, source = str(place.absolute()), place.name
    arrays = _idx_arrays(place) if place.is_dir() else _npz_arrays(place)
    return LabelledData.of_arrays(arrays, scale=scale, source=source, file=file)


def read_array(path: str | Path) -> NDArray[Any]:
    """The array of an .npy file, or of an .npz file of one array; nothing is unpickled. Raises DataError."""
    try:
        with Path(path).open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            arrays = [loaded] if isinstance(loaded, np.ndarray) else [loaded[name] for name in loaded.files]
    except UNREADABLE as cause:
        raise DataError(
            f"file is {str(path)!r}, which cannot be read ({one_line(cause)}), allowed is an .npy file, or "
            "an .npz file of one array"
        ) from cause
    if len(arrays) != 1:
        raise DataError.of(f"arrays of {path}", len(arrays), "one")
    array: NDArray[Any] = arrays[0]
    return array


def _npz_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                raise DataError.of("data", f"{path}, a single array", "an .npz file of inputs and labels")
            return {name: loaded[name] for name in loaded.files}
    except DataError:
        raise
    except UNREADABLE as cause:
        raise DataError(
            f"data is {str(path)!r}, which cannot be read ({one_line(cause)}), allowed is an .npz file of "
            "inputs and labels, or a folder of IDX files"
        ) from cause


def _idx_arrays(folder: Path) -> dict[str, NDArray[Any]]:
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    arrays = {}
    for role, (part, what) in ROLES.items():
        parts = (part, "test") if part == "t10k" else (part,)
        chosen = [name for name in names if what in name.lower() and any(p in name.lower() for p in parts)]
        if len(chosen) != 1:
            raise DataError.of(
                f"files of {folder} that are named {' or '.join(parts)} and {what}",
                ", ".join(chosen) or "none",
                "one, as in train-images-idx3-ubyte.gz",
            )
        arrays[role] = decode_idx(folder / chosen[0])
    return arrays


def decode_idx(path: Path) -> NDArray[Any]:
    """The array of an IDX file, packed or not: two zero bytes, type, number of axes, big-endian sizes, data.
    Raises DataError for anything else."""
    try:
        content = path.read_bytes()
        if content.startswith(GZIP):
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as cause:
        raise DataError(f"file is {path}, which cannot be read ({one_line(cause)})") from cause
    axes = content[3] if len(content) > 3 else 0
    if content[:2] != b"\0\0" or len(content) < 4 + 4 * axes or not axes or content[2] not in IDX_TYPES:
        raise DataError(f"file is {path}, which does not begin as an IDX file does")
    sizes = [int(size) for size in np.frombuffer(content, dtype=">u4", count=axes, offset=4)]
    kind, start = np.dtype(IDX_TYPES[content[2]]), 4 + 4 * axes
    if len(content) - start != math.prod(sizes) * kind.itemsize:
        given = f"{len(content) - start} bytes of data"
        raise DataError.of(f"length of {path}", given, f"{math.prod(sizes) * kind.itemsize} by its sizes")
    array = np.frombuffer(content, dtype=kind, offset=start).reshape(sizes)
    return array.astype(kind.newbyteorder("="), copy=False)
