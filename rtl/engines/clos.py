"""The Clos engine: a transposed count. One word for each block that the group touches, broadcast in it.

Output j of a stage belongs to block j div q; tap k of block b is input k * blocks + b. The blocks that one
group of PEs touches are consecutive, so the words they need are consecutive too: one lane a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyrtl

from rtl.engines.lockstep.controller import Step
from rtl.engines.lockstep.machine import Source, build_lockstep
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.amounts import rotator, wrap_bits
from rtl.parts.components import Wire, bits_for, fit, register
from rtl.parts.sizes import Amounts
from rtl.parts.skeleton import Hardware


@dataclass(frozen=True, kw_only=True)
class ClosSizes(LockstepSizes):
    """`lanes`: the most blocks one group of PEs touches; `largest_block`: the most outputs of a block."""

    engine: ClassVar[str] = "clos"

    lanes: int
    largest_block: int

    @property
    def own_fields(self) -> tuple[tuple[str, int], ...]:
        pair, count = self.address.bits, bits_for(self.largest_block + 1)
        return (
            *super().own_fields,
            ("stride", pair),
            ("block_out", count),
            ("advance_blocks", pair),
            ("advance_outputs", count),
        )

    @property
    def structures(self) -> tuple[Amounts, ...]:
        boundaries, place_bits = self.lanes - 1, bits_for(self.largest_block + 1)
        address = self.address_amounts(
            2 * self.address.bits + place_bits,
            stride_bits=self.address.bits + place_bits,
            stride_wrap_bits=wrap_bits(self.address),
            turned_enables=rotator(self.banks, self.banks),
            boundary_bits=boundaries * (bits_for(self.pes + self.largest_block) + 1),
            passed_boundaries=boundaries * self.pes,
        )
        return self.lockstep_structures(address, self.route_amounts(self.lanes, listens=self.lanes > 1))

    @property
    def control_path(self) -> dict[str, float]:
        return {**super().control_path, "boundaries": self.lanes - 1}


def build_clos(sizes: ClosSizes) -> Hardware:
    """Describes a Clos engine of the given sizes."""
    return build_lockstep(sizes, _transposed)


def _transposed(sizes: LockstepSizes, field: Mapping[str, Wire], step: Step) -> Source:
    assert isinstance(sizes, ClosSizes)
    address = sizes.address
    outputs = field["block_out"]
    count = len(outputs)
    block, now = register(address.bits, "block"), register(address.bits, "now")
    place = register(count, "place")

    # Where the group starts inside its first block, and the block it starts in.
    moved = fit(place, count + 1) + fit(field["advance_outputs"], count + 1)
    crosses = moved >= outputs
    next_place = pyrtl.select(crosses, fit(moved - outputs, count), fit(moved, count))
    next_block = address.add(block, field["advance_blocks"], crosses)
    group_ends = step.issue & step.last
    zero = pyrtl.Const(0, address.bits)
    place.next <<= pyrtl.select(
        step.stage_start, pyrtl.Const(0, count), pyrtl.select(group_ends, next_place, place)
    )
    block.next <<= pyrtl.select(step.stage_start, zero, pyrtl.select(group_ends, next_block, block))
    now.next <<= pyrtl.select(
        step.stage_start,
        zero,
        pyrtl.select(
            group_ends, next_block, pyrtl.select(step.issue, address.add(now, field["stride"]), now)
        ),
    )

    # PE p has passed boundary i when p >= i * block_out - place.
    bits = bits_for(sizes.pes + sizes.largest_block) + 1
    boundaries = []
    boundary = fit(fit(outputs, bits) - place, bits)
    for _ in range(sizes.lanes - 1):
        boundaries.append(boundary)
        grown = boundary + outputs
        # A boundary beyond the last PE stays beyond it: saturating keeps the sum from wrapping.
        boundary = pyrtl.select(boundary >= sizes.pes, boundary, fit(grown, bits))
    passed = [[boundary <= p for boundary in boundaries] for p in range(sizes.pes)]
    lane_bits = bits_for(sizes.lanes)
    lane_of_pe = [_count(row, lane_bits) for row in passed]
    read = [pyrtl.Const(1, 1)] + [
        pyrtl.rtl_any(*[step.valid[p] & passed[p][i] for p in range(sizes.pes)])
        for i in range(sizes.lanes - 1)
    ]
    return Source(now, read, lane_of_pe if sizes.lanes > 1 else None)


def _count(thermometer: list[Wire], bits: int) -> Wire:
    """How many bits of a thermometer are high."""
    value = pyrtl.Const(0, bits)
    for i, bit in enumerate(thermometer, start=1):
        value = pyrtl.select(bit, pyrtl.Const(i, bits), value)
    return value
