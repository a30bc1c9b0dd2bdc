"""Points costed a few at a time, so that each is kept soon and none waits long for the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from archsim.explore.store import Row
from archsim.explore.sweep.work import Task, finished_all

BATCH = 64
"""Points that are handed out, and kept, together at most: few enough that little is lost, many enough that
the store costs little."""

BATCH_S = 0.5
"""About how long a batch takes, where a point is not longer."""

Executor = Callable[[Iterable[Task], str, Path], Iterator[list[Row]]]
"""Costs tasks at a fidelity, with files looked for in a folder, and yields rows as they are finished."""


class Batches:
    """Tasks a few at a time: as many as take about `BATCH_S`, as far as rows have told."""

    def __init__(self, todo: Iterable[Task]) -> None:
        self._left = iter(todo)
        self._seconds = BATCH_S

    def take(self) -> list[Task]:
        """The next few; none where all were taken."""
        many = int(BATCH_S / max(self._seconds, BATCH_S / BATCH))
        return list(islice(self._left, max(1, many)))

    def learn(self, rows: Iterable[Row]) -> None:
        """Finished rows say how long a point takes, the latest most."""
        for row in rows:
            self._seconds += (row.seconds - self._seconds) / 8

    def left(self) -> Iterator[Task]:
        """What was not taken."""
        return self._left


def in_process(todo: Iterable[Task], fidelity: str, folder: Path) -> Iterator[list[Row]]:
    """Costs tasks one after the other, here."""
    yield from here(Batches(todo), fidelity, folder, float("inf"))


def here(batches: Batches, fidelity: str, folder: Path, seconds: float) -> Iterator[list[Row]]:
    """Costs tasks here, for about so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and (some := batches.take()):
        rows = finished_all(some, fidelity, folder)
        batches.learn(rows)
        yield rows
