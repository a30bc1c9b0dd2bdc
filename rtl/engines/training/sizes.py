"""What one training engine is built for, and how long a step takes it.

PEs take a group of `pes` consecutive outputs of a stage, or of one of its blocks; the last of either may be
smaller. All stages of an engine are of one kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, Self, TypeAlias

from rtl.engines.training.amounts import training_amounts
from rtl.engines.training.stages import PAIR, RingStage, TrainedStage
from rtl.parts.components import bits_for
from rtl.parts.descriptor import SizeError
from rtl.parts.sizes import Amounts, MemoryShape, Sizes, levels
from rtl.parts.skeleton import TRAINING_TARGETS

Overlap: TypeAlias = Literal["none", "pipelined"]
SUFFIXES: Mapping[Overlap, str] = {"none": "_training", "pipelined": "_training_pipelined"}
"""What the names of the fits of either form end with."""

FORWARD_DRAIN, BACKWARD_DRAIN = 5, 5
"""Cycles from the issue of the last tap of a stage to the write of the last that comes of it."""
SHIFT_BITS = 5
"""Bits of a shift."""


@dataclass(frozen=True, kw_only=True, repr=False)
class TrainingSizes(Sizes):
    """Sizes of a training engine, whose PEs are as those of other engines with a register for products.

    Weights of `weight_bits`, of which the upper `read_bits` are read forward and backward; signals of
    `activation_bits`, errors of `error_bits`; `one` is the score that is aimed at, by a squared hinge where
    `margin`. `trained` are the stages; with `overlap` `pipelined` a step takes each of them once, with a
    sample that goes forward and one that goes back. `registers` are what the random registers of the PEs
    start from; none where the update is rounded to the nearest. Raises SizeError for a stage or a width that
    it does not support.
    """

    engine: ClassVar[str] = "training"

    read_bits: int
    error_bits: int
    one: int
    margin: bool
    trained: tuple[TrainedStage, ...]
    registers: tuple[int, ...] = ()
    overlap: Overlap = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pes & (self.pes - 1) or not 2 <= self.pes <= 256:
            raise SizeError(f"pes is {self.pes}, allowed are powers of two from 2 to 256")

    @classmethod
    def of(cls, pes: int, weight_bits: int, trained: tuple[TrainedStage, ...], **own: Any) -> Self:
        """The sizes with what follows from the stages."""
        rows = _rows(trained, pes)
        widest = max(stage.taps for stage in trained)
        return cls(
            pes=pes,
            weight_bits=weight_bits,
            accumulator_bits=own["read_bits"] + own["activation_bits"] + bits_for(widest) + 1,
            fetch_bits=PAIR * weight_bits,
            weight_words=sum(stage.groups(pes) * stage.words for stage in trained),
            banks=pes,
            activation_rows=max(rows),
            even_rows=sum(rows[::2]),
            odd_rows=sum(rows[1::2]),
            input_rows=0,
            product_register=True,
            stages=len(trained),
            longest_row=widest,
            most_groups=max(stage.groups(pes) for stage in trained),
            trained=trained,
            one_address=False,
            operand_isolation=False,
            zero_gating=False,
            shared_requantiser=False,
            **own,
        )

    @property
    def label(self) -> str:
        how = "rotated" if self.rotates else "broadcast"
        return f"{self.engine} {how}{' pipelined' * self.overlapped}"

    @property
    def overlapped(self) -> bool:
        """Whether a step takes every stage once."""
        return self.overlap == "pipelined"

    @property
    def fitted_apart(self) -> str:
        return SUFFIXES[self.overlap]

    @property
    def one_way(self) -> bool:
        return True

    @property
    def shift_bits(self) -> int:
        return SHIFT_BITS

    @property
    def multiplied(self) -> tuple[tuple[int, int], ...]:
        of_update = (self.error_bits, self.activation_bits)
        if self.overlapped:
            return (self.read_bits, self.activation_bits), (self.read_bits, self.error_bits), of_update
        return (self.read_bits, max(self.activation_bits, self.error_bits)), of_update

    @property
    def adders(self) -> tuple[str, int, int]:
        """What adds up products of errors: its component, how many there are, and how many adders each
        has."""
        return ("sums", self.pes, 1) if self.rotates else ("tree", 1, self.pes)

    @property
    def structures(self) -> tuple[Amounts, ...]:
        return training_amounts(self)

    @property
    def control_path(self) -> dict[str, float]:
        """What the longest path follows, which leads from the shifts of a stage through the sum of an error
        and its shifter, or from the product of an update through its shifter into the weight."""
        return {
            "one": 1.0,
            "pe_levels": levels(self.pes),
            "sum_bits": self.sum_bits,
            "sum_levels": levels(self.sum_bits),
            "weight_bits": self.weight_bits,
            "accumulator_bits": self.accumulator_bits,
        }

    @property
    def product_bits(self) -> int:
        return self.read_bits + self.activation_bits

    @property
    def own_targets(self) -> tuple[str, ...]:
        return TRAINING_TARGETS

    @property
    def memory_shapes(self) -> tuple[MemoryShape, ...]:
        """Weights, the signals of all stages and sums of errors in two halves each, and the shifts of every
        stage. Overlapped, the signals of samples that go back are kept apart, in two halves as well, of which
        one is read by taps; heads read the other, to which outputs are written, never in one cycle."""
        kept = (
            MemoryShape(
                f"kept_{half}",
                self.pes,
                self.kept_rows(half),
                self.activation_bits,
            )
            for half in (0, 1)
            if self.overlapped
        )
        return (
            MemoryShape("weight", self.pes, self.weight_words, self.fetch_bits),
            *(
                MemoryShape(f"signal_{half}", self.pes, self.signal_rows(half), self.activation_bits)
                for half in (0, 1)
            ),
            *kept,
            *(
                MemoryShape(f"sum_{half}", self.pes, self.sum_rows(half), self.sum_bits, "1r1w")
                for half in (0, 1)
            ),
            MemoryShape("descriptor", 1, len(self.trained), 3 * SHIFT_BITS),
        )

    @property
    def rotates(self) -> bool:
        """Whether stages are rings."""
        return isinstance(self.trained[0], RingStage)

    @property
    def rows(self) -> tuple[int, ...]:
        """In how many rows of all banks the inputs of every stage lie, and the outputs of the last."""
        return _rows(self.trained, self.pes)

    @property
    def bases(self) -> tuple[int, ...]:
        """The first row of the inputs of every stage, and of the outputs of the last, in their half, where
        these have rows in it."""
        begins = [sum(self.rows[number % 2 : number : 2]) for number in range(len(self.rows))]
        return (*begins[:-1], 0 if self.overlapped else begins[-1])

    def signal_rows(self, half: int) -> int:
        """Rows of a half of the memory of signals: what the stages of one parity read. The outputs of the
        last stage are read by none but are there as well, unless samples that go back are kept apart."""
        if self.overlapped:
            return sum(self.rows[:-1][half::2]) or 1
        return sum(self.rows[half::2])

    @property
    def copies(self) -> tuple[int, ...]:
        """Overlapped, of how many samples the inputs of every stage, and the outputs of the last, are kept:
        of the one that goes back, and of those that came since."""
        return tuple(range(len(self.rows), 0, -1))

    @property
    def kept_bases(self) -> tuple[int, ...]:
        """Where these begin in their half of what is kept."""
        rows = [rows * copies for rows, copies in zip(self.rows, self.copies, strict=True)]
        return tuple(sum(rows[number % 2 : number : 2]) for number in range(len(rows)))

    def kept_rows(self, half: int) -> int:
        """Rows of a half of the memory of what is kept."""
        rows = zip(self.rows, self.copies, strict=True)
        return sum(count * copies for count, copies in list(rows)[half::2])

    @property
    def most_rows(self) -> int:
        """The most rows of a stage, which an address within it names."""
        return max(self.rows)

    def sum_rows(self, half: int) -> int:
        """Rows of a half of the memory of errors: those of the outputs of all stages of one parity but the
        last, whose errors are those of the scores."""
        return max((rows for number, rows in enumerate(self.rows[1:-1]) if number % 2 == half), default=1)

    def last_valid(self, stage: TrainedStage) -> int:
        """Outputs of the last group of a span."""
        return (stage.span - 1) % self.pes + 1

    @property
    def weight_bases(self) -> tuple[int, ...]:
        """Where the words of every stage begin in a PE, and how many there are."""
        words = [stage.groups(self.pes) * stage.words for stage in self.trained]
        return tuple(sum(words[:number]) for number in range(len(words) + 1))

    @property
    def sum_bits(self) -> int:
        """Holds every sum of products of weights and errors."""
        return self.read_bits + self.error_bits + bits_for(max(s.readers for s in self.trained)) + 1

    def cycles_of(self, number: int, *, backward: bool) -> int:
        """Cycles of a pass over a stage. Backward a group reads its errors before its taps."""
        stage = self.trained[number]
        if backward:
            return stage.backward_cycles(self.pes) + BACKWARD_DRAIN
        return stage.forward_cycles(self.pes) + FORWARD_DRAIN

    @cached_property
    def forward_cycles(self) -> int:
        """From `start` until the scores are there; none apart from the way back where it is overlapped."""
        if self.overlapped:
            return 0
        return sum(self.cycles_of(number, backward=False) for number in range(len(self.trained)))

    @cached_property
    def backward_cycles(self) -> int:
        """From there, or from `start`, until the last weight is written."""
        return sum(self.cycles_of(number, backward=True) for number in range(len(self.trained)))

    @property
    def cycles(self) -> int:
        """A step: from the cycle after `start` to `done`."""
        return self.forward_cycles + self.backward_cycles


def _rows(trained: Sequence[TrainedStage], pes: int) -> tuple[int, ...]:
    widths = (*(stage.inputs for stage in trained), trained[-1].outputs)
    return tuple(-(-width // pes) for width in widths)
