"""The lockstep engines as events: one process for each thing that exists in the hardware.

The controller fetches descriptors and issues groups of taps; the weight ports fetch a word whenever the last
one is used up; the activation banks answer every tap; the writer puts results into the banks, and mirrors
them. Time is in cycles. Nothing here uses the closed form: it is the check on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import simpy

from archsim.engine.clock import Clocked
from archsim.engine.counts import Counts, StageActivity, Traffic
from archsim.engine.lockstep.plan import StagePlan
from rtl import PIPELINE_CYCLES, Sizes
from workloads.refusal import Defect


def simulate_lockstep(
    plans: Sequence[StagePlan], sizes: Sizes, traffic: Callable[..., dict[str, Traffic]]
) -> Counts:
    """Runs one inference from `start` to `done`; `traffic` turns words into traffic."""
    machine = _Machine(plans, sizes)
    cycles, words = machine.run(), machine.words
    return Counts(cycles=cycles, macs=machine.macs, traffic=traffic(**words), stages=tuple(machine.activity))


class _Machine(Clocked):
    def __init__(self, plans: Sequence[StagePlan], sizes: Sizes) -> None:
        super().__init__(("weight", "activation", "descriptor"), sizes.descriptor_format.words)
        self.plans, self.weights_per_fetch = plans, sizes.weights_per_fetch
        self.write_port = simpy.Resource(self.env, capacity=1)
        self.macs = 0

    def controller(self) -> Any:
        """Answers start, then runs stage after stage; `done` follows the last write."""
        yield self.env.timeout(1)
        for number, plan in enumerate(self.plans):
            began, macs_before = int(self.env.now), self.macs
            yield self.env.process(self.fetch_descriptor())
            fetching = self.env.process(self.weight_ports(plan))
            writes = []
            for group in range(plan.groups):
                yield self.env.process(self.issue_group(plan, group))
                writes.append(self.env.process(self.write_results(plan, group)))
                if group == 0:
                    yield self.env.timeout(plan.hold)
            yield self.env.all_of([fetching, *writes])
            self.activity.append(StageActivity(number, began, int(self.env.now), self.macs - macs_before))

    def issue_group(self, plan: StagePlan, group: int) -> Any:
        """Every cycle one tap for every PE that has an output in this group."""
        for _ in range(plan.taps):
            self.words["activation"] += int(plan.lane_words[group])
            self.macs += self.valid(plan, group)
            yield self.env.timeout(1)

    def weight_ports(self, plan: StagePlan) -> Any:
        """A fetch for every busy PE, each time the held word is dealt out. The pause after the first group
        stops the dealing too."""
        per_fetch, due = self.weights_per_fetch, 0
        for group in range(plan.groups):
            step = due - group * plan.taps
            waited = 0
            while step < plan.taps:
                yield self.env.timeout(step - waited)
                waited = step
                self.words["weight"] += self.valid(plan, group)
                step, due = step + per_fetch, due + per_fetch
            yield self.env.timeout(plan.taps - waited + (plan.hold if group == 0 else 0))

    def write_results(self, plan: StagePlan, group: int) -> Any:
        """The results of a group reach the write ports after the pipeline, and again for each mirror."""
        yield self.env.timeout(PIPELINE_CYCLES - 1)
        repeats = 0 if plan.final or group else plan.mirrors
        for _ in range(1 + repeats):
            asked = self.env.now
            with self.write_port.request() as port:
                yield port
                if self.env.now != asked:
                    raise Defect("two results meet at a write port, so the schedule is wrong")
                self.words["activation_written"] += 0 if plan.final else self.valid(plan, group)
                yield self.env.timeout(1)

    @staticmethod
    def valid(plan: StagePlan, group: int) -> int:
        """PEs with an output in this group."""
        return plan.last_valid if group == plan.groups - 1 else plan.pes
