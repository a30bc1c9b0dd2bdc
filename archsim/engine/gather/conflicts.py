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
    """Cycles from the first issue until all PEs are seen idle, and cycles of walkers lost to conflicts."""

    cycles: int
    stalls: int

    def later(self, cycles: int) -> StageRun:
        """The same run, whose end is seen so many cycles later."""
        return StageRun(self.cycles + cycles, self.stalls)


def replicated_run(
    row_lengths: Sequence[NDArray[np.int64]],
    results: Sequence[NDArray[np.int64]],
    lanes: int,
    latency: int,
    *,
    final: bool,
) -> StageRun:
    """One bus takes one result a cycle, lowest PE first. Results of a row, as many as `results` says, that
    are finished in cycle f wait from f + 1; a walker's next row can be finished when the last of them is
    taken, not before. Scores of the final stage leave on their own pins, so nothing waits. `latency`: cycles
    from the issue of an entry's index to the write of the result that it completes."""
    rows = [lengths.tolist() for lengths in row_lengths]
    made = [numbers.tolist() for numbers in results]
    if final:
        longest = max(sum(lengths) for lengths in rows)
        return StageRun(longest + latency + 1, 0)
    # (cycle from which results wait, walker), for the row that each walker works on.
    coming = [(lengths[0] + latency - 1, walker) for walker, lengths in enumerate(rows) if lengths]
    heapq.heapify(coming)
    waiting: list[int] = []
    taken_rows = [0] * len(rows)
    waits_from = [0] * len(rows)
    cycle = stalls = 0
    while coming or waiting:
        if not waiting:
            cycle = max(cycle, coming[0][0])
        while coming and coming[0][0] <= cycle:
            since, walker = heapq.heappop(coming)
            waits_from[walker] = since
            for lane in range(made[walker][taken_rows[walker]]):
                heapq.heappush(waiting, walker * lanes + lane)
        walker, lane = divmod(heapq.heappop(waiting), lanes)
        # The lanes of a row wait from the same cycle on, so its last one is taken last.
        if lane == made[walker][taken_rows[walker]] - 1:
            taken_rows[walker] += 1
            if taken_rows[walker] < len(rows[walker]):
                natural = waits_from[walker] + rows[walker][taken_rows[walker]]
                earliest = max(natural, cycle + 1)
                stalls += earliest - natural
                heapq.heappush(coming, (earliest, walker))
        cycle += 1
    return StageRun(cycle + 1, stalls)


def banked_run(banks: Sequence[NDArray[np.int64]], latency: int, accepts: int = 1) -> StageRun:
    """In cycle t every walker with entries left asks for the bank of its next entry; each bank grants the
    first asker counted from walker t mod their number. An entry of bank -1 asks for none and is let go.
    Entries ask from the cycle `accepts` on, one a cycle at best. `latency` as for `replicated_run`."""
    walkers = len(banks)
    lengths = np.array([len(part) for part in banks], dtype=np.int64)
    table = np.zeros((walkers, int(lengths.max()) + 1), dtype=np.int64)
    for walker, part in enumerate(banks):
        table[walker, : len(part)] = part
    if walkers == 1:
        return StageRun(int(lengths[0]) + latency + 1, 0)
    # Asking order of every turn, last first: the first asker of a bank then overwrites the others.
    turns = [np.roll(np.arange(walkers), -turn)[::-1].copy() for turn in range(walkers)]
    place = np.zeros(walkers, dtype=np.int64)
    winner = np.zeros(max(walkers, int(table.max()) + 1), dtype=np.int64)
    cycle, stalls = accepts - 1, 0
    while (active := place < lengths).any():
        cycle += 1
        askers = turns[cycle % walkers]
        askers = askers[active[askers]]
        wanted = table[askers, place[askers]]
        asks = wanted >= 0
        winner[wanted[asks]] = askers[asks]
        granted = askers[~asks | (winner[wanted] == askers)]
        place[granted] += 1
        stalls += len(askers) - len(granted)
    return StageRun(cycle + latency + 2 - accepts, stalls)
