"""A stage of which activations that are zero are skipped: rows of words are looked at, one word a bank.

Of a row those that are not zero take a cycle each, and a row of zeros takes one; the first word of an output
without a bias is taken whatever it is. All PEs take the same, so that all groups of a stage are alike.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archsim.engine.lockstep.plan import StagePlan


@dataclass(frozen=True, kw_only=True, eq=False)
class SkippingPlan(StagePlan):
    """A stage on PEs that all take the same activation; `nonzero`: which are not zero, shape (taps,)."""

    nonzero: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """Rows of words, one a bank, that are looked at in each group."""
        return -(-self.taps // self.banks)

    @property
    def taken(self) -> NDArray[np.bool_]:
        """Which activations are multiplied, shape (taps,)."""
        taken = self.nonzero.copy()
        taken[0] |= not self.bias_words
        return taken

    @cached_property
    def zero_rows(self) -> int:
        """Rows that bring nothing, in each group."""
        padded = np.pad(self.taken, (0, -self.taps % self.banks))
        return int((~padded.reshape(-1, self.banks).any(axis=1)).sum())

    @property
    def group_cycles(self) -> NDArray[np.int64]:
        """As few as there may be, for pauses are the same whatever the inputs are."""
        return np.full(self.groups, self.bias_words + self.rows)

    @property
    def issue_cycles(self) -> int:
        """With a cycle in which the first row is on its way, unless a bias is taken in it."""
        taken = self.bias_words + int(self.taken.sum()) + self.zero_rows
        return self.groups * taken + (self.groups - 1) * self.pause + (not self.bias_words)

    @property
    def stalls(self) -> int:
        """Cycles in which a row of zeros passes."""
        return self.groups * self.zero_rows

    @property
    def macs(self) -> int:
        return int(self.taken.sum()) * self.outputs

    @property
    def activation_reads(self) -> int:
        return self.groups * self.taps

    def weight_reads(self, per_fetch: int) -> int:
        """Words that some weight is taken of. One that lies in two groups is fetched in the first of them in
        which it is."""
        of_group = np.append(np.arange(self.bias_words), self.bias_words + np.flatnonzero(self.taken))
        words = (np.arange(self.groups)[:, None] * self.steps + of_group) // per_fetch
        fetched = np.diff(words.ravel(), prepend=-1) > 0
        return int(fetched.reshape(words.shape).sum(axis=1) @ self.fetching)


def skipping(plan: StagePlan, *, banks: int, scores_queue: bool) -> SkippingPlan:
    """The same stage on these banks, with activations none of which is zero."""
    given = {each.name: getattr(plan, each.name) for each in fields(plan)}
    given |= {"banks": banks, "scores_queue": scores_queue}
    return SkippingPlan(**given, nonzero=np.ones(plan.taps, dtype=bool))
