"""A stage on an engine that trains, dealt to so many PEs: strided blocks, or a ring."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass

SUM_WRITTEN = 4
"""Cycles from the issue of a tap to the write of the sum that it adds to."""
PAIR = 2
"""Weights in a word: it is read with the first of them, and written with the second, so that a memory with a
single port serves both."""


@dataclass(frozen=True)
class TrainedStage(ABC):
    """A stage: its inputs, its outputs, the taps of each, whether a ReLU follows. Outputs are dealt to PEs
    from the first of each `span` on; at most so many as `readers` read one input."""

    inputs: int
    outputs: int
    taps: int
    relu: bool

    @property
    @abstractmethod
    def span(self) -> int: ...

    @property
    @abstractmethod
    def readers(self) -> int: ...

    @property
    def words(self) -> int:
        """Words that the weights of an output take."""
        return -(-self.taps // PAIR)

    @property
    def pause(self) -> int:
        """Cycles that every group waits backward."""
        return 0

    def groups(self, pes: int) -> int:
        """Groups of the stage, none of which crosses spans."""
        return self.outputs // self.span * -(-self.span // pes)

    def forward_cycles(self, pes: int) -> int:
        """Cycles in which taps are issued forward."""
        return self.groups(pes) * self.taps

    @abstractmethod
    def signals_read(self, pes: int) -> int:
        """Words of signals that taps read in a pass, of which each has a sum of errors."""

    @abstractmethod
    def backward_cycles(self, pes: int) -> int:
        """From the first head to the issue of the last tap, or to the end of the pause after it."""


@dataclass(frozen=True)
class StridedStage(TrainedStage):
    """Blocks at a fixed stride: tap k of block b reads word b + k * blocks, one for all PEs. `overlapped`: a
    sample goes forward while an older one goes back."""

    overlapped: bool = False

    @property
    def blocks(self) -> int:
        return self.inputs // self.taps

    @property
    def span(self) -> int:
        return self.outputs // self.blocks

    @property
    def readers(self) -> int:
        return self.span

    @property
    def pause(self) -> int:
        """So that the next group reads the sums that this one has written, and that reads of weights remain
        in the cycles between writes: a group with its head and its pause takes an even number of them.
        Overlapped, the outputs of a group are written in the cycle of the next head where it has one tap:
        then the head comes two cycles later, and one port serves."""
        least = max(0, SUM_WRITTEN - self.taps)
        return least + (self.taps + least + 1) % 2 + PAIR * (self.overlapped and self.taps == 1)

    def signals_read(self, pes: int) -> int:
        return self.groups(pes) * self.taps

    def backward_cycles(self, pes: int) -> int:
        return self.groups(pes) * (1 + self.taps + self.pause)


@dataclass(frozen=True)
class RingStage(TrainedStage):
    """A ring: tap k of output j reads word (j + k * stride) mod inputs, so that PEs read consecutive words;
    those beyond the end of the ring a cycle later, from its start."""

    stride: int

    @property
    def span(self) -> int:
        return self.outputs

    @property
    def readers(self) -> int:
        return min(self.outputs, self.taps * -(-self.outputs // self.inputs))

    def turns(self, pes: int) -> Counter[tuple[int, int]]:
        """How often the ring ends between two PEs, one of which reads word 0, by group and tap: so many more
        cycles the tap takes."""
        firsts = [(tap, -tap * self.stride % self.inputs) for tap in range(self.taps)]
        reading = [(j, tap) for tap, first in firsts for j in range(first, self.outputs, self.inputs)]
        return Counter((j // pes, tap) for j, tap in reading if j % pes)

    def forward_cycles(self, pes: int) -> int:
        return super().forward_cycles(pes) + self.turns(pes).total()

    def signals_read(self, pes: int) -> int:
        return self.outputs * self.taps

    def backward_cycles(self, pes: int) -> int:
        """A word of weights is read in an even cycle and written in an odd one: the next one waits for it,
        or for the head of the group if that took the even cycle."""
        groups, last, turns = self.groups(pes), self.words - 1, Counter[tuple[int, int]]()
        for (group, tap), more in self.turns(pes).items():
            turns[group, tap // PAIR] += more
        of_last = self.taps - last * PAIR

        def waits(group: int, word: int) -> int:
            """Cycles from the first tap of a word to that of the next; a head follows the last of a group."""
            taken = turns[group, word] + (of_last + 1 if word == last else PAIR)
            return taken + taken % 2

        plain = waits(-1, last) + last * PAIR
        more = sum(waits(*word) - waits(-1, word[1]) for word in list(turns))
        ends = of_last + turns[groups - 1, last] - waits(groups - 1, last)
        return 1 + groups * plain + more + ends
