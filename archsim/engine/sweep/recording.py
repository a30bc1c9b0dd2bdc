"""What was seen of a sweep: the engine's signals at one place of each segment, laid out over all places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsim.engine.recording import Recording
from archsim.engine.sweep.segments import BEGINS, Segment
from archsim.engine.watch import Watch
from rtl import Signals, State

LANDS = 2
"""Cycles from when a word of a window is asked for until it is written into the engine's memory."""


@dataclass(frozen=True, eq=False)
class SweepRecording(Recording):
    """What a `watch` has seen of `segments`, whose words land in so many `copies` of the engine's memory
    `inputs`."""

    segments: tuple[Segment, ...] = field(repr=False)
    watch: Watch = field(repr=False)
    inputs: str
    copies: int

    @property
    def loads_from(self) -> int:
        return self.counts.stages[0].end_cycle

    @cached_property
    def _engines(self) -> tuple[Signals, ...]:
        """The signals of the engine at one place of each segment, without the loading, which windows do."""
        seen = []
        for segment, part in zip(self.segments, self.watch.parts, strict=True):
            signals = part.signals(segment.counted.cycles)
            rows = {name: row for name, row in signals.rows.items() if name != "load"}
            moved = "scores" if segment.final else f"{segment.target}.write"
            scores = rows.pop("scores")
            # A map is written a cycle after the scores are there, the last of them with the engine's last.
            rows[moved] = scores if segment.final else np.concatenate([[0], scores])
            seen.append(Signals(0, rows, signals.products, signals.stalls))
        return tuple(seen)

    def signals(self, first: int, last: int) -> Signals:
        window = _Window(first, last, self.watch.pes)
        window.add("engine", 1, np.ones(self.counts.cycles - 1, dtype=np.int64))
        loads = np.ones(self.counts.load_cycles, dtype=np.int64)
        window.add("load", self.loads_from, loads)
        window.add("image.write", self.loads_from, loads)
        for segment, stage in zip(self.segments, self.counts.stages, strict=True):
            if stage.start_cycle < last and stage.end_cycle + LANDS > first:
                self._add_segment(window, segment, stage.start_cycle, stage.end_cycle)
        return Signals(first, window.rows, window.products, window.stalls)

    def _add_segment(self, window: _Window, segment: Segment, begins: int, ends: int) -> None:
        fills, starts = self._fills[segment.number], self._starts[segment.number]
        shape = next(shape for shape in segment.mapping.sizes.memory_shapes if shape.role == "segment")
        window.add("segment.read", begins, np.array([shape.number]))
        inside = np.arange(max(begins, window.first), min(ends, window.last))
        place = np.searchsorted(starts, inside, side="right")
        filling = np.searchsorted(fills, inside, side="right")
        fills_now = (filling > 0) & (inside < fills[np.maximum(filling - 1, 0)] + segment.words)
        sequencer = np.where(fills_now, State.BUSY, State.ENGINE)
        sequencer[inside < begins + BEGINS] = State.FETCH
        for name, row in (
            ("segment", np.full(len(inside), segment.number + 1)),
            ("place", place),
            ("sequencer", sequencer),
        ):
            window.add(name, int(inside[0]) if len(inside) else 0, row)
        for at in _near(fills, window, segment.words + LANDS):
            self._add_fill(window, segment, at, int(fills[at]))
        engine = self._engines[segment.number]
        for at in _near(starts, window, engine.products.shape[1] + 1):
            window.lay(engine, int(starts[at]))

    def _add_fill(self, window: _Window, segment: Segment, place: int, at: int) -> None:
        """Channels are looked up when a word is asked for, maps read a cycle later."""
        kinds = segment.words_read[place]
        window.add("channel.read", at, segment.looked_up.astype(np.int64))
        window.add(f"{segment.source}.read", at + 1, (kinds == 0).astype(np.int64))
        if segment.recurrent:
            window.add(f"{segment.target}.read", at + 1, (kinds == 1).astype(np.int64))
        window.add(f"{self.inputs}.write", at + LANDS, np.full(segment.words, self.copies))

    @cached_property
    def _fills(self) -> list[NDArray[np.int64]]:
        return [np.array(cycles, dtype=np.int64) for cycles in self.watch.fills]

    @cached_property
    def _starts(self) -> list[NDArray[np.int64]]:
        return [np.array(cycles, dtype=np.int64) for cycles in self.watch.starts]


class _Window:
    """Signals of the cycles from `first` to before `last`, to which rows are added where they lie inside."""

    def __init__(self, first: int, last: int, pes: int) -> None:
        self.first, self.last = first, last
        self.rows: dict[str, NDArray[np.int64]] = {}
        self.products, self.stalls = (np.zeros((pes, last - first), dtype=bool) for _ in range(2))

    def inside(self, at: int, cycles: int) -> tuple[slice, slice]:
        """What of `cycles` cycles from `at` on lies inside: where in the window, and which of them."""
        begins, ends = max(at, self.first), max(min(at + cycles, self.last), max(at, self.first))
        return slice(begins - self.first, ends - self.first), slice(begins - at, ends - at)

    def add(self, name: str, at: int, row: NDArray[np.int64]) -> None:
        """Adds a row that begins in cycle `at`."""
        if name not in self.rows:
            self.rows[name] = np.zeros(self.last - self.first, dtype=np.int64)
        here, of_row = self.inside(at, len(row))
        self.rows[name][here] += row[of_row]

    def lay(self, engine: Signals, at: int) -> None:
        """Adds what the engine does where it is started in cycle `at`."""
        for name, row in engine.rows.items():
            self.add(name, at, row)
        here, of_engine = self.inside(at, engine.products.shape[1])
        self.products[:, here] |= engine.products[:, of_engine]
        self.stalls[:, here] |= engine.stalls[:, of_engine]


def _near(starts: NDArray[np.int64], window: _Window, cycles: int) -> Iterator[int]:
    """The numbers of those that reach into the window, where each takes at most so many cycles."""
    low = int(np.searchsorted(starts, window.first - cycles, side="right"))
    yield from range(low, int(np.searchsorted(starts, window.last, side="left")))
