"""Sizes of an engine that broadcasts the activations which are not zero."""

from __future__ import annotations

from dataclasses import dataclass

from rtl.parts.components import bits_for
from rtl.parts.descriptor import SizeError
from rtl.parts.sizes import MemoryShape, Pipeline, Sizes


@dataclass(frozen=True, kw_only=True, repr=False)
class BroadcastSizes(Sizes):
    """`queue_depth`: how many activations wait for a PE at most; `zeros_bits`: the rows without a weight that
    an entry can pass over; `columns` of all stages, those of biases included, each with a pointer to its
    first entry."""

    queue_depth: int
    zeros_bits: int
    columns: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.queue_depth < 1:
            raise SizeError(f"queue_depth is {self.queue_depth}, allowed are 1 or more")
        if self.banks != self.pes:
            raise SizeError(f"banks is {self.banks}, allowed is one for each of the {self.pes} PEs")
        if self.shared_requantiser:
            raise SizeError("shared_requantiser is true, allowed with banks that each write is false")
        if self.entry_bits > self.fetch_bits:
            raise SizeError(
                f"fetch_bits is {self.fetch_bits}, allowed are at least {self.entry_bits}, a weight and the "
                "rows before it"
            )

    @property
    def entry_bits(self) -> int:
        """Bits of a weight and of the rows before it."""
        return self.weight_bits + self.zeros_bits

    @property
    def weights_per_fetch(self) -> int:
        return self.fetch_bits // self.entry_bits

    @property
    def place_bits(self) -> int:
        """Bits that name an entry in its word, the lowest of a pointer."""
        return bits_for(self.weights_per_fetch)

    @property
    def pointer_bits(self) -> int:
        return bits_for(self.weight_words + 1) + self.place_bits

    @property
    def column_bits(self) -> int:
        return bits_for(self.columns + 1)

    @property
    def row_bits(self) -> int:
        """Bits that name an output of a PE."""
        return bits_for(self.most_groups)

    @property
    def pointers(self) -> int:
        """Pointers of a PE in each of its two banks: those of even columns, and of odd ones."""
        return self.columns // 2 + 1

    @property
    def pipeline(self) -> Pipeline:
        # Counted from the cycle in which an entry is asked for.
        return super().pipeline.later(1)

    @property
    def memory_shapes(self) -> tuple[MemoryShape, ...]:
        pointers = MemoryShape("index", 2 * self.pes, self.pointers, self.pointer_bits)
        return (*super().memory_shapes, pointers)

    @property
    def held_fields(self) -> tuple[str, ...]:
        return (*super().held_fields, *(name for name, _ in self.group_fields))

    @property
    def own_fields(self) -> tuple[tuple[str, int], ...]:
        rows = bits_for(self.activation_rows)
        return ("input_rows_less_one", rows), ("input_valid_less_one", bits_for(self.pes))
