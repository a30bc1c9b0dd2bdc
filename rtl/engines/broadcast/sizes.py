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
    first entry. With `codebook_bits` an entry holds, in place of a weight, the number of one in a table of
    the stage; a bias is then in as many bits."""

    queue_depth: int
    zeros_bits: int
    columns: int
    codebook_bits: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.queue_depth < 1:
            raise SizeError(f"queue_depth is {self.queue_depth}, allowed are 1 or more")
        if self.banks != self.pes:
            raise SizeError(f"banks is {self.banks}, allowed is one for each of the {self.pes} PEs")
        if self.shared_requantiser:
            raise SizeError("shared_requantiser is true, allowed with banks that each write is false")
        if not 0 <= self.codebook_bits < self.weight_bits:
            said = f"0 (no codebook) to {self.weight_bits - 1}, fewer than weight_bits"
            raise SizeError(f"codebook_bits is {self.codebook_bits}, allowed are {said}")
        if self.entry_bits > self.fetch_bits:
            raise SizeError(
                f"fetch_bits is {self.fetch_bits}, allowed are at least {self.entry_bits}, a weight and the "
                "rows before it"
            )

    @property
    def code_bits(self) -> int:
        """Bits in which an entry tells its weight: the weight itself, or its number in the codebook."""
        return self.codebook_bits or self.weight_bits

    @property
    def entry_bits(self) -> int:
        """Bits of a weight, or of its number, and of the rows before it."""
        return self.code_bits + self.zeros_bits

    @property
    def biases_beside_codes(self) -> bool:
        """Whether some entries are biases, which no codebook holds, among others that are numbers in one."""
        return bool(self.codebook_bits and self.bias_words)

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
        # Counted from the cycle in which an entry is asked for; a weight is then read from the codebook.
        return super().pipeline.later(2 if self.codebook_bits else 1)

    @property
    def memory_shapes(self) -> tuple[MemoryShape, ...]:
        pointers = MemoryShape("index", 2 * self.pes, self.pointers, self.pointer_bits)
        if not self.codebook_bits:
            return (*super().memory_shapes, pointers)
        codebook = MemoryShape("codebook", self.pes, self.codebook_words, self.weight_bits)
        return (*super().memory_shapes, pointers, codebook)

    @property
    def codebook_words(self) -> int:
        """Weights in the codebook of a PE: a table for each stage."""
        return self.stages << self.codebook_bits

    @property
    def held_fields(self) -> tuple[str, ...]:
        return (*super().held_fields, *(name for name, _ in self.group_fields))

    @property
    def own_fields(self) -> tuple[tuple[str, int], ...]:
        rows = bits_for(self.activation_rows)
        inputs = ("input_rows_less_one", rows), ("input_valid_less_one", bits_for(self.pes))
        # Which table of the codebook is the stage's.
        return (*inputs, ("table", bits_for(self.stages))) if self.codebook_bits else inputs
