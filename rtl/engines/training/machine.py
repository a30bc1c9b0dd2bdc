"""The training engine in PyRTL: one sequencer and one address source walk the weights forward and backward.

A tap, by the cycles after its issue:

    0  its signal is read from one bank, its weight in every PE, and backward the sum of errors of its input
    1  operands are taken
    2  products: forward weight * signal; backward weight * error, and error * signal
    3  forward they are added to the PEs' sums; backward those of all PEs are added up in a tree, and to the
       sum that was read; the weight moves
    4  backward: the weight and the sum are written. Forward: a sum that is whole is requantised
    5  forward: the results of all PEs are written

Backward a group begins with a cycle in which PEs read their outputs and the sums of their errors; the errors
are those of the outputs for the whole group. The first group of a block does not read sums but begins them,
so nothing is ever cleared. Memories of signals, sums and weights have a port to read and one to write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyrtl

from rtl.engines.training.arithmetic import cut, even, score_error, updated
from rtl.engines.training.sequencer import Issued, of_stage, sequenced
from rtl.engines.training.sizes import SHIFT_BITS, TrainingSizes
from rtl.parts.arithmetic import BankedAddress, choose, requantise, rotate, signed_product
from rtl.parts.components import (
    Wire,
    bits_for,
    component,
    delayed,
    fit,
    named,
    register,
    staged,
    wire,
)
from rtl.parts.processing_element import only_if
from rtl.parts.skeleton import Description, Hardware, Turn


class _Travelling:
    """What travels with a tap, by the cycles after its issue."""

    def __init__(self, issued: Issued) -> None:
        tap, back = staged(issued.tap, "tap", 5, reset=True), staged(issued.backward, "back", 5)
        self.tap, self.back = tap, back
        self.forward = [named(tap[t] & ~back[t], f"forward_{t}") for t in range(5)]
        self.backward = [named(tap[t] & back[t], f"backward_{t}") for t in range(6)]
        self.head = delayed(issued.head, "head_1", reset=True)
        self.first, self.last = staged(issued.first, "first", 3), staged(issued.last, "last", 4)
        self.place, self.weight = staged(issued.address, "place", 4), staged(issued.weight, "weight_at", 5)
        self.reads_weight = staged(issued.reads_weight, "reads_weight", 5)
        self.outputs, self.stage = staged(issued.outputs, "outputs", 5), staged(issued.stage, "stage", 5)
        self.fresh = delayed(issued.begins_block, "fresh_1")
        self.valid = {0: list(issued.valid)}
        for t in range(1, 6):
            self.valid[t] = [delayed(bit, f"valid_{t}_{p}") for p, bit in enumerate(self.valid[t - 1])]
        self.writes_row = named(self.forward[4] & self.last[4], "finishes")
        self.written = delayed(self.writes_row, "writes_row", reset=True)


@dataclass(frozen=True)
class _Operands:
    """What PEs are given: the signal of a tap that was issued two cycles before; and a cycle after the head
    of a group each its own output, and the sum of the errors of that."""

    signal: Wire
    outputs: Sequence[Wire]
    sums: Sequence[Wire]


def build_training(sizes: TrainingSizes) -> Hardware:
    """Describes a training engine of the given sizes."""
    return _Engine(sizes).finished()


class _Engine:
    """The wires and memories of a training engine while it is being described."""

    def __init__(self, sizes: TrainingSizes) -> None:
        self.sizes, self.described = sizes, Description(sizes)
        self.load = self.described.ports
        with component("controller"):
            self.issued = sequenced(sizes, self.load.start)
            self.at = _Travelling(self.issued)
            given = fit(self.load.load_data, bits_for(sizes.trained[-1].outputs))
            self.label = delayed(given, "label", enable=self.described.loads("label"))
        self.banked = BankedAddress(banks=sizes.pes, rows=sizes.most_rows)
        self.results = [wire(sizes.activation_bits, f"result_{p}") for p in range(sizes.pes)]
        self.new_sum = wire(sizes.sum_bits, "new_sum")
        self.words = list[Wire]()
        with component("address"):
            self.bank, self.row = self.banked.bank(self.issued.address), self.banked.row(self.issued.address)
            self.rows_of_outputs = self.banked.rows_from(self.issued.outputs)
            present = self.banked.spread(list(self.issued.valid), self.issued.outputs)
            self.reads_outputs = [named(self.issued.head & b, f"reads_{p}") for p, b in enumerate(present)]

    def finished(self) -> Hardware:
        """The whole engine."""
        sizes, signals = self.sizes, self._signals()
        operands = self._operands(signals)
        shifts, products = self._shifts(), []
        for p in range(sizes.pes):
            weight = self._weight(p, moved := wire(sizes.weight_bits, f"moved_{p}"))
            with component("pe", p):
                product, following = self._element(p, weight, operands, shifts)
                products.append(product.sign_extended(sizes.sum_bits))
                moved <<= following
        with component("tree"):
            terms = [*products, self.sum_read]
            total = pyrtl.tree_reduce(lambda a, b: fit(a + b, sizes.sum_bits), terms)
            self.new_sum <<= delayed(total, "sum_4")
        self._unloaded()
        self._counts_products()
        at, last, issued = self.at, len(sizes.trained) - 1, self.issued
        with component("controller"):
            final = named(at.written & (at.stage[5] == last), "scoring")
            valid = [named(final & bit, f"scored_{p}") for p, bit in enumerate(at.valid[5])]
        never = pyrtl.Const(0, 1)
        return self.described.finish(
            done=issued.done,
            busy=issued.busy,
            turn=Turn(never, never),
            score_valid=valid,
            scores=self.results,
        )

    def _unloaded(self) -> None:
        """A word of weights that was asked for comes out a cycle later."""
        unloaded = pyrtl.Output(self.sizes.fetch_bits, "unloaded")
        with component("controller"):
            unit = delayed(fit(self.load.load_unit, bits_for(self.sizes.pes)), "unit_1")
        with component("route"):
            chosen = named(choose(unit, self.words), "chosen_weight")
        unloaded <<= chosen

    def _counts_products(self) -> None:
        """Products that are taken: one of a weight and a signal or an error, and backward one more of an
        error and a signal. The errors of inputs are never made."""
        at = self.at
        with component("controller"):
            used = ~at.back[2] | (at.stage[2] != 0)
            for p, bit in enumerate(at.valid[2]):
                self.described.count_products(named(at.tap[2] & used & bit, f"multiplies_{p}"))
                self.described.count_products(named(at.backward[2] & bit, f"updates_{p}"))

    def _made(self, role: str, unit: int, words: int, bits: int, **ports: Wire) -> Wire:
        """A memory, whose word is held until the next is read."""
        return self.described.own_memory(role, unit, words, bits, loaded=role == "signal_0", **ports)

    def _signals(self) -> list[Wire]:
        """The signals of all stages, a bank for each PE; results are written turned to their banks. A stage
        reads one half and writes the other, so that each has one port."""
        at = self.at
        with component("route"):
            placed = self.banked.spread(self.results, at.outputs[5])
            valid = self.banked.spread(at.valid[5], at.outputs[5])
        halves = [self._half_of_signals(half, placed, valid) for half in (0, 1)]
        with component("route"):
            parity, head = at.stage[1][0], at.head
            return [pyrtl.select(parity ^ head, odd, even) for even, odd in zip(*halves, strict=True)]

    def _half_of_signals(self, half: int, placed: Sequence[Wire], valid: Sequence[Wire]) -> list[Wire]:
        """The signals that stages of one parity read, and those of the other write."""
        sizes, at, issued, load = self.sizes, self.at, self.issued, self.load
        bits, parity = bits_for(sizes.signal_rows(half)), issued.stage[0]
        with component("address"):
            bases = [base * (number % 2 == half) for number, base in enumerate(sizes.bases)]
            inputs, outputs = (of_stage(issued.stage, of, bits) for of in (bases[:-1], bases[1:]))
            written = of_stage(at.stage[5], bases[1:], bits)
            rows = self.banked.rows_from(at.outputs[5])
            taps = named(issued.tap & (parity == half), f"taps_of_{half}")
            writes = named(at.written & (at.stage[5][0] != half), f"results_of_{half}")
        words = []
        for p in range(sizes.pes):
            loading = self.described.loads("input", p) if half == 0 else pyrtl.Const(0, 1)
            own, read = outputs + self.rows_of_outputs[p], inputs + self.row
            to = pyrtl.select(loading, fit(load.load_address, bits), fit(written + rows[p], bits))
            writing = (writes & valid[p]) | loading
            from_ = pyrtl.select(issued.head, fit(own, bits), fit(read, bits))
            with component("address"):
                place = named(pyrtl.select(writing, to, from_), f"signal_{half}_row_{p}")
            words.append(
                self._made(
                    *(f"signal_{half}", p, sizes.signal_rows(half), sizes.activation_bits),
                    read_enable=(self.reads_outputs[p] & (parity != half)) | (taps & (self.bank == p)),
                    read_address=place,
                    write_enable=writing,
                    write_address=place,
                    write_data=pyrtl.select(loading, fit(load.load_data, sizes.activation_bits), placed[p]),
                )
            )
        return words

    def _sums(self, half: int) -> list[Wire]:
        """The sums of errors of the outputs of stages of one parity, a bank for each PE. Stage s reads those
        of its outputs from the half of its parity, a group at once, and adds those of its inputs to the
        other."""
        sizes, at, issued = self.sizes, self.at, self.issued
        bits, parity, parity_4 = bits_for(sizes.sum_rows(half)), issued.stage[0], at.stage[4][0]
        adds = at.backward[0] & (parity != half) & ~issued.begins_block & (issued.stage != 0)
        writes = at.backward[4] & (parity_4 != half) & (at.stage[4] != 0)
        bank, row = self.banked.bank(at.place[4]), self.banked.row(at.place[4])
        return [
            self._made(
                *(f"sum_{half}", p, sizes.sum_rows(half), sizes.sum_bits),
                read_enable=(self.reads_outputs[p] & (parity == half)) | (adds & (self.bank == p)),
                read_address=fit(pyrtl.select(issued.head, self.rows_of_outputs[p], self.row), bits),
                write_enable=writes & (bank == p),
                write_address=fit(row, bits),
                write_data=self.new_sum,
            )
            for p in range(sizes.pes)
        ]

    def _operands(self, signals: Sequence[Wire]) -> _Operands:
        at, pes = self.at, self.sizes.pes
        low, high = self._sums(0), self._sums(1)
        with component("route"):
            bank, own_bank, parity = (
                self.banked.bank(at.place[1]),
                self.banked.bank(at.outputs[1]),
                at.stage[1][0],
            )
            read = pyrtl.select(parity, choose(bank, low), choose(bank, high))
            taken = delayed(only_if(~at.fresh, read), "sum_2", enable=at.tap[1])
            self.sum_read = delayed(taken, "sum_3")
            sums = [pyrtl.select(parity, *pair) for pair in zip(high, low, strict=True)]
            return _Operands(
                signal=delayed(choose(bank, list(signals)), "signal_2", enable=at.tap[1]),
                outputs=rotate(list(signals), own_bank, pes),
                sums=rotate(sums, own_bank, pes),
            )

    def _shifts(self) -> list[Wire]:
        """The shifts, of a word of each stage that is read as the stage begins: forward, of the sums of
        errors of its outputs, and of its update."""
        word = self.described.loaded_memory(
            "descriptor",
            0,
            words=len(self.sizes.trained),
            word_bits=3 * SHIFT_BITS,
            read_enable=self.issued.begins,
            read_address=self.issued.following,
        )
        return [word[SHIFT_BITS * i : SHIFT_BITS * (i + 1)] for i in range(3)]

    def _weight(self, p: int, moved: Wire) -> Wire:
        """The weight of a tap in a PE. A word is read once and written once backward, for the sums and for
        the update: written with its second weight, in a cycle in which none is read."""
        sizes, at, load, bits = self.sizes, self.at, self.load, self.sizes.weight_bits
        loading, unload = self.described.loads("weight", p), self.described.loads("unload")
        words = sizes.weight_words
        writing = loading | (at.backward[5] & at.reads_weight[5] & at.valid[5][p])
        with component("address"):
            asked, given = fit(load.load_address, bits_for(words)), at.weight[5]
            place = pyrtl.select(writing, given, self.issued.weight)
            place = named(pyrtl.select(loading | unload, asked, place), f"weight_row_{p}")
        with component("pe", p):
            both = pyrtl.concat(moved, delayed(moved, "moved_before", enable=at.backward[4]))
        word = self._made(
            *("weight", p, words, sizes.fetch_bits),
            read_enable=unload | (self.issued.tap & self.issued.reads_weight & self.issued.valid[p]),
            read_address=place,
            write_enable=writing,
            write_address=place,
            write_data=pyrtl.select(loading, fit(load.load_data, sizes.fetch_bits), both),
        )
        self.words.append(word)
        with component("pe", p):
            return pyrtl.select(at.reads_weight[1], word[:bits], word[bits:])

    def _error(self, p: int, operands: _Operands, shift: Wire) -> Wire:
        """The error of a PE's output, from the second cycle after the head of its group on."""
        sizes, at, output = self.sizes, self.at, operands.outputs[p]
        number = fit(at.outputs[1] + pyrtl.Const(p, bits_for(sizes.pes)), len(self.label))
        of_score = score_error(sizes, output, number == self.label)
        relu = of_stage(at.stage[1], [stage.relu for stage in sizes.trained], 1)
        passes = ~relu | (~output[-1] & (output != 0))
        of_sum = only_if(passes, cut(even(operands.sums[p], shift), sizes.error_bits))
        error = pyrtl.select(at.stage[1] == len(sizes.trained) - 1, of_score, of_sum)
        return delayed(only_if(at.valid[1][p], error), "error", enable=at.head)

    def _element(
        self, p: int, stored: Wire, operands: _Operands, shifts: Sequence[Wire]
    ) -> tuple[Wire, Wire]:
        """A PE. Drives its result; returns what it adds to the sums of errors, and the weight once moved."""
        sizes, at, signal = self.sizes, self.at, operands.signal
        error = self._error(p, operands, shifts[1])
        weight = delayed(stored, "weight_2", enable=at.tap[1])
        wider = max(sizes.activation_bits, sizes.error_bits)
        operand = pyrtl.select(at.back[2], error.sign_extended(wider), signal.sign_extended(wider))
        upper = weight[sizes.weight_bits - sizes.read_bits :]
        product = delayed(signed_product(upper, operand), "product", enable=at.tap[2])
        slope = delayed(signed_product(error, signal), "slope", enable=at.backward[2])
        weight = delayed(weight, "weight_3", enable=at.backward[2])
        total = register(sizes.accumulator_bits, "total")
        of_signal = product[: sizes.read_bits + sizes.activation_bits].sign_extended(len(total))
        added = fit(only_if(~at.first[3], total) + of_signal, len(total))
        total.next <<= pyrtl.select(at.forward[3], added, total)
        relu = of_stage(at.stage[4], [stage.relu for stage in sizes.trained], 1)
        result = requantise(total, shifts[0], relu, sizes.activation_bits)
        self.results[p] <<= delayed(result, "result", enable=at.writes_row)
        moved = updated(sizes, p, weight, slope, shifts[2], at.backward[3])
        back = only_if(at.valid[3][p], product[: sizes.read_bits + sizes.error_bits])
        return back, delayed(moved, "moved", enable=at.backward[3])
