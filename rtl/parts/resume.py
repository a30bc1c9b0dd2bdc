"""Counters of addresses that need not begin at zero: an engine goes on from where its start says."""

from __future__ import annotations

from dataclasses import dataclass

import pyrtl

from rtl.parts.components import Wire, counted, fit, register


def moved(register: Wire, sets: Wire, origin: Wire, steps: Wire, following: Wire) -> None:
    """Makes a register go to its origin where it `sets`, and on where it `steps`; else it is not clocked."""
    register.next <<= pyrtl.select(sets | steps, pyrtl.select(sets, origin, following), register)


@dataclass(frozen=True)
class Resume:
    """From where the engine is started in this cycle: the `first` stage of all, `again` where it began last,
    or else where it has stopped."""

    first: Wire
    again: Wire

    def counts(self, counter: Wire, name: str, *, starting: Wire, steps: Wire) -> None:
        """Makes a register of addresses go to where a start says, and else count the cycles of `steps`."""
        bits = len(counter)
        origin, following = register(bits, f"{name}_origin"), fit(counter + 1, bits)
        begins = pyrtl.select(self.first, pyrtl.Const(0, bits), pyrtl.select(self.again, origin, counter))
        moved(counter, starting, begins, steps, following)
        origin.next <<= pyrtl.select(starting, begins, origin)


def counted_from(counter: Wire, name: str, *, starting: Wire, step: Wire, resume: Resume | None) -> None:
    """Makes a register count the cycles of `step` from zero, or from where a start resumes."""
    if resume is None:
        counted(counter, clear=starting, step=step)
        return
    resume.counts(counter, name, starting=starting, steps=step)
