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

from rtl.engines.training.arithmetic import SHIFT_BITS, cut, even, score_error, updated
from rtl.engines.training.sequencer import Issued, of_stage, sequenced
from rtl.engines.training.sizes import TrainingSizes
from rtl.parts.arithmetic import BankedAddress, choose, requantise, rotate, signed_product
from rtl.parts.components import (
    Memory,
    StructuredBlock,
    Wire,
    bits_for,
    component,
    delayed,
    fit,
    memory,
    named,
    register,
    staged,
    wire,
)
from rtl.parts.processing_element import only_if

TARGETS = ("weight", "input", "scale")
"""What `load_target` selects: words of PEs, inputs by bank and row, and the shifts of stages."""


@dataclass(frozen=True)
class TrainingHardware:
    """A described training engine."""

    block: StructuredBlock
    sizes: TrainingSizes
    memories: tuple[Memory, ...]
    done: Wire


class _Load:
    """The load port, which writes weights, inputs and shifts while no step is made, and with `unload` reads a
    weight of a PE instead, to come out a cycle later."""

    def __init__(self, sizes: TrainingSizes) -> None:
        words = max(sizes.weight_bases[-1], sizes.signal_rows, len(sizes.stages))
        self.enable, self.target = pyrtl.Input(1, "load_enable"), pyrtl.Input(2, "load_target")
        self.unload = pyrtl.Input(1, "unload")
        self.unit = pyrtl.Input(bits_for(sizes.pes), "load_unit")
        self.address = pyrtl.Input(bits_for(words), "load_address")
        widest = max(sizes.weight_bits, sizes.activation_bits, 3 * SHIFT_BITS)
        self.data = pyrtl.Input(widest, "load_data")

    def chosen(self, target: str, unit: int) -> Wire:
        """Whether a unit of a target is written."""
        return self.enable & (self.target == TARGETS.index(target)) & (self.unit == unit)


class _Travelling:
    """What travels with a tap, by the cycles after its issue."""

    def __init__(self, issued: Issued) -> None:
        tap, back = staged(issued.tap, "tap", 4, reset=True), staged(issued.backward, "back", 4)
        self.tap, self.back = tap, back
        self.forward = [named(tap[t] & ~back[t], f"forward_{t}") for t in range(5)]
        self.backward = [named(tap[t] & back[t], f"backward_{t}") for t in range(5)]
        self.head = delayed(issued.head, "head_1", reset=True)
        self.first, self.last = staged(issued.first, "first", 3), staged(issued.last, "last", 4)
        self.place, self.weight = staged(issued.address, "place", 4), staged(issued.weight, "weight_at", 4)
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


def build_training(sizes: TrainingSizes) -> TrainingHardware:
    """Describes a training engine of the given sizes."""
    return _Engine(sizes).finished()


class _Engine:
    """The wires and memories of a training engine while it is being described."""

    def __init__(self, sizes: TrainingSizes) -> None:
        self.block = StructuredBlock()
        pyrtl.set_working_block(self.block)
        self.sizes, self.memories = sizes, list[Memory]()
        start = pyrtl.Input(1, "start")
        self.label = pyrtl.Input(bits_for(sizes.stages[-1].outputs), "label")
        self.load = _Load(sizes)
        with component("controller"):
            self.issued = sequenced(sizes, start)
            self.at = _Travelling(self.issued)
        self.banked = BankedAddress(banks=sizes.pes, rows=sizes.most_rows)
        self.results = [wire(sizes.activation_bits, f"result_{p}") for p in range(sizes.pes)]
        self.new_sum = wire(sizes.sum_bits, "new_sum")
        with component("address"):
            self.bank, self.row = self.banked.bank(self.issued.address), self.banked.row(self.issued.address)
            self.rows_of_outputs = self.banked.rows_from(self.issued.outputs)
            present = self.banked.spread(list(self.issued.valid), self.issued.outputs)
            self.reads_outputs = [named(self.issued.head & b, f"reads_{p}") for p, b in enumerate(present)]

    def finished(self) -> TrainingHardware:
        """The whole engine."""
        sizes, signals = self.sizes, self._signals()
        operands = self._operands(signals)
        shifts, products, stored = self._shifts(), [], []
        for p in range(sizes.pes):
            weight = self._weight(p, moved := wire(sizes.weight_bits, f"moved_{p}"))
            stored.append(weight)
            with component("pe", p):
                product, following = self._element(p, weight, operands, shifts)
                products.append(product.sign_extended(sizes.sum_bits))
                moved <<= following
        with component("tree"):
            terms = [*products, self.sum_read]
            total = pyrtl.tree_reduce(lambda a, b: fit(a + b, sizes.sum_bits), terms)
            self.new_sum <<= delayed(total, "sum_4")
        done = pyrtl.Output(1, "done")
        done <<= self.issued.done
        unloaded = pyrtl.Output(sizes.weight_bits, "unloaded")
        with component("controller"):
            unit = delayed(self.load.unit, "unit_1")
        with component("route"):
            chosen = named(choose(unit, stored), "chosen_weight")
        unloaded <<= chosen
        self._scored()
        return TrainingHardware(self.block, sizes, tuple(self.memories), done)

    def _scored(self) -> None:
        """The scores of the final stage leave in the cycle in which they are written."""
        at, last = self.at, len(self.sizes.stages) - 1
        with component("controller"):
            final = named(at.written & (at.stage[5] == last), "scoring")
            valid = named(pyrtl.concat_list([final & bit for bit in at.valid[5]]), "scored")
        scores = pyrtl.Output(self.sizes.pes * self.sizes.activation_bits, "scores")
        scores <<= pyrtl.concat_list(self.results)
        score_valid = pyrtl.Output(self.sizes.pes, "score_valid")
        score_valid <<= valid

    def _made(self, role: str, unit: int, words: int, bits: int, **ports: Wire) -> Wire:
        """A memory, whose word is held until the next is read."""
        self.memories.append(memory(role, unit, words=words, word_bits=bits, **ports))
        return self.memories[-1].data

    def _signals(self) -> list[Wire]:
        """The signals of all stages, a bank for each PE; results are written turned to their banks."""
        sizes, at, issued, load = self.sizes, self.at, self.issued, self.load
        bits = bits_for(sizes.signal_rows)
        with component("address"):
            inputs, outputs = (
                of_stage(issued.stage, bases, bits) for bases in (sizes.bases[:-1], sizes.bases[1:])
            )
            written = of_stage(at.stage[5], sizes.bases[1:], bits)
            rows = self.banked.rows_from(at.outputs[5])
        with component("route"):
            placed = self.banked.spread(self.results, at.outputs[5])
            valid = self.banked.spread(at.valid[5], at.outputs[5])
        words = []
        for p in range(sizes.pes):
            loading = load.chosen("input", p)
            own, read = outputs + self.rows_of_outputs[p], inputs + self.row
            to = pyrtl.select(loading, fit(load.address, bits), fit(written + rows[p], bits))
            words.append(
                self._made(
                    *("signal", p, sizes.signal_rows, sizes.activation_bits),
                    read_enable=self.reads_outputs[p] | (issued.tap & (self.bank == p)),
                    read_address=pyrtl.select(issued.head, fit(own, bits), fit(read, bits)),
                    write_enable=(at.written & valid[p]) | loading,
                    write_address=to,
                    write_data=pyrtl.select(loading, fit(load.data, sizes.activation_bits), placed[p]),
                )
            )
        return words

    def _sums(self, half: int) -> list[Wire]:
        """The sums of errors of the outputs of stages of one parity, a bank for each PE. Stage s reads those
        of its outputs from the half of its parity, a group at once, and adds those of its inputs to the
        other."""
        sizes, at, issued = self.sizes, self.at, self.issued
        bits, parity, parity_4 = bits_for(sizes.sum_rows), issued.stage[0], at.stage[4][0]
        adds = at.backward[0] & (parity != half) & ~issued.begins_block & (issued.stage != 0)
        writes = at.backward[4] & (parity_4 != half) & (at.stage[4] != 0)
        bank, row = self.banked.bank(at.place[4]), self.banked.row(at.place[4])
        return [
            self._made(
                *(f"sum_{half}", p, sizes.sum_rows, sizes.sum_bits),
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
        """The shifts, in registers for each stage, as the cycles that need them know the stage: forward, of
        the sums of errors of a stage's outputs, and of the update."""
        with component("scales"):
            words = []
            for number in range(len(self.sizes.stages)):
                loading = self.load.chosen("scale", 0) & (self.load.address == number)
                given = fit(self.load.data, 3 * SHIFT_BITS)
                words.append(delayed(given, f"scale_{number}", enable=loading))
            parts = [[word[SHIFT_BITS * i : SHIFT_BITS * (i + 1)] for word in words] for i in range(3)]
            return [choose(self.at.stage[t], part) for t, part in zip((4, 1, 3), parts, strict=True)]

    def _weight(self, p: int, moved: Wire) -> Wire:
        """The weights of a PE: read once and written once backward, for the sums and for the update."""
        sizes, at, load = self.sizes, self.at, self.load
        loading, words = load.chosen("weight", p), sizes.weight_bases[-1]
        return self._made(
            *("weight", p, words, sizes.weight_bits),
            read_enable=load.unload | (self.issued.tap & self.issued.valid[p]),
            read_address=pyrtl.select(load.unload, fit(load.address, bits_for(words)), self.issued.weight),
            write_enable=loading | (at.backward[4] & at.valid[4][p]),
            write_address=pyrtl.select(loading, fit(load.address, bits_for(words)), at.weight[4]),
            write_data=pyrtl.select(loading, fit(load.data, sizes.weight_bits), moved),
        )

    def _error(self, p: int, operands: _Operands, shift: Wire) -> Wire:
        """The error of a PE's output, from the second cycle after the head of its group on."""
        sizes, at, output = self.sizes, self.at, operands.outputs[p]
        number = fit(at.outputs[1] + pyrtl.Const(p, bits_for(sizes.pes)), len(self.label))
        of_score = score_error(sizes, output, number == self.label)
        relu = of_stage(at.stage[1], [stage.relu for stage in sizes.stages], 1)
        passes = ~relu | (~output[-1] & (output != 0))
        of_sum = only_if(passes, cut(even(operands.sums[p], shift), sizes.error_bits))
        error = pyrtl.select(at.stage[1] == len(sizes.stages) - 1, of_score, of_sum)
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
        relu = of_stage(at.stage[4], [stage.relu for stage in sizes.stages], 1)
        result = requantise(total, shifts[0], relu, sizes.activation_bits)
        self.results[p] <<= delayed(result, "result", enable=at.writes_row)
        moved = updated(sizes, p, weight, slope, shifts[2], at.backward[3])
        back = only_if(at.valid[3][p], product[: sizes.read_bits + sizes.error_bits])
        return back, delayed(moved, "moved", enable=at.backward[3])
