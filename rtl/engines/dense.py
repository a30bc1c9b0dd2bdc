"""The dense engine: a counter for an address, one word broadcast to all PEs.

Where activations that are zero are skipped, one word of each bank is looked at together, and those that are
not zero are broadcast one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyrtl

from rtl.engines.lockstep.controller import Step
from rtl.engines.lockstep.machine import Source, build_lockstep, build_skipping
from rtl.engines.lockstep.scan import FETCH_STAGE
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.amounts import wrap_bits
from rtl.parts.components import Wire, bits_for, register
from rtl.parts.descriptor import SizeError
from rtl.parts.sizes import Amounts, Pipeline
from rtl.parts.skeleton import Hardware


@dataclass(frozen=True, kw_only=True, repr=False)
class DenseSizes(LockstepSizes):
    """Sizes of a dense engine, which may skip activations that are zero (`skips`)."""

    engine: ClassVar[str] = "dense"

    skips: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.skips and self.sweep:
            raise SizeError("skips is true, allowed for a network of places or steps is false")

    @property
    def label(self) -> str:
        return f"{self.engine} skipping" if self.skips else self.engine

    @property
    def pipeline(self) -> Pipeline:
        return super().pipeline.later(FETCH_STAGE) if self.skips else super().pipeline

    @property
    def step_fields(self) -> tuple[tuple[str, int], ...]:
        if not self.skips:
            return super().step_fields
        rows = bits_for(-(-self.longest_row // self.banks))
        return ("rows_less_one", rows), ("lanes_less_one", bits_for(self.banks))

    @property
    def structures(self) -> tuple[Amounts, ...]:
        if self.skips:
            # Nobody has said what the scan is made of, so no estimate covers it.
            return ()
        address = self.address_amounts(
            self.address.bits,
            counter_bits=self.address.bits,
            counter_wrap_bits=wrap_bits(self.address),
            one_enable=self.banks - 1,
        )
        return self.lockstep_structures(address, self.route_amounts(1))


def build_dense(sizes: DenseSizes) -> Hardware:
    """Describes a dense engine of the given sizes."""
    if sizes.skips:
        return build_skipping(sizes)
    return build_lockstep(sizes, _counter)


def _counter(sizes: LockstepSizes, field: Mapping[str, Wire], step: Step) -> Source:
    address = sizes.address
    now = register(address.bits, "now")
    following = address.add(now, pyrtl.Const(address.encode(1), address.bits))
    rewind = step.stage_start | (step.issue & step.last)
    now.next <<= pyrtl.select(rewind, pyrtl.Const(0, address.bits), pyrtl.select(step.issue, following, now))
    return Source(now, [pyrtl.Const(1, 1)], None)
