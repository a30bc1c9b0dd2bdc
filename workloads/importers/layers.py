"""A network as its author wrote it: matrices, biases and activation functions, in the order of the data.

Every importer brings its format into this one form; `assemble` makes a network of it that archsim can run.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workloads.importers.precision import FINITE, check_finite
from workloads.topology.network import NetworkFileError
from workloads.topology.places import Places

Matrix: TypeAlias = Any
"""An array of NumPy, or a sparse one of SciPy (of any format when given, `csr_array` when kept), whose types
have no base in common."""

Activation = Literal["relu", "none"]


@dataclass(frozen=True, eq=False)
class Layer:
    """y = activation(matrix @ x + bias), for matrix (n_out, n_in) of finite numbers, dense or of any format
    of SciPy, and bias (n_out,) or none. With a `sweep` it is a convolution: the matrix is (outputs,
    window) and the bias (outputs,), at every place of a map.

    `name` is what the author calls it, for refusals and for what an import says that it found. An explicit
    zero of a matrix is a connection that does not exist, as a zero that is not stored is.
    Raises NetworkFileError for anything else.
    """

    name: str
    matrix: Matrix
    bias: NDArray[Any] | None = None
    activation: Activation = "none"
    sweep: Places | None = None

    def __post_init__(self) -> None:
        import scipy.sparse

        sparse = bool(scipy.sparse.issparse(self.matrix))
        matrix: Matrix = scipy.sparse.csr_array(self.matrix) if sparse else np.asarray(self.matrix)
        if matrix.dtype == np.float16:
            # Sparse matrices of SciPy are of no such floats.
            matrix = matrix.astype(np.float32)
        if matrix.ndim != 2 or 0 in matrix.shape or matrix.dtype.kind not in "fiub":
            raise NetworkFileError.of(
                f"matrix of layer {self.name}",
                f"{matrix.dtype} of shape {matrix.shape}",
                "real numbers of shape (n_out, n_in), neither of them zero",
            )
        check_finite(f"a weight of layer {self.name}", matrix.data if sparse else matrix)
        object.__setattr__(self, "matrix", matrix)
        if self.bias is None:
            return
        bias = np.asarray(self.bias)
        if bias.shape != (matrix.shape[0],) or bias.dtype.kind not in "fiub":
            raise NetworkFileError.of(
                f"bias of layer {self.name}",
                f"{bias.dtype} of shape {bias.shape}",
                f"{FINITE}, of shape {(matrix.shape[0],)}",
            )
        check_finite(f"a bias of layer {self.name}", bias)
        object.__setattr__(self, "bias", bias)

    @property
    def n_in(self) -> int:
        """Values that it reads, of all places."""
        return self.sweep.n_in if self.sweep else int(self.matrix.shape[1])

    @property
    def n_out(self) -> int:
        """Values that it writes, of all places."""
        return int(self.matrix.shape[0]) * self.copies

    @property
    def copies(self) -> int:
        """How many of the values that it writes come from one row of its matrix, one after another."""
        return self.sweep.places if self.sweep else 1

    def run(self, x: NDArray[Any]) -> NDArray[Any]:
        """What it writes (n_out, batch) for x (n_in, batch)."""
        return self.sweep.run(self._run, x, self.matrix.shape[0]) if self.sweep else self._run(x)

    def _run(self, x: NDArray[Any]) -> NDArray[Any]:
        y: NDArray[Any] = self.matrix @ x
        if self.bias is not None:
            y = y + self.bias[:, None]
        return np.maximum(y, 0) if self.activation == "relu" else y

    def __repr__(self) -> str:
        bias = "" if self.bias is None else ", with bias"
        where = f" at {self.copies} places" if self.sweep else ""
        shape = f"{self.n_in} to {self.n_out}{where}"
        return f"<Layer {self.name[:40]}: {shape}{bias}, activation {self.activation}>"


@dataclass(frozen=True, eq=False)
class Layers:
    """A network from elsewhere: its layers, whose widths chain, and a `name` for it.

    `origin` says in a few words what it was read from; `remarks` are sentences for the user on what the
    importer did that is not evident (a final softmax left out, a batch normalisation folded);
    `settings` what the file itself lays down on quantisation, by the names of `assemble`'s parameters.
    Raises NetworkFileError where widths do not chain.
    """

    name: str
    layers: tuple[Layer, ...]
    origin: str
    remarks: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layers = tuple(self.layers)
        object.__setattr__(self, "layers", layers)
        if not layers:
            raise NetworkFileError.of("layers", "empty", f"at least one, and {self.origin} has none")
        for before, after in itertools.pairwise(layers):
            if after.n_in != before.n_out:
                raise NetworkFileError.of(
                    f"inputs of layer {after.name}",
                    after.n_in,
                    f"{before.n_out}, the outputs of layer {before.name}",
                )

    def __repr__(self) -> str:
        widths = "-".join(map(str, (self.layers[0].n_in, *(layer.n_out for layer in self.layers))))
        return f"<Layers {self.name[:40]}: {widths}, from {self.origin[:60]}>"
