"""One stage on PEs that march in step, or a piece of one: how many taps and groups, and what a step reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StagePlan:
    """One stage on the PEs.

    `taps` F per output, after `bias_words` words of bias; `outputs` M; `lane_words` the activation words read
    in one step of each group, shape (groups,); `mirrors` how often the first group's results are written
    again; `fields` what the descriptor says beyond the common fields; `banks` words are written at once, and
    with `scores_queue` so many scores leave at once; else all of a group. With `continues` another plan of
    the same stage follows; `written_before` words the ones before it write.
    """

    taps: int
    outputs: int
    pes: int
    lane_words: NDArray[np.int64]
    fields: dict[str, int]
    final: bool
    mirrors: int = 0
    bias_words: int = 0
    banks: int = 1
    scores_queue: bool = False
    continues: bool = False
    written_before: int = 0

    @property
    def steps(self) -> int:
        """Cycles of a group: taps and biases."""
        return self.taps + self.bias_words

    @property
    def groups(self) -> int:
        return -(-self.outputs // self.pes)

    @cached_property
    def valid(self) -> NDArray[np.int64]:
        """PEs that have an output in each group, shape (groups,)."""
        valid = np.full(self.groups, self.pes)
        valid[-1] = self.outputs - (self.groups - 1) * self.pes
        return valid

    @property
    def busy(self) -> NDArray[np.bool_]:
        """Which PEs have an output, shape (groups, pes)."""
        return np.arange(self.pes) < self.valid[:, None]

    @property
    def fetching(self) -> NDArray[np.int64]:
        """PEs that fetch a word where one is due in each group, shape (groups,)."""
        return self.valid

    @property
    def last_valid(self) -> int:
        """PEs that have an output in the last group."""
        return int(self.valid[-1])

    @property
    def first_valid(self) -> int:
        """PEs that have an output in the first group."""
        return int(self.valid[0])

    @property
    def pause(self) -> int:
        """Cycles that a group waits for the results of the one before to be written: each time, or with
        mirrors once."""
        written = self.write_cycles(int(self.valid.max())) + self.mirrors
        return max(0, written - self.steps) if self.groups > 1 else 0

    @property
    def paused(self) -> int:
        """How often it waits."""
        return min(1, self.groups - 1) if self.mirrors else self.groups - 1

    @property
    def issue_cycles(self) -> int:
        """Cycles from the first tap to the last."""
        return self.groups * self.steps + self.paused * self.pause

    def write_cycles(self, results: int) -> int:
        """Cycles that so many results take to be written, or to leave."""
        return 1 if self.final and not self.scores_queue else -(-results // self.banks)

    @property
    def last_write_cycles(self) -> int:
        """Cycles that the results of the last group take, mirrors included where it is the first too."""
        return self.write_cycles(self.last_valid) + (self.mirrors if self.groups == 1 else 0)

    @property
    def macs(self) -> int:
        return self.taps * self.outputs

    @property
    def biases(self) -> int:
        return self.bias_words * self.outputs

    @property
    def activation_reads(self) -> int:
        return self.taps * int(self.lane_words.sum())

    @property
    def activation_writes(self) -> int:
        return 0 if self.final else self.outputs + self.mirrors * self.first_valid

    def weight_fetches(self, groups: int, per_fetch: int) -> int:
        """Fetches of a PE that is busy in the first `groups` groups."""
        return -(-groups * self.steps // per_fetch)

    def weight_reads(self, per_fetch: int) -> int:
        """Fetches of all PEs: of those that fetch in a group, as many as fall into its steps."""
        fetches = -(-np.arange(self.groups + 1) * self.steps // per_fetch)
        return int(np.diff(fetches) @ self.fetching)

    @property
    def rows_written(self) -> int:
        """Rows of a bank up to the last that this stage writes."""
        if self.final:
            return 0
        highest = max(self.outputs, self.mirrors * self.outputs + self.first_valid) - 1
        return (self.written_before + highest) // self.banks + 1
