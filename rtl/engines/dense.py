"""The dense engine: a counter for an address, one word broadcast to all PEs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyrtl

from rtl.engines.lockstep.controller import Step
from rtl.engines.lockstep.machine import Source, build_lockstep
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.amounts import wrap_bits
from rtl.parts.components import Wire, register
from rtl.parts.sizes import Amounts
from rtl.parts.skeleton import Hardware


@dataclass(frozen=True, kw_only=True, repr=False)
class DenseSizes(LockstepSizes):
    """Sizes of a dense engine."""

    engine: ClassVar[str] = "dense"

    @property
    def structures(self) -> tuple[Amounts, ...]:
        address = self.address_amounts(
            self.address.bits,
            counter_bits=self.address.bits,
            counter_wrap_bits=wrap_bits(self.address),
            one_enable=self.banks - 1,
        )
        return self.lockstep_structures(address, self.route_amounts(1))


def build_dense(sizes: DenseSizes) -> Hardware:
    """Describes a dense engine of the given sizes."""
    return build_lockstep(sizes, _counter)


def _counter(sizes: LockstepSizes, field: Mapping[str, Wire], step: Step) -> Source:
    address = sizes.address
    now = register(address.bits, "now")
    following = address.add(now, pyrtl.Const(address.encode(1), address.bits))
    rewind = step.stage_start | (step.issue & step.last)
    now.next <<= pyrtl.select(rewind, pyrtl.Const(0, address.bits), pyrtl.select(step.issue, following, now))
    return Source(now, [pyrtl.Const(1, 1)], None)
