"""What one training engine is built for, and how long a step takes it.

A stage is blocks at a fixed stride: tap k of block b reads word b + k * blocks of its inputs. PEs take a
group of `pes` consecutive outputs of one block, of the last group fewer, so that one word is broadcast to
all in a tap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

from rtl.parts.components import bits_for
from rtl.parts.descriptor import SizeError
from rtl.parts.sizes import MemoryShape, Sizes
from rtl.parts.skeleton import TRAINING_TARGETS

FORWARD_DRAIN, BACKWARD_DRAIN = 5, 5
"""Cycles from the issue of the last tap of a stage to the write of the last that comes of it."""
SUM_WRITTEN = 4
"""Cycles from the issue of a tap to the write of the sum that it adds to."""
PAIR = 2
"""Weights in a word: it is read with the first of them, and written with the second, so that a memory with a
single port serves both."""
SHIFT_BITS = 5
"""Bits of a shift."""


@dataclass(frozen=True)
class TrainedStage:
    """A stage: its blocks, their inputs and outputs, and whether a ReLU follows."""

    blocks: int
    block_in: int
    block_out: int
    relu: bool

    @property
    def inputs(self) -> int:
        return self.blocks * self.block_in

    @property
    def outputs(self) -> int:
        return self.blocks * self.block_out


@dataclass(frozen=True, kw_only=True, repr=False)
class TrainingSizes(Sizes):
    """Sizes of a training engine, whose PEs are as those of other engines with a register for products.

    Weights of `weight_bits`, of which the upper `read_bits` are read forward and backward; signals of
    `activation_bits`, errors of `error_bits`; `one` is the score that is aimed at, by a squared hinge where
    `margin`. `trained` are the stages. `registers` are what the random registers of the PEs start from; none
    where the update is rounded to the nearest. Raises SizeError for a stage or a width that it does not
    support.
    """

    engine: ClassVar[str] = "training"

    read_bits: int
    error_bits: int
    one: int
    margin: bool
    trained: tuple[TrainedStage, ...]
    registers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pes & (self.pes - 1) or not 2 <= self.pes <= 256:
            raise SizeError(f"pes is {self.pes}, allowed are powers of two from 2 to 256")

    @classmethod
    def of(cls, pes: int, weight_bits: int, trained: tuple[TrainedStage, ...], **own: Any) -> Self:
        """The sizes with what follows from the stages."""
        rows = _rows(trained, pes)
        widest = max(stage.block_in for stage in trained)
        return cls(
            pes=pes,
            weight_bits=weight_bits,
            accumulator_bits=own["read_bits"] + own["activation_bits"] + bits_for(widest) + 1,
            fetch_bits=PAIR * weight_bits,
            weight_words=sum(groups_of(stage, pes) * words_of_row(stage) for stage in trained),
            banks=pes,
            activation_rows=max(rows),
            even_rows=sum(rows[::2]),
            odd_rows=sum(rows[1::2]),
            input_rows=0,
            product_register=True,
            stages=len(trained),
            longest_row=widest,
            most_groups=max(groups_of(stage, pes) for stage in trained),
            trained=trained,
            one_address=False,
            operand_isolation=False,
            zero_gating=False,
            shared_requantiser=False,
            **own,
        )

    @property
    def label(self) -> str:
        return "training"

    @property
    def product_bits(self) -> int:
        return self.read_bits + self.activation_bits

    @property
    def own_targets(self) -> tuple[str, ...]:
        return TRAINING_TARGETS

    @property
    def memory_shapes(self) -> tuple[MemoryShape, ...]:
        """Weights, the signals of all stages and sums of errors in two halves each, and the shifts of every
        stage."""
        return (
            MemoryShape("weight", self.pes, self.weight_words, self.fetch_bits),
            *(
                MemoryShape(f"signal_{half}", self.pes, self.signal_rows(half), self.activation_bits)
                for half in (0, 1)
            ),
            *(
                MemoryShape(f"sum_{half}", self.pes, self.sum_rows(half), self.sum_bits, "1r1w")
                for half in (0, 1)
            ),
            MemoryShape("descriptor", 1, len(self.trained), 3 * SHIFT_BITS),
        )

    @property
    def rows(self) -> tuple[int, ...]:
        """In how many rows of all banks the inputs of every stage lie, and the outputs of the last."""
        return _rows(self.trained, self.pes)

    @property
    def bases(self) -> tuple[int, ...]:
        """The first row of the inputs of every stage, and of the outputs of the last, in their half."""
        return tuple(sum(self.rows[number % 2 : number : 2]) for number in range(len(self.rows)))

    def signal_rows(self, half: int) -> int:
        """Rows of a half of the memory of signals: what the stages of one parity read. The outputs of the
        last stage are read by none but are there as well."""
        return sum(self.rows[half::2])

    @property
    def most_rows(self) -> int:
        """The most rows of a stage, which an address within it names."""
        return max(self.rows)

    def sum_rows(self, half: int) -> int:
        """Rows of a half of the memory of errors: those of the outputs of all stages of one parity but the
        last, whose errors are those of the scores."""
        return max((rows for number, rows in enumerate(self.rows[1:-1]) if number % 2 == half), default=1)

    def block_groups(self, stage: TrainedStage) -> int:
        """Groups of a block."""
        return -(-stage.block_out // self.pes)

    def groups(self, stage: TrainedStage) -> int:
        """Groups of a stage."""
        return groups_of(stage, self.pes)

    def last_valid(self, stage: TrainedStage) -> int:
        """Outputs of the last group of a block."""
        return stage.block_out - (self.block_groups(stage) - 1) * self.pes

    @property
    def weight_bases(self) -> tuple[int, ...]:
        """Where the words of every stage begin in a PE, and how many there are."""
        words = [self.groups(stage) * words_of_row(stage) for stage in self.trained]
        return tuple(sum(words[:number]) for number in range(len(words) + 1))

    @property
    def sum_bits(self) -> int:
        """Holds every sum of products of weights and errors."""
        return self.read_bits + self.error_bits + bits_for(max(s.block_out for s in self.trained)) + 1

    def pause(self, stage: TrainedStage) -> int:
        """Cycles that a group waits backward, so that the next one reads the sums that this one has written,
        and that reads of weights remain in the cycles between writes: a group with its head and its pause
        takes an even number of them."""
        least = max(0, SUM_WRITTEN - stage.block_in)
        return least + (stage.block_in + least + 1) % 2

    def cycles_of(self, number: int, *, backward: bool) -> int:
        """Cycles of a pass over a stage. Backward a group reads its errors before its taps."""
        stage = self.trained[number]
        of_group = stage.block_in + (1 + self.pause(stage)) * backward
        return self.groups(stage) * of_group + (BACKWARD_DRAIN if backward else FORWARD_DRAIN)

    @cached_property
    def forward_cycles(self) -> int:
        """From `start` until the scores are there."""
        return sum(self.cycles_of(number, backward=False) for number in range(len(self.trained)))

    @cached_property
    def backward_cycles(self) -> int:
        """From there until the last weight is written."""
        return sum(self.cycles_of(number, backward=True) for number in range(len(self.trained)))

    @property
    def cycles(self) -> int:
        """A step: from the cycle after `start` to `done`."""
        return self.forward_cycles + self.backward_cycles


def groups_of(stage: TrainedStage, pes: int) -> int:
    """Groups of a stage, none of which crosses blocks."""
    return stage.blocks * -(-stage.block_out // pes)


def words_of_row(stage: TrainedStage) -> int:
    """Words that the weights of an output take."""
    return -(-stage.block_in // PAIR)


def _rows(trained: Sequence[TrainedStage], pes: int) -> tuple[int, ...]:
    widths = (*(stage.inputs for stage in trained), trained[-1].outputs)
    return tuple(-(-width // pes) for width in widths)
