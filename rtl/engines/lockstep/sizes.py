"""Sizes of an engine whose PEs march in step, and what it is made of apart from its address source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rtl.parts.amounts import (
    bank_gates,
    choosing_bits,
    descriptor_counted_bits,
    field_bits,
    loaded_address_bits,
    processing_elements,
    requantisers,
    rotator,
)
from rtl.parts.components import bits_for
from rtl.parts.descriptor import SizeError
from rtl.parts.sizes import Amounts, Sizes

ADDRESS_AMOUNTS = (
    *("counter_bits", "counter_wrap_bits", "one_enable"),
    *("ring_bits", "ring_wrap_bits", "turned_enables", "ring_chosen_bits"),
    *("stride_bits", "stride_wrap_bits", "boundary_bits", "passed_boundaries"),
    *("chosen_step_bits", "counted_bits", "pattern_bits"),
)
"""What only some address sources have: the dense counter, the CSC ring, the strides and blocks."""


@dataclass(frozen=True, kw_only=True, repr=False)
class LockstepSizes(Sizes):
    """Sizes of an engine whose PEs march in step.

    `longest_pause`: the most cycles that a stage waits after a group until its results are written. `pieces`:
    a stage may have several descriptors. `most_run`: the most groups of a run, of which the last may be
    smaller, where there are runs; `idle`: a full group may leave PEs idle.
    """

    longest_pause: int
    pieces: bool = False
    most_run: int = 0
    idle: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pes % self.banks:
            raise SizeError(f"banks is {self.banks}, allowed are divisors of pes ({self.pes})")
        if self.shared_requantiser and self.banks == self.pes:
            raise SizeError("shared_requantiser is true, allowed with as many banks as PEs is false")

    @property
    def own_fields(self) -> tuple[tuple[str, int], ...]:
        pause = (("pause", bits_for(self.longest_pause + 1)),) if self.longest_pause else ()
        place = bits_for(self.pes)
        runs = (("run_less_one", bits_for(self.most_run)), ("run_valid_less_one", place))
        return (
            *self.step_fields,
            *pause,
            *((("continues", 1),) if self.pieces else ()),
            *(runs if self.most_run else ()),
            *((("full_less_one", place),) if self.idle else ()),
        )

    @property
    def step_fields(self) -> tuple[tuple[str, int], ...]:
        """What the descriptor says of the steps of a group: how many."""
        return (("steps_less_one", bits_for(self.longest_row)),)

    @property
    def held_fields(self) -> tuple[str, ...]:
        return (*super().held_fields, *(("continues",) if self.pieces else ()))

    def lockstep_structures(self, address: Amounts, route: Amounts) -> tuple[Amounts, ...]:
        """The components of an engine with this address source and this route."""
        top = Amounts("top", 1, "lockstep.top", {"one": 1, "pes": self.pes}, {})
        shared = requantisers(self, self.banks)
        return top, address, self._controller(), processing_elements(self), route, *shared

    def address_amounts(self, registers: int, **own: float) -> Amounts:
        """The rows and read enables that every bank is given, and what an engine adds of its `own`."""
        gates = dict.fromkeys(ADDRESS_AMOUNTS, 0.0) | own
        gates |= {"one": 1.0, "row_bits": (self.banks - 1) * self.address.row_bits}
        return Amounts("address", 1, "lockstep.address", gates, {"register_bits": registers})

    @property
    def rhythm_amounts(self) -> Amounts:
        """What a rhythm of its own adds to the controller."""
        gates = {"rhythm_pes": 0, "rhythm_decoded_bits": 0, "rhythm_counted_bits": 0}
        return Amounts("controller", 1, "lockstep.controller", gates, {"rhythm_bits": 0})

    @property
    def placing_amounts(self) -> Amounts:
        """What it adds to the route that PEs pass words on, and that results are placed elsewhere than in row
        after row."""
        names = ("passed_bits", "shared_bits", "placed_bits", "turned_bits", "turned_row_bits")
        return Amounts("route", 1, "lockstep.route", dict.fromkeys(names, 0), {"placed_bits": 0})

    def route_amounts(self, lanes: int, *, heard: Sequence[int] = ()) -> Amounts:
        """`heard`: how many lanes each PE chooses one of."""
        pes, banks, bits, address = self.pes, self.banks, self.activation_bits, self.address
        gates = {
            "one": 1,
            **bank_gates(self),
            "queued_bits": (pes - banks) * (self.result_bits + 1),
            "rotated_bits": bits * rotator(banks, lanes),
            "heard_bits": bits * sum(number - 1 for number in heard),
            "biased_bits": bits * lanes if self.bias_words else 0,
            **self.placing_amounts.gates,
        }
        registers = {
            "bank_bits": address.bank_bits,
            "lane_bits": sum(number > 1 for number in heard) * bits_for(lanes),
            **self.placing_amounts.registers,
        }
        return Amounts("route", 1, "lockstep.route", gates, registers)

    def _controller(self) -> Amounts:
        chunks = self.pes // self.banks
        pausing = bits_for(self.longest_pause + 1) if self.longest_pause else 0
        row_after_row = not self.placing_amounts.gates["placed_bits"]
        counted = (
            bits_for(self.longest_row)
            + bits_for(self.most_groups)
            + bits_for(self.weights_per_fetch)
            + bits_for(self.weight_words + 1)
            + (self.address.row_bits if row_after_row else 0)
            + (bits_for(self.most_run) if self.most_run else 0)
            + (bits_for(chunks) if chunks > 1 else 0)
            + descriptor_counted_bits(self)
        )
        gates = {
            "one": 1,
            "pes": self.pes,
            "decoded_bits": self.pes * bits_for(self.pes) * (2 if self.most_run else 1),
            "counted_bits": counted,
            "pausing_bits": pausing,
            "loaded_address_bits": self.pes * loaded_address_bits(self, self.weight_words),
            **self.rhythm_amounts.gates,
        }
        # A valid bit of each PE in every stage of the pipeline.
        registers = {
            "one": 1,
            "valid_bits": self.pes * self.pipeline.write,
            "field_bits": field_bits(self),
            "counted_bits": counted + choosing_bits(self.weights_per_fetch),
            "pausing_bits": pausing,
            **self.rhythm_amounts.registers,
        }
        return Amounts("controller", 1, "lockstep.controller", gates, registers)
