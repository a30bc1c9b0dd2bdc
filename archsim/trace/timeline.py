"""A run as intervals, unit by unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from archsim.engine.counts import Counts
from archsim.trace.states import CODES, Kind, kind_of, words_of
from archsim.trace.units import Unit


@dataclass(frozen=True)
class Interval:
    """The cycles from `first` to before `last` in which a unit is in one state: its `kind`, and in words;
    `value` is the number or the words a cycle where a unit holds those."""

    first: int
    last: int
    kind: Kind
    state: str
    value: int


@dataclass(frozen=True, eq=False)
class Track:
    """What a unit does: the cycles in which each of its intervals starts, and the `values` in them, both of
    shape (intervals,). A value is a `State`, a number, or words a cycle, as the unit `holds`."""

    unit: Unit
    starts: NDArray[np.int64] = field(repr=False)
    values: NDArray[np.int64] = field(repr=False)
    last: int

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The cycles of each interval, shape (intervals,)."""
        return np.diff(self.starts, append=self.last)

    @property
    def total(self) -> int:
        """The sum of its values over all cycles: of words, those that went through."""
        return int(self.lengths @ self.values)

    def cycles_in(self, kind: Kind) -> int:
        """Cycles in states of a kind."""
        busy = self.values > 0
        match self.unit.holds, kind:
            case "state", _:
                chosen = np.isin(self.values, CODES[kind])
            case _, "busy":
                chosen = busy
            case _, "idle":
                chosen = ~busy
            case _:
                return 0
        return int(self.lengths[chosen].sum())

    def __iter__(self) -> Iterator[Interval]:
        for first, length, value in zip(
            self.starts.tolist(), self.lengths.tolist(), self.values.tolist(), strict=True
        ):
            yield Interval(first, first + length, *self.told(value), value)

    def told(self, value: int) -> tuple[Kind, str]:
        """The kind of a value of this track, and the value in words."""
        if self.unit.holds == "state":
            return kind_of(value), words_of(value)
        if not value:
            return "idle", "idle"
        if self.unit.holds == "number":
            return "busy", f"{self.unit.name} {value - 1}"
        return "busy", f"{value} {'word' if value == 1 else 'words'}"


@dataclass(frozen=True, eq=False)
class Timeline:
    """A run in the cycles from `first` to before `last`: cycle 0 is that of `start`, `counts.cycles` the
    first of `done`; the last one is that in which the next inference could start. `tracks` by the name of the
    unit, in the order in which they are shown."""

    label: str
    fidelity: str
    clock_hz: float
    first: int
    last: int
    counts: Counts
    tracks: dict[str, Track] = field(repr=False)

    def __getitem__(self, unit: str) -> Track:
        return self.tracks[unit]

    def __iter__(self) -> Iterator[Track]:
        return iter(self.tracks.values())

    @property
    def done(self) -> int:
        """The first cycle of `done`."""
        return self.counts.cycles
