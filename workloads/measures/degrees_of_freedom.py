"""Degrees of freedom: the dimension of the set of matrices that a cascade can be, near almost any weights.

It is the rank of the Jacobian of the product of the cascade with respect to its stored weights, which is the
same for all weights but a set of measure zero. Here it is found exactly, with high probability, by computing
with random weights modulo a prime: a rank modulo p is never above the generic one, and falls below it with a
probability of at most depth * rank / p (Schwartz 1980, Zippel 1979), a millionth for p = 2^31 - 1.

The entries of the product are not listed. A probe u' P v, with random vectors u and v, is a combination of
all of them, and its derivatives by all weights are one forward and one backward pass. As many random probes
as there are weights, or entries if those are fewer, have the same generic rank as all entries.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workloads.stages import Stage, TopologyError
from workloads.topology.topology import Topology

PRIME = 2**31 - 1
MOST_WEIGHTS = 6000
"""Weights of the largest cascade that is measured: its Jacobian takes 8 * 6000^2 bytes, elimination a
minute."""
PANEL, FEW = 256, 8
"""Rows that are eliminated together, and so few that it is done one at a time."""

Residues = NDArray[np.int64]


def degrees_of_freedom(stages: Sequence[Stage], skips: Sequence[bool] = (), *, seed: int = 0) -> int:
    """The generic rank of the Jacobian of W_L ... W_1 (W + I for a skipped stage) by its stored weights.

    `skips` has one flag a stage, or is empty. Raises `TopologyError` for a cascade of more than
    `MOST_WEIGHTS` stored weights.
    """
    topology = Topology((tuple(stages),), tuple(skips))
    if topology.stored_weights > MOST_WEIGHTS:
        allowed = f"values of at most {MOST_WEIGHTS}, because time grows with their cube"
        raise TopologyError.of("stored_weights of a rank", topology.stored_weights, allowed)
    flags = topology.skipped
    return rank_modulo(probed_jacobian(stages, flags, np.random.default_rng(seed)))


def probed_jacobian(stages: Sequence[Stage], skips: Sequence[bool], random: np.random.Generator) -> Residues:
    """Derivatives of random probes of the product by every weight, shape (weights, probes), modulo p."""
    weights = [random.integers(1, PRIME, stage.stored_weights) for stage in stages]
    probes = min(sum(array.size for array in weights), stages[0].n_in * stages[-1].n_out)
    signals = [random.integers(0, PRIME, (stages[0].n_in, probes))]
    for stage, array, skip in zip(stages, weights, skips, strict=True):
        rows = np.repeat(np.arange(stage.n_out), stage.row_lengths())
        y = _gathered(array, signals[-1], rows, stage.columns(), stage.n_out)
        signals.append(_residues(y + signals[-1]) if skip else y)
    slopes = random.integers(0, PRIME, (stages[-1].n_out, probes))
    derivatives: list[Residues] = []
    for stage, array, skip, x in reversed(list(zip(stages, weights, skips, signals[:-1], strict=True))):
        rows = np.repeat(np.arange(stage.n_out), stage.row_lengths())
        derivatives.append(_residues(slopes[rows] * x[stage.columns()]))
        dx = _gathered(array, slopes, stage.columns(), rows, stage.n_in)
        slopes = _residues(dx + slopes) if skip else dx
    return np.concatenate(derivatives[::-1])


def _gathered(weights: Residues, x: Residues, to: Residues, source: Residues, size: int) -> Residues:
    """The sum over the edges that lead to each place of weight times signal, modulo p."""
    order = np.argsort(to, kind="stable")
    ends = np.searchsorted(to[order], np.arange(size + 1))
    terms = _residues(weights[order, None] * x[source[order]])
    sums = np.zeros((size, x.shape[1]), dtype=np.int64)
    reads = ends[1:] > ends[:-1]
    if reads.any():
        sums[reads] = np.add.reduceat(terms, ends[:-1][reads], axis=0) % PRIME
    return sums


def _residues(numbers: Residues) -> Residues:
    """Numbers from 0 to 2^63 - 1 modulo p: as 2^31 = 1 modulo p, the bits above the 31st are added to it."""
    folded = (numbers >> 31) + (numbers & PRIME)
    folded = (folded >> 31) + (folded & PRIME)
    folded[folded >= PRIME] -= PRIME
    return folded


def rank_modulo(matrix: Residues) -> int:
    """The rank of an integer matrix modulo p, by elimination of a panel of rows at a time."""
    left = matrix % PRIME
    rank = 0
    while left.size:
        panel, left = left[:PANEL], left[PANEL:]
        pivots = _reduce(panel)
        rank += len(pivots)
        _subtract(left, panel, pivots)
        left = np.delete(left, list(pivots.values()), axis=1)
    return rank


def _reduce(panel: Residues) -> dict[int, int]:
    """Bring rows to reduced echelon form in place, up to their order; the column of the pivot of each row."""
    if panel.shape[0] > FEW:
        half = panel.shape[0] // 2
        upper, lower = panel[:half], panel[half:]
        above = _reduce(upper)
        _subtract(lower, upper, above)
        below = _reduce(lower)
        _subtract(upper, lower, below)
        return above | {half + row: column for row, column in below.items()}
    pivots: dict[int, int] = {}
    for row in range(panel.shape[0]):
        columns = np.flatnonzero(panel[row])
        if columns.size:
            column = int(columns[0])
            panel[row] = _residues(panel[row] * pow(int(panel[row, column]), -1, PRIME))
            factors = panel[:, column, None].copy()
            factors[row] = 0
            panel[:] = _residues(panel + factors * (PRIME - panel[row]))
            pivots[row] = column
    return pivots


def _subtract(rows: Residues, reduced: Residues, pivots: dict[int, int]) -> None:
    """Clear the columns of the pivots of reduced rows from other rows, in place."""
    if pivots:
        product = _product(rows[:, list(pivots.values())], reduced[list(pivots)])
        rows[:] = _residues(rows + (PRIME - product))


def _product(a: Residues, b: Residues) -> Residues:
    """a @ b modulo p, in float64: residues are cut into halves of 16 bits, so that every sum stays exact."""
    (ah, al), (bh, bl) = (((each >> 16).astype(float), (each & 0xFFFF).astype(float)) for each in (a, b))
    high = _residues((ah @ bh).astype(np.int64))
    middle = _residues((ah @ bl + al @ bh).astype(np.int64) + (high << 16))
    return _residues((al @ bl).astype(np.int64) + (middle << 16))
