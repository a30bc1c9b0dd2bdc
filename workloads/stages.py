"""One sparse matrix of a cascade: which input each stored weight multiplies.

A stage knows its connections and nothing of the values of its weights. The weights of a stage are one
array of shape `weight_shape`; read in row-major order they are sorted by output, and `columns()` names the
input that each of them multiplies. Regular stages (dense, CSC, block, Kronecker) compute that from a
formula, as the hardware does; only a pruned stage stores it.
"""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal

if TYPE_CHECKING:
    import scipy.sparse


class TopologyError(Refusal):
    """A stage, layer or topology was described with a value that is not allowed."""


def whole_number(
    owner: str, name: str, value: Any, least: int = 1, most: int | None = None, limit: str = ""
) -> int:
    """`value` as an int, or a `TopologyError` that names the field, the value and what is allowed.

    `limit` says in words what `most` is.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or (most is not None and number > most) or isinstance(value, bool):
        words = f", {limit}" if limit else ""
        allowed = f"integers of at least {least}" if most is None else f"{least} to {most}{words}"
        raise TopologyError.of(f"{name} of {owner}", value, allowed)
    return number


@dataclass(frozen=True)
class Stage(ABC):
    """The connections of one sparse matrix of shape (n_out, n_in)."""

    n_in: int
    n_out: int

    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type[Stage]]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.kinds[cls.kind] = cls

    def __post_init__(self) -> None:
        for given in fields(self):
            if given.init and given.type in ("int", int):
                number = whole_number(type(self).__name__, given.name, getattr(self, given.name))
                object.__setattr__(self, given.name, number)

    @property
    @abstractmethod
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weight array; its first axes enumerate the outputs."""

    @abstractmethod
    def columns(self) -> NDArray[np.int64]:
        """Input index of every stored weight, shape (stored_weights,), in `weights.ravel()` order."""

    def row_lengths(self) -> NDArray[np.int64]:
        """Number of stored weights of every output, shape (n_out,); equal ones in a regular stage."""
        return np.full(self.n_out, self.weight_shape[-1], dtype=np.int64)

    def parameters(self) -> dict[str, Any]:
        """The keyword arguments that rebuild this stage: numbers, and arrays for a pruned stage."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.init}

    @property
    def stored_weights(self) -> int:
        """Number of weights kept."""
        return math.prod(self.weight_shape)

    @property
    def density(self) -> float:
        """Stored weights divided by n_in * n_out."""
        return self.stored_weights / (self.n_in * self.n_out)

    def csr(self, weights: NDArray[Any]) -> scipy.sparse.csr_array[Any, tuple[int, int]]:
        """The matrix (n_out, n_in) with these weights, in compressed sparse row form.

        The entries of a row keep the order of the weights, so the column indices of a row need not be sorted.
        """
        import scipy.sparse

        if weights.shape != self.weight_shape:
            raise TopologyError(
                f"weights of a {self.kind} stage have shape {weights.shape}, allowed is {self.weight_shape}"
            )
        ends = np.concatenate(([0], np.cumsum(self.row_lengths())))
        return scipy.sparse.csr_array((weights.ravel(), self.columns(), ends), shape=(self.n_out, self.n_in))

    def adjacency(self) -> scipy.sparse.csr_array[Any, tuple[int, int]]:
        """The matrix (n_out, n_in) that is 1 where a weight is stored, as int64."""
        return self.csr(np.ones(self.weight_shape, dtype=np.int64))


def build_stage(kind: str, parameters: Mapping[str, Any]) -> Stage:
    """The stage of this `kind` with these `parameters()`; a `TopologyError` if they do not describe one."""
    if kind not in Stage.kinds:
        raise TopologyError.of("kind of a stage", kind, sorted(Stage.kinds))
    try:
        return Stage.kinds[kind](**parameters)
    except TypeError as error:
        raise TopologyError(
            f"parameters of a {kind} stage are {', '.join(parameters)}, allowed are those of its constructor"
        ) from error


@dataclass(frozen=True)
class DenseStage(Stage):
    """Every output reads every input. Weights: (n_out, n_in)."""

    kind: ClassVar[str] = "dense"

    @property
    def weight_shape(self) -> tuple[int, ...]:
        return (self.n_out, self.n_in)

    def columns(self) -> NDArray[np.int64]:
        return np.tile(np.arange(self.n_in, dtype=np.int64), self.n_out)


@dataclass(frozen=True)
class CscStage(Stage):
    """A cyclic support layer: output j reads inputs (j + k * stride) mod n_in.

    Weights: (n_out, taps), tap k multiplying the input above. `taps` is the fan-in, or n_in / gcd(n_in,
    stride) where that is less, because later taps would read inputs that earlier taps read already. `n_out`
    may differ from `n_in`; the ring always has n_in places.
    """

    fan_in: int
    stride: int

    kind: ClassVar[str] = "csc"

    @property
    def taps(self) -> int:
        """Weights of one output."""
        return min(self.fan_in, self.n_in // math.gcd(self.n_in, self.stride))

    @property
    def weight_shape(self) -> tuple[int, ...]:
        return (self.n_out, self.taps)

    def columns(self) -> NDArray[np.int64]:
        outputs = np.arange(self.n_out, dtype=np.int64)[:, None]
        taps = np.arange(self.taps, dtype=np.int64)
        return ((outputs + taps * self.stride) % self.n_in).ravel()


@dataclass(frozen=True)
class BlockStage(Stage):
    """One stage of a Clos network with its shuffle: small dense blocks that read interleaved inputs.

    Output b * block_out + c, which is output c of block b, reads inputs k * blocks + b for k < block_in.
    Weights: (blocks, block_out, block_in).

    Consecutive stages in this convention are a Clos network. The ingress block b reads every blocks-th
    input, which is the textbook network of contiguous ingress blocks up to a fixed permutation of the inputs.
    The second stage has one block for every output of an ingress block, and its block c reads the inputs
    k * blocks + c: output c of every ingress block k. The same holds from the middle to the egress stage.
    """

    n_in: int = field(init=False)
    n_out: int = field(init=False)
    blocks: int
    block_in: int
    block_out: int

    kind: ClassVar[str] = "block"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "n_in", self.blocks * self.block_in)
        object.__setattr__(self, "n_out", self.blocks * self.block_out)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        return (self.blocks, self.block_out, self.block_in)

    def columns(self) -> NDArray[np.int64]:
        block = np.arange(self.blocks, dtype=np.int64)[:, None, None]
        inputs = np.arange(self.block_in, dtype=np.int64) * self.blocks
        return np.broadcast_to(inputs + block, self.weight_shape).ravel()


@dataclass(frozen=True)
class KroneckerStage(Stage):
    """The Kronecker product I_left (x) 1_{outputs x inputs} (x) I_right: dense blocks, set apart.

    With places counted as (l, i, r), r fastest, output (l, o, r) reads the inputs (l, i, r) for all i.
    Weights: (left, outputs, right, inputs). A stage of a butterfly has outputs = inputs = the radix; a block
    diagonal matrix has right = 1; a block stage's matrix is a permutation of that.
    """

    n_in: int = field(init=False)
    n_out: int = field(init=False)
    left: int
    outputs: int
    inputs: int
    right: int

    kind: ClassVar[str] = "kronecker"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "n_in", self.left * self.inputs * self.right)
        object.__setattr__(self, "n_out", self.left * self.outputs * self.right)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        return (self.left, self.outputs, self.right, self.inputs)

    def columns(self) -> NDArray[np.int64]:
        places = np.arange(self.n_in, dtype=np.int64).reshape(self.left, 1, self.inputs, self.right)
        return np.broadcast_to(places.swapaxes(2, 3), self.weight_shape).ravel()


@dataclass(frozen=True, eq=False)
class PrunedStage(Stage):
    """Any pattern of connections, stored in compressed sparse row form. Weights: (stored_weights,).

    `indptr` (n_out + 1,) and `indices` (stored_weights,) are as in SciPy; the indices of a row increase
    strictly. A row may be empty.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]

    kind: ClassVar[str] = "pruned"

    def __post_init__(self) -> None:
        for name in ("indptr", "indices"):
            given = np.asarray(getattr(self, name))
            if given.ndim != 1 or (given.size > 0 and not np.issubdtype(given.dtype, np.integer)):
                raise TopologyError(
                    f"{name} of PrunedStage has shape {given.shape} and type {given.dtype}, "
                    "allowed is a vector of integers"
                )
            array = given.astype(np.int64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        super().__post_init__()
        ends, indices = self.indptr, self.indices
        spans = ends.size == self.n_out + 1 and ends[0] == 0 and ends[-1] == indices.size
        if not spans or (np.diff(ends) < 0).any():
            raise TopologyError(
                f"indptr of PrunedStage has {ends.size} entries, allowed are n_out + 1 = "
                f"{self.n_out + 1} that "
                f"rise from 0 to the number of indices, {indices.size}, and never fall"
            )
        if indices.size and (indices.min() < 0 or indices.max() >= self.n_in):
            raise TopologyError(
                f"indices of PrunedStage span {indices.min()} to {indices.max()}, "
                f"allowed are 0 to {self.n_in - 1}"
            )
        same_row = np.diff(np.repeat(np.arange(self.n_out), np.diff(ends))) == 0
        if (np.diff(indices)[same_row] <= 0).any():
            raise TopologyError(
                "indices of PrunedStage repeat or fall inside a row, allowed are those that increase "
                "strictly there"
            )

    @classmethod
    def from_mask(cls, mask: NDArray[Any]) -> Self:
        """The stage that keeps the places where `mask`, shape (n_out, n_in), is true."""
        mask = np.asarray(mask)
        if mask.ndim != 2:
            raise TopologyError(f"mask has {mask.ndim} dimensions, allowed are two, (n_out, n_in)")
        rows, columns = np.nonzero(mask)
        n_out, n_in = mask.shape
        ends = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=n_out))))
        return cls(n_in, n_out, ends, columns)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PrunedStage):
            return NotImplemented
        return (
            (self.n_in, self.n_out) == (other.n_in, other.n_out)
            and np.array_equal(self.indptr, other.indptr)
            and np.array_equal(self.indices, other.indices)
        )

    def __repr__(self) -> str:
        return f"PrunedStage(n_in={self.n_in}, n_out={self.n_out}, stored_weights={self.stored_weights})"

    def __hash__(self) -> int:
        return hash((self.n_in, self.n_out, self.indptr.tobytes(), self.indices.tobytes()))

    @property
    def weight_shape(self) -> tuple[int, ...]:
        return (self.indices.size,)

    def columns(self) -> NDArray[np.int64]:
        return self.indices

    def row_lengths(self) -> NDArray[np.int64]:
        return np.diff(self.indptr)
