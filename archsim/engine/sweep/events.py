"""Segments as events: what fills windows, the engine, and the load port, each a process of its own.

What the engine does at one place is simulated once for each segment, since it takes the same at every place.
Nothing here uses the closed form: it is the check on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import simpy

from archsim.engine.counts import Counts, StageActivity
from archsim.engine.sweep.segments import BEGINS, Segment
from archsim.engine.watch import Watch


@dataclass
class SweepRun:
    """What was counted: `engine`, what happened in the engine at one place of each segment; words `looked_up`
    in the table of channels; those `read` by each segment of its source and of its own map, and `written`."""

    engine: list[Counts]
    cycles: int = 0
    interval_cycles: int = 0
    loaded: int = 0
    looked_up: int = 0
    read: list[list[int]] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    activity: list[StageActivity] = field(default_factory=list)


def simulate_sweep(segments: Sequence[Segment], inputs: int, watch: Watch | None = None) -> SweepRun:
    """Runs all segments, with the loading of the `inputs` of the next inference. A `watch` is told when
    windows are filled and the engine is started."""
    return _Machine(segments, inputs, watch).run()


class _Machine:
    def __init__(self, segments: Sequence[Segment], inputs: int, watch: Watch | None) -> None:
        self.env, self.watch = simpy.Environment(), watch
        self.segments, self.inputs = segments, inputs
        self.counted = SweepRun(
            [segment.mapping.simulate(watch.part() if watch else None) for segment in segments]
        )
        self.image_free = self.env.event()

    def run(self) -> SweepRun:
        loading = self.env.process(self.load_port())
        self.env.run(until=self.env.process(self.sequencer()))
        self.counted.cycles = int(self.env.now)
        self.env.run(until=loading)
        self.counted.interval_cycles = int(self.env.now)
        return self.counted

    def load_port(self) -> Any:
        """Loads the next image, a word a cycle, once the first segment has read this one."""
        yield self.image_free
        for _ in range(self.inputs):
            self.counted.loaded += 1
            yield self.env.timeout(1)

    def sequencer(self) -> Any:
        """Segment after segment, place after place."""
        yield self.env.timeout(1)
        for segment in self.segments:
            began = int(self.env.now)
            engine = self.counted.engine[segment.number]
            self.counted.read.append([0, 0])
            self.counted.written.append(0)
            yield self.env.timeout(BEGINS)
            free = idle = None
            for place in range(segment.places):
                if free:
                    yield free
                    yield self.env.timeout(1)
                yield self.env.process(self.fill(segment, place))
                if idle:
                    yield idle
                free, idle = self.env.event(), self.env.event()
                self.env.process(self.engine(segment, engine, free, idle))
            yield idle
            yield self.env.timeout(1)
            if segment.number == 0:
                self.image_free.succeed()
            macs = segment.places * engine.macs
            self.counted.activity.append(StageActivity(segment.number, began, int(self.env.now), macs))

    def fill(self, segment: Segment, place: int) -> Any:
        """Asks for one word of a window after the other."""
        if self.watch:
            self.watch.fills[segment.number].append(int(self.env.now))
        for kind, looked_up in zip(segment.words_read[place], segment.looked_up, strict=True):
            self.counted.looked_up += int(looked_up)
            if kind >= 0:
                self.counted.read[-1][kind] += 1
            yield self.env.timeout(1)

    def engine(self, segment: Segment, engine: Counts, free: simpy.Event, idle: simpy.Event) -> Any:
        """The engine at one place: its inputs may be written after the first stage, where they have a memory
        of their own and no window waits for its scores."""
        if self.watch:
            self.watch.starts[segment.number].append(int(self.env.now))
        after_first = segment.free_after(engine)
        yield self.env.timeout(after_first)
        free.succeed()
        yield self.env.timeout(engine.cycles - after_first)
        self.counted.written[segment.number] += segment.mapping.network.n_out
        idle.succeed()
