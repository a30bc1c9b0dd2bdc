"""The engine that trains as events: one process for each thing that exists in the hardware.

The controller issues heads and taps; every tap goes through the pipeline by itself, and adds to a sum, moves
a weight, or ends in results that are written. What a tap reads must have been written before. Time is in
cycles. Nothing here uses the closed form: it is the check on it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from typing import Any

from archsim.engine.clock import Clocked
from archsim.engine.counts import Counts, StageActivity, Traffic
from archsim.engine.watch import Watch
from rtl import State
from rtl.engines.training.sizes import TrainingSizes
from rtl.engines.training.stages import PAIR, TrainedStage
from workloads.refusal import Defect

MULTIPLIES = 2
"""In which cycle after its issue the products of a tap are made."""
RESULT = 5
"""In which cycle after its issue a result of the last tap of a row is written."""


class TrainingMachine(Clocked):
    """A step on an engine that trains, and what it has counted."""

    sizes: TrainingSizes

    def __init__(self, sizes: TrainingSizes, inputs: int, watch: Watch | None = None) -> None:
        roles = [shape.role for shape in sizes.memory_shapes]
        super().__init__(sizes, roles, stages=len(sizes.trained), inputs=inputs + 1, watch=watch)
        self.changed: Counter[str] = Counter(signal_0=inputs)
        if sizes.overlapped:
            self.changed["kept_0"] = inputs
        self.back = "kept" if sizes.overlapped else "signal"
        """The memory of signals on the way back."""
        self.products, self.pe_cycles = 0, 0
        self.writes: set[int] = set()
        """Cycles in which words of weights will be written."""
        self.results: set[int] = set()
        """Cycles in which outputs will be."""
        self.heads: set[int] = set()
        """Cycles of heads."""

    def counts(self) -> Counts:
        """Runs a step, and loads the next sample when it is over."""
        cycles, interval = self.run()
        return Counts(
            cycles=cycles,
            load_cycles=self.loaded,
            interval_cycles=interval,
            macs=self.products,
            beside=self.products - self.pe_cycles,
            traffic={
                shape.role: Traffic(self.words[shape.role], self.changed[shape.role], shape.word_bits)
                for shape in self.sizes.memory_shapes
            },
            stages=tuple(self.activity),
        )

    def controller(self) -> Any:
        """Answers start, then runs stages forward and backward."""
        yield self.env.timeout(1)
        stages, overlapped = list(enumerate(self.sizes.trained)), self.sizes.overlapped
        for number, stage in [] if overlapped else stages:
            yield from self._noted(number, self._forward(number, stage))
        for number, stage in reversed(stages):
            yield from self._noted(number, self._backward(number, stage), backward=not overlapped)
        self.input_free.succeed()

    def _noted(self, number: int, pass_over: Any, *, backward: bool = False) -> Any:
        """A pass over a stage, and what it took. Its shifts were read as it began."""
        began, before = int(self.env.now), self.products
        self.words["descriptor"] += 1
        self.tells("descriptor.read", began - 1)
        yield from pass_over
        cycles = int(self.env.now) - began
        self.tells("stage", began, cycles, number + 1)
        alone = State.BACKWARD if backward else State.FORWARD
        self.tells("pass", began, cycles, State.BOTH if self.sizes.overlapped else alone)
        products = self.products - before
        self.activity.append(StageActivity(number, began, int(self.env.now), products, backward=backward))

    def _head(self, number: int, outputs: int) -> None:
        """PEs read their outputs."""
        self.words[f"{self.back}_{1 - number % 2}"] += outputs
        self.tells(f"{self.back}_{1 - number % 2}.read", self.env.now, 1, outputs)
        self.tells("controller", self.env.now, 1, State.HEAD)
        self.heads.add(int(self.env.now))

    def _groups(self, stage: TrainedStage) -> list[tuple[int, int]]:
        """The first output of each group, and how many outputs the group has."""
        pes, span = self.sizes.pes, stage.span
        return [
            (first + of_span, min(pes, span - of_span))
            for first in range(0, stage.outputs, span)
            for of_span in range(0, span, pes)
        ]

    @abstractmethod
    def _cycles(self, stage: TrainedStage, first: int, outputs: int, tap: int) -> list[tuple[int, int]]:
        """The cycles that a tap of a group takes: in each how many PEs it serves, and how many words of
        signals these read."""

    @abstractmethod
    def _backward(self, number: int, stage: TrainedStage) -> Any:
        """Errors go back through a stage, and its weights move."""

    def _issues(self, number: int, outputs: int, tap: int, cycles: list[tuple[int, int]]) -> Iterator[int]:
        """The cycles of a tap, in each of which signals are read; in the first one, with the first weight of
        a word, the word in every PE; overlapped, signals and products of both ways. Yields how many PEs are
        served."""
        self.words["weight"] += outputs * (tap % PAIR == 0)
        if tap % PAIR == 0:
            self.tells("weight.read", self.env.now, 1, outputs)
        first = 0
        for served, signals in cycles:
            now = int(self.env.now)
            self.words[f"signal_{number % 2}"] += signals
            self.tells(f"signal_{number % 2}.read", now, 1, signals)
            self.tells("controller", now, 1, State.BUSY)
            if self.watch:
                self.watch.products += [(now + MULTIPLIES, pe) for pe in range(first, first + served)]
            first += served
            self.products += served
            self.pe_cycles += served
            if self.sizes.overlapped:
                self.words[f"kept_{number % 2}"] += signals
                self.tells(f"kept_{number % 2}.read", now, 1, signals)
                self.products += served
            yield served

    def _forward(self, number: int, stage: TrainedStage) -> Any:
        written = []
        for first, outputs in self._groups(stage):
            for tap in range(stage.taps):
                cycles = self._cycles(stage, first, outputs, tap)
                for _ in self._issues(number, outputs, tap, cycles):
                    yield self.env.timeout(1)
            written.append(self.env.process(self._results(number, outputs)))
        self.tells("controller", self.env.now, RESULT, State.DRAIN)
        yield self.env.all_of(written)

    def _results(self, number: int, outputs: int) -> Any:
        """Results are written RESULT cycles after the tap that went out in the cycle before this one."""
        self.results.add(int(self.env.now) + RESULT - 1)
        self.tells("requantisers", self.env.now + RESULT - 2)
        yield self.env.timeout(RESULT - 1)
        of_last = number == len(self.sizes.trained) - 1
        now = int(self.env.now)
        if not (self.sizes.overlapped and of_last):
            self.changed[f"signal_{1 - number % 2}"] += outputs
            self.tells(f"signal_{1 - number % 2}.write", now, 1, outputs)
        if of_last:
            self.tells("scores", now, 1, outputs)
        yield self.env.timeout(1)
        if self.sizes.overlapped:
            # Results that meet a head, which reads the same memory, are written in the cycle after.
            self.changed[f"kept_{1 - number % 2}"] += outputs
            self.tells(f"kept_{1 - number % 2}.write", now + (now in self.heads), 1, outputs)

    def _reads_word(self, number: int) -> None:
        """A word of weights is read, in a cycle in which none is written."""
        if int(self.env.now) in self.writes:
            raise Defect(f"weights of stage {number} are read and written in one cycle")

    def _moves(self, outputs: int, cycles: int) -> Any:
        """A word of weights is written so many cycles later."""
        written = int(self.env.now) + cycles
        self.writes.add(written)
        yield self.env.timeout(cycles)
        self.changed["weight"] += outputs
        self.tells("weight.write", self.env.now, 1, outputs)
        self.writes.remove(written)
