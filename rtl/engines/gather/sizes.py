"""Sizes of an engine that gathers activations by index, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass

from rtl.parts.amounts import (
    bank_gates,
    choosing_bits,
    descriptor_counted_bits,
    field_bits,
    four_way,
    loaded_address_bits,
    processing_elements,
    requantisers,
)
from rtl.parts.components import bits_for
from rtl.parts.descriptor import SizeError
from rtl.parts.sizes import Amounts, MemoryShape, Pipeline, Sizes, levels


@dataclass(frozen=True, kw_only=True, repr=False)
class GatherSizes(Sizes):
    """`index_bits` of an index without its row-end flag; `relative`: indices are distances from the last
    one; `index_words` the depth of each index memory; `replicated` or banked activations; `run`: how many
    weights in a row of addresses, from a multiple of it on, share an index, a power of two; `lockstep`: how
    many PEs walk one list of indices together; `group`: of how many inputs, a power of two, an index is one,
    where groups are counted, up to `input_groups` in a row, each with up to `kept_of_group` entries;
    `scheduled`: banks answer as was found beforehand, in `most_steps` cycles of a stage at most;
    `route_register`: a register between an entry and the arbiters of banks."""

    index_bits: int
    relative: bool
    index_words: int
    replicated: bool
    run: int = 1
    lockstep: int = 1
    group: int = 1
    kept_of_group: int = 1
    input_groups: int = 1
    scheduled: bool = False
    most_steps: int = 0
    route_register: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.banks != self.pes:
            raise SizeError(f"banks is {self.banks}, allowed is one for each of the {self.pes} PEs")
        if self.shared_requantiser and not self.replicated:
            raise SizeError("shared_requantiser is true, allowed with banks that each write is false")
        if self.run < 1 or self.run & (self.run - 1):
            raise SizeError(f"run is {self.run}, allowed are powers of two")
        if self.scheduled and (self.replicated or self.relative or self.run > 1 or self.lockstep > 1):
            raise SizeError("scheduled is true, allowed with copies, distances and runs is false")
        if self.route_register and (self.replicated or self.scheduled):
            raise SizeError("route_register is true, allowed without arbiters of banks is false")
        if self.run > 1 and self.relative:
            raise SizeError(f"run is {self.run}, allowed is 1 where indices are distances")
        if self.lockstep < 1 or self.pes % self.lockstep:
            raise SizeError(f"lockstep is {self.lockstep}, allowed are divisors of {self.pes} PEs")
        if self.lockstep > 1 and self.route_register:
            raise SizeError(f"lockstep is {self.lockstep}, allowed with route_register is 1")
        if self.group > 1 and (self.relative or self.run > 1):
            raise SizeError(f"group is {self.group}, allowed is 1 where indices are distances or of runs")
        if self.group not in (1, 1 << self.index_bits):
            raise SizeError(f"group is {self.group}, allowed are 1 and {1 << self.index_bits} (2^index_bits)")
        if not 1 <= self.kept_of_group <= self.group:
            raise SizeError(f"kept_of_group is {self.kept_of_group}, allowed are 1 to {self.group} (group)")
        if not (self.index_bits >= 1 and self.entry_bits <= self.fetch_bits):
            raise SizeError(
                f"index_bits is {self.index_bits}, allowed are 1 to {self.fetch_bits - 1} (fetch_bits - 1)"
            )

    @property
    def run_bits(self) -> int:
        """The lowest bits of an address, which a counter gives and no index."""
        return self.run.bit_length() - 1

    @property
    def entry_bits(self) -> int:
        """Bits of an index, with the flag that ends a row unless groups are counted."""
        return self.index_bits + (self.group == 1)

    @property
    def entries_per_fetch(self) -> int:
        """Index entries in one fetch."""
        return self.fetch_bits // self.entry_bits

    @property
    def walkers(self) -> int:
        """Lists of indices that are walked at a time."""
        return self.pes // self.lockstep

    @property
    def activation_memories(self) -> int:
        return self.walkers if self.replicated else self.banks

    @property
    def held_fields(self) -> tuple[str, ...]:
        if self.scheduled:
            return (*super().held_fields, "groups_less_one", "valid_less_one")
        # Where a row is of several PEs, the last one may be of fewer.
        # The last entry of a stage, which may be a bias, waits behind a result as the next descriptor comes.
        biases = ("bias_shift",) if self.bias_words else ()
        return (*super().held_fields, *(("valid_less_one",) * (self.lockstep > 1)), *biases)

    @property
    def own_fields(self) -> tuple[tuple[str, int], ...]:
        if self.scheduled:
            return (("steps_less_one", bits_for(self.most_steps)),)
        if self.group == 1:
            return ()
        return (
            ("kept_less_one", bits_for(self.kept_of_group)),
            ("input_groups_less_one", bits_for(self.input_groups)),
        )

    @property
    def group_bits(self) -> int:
        """Bits that count entries of a group, and groups."""
        return 0 if self.scheduled else sum(bits for _, bits in self.own_fields)

    @property
    def index_word_bits(self) -> int:
        """Bits of a word of indices: of a fetch, or only of the entries in it where all are as wide as an
        address, so that much would be left over."""
        return self.entries_per_fetch * (self.index_bits + 1) if self.scheduled else self.fetch_bits

    @property
    def words_of_row(self) -> int:
        return 1 << self.address.bank_bits if self.replicated else 1

    @property
    def requantiser_sources(self) -> int:
        return self.pes

    @property
    def results_wait(self) -> bool:
        return self.replicated

    @property
    def pipeline(self) -> Pipeline:
        # An entry is issued one cycle before its address.
        return super().pipeline.later(self.accepts)

    @property
    def accepts(self) -> int:
        """The stage of the pipeline in which an entry is let go."""
        return 1 + self.route_register

    @property
    def memory_shapes(self) -> tuple[MemoryShape, ...]:
        index = MemoryShape("index", self.walkers, self.index_words, self.index_word_bits)
        return (*super().memory_shapes, index)

    @property
    def heard_lanes(self) -> int:
        return 1 if self.replicated else self.pes

    @property
    def own_controls(self) -> bool:
        return not self.scheduled

    @property
    def control_path(self) -> dict[str, float]:
        if self.scheduled:
            return {**super().control_path, "entry_levels": levels(self.entries_per_fetch)}
        # An entry is chosen from its word and added to the last address, then arbitrated for.
        return {
            **super().control_path,
            "pes": self.pes if self.replicated else self.walkers,
            "arbitrated": self.walkers > 1,
            "entry_levels": levels(self.entries_per_fetch),
            "relative": self.relative,
            "relative_bits": self.address.bits * self.relative,
            # The lowest bit of a sum, which tells two banks apart, waits for no carry.
            "carried_bank": self.relative and not self.replicated and self.address.bank_bits > 1,
        }

    @property
    def organisation(self) -> str:
        """Where the activations are, and who may read them: *replicated*, *banked* or *scheduled*."""
        banked = "banked registered" if self.route_register else "banked"
        return "scheduled" if self.scheduled else "replicated" if self.replicated else banked

    @property
    def label(self) -> str:
        return f"{self.engine} {self.organisation}"

    @property
    def structures(self) -> tuple[Amounts, ...]:
        if self.scheduled:
            return self._scheduled_units(), self._scheduler(), processing_elements(self), self._told_route()
        route = self._replicated_route() if self.replicated else self._banked_route()
        pes, shared = processing_elements(self), requantisers(self, 1)
        return self._addresses(), self._controller(), pes, route, self._sequencers(), *shared

    def _addresses(self) -> Amounts:
        position = self.address.bits if self.relative else 0
        row, at = bits_for(self.most_groups), bits_for(self.index_words + 1)
        # The place in a fetch is counted even where it can only be the first.
        counted = bits_for(self.entries_per_fetch)
        gates = {
            "one": 1,
            "cells_entry_choice_bits": (self.entries_per_fetch - 1) * self.entry_bits,
            "fabric_entry_choice_bits": four_way(self.entries_per_fetch) * self.entry_bits,
            "position_bits": position,
            # A group of inputs is counted and compared as a row is.
            "row_bits": row + self.group_bits,
            # PE 0 has a row in every group, so only the others ask whether they have one in the last.
            "last_group_bits": row * (self.walkers - 1) / self.walkers,
            "counted_bits": at + counted + self.run_bits,
        }
        registers = {
            "one": 1,
            "counted_bits": row + at + self.run_bits + self.group_bits,
            "held_bits": position + counted + choosing_bits(self.entries_per_fetch) + self._routed_bits,
        }
        return Amounts("address", self.walkers, "pruned.address", gates, registers)

    @property
    def _routed_bits(self) -> int:
        """Bits of an entry in the register before the arbiters."""
        return (self.address.bits + 3 + bool(self.bias_words)) * self.route_register

    def _controller(self) -> Amounts:
        counted = descriptor_counted_bits(self)
        # The PEs that have a row in the last group are found for its beginning and, in lockstep, for its end.
        decoded = (self.pes + (self.walkers if self.lockstep > 1 else 0)) * bits_for(self.pes)
        loaded = self.pes * loaded_address_bits(self, self.weight_words)
        loaded += self.walkers * loaded_address_bits(self, self.index_words)
        gates = {
            "one": 1,
            "pes": self.walkers,
            "decoded_bits": decoded,
            "counted_bits": counted,
            "loaded_address_bits": loaded,
        }
        registers = {"one": 1, "field_bits": field_bits(self), "counted_bits": counted}
        return Amounts("controller", 1, "pruned.controller", gates, registers)

    def _sequencers(self) -> Amounts:
        counted = bits_for(self.weight_words + 1) + bits_for(self.weights_per_fetch)
        gates = {"one": 1, "counted_bits": counted}
        registers = {"one": 1, "counted_bits": counted, "held_bits": choosing_bits(self.weights_per_fetch)}
        return Amounts("sequencer", self.walkers, "pruned.sequencer", gates, registers)

    def _replicated_route(self) -> Amounts:
        pes, row_bits = self.pes, self.address.row_bits
        gates = {
            "one": 1,
            "pes": pes,
            "bus_bits": (pes - 1) * self.result_bits,
            "bus_row_bits": (pes - 1) * row_bits,
            "row_bits": pes * row_bits,
            **bank_gates(self),
        }
        registers = {"pes": pes, "row_bits": pes * row_bits}
        return Amounts("route", 1, "replicated.route", gates, registers)

    def _banked_route(self) -> Amounts:
        pes, walkers, address = self.pes, self.walkers, self.address
        rows = pes * address.row_bits
        gates = {
            "one": 1,
            "asks": pes * (walkers - 1),
            "crossed_activation_bits": walkers * (pes - 1) * self.activation_bits,
            "crossed_row_bits": (walkers - 1) * rows,
            "row_bits": rows,
            **bank_gates(self),
        }
        registers = {"pes": pes, "row_bits": rows, "bank_bits": (walkers + 1) * address.bank_bits}
        is_late = self.relative and not self.route_register
        late = {f"late_{name}": amount * is_late for name, amount in gates.items()}
        return Amounts("route", 1, "banked.route", gates, registers, late=late)

    def _scheduled_units(self) -> Amounts:
        """What each unit makes of its entries, where a schedule was found."""
        seen = bits_for(self.bias_words + 1) if self.bias_words else 0
        row_field = self.index_bits - self.address.bank_bits
        gates = {
            "one": 1,
            "cells_entry_choice_bits": (self.entries_per_fetch - 1) * (self.index_bits + 1),
            "fabric_entry_choice_bits": four_way(self.entries_per_fetch) * (self.index_bits + 1),
            "row_field_bits": row_field,
            "seen_bits": seen,
        }
        at = self.pipeline
        registers = {
            "ends_bits": at.finish - 1,
            "first_bits": 1 + (at.accumulate - at.take if seen else 0),
            "heard_bits": self.address.bank_bits,
            "seen_bits": seen,
        }
        return Amounts("address", self.pes, "scheduled.address", gates, registers)

    def _scheduler(self) -> Amounts:
        """The one controller, where a schedule was found."""
        counted = (
            descriptor_counted_bits(self)
            + bits_for(self.most_steps)
            + bits_for(self.index_words + 1)
            + bits_for(self.entries_per_fetch)
            + bits_for(self.weight_words + 1)
            + bits_for(self.weights_per_fetch)
        )
        loaded = sum(loaded_address_bits(self, words) for words in (self.weight_words, self.index_words))
        gates = {
            "one": 1,
            "pes": self.pes,
            "decoded_bits": self.pes * bits_for(self.pes),
            "counted_bits": counted,
            "loaded_address_bits": self.pes * loaded,
        }
        choosing = choosing_bits(self.entries_per_fetch) + choosing_bits(self.weights_per_fetch)
        registers = {
            "one": 1,
            "field_bits": field_bits(self),
            "counted_bits": counted + choosing,
            "tap_bits": self.pipeline.write,
        }
        return Amounts("controller", 1, "scheduled.controller", gates, registers)

    def _told_route(self) -> Amounts:
        """The multiplexers that bring the words of banks to PEs, and the rows of results."""
        pes, rows = self.pes, self.pes * self.address.row_bits
        gates = {
            "one": 1,
            "crossed_activation_bits": pes * (pes - 1) * self.activation_bits,
            "biased_bits": pes * self.activation_bits if self.bias_words else 0,
            "row_bits": rows,
            **bank_gates(self),
        }
        return Amounts("route", 1, "scheduled.route", gates, {"pes": pes, "row_bits": rows})
