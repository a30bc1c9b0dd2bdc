"""A stage of fixed pattern as a schedule without conflicts: what each PE and each bank does in each cycle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.engine.gather.encoding import deal_rows
from archsim.engine.gather.timetable import NOTHING, arrange, balance
from workloads import IntegerStage

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ScheduledStage:
    """What PEs take in each cycle of a stage, all of shape (pes, steps).

    `banks` that are read and the `rows` in them, one row of a bank in a cycle, `NOTHING` where a PE reads
    none: it brings a bias or waits; `weights`, words of bias among them and zeros where it waits; which
    entries are a `bias`, and which are the last of their output (`ends`). `positions` is where each output
    lies, its place in its PE times pes, plus the PE; `stored` how many weights there are.
    """

    banks: Integers
    rows: Integers
    weights: Integers
    bias: NDArray[np.bool_]
    ends: NDArray[np.bool_]
    positions: Integers
    stored: int

    @property
    def pes(self) -> int:
        return len(self.banks)

    @property
    def steps(self) -> int:
        return int(self.banks.shape[1])

    @property
    def outputs(self) -> int:
        return len(self.positions)

    @property
    def active(self) -> int:
        """PEs that have an output."""
        return min(self.pes, self.outputs)

    @property
    def biases(self) -> int:
        return int(np.count_nonzero(self.bias))

    @property
    def products(self) -> int:
        """Entries of all PEs that have an output, those in which they wait too."""
        return self.active * self.steps

    @property
    def least_steps(self) -> tuple[int, int]:
        """What no schedule of these rows of PEs can be shorter than, the entries of the PE that has most; and
        the entries that lie in the bank that has most, below which none could go if every PE read for
        itself."""
        waits = (self.banks == NOTHING) & ~self.bias & ~self.ends
        in_bank = np.bincount(self.banks[self.banks >= 0], minlength=1)
        return int((~waits).sum(axis=1).max()), int(in_bank.max())

    @cached_property
    def first_read(self) -> tuple[int, int]:
        """The first cycle in which a bank is read, or `steps`, and the first bank that is."""
        step, pe = np.nonzero(self.banks.T >= 0)
        return (int(step[0]), int(self.banks[pe[0], step[0]])) if len(step) else (self.steps, 0)

    @cached_property
    def opens(self) -> bool:
        """Whether bank 0 is read for nobody in the first cycle: where a PE waits before any bank is read, so
        that what it multiplies by zero is a word all the same."""
        before = self.first_read[0]
        return not bool(self.bias[: self.active, :before].all())

    @property
    def reads(self) -> int:
        """Words that the banks read, each for one PE or for several."""
        return int(np.count_nonzero(self.rows_of_banks(NOTHING) != NOTHING))

    def rows_of_banks(self, idle: int) -> Integers:
        """The row that each bank reads in each cycle, `idle` where it reads none, shape (pes, steps)."""
        read = np.full(self.banks.shape, idle, dtype=np.int64)
        read[0, 0] = 0 if self.opens else idle
        pe, step = np.nonzero(self.banks >= 0)
        read[self.banks[pe, step], step] = self.rows[pe, step]
        return read

    @property
    def heard(self) -> Integers:
        """The bank that each PE listens to: where it reads none, the same as before, at first one that was
        read."""
        step = np.where(self.banks >= 0, np.arange(self.steps), 0)
        last: Integers = np.take_along_axis(self.banks, np.maximum.accumulate(step, axis=1), axis=1)
        return np.where(last >= 0, last, 0 if self.opens else self.first_read[1])


def schedule_stage(
    integer: IntegerStage, biases: Integers, lies_at: Integers, read_next: Integers, pes: int
) -> ScheduledStage:
    """Deals the rows of a stage to PEs and finds who reads what when. Its inputs lie at `lies_at`, the row in
    their bank times pes, plus the bank; `biases` are the words of bias of each row, shape (rows, words);
    `read_next` how often the next stage reads each output. Rows are dealt so that PEs have equally much to
    do, and banks in the next stage too."""
    lengths = integer.stage.row_lengths()
    work = np.maximum(1, lengths + biases.shape[1])
    pe_of_row = deal_rows(work, pes) % pes
    balance(pe_of_row, work, read_next, pes)
    order = np.argsort(pe_of_row, kind="stable")
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    row_of_weight = np.repeat(number, lengths)
    read = lies_at[integer.stage.columns()]
    in_order = np.lexsort((read, row_of_weight))
    ends = np.concatenate([[0], np.cumsum(lengths[order])])
    begins = np.concatenate([[0], np.cumsum(np.bincount(pe_of_row, minlength=pes))])
    words, row_at = arrange(read[in_order], ends, begins, pes, biases.shape[1])
    weights = np.zeros(words.shape, dtype=np.int64)
    pe, step = np.nonzero(words >= 0)
    slots = np.lexsort((words[pe, step], row_at[pe, step]))
    weights[pe[slots], step[slots]] = integer.weights.ravel()[in_order]
    return _with_rows(words, weights, row_at, biases[order], number)


def _with_rows(
    words: Integers, weights: Integers, row_at: Integers, biases: Integers, number: Integers
) -> ScheduledStage:
    """Marks where rows begin, with their biases, and where they end; outputs lie in the order of that."""
    pes, count = len(words), len(biases)
    begun, ended = _spans(row_at, count)
    pe_of_row = begun[0]
    ends, bias = (np.zeros(words.shape, dtype=bool) for _ in range(2))
    ends[pe_of_row, ended] = True
    for number_of_word, word in enumerate(biases.T):
        bias[pe_of_row, begun[1] + number_of_word] = True
        weights[pe_of_row, begun[1] + number_of_word] = word
    place = np.empty(count, dtype=np.int64)
    in_order = np.lexsort((begun[1], pe_of_row))
    of_pe = np.bincount(pe_of_row, minlength=pes)
    place[in_order] = np.arange(count) - np.repeat(np.cumsum(of_pe) - of_pe, of_pe)
    positions = (place * pes + pe_of_row)[number]
    banks, rows = (np.where(words >= 0, at, NOTHING) for at in (words % pes, words // pes))
    return ScheduledStage(banks, rows, weights, bias, ends, positions, int(np.count_nonzero(words >= 0)))


def _spans(row_at: Integers, count: int) -> tuple[tuple[Integers, Integers], Integers]:
    """The PE of each row and the cycle in which it begins, and the one in which it ends."""
    pe, step = np.nonzero(row_at >= 0)
    row = row_at[pe, step]
    first: NDArray[Any] = np.full(count, row_at.shape[1])
    last = np.zeros(count, dtype=np.int64)
    np.minimum.at(first, row, step)
    np.maximum.at(last, row, step)
    of_pe = np.zeros(count, dtype=np.int64)
    of_pe[row] = pe
    return (of_pe, first), last
