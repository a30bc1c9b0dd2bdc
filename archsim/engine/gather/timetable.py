"""Compiled loops that find a schedule without conflicts: rows dealt to PEs, and who reads what when.

In a cycle a bank reads one word, and any PEs may take it; a PE takes one word, of the row that it works on.
It is free in which order a PE takes the rows that it has and the words of a row. So cycle by cycle the PE
that has the fewest banks to turn to chooses first, and of its words the one that most others want too: then
one read serves several PEs, and more banks are left for the rest. PEs that are behind choose before others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]

TAKER, QUEUED = 10, 3
"""What a word is worth for each PE that takes it, and for each word that its first taker wants of its bank:
those that are many should not be left to the end."""

NOTHING = -1
"""No row, no word, or no PE."""

FAR = 1 << 60


class _Left(NamedTuple):
    """What is left to do: the cycles of each PE, the `row` that each works on, its `biases` and the number of
    its words; which PEs want which word (`wanted`, words by PEs), how many do (`asking`), how many words each
    PE wants of each bank (`queued`), and of how many banks it does (`kinds`); which rows are `begun`."""

    cycles: Array
    row: Array
    biases: Array
    words: Array
    wanted: Array
    asking: Array
    queued: Array
    kinds: Array
    begun: Array


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
def arrange(words: Array, ends: Array, begins: Array, banks: int, bias_words: int) -> tuple[Array, Array]:
    """Which word each PE takes in each cycle and which row it works on, `NOTHING` where it takes none or has
    no row left: two arrays of shape (pes, cycles). Row r wants words[ends[r]] to words[ends[r + 1]], and word
    w lies in bank w mod `banks`; PE p has the rows from begins[p] to begins[p + 1]. A row begins with its
    biases, for which nothing is read; one of nothing at all takes a cycle."""
    pes = begins.size - 1
    left = _all_left(words, ends, begins, banks, bias_words)
    cycles = 1
    for pe in range(pes):
        cycles = max(cycles, left.cycles[pe])
    word_at = np.full((pes, cycles), NOTHING, np.int64)
    row_at = np.full((pes, cycles), NOTHING, np.int64)
    cycle, most = 0, cycles
    while most > 0:
        if cycle == cycles:
            word_at, row_at, cycles = _longer(word_at), _longer(row_at), 2 * cycles
        for pe in range(pes):
            if left.row[pe] == NOTHING:
                _begin_row(pe, words, ends, begins, bias_words, left)
            row_at[pe, cycle] = left.row[pe]
        _take_words(word_at[:, cycle], words, ends, left)
        cycle, most = cycle + 1, 0
        for pe in range(pes):
            most = max(most, left.cycles[pe])
    return word_at[:, :cycle], row_at[:, :cycle]


@njit(nogil=True, cache=True)
def _all_left(words: Array, ends: Array, begins: Array, banks: int, bias_words: int) -> _Left:
    pes, rows, number = begins.size - 1, ends.size - 1, 1
    for word in words:
        number = max(number, word + 1)
    cycles = np.zeros(pes, np.int64)
    for pe in range(pes):
        for row in range(begins[pe], begins[pe + 1]):
            cycles[pe] += max(1, ends[row + 1] - ends[row] + bias_words)
    return _Left(
        cycles,
        np.full(pes, NOTHING, np.int64),
        np.zeros(pes, np.int64),
        np.zeros(pes, np.int64),
        np.zeros((number, pes), np.bool_),
        np.zeros(number, np.int64),
        np.zeros((pes, banks), np.int64),
        np.zeros(pes, np.int64),
        np.zeros(rows, np.bool_),
    )


@njit(nogil=True, cache=True)
def _longer(table: Array) -> Array:
    """The table with as many more cycles."""
    longer = np.full((table.shape[0], 2 * table.shape[1]), NOTHING, np.int64)
    longer[:, : table.shape[1]] = table
    return longer


@njit(nogil=True, cache=True)
def _begin_row(pe: int, words: Array, ends: Array, begins: Array, bias_words: int, left: _Left) -> None:
    """Gives a PE that of its rows which wants most of what others want, for each of its words."""
    best, chosen = NOTHING, NOTHING
    for row in range(begins[pe], begins[pe + 1]):
        if not left.begun[row]:
            shared = 0
            for place in range(ends[row], ends[row + 1]):
                shared += left.asking[words[place]]
            shared = 1000 * shared // max(1, ends[row + 1] - ends[row])
            if shared > best:
                best, chosen = shared, row
    left.row[pe] = chosen
    if chosen == NOTHING:
        return
    left.begun[chosen], left.biases[pe] = True, bias_words
    left.words[pe] = ends[chosen + 1] - ends[chosen]
    for place in range(ends[chosen], ends[chosen + 1]):
        word = words[place]
        bank = word % left.queued.shape[1]
        left.wanted[word, pe] = True
        left.asking[word] += 1
        left.kinds[pe] += left.queued[pe, bank] == 0
        left.queued[pe, bank] += 1


@njit(nogil=True, cache=True)
def _take_words(word_of: Array, words: Array, ends: Array, left: _Left) -> None:
    """Does what all PEs do in a cycle, and says which word each takes."""
    pes, banks = left.queued.shape
    most = 0
    for pe in range(pes):
        most = max(most, left.cycles[pe])
    waiting = np.zeros(pes, np.bool_)
    usable, free = left.kinds.copy(), np.ones(banks, np.bool_)
    for pe in range(pes):
        waiting[pe] = left.row[pe] != NOTHING and left.biases[pe] == 0 and left.words[pe] > 0
        if left.row[pe] != NOTHING and not waiting[pe]:
            left.biases[pe] = max(0, left.biases[pe] - 1)
            left.cycles[pe] -= 1
            _end_row(pe, left)
    while True:
        pe = _hardest(most, waiting, usable, left)
        if pe == NOTHING:
            return
        word = _best_word(pe, words[ends[left.row[pe]] : ends[left.row[pe] + 1]], waiting, free, left)
        bank = word % banks
        free[bank] = False
        for other in range(pes):
            usable[other] -= left.queued[other, bank] > 0
            if waiting[other] and left.wanted[word, other]:
                waiting[other] = False
                word_of[other] = word
                left.wanted[word, other] = False
                left.asking[word] -= 1
                left.queued[other, bank] -= 1
                left.kinds[other] -= left.queued[other, bank] == 0
                left.words[other] -= 1
                left.cycles[other] -= 1
                _end_row(other, left)


@njit(nogil=True, cache=True)
def _end_row(pe: int, left: _Left) -> None:
    """Leaves the row where nothing of it is left."""
    if left.words[pe] == 0 and left.biases[pe] == 0:
        left.row[pe] = NOTHING


@njit(nogil=True, cache=True)
def _hardest(most: int, waiting: Array, usable: Array, left: _Left) -> int:
    """The PE that chooses next: of those that wait and may turn to a bank, the one with the fewest such banks
    and cycles of slack."""
    least, chosen = FAR, NOTHING
    for pe in range(waiting.size):
        if waiting[pe] and usable[pe] > 0:
            room = usable[pe] + most - left.cycles[pe]
            if room < least:
                least, chosen = room, pe
    return chosen


@njit(nogil=True, cache=True)
def _best_word(pe: int, words: Array, waiting: Array, free: Array, left: _Left) -> int:
    """The word that a PE chooses of those of its row that it still wants, in banks that are free."""
    best, chosen = NOTHING, NOTHING
    for word in words:
        bank = word % free.size
        if left.wanted[word, pe] and free[bank]:
            takers = 1
            if left.asking[word] > 1:
                takers = 0
                for other in range(waiting.size):
                    takers += waiting[other] and left.wanted[word, other]
            worth = TAKER * takers + QUEUED * left.queued[pe, bank]
            if worth > best:
                best, chosen = worth, word
    return chosen
