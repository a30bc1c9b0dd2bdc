"""Sizes of an engine that broadcasts the activations which are not zero."""

from __future__ import annotations

from dataclasses import dataclass

from rtl.parts.amounts import (
    bank_gates,
    descriptor_counted_bits,
    field_bits,
    four_way,
    loaded_address_bits,
    processing_elements,
)
from rtl.parts.components import bits_for
from rtl.parts.descriptor import SizeError
from rtl.parts.sizes import Amounts, MemoryShape, Pipeline, Sizes, levels


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

    @property
    def own_ways(self) -> str:
        return f"{self.engine}."

    @property
    def kept_sums(self) -> int:
        return self.most_groups

    @property
    def control_starts(self) -> dict[str, tuple[str, ...]]:
        activations = tuple(self.activation_words)
        own = dict.fromkeys(self.own_starts.values(), ())
        return {**super().control_starts, **own, "scanned": activations, "weight": ("weight",)}

    @property
    def own_starts(self) -> dict[str, str]:
        # A full queue holds up the scan.
        return {"address": "queue"}

    @property
    def control_path(self) -> dict[str, float]:
        # A bank's word is compared with zero, the first of a row is found, and the word itself chosen.
        return {
            "one": 1.0,
            "pe_levels": levels(self.pes),
            "pes": self.pes,
            "word_levels": levels(self.activation_bits),
            "queue_levels": levels(self.queue_depth),
            "counted_bits": bits_for(self.activation_rows + 1),
            "pointer_bits": self.pointer_bits,
            "entry_levels": levels(self.weights_per_fetch),
            "row_bits": self.row_bits,
        }

    @property
    def label(self) -> str:
        return f"{self.engine} codebook" if self.codebook_bits else self.engine

    @property
    def structures(self) -> tuple[Amounts, ...]:
        if self.codebook_bits:
            return ()
        return (
            self._controller(),
            self._scan_and_queue(),
            self._heads(),
            self._walks(),
            self._elements(),
        )

    @property
    def queued_bits(self) -> int:
        """Bits of an activation in the queue, with its column."""
        return self.column_bits + self.activation_bits

    def _controller(self) -> Amounts:
        counted = descriptor_counted_bits(self) + bits_for(self.most_groups)
        loaded = loaded_address_bits(self, self.weight_words) + 2 * loaded_address_bits(self, self.pointers)
        gates = {
            "one": 1,
            "pes": self.pes,
            "decoded_bits": self.pes * bits_for(self.pes),
            "counted_bits": counted,
            "loaded_address_bits": self.pes * loaded,
        }
        registers = {"one": 1, "field_bits": field_bits(self), "counted_bits": counted}
        return Amounts("controller", 1, "broadcast.controller", gates, registers)

    def _scan_and_queue(self) -> Amounts:
        """The search for what is not zero in a row of activations, the queue of all PEs, and the writing of
        results."""
        pes = self.pes
        counted = bits_for(self.activation_rows + 1) + self.column_bits
        seen = bits_for(self.bias_words + 1) if self.bias_words else 0
        gates = {
            "one": 1,
            "pes": pes,
            "scanned_bits": pes * self.activation_bits,
            "numbered_bits": pes * bits_for(pes),
            "counted_bits": counted,
            "biased_bits": self.activation_bits + seen if seen else 0,
            "slots": self.queue_depth,
            "row_bits": pes * self.address.row_bits,
            **bank_gates(self),
        }
        registers = {
            "one": 1,
            "pes": pes,
            "counted_bits": counted + seen,
            "offered_bits": self.queued_bits,
            "slot_bits": self.queue_depth * self.queued_bits,
        }
        return Amounts("route", 1, "broadcast.route", gates, registers)

    def _heads(self) -> Amounts:
        """The place of a PE in the queue, and the pointers of the column that it asks for."""
        counted = bits_for(self.queue_depth + 1) + bits_for(self.queue_depth)
        gates = {
            "one": 1,
            "slot_choice_bits": (self.queue_depth - 1) * self.queued_bits,
            "counted_bits": counted,
            "pointer_address_bits": bits_for(self.pointers),
            "pointer_bits": 2 * self.pointer_bits,
        }
        registers = {"one": 1, "counted_bits": counted, "held_bits": self.activation_bits}
        return Amounts("address", self.pes, "broadcast.address", gates, registers)

    def _walks(self) -> Amounts:
        """What walks through the entries of a column."""
        per, row = self.weights_per_fetch, self.row_bits
        gates = {
            "one": 1,
            "pointer_bits": self.pointer_bits,
            "cells_entry_choice_bits": (per - 1) * self.entry_bits,
            "fabric_entry_choice_bits": four_way(per) * self.entry_bits,
            "row_bits": row,
        }
        registers = {
            "one": 1,
            "pointer_bits": 2 * self.pointer_bits,
            "held_bits": self.place_bits + 2 * self.activation_bits,
            "row_bits": row,
        }
        return Amounts("sequencer", self.pes, "broadcast.sequencer", gates, registers)

    def _elements(self) -> Amounts:
        """A PE as others have it, which chooses no weight of a fetch but one of its sums."""
        sums, total = self.kept_sums, self.accumulator_bits
        common = processing_elements(self)
        gates = {
            **common.gates,
            "cells_weight_choice_bits": 0,
            "fabric_weight_choice_bits": 0,
            "sums": sums,
            "cells_sum_choice_bits": (sums - 1) * total,
            "fabric_sum_choice_bits": four_way(sums) * total,
        }
        registers = {
            **common.registers,
            "sums": sums,
            "kept_sum_bits": (sums - 1) * total,
            "row_bits": self.row_bits * (1 + bool(self.product_register)),
        }
        return Amounts("pe", self.pes, "broadcast.pe", gates, registers, common.operand_bits)
