"""What one training engine is built for, and how long a step takes it.

A stage is blocks at a fixed stride: tap k of block b reads word b + k * blocks of its inputs. PEs take a
group of `pes` consecutive outputs of one block, of the last group fewer, so that one word is broadcast to
all in a tap.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rtl.parts.components import bits_for
from rtl.parts.descriptor import SizeError

FORWARD_DRAIN, BACKWARD_DRAIN = 5, 4
"""Cycles from the issue of the last tap of a stage to the write of the last that comes of it."""


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


@dataclass(frozen=True, kw_only=True)
class TrainingSizes:
    """Sizes of a training engine.

    Weights of `weight_bits`, of which the upper `read_bits` are read forward and backward; signals of
    `activation_bits`, errors of `error_bits`; `one` is the score that is aimed at, by a squared hinge where
    `margin`. `registers` are what the random registers of the PEs start from; none where the update is
    rounded to the nearest. Raises SizeError for a stage or a width that it does not support.
    """

    pes: int
    weight_bits: int
    read_bits: int
    activation_bits: int
    error_bits: int
    one: int
    margin: bool
    stages: tuple[TrainedStage, ...]
    registers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.pes & (self.pes - 1) or not 2 <= self.pes <= 256:
            raise SizeError(f"pes is {self.pes}, allowed are powers of two from 2 to 256")

    @property
    def rows(self) -> tuple[int, ...]:
        """In how many rows of all banks the inputs of every stage lie, and the outputs of the last."""
        widths = (*(stage.inputs for stage in self.stages), self.stages[-1].outputs)
        return tuple(-(-width // self.pes) for width in widths)

    @property
    def bases(self) -> tuple[int, ...]:
        """The first row of the inputs of every stage, and of the outputs of the last."""
        return tuple(sum(self.rows[:number]) for number in range(len(self.rows)))

    @property
    def signal_rows(self) -> int:
        return sum(self.rows)

    @property
    def most_rows(self) -> int:
        """The most rows of a stage, which an address within it names."""
        return max(self.rows)

    @property
    def sum_rows(self) -> int:
        """Rows of each half of the memory of errors, of which the inputs of the network have none."""
        return max(self.rows[1:])

    def block_groups(self, stage: TrainedStage) -> int:
        """Groups of a block."""
        return -(-stage.block_out // self.pes)

    def groups(self, stage: TrainedStage) -> int:
        """Groups of a stage."""
        return stage.blocks * self.block_groups(stage)

    def last_valid(self, stage: TrainedStage) -> int:
        """Outputs of the last group of a block."""
        return stage.block_out - (self.block_groups(stage) - 1) * self.pes

    @property
    def weight_bases(self) -> tuple[int, ...]:
        """Where the words of every stage begin in a PE, and how many there are."""
        words = [self.groups(stage) * stage.block_in for stage in self.stages]
        return tuple(sum(words[:number]) for number in range(len(words) + 1))

    @property
    def accumulator_bits(self) -> int:
        """Holds every sum of a row."""
        return self.read_bits + self.activation_bits + bits_for(max(s.block_in for s in self.stages)) + 1

    @property
    def sum_bits(self) -> int:
        """Holds every sum of products of weights and errors."""
        return self.read_bits + self.error_bits + bits_for(max(s.block_out for s in self.stages)) + 1

    def pause(self, stage: TrainedStage) -> int:
        """Cycles that a group waits, so that the next one reads the sums that this one has written."""
        return max(0, BACKWARD_DRAIN - stage.block_in)

    @cached_property
    def forward_cycles(self) -> int:
        """From `start` until the scores are there."""
        return sum(self.groups(stage) * stage.block_in + FORWARD_DRAIN for stage in self.stages)

    @cached_property
    def backward_cycles(self) -> int:
        """From there until the last weight is written. A group reads its errors before its taps."""
        return sum(
            self.groups(stage) * (1 + stage.block_in + self.pause(stage)) + BACKWARD_DRAIN
            for stage in self.stages
        )

    @property
    def cycles(self) -> int:
        """A step: from the cycle after `start` to `done`."""
        return self.forward_cycles + self.backward_cycles
