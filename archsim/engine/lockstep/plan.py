"""One stage on PEs that march in step, or a piece of one: how many taps and groups, and what a step reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StagePlan:
    """One stage on the PEs.

    `taps` F per output, after `bias_words` words of bias; `outputs` M; `lane_words` the activation words read
    in one step of each group, shape (groups,); `mirrors` how often the first group's first words are written
    again; `fields` what the descriptor says beyond the common fields; `banks` words are written at once, and
    with `scores_queue` so many scores leave at once; else all of a group. So many products are `padding`, of
    weights of zero; the last `zeros` outputs are zero, for the next stage to read. With `continues` another
    plan of the same stage follows; `written_before` words the ones before it write.
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
    padding: int = 0
    zeros: int = 0
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
    def order(self) -> NDArray[np.int64]:
        """The outputs in the order in which they are worked off, group by group and PE by PE."""
        return np.arange(self.outputs)

    @property
    def fetching(self) -> NDArray[np.int64]:
        """PEs that fetch a word where one is due in each group, shape (groups,)."""
        return self.valid

    @property
    def group_fields(self) -> dict[str, int]:
        """What the descriptor says of its groups: how many, and which PEs have an output in the last one."""
        return {"groups_less_one": self.groups - 1, "valid_less_one": self.last_valid - 1}

    @property
    def last_valid(self) -> int:
        """PEs that have an output in the last group."""
        return int(self.valid[-1])

    @property
    def first_valid(self) -> int:
        """PEs that have an output in the first group."""
        return int(self.valid[0])

    def words_of_step(self, group: int, step: int) -> Sequence[int]:
        """Activation words read in each cycle of a step."""
        return (0 if step < self.bias_words else int(self.lane_words[group]),)

    def takes_of_step(self, group: int, step: int) -> Sequence[int]:
        """PEs that take an activation in each cycle of a step."""
        return (int(self.valid[group]),)

    @property
    def group_cycles(self) -> NDArray[np.int64]:
        """Cycles that the steps of each group take, shape (groups,)."""
        return np.full(self.groups, self.steps)

    @cached_property
    def pause(self) -> int:
        """Cycles that a group waits for the results of the one before to be written."""
        written = self.write_cycles
        written[0] += self.mirrors
        return int(max([0, *(written[:-1] - self.group_cycles[1:])]))

    @property
    def issue_cycles(self) -> int:
        """Cycles from the first tap to the last."""
        return int(self.group_cycles.sum()) + (self.groups - 1) * self.pause

    def written_at_once(self, group: int) -> Sequence[int]:
        """Results of a group that are written, or leave, in each cycle that this takes."""
        left, banks = int(self.valid[group]), self.pes if self.scores_at_once else self.banks
        return [min(banks, left - done) for done in range(0, max(left, 1), banks)]

    @property
    def scores_at_once(self) -> bool:
        """Whether the results are scores that leave all together."""
        return self.final and not self.scores_queue

    @property
    def write_cycles(self) -> NDArray[np.int64]:
        """Cycles that the results of each group take to be written, or to leave, shape (groups,)."""
        banks = self.pes if self.scores_at_once else self.banks
        cycles: NDArray[np.int64] = -(-np.maximum(self.valid, 1) // banks)
        return cycles

    @property
    def last_write_cycles(self) -> int:
        """Cycles that the results of the last group take, mirrors included where it is the first too."""
        return len(self.written_at_once(self.groups - 1)) + (self.mirrors if self.groups == 1 else 0)

    @property
    def macs(self) -> int:
        """Products of stored weights."""
        return self.taps * self.outputs - self.padding

    @property
    def stalls(self) -> int:
        """Cycles in which no PE is given an activation, for those that are looked at are all zero."""
        return 0

    @property
    def biases(self) -> int:
        return self.bias_words * self.outputs

    @property
    def activation_reads(self) -> int:
        return self.taps * int(self.lane_words.sum())

    @property
    def mirrored_words(self) -> int:
        """Words that are written again each time."""
        return min(self.banks, self.first_valid)

    @property
    def activation_writes(self) -> int:
        return 0 if self.final else self.outputs + self.mirrors * self.mirrored_words

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
        highest = max(self.outputs, self.mirrors * self.outputs + self.mirrored_words) - 1
        return (self.written_before + highest) // self.banks + 1
