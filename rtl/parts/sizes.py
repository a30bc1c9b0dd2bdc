"""What one piece of hardware is built for: how many PEs, how wide, how deep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal

from rtl.parts.arithmetic import BankedAddress
from rtl.parts.components import bits_for
from rtl.parts.descriptor import DESCRIPTOR_WORD_BITS, DescriptorFormat, SizeError
from rtl.parts.sweep_sizes import SweepSizes

ALLOWED = {
    "pes": (1, 256),
    "weight_bits": (2, 16),
    "activation_bits": (2, 16),
    "accumulator_bits": (4, 64),
    "fetch_bits": (8, 128),
}

INDEX = "index"
"""The role of the memories that are walked to find activations, where an engine has any."""


@dataclass(frozen=True)
class MemoryShape:
    """The memories of one role: how many, of how many words and bits, and whether a word is read and written
    in one cycle (`1r1w`) or never (`1rw`)."""

    role: str
    number: int
    words: int
    word_bits: int
    ports: Literal["1rw", "1r1w"] = "1rw"


@dataclass(frozen=True)
class Pipeline:
    """The stages of the pipeline that follow the issue of a tap's addresses, which is stage 0: operands enter
    the PE (`take`), their product is accumulated, the sum is requantised (`finish`), the result is written.

    An engine that looks up an index first issues a tap one cycle before its address: there each stage is one
    later.
    """

    take: int
    accumulate: int
    finish: int
    write: int

    def later(self, cycles: int) -> Pipeline:
        """The same pipeline, begun so many cycles earlier."""
        return Pipeline(*(at + cycles for at in (self.take, self.accumulate, self.finish, self.write)))


_PIPELINES = (Pipeline(1, 2, 3, 4), Pipeline(1, 3, 4, 5))
"""Without and with a register between product and adder."""


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


@dataclass(frozen=True, kw_only=True, repr=False)
class Sizes:
    """Sizes common to all engines, and what hardware of these sizes knows of itself.

    `weight_words` is the depth of each PE's weight memory, in fetches of `fetch_bits`. Activations lie in
    `banks` banks, of which an address can name `activation_rows` rows, of memories with one port: stages of
    even number read `activation_0`, of `even_rows` words, and write `activation_1`, of `odd_rows`; those of
    odd number the other way round. Inputs enter `activation_0`, or an `input` memory of their own, of
    `input_rows`, which the first stage reads. With `one_address` a memory has one address for reading and
    writing, as a macro with one port has. `product_register`: a register between product and adder;
    `operand_isolation`: the requantiser sees a sum only when it finishes one; `zero_gating`: an activation
    that is zero leaves multiplier and sum as they are; `shared_requantiser`: PEs hand over sums, requantised
    where they are written. `stages` is how many descriptors fit; `longest_row` and `most_groups` bound a
    stage's taps per output and outputs per PE; `bias_words` the words of bias at the beginning of a row.
    `sweep`: what moves the stages over maps, where the network has places.
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
    banks: int
    activation_rows: int
    even_rows: int
    odd_rows: int
    input_rows: int
    one_address: bool
    product_register: bool
    operand_isolation: bool
    zero_gating: bool
    shared_requantiser: bool
    stages: int
    longest_row: int
    most_groups: int
    bias_words: int = 0
    sweep: SweepSizes | None = None

    def __post_init__(self) -> None:
        for name, (least, most) in ALLOWED.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise SizeError(f"{name} is {value}, allowed are {least} to {most}")
        if self.fetch_bits < self.weight_bits:
            raise SizeError(
                f"fetch_bits is {self.fetch_bits}, allowed are at least weight_bits ({self.weight_bits})"
            )
        if self.accumulator_bits < self.product_bits:
            raise SizeError(
                f"accumulator_bits is {self.accumulator_bits}, allowed are at least weight_bits + "
                f"activation_bits ({self.product_bits})"
            )

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__}: {self.pes} PEs, {self.banks} banks, {self.weight_bits} x "
            f"{self.activation_bits} bits, {self.weight_words} fetches of {self.fetch_bits} bits a PE>"
        )

    @property
    def product_bits(self) -> int:
        """Bits of a product of a weight and an activation."""
        return self.weight_bits + self.activation_bits

    @property
    def multiplied(self) -> tuple[tuple[int, int], ...]:
        """The bits of both factors of each multiplier of a PE."""
        return ((self.weight_bits, self.activation_bits),)

    @property
    def weights_per_fetch(self) -> int:
        return self.fetch_bits // self.weight_bits

    @cached_property
    def address(self) -> BankedAddress:
        """Addresses into the banked activation memory."""
        return BankedAddress(banks=self.banks, rows=self.activation_rows)

    @property
    def pipeline(self) -> Pipeline:
        """The stages of the PEs' pipeline."""
        return _PIPELINES[bool(self.product_register)]

    @property
    def result_bits(self) -> int:
        """Bits of what a PE hands over: of an activation, or of a sum where the requantiser is shared."""
        return self.accumulator_bits if self.shared_requantiser else self.activation_bits

    @property
    def shift_bits(self) -> int:
        return bits_for(self.accumulator_bits)

    @property
    def words_of_row(self) -> int:
        """Words of a memory of activations for each row of its bank: more where it keeps all banks."""
        return 1

    @property
    def activation_words(self) -> dict[str, int]:
        """Depth of each memory of activations of one bank, by role; those that keep nothing are not built."""
        rows = {"input": self.input_rows, "activation_0": self.even_rows, "activation_1": self.odd_rows}
        return {role: deep * self.words_of_row for role, deep in rows.items() if deep}

    @property
    def activation_memories(self) -> int:
        """Memories of activations of each role: one for each bank, fewer where several PEs read one of them
        that keeps all banks."""
        return self.banks

    @property
    def memory_shapes(self) -> tuple[MemoryShape, ...]:
        """All memories of the engine."""
        descriptor_words = self.stages * self.descriptor_format.words
        return (
            MemoryShape("weight", self.pes, self.weight_words, self.fetch_bits),
            *(
                MemoryShape(role, self.activation_memories, words, self.activation_bits)
                for role, words in self.activation_words.items()
            ),
            MemoryShape("descriptor", 1, descriptor_words, DESCRIPTOR_WORD_BITS),
            *self.sweep_shapes,
        )

    @property
    def sweep_shapes(self) -> tuple[MemoryShape, ...]:
        """The memories of what moves the stages over maps."""
        shapes = self.sweep.shapes(self.pes, self.activation_bits) if self.sweep else ()
        return tuple(MemoryShape(*shape) for shape in shapes)

    @property
    def bias_fields(self) -> tuple[tuple[str, int], ...]:
        """How many words of bias a row begins with, and the power of two that they are multiplied by, an
        activation; nothing where no stage has any."""
        if not self.bias_words:
            return ()
        return ("bias_words", bits_for(self.bias_words + 1)), (
            "bias_shift",
            bits_for(self.activation_bits - 1),
        )

    @property
    def held_fields(self) -> tuple[str, ...]:
        """The fields that are needed until a stage's last result is written."""
        return ("final", "relu", "shift")

    @property
    def passes(self) -> bool:
        """Whether PEs pass on the activations that they have taken."""
        return False

    @property
    def group_fields(self) -> tuple[tuple[str, int], ...]:
        """How many groups a stage has, and which PEs have an output in its last one."""
        return ("groups_less_one", bits_for(self.most_groups)), ("valid_less_one", bits_for(self.pes))

    @property
    def early_fields(self) -> tuple[str, ...]:
        """The fields that are needed in the cycle in which the descriptor's last word arrives."""
        return ()

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
                *self.group_fields,
                *self.bias_fields,
                *self.own_fields,
            )
        )

    @property
    def label(self) -> str:
        """The engine in a word or two."""
        return self.engine

    @property
    def family(self) -> str:
        """The label as the names of families begin with it."""
        return self.label.replace(" ", ".")

    @property
    def own_targets(self) -> tuple[str, ...]:
        """What the load port writes beside the memories."""
        return ()

    @property
    def structures(self) -> tuple[Amounts, ...]:
        """The components of the engine, and what they are made of; empty where nobody described it."""
        return ()

    @property
    def requantiser_sources(self) -> int:
        """Of how many sums a shared requantiser takes one."""
        return self.pes // self.banks

    @property
    def results_wait(self) -> bool:
        """Whether results wait for each other to be written, so that one of them is granted."""
        return False

    @property
    def walks(self) -> bool:
        """Whether each PE walks an index of its own."""
        return any(shape.role == INDEX for shape in self.memory_shapes)

    @property
    def own_controls(self) -> bool:
        """Whether each PE has its own control, for it goes its own pace."""
        return self.walks

    @property
    def places_results(self) -> bool:
        """Whether results are turned to the bank that they belong in before they are written."""
        return False

    @property
    def heard_lanes(self) -> int:
        """The most words of banks of which a PE takes one."""
        return 1

    @property
    def own_ways(self) -> str:
        """What the names of the ways through PEs begin with where these are built in a way of their own."""
        return ""

    @property
    def kept_sums(self) -> int:
        """How many sums a PE keeps, to one of which a product is added."""
        return 1

    @property
    def one_way(self) -> bool:
        """Whether nobody told its ways apart, so that there is one, whose delay follows `control_path`."""
        return False

    @property
    def fitted_apart(self) -> str:
        """What the name of the fit of its logic ends with, where it was fitted apart from other engines."""
        return ""

    @property
    def control_starts(self) -> dict[str, tuple[str, ...]]:
        """Where the control that finds the activations starts: in registers, in memories of some roles."""
        return {"control": (), **({INDEX: (INDEX,)} if self.walks else {})}

    @property
    def own_starts(self) -> dict[str, str]:
        """Starts of the control that lie in registers of one component, by that component."""
        return {}

    @property
    def control_path(self) -> dict[str, float]:
        """What the delay of the control that finds the activations follows."""
        address = self.address
        wraps = self.banks > 1 and not address.power_of_two
        return {
            "one": 1.0,
            "pe_levels": levels(self.pes),
            "bank_bits": address.bank_bits,
            "wraps": wraps,
        }


def levels(items: int) -> float:
    """How many two-way choices lead to one of so many items, or two-way branches to all: log2, so that what
    grows by a part of a level does so."""
    return math.log2(items) if items > 1 else 0.0
