"""Stages on rows of PEs that share the banks: which PE works on which output, and what is read in each cycle.

With B banks, P PEs are P / B rows. A group's outputs lie in a line, or in rows that are a stride apart. The
words of a tap are read for row after row, a cycle each; where words are passed on, only those of the first
tap are.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.lockstep.stencil import Stencil

Reading = Literal["each", "shared", "words", "rows"]
"""How activations are read: for each tap of each PE; one for all PEs; once in a group, and then passed on
word by word, or row by row."""


@dataclass(frozen=True, eq=False)
class Dealing:
    """The outputs of a stage on rows of PEs: `outputs` of each PE in each group, shape (groups, pes), -1 for
    none; `rows_read`, the rows that are read for in each group, of `words_of_row` words each, shape
    (groups,).

    A row of PEs begins `row_step` outputs after the one before, a group `advance` outputs after the one
    before. A column `columns` wide takes `tiles` groups for each `banks` outputs of its width; in the last of
    them the row `rows_less_one` has the last `edge` outputs.
    """

    outputs: NDArray[np.int64]
    rows_read: NDArray[np.int64]
    words_of_row: NDArray[np.int64]
    row_step: int
    advance: int
    columns: int
    tiles: int
    rows_less_one: int
    edge: int


def in_a_line(outputs: int, pes: int, banks: int) -> Dealing:
    """Outputs dealt to PE after PE."""
    groups = -(-outputs // pes)
    dealt = np.full(groups * pes, -1, dtype=np.int64)
    dealt[:outputs] = np.arange(outputs)
    rows = np.full(groups, pes // banks)
    last_row, edge = divmod(outputs - (groups - 1) * pes - 1, banks)
    rows[-1] = last_row + 1
    return Dealing(
        dealt.reshape(groups, pes),
        rows,
        np.full(groups, banks),
        banks,
        pes,
        banks,
        groups,
        last_row,
        edge + 1,
    )


def in_columns(outputs: int, stride: int, pes: int, banks: int) -> Dealing:
    """Outputs dealt to rows a stride apart, as many as there are banks to each: down a column in tiles of all
    rows of PEs, then down the next one. The last row of outputs may not be whole."""
    rows, height = pes // banks, -(-outputs // stride)
    edge, tiles, last_row = outputs - (height - 1) * stride, -(-height // rows), (height - 1) % rows
    lane, row = np.arange(banks), np.arange(rows)[:, None]
    dealt, read, widths = [], [], []
    for column, tile in itertools.product(range(0, stride, banks), range(tiles)):
        width = min(banks, stride - column)
        of_group = column + lane + (tile * rows + row) * stride
        dealt.append(np.where((lane < width) & (of_group < outputs), of_group, -1).ravel())
        has_edge = column < edge or last_row == 0
        read.append(rows if tile < tiles - 1 else last_row + has_edge)
        widths.append(width)
    return Dealing(
        np.array(dealt),
        np.array(read),
        np.array(widths),
        stride,
        rows * stride,
        stride,
        tiles,
        last_row,
        edge,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class RowPlan(StagePlan):
    """A stage on rows of PEs; of a `stencil`, or cyclic or dense."""

    reading: Reading
    dealing: Dealing
    stencil: Stencil | None = None

    @property
    def groups(self) -> int:
        return len(self.dealing.outputs)

    @property
    def busy(self) -> NDArray[np.bool_]:
        return self.dealing.outputs >= 0

    @cached_property
    def valid(self) -> NDArray[np.int64]:
        valid: NDArray[np.int64] = self.busy.sum(axis=1)
        return valid

    @property
    def order(self) -> NDArray[np.int64]:
        return self.dealing.outputs[self.busy]

    @property
    def group_fields(self) -> dict[str, int]:
        return {"groups_less_one": self.groups - 1}

    @property
    def fetching(self) -> NDArray[np.int64]:
        """All PEs fetch, for some may have an output again before the word is dealt out; in the last group
        those that have one."""
        fetching = np.full(self.groups, self.pes)
        fetching[-1] = self.valid[-1]
        return fetching

    @cached_property
    def outputs_of_rows(self) -> NDArray[np.int64]:
        """Outputs of each row of PEs in each group, shape (groups, rows)."""
        outputs: NDArray[np.int64] = self.busy.reshape(self.groups, -1, self.banks).sum(axis=2)
        return outputs

    def words_of_step(self, group: int, step: int) -> Sequence[int]:
        if step < self.bias_words:
            return (0,)
        if self.rows_read is not None:
            return (int(self.rows_read[step - self.bias_words]) * self.banks,)
        width, rows = int(self.dealing.words_of_row[group]), int(self.dealing.rows_read[group])
        match self.reading:
            case "shared":
                return (1,)
            case "each":
                return [int(outputs) for outputs in self.outputs_of_rows[group, :rows]]
            case _ if step == self.bias_words:
                return [width] * rows
            case "words":
                return (1,)
            case "rows":
                return (width,)

    def takes_of_step(self, group: int, step: int) -> Sequence[int]:
        """Where words are passed on, PEs take them for others too."""
        words = self.words_of_step(group, step)
        if step < self.bias_words or self.rows_read is not None or self.reading == "shared":
            return super().takes_of_step(group, step)
        if self.reading == "each" or step == self.bias_words:
            return words
        return (int(self.dealing.words_of_row[group] * self.dealing.rows_read[group]),)

    @property
    def length(self) -> int:
        """Words of the vector that it reads, with those of zero at its end."""
        return self.fields["modulus"]

    @property
    def wraps(self) -> bool:
        """Whether runs of words go on past the end of that vector."""
        return self.reading != "shared" and self.rows_read is None

    @cached_property
    def rows_read(self) -> NDArray[np.bool_] | None:
        """At which taps a whole row of words is read, where places are found by exclusive or."""
        return self.stencil.rows_read(self.banks) if self.stencil and self.stencil.xors else None

    @property
    def group_cycles(self) -> NDArray[np.int64]:
        taps = np.full(self.groups, self.taps)
        if self.reading == "each":
            taps = self.taps * self.dealing.rows_read
        elif self.reading != "shared":
            taps = self.taps - 1 + self.dealing.rows_read
        return self.bias_words + taps

    @property
    def activation_reads(self) -> int:
        if self.rows_read is not None:
            return self.groups * int(self.rows_read.sum()) * self.banks
        first, later = self.dealing.rows_read * self.dealing.words_of_row, self.taps - 1
        match self.reading:
            case "shared":
                return self.groups * self.taps
            case "each":
                return self.taps * self.outputs
            case "words":
                return int(first.sum()) + self.groups * later
            case "rows":
                return int((first + later * self.dealing.words_of_row).sum())

    def written_at_once(self, group: int) -> Sequence[int]:
        if self.scores_at_once:
            return (int(self.valid[group]),)
        rows = [int(outputs) for outputs in self.outputs_of_rows[group] if outputs]
        return rows or (0,)

    @property
    def write_cycles(self) -> NDArray[np.int64]:
        if self.scores_at_once:
            return np.ones(self.groups, dtype=np.int64)
        cycles: NDArray[np.int64] = np.maximum(np.count_nonzero(self.outputs_of_rows, axis=1), 1)
        return cycles

    @property
    def score_positions(self) -> NDArray[np.int64]:
        """For every output, how many outputs its PE had before it, times pes, plus the PE."""
        rank = np.cumsum(self.busy, axis=0) - 1
        positions = np.empty(self.outputs, dtype=np.int64)
        positions[self.order] = (rank * self.pes + np.arange(self.pes))[self.busy]
        return positions
