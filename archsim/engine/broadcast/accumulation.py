"""A stage on given activations: which columns are broadcast, and when all is accumulated."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from archsim.engine.broadcast.columns import EncodedColumns
from archsim.engine.broadcast.solver import solve


@dataclass(frozen=True, eq=False)
class Accumulation:
    """The columns that are broadcast, `wanted`, in their order; the cycle in which all is seen to be
    accumulated, `ends`, counted from that in which the stage starts; and the cycles in which the scan
    `waited` for a queue that was full."""

    wanted: NDArray[np.int64] = field(repr=False)
    ends: int
    waited: int


def accumulate(
    stage: EncodedColumns, signal: NDArray[np.int64], *, queue_depth: int, latency: int
) -> Accumulation:
    """The stage on activations `signal`, shape (n_in,), where the bank and row of each say; `latency` cycles
    lie between that in which an entry is asked for and that after it is accumulated."""
    pes, biases = stage.counts.shape[0], stage.bias_columns
    columns = np.flatnonzero(signal)
    rows, taken = -(-len(signal) // pes), np.unique(columns // pes)
    # Rows of zeros before each column that is broadcast, and after the last.
    gaps = np.zeros(biases + len(columns), dtype=np.int64)
    gaps[biases + np.searchsorted(columns // pes, taken)] = np.diff(taken, prepend=-1) - 1
    after = rows - 1 - int(taken[-1]) if len(taken) else rows
    wanted = np.concatenate([np.arange(biases), biases + columns])
    # A row of activations is there a cycle after it was asked for; biases need none.
    first = 1 if biases else 2
    ends, waited = solve(stage.counts, wanted, gaps, after, first, queue_depth, latency)
    return Accumulation(wanted, int(ends), int(waited))
