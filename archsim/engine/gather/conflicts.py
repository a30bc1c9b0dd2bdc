"""How a stage runs on the pruned engine, conflicts included, found without simulating the hardware.

No value of the data enters: a fixed pattern meets the same conflicts in every inference, so the analytic
count is exact. Cycle 0 is the first in which PEs issue entries.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StageRun:
    """Cycles from the first issue until all PEs are seen idle, and PE-cycles lost to conflicts."""

    cycles: int
    stalls: int

    def later(self, cycles: int) -> StageRun:
        """The same run, whose end is seen so many cycles later."""
        return StageRun(self.cycles + cycles, self.stalls)


def replicated_run(row_lengths: Sequence[NDArray[np.int64]], latency: int, *, final: bool) -> StageRun:
    """One bus takes one result a cycle, lowest PE first. A result that is finished in cycle f waits from f +
    1; a PE's next result can be finished when the last one is taken, not before. Scores of the final stage
    leave on their own pins, so nothing waits. `latency`: cycles from the issue of an entry's index to the
    write of the result that it completes."""
    rows = [lengths.tolist() for lengths in row_lengths]
    if final:
        longest = max(sum(lengths) for lengths in rows)
        return StageRun(longest + latency + 1, 0)
    # (cycle from which the result waits, PE), for the row that each PE works on.
    coming = [(lengths[0] + latency - 1, pe) for pe, lengths in enumerate(rows) if lengths]
    heapq.heapify(coming)
    waiting: list[int] = []
    taken_rows = [0] * len(rows)
    waits_from = [0] * len(rows)
    cycle = stalls = 0
    while coming or waiting:
        if not waiting:
            cycle = max(cycle, coming[0][0])
        while coming and coming[0][0] <= cycle:
            since, pe = heapq.heappop(coming)
            waits_from[pe] = since
            heapq.heappush(waiting, pe)
        pe = heapq.heappop(waiting)
        taken_rows[pe] += 1
        if taken_rows[pe] < len(rows[pe]):
            natural = waits_from[pe] + rows[pe][taken_rows[pe]]
            earliest = max(natural, cycle + 1)
            stalls += earliest - natural
            heapq.heappush(coming, (earliest, pe))
        cycle += 1
    return StageRun(cycle + 1, stalls)


def banked_run(banks: Sequence[NDArray[np.int64]], latency: int, accepts: int = 1) -> StageRun:
    """In cycle t every PE with entries left asks for the bank of its next entry; each bank grants the first
    asker counted from PE t mod pes. An entry of bank -1 asks for none and is let go. Entries ask from the
    cycle `accepts` on, one a cycle at best. `latency` as for `replicated_run`."""
    pes = len(banks)
    lengths = np.array([len(part) for part in banks], dtype=np.int64)
    table = np.zeros((pes, int(lengths.max()) + 1), dtype=np.int64)
    for pe, part in enumerate(banks):
        table[pe, : len(part)] = part
    if pes == 1:
        return StageRun(int(lengths[0]) + latency + 1, 0)
    # Asking order of every turn, last first: the first asker of a bank then overwrites the others.
    turns = [np.roll(np.arange(pes), -turn)[::-1].copy() for turn in range(pes)]
    place = np.zeros(pes, dtype=np.int64)
    winner = np.zeros(pes, dtype=np.int64)
    cycle, stalls = accepts - 1, 0
    while (active := place < lengths).any():
        cycle += 1
        askers = turns[cycle % pes]
        askers = askers[active[askers]]
        wanted = table[askers, place[askers]]
        asks = wanted >= 0
        winner[wanted[asks]] = askers[asks]
        granted = askers[~asks | (winner[wanted] == askers)]
        place[granted] += 1
        stalls += len(askers) - len(granted)
    return StageRun(cycle + latency + 2 - accepts, stalls)
