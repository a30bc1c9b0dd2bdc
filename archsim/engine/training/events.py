"""The engine that trains as events: one process for each thing that exists in the hardware.

The controller issues heads and taps; every tap goes through the pipeline by itself, and adds to a sum, moves
a weight, or ends in results that are written. What a tap reads must have been written before. Time is in
cycles. Nothing here uses the closed form: it is the check on it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from archsim.engine.clock import Clocked
from archsim.engine.counts import Counts, StageActivity, Traffic
from rtl.engines.training.sizes import PAIR, TrainedStage, TrainingSizes
from workloads.refusal import Defect

RESULT, SUM, WORD = 5, 4, 5
"""In which cycle after its issue a result of the last tap of a row is written, a sum, and the word of weights
of which it read the first."""


class TrainingMachine(Clocked):
    """A step on an engine that trains, and what it has counted."""

    sizes: TrainingSizes

    def __init__(self, sizes: TrainingSizes, inputs: int) -> None:
        roles = [shape.role for shape in sizes.memory_shapes]
        super().__init__(sizes, roles, stages=len(sizes.trained), inputs=inputs + 1, watch=None)
        self.changed: Counter[str] = Counter(signal_0=inputs)
        self.pending: set[tuple[int, int]] = set()
        """Sums that are read and not written yet, by stage and input."""
        self.writes: set[int] = set()
        """Cycles in which words of weights will be written."""
        self.products = 0

    def counts(self) -> Counts:
        """Runs a step, and loads the next sample when it is over."""
        cycles, interval = self.run()
        return Counts(
            cycles=cycles,
            load_cycles=self.loaded,
            interval_cycles=interval,
            macs=self.products,
            traffic={
                shape.role: Traffic(self.words[shape.role], self.changed[shape.role], shape.word_bits)
                for shape in self.sizes.memory_shapes
            },
            stages=tuple(self.activity),
        )

    def controller(self) -> Any:
        """Answers start, then runs stages forward and backward."""
        yield self.env.timeout(1)
        stages = list(enumerate(self.sizes.trained))
        for number, stage in stages:
            yield from self._noted(number, self._forward(number, stage))
        for number, stage in reversed(stages):
            yield from self._noted(number, self._backward(number, stage), backward=True)
        self.input_free.succeed()

    def _noted(self, number: int, pass_over: Any, *, backward: bool = False) -> Any:
        """A pass over a stage, and what it took. Its shifts were read as it began."""
        began, before = int(self.env.now), self.products
        self.words["descriptor"] += 1
        yield from pass_over
        products = self.products - before
        self.activity.append(StageActivity(number, began, int(self.env.now), products, backward=backward))

    def _groups(self, stage: TrainedStage) -> list[tuple[int, int]]:
        """The block of each group, and how many outputs the group has."""
        pes, left = self.sizes.pes, stage.block_out
        of_block = [min(pes, left - first) for first in range(0, left, pes)]
        return [(block, outputs) for block in range(stage.blocks) for outputs in of_block]

    def _tap(self, number: int, tap: int, outputs: int) -> None:
        """A tap reads its signal, and with the first weight of a word the word in every PE."""
        self.words[f"signal_{number % 2}"] += 1
        self.words["weight"] += outputs * (tap % PAIR == 0)
        self.products += outputs

    def _forward(self, number: int, stage: TrainedStage) -> Any:
        written = []
        for _, outputs in self._groups(stage):
            for tap in range(stage.block_in):
                self._tap(number, tap, outputs)
                yield self.env.timeout(1)
            written.append(self.env.process(self._results(number, outputs)))
        yield self.env.all_of(written)

    def _results(self, number: int, outputs: int) -> Any:
        """Results are written RESULT cycles after the tap that went out in the cycle before this one."""
        yield self.env.timeout(RESULT - 1)
        self.changed[f"signal_{1 - number % 2}"] += outputs
        yield self.env.timeout(1)

    def _backward(self, number: int, stage: TrainedStage) -> Any:
        sums, own, begun = f"sum_{1 - number % 2}", f"sum_{number % 2}", set[int]()
        began = int(self.env.now)
        for block, outputs in self._groups(stage):
            self.words[f"signal_{1 - number % 2}"] += outputs
            self.words[own] += outputs
            yield self.env.timeout(1)
            written = []
            for tap in range(stage.block_in):
                self._tap(number, tap, outputs)
                self.products += outputs * (number > 0)
                if number and block in begun:
                    self.words[sums] += 1
                written.append(self.env.process(self._adds(number, tap * stage.blocks + block, sums)))
                if tap % PAIR == 0:
                    if int(self.env.now) in self.writes:
                        raise Defect(f"weights of stage {number} are read and written in one cycle")
                    self.env.process(self._moves(outputs))
                yield self.env.timeout(1)
            begun.add(block)
            yield written[0]
            # Words are read in every other cycle, in the cycles between those in which they are written.
            yield self.env.timeout((int(self.env.now) - began) % PAIR)
        yield self.env.timeout(WORD)
        if self.pending or self.writes:
            raise Defect(f"stage {number} ends before all that it changes is written")

    def _adds(self, number: int, place: int, sums: str) -> Any:
        """A sum is written SUM cycles after its tap, and may be read in the next."""
        if (number, place) in self.pending:
            raise Defect(f"input {place} of stage {number} is read before its sum is written")
        self.pending.add((number, place))
        yield self.env.timeout(SUM)
        self.changed[sums] += number > 0
        self.pending.remove((number, place))

    def _moves(self, outputs: int) -> Any:
        """A word of weights is written WORD cycles after its first tap."""
        written = int(self.env.now) + WORD
        self.writes.add(written)
        yield self.env.timeout(WORD)
        self.changed["weight"] += outputs
        self.writes.remove(written)
