"""When what happens in a stage, found column by column from the one before: no simulation of cycles.

Cycle 0 is that in which the stage starts. The k-th activation that is not zero is chosen by the scan in cycle
C, enters the queues in B, leaves that of a PE in S, and its column is begun there in T:

    B[k] = max(C[k] + 1, max over PEs of S[k - depth] + 1)
    S[k] = max(B[k] + 1, T[k - 1])
    T[k] = max(S[k] + 1, T[k - 1] + max(entries of column k - 1, 1))

The scan chooses once B[k - 1] has come, and takes a cycle for every row of inputs that are all zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def solve(
    counts: NDArray[np.int64],
    wanted: NDArray[np.int64],
    gaps: NDArray[np.int64],
    rows_after: int,
    first: int,
    depth: int,
    latency: int,
) -> Any:
    """The cycle in which all is accumulated, and the cycles in which the scan waited for a queue.

    `counts` (pes, columns) entries; `wanted` (k,) the columns that are broadcast, in order; `gaps` (k,) the
    rows of zeros before each, `rows_after` those after the last; `first` the cycle of the first choice;
    `latency` from the cycle in which an entry is asked for to that after it is accumulated.
    """
    pes, broadcasts = counts.shape[0], len(wanted)
    left = np.zeros((max(depth, 1), pes), dtype=np.int64)
    begun = np.full(pes, -1, dtype=np.int64)
    free = np.zeros(pes, dtype=np.int64)
    ends = np.int64(1)
    waited = np.int64(0)
    at = np.int64(first)
    scanned = at
    for k in range(broadcasts):
        at += gaps[k]
        pushed = at + 1
        place = k % depth
        if k >= depth:
            for pe in range(pes):
                pushed = max(pushed, left[place, pe] + 1)
        waited += pushed - at - 1
        for pe in range(pes):
            leaves = max(pushed + 1, begun[pe])
            left[place, pe] = leaves
            begins = max(leaves + 1, free[pe])
            begun[pe] = begins
            entries = counts[pe, wanted[k]]
            free[pe] = begins + max(entries, 1)
            over = begins + entries + latency if entries else begins + 1
            ends = max(ends, over)
        scanned = at
        at = pushed
    if rows_after:
        scanned = at + rows_after - 1
    return max(ends, scanned + 1), waited
