"""Training around rings as events: each PE reads a word of its own, and adds to the sum of that word."""

from __future__ import annotations

from typing import Any

from archsim.engine.training.events import MULTIPLIES, TrainingMachine
from rtl import State
from rtl.engines.training.stages import PAIR, RingStage, TrainedStage
from workloads.refusal import Defect

SUM_READ, SUM_WRITTEN = 2, 3
"""In which cycles after its issue the sums of a tap are read and written."""
WORD, DRAIN = 4, 5
"""In which cycle after its last tap a word of weights is written, or in the next, where that is an odd one;
and how long a stage waits for the last."""


class RingMachine(TrainingMachine):
    """A step on an engine for rings."""

    def _cycles(self, stage: TrainedStage, first: int, outputs: int, tap: int) -> list[tuple[int, int]]:
        """To the end of the ring, then from its start."""
        assert isinstance(stage, RingStage)
        place, cycles = (first + tap * stage.stride) % stage.inputs, []
        while outputs:
            served = min(outputs, stage.inputs - place)
            cycles.append((served, served))
            outputs, place = outputs - served, 0
        return cycles

    def _backward(self, number: int, stage: TrainedStage) -> Any:
        sums, own, began = f"sum_{1 - number % 2}", f"sum_{number % 2}", int(self.env.now)
        for first, outputs in self._groups(stage):
            self._head(number, outputs)
            if number < len(self.sizes.trained) - 1:
                self.words[own] += outputs
                self.changed[own] += outputs
                self.tells(f"{own}.read", self.env.now, 1, outputs)
                self.tells(f"{own}.write", self.env.now + 1, 1, outputs)
            yield self.env.timeout(1)
            for tap in range(stage.taps):
                if tap % PAIR == 0:
                    # The first head is in cycle 1 of the pass; words are read in even ones.
                    held = (int(self.env.now) - began + 1) % PAIR
                    self.tells("controller", self.env.now, held, State.PORT)
                    yield self.env.timeout(held)
                    self._reads_word(number)
                cycles = self._cycles(stage, first, outputs, tap)
                for served in self._issues(number, outputs, tap, cycles):
                    if number:
                        self.products += served
                        self.env.process(self._adds(served, sums))
                    self.tells("update", self.env.now + MULTIPLIES, 1, served)
                    last = int(self.env.now)
                    yield self.env.timeout(1)
                if tap % PAIR == PAIR - 1 or tap == stage.taps - 1:
                    # Counted from the cycle after the last tap.
                    late = (last - began + WORD) % PAIR
                    self.env.process(self._moves(outputs, WORD - 1 + late))
            if self.sizes.overlapped:
                self.env.process(self._results(number, outputs))
        self.tells("controller", self.env.now, DRAIN, State.DRAIN)
        yield self.env.timeout(DRAIN)
        if self.writes:
            raise Defect(f"stage {number} ends before all its weights are written")

    def _adds(self, words: int, sums: str) -> Any:
        """Sums are read and written; what the next tap reads of them is handed on."""
        yield self.env.timeout(SUM_READ)
        self.words[sums] += words
        self.tells(f"{sums}.read", self.env.now, 1, words)
        yield self.env.timeout(SUM_WRITTEN - SUM_READ)
        self.changed[sums] += words
        self.tells(f"{sums}.write", self.env.now, 1, words)
