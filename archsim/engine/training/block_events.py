"""Training of strided blocks as events: one word of signals serves all PEs, one sum takes what they add."""

from __future__ import annotations

from typing import Any

from archsim.engine.training.events import MULTIPLIES, TrainingMachine
from archsim.engine.watch import Watch
from rtl import State
from rtl.engines.training.sizes import TrainingSizes
from rtl.engines.training.stages import PAIR, StridedStage, TrainedStage
from workloads.refusal import Defect

SUM, WORD = 4, 5
"""In which cycle after its issue a sum is written, and the word of weights of which a tap read the first."""


class BlockMachine(TrainingMachine):
    """A step on an engine for blocks."""

    def __init__(self, sizes: TrainingSizes, inputs: int, watch: Watch | None = None) -> None:
        super().__init__(sizes, inputs, watch)
        self.pending: set[tuple[int, int]] = set()
        """Sums that are read and not written yet, by stage and input."""

    def _cycles(self, stage: TrainedStage, first: int, outputs: int, tap: int) -> list[tuple[int, int]]:
        return [(outputs, 1)]

    def _backward(self, number: int, stage: TrainedStage) -> Any:
        assert isinstance(stage, StridedStage)
        sums, own, begun = f"sum_{1 - number % 2}", f"sum_{number % 2}", set[int]()
        began = int(self.env.now)
        for first, outputs in self._groups(stage):
            block = first // stage.span
            self._head(number, outputs)
            self.words[own] += outputs
            self.tells(f"{own}.read", self.env.now, 1, outputs)
            yield self.env.timeout(1)
            written = []
            for tap in range(stage.taps):
                for served in self._issues(number, outputs, tap, [(outputs, 1)]):
                    self.products += served * (number > 0)
                    if number and block in begun:
                        self.words[sums] += 1
                        self.tells(f"{sums}.read", self.env.now)
                    self.tells("update", self.env.now + MULTIPLIES, 1, served)
                    written.append(self.env.process(self._adds(number, tap * stage.blocks + block, sums)))
                    if tap % PAIR == 0:
                        self._reads_word(number)
                        self.env.process(self._moves(outputs, WORD))
                    yield self.env.timeout(1)
            if self.sizes.overlapped:
                self.env.process(self._results(number, outputs))
            begun.add(block)
            pause = int(self.env.now)
            yield written[0]
            # Words are read in every other cycle, in the cycles between those in which they are written.
            yield self.env.timeout((int(self.env.now) - began) % PAIR)
            # With one port a head reads no outputs while others are written.
            if self.sizes.overlapped and int(self.env.now) in self.results:
                yield self.env.timeout(PAIR)
            self.tells("controller", pause, int(self.env.now) - pause, State.PAUSE)
        self.tells("controller", self.env.now, WORD, State.DRAIN)
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
        if number:
            self.tells(f"{sums}.write", self.env.now)
        self.pending.remove((number, place))
