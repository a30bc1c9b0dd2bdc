"""A training engine for strided blocks: a signal is broadcast to all PEs, and their products of errors are
added up in a tree.

The sum of the errors of an input is read as its tap is issued and written 4 cycles later, one a tap. The
first group of a block does not read sums but begins them, so nothing is ever cleared; the groups of a block
wait for each other where their taps are fewer.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyrtl

from rtl.engines.training.machine import Banked, Operands, TrainingMachine
from rtl.engines.training.sequencer import Counters, Marks, Walk, of_stage
from rtl.engines.training.sizes import TrainingSizes
from rtl.parts.arithmetic import choose, rotate
from rtl.parts.components import Wire, bits_for, component, delayed, fit, register, wire
from rtl.parts.processing_element import only_if


class Blocks(Walk):
    """Block after block, whose taps lie a stride apart. `begins_block` says that the group is the first."""

    def __init__(self, sizes: TrainingSizes, now: Counters, bits: int) -> None:
        stages = sizes.trained
        self.sizes, self.stage, self.overlapped = sizes, now.stage, sizes.overlapped
        self.address, self.begun, self.outputs = (
            register(bits, name) for name in ("now", "block_begins", "outputs_begin")
        )
        self.in_block = register(len(now.group), "group_of_block", reset=True)
        self.last_of_block = now.is_last(self.in_block, [-(-s.span // sizes.pes) for s in stages])
        self.begins_block = self.in_block == 0
        full = [of_stage(now.stage, [sizes.last_valid(s) > p for s in stages], 1) for p in range(sizes.pes)]
        self.active = self.valid = [~self.last_of_block | bit for bit in full]
        self.held = self.more = pyrtl.Const(0, 1)
        self.reads_weight = ~now.tap[0]

    def follow(self, marks: Marks) -> Wire:
        stages, bits, last_of_block = self.sizes.trained, len(self.address), self.last_of_block
        none = pyrtl.Const(0, bits)
        ends, counted = marks.begins | (marks.over & last_of_block), self.in_block
        counted.next <<= pyrtl.select(
            ends, pyrtl.Const(0, len(counted)), fit(counted + marks.over, len(counted))
        )
        following = pyrtl.select(last_of_block, fit(self.begun + 1, bits), self.begun)
        self.begun.next <<= pyrtl.select(marks.begins, none, pyrtl.select(marks.over, following, self.begun))
        stride = of_stage(self.stage, [s.inputs // s.taps % (1 << bits) for s in stages], bits)
        walked = pyrtl.select(marks.issues, fit(self.address + stride, bits), self.address)
        self.address.next <<= pyrtl.select(marks.begins, none, pyrtl.select(marks.over, following, walked))
        last = of_stage(self.stage, [self.sizes.last_valid(s) for s in stages], bits)
        taken = pyrtl.select(last_of_block, last, pyrtl.Const(self.sizes.pes, bits))
        on = pyrtl.select(marks.over, fit(self.outputs + taken, bits), self.outputs)
        self.outputs.next <<= pyrtl.select(marks.begins, none, on)
        return marks.ends_word


class Broadcast(TrainingMachine):
    """Results of a group are written turned to their banks, where those of the group before ended."""

    walk: Blocks

    def _walk(self, counters: Counters) -> Blocks:
        return Blocks(self.sizes, counters, self.banked.bits)

    def _own(self) -> Banked:
        outputs = self.walk.outputs
        return Banked(self.banked.spread(self.walk.valid, outputs), self.banked.rows_from(outputs))

    def _taken(self) -> Banked:
        pes = range(self.sizes.pes)
        with component("address"):
            bank, row = self.banked.bank(self.walk.address), self.banked.row(self.walk.address)
            return Banked([bank == p for p in pes], [row for _ in pes])

    def _written(self) -> Banked:
        at = self.at
        with component("address"):
            rows = self.banked.rows_from(at.outputs[5])
        with component("route"):
            words = self.banked.spread(self.results, at.outputs[5])
            return Banked(self.banked.spread(at.valid[5], at.outputs[5]), rows, words)

    def _writes_weight(self, p: int) -> tuple[Wire, Wire]:
        """With the second weight of the word. Groups take an even number of cycles, so none is read then."""
        at = self.at
        return at.backward[5] & at.even[5] & at.valid[5][p], at.weight[5]

    def _moved(self, p: int, moved: Wire) -> tuple[Wire, Wire]:
        second = delayed(moved, "moved", enable=self.at.backward[3])
        return delayed(second, "moved_before", enable=self.at.backward[4]), second

    def _sums(self, half: int) -> list[Wire]:
        """The sums of errors of the outputs of stages of one parity, a bank for each PE. Stage s reads those
        of its outputs from the half of its parity, a group at once, and adds those of its inputs to the
        other."""
        sizes, at, issued, banked = self.sizes, self.at, self.issued, self.banked
        bits, parity, parity_4 = bits_for(sizes.sum_rows(half)), issued.stage[0], at.stage[4][0]
        adds = at.backward[0] & (parity != half) & ~self.walk.begins_block & (issued.stage != 0)
        writes = at.backward[4] & (parity_4 != half) & (at.stage[4] != 0)
        bank, row = banked.bank(self.walk.address), banked.row(self.walk.address)
        to, to_row = banked.bank(at.place[4]), banked.row(at.place[4])
        return [
            self._made(
                *(f"sum_{half}", p, sizes.sum_rows(half), sizes.sum_bits),
                read_enable=(self.own.enables[p] & (parity == half)) | (adds & (bank == p)),
                read_address=fit(pyrtl.select(issued.head, self.own.rows[p], row), bits),
                write_enable=writes & (to == p),
                write_address=fit(to_row, bits),
                write_data=self.new_sum,
            )
            for p in range(sizes.pes)
        ]

    def _operands(self, signals: Sequence[Wire], kept: Sequence[Wire]) -> Operands:
        at, pes = self.at, self.sizes.pes
        self.new_sum = wire(self.sizes.sum_bits, "new_sum")
        low, high = self._sums(0), self._sums(1)
        with component("controller"):
            fresh = delayed(self.walk.begins_block, "fresh_1")
        with component("route"):
            bank, own_bank = self.banked.bank(at.place[1]), self.banked.bank(at.outputs[1])
            parity = at.stage[1][0]
            read = pyrtl.select(parity, choose(bank, low), choose(bank, high))
            taken = delayed(only_if(~fresh, read), "sum_2", enable=at.tap[1])
            self.sum_read = delayed(taken, "sum_3")
            sums = [pyrtl.select(parity, *pair) for pair in zip(high, low, strict=True)]
            taken = again = delayed(choose(bank, list(signals)), "signal_2", enable=at.tap[1])
            if self.sizes.overlapped:
                again = delayed(choose(bank, list(kept)), "kept_2", enable=at.tap[1])
            return Operands(
                signals=[taken] * pes,
                kept=[again] * pes,
                outputs=rotate(list(kept), own_bank, pes),
                sums=rotate(sums, own_bank, pes),
            )

    def _add_up(self, products: Sequence[Wire]) -> None:
        with component("tree"):
            bits = self.sizes.sum_bits
            terms = [*(product.sign_extended(bits) for product in products), self.sum_read]
            total = pyrtl.tree_reduce(lambda a, b: fit(a + b, bits), terms)
            self.new_sum <<= delayed(total, "sum_4")
