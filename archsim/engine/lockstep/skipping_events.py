"""The lockstep engine that skips zeros as events: rows of words are asked for, looked at, and taken of.

Nothing here uses the closed form: it is the check on it.
"""

from __future__ import annotations

from typing import Any

from archsim.engine.lockstep.events import LockstepMachine
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.lockstep.skipping import SkippingPlan


class SkippingMachine(LockstepMachine):
    """A machine whose steps are what the scan finds. `held` is the word of weights that all PEs hold."""

    held = -1

    def weight_ports(self, plan: StagePlan) -> Any:
        """A stage begins with a new word; more are asked for with what is taken."""
        self.held = -1
        yield self.env.timeout(0)

    def issue_group(self, number: int, plan: StagePlan, group: int) -> Any:
        """One bias after the other, then row after row. A row is asked for while the last of the one before
        is taken, the very first one while a bias is."""
        assert isinstance(plan, SkippingPlan)
        busy = int(plan.valid[group])
        if group == 0 and not plan.bias_words:
            yield self.env.timeout(1)
        for step in range(plan.bias_words):
            yield from self.takes(plan, group, step)
            self.biases += busy
        for first in range(0, plan.taps, plan.banks):
            row = range(first, min(first + plan.banks, plan.taps))
            self.read[number] += len(row)
            waiting = [tap for tap in row if plan.nonzero[tap] or (tap == 0 and not plan.bias_words)]
            for tap in waiting:
                yield from self.takes(plan, group, plan.bias_words + tap)
                self.macs += busy
            if not waiting:
                self.stalls += 1
                yield self.env.timeout(1)

    def takes(self, plan: SkippingPlan, group: int, step: int) -> Any:
        """All PEs multiply a weight, whose word is fetched unless it is held."""
        word = (group * plan.steps + step) // self.weights_per_fetch
        if word != self.held:
            self.held = word
            self.words["weight"] += int(plan.fetching[group])
        yield self.env.timeout(1)
