"""The dense engine: a counter for an address, one word broadcast to all PEs."""

from __future__ import annotations

import pyrtl

from rtl.engines.lockstep import Source, Step, build_lockstep
from rtl.parts.components import Wire, register
from rtl.parts.sizes import LockstepSizes
from rtl.parts.skeleton import Hardware


def build_dense(sizes: LockstepSizes) -> Hardware:
    """Describes a dense engine of the given sizes."""
    return build_lockstep(sizes, _counter)


def _counter(sizes: LockstepSizes, field: dict[str, Wire], step: Step) -> Source:
    address = sizes.address
    now = register(address.bits, "now")
    following = address.add(now, pyrtl.Const(address.encode(1), address.bits))
    rewind = step.stage_start | (step.issue & step.last)
    now.next <<= pyrtl.select(rewind, pyrtl.Const(0, address.bits), pyrtl.select(step.issue, following, now))
    return Source(now, [pyrtl.Const(1, 1)], None)
