"""Networks as arrays: a matrix, a list of matrices and biases, or arrays by name; of NumPy, or sparse ones of
SciPy; in Python or in files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from workloads.archive import UNREADABLE
from workloads.importers.layers import Layers, Matrix
from workloads.importers.matrices import Part, Told, is_matrix, layers_of, paired
from workloads.importers.matrix_market import is_matrix_market, read_matrix_market
from workloads.importers.names import layers_by_name
from workloads.importers.npz import METADATA, begins, members
from workloads.importers.registry import importers
from workloads.topology.network import NetworkFileError

SPARSE = {"format.npy", "shape.npy", "data.npy"}
"""Members of what `scipy.sparse.save_npz` writes."""
UNNAMED = "imported"
"""What a network of arrays is called that nobody gives a name."""
NPY = b"\x93NUMPY"


class Matrices(ABC):
    """What says of its matrices neither layout nor order nor activation functions."""

    def read(
        self,
        source: Any,
        *,
        layout: str = "auto",
        activations: str | Sequence[str] | None = None,
        order: Sequence[str] | None = None,
        n_in: int | None = None,
    ) -> Layers:
        return self.layers(source, Told(layout=layout, activations=activations, n_in=n_in), order)

    @abstractmethod
    def layers(self, source: Any, told: Told, order: Sequence[str] | None) -> Layers:
        """The layers of a source, of which the user has told this."""


@importers.register("arrays")
class Arrays(Matrices):
    """A matrix (n_out, n_in) or (n_in, n_out); a list of matrices, each followed by its bias if it has one,
    of pairs of the two, or of the paths of files of one matrix each; a mapping from names to arrays, or of
    `weights` and `biases` to lists of them."""

    def recognises(self, source: Any) -> bool:
        if _by_name(source):
            values = list(source.values())
            return bool(values) and all(map(_is_arrays, values))
        return _is_arrays(source)

    def layers(self, source: Any, told: Told, order: Sequence[str] | None) -> Layers:
        if _by_name(source) and all(map(is_matrix, source.values())):
            named = {str(label): array for label, array in source.items()}
            return layers_by_name(named, told, order, name=UNNAMED, origin="arrays")
        if order is not None:
            raise NetworkFileError.of("order", order, "none, for a list that is in order")
        return layers_of(_parts(source), told, name=UNNAMED, origin="arrays")


def _by_name(source: Any) -> bool:
    """Whether this is a mapping, and not a matrix that is one too, as SciPy's dictionaries of keys are."""
    return isinstance(source, Mapping) and not is_matrix(source)


def _is_arrays(value: Any) -> bool:
    """Whether this is an array, or a list of arrays, pairs of arrays and paths of files."""
    if is_matrix(value):
        return True
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(
        is_matrix(one) or one is None or isinstance(one, str | Path) or _is_arrays(one) for one in value
    )


def _parts(source: Any) -> list[Part]:
    """The parts of a matrix, of a list, or of a list of matrices beside one of biases."""
    if _by_name(source):
        if set(source) not in ({"weights", "biases"}, {"weights"}):
            raise NetworkFileError.of(
                "names of lists", list(source), "weights, and biases where there are some"
            )
        weights, biases = list(source["weights"]), list(source.get("biases", []))
        if biases and len(biases) != len(weights):
            raise NetworkFileError.of(
                "biases", f"a list of {len(biases)}", f"as many as weights, {len(weights)}"
            )
        source = list(zip(weights, biases or [None] * len(weights), strict=True))
    if is_matrix(source):
        source = [source]
    arrays: list[tuple[str, Matrix]] = []
    for number, one in enumerate(source, start=1):
        for member in one if isinstance(one, list | tuple) else (one,):
            if isinstance(member, str | Path):
                arrays += _arrays_of(Path(member))
            elif member is not None:
                arrays.append((str(number), member))
    return paired(arrays)


@importers.register("numpy")
class NumpyFiles(Matrices):
    """Files of `numpy.save`, `numpy.savez` and `scipy.sparse.save_npz`. Nothing in them is unpickled."""

    def recognises(self, source: Any) -> bool:
        names = members(source)
        if names is None:
            return begins(source, NPY)
        return METADATA not in names and all(name.endswith(".npy") for name in names)

    def layers(self, source: Any, told: Told, order: Sequence[str] | None) -> Layers:
        named = dict(_arrays_of(source))
        return layers_by_name(named, told, order, name=source.stem, origin=source.name)


def _arrays_of(path: Path) -> list[tuple[str, Matrix]]:
    """The arrays of a file, by name."""
    if is_matrix_market(path):
        return [(path.name, read_matrix_market(path))]
    try:
        names = members(path)
        if names is not None and set(names) >= SPARSE:
            import scipy.sparse

            return [(path.stem, scipy.sparse.load_npz(path))]
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return [(path.stem, loaded)]
            return [(name, loaded[name]) for name in loaded.files]
    except UNREADABLE as cause:
        if "allow_pickle" in str(cause):
            raise NetworkFileError(
                f"arrays of {path} are Python objects, which would run code when they are read, allowed are "
                "arrays of numbers"
            ) from cause
        reason = " ".join(str(cause).split())[:100] or type(cause).__name__
        raise NetworkFileError(
            f"file is {path}, which cannot be read ({reason}), allowed are whole files of NumPy, SciPy or "
            "Matrix Market"
        ) from cause
