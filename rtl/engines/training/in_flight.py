"""What samples leave on an engine that takes one forward while an older one goes back: labels, and signals.

A stage takes sample t - s forward in step t, and sample t - S back, of S stages. The signals of samples on
their way lie in a ring of rows for the inputs of each stage: those that a stage makes replace those of the
sample that goes back, which its head has read, and whose place is the only one that has to be known. Inputs
come before a step begins, and so in place of those of the sample that went back in the step before.

With every label comes a bit that says that there is a sample. Without one errors are 0 and scores are not
given, so that nothing that was never written comes to count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyrtl

from rtl.engines.training.sequencer import Issued
from rtl.engines.training.sizes import TrainingSizes
from rtl.parts.arithmetic import choose
from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, register, staged
from rtl.parts.skeleton import Description

if TYPE_CHECKING:
    from rtl.engines.training.machine import Banked, Travelling


class Labels:
    """The labels of samples on their way. `label` is that of the sample that goes back, which there may not
    be (`goes_back`); `scored` says that there is one that goes forward through the last stage."""

    def __init__(self, sizes: TrainingSizes, described: Description) -> None:
        bits, stages = bits_for(sizes.trained[-1].outputs), len(sizes.trained)
        given, loads = fit(described.ports.load_data, bits + 1), described.loads("label")
        labels = staged(given[:bits], "label", stages + 1, enable=loads)
        there = staged(given[bits], "there", stages + 1, reset=True, enable=loads)
        self.label, self.goes_back = labels[stages + 1], there[stages + 1]
        self.scored = there[stages]


class KeptSignals:
    """The signals of samples that go back, a bank for each PE. Around rings outputs may come to be written in
    the cycle of a head, which reads the same half: then they are a cycle later, in which there is no head."""

    def __init__(self, sizes: TrainingSizes, issued: Issued, at: Travelling, described: Description) -> None:
        self.sizes, self.issued, self.at, self.described = sizes, issued, at, described
        with component("address"):
            self.begins = [self._oldest(number) for number in range(len(sizes.rows))]
        self.written = at.written

    def _oldest(self, number: int) -> Wire:
        """Where the rows of the sample that goes back begin, of the inputs of a stage or the last outputs."""
        rows, copies, base = self.sizes.rows[number], self.sizes.copies[number], self.sizes.kept_bases[number]
        bits = bits_for(self.sizes.kept_rows(number % 2))
        if copies == 1:
            return pyrtl.Const(base, bits)
        oldest = register(bits_for(rows * copies), f"oldest_{number}", reset=True)
        following = pyrtl.select(
            oldest == rows * (copies - 1), pyrtl.Const(0, len(oldest)), fit(oldest + rows, len(oldest))
        )
        oldest.next <<= pyrtl.select(self.issued.starting, following, oldest)
        return fit(oldest + pyrtl.Const(base, bits), bits)

    def words(
        self, own: Banked, taken: Banked, written: Banked, made: Callable[..., Wire]
    ) -> list[tuple[Wire, Wire]]:
        """The words of the banks of both halves, which heads read as their `own` and taps with those that
        they have `taken`; results are `written`. `made` makes a memory."""
        if self.sizes.rotates:
            written = self._later(written)
        return list(zip(*(self._half(half, own, taken, written, made) for half in (0, 1)), strict=True))

    def _later(self, written: Banked) -> Banked:
        """What is written, a cycle later where a head is issued."""
        with component("address"):
            late = delayed(named(self.written & self.issued.head, "meets_head"), "late_results", reset=True)
            self.written = (self.written & ~self.issued.head) | late
            row = written.rows[0]
            place = pyrtl.select(late, delayed(row, "row_late"), row)
            enables = [
                pyrtl.select(late, delayed(enable, f"valid_late_{p}"), enable)
                for p, enable in enumerate(written.enables)
            ]
        return replace(written, enables=enables, rows=[place] * len(enables))

    def _half(
        self, half: int, own: Banked, taken: Banked, written: Banked, made: Callable[..., Wire]
    ) -> Sequence[Wire]:
        sizes, at, issued, load = self.sizes, self.at, self.issued, self.described.ports
        rows, parity = sizes.kept_rows(half), issued.stage[0]
        bits = bits_for(rows)
        with component("address"):
            none = pyrtl.Const(0, bits)
            begins = [of if number % 2 == half else none for number, of in enumerate(self.begins)]
            inputs, outputs = choose(issued.stage, begins[:-1]), choose(issued.stage, begins[1:])
            base = choose(at.stage[5], begins[1:])
            taps = named(issued.tap & (parity == half), f"taps_of_kept_{half}")
            writes = named(self.written & (at.stage[5][0] != half), f"results_of_kept_{half}")
        words = []
        for p in range(sizes.pes):
            loading = self.described.loads("input", p) if half == 0 else pyrtl.Const(0, 1)
            with component("address"):
                given, result = begins[0] + fit(load.load_address, bits), base + written.rows[p]
                to = pyrtl.select(loading, fit(given, bits), fit(result, bits))
                own_row, tap_row = fit(outputs + own.rows[p], bits), fit(inputs + taken.rows[p], bits)
                from_ = pyrtl.select(issued.head, own_row, tap_row)
                writing = named((writes & written.enables[p]) | loading, f"writes_kept_{half}_{p}")
                place = named(pyrtl.select(writing, to, from_), f"kept_{half}_row_{p}")
            data = pyrtl.select(loading, fit(load.load_data, sizes.activation_bits), written.words[p])
            words.append(
                made(
                    *(f"kept_{half}", p, rows, sizes.activation_bits),
                    read_enable=(own.enables[p] & (parity != half)) | (taps & taken.enables[p]),
                    read_address=place,
                    write_enable=writing,
                    write_address=place,
                    write_data=data,
                )
            )
        return words
