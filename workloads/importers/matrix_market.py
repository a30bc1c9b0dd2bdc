"""Matrix Market: a matrix as text, by coordinates or as a full array, compressed by gzip or not.

R. Boisvert, R. Pozo and K. Remington, "The Matrix Market Exchange Formats", NISTIR 5935 (1996). It is read
here because the reader of SciPy ends the whole program on some files that are damaged.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.archive import MOST_SHOWN, UNREADABLE, one_line
from workloads.importers.layers import Layers, Matrix
from workloads.importers.matrices import Told, layers_of, paired
from workloads.importers.npz import begins
from workloads.importers.registry import importers
from workloads.topology.network import NetworkFileError

GZIP = b"\x1f\x8b"
BANNER = b"%%MatrixMarket"
FIELDS = ("real", "double", "integer", "unsigned-integer", "pattern")
SYMMETRIES = ("general", "symmetric", "skew-symmetric")
MOST_ENTRIES = 1 << 40
"""A matrix of more entries is a damaged line of sizes."""


def is_matrix_market(source: Any) -> bool:
    """Whether this is the path of a file that begins as one of this format, once it is unpacked."""
    if not begins(source, GZIP):
        return begins(source, BANNER)
    try:
        with gzip.open(source) as file:
            return file.read(len(BANNER)) == BANNER
    except (OSError, EOFError, zlib.error):
        return False


def read_matrix_market(path: Path) -> Matrix:
    """The matrix of a file: a sparse one of coordinates, of which entries at the same place are added, or a
    full array. Raises NetworkFileError for anything else."""
    try:
        with (gzip.open if begins(path, GZIP) else open)(path, "rb") as file:
            text = file.read().decode("latin-1")
        return _matrix(text)
    except NetworkFileError as refused:
        raise NetworkFileError(f"file is {path}, and {refused}") from None
    except UNREADABLE as cause:
        raise NetworkFileError(
            f"file is {path}, which cannot be read ({one_line(cause)}), allowed is a whole file of Matrix "
            "Market"
        ) from cause


def _matrix(text: str) -> Matrix:
    banner, _, rest = text.partition("\n")
    words = banner.lower().split()
    wanted = (("matrix",), ("coordinate", "array"), FIELDS, SYMMETRIES)
    if len(words) != 1 + len(wanted):
        raise NetworkFileError.of("its first line", banner[:MOST_SHOWN], "one of five words")
    for word, allowed in zip(words[1:], wanted, strict=True):
        if word not in allowed:
            raise NetworkFileError.of("a word of its first line", word[:MOST_SHOWN], allowed)
    _, _, layout, field, symmetry = words
    lines = (line for line in rest.splitlines() if line.strip() and not line.startswith("%"))
    sizes = [int(size) for size in next(lines, "").split()]
    body = "\n".join(lines)
    if layout == "array":
        return _full(sizes, _numbers(body, 1).ravel(), symmetry)
    return _sparse(sizes, _numbers(body, 2 if field == "pattern" else 3), symmetry)


def _numbers(body: str, columns: int) -> NDArray[np.float64]:
    """The rows of numbers below the sizes, shape (rows, columns)."""
    if not body:
        return np.zeros((0, columns))
    numbers = np.loadtxt(io.StringIO(body), dtype=np.float64, ndmin=2, comments=None)
    if numbers.shape[1] != columns:
        raise NetworkFileError.of("numbers in a line", numbers.shape[1], f"{columns}")
    return numbers


def _sparse(sizes: Sequence[int], numbers: NDArray[np.float64], symmetry: str) -> Matrix:
    import scipy.sparse

    if len(sizes) != 3 or min(sizes) < 0 or sizes[0] * sizes[1] > MOST_ENTRIES or sizes[2] != len(numbers):
        allowed = f"rows, columns and the {len(numbers)} entries that there are"
        raise NetworkFileError.of("its line of sizes", list(sizes), allowed)
    places = numbers[:, :2]
    if (places != np.floor(places)).any() or (places < 1).any() or (places > sizes[:2]).any():
        allowed = f"whole numbers from 1 to {sizes[0]} and {sizes[1]}"
        raise NetworkFileError.of("places of entries", "others", allowed)
    rows, columns = (places.astype(np.int64) - 1).T
    values = numbers[:, 2] if numbers.shape[1] == 3 else np.ones(len(numbers))
    if symmetry != "general":
        aside, sign = rows != columns, -1 if symmetry == "skew-symmetric" else 1
        mirrored = rows[aside]
        rows, columns = np.concatenate([rows, columns[aside]]), np.concatenate([columns, mirrored])
        values = np.concatenate([values, sign * values[aside]])
    return scipy.sparse.coo_array((values, (rows, columns)), shape=(sizes[0], sizes[1]))


def _full(sizes: Sequence[int], numbers: NDArray[np.float64], symmetry: str) -> Matrix:
    """The array whose columns follow each other; of a symmetric one the lower triangle alone is given."""
    square = len(sizes) == 2 and sizes[0] == sizes[1]
    if len(sizes) != 2 or min(sizes) < 0 or (symmetry != "general" and not square):
        raise NetworkFileError.of("its line of sizes", list(sizes), "rows and columns")
    n_rows, n_columns = sizes
    skew = symmetry == "skew-symmetric"
    count = n_rows * n_columns if symmetry == "general" else n_rows * (n_rows + (-1 if skew else 1)) // 2
    if len(numbers) != count:
        raise NetworkFileError.of("number of its entries", len(numbers), f"{count}, by its sizes")
    if symmetry == "general":
        return numbers.reshape(n_columns, n_rows).T
    full = np.zeros((n_rows, n_rows))
    columns, rows = np.triu_indices(n_rows, int(skew))
    full[columns, rows] = -numbers if skew else numbers
    full[rows, columns] = numbers
    return full


@importers.register("matrix-market")
class MatrixMarket:
    """Files of one matrix in the format of Matrix Market."""

    def recognises(self, source: Any) -> bool:
        return is_matrix_market(source)

    def read(
        self,
        source: Any,
        *,
        layout: str = "auto",
        activations: str | Sequence[str] | None = None,
        n_in: int | None = None,
    ) -> Layers:
        told = Told(layout=layout, activations=activations, n_in=n_in)
        stem = source.name.removesuffix(".gz").removesuffix(".mtx")
        parts = paired([(source.name, read_matrix_market(source))])
        return layers_of(parts, told, name=stem, origin=source.name)
