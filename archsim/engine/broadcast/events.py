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
from archsim.engine.watch import Watch
from rtl import State
from rtl.engines.broadcast.sizes import BroadcastSizes


def simulate_broadcast(
    stages: Sequence[EncodedColumns],
    outputs: Sequence[int],
    signals: Sequence[NDArray[np.int64]],
    sizes: BroadcastSizes,
    traffic: Callable[..., dict[str, Traffic]],
    watch: Watch | None = None,
) -> Counts:
    """Runs one inference from `start` to `done` with the inputs of every stage as `signals` say, shape
    (n_in,) each, and the loading of the next ones. A `watch` is told what happens in which cycle."""
    machine = _Machine(stages, outputs, signals, sizes, watch)
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
        watch: Watch | None,
    ) -> None:
        roles = ["weight", "index", "descriptor", *(["codebook"] if sizes.codebook_bits else [])]
        super().__init__(sizes, roles, stages=len(stages), inputs=len(signals[0]), watch=watch)
        self.sizes: BroadcastSizes = sizes
        self.stages, self.outputs, self.signals, self.pes = stages, outputs, signals, sizes.pes
        self.macs = self.entries = self.biases = self.waited = self.number = 0
        self.entered = np.zeros(self.pes, dtype=np.int64)

    def controller(self) -> Any:
        """Answers start, then runs stage after stage: all is accumulated, then a row of results a cycle
        leaves, while the next descriptor is fetched."""
        yield self.env.timeout(1)
        began, last = int(self.env.now), len(self.stages) - 1
        yield self.env.process(self.fetch_descriptor(self.watch))
        self.tells("controller", began, int(self.env.now) - began, State.FETCH)
        for number, stage in enumerate(self.stages):
            self.number, macs, waited, starts = number, self.macs, self.waited, int(self.env.now)
            yield self.env.process(self.accumulate(stage))
            self.tells("controller", starts, int(self.env.now) + 1 - starts, State.BUSY)
            fetching = self.env.process(self.fetch_next()) if number < last else self.env.event().succeed()
            yield self.env.process(self.drain(final=number == last))
            self.has_read(number)
            drained = int(self.env.now)
            yield fetching
            self.tells("controller", drained, int(self.env.now) - drained, State.FETCH)
            self.ends_stage(number, began, self.macs - macs, self.waited - waited)
            began = int(self.env.now)
            self.entered += stage.entries

    def fetch_next(self) -> Any:
        """The next descriptor is asked for when all PEs are seen idle."""
        yield self.env.timeout(1)
        yield self.env.process(self.fetch_descriptor(self.watch))

    def drain(self, *, final: bool) -> Any:
        """A row of sums a cycle is requantised, from the cycle after all PEs were seen idle, and written in
        the next."""
        outputs, first = self.outputs[self.number], int(self.env.now) + 1
        rows = -(-outputs // self.pes)
        yield self.env.timeout(rows + 2)
        self.written[self.number] += outputs * (not final)
        self.tells("controller", first, rows + 1, State.DRAIN)
        self.tells("requantisers", first, rows)
        into = "scores" if final else f"{self.target(self.number)}.write"
        self.tells(into, first + 1, rows - 1, self.pes)
        self.tells(into, first + rows, 1, outputs - (rows - 1) * self.pes)

    def choices(self, stage: EncodedColumns) -> Iterator[tuple[int | None, bool]]:
        """What the scan finds whenever it chooses: a column, or a row without any; and whether it then reads
        the next row."""
        yield from ((column, False) for column in range(stage.bias_columns))
        signal = self.signals[self.number]
        for start in range(0, len(signal), self.pes):
            there = np.flatnonzero(signal[start : start + self.pes]).tolist()
            columns: list[int | None] = [stage.bias_columns + start + place for place in there] or [None]
            yield from ((column, False) for column in columns[:-1])
            yield columns[-1], start + self.pes < len(signal)

    def accumulate(self, stage: EncodedColumns) -> Any:
        """From the cycle after the stage's start to that in which all PEs are seen idle."""
        env, choices, row = self.env, list(self.choices(stage)), f"{self.source(self.number)}.read"
        self.read[self.number] += -(-len(self.signals[self.number]) // self.pes) * self.pes
        broadcasts = sum(choice is not None for choice, _ in choices)
        elements = [_Element(self, pe, stage, broadcasts) for pe in range(self.pes)]
        self.tells(row, env.now, 1, self.pes)
        # A row of activations is there a cycle after it was asked for; biases need none.
        before = 1 if stage.bias_columns else 2
        self.tells("broadcast", env.now, before, State.SEARCH)
        yield env.timeout(before - 1)
        for number, (choice, reads) in enumerate(choices, start=1):
            self.tells(row, env.now, int(reads), self.pes)
            yield env.timeout(1)
            if choice is not None:
                asked = env.now
                yield env.all_of([element.places.get(1) for element in elements])
                self.waited += int(env.now - asked)
                self.tells("broadcast", asked, int(env.now - asked), State.QUEUE)
                self.tells("broadcast", env.now, 1, State.BUSY)
                for element in elements:
                    env.process(element.enters(choice))
            else:
                self.tells("broadcast", env.now, int(number < len(choices)), State.SEARCH)
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
            self.machine.tells("index.read", self.env.now, 1, 2)
            yield self.env.timeout(1)
            yield self.places.put(1)
            yield self.read.put(column)

    def walks(self, broadcasts: int) -> Any:
        """Takes a column, then an entry a cycle; a column without any takes one. Returns when the last
        product is accumulated."""
        machine, idle = self.machine, self.env.now
        for _ in range(broadcasts):
            column = yield self.read.get()
            yield self.register.put(1)
            entries = int(self.stage.counts[self.pe, column])
            stored = int(self.stage.stored[self.pe, column])
            coded = column >= self.stage.bias_columns
            machine.entries += entries
            if coded:
                machine.macs += stored
            else:
                machine.biases += stored
            if entries:
                self.works_off(column, int(self.env.now) + 1, coded=coded)
            elif machine.watch:
                machine.watch.passes.append((int(self.env.now) + 1, self.pe))
            yield self.env.timeout(max(entries, 1))
            if entries:
                idle = self.env.now + machine.sizes.pipeline.accumulate
        yield self.env.timeout(max(0, idle - self.env.now))

    def works_off(self, column: int, first: int, *, coded: bool) -> None:
        """The entries of a column are asked for from cycle `first` on: a word where the column or the word
        begins, and of a codebook, if there is one, a weight a cycle later."""
        machine, sizes = self.machine, self.machine.sizes
        begin, end = self.begins[column : column + 2].tolist()
        fetches = [begin, *range(begin - begin % sizes.weights_per_fetch, end, sizes.weights_per_fetch)[1:]]
        machine.words["weight"] += len(fetches)
        for number in fetches:
            machine.tells("weight.read", first + number - begin)
        if coded and sizes.codebook_bits:
            machine.words["codebook"] += end - begin
            machine.tells("codebook.read", first + 1, end - begin)
        if machine.watch:
            last = first + end - begin + sizes.pipeline.accumulate - 1
            machine.watch.products += [(cycle, self.pe) for cycle in range(last - (end - begin), last)]
