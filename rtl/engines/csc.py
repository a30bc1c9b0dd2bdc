"""The CSC engine: counter plus stride, modulo N. All PEs read at once, consecutive words, rotated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyrtl

from rtl.engines.lockstep.controller import Step
from rtl.engines.lockstep.machine import Source, build_lockstep
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.amounts import rotator, wrap_bits
from rtl.parts.components import Wire, bits_for, register
from rtl.parts.sizes import Amounts
from rtl.parts.skeleton import Hardware


@dataclass(frozen=True, kw_only=True)
class CscSizes(LockstepSizes):
    """`most_mirrors`: how often a stage's first results are written again past the end of the vector
    (more than once only for vectors shorter than the number of PEs)."""

    engine: ClassVar[str] = "csc"

    most_mirrors: int

    @property
    def own_fields(self) -> tuple[tuple[str, int], ...]:
        pair = self.address.bits
        return (
            *super().own_fields,
            ("stride", pair),
            ("advance", pair),
            ("modulus", pair),
            ("outputs", pair),
            ("mirrors", bits_for(self.most_mirrors + 1)),
        )

    @property
    def held_fields(self) -> tuple[str, ...]:
        return (*super().held_fields, "outputs", "mirrors")

    @property
    def structures(self) -> tuple[Amounts, ...]:
        address = self.address_amounts(
            2 * self.address.bits,
            ring_bits=self.address.bits,
            ring_wrap_bits=wrap_bits(self.address),
            turned_enables=rotator(self.banks, self.banks),
        )
        route = self.route_amounts(self.pes, mirrors=bits_for(self.most_mirrors + 1))
        return self.lockstep_structures(address, route)


def build_csc(sizes: CscSizes) -> Hardware:
    """Describes a CSC engine of the given sizes."""
    return build_lockstep(sizes, _cyclic, mirrored=True)


def _cyclic(sizes: LockstepSizes, field: Mapping[str, Wire], step: Step) -> Source:
    """Output j takes taps j, j + stride, j + 2 stride, … modulo N; the group's first output is `base`."""
    address = sizes.address
    base, now = register(address.bits, "base"), register(address.bits, "now")
    strided = address.modulo_add(now, field["stride"], field["modulus"])
    next_base = address.modulo_add(base, field["advance"], field["modulus"])
    zero = pyrtl.Const(0, address.bits)
    group_ends = step.issue & step.last
    base.next <<= pyrtl.select(step.stage_start, zero, pyrtl.select(group_ends, next_base, base))
    now.next <<= pyrtl.select(
        step.stage_start, zero, pyrtl.select(group_ends, next_base, pyrtl.select(step.issue, strided, now))
    )
    return Source(now, step.valid, None)
