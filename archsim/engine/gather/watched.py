"""What PEs that gather by index do in which cycles of a stage, from when their entries were taken.

With replicated activations the events tell when an entry is accumulated, and a PE that stands still stands
still as a whole; with banks they tell when an entry is let go, and what has been let go moves on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from archsim.engine.gather.entries import EncodedStage
from archsim.engine.watch import Watch
from rtl import State
from rtl.engines.gather.sizes import GatherSizes


@dataclass(eq=False)
class StageWatch:
    """A stage whose PEs run from cycle `began` on, read `source` and write `target` (`None` for scores).

    `taken`: the cycles of each PE's entries; `stood`: those in which it stood still; `bus`: those in which
    the bus took a result.
    """

    watch: Watch
    stage: EncodedStage
    sizes: GatherSizes
    began: int
    source: str
    target: str | None
    bus: list[int] = field(default_factory=list)
    taken: list[list[int]] = field(init=False)
    stood: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.taken = [[] for _ in range(self.sizes.pes)]
        self.stood = [[] for _ in range(self.sizes.pes)]

    def ends(self, now: int) -> None:
        """Tells the watch what has happened until this cycle."""
        accepted = [self._cycles(pe, 1) for pe in range(self.sizes.pes)]
        for pe, cycles in enumerate(accepted):
            self._front(pe, cycles)
            self._back(pe)
        fronts_end = max(int(cycles[-1]) for cycles in accepted if len(cycles)) + 1
        self.watch.add("controller", self.began, fronts_end - self.began, State.BUSY)
        self.watch.add("controller", fronts_end, now - fronts_end, State.DRAIN)
        if self.target is not None:
            # That all entries are taken is known a cycle later, and the address another one.
            words = self.sizes.descriptor_format.words
            self.watch.add("descriptor.read", fronts_end + 1, words)
        if self.sizes.replicated:
            self._bus()

    def _cycles(self, pe: int, stage: int) -> NDArray[np.int64]:
        """When the entries of a PE are in a stage of the pipeline: they are let go in stage 1."""
        taken = np.array(self.taken[pe], dtype=np.int64)
        if not self.sizes.replicated:
            return taken + stage - 1
        # A PE that does not stand still takes one step: its first entry enters stage 1 in the second.
        last = max([self.began, *taken.tolist(), *self.stood[pe]])
        moves = np.ones(last - self.began + 1 + self.sizes.pipeline.write, dtype=bool)
        moves[np.array(self.stood[pe], dtype=np.int64) - self.began] = False
        steps: NDArray[np.int64] = np.flatnonzero(moves) + self.began
        return steps[stage : stage + len(taken)]

    def _front(self, pe: int, accepted: NDArray[np.int64]) -> None:
        """Reads of indices, weights and activations. An index is read when the entry before it is let go."""
        stage, sizes, watch = self.stage, self.sizes, self.watch
        begins, reads = stage.begins_index[pe], stage.addresses[pe] >= 0
        issued = np.concatenate([[self.began], accepted])[:-1] if len(accepted) else accepted
        watch.add_each("index.read", issued[(begins >= 0) & (begins % sizes.entries_per_fetch == 0)])
        watch.add_each("weight.read", accepted[:: sizes.weights_per_fetch])
        watch.add_each(f"{self.source}.read", accepted[reads])
        watch.stalls += [(cycle, pe) for cycle in self.stood[pe]]

    def _back(self, pe: int) -> None:
        """What follows an entry: entries are accumulated, and at the end of a row requantised and
        written."""
        at, watch = self.sizes.pipeline, self.watch
        accumulated = self.taken[pe] if self.sizes.replicated else self._cycles(pe, at.accumulate).tolist()
        watch.products += [(cycle, pe) for cycle in accumulated]
        ends = np.array([*accumulate(self.stage.row_lengths[pe].tolist())], dtype=np.int64) - 1
        if not self.sizes.shared_requantiser:
            watch.add_each("requantisers", self._cycles(pe, at.finish)[ends])
        if not self.sizes.replicated:
            row = "scores" if self.target is None else f"{self.target}.write"
            watch.add_each(row, self._cycles(pe, at.write)[ends])

    def _bus(self) -> None:
        taken = np.array(self.bus, dtype=np.int64)
        if self.target is None:
            self.watch.add_each("scores", taken)
        else:
            self.watch.add_each(f"{self.target}.write", taken, self.sizes.pes)
        if self.sizes.shared_requantiser:
            self.watch.add_each("requantisers", taken)
        if self.sizes.shared_requantiser or self.target is not None:
            self.watch.add_each("bus", taken)
