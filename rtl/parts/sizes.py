"""What one piece of hardware is built for: how many PEs, how wide, how deep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from rtl.parts.arithmetic import BankedAddress
from rtl.parts.components import bits_for
from rtl.parts.descriptor import DESCRIPTOR_WORD_BITS, DescriptorFormat, SizeError

ALLOWED = {
    "pes": (1, 256),
    "weight_bits": (2, 16),
    "activation_bits": (2, 16),
    "accumulator_bits": (4, 64),
    "fetch_bits": (8, 128),
}


@dataclass(frozen=True)
class MemoryShape:
    """The memories of one role: how many, of how many words and bits. `exclusive`: never read and written
    in one cycle, so that a single port serves."""

    role: str
    number: int
    words: int
    word_bits: int
    exclusive: bool


@dataclass(frozen=True)
class Amounts:
    """All instances of one component, and what one of them is made of: its gates, and its bits of register.

    An amount has a physical reason: bits of multiplexer, of adder, of register, decoded lines. Components
    that the same code describes are of one `family`. `operand_bits` are further widths that the switching of
    a PE follows; `late` are gates once more, where what they read comes bit by bit out of an adder, so that
    they glitch more.
    """

    component: str
    instances: int
    family: str
    gates: Mapping[str, float]
    registers: Mapping[str, float]
    operand_bits: Mapping[str, float] = field(default_factory=dict)
    late: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes common to all engines, and what hardware of these sizes knows of itself.

    `weight_words` is the depth of each PE's weight memory, in fetches of `fetch_bits`;
    `activation_rows` the rows of one half of each activation bank; `stages` how many descriptors fit;
    `longest_row` and `most_groups` bound a stage's taps per output and outputs per PE.
    Raises SizeError for a size outside what the hardware supports.
    """

    engine: ClassVar[str] = ""
    """The name of the engine."""

    pes: int
    weight_bits: int
    activation_bits: int
    accumulator_bits: int
    fetch_bits: int
    weight_words: int
    activation_rows: int
    stages: int
    longest_row: int
    most_groups: int

    def __post_init__(self) -> None:
        for name, (least, most) in ALLOWED.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise SizeError(f"{name} is {value}, allowed are {least} to {most}")
        if self.fetch_bits < self.weight_bits:
            raise SizeError(
                f"fetch_bits is {self.fetch_bits}, allowed are at least weight_bits ({self.weight_bits})"
            )
        if self.accumulator_bits < self.weight_bits + self.activation_bits:
            raise SizeError(
                f"accumulator_bits is {self.accumulator_bits}, allowed are at least weight_bits + "
                f"activation_bits ({self.weight_bits + self.activation_bits})"
            )

    @property
    def weights_per_fetch(self) -> int:
        return self.fetch_bits // self.weight_bits

    @cached_property
    def address(self) -> BankedAddress:
        """Addresses into the banked activation memory."""
        return BankedAddress(banks=self.pes, rows=self.activation_rows)

    @property
    def shift_bits(self) -> int:
        return bits_for(self.accumulator_bits)

    @property
    def activation_words(self) -> int:
        """Depth of each activation memory: both halves."""
        return 2 * self.activation_rows

    @property
    def memory_shapes(self) -> tuple[MemoryShape, ...]:
        """All memories of the engine."""
        return (
            MemoryShape("weight", self.pes, self.weight_words, self.fetch_bits, exclusive=True),
            MemoryShape("activation", self.pes, self.activation_words, self.activation_bits, exclusive=False),
            MemoryShape(
                "descriptor",
                1,
                self.stages * self.descriptor_format.words,
                DESCRIPTOR_WORD_BITS,
                exclusive=True,
            ),
        )

    @property
    def own_fields(self) -> tuple[tuple[str, int], ...]:
        """The descriptor fields that this engine adds to the common ones."""
        return ()

    @cached_property
    def descriptor_format(self) -> DescriptorFormat:
        """The layout of a stage's descriptor."""
        return DescriptorFormat(
            (
                ("final", 1),
                ("relu", 1),
                ("shift", self.shift_bits),
                ("groups_less_one", bits_for(self.most_groups)),
                ("valid_less_one", bits_for(self.pes)),
                *self.own_fields,
            )
        )

    @property
    def label(self) -> str:
        """The engine in a word or two."""
        return self.engine

    @property
    def structures(self) -> tuple[Amounts, ...]:
        """The components of the engine, and what they are made of; empty where nobody described it."""
        return ()

    @property
    def control_path(self) -> dict[str, float]:
        """What the delay of the control that finds the activations follows."""
        address = self.address
        return {"one": 1.0, "pes": self.pes, "bank_bits": address.bank_bits, "address_bits": address.bits}
