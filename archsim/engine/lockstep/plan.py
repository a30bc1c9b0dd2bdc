"""One stage on PEs that march in step: how many taps and groups, and what a step reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StagePlan:
    """One stage on the PEs.

    `taps` F per output; `outputs` M; `lane_words` the activation words read in one step of each group,
    shape (groups,); `mirrors` how often the first group's results are written again; `hold` the pause
    after the first group; `fields` what the descriptor says beyond the common fields.
    """

    taps: int
    outputs: int
    pes: int
    lane_words: NDArray[np.int64]
    fields: dict[str, int]
    final: bool
    mirrors: int = 0
    hold: int = 0

    @property
    def groups(self) -> int:
        return -(-self.outputs // self.pes)

    @property
    def last_valid(self) -> int:
        """PEs that have an output in the last group."""
        return self.outputs - (self.groups - 1) * self.pes

    @property
    def first_valid(self) -> int:
        """PEs that have an output in the first group."""
        return min(self.outputs, self.pes)

    @property
    def macs(self) -> int:
        return self.taps * self.outputs

    @property
    def activation_reads(self) -> int:
        return self.taps * int(self.lane_words.sum())

    @property
    def activation_writes(self) -> int:
        return 0 if self.final else self.outputs + self.mirrors * self.first_valid

    def weight_fetches(self, groups: int, per_fetch: int) -> int:
        """Fetches of a PE that is busy in the first `groups` groups."""
        return -(-groups * self.taps // per_fetch)

    def weight_reads(self, per_fetch: int) -> int:
        """Fetches of all PEs."""
        busy_to_the_end = self.weight_fetches(self.groups, per_fetch) * self.last_valid
        return busy_to_the_end + self.weight_fetches(self.groups - 1, per_fetch) * (
            self.pes - self.last_valid
        )

    @property
    def highest_address(self) -> int:
        """The last activation address that this stage writes."""
        return max(self.outputs, self.mirrors * self.outputs + self.first_valid) - 1
