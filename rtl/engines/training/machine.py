"""The training engine in PyRTL: one sequencer and one address source walk the weights forward and backward.

A tap, by the cycles after its issue:

    0  signals are read from their banks, weights in every PE
    1  operands are taken
    2  products: forward weight * signal; backward weight * error, and error * signal
    3  forward they are added to the PEs' sums; backward to sums of errors; the weight moves
    4  forward: a sum that is whole is requantised
    5  forward: the results of all PEs are written

Backward a group begins with a cycle, its head, in which PEs read their outputs and the sums of their errors;
the errors are those of the outputs for the whole group. How signals reach the PEs, and how their products
come back to the sums of errors, is for `broadcast` and `rotated` to say. Memories of sums have a port to read
and one to write, all others one port for both.

Overlapped, a tap is one forward and one backward at once, of two samples: a PE has a product for each, and
reads a signal for each, from memories of their own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import pyrtl

from rtl.engines.training.arithmetic import cut, even, score_error, updated
from rtl.engines.training.in_flight import KeptSignals, Labels
from rtl.engines.training.sequencer import Counters, Issued, Walk, of_stage, sequenced
from rtl.engines.training.sizes import SHIFT_BITS, TrainingSizes
from rtl.parts.arithmetic import BankedAddress, choose, requantise, signed_product
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


class Travelling:
    """What travels with a tap, by the cycles after its issue."""

    def __init__(self, issued: Issued, walk: Walk) -> None:
        tap, back = staged(issued.tap, "tap", 5, reset=True), staged(issued.backward, "back", 5)
        self.tap, self.back = tap, back
        if walk.overlapped:
            self.forward, self.backward = [tap[t] for t in range(5)], [tap[t] for t in range(6)]
        else:
            self.forward = [named(tap[t] & ~back[t], f"forward_{t}") for t in range(5)]
            self.backward = [named(tap[t] & back[t], f"backward_{t}") for t in range(6)]
        self.head = delayed(issued.head, "head_1", reset=True)
        self.first, self.last = staged(issued.first, "first", 3), staged(issued.last, "last", 4)
        self.place, self.weight = staged(walk.address, "place", 4), staged(issued.weight, "weight_at", 5)
        self.even = staged(issued.even, "even", 5)
        self.outputs, self.stage = staged(walk.outputs, "outputs", 5), staged(issued.stage, "stage", 5)
        self.valid = by_number(walk.valid, "valid", 5)
        self.active = self.valid if walk.active is walk.valid else by_number(walk.active, "active", 4)
        self.writes_row = named(self.forward[4] & self.last[4], "finishes")
        self.written = delayed(self.writes_row, "writes_row", reset=True)


def by_number(bits: Sequence[Wire], name: str, last: int) -> dict[int, list[Wire]]:
    """A bit of every PE or bank, by the cycles after its issue."""
    made = {0: list(bits)}
    for t in range(1, last + 1):
        made[t] = [delayed(bit, f"{name}_{t}_{number}") for number, bit in enumerate(made[t - 1])]
    return made


@dataclass(frozen=True)
class Operands:
    """What PEs are given: the signals of a tap that was issued two cycles before, forward, and those that are
    `kept` for the way back, the same unless it is overlapped; and a cycle after the head of a group each its
    own output, and the sum of the errors of that."""

    signals: Sequence[Wire]
    kept: Sequence[Wire]
    outputs: Sequence[Wire]
    sums: Sequence[Wire]


@dataclass(frozen=True)
class Banked:
    """What is read or written of every bank: whether, in which row of a stage, and the words that are
    written."""

    enables: Sequence[Wire]
    rows: Sequence[Wire]
    words: Sequence[Wire] = ()


class TrainingMachine(ABC):
    """The wires and memories of a training engine while it is being described."""

    def __init__(self, sizes: TrainingSizes) -> None:
        self.sizes, self.described = sizes, Description(sizes)
        self.load = self.described.ports
        self.banked = BankedAddress(banks=sizes.pes, rows=sizes.most_rows)
        with component("controller"):
            counters = Counters(sizes)
            self.walk = self._walk(counters)
            self.issued = sequenced(sizes, self.load.start, counters, self.walk)
            self.at = Travelling(self.issued, self.walk)
            self.labels = Labels(sizes, self.described) if sizes.overlapped else None
            if self.labels:
                self.label = self.labels.label
            else:
                given = fit(self.load.load_data, bits_for(sizes.trained[-1].outputs))
                self.label = delayed(given, "label", enable=self.described.loads("label"))
            self._tells_pes()
        self.results = []
        for p in range(sizes.pes):
            with component("pe", p):
                self.results.append(wire(sizes.activation_bits, "given"))
        self.words = list[Wire]()
        with component("address"):
            own = self._own()
            enables = [named(self.issued.head & bit, f"reads_{p}") for p, bit in enumerate(own.enables)]
            self.own = Banked(enables, own.rows)

    def _tells_pes(self) -> None:
        """What the controller tells PEs, so that these are alike: after a head whether its stage has a ReLU,
        whether outputs are scores, and which is the label; as results are made, whether those have a ReLU."""
        sizes, at, label = self.sizes, self.at, self.label
        relus = [stage.relu for stage in sizes.trained]
        self.relu = {t: named(of_stage(at.stage[t], relus, 1), f"relu_{t}") for t in (1, 4)}
        self.of_scores = named(at.stage[1] == len(sizes.trained) - 1, "of_scores")
        numbers = [
            fit(at.outputs[1] + pyrtl.Const(p, bits_for(sizes.pes)), len(label)) for p in range(sizes.pes)
        ]
        self.is_label = [named(number == label, f"is_label_{p}") for p, number in enumerate(numbers)]

    @abstractmethod
    def _walk(self, counters: Counters) -> Walk:
        """How a stage is walked."""

    @abstractmethod
    def _own(self) -> Banked:
        """The outputs of the group that is issued: which banks have one, and where."""

    @abstractmethod
    def _taken(self) -> Banked:
        """The signals of the tap that is issued."""

    @abstractmethod
    def _written(self) -> Banked:
        """The results that are written, of valid outputs."""

    @abstractmethod
    def _operands(self, signals: Sequence[Wire], kept: Sequence[Wire]) -> Operands:
        """What PEs are given, of the words of all banks, and of those that are kept for the way back, once
        sums of errors are read."""

    @abstractmethod
    def _add_up(self, products: Sequence[Wire]) -> None:
        """The products of weights and errors, three cycles after the issue of a tap, go to their sums."""

    @abstractmethod
    def _writes_weight(self, p: int) -> tuple[Wire, Wire]:
        """Whether a PE writes the word of weights that moved, in a cycle in which none is read, and where."""

    @abstractmethod
    def _moved(self, p: int, moved: Wire) -> tuple[Wire, Wire]:
        """The two weights of a word as they are written, from the one that moves 3 cycles after its issue;
        twice the last one of a row that does not fill its word."""

    def _accumulates(self, p: int) -> Wire:
        """Whether a PE adds its product to its sum."""
        return self.at.forward[3]

    def _returns(self, p: int) -> Wire:
        """Whether the product of a PE goes to a sum of errors; what does not is 0, so that forward nothing
        switches on the way to the sums."""
        return self.at.backward[3] & self.at.active[3][p]

    def _advances(self, p: int) -> Wire:
        """Whether the random register of a PE goes on."""
        return self.at.backward[3]

    def finished(self) -> Hardware:
        """The whole engine."""
        sizes = self.sizes
        operands = self._operands(*self._signals())
        shifts, products = self._shifts(), []
        for p in range(sizes.pes):
            with component("update", p):
                both = wire(sizes.fetch_bits, "words")
            weight = self._weight(p, both)
            with component("pe", p):
                product, factors = self._element(p, weight, operands, shifts[:2])
                products.append(product)
            with component("update", p):
                both <<= pyrtl.concat(*reversed(self._moved(p, self._update(p, factors, shifts[2]))))
        self._add_up(products)
        self._unloaded()
        self._counts_products()
        at, last, issued = self.at, len(sizes.trained) - 1, self.issued
        with component("controller"):
            scores = at.stage[5] == last
            final = named(at.written & (scores & self.labels.scored if self.labels else scores), "scoring")
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
            used = at.stage[2] != 0 if self.labels else ~at.back[2] | (at.stage[2] != 0)
            for p, bit in enumerate(at.active[2]):
                if self.labels:
                    self.described.count_products(named(at.tap[2] & bit, f"goes_forward_{p}"))
                self.described.count_products(named(at.tap[2] & used & bit, f"multiplies_{p}"))
                self.described.count_products(named(at.backward[2] & bit, f"updates_{p}"))

    def _made(self, role: str, unit: int, words: int, bits: int, **ports: Wire) -> Wire:
        """A memory, whose word is held until the next is read."""
        loaded = role in ("signal_0", "kept_0")
        return self.described.own_memory(role, unit, words, bits, loaded=loaded, **ports)

    def _signals(self) -> tuple[list[Wire], list[Wire]]:
        """The signals of all stages, a bank for each PE, and those that are kept for the way back. A stage
        reads one half and writes the other, so that each has one port."""
        taken, written = self._taken(), self._written()
        halves = [self._half_of_signals(half, taken, written) for half in (0, 1)]
        if not self.sizes.overlapped:
            with component("route"):
                parity, head = self.at.stage[1][0], self.at.head
                words = [pyrtl.select(parity ^ head, odd, even) for even, odd in zip(*halves, strict=True)]
                return words, words
        kept = KeptSignals(self.sizes, self.issued, self.at, self.described)
        words_kept = kept.words(self.own, taken, written, self._made)
        with component("route"):
            parity, head = self.at.stage[1][0], self.at.head
            return (
                [pyrtl.select(parity, odd, even) for even, odd in zip(*halves, strict=True)],
                [pyrtl.select(parity ^ head, odd, even) for even, odd in words_kept],
            )

    def _half_of_signals(self, half: int, taken: Banked, written: Banked) -> list[Wire]:
        """The signals that stages of one parity read, and those of the other write."""
        sizes, at, issued, load = self.sizes, self.at, self.issued, self.load
        bits, parity = bits_for(sizes.signal_rows(half)), issued.stage[0]
        with component("address"):
            bases = [base * (number % 2 == half) for number, base in enumerate(sizes.bases)]
            inputs, outputs = (of_stage(issued.stage, of, bits) for of in (bases[:-1], bases[1:]))
            base = of_stage(at.stage[5], bases[1:], bits)
            taps = named(issued.tap & (parity == half), f"taps_of_{half}")
            goes_on = at.stage[5][0] != half
            if sizes.overlapped:
                goes_on = goes_on & (at.stage[5] != len(sizes.trained) - 1)
            writes = named(at.written & goes_on, f"results_of_{half}")
        words = []
        for p in range(sizes.pes):
            loading = self.described.loads("input", p) if half == 0 else pyrtl.Const(0, 1)
            own, read = outputs + self.own.rows[p], inputs + taken.rows[p]
            to = pyrtl.select(loading, fit(load.load_address, bits), fit(base + written.rows[p], bits))
            writing = (writes & written.enables[p]) | loading
            if sizes.overlapped:
                from_ = fit(read, bits)
            else:
                from_ = pyrtl.select(issued.head, fit(own, bits), fit(read, bits))
            data = pyrtl.select(loading, fit(load.load_data, sizes.activation_bits), written.words[p])
            with component("address"):
                place = named(pyrtl.select(writing, to, from_), f"signal_{half}_row_{p}")
            of_head = self.own.enables[p] & (parity != half)
            of_tap = taps & taken.enables[p]
            words.append(
                self._made(
                    *(f"signal_{half}", p, sizes.signal_rows(half), sizes.activation_bits),
                    read_enable=of_tap if sizes.overlapped else of_head | of_tap,
                    read_address=place,
                    write_enable=writing,
                    write_address=place,
                    write_data=data,
                )
            )
        return words

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
        """The weight of a tap in a PE. A word of two is read once and written once backward, for the sums and
        for the update."""
        sizes, load, bits = self.sizes, self.load, self.sizes.weight_bits
        loading, unload = self.described.loads("weight", p), self.described.loads("unload")
        words = sizes.weight_words
        writes, to = self._writes_weight(p)
        writing = loading | writes
        with component("address"):
            asked = fit(load.load_address, bits_for(words))
            place = pyrtl.select(writing, to, self.issued.weight)
            place = named(pyrtl.select(loading | unload, asked, place), f"weight_row_{p}")
        word = self._made(
            *("weight", p, words, sizes.fetch_bits),
            read_enable=unload | (self.issued.tap & self.walk.reads_weight & self.walk.valid[p]),
            read_address=place,
            write_enable=writing,
            write_address=place,
            write_data=pyrtl.select(loading, fit(load.load_data, sizes.fetch_bits), moved),
        )
        self.words.append(word)
        with component("pe", p):
            return pyrtl.select(self.at.even[1], word[:bits], word[bits:])

    def _error(self, p: int, operands: Operands, shift: Wire) -> Wire:
        """The error of a PE's output, from the second cycle after the head of its group on."""
        sizes, at, output = self.sizes, self.at, operands.outputs[p]
        of_score = score_error(sizes, output, self.is_label[p])
        passes = ~self.relu[1] | (~output[-1] & (output != 0))
        of_sum = only_if(passes, cut(even(operands.sums[p], shift), sizes.error_bits))
        error = pyrtl.select(self.of_scores, of_score, of_sum)
        given = at.valid[1][p] & self.labels.goes_back if self.labels else at.valid[1][p]
        return delayed(only_if(given, error), "error", enable=at.head)

    def _element(
        self, p: int, stored: Wire, operands: Operands, shifts: Sequence[Wire]
    ) -> tuple[Wire, tuple[Wire, Wire, Wire]]:
        """A PE. Drives its result; returns what it adds to a sum of errors, and what moves the weight: that
        itself, the error and the signal."""
        sizes, at, signal = self.sizes, self.at, operands.signals[p]
        error = self._error(p, operands, shifts[1])
        weight = delayed(stored, "weight_2", enable=at.tap[1])
        lower = sizes.weight_bits - sizes.read_bits
        if sizes.overlapped:
            upper = weight[lower:]
            product = delayed(signed_product(upper, signal), "product", enable=at.tap[2])
            returned = delayed(signed_product(upper, error), "returned", enable=at.tap[2])
        else:
            wider = max(sizes.activation_bits, sizes.error_bits)
            operand = pyrtl.select(at.back[2], error.sign_extended(wider), signal.sign_extended(wider))
            product = returned = delayed(signed_product(weight[lower:], operand), "product", enable=at.tap[2])
        total = register(sizes.accumulator_bits, "total")
        of_signal = product[: sizes.read_bits + sizes.activation_bits].sign_extended(len(total))
        added = fit(only_if(~at.first[3], total) + of_signal, len(total))
        total.next <<= pyrtl.select(self._accumulates(p), added, total)
        result = requantise(total, shifts[0], self.relu[4], sizes.activation_bits)
        self.results[p] <<= delayed(result, "result", enable=at.writes_row)
        back = only_if(self._returns(p), returned[: sizes.read_bits + sizes.error_bits])
        return back, (weight, error, operands.kept[p])

    def _update(self, p: int, factors: tuple[Wire, Wire, Wire], shift: Wire) -> Wire:
        """The weight of a tap once it has moved. Forward nothing moves here, nor if no sample goes back."""
        at, (weight, error, signal) = self.at, factors
        signal = only_if(self.labels.goes_back if self.labels else at.back[2], signal)
        slope = delayed(signed_product(error, signal), "slope", enable=at.backward[2])
        kept = delayed(weight, "weight_3", enable=at.backward[2])
        return updated(self.sizes, p, kept, slope, shift, self._advances(p))
