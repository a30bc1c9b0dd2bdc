"""Which stage a matrix is: found from its zeros, and taken only where its pattern is exactly the stage's.

A regular stage needs no index in hardware, so a matrix that was made as one, and comes back as numbers, must
not be taken for just any pattern.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workloads.stages import (
    BlockStage,
    CscStage,
    DenseStage,
    KroneckerStage,
    PrunedStage,
    Stage,
)

if TYPE_CHECKING:
    import scipy.sparse

    Sparse = scipy.sparse.csr_array[Any, tuple[int, int]]

WORTH_AN_INDEX = 0.5
"""The density from which an irregular matrix is kept in full: an index for each weight that is not zero takes
about as many bits as a weight, and a dense stage runs on every engine."""

MOST_RANK = 256
"""The largest rank that is looked for: the search takes so many products with the matrix."""


FEW_MORE = 4
"""Random vectors that tell most matrices of a larger rank before all entries are compared."""


@dataclass(frozen=True, eq=False)
class Pattern:
    """Where a matrix (n_out, n_in) has weights: the input of each, row by row and rising in a row."""

    n_in: int
    n_out: int
    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<Pattern of {len(self.indices)} places in {self.n_out} × {self.n_in}>"

    @classmethod
    def of(cls, matrix: Sparse) -> Pattern:
        """The pattern of what a matrix stores."""
        n_out, n_in = matrix.shape
        sorted_indices = matrix.sorted_indices()
        return cls(
            n_in, n_out, sorted_indices.indptr.astype(np.int64), sorted_indices.indices.astype(np.int64)
        )

    @property
    def row_lengths(self) -> NDArray[np.int64]:
        return np.diff(self.indptr)

    def row(self, number: int) -> NDArray[np.int64]:
        """The inputs of an output."""
        return self.indices[self.indptr[number] : self.indptr[number + 1]]

    def is_of(self, stage: Stage) -> bool:
        """Whether these are exactly the places of a stage."""
        same_size = (stage.n_in, stage.n_out) == (self.n_in, self.n_out)
        if not same_size or not np.array_equal(stage.row_lengths(), self.row_lengths):
            return False
        return np.array_equal(stage.columns()[row_order(stage)], self.indices)


def row_order(stage: Stage) -> NDArray[np.int64]:
    """The places of the stage's weights, row by row, in the order in which inputs rise in a row."""
    rows = np.repeat(np.arange(stage.n_out), stage.row_lengths())
    return np.lexsort((stage.columns(), rows))


def readings(pattern: Pattern) -> tuple[Stage, ...]:
    """Every stage whose places are these, the pruned one last; a regular pattern may be of several kinds."""
    regular = [stage for stage in _candidates(pattern) if pattern.is_of(stage)]
    return (*regular, PrunedStage(pattern.n_in, pattern.n_out, pattern.indptr, pattern.indices))


def _candidates(pattern: Pattern) -> Iterator[Stage]:
    """The regular stages that the first row leaves."""
    n_in, n_out = pattern.n_in, pattern.n_out
    taps = int(pattern.row_lengths[0])
    if not taps or (pattern.row_lengths != taps).any():
        return
    if taps == n_in:
        yield DenseStage(n_in, n_out)
        return
    first = pattern.row(0)
    blocks, rest = divmod(n_in, taps)
    if not rest and n_out % blocks == 0:
        yield BlockStage(blocks, taps, n_out // blocks)
        steps = [int(first[1] - first[0])] if taps > 1 else range(1, blocks + 1)
        for right in steps:
            if blocks % right == 0:
                yield KroneckerStage(blocks // right, n_out // blocks, taps, right)
    if first[0] == 0:
        strides = first[1:] if taps > 1 else [1]
        ring = np.arange(taps)
        fitting = (int(s) for s in strides if np.array_equal(np.sort(ring * s % n_in), first))
        yield from (CscStage(n_in, n_out, taps, stride) for stride in list(fitting)[:1])


def chosen(choices: Sequence[Sequence[Stage]]) -> list[Stage]:
    """One stage of each reading, so that one engine may run them all.

    Rings where every matrix is a ring or dense, since their engine runs nothing else; else blocks, Kronecker
    products and rings in this order, as nested counters find them; what is none of these is pruned.
    """
    rings = [[stage for stage in stages if isinstance(stage, CscStage | DenseStage)] for stages in choices]
    if all(rings):
        return [stages[0] for stages in rings]
    return [stages[0] for stages in choices]


def superfluous(stage: Stage, weights: NDArray[Any]) -> int:
    """How many of the stored weights are zeros that another stage of the same matrix would not store: all of
    a pruned stage, and those of a regular one where they are at least half."""
    zeros = stage.stored_weights - int(np.count_nonzero(weights))
    worth = isinstance(stage, PrunedStage) or zeros >= (1 - WORTH_AN_INDEX) * stage.stored_weights
    return zeros if worth else 0


def weights_of(stage: Stage, matrix: Sparse) -> NDArray[np.float32]:
    """The weights of a matrix of exactly this pattern, in the order of the stage."""
    weights = np.empty(stage.stored_weights, dtype=np.float32)
    weights[row_order(stage)] = matrix.sorted_indices().data
    return weights.reshape(stage.weight_shape)


def low_rank(matrix: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Two factors, (n_out, rank) and (rank, n_in), whose product is the matrix (n_out, n_in) to the precision
    of 32-bit floats and that hold fewer weights than it, or none.

    The rank is at most `MOST_RANK`. It is found with random vectors, as by Halko, Martinsson and Tropp
    (SIAM Review 53, 2011), and verified entry by entry.
    """
    exact = np.asarray(matrix, dtype=np.float64)
    n_out, n_in = exact.shape
    # The largest rank that saves weights.
    most = min(MOST_RANK, (n_out * n_in - 1) // (n_out + n_in))
    tolerance = 8 * float(np.finfo(np.float32).eps) * float(np.abs(exact).max(initial=0.0))
    if not most or not tolerance:
        return None
    vectors = exact @ np.random.default_rng(0).normal(size=(n_in, most + FEW_MORE))
    basis, _ = np.linalg.qr(vectors[:, :most])
    others = vectors[:, most:]
    if np.abs(others - basis @ (basis.T @ others)).max() > math.sqrt(n_in) * 4 * tolerance:
        return None
    inner = basis.T @ exact
    if float(np.abs(basis @ inner - exact).max()) > tolerance:
        return None
    return _balanced(basis, inner, exact, tolerance)


def _balanced(
    basis: NDArray[np.float64], inner: NDArray[np.float64], exact: NDArray[np.float64], tolerance: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """The factors of the least rank, of like magnitudes; none where 32-bit floats do not hold the product."""
    left, values, right = np.linalg.svd(inner, full_matrices=False)
    noise = float(values[0]) * max(exact.shape) * float(np.finfo(np.float32).eps)
    rank = max(1, int((values > noise).sum()))
    root = np.sqrt(values[:rank])
    outer = (basis @ left[:, :rank] * root).astype(np.float32)
    seen = (root[:, None] * right[:rank]).astype(np.float32)
    error = np.abs(outer.astype(np.float64) @ seen.astype(np.float64) - exact).max()
    return (outer, seen) if error <= math.sqrt(rank) * tolerance else None


MOST_GROUP = 64
"""The largest group of neighbouring inputs in which weights are counted for an N:M pattern."""


NEARLY = 0.9
"""The share of the places of an N:M pattern that are kept where some of the weights happen to be zero."""


def told_pattern(stage: Stage) -> str:
    """A stage in a few words: its kind and what sets it apart from others of the kind."""
    match stage:
        case DenseStage():
            return "dense"
        case CscStage():
            return f"csc, fan-in {stage.taps}, stride {stage.stride}"
        case BlockStage():
            return f"block, {stage.blocks} of {stage.block_out} × {stage.block_in}"
        case KroneckerStage():
            return f"kronecker, {stage.left} of {stage.outputs} × {stage.inputs}, {stage.right} apart"
        case PrunedStage():
            pattern = Pattern(stage.n_in, stage.n_out, stage.indptr, stage.indices)
            height, width = block_of(pattern)
            if height * width > 1:
                return f"{stage.kind}, blocks of {height} × {width}"
            group = group_of(pattern)
            return f"{stage.kind}, {group[0]}:{group[1]}" if group else stage.kind
    return stage.kind


def group_of(pattern: Pattern) -> tuple[int, int] | None:
    """N and M where, of every M inputs that follow each other, every output reads N, for the smallest M up to
    `MOST_GROUP`: exactly N, or of a power of two up to half of them, N at most and nearly always. A last
    group of fewer inputs may have fewer."""
    rows, total = np.repeat(np.arange(pattern.n_out), pattern.row_lengths), len(pattern.indices)
    for size in range(2, min(MOST_GROUP, pattern.n_in) + 1):
        whole, rest = divmod(pattern.n_in, size)
        groups = whole + (rest > 0)
        places = rows * groups + pattern.indices // size
        counts = np.bincount(places, minlength=groups * pattern.n_out).reshape(pattern.n_out, groups)
        kept = int(counts.max())
        full = pattern.n_out * (whole * kept + min(kept, rest))
        exact = kept > 0 and (whole > 1 or not rest) and bool((counts[:, :whole] == kept).all())
        usual = whole > 1 and 2 * kept <= size and not size & (size - 1)
        if exact or (usual and total >= NEARLY * full > 0):
            return kept, size
    return None


def block_of(pattern: Pattern) -> tuple[int, int]:
    """Rows and columns of the largest blocks, side by side from the corner on, of which each is full or
    empty; 1 and 1 where there are none, or nothing is kept."""
    import scipy.sparse

    if not len(pattern.indices):
        return 1, 1
    ones = np.ones(len(pattern.indices), dtype=np.int8)
    shape = (pattern.n_out, pattern.n_in)
    rows = scipy.sparse.csr_array((ones, pattern.indices, pattern.indptr), shape=shape)
    columns = scipy.sparse.csr_array(rows.T)
    columns.sort_indices()
    return _run(rows, pattern.n_out), _run(columns, pattern.n_in)


def _run(rows: Any, count: int) -> int:
    """The largest number of rows so that, in groups of so many, all are alike: a divisor of their number, or
    with a last group of fewer where there are several groups before it."""
    lists = np.split(rows.indices, rows.indptr[1:-1])
    changes = [place for place in range(1, count) if not np.array_equal(lists[place], lists[place - 1])]
    whole, short = math.gcd(count, *changes), math.gcd(*changes)
    return short if len(changes) > 1 and count // max(short, 1) > 1 else whole
