"""The countdown engine: a dense engine that takes the inputs from the last to the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyrtl

from rtl import Hardware
from rtl.engines.lockstep.controller import Step
from rtl.engines.lockstep.machine import Source, build_lockstep
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.components import Wire, register


@dataclass(frozen=True, kw_only=True)
class CountdownSizes(LockstepSizes):
    """Sizes of a countdown engine."""

    engine: ClassVar[str] = "countdown"

    @property
    def own_fields(self) -> tuple[tuple[str, int], ...]:
        return (*super().own_fields, ("highest", self.address.bits))


def build_countdown(sizes: CountdownSizes) -> Hardware:
    """Describes a countdown engine of the given sizes."""
    return build_lockstep(sizes, _countdown)


def _countdown(sizes: LockstepSizes, field: Mapping[str, Wire], step: Step) -> Source:
    address = sizes.address
    taken, zero = register(address.bits, "taken"), pyrtl.Const(0, address.bits)
    following = address.add(taken, pyrtl.Const(address.encode(1), address.bits))
    rewind = step.stage_start | (step.issue & step.last)
    taken.next <<= pyrtl.select(rewind, zero, pyrtl.select(step.issue, following, taken))
    return Source(address.subtract(field["highest"], taken), [pyrtl.Const(1, 1)], None)
