"""The paths through a cascade of stages: how many lead from each input to each output, and whether one does.

An edge is a stored weight; where a stage is skipped, an identity edge leads from every input to the output of
the same number besides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workloads.stages import Stage, TopologyError

if TYPE_CHECKING:
    import scipy.sparse

WORDS_AT_ONCE = 16
"""Inputs that are followed at once: 16 words of 64 bits, or so many columns of counts."""
COLUMNS_AT_ONCE = 256


@dataclass(frozen=True)
class PathStatistics:
    """Number of paths between an input and an output, over all pairs of them."""

    least: float
    mean: float
    most: float


def _matrices(
    stages: Sequence[Stage], skips: Sequence[bool], dtype: Any
) -> list[scipy.sparse.csr_array[Any, tuple[int, int]]]:
    """The number of edges between places, a matrix (n_out, n_in) for every stage."""
    import scipy.sparse

    matrices = []
    for stage, skip in zip(stages, skips, strict=True):
        matrix = stage.adjacency().astype(dtype)
        matrices.append(matrix + scipy.sparse.eye_array(stage.n_in, dtype=dtype) if skip else matrix)
    return matrices


def path_counts(stages: Sequence[Stage], skips: Sequence[bool]) -> NDArray[np.int64]:
    """Number of paths from every input to every output, shape (n_out, n_in).

    Raises `TopologyError` where an output has so many that a count might not fit 64 bits.
    """
    ends: Any = np.ones(stages[0].n_in)
    for matrix in _matrices(stages, skips, np.float64):
        ends = matrix @ ends
    if ends.max() >= 2.0**63:
        raise TopologyError(
            f"paths of a cascade of {len(stages)} stages are up to {ends.max():.3g} to one output, "
            "allowed are fewer than 2^63 to be counted exactly"
        )
    first, *rest = _matrices(stages, skips, np.int64)
    product = first
    for matrix in rest:
        product = matrix @ product
    return np.asarray(product.toarray(), dtype=np.int64)


def path_statistics(stages: Sequence[Stage], skips: Sequence[bool]) -> PathStatistics:
    """Least, mean and most paths of a pair, in floating point, so exact up to 2^53.

    Follows a few hundred inputs at a time, so that no array of n_out x n_in counts is made.
    """
    matrices = _matrices(stages, skips, np.float64)
    n_in, n_out = stages[0].n_in, stages[-1].n_out
    least, most, total = np.inf, 0.0, 0.0
    for start in range(0, n_in, COLUMNS_AT_ONCE):
        width = min(COLUMNS_AT_ONCE, n_in - start)
        counts: Any = np.zeros((n_in, width))
        counts[start + np.arange(width), np.arange(width)] = 1
        for matrix in matrices:
            counts = matrix @ counts
        least, most = min(least, float(counts.min())), max(most, float(counts.max()))
        total += float(counts.sum())
    return PathStatistics(least, total / (n_in * n_out), most)


def is_fully_connected(stages: Sequence[Stage], skips: Sequence[bool]) -> bool:
    """Whether a path leads from every input to every output.

    Every place carries the set of inputs that reach it, as bits; 1024 inputs are followed at a time, so that
    the memory grows with the stored weights of a stage and not with n_in * n_out.
    """
    return all(bool(reached.all()) for reached in _reached(stages, skips))


def reachable(stages: Sequence[Stage], skips: Sequence[bool]) -> NDArray[np.bool_]:
    """Whether a path leads from every input to every output, shape (n_out, n_in)."""
    return np.concatenate(list(_reached(stages, skips)), axis=1)


def _reached(stages: Sequence[Stage], skips: Sequence[bool]) -> Iterator[NDArray[np.bool_]]:
    """The columns of `reachable`, some hundred at a time."""
    n_in, width = stages[0].n_in, 64 * WORDS_AT_ONCE
    edges = [(stage.columns(), stage.row_lengths()) for stage in stages]
    for start in range(0, n_in, width):
        inputs = np.arange(start, min(start + width, n_in))
        sets = np.zeros((n_in, width), dtype=bool)
        sets[inputs, inputs - start] = True
        words = np.packbits(sets, axis=1).view(np.uint64)
        for (columns, lengths), skip in zip(edges, skips, strict=True):
            words = _united(words, columns, lengths) | (words if skip else np.uint64(0))
        yield np.unpackbits(words.view(np.uint8), axis=1, count=inputs.size).astype(bool)


def _united(
    words: NDArray[np.uint64], columns: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """For every output, the union of the sets of the inputs that it reads; empty where it reads none."""
    united = np.zeros((lengths.size, words.shape[1]), dtype=np.uint64)
    reads = lengths > 0
    starts = (np.cumsum(lengths) - lengths)[reads]
    if starts.size:
        united[reads] = np.bitwise_or.reduceat(words[columns], starts, axis=0)
    return united
