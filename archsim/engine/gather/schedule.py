"""A stage of fixed pattern as a schedule without conflicts: what each PE and each bank does in each cycle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.engine.gather.encoding import deal_rows
from archsim.engine.gather.matching import NOTHING, arrange, balance
from workloads import IntegerStage

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ScheduledStage:
    """What PEs take in each cycle of a stage, all of shape (pes, steps).

    `banks` that are read and the `rows` in them, `NOTHING` where a PE reads none: it brings a bias or waits;
    `weights`, words of bias among them and zeros where it waits; which entries are a `bias`, and which are
    the last of their output (`ends`). `positions` is where each output lies, its place in its PE times pes,
    plus the PE; `stored` how many weights there are.
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
    def least_steps(self) -> int:
        """What no schedule can be shorter than: the entries of the PE that has most, and the reads of the
        bank that has most. With PEs that may work on several rows at once there is always one of so many
        (König 1916)."""
        waits = (self.banks == NOTHING) & ~self.bias & ~self.ends
        reads = np.bincount(self.banks[self.banks >= 0], minlength=1)
        return int(max((~waits).sum(axis=1).max(), reads.max()))

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
        return self.stored + self.opens

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
    input_row, bank = np.divmod(lies_at[integer.stage.columns()], pes)
    row_of_weight = np.repeat(number, lengths)
    entries = np.zeros((len(order), pes), dtype=np.int64)
    np.add.at(entries, (row_of_weight, bank), 1)
    begins = np.concatenate([[0], np.cumsum(np.bincount(pe_of_row, minlength=pes))])
    banks, row_at = arrange(entries, begins, biases.shape[1])
    rows, weights = np.full(banks.shape, NOTHING, dtype=np.int64), np.zeros(banks.shape, dtype=np.int64)
    # The reads of a row in a bank take its entries there in order of address.
    pe, step = np.nonzero(banks >= 0)
    slots = np.lexsort((step, banks[pe, step], row_at[pe, step]))
    taken = np.lexsort((input_row, bank, row_of_weight))
    rows[pe[slots], step[slots]] = input_row[taken]
    weights[pe[slots], step[slots]] = integer.weights.ravel()[taken]
    return _with_rows(banks, rows, weights, row_at, biases[order], number, len(integer.weights.ravel()))


def _with_rows(
    banks: Integers,
    rows: Integers,
    weights: Integers,
    row_at: Integers,
    biases: Integers,
    number: Integers,
    stored: int,
) -> ScheduledStage:
    """Marks where rows begin, with their biases, and where they end; outputs lie in the order of that."""
    pes, (count, words) = banks.shape[0], biases.shape
    begun, ended = _spans(row_at, count)
    pe_of_row = begun[0]
    ends, bias = np.zeros(banks.shape, dtype=bool), np.zeros(banks.shape, dtype=bool)
    ends[pe_of_row, ended] = True
    for word in range(words):
        bias[pe_of_row, begun[1] + word] = True
        weights[pe_of_row, begun[1] + word] = biases[:, word]
    place = np.empty(count, dtype=np.int64)
    in_order = np.lexsort((begun[1], pe_of_row))
    of_pe = np.bincount(pe_of_row, minlength=pes)
    place[in_order] = np.arange(count) - np.repeat(np.cumsum(of_pe) - of_pe, of_pe)
    positions = (place * pes + pe_of_row)[number]
    return ScheduledStage(banks, rows, weights, bias, ends, positions, stored)


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
