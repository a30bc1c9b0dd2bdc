"""Compiled loops that find a schedule without conflicts: rows dealt to PEs, and who reads which bank when.

In a cycle a PE reads one bank and a bank answers one PE, so the reads of a cycle are a matching of PEs and
banks. A PE works on one row at a time, so it wants only what is left of that row. Of all matchings the one of
the greatest weight is taken: a read weighs the more, the more the row still wants from that bank, the more
all rows at work do, and the less slack PE and bank have against the one with the most left to do. That is the
rule under which a switch with queues at its inputs loses no throughput (McKeown and others, IEEE Transactions
on Communications 47, 1999), here with queues that are known to their end.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]

READ, WANTED, SLACK = 100_000, 100, 50
"""What a read weighs, and what it gains and loses for each entry that is wanted and each cycle of slack: any
read is worth more than none, and slack counts half."""

NOTHING = -1
"""No row, no bank, or no PE."""

FAR = 1 << 60


class _Left(NamedTuple):
    """What is left to do: entries by row and bank, of each row, of each PE and of each bank; which rows are
    not `begun`; the `row` of each PE and its `biases`; what the rows at work want of each bank."""

    entries: Array
    of_row: Array
    of_pe: Array
    of_bank: Array
    begun: Array
    row: Array
    biases: Array
    wanted: Array


@njit(nogil=True, cache=True)
def balance(pe_of_row: Array, first: Array, second: Array, pes: int) -> None:
    """Exchanges rows between PEs until no exchange makes the sums over each PE of `first` and of `second`,
    shape (rows,) both, more even: their squares are less. Each PE keeps as many rows as it has."""
    rows = pe_of_row.size
    loads = np.zeros((2, pes), np.int64)
    for row in range(rows):
        loads[0, pe_of_row[row]] += first[row]
        loads[1, pe_of_row[row]] += second[row]
    changed = True
    while changed:
        changed = False
        for row in range(rows):
            least, chosen = 0, NOTHING
            for other in range(rows):
                one, two = pe_of_row[row], pe_of_row[other]
                a, b = first[other] - first[row], second[other] - second[row]
                gain = a * (loads[0, one] - loads[0, two] + a) + b * (loads[1, one] - loads[1, two] + b)
                if one != two and gain < least:
                    least, chosen = gain, other
            if chosen != NOTHING:
                one, two = pe_of_row[row], pe_of_row[chosen]
                a, b = first[chosen] - first[row], second[chosen] - second[row]
                loads[0, one], loads[0, two] = loads[0, one] + a, loads[0, two] - a
                loads[1, one], loads[1, two] = loads[1, one] + b, loads[1, two] - b
                pe_of_row[row], pe_of_row[chosen] = two, one
                changed = True


@njit(nogil=True, cache=True)
def arrange(entries: Array, begins: Array, bias_words: int) -> tuple[Array, Array]:
    """Which bank and which row each PE works on in each cycle, `NOTHING` where it reads none or has no row
    left: two arrays of shape (pes, cycles). `entries` are those of each row in each bank, shape (rows,
    banks); PE p has the rows from begins[p] to begins[p + 1], in any order. A row begins with its biases, for
    which no bank is read; one of nothing at all takes a cycle."""
    pes, banks = begins.size - 1, entries.shape[1]
    left = _all_left(entries, begins, bias_words)
    cycles = int(max(left.of_pe.max(), left.of_bank.max()))
    bank_at = np.full((pes, cycles), NOTHING, np.int64)
    row_at = np.full((pes, cycles), NOTHING, np.int64)
    weights, prices = np.zeros((banks, banks), np.int64), np.zeros(banks + 1, np.int64)
    matched = np.zeros(banks, np.int64)
    cycle = 0
    while left.of_pe.max() > 0:
        if cycle == cycles:
            bank_at, row_at, cycles = _longer(bank_at), _longer(row_at), 2 * cycles
        _begin_rows(begins, bias_words, left)
        _weigh(left, weights)
        _match(weights, prices, matched)
        for pe in range(pes):
            row_at[pe, cycle] = left.row[pe]
            bank_at[pe, cycle] = _work(pe, matched[pe], weights[pe, matched[pe]], left)
        cycle += 1
    return bank_at[:, :cycle], row_at[:, :cycle]


@njit(nogil=True, cache=True)
def _all_left(entries: Array, begins: Array, bias_words: int) -> _Left:
    pes, (rows, banks) = begins.size - 1, entries.shape
    of_row = entries.sum(axis=1)
    of_pe = np.zeros(pes, np.int64)
    for pe in range(pes):
        for row in range(begins[pe], begins[pe + 1]):
            of_pe[pe] += max(1, of_row[row] + bias_words)
    return _Left(
        entries.copy(),
        of_row,
        of_pe,
        entries.sum(axis=0),
        np.zeros(rows, np.bool_),
        np.full(pes, NOTHING, np.int64),
        np.zeros(pes, np.int64),
        np.zeros(banks, np.int64),
    )


@njit(nogil=True, cache=True)
def _longer(table: Array) -> Array:
    """The table with as many more cycles."""
    longer = np.full((table.shape[0], 2 * table.shape[1]), NOTHING, np.int64)
    longer[:, : table.shape[1]] = table
    return longer


@njit(nogil=True, cache=True)
def _begin_rows(begins: Array, bias_words: int, left: _Left) -> None:
    """Gives each PE that has none the row that wants least of what the others want too."""
    banks = left.wanted.size
    for pe in range(left.row.size):
        if left.row[pe] != NOTHING:
            continue
        least, chosen = FAR, NOTHING
        for row in range(begins[pe], begins[pe + 1]):
            if left.begun[row]:
                continue
            shared = 0
            for bank in range(banks):
                shared += left.entries[row, bank] * left.wanted[bank]
            shared = 1000 * shared // max(1, left.of_row[row])
            if shared < least:
                least, chosen = shared, row
        if chosen != NOTHING:
            left.row[pe], left.begun[chosen], left.biases[pe] = chosen, True, bias_words
            for bank in range(banks):
                left.wanted[bank] += left.entries[chosen, bank]


@njit(nogil=True, cache=True)
def _weigh(left: _Left, weights: Array) -> None:
    """What each read weighs that a PE may do in this cycle; zero where it may not."""
    most = max(left.of_pe.max(), left.of_bank.max())
    for pe in range(left.row.size):
        row = left.row[pe]
        for bank in range(left.wanted.size):
            weights[pe, bank] = 0
            if row != NOTHING and left.biases[pe] == 0 and left.entries[row, bank] > 0:
                gained = WANTED * (left.entries[row, bank] + left.wanted[bank])
                lost = SLACK * (2 * most - left.of_pe[pe] - left.of_bank[bank])
                weights[pe, bank] = max(1, READ + gained - lost)


@njit(nogil=True, cache=True)
def _work(pe: int, bank: int, weight: int, left: _Left) -> int:
    """Does what a PE does in this cycle, and returns the bank that it reads."""
    row, taken = left.row[pe], NOTHING
    if row == NOTHING:
        return taken
    if left.biases[pe] > 0:
        left.biases[pe] -= 1
        left.of_pe[pe] -= 1
    elif weight > 0:
        left.entries[row, bank] -= 1
        left.of_row[row] -= 1
        left.of_bank[bank] -= 1
        left.wanted[bank] -= 1
        left.of_pe[pe] -= 1
        taken = bank
    elif left.of_row[row] == 0:
        left.of_pe[pe] -= 1
    if left.of_row[row] == 0 and left.biases[pe] == 0:
        left.row[pe] = NOTHING
    return taken


@njit(nogil=True, cache=True)
def _match(weights: Array, prices: Array, matched: Array) -> None:
    """The column of each row in the matching of the greatest weight, of a square of weights; a weight of zero
    is a pair that may remain single. Shortest augmenting paths (Jonker and Volgenant, Computing 38, 1987)
    from the `prices` of columns that the last matching has left, of which any are a beginning."""
    size = matched.size
    values = np.empty(size, np.int64)
    owner = np.full(size + 1, NOTHING, np.int64)
    waiting = np.empty(size, np.int64)
    left_over = 0
    for row in range(size):
        values[row], column = FAR, NOTHING
        for other in range(size):
            cost = -weights[row, other] - prices[other]
            if cost < values[row]:
                values[row], column = cost, other
        if owner[column] == NOTHING:
            owner[column] = row
        else:
            waiting[left_over] = row
            left_over += 1
    for number in range(left_over):
        _augment(waiting[number], weights, values, prices, owner)
    for column in range(size):
        matched[owner[column]] = column


@njit(nogil=True, cache=True)
def _augment(row: int, weights: Array, values: Array, prices: Array, owner: Array) -> None:
    """Finds a column for a row that has none, by the cheapest chain of rows that change theirs."""
    size = owner.size - 1
    cheapest, before = np.full(size, FAR, np.int64), np.full(size, NOTHING, np.int64)
    seen = np.zeros(size + 1, np.bool_)
    column = size
    owner[column] = row
    while owner[column] != NOTHING:
        seen[column] = True
        at, step, following = owner[column], FAR, NOTHING
        for other in range(size):
            if not seen[other]:
                cost = -weights[at, other] - values[at] - prices[other]
                if cost < cheapest[other]:
                    cheapest[other], before[other] = cost, column
                if cheapest[other] < step:
                    step, following = cheapest[other], other
        for other in range(size + 1):
            if seen[other]:
                values[owner[other]] += step
                prices[other] -= step
            elif other < size:
                cheapest[other] -= step
        column = following
    while column != size:
        owner[column] = owner[before[column]]
        column = before[column]
    owner[size] = NOTHING
