"""A training engine for rings: PEs read consecutive words, each its own, and add consecutive products to the
sums of the errors of those.

P consecutive words lie in P banks, so that they are read at once and turned to their PEs; the products of
errors are turned the other way into P sums, at once too. Where the ring ends within a group, what lies beyond
its end is read a cycle later from its start, in the same banks: a ring whose length is no multiple of P has
no other banks for it but copies, which would have to be written, and their sums added to those of the words
that they are copies of.

Consecutive taps overlap. A sum is read 2 cycles after the issue of its tap and written in the next, so that
only the tap after reads a sum that is being written: then it is given the newest one of that bank, which is
kept for it. That costs a register of a sum, a comparison of rows and a multiplexer a bank, and no cycle.
Sums begin at 0: the head of a group leaves zeros where it has read, and the load port where it loads weights.

Backward, words of weights are read in even cycles and written in odd ones, 4 or 5 cycles after their last
tap; a tap that reads one waits for an even cycle.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyrtl

from rtl.engines.training.machine import Banked, Operands, TrainingMachine, by_number
from rtl.engines.training.sequencer import Counters, Marks, Walk, of_stage
from rtl.engines.training.sizes import TrainingSizes
from rtl.engines.training.stages import RingStage
from rtl.parts.arithmetic import BankedAddress, rotate
from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, register, staged, wire
from rtl.parts.processing_element import only_if


class Ring(Walk):
    """Around the ring. PE p has the word at `address` + p where the ring has one: the address is below 0
    where PEs had theirs before the end of the ring (`again`). A word of weights is done with its last tap, in
    an odd cycle backward, so that it may be a cycle `late`."""

    def __init__(self, sizes: TrainingSizes, now: Counters, banked: BankedAddress) -> None:
        self.sizes, self.stage, self.banked, self.overlapped = sizes, now.stage, banked, sizes.overlapped
        stages, pes, bits, lanes = sizes.trained, sizes.pes, banked.bits + 1, banked.bank_bits
        self.base, self.start = (register(banked.bits, name) for name in ("group_begins", "tap_begins"))
        self.present = register(bits, "now")
        self.address = self.present[: banked.bits]
        self.again = self.present[-1]
        self.outputs = fit(pyrtl.concat(now.group, pyrtl.Const(0, lanes)), banked.bits)
        last = [sizes.last_valid(s) for s in stages]
        full = [of_stage(now.stage, [valid > p for valid in last], 1) for p in range(pes)]
        self.valid = [~now.last_group | bit for bit in full]
        self.backward = now.backward
        self.odd, self.late = register(1, "odd"), register(1, "late", reset=True)
        self.reads_weight = ~now.tap[0] & ~self.again
        self.held = self.backward & self.odd & self.reads_weight
        self.word_done = wire(1, "word_done")
        self.ring = of_stage(now.stage, [s.inputs for s in stages], bits)
        self.left = named(fit(self.ring - self.present, bits), "left_of_ring")
        ample, few = pyrtl.or_all_bits(self.left[lanes:]), self.left[:lanes]
        some = pyrtl.Const(pes, lanes + 1)
        group = pyrtl.select(now.last_group, of_stage(now.stage, last, lanes + 1), some)
        self.more = named(~ample & (few.zero_extended(lanes + 1) < group), "more")
        # Below 0, the banks from that of the address on are those of PEs that had their words.
        before = [fit(banked.bank(self.address) + pyrtl.Const(p, lanes), lanes + 1)[-1] for p in range(pes)]
        self.active = [
            named(valid & (ample | (few > p)) & (~self.again | begun), f"active_{p}")
            for p, (valid, begun) in enumerate(zip(self.valid, before, strict=True))
        ]

    def follow(self, marks: Marks) -> Wire:
        sizes, banked, bits = self.sizes, self.banked, self.banked.bits
        rings = [s for s in sizes.trained if isinstance(s, RingStage)]
        stride = of_stage(self.stage, [s.stride % s.inputs for s in rings], bits)
        advance = of_stage(self.stage, [sizes.pes % s.inputs for s in rings], bits)
        moved = banked.modulo_add(
            pyrtl.select(marks.over, self.base, self.start),
            pyrtl.select(marks.over, advance, stride),
            self.ring,
        )
        none, wide = pyrtl.Const(0, bits), len(self.present)
        self.base.next <<= pyrtl.select(marks.begins, none, pyrtl.select(marks.over, moved, self.base))
        self.start.next <<= pyrtl.select(marks.begins, none, pyrtl.select(marks.ends, moved, self.start))
        beyond = pyrtl.select(marks.issues, fit(pyrtl.Const(0, wide) - self.left, wide), self.present)
        on = pyrtl.select(marks.ends, fit(moved, wide), beyond)
        self.present.next <<= pyrtl.select(marks.begins, pyrtl.Const(0, wide), on)
        self.odd.next <<= marks.begins | ~self.odd
        even = self.backward & ~self.odd
        self.late.next <<= marks.ends_word & even
        self.word_done <<= (marks.ends_word & ~even) | self.late
        return self.word_done


class Rotated(TrainingMachine):
    """Outputs of a group lie in one row of all banks."""

    walk: Ring

    def _walk(self, counters: Counters) -> Ring:
        return Ring(self.sizes, counters, self.banked)

    def _own(self) -> Banked:
        return Banked(self.walk.valid, [self.banked.row(self.walk.outputs)] * self.sizes.pes)

    def _taken(self) -> Banked:
        with component("address"):
            rows, banks = self.banked.rows_from(self.walk.address), self._to_banks(self.walk.active, 0)
        with component("controller"):
            self.banks = by_number(banks, "bank", 3)
            self.again = staged(self.walk.again, "again", 3)
            done = self.walk.word_done & self.walk.backward
            self.word_done = staged(done, "word_done", 4, reset=True)
            self.late = staged(self.walk.late, "late", 4)
        return Banked(banks, rows)

    def _to_banks(self, lanes: Sequence[Wire], t: int) -> list[Wire]:
        """What PEs have of the words of a tap, so many cycles after its issue, at the banks of those."""
        return self.banked.spread(lanes, self.at.place[t])

    def _written(self) -> Banked:
        row = self.banked.row(self.at.outputs[5])
        return Banked(self.at.valid[5], [row] * self.sizes.pes, self.results)

    def _accumulates(self, p: int) -> Wire:
        return self.at.forward[3] & self.at.active[3][p]

    def _advances(self, p: int) -> Wire:
        """Once a tap: with the word of the PE, or where it has none in the first cycle."""
        return self.at.backward[3] & (self.at.active[3][p] | ~(self.at.valid[3][p] | self.again[3]))

    def _writes_weight(self, p: int) -> tuple[Wire, Wire]:
        at = self.at
        valid = pyrtl.select(self.late[4], at.valid[5][p], at.valid[4][p])
        return self.word_done[4] & valid, at.weight[4]

    def _moved(self, p: int, moved: Wire) -> tuple[Wire, Wire]:
        moves = self.at.backward[3] & self.at.active[3][p]
        first = delayed(moved, "moved_first", enable=moves & self.at.even[3])
        return first, delayed(moved, "moved", enable=moves)

    def _sums(self, half: int) -> list[Wire]:
        """The sums of errors of the outputs of stages of one parity, a bank for each PE. Stage s reads those
        of its outputs from the half of its parity, a group at once, and adds those of its inputs to the
        other."""
        sizes, at, issued, banked = self.sizes, self.at, self.issued, self.banked
        words, last = sizes.sum_rows(half), len(sizes.trained) - 1
        bits, given = bits_for(words), self.load.load_address
        with component("address"):
            of_half = [named(at.stage[t][0] == half, f"half_{half}_{t}") for t in range(4)]
            reads = issued.head & of_half[0] & (issued.stage != last)
            adds = [at.backward[t] & ~of_half[t] & (at.stage[t] != 0) for t in (2, 3)]
            zeros = at.head & of_half[1] & (at.stage[1] != last)
        made = []
        for b in range(sizes.pes):
            loading = self.described.loads("weight", b)
            cleared = pyrtl.select(loading, fit(given, bits), fit(banked.row(at.outputs[1]), bits))
            added = adds[1] & self.banks[3][b]
            made.append(
                self._made(
                    *(f"sum_{half}", b, words, sizes.sum_bits),
                    read_enable=(reads & self.walk.valid[b]) | (adds[0] & self.banks[2][b]),
                    read_address=fit(pyrtl.select(reads, self.own.rows[b], self.rows[2][b]), bits),
                    write_enable=loading | (zeros & at.valid[1][b]) | added,
                    write_address=pyrtl.select(added, fit(self.rows[3][b], bits), cleared),
                    write_data=only_if(added, self.new_sums[b]),
                )
            )
        return made

    def _operands(self, signals: Sequence[Wire], kept: Sequence[Wire]) -> Operands:
        at, pes = self.at, self.sizes.pes
        self.new_sums = []
        for b in range(pes):
            with component("sums", b):
                self.new_sums.append(wire(self.sizes.sum_bits, "total"))
        with component("address"):
            self.rows = {t: self.banked.rows_from(at.place[t]) for t in (2, 3)}
        self.low, self.high = self._sums(0), self._sums(1)
        with component("route"):
            first = self.banked.bank(at.place[1])
            turned = rotate(list(signals), first, pes)
            parity = at.stage[1][0]
            taken = again = [
                delayed(word, f"signal_2_{p}", enable=at.tap[1]) for p, word in enumerate(turned)
            ]
            if self.sizes.overlapped:
                turned = rotate(list(kept), first, pes)
                again = [delayed(word, f"kept_2_{p}", enable=at.tap[1]) for p, word in enumerate(turned)]
            return Operands(
                signals=taken,
                kept=again,
                outputs=list(kept),
                sums=[pyrtl.select(parity, *pair) for pair in zip(self.high, self.low, strict=True)],
            )

    def _add_up(self, products: Sequence[Wire]) -> None:
        at = self.at
        with component("route"):
            turned = self._to_banks(products, 3)
        for b, product in enumerate(turned):
            with component("sums", b):
                same = self.rows[2][b] == self.rows[3][b]
                again = named(self.banks[2][b] & self.banks[3][b] & at.tap[3] & same, "again")
                adds = self.banks[3][b] & at.backward[3]
                newest = register(self.sizes.sum_bits, "newest")
                read = pyrtl.select(at.stage[3][0], self.low[b], self.high[b])
                kept = pyrtl.select(delayed(again, "again_3"), newest, read)
                bits = self.sizes.sum_bits
                total = fit(kept + product.sign_extended(bits), bits)
                newest.next <<= pyrtl.select(adds, total, newest)
                self.new_sums[b] <<= total
