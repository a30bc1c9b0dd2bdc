"""The EIE engine as events: the scan, a reader of pointers and a walker through entries for each PE.

A place in a PE's queue is a credit, which the scan needs of every PE and a reader gives back. Nothing here
uses the recurrence of `solver`: it is the check on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from archsim.engine.broadcast.columns import EncodedColumns
from archsim.engine.clock import Clocked
from archsim.engine.counts import Counts, Traffic
from rtl.engines.broadcast.sizes import BroadcastSizes


def simulate_broadcast(
    stages: Sequence[EncodedColumns],
    outputs: Sequence[int],
    signals: Sequence[NDArray[np.int64]],
    sizes: BroadcastSizes,
    traffic: Callable[..., dict[str, Traffic]],
) -> Counts:
    """Runs one inference from `start` to `done` with the inputs of every stage as `signals` say, shape
    (n_in,) each, and the loading of the next ones."""
    machine = _Machine(stages, outputs, signals, sizes)
    cycles, interval = machine.run()
    return Counts(
        cycles=cycles,
        load_cycles=len(signals[0]),
        interval_cycles=interval,
        macs=machine.macs,
        padding=machine.entries - machine.macs - machine.biases,
        biases=machine.biases,
        stalls=machine.waited,
        traffic=traffic(read=machine.read, written=machine.written, loaded=machine.loaded, **machine.words),
        exact=False,
        stages=tuple(machine.activity),
    )


class _Machine(Clocked):
    def __init__(
        self,
        stages: Sequence[EncodedColumns],
        outputs: Sequence[int],
        signals: Sequence[NDArray[np.int64]],
        sizes: BroadcastSizes,
    ) -> None:
        roles = ("weight", "index", "descriptor")
        super().__init__(sizes, roles, stages=len(stages), inputs=len(signals[0]), watch=None)
        self.sizes: BroadcastSizes = sizes
        self.stages, self.outputs, self.signals, self.pes = stages, outputs, signals, sizes.pes
        self.macs = self.entries = self.biases = self.waited = self.number = 0
        self.entered = np.zeros(self.pes, dtype=np.int64)

    def controller(self) -> Any:
        """Answers start, then runs stage after stage: all is accumulated, then a row of results a cycle
        leaves, while the next descriptor is fetched."""
        yield self.env.timeout(1)
        began, last = int(self.env.now), len(self.stages) - 1
        yield self.env.process(self.fetch_descriptor())
        for number, stage in enumerate(self.stages):
            self.number, macs, waited = number, self.macs, self.waited
            yield self.env.process(self.accumulate(stage))
            fetching = self.env.process(self.fetch_next()) if number < last else self.env.event().succeed()
            yield self.env.timeout(-(-self.outputs[number] // self.pes) + 2)
            self.written[number] += self.outputs[number] * (number < last)
            self.has_read(number)
            yield fetching
            self.ends_stage(number, began, self.macs - macs, self.waited - waited)
            began = int(self.env.now)
            self.entered += stage.entries

    def fetch_next(self) -> Any:
        """The next descriptor is asked for when all PEs are seen idle."""
        yield self.env.timeout(1)
        yield self.env.process(self.fetch_descriptor())

    def choices(self, stage: EncodedColumns) -> Iterator[int | None]:
        """What the scan finds whenever it chooses: a column, or a row without any."""
        yield from range(stage.bias_columns)
        signal = self.signals[self.number]
        for start in range(0, len(signal), self.pes):
            found = np.flatnonzero(signal[start : start + self.pes]).tolist()
            yield from (stage.bias_columns + start + place for place in found)
            if not found:
                yield None

    def accumulate(self, stage: EncodedColumns) -> Any:
        """From the cycle after the stage's start to that in which all PEs are seen idle."""
        env, choices = self.env, list(self.choices(stage))
        self.read[self.number] += -(-len(self.signals[self.number]) // self.pes) * self.pes
        broadcasts = sum(choice is not None for choice in choices)
        elements = [_Element(self, pe, stage, broadcasts) for pe in range(self.pes)]
        # A row of activations is there a cycle after it was asked for; biases need none.
        yield env.timeout(0 if stage.bias_columns else 1)
        for choice in choices:
            yield env.timeout(1)
            if choice is not None:
                asked = env.now
                yield env.all_of([element.places.get(1) for element in elements])
                self.waited += int(env.now - asked)
                for element in elements:
                    env.process(element.enters(choice))
        yield env.all_of([element.walker for element in elements])


class _Element:
    """A PE: `places` in its queue, which the scan needs and the reader of pointers gives back, a register
    between reader and walker, and the walker through the entries of a column."""

    def __init__(self, machine: _Machine, pe: int, stage: EncodedColumns, broadcasts: int) -> None:
        env = machine.env
        self.machine, self.env, self.stage, self.pe = machine, env, stage, pe
        self.begins = np.concatenate([[0], np.cumsum(stage.counts[pe])]) + machine.entered[pe]
        self.places = simpy.Container(env, machine.sizes.queue_depth, machine.sizes.queue_depth)
        self.queue, self.register, self.read = simpy.Store(env), simpy.Container(env, 1, 1), simpy.Store(env)
        env.process(self.reader(broadcasts))
        self.walker = env.process(self.walks(broadcasts))

    def enters(self, column: int) -> Any:
        """An activation is seen in the queue a cycle after it was broadcast."""
        yield self.env.timeout(1)
        yield self.queue.put(column)

    def reader(self, broadcasts: int) -> Any:
        """Reads both pointers of a column once the register behind it is free."""
        for _ in range(broadcasts):
            column = yield self.queue.get()
            yield self.register.get(1)
            self.machine.words["index"] += 2
            yield self.env.timeout(1)
            yield self.places.put(1)
            yield self.read.put(column)

    def walks(self, broadcasts: int) -> Any:
        """Takes a column, then an entry a cycle; a column without any takes one. Returns when the last
        product is accumulated."""
        machine, per_fetch, idle = self.machine, self.machine.sizes.weights_per_fetch, self.env.now
        for _ in range(broadcasts):
            column = yield self.read.get()
            yield self.register.put(1)
            entries = int(self.stage.counts[self.pe, column])
            stored = int(self.stage.stored[self.pe, column])
            machine.entries += entries
            if column < self.stage.bias_columns:
                machine.biases += stored
            else:
                machine.macs += stored
            yield self.env.timeout(max(entries, 1))
            if entries:
                begin, end = self.begins[column : column + 2]
                machine.words["weight"] += int((end - 1) // per_fetch - begin // per_fetch + 1)
                idle = self.env.now + machine.sizes.pipeline.accumulate
        yield self.env.timeout(max(0, idle - self.env.now))
