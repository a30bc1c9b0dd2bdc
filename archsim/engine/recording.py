"""What was seen of an event simulation, as signals of any window of its cycles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from archsim.engine.counts import Counts
from archsim.engine.watch import Watch
from rtl import Signals


@dataclass(frozen=True, eq=False)
class Recording(ABC):
    """A run with its `counts`, from the cycle of `start` to that in which the next one could begin."""

    counts: Counts

    @property
    def cycles(self) -> int:
        """Cycles that were seen."""
        return self.counts.interval_cycles

    @property
    @abstractmethod
    def loads_from(self) -> int:
        """The cycle from which the load port writes the next inputs."""

    @abstractmethod
    def signals(self, first: int, last: int) -> Signals:
        """The cycles from `first` to before `last`."""


@dataclass(frozen=True, eq=False)
class EngineRecording(Recording):
    """A cascade on an engine."""

    seen: Signals = field(repr=False)

    @property
    def loads_from(self) -> int:
        return int(np.argmax(self.seen.rows["load"]))

    def signals(self, first: int, last: int) -> Signals:
        return self.seen.cut(first, last)


def record_engine(
    watch: Watch, counts: Counts, inputs: Sequence[str], copies: int, others: int = 0
) -> EngineRecording:
    """What a watch has seen of a cascade. What is loaded goes to so many copies of the memories `inputs`, but
    for the first `others` words."""
    seen = watch.signals(counts.interval_cycles)
    engine = np.zeros(counts.interval_cycles, dtype=np.int64)
    engine[1 : counts.cycles] = 1
    loaded = seen.rows["load"] * (np.cumsum(seen.rows["load"]) > others)
    ports = [f"{role}.write" for role in inputs]
    written = {port: loaded * copies + seen.rows.get(port, 0) for port in ports}
    return EngineRecording(counts, replace(seen, rows={**seen.rows, "engine": engine, **written}))
