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
from archsim.engine.counts import Counts, Traffic
from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.watch import Watch
from rtl import Sizes, State
from workloads.refusal import Defect


def simulate_lockstep(
    plans: Sequence[StagePlan],
    sizes: Sizes,
    loaded: int,
    traffic: Callable[..., dict[str, Traffic]],
    watch: Watch | None = None,
    kind: type[LockstepMachine] | None = None,
) -> Counts:
    """Runs one inference from `start` to `done`, with the loading of the next one's inputs; `traffic` turns
    words into traffic. A `watch` is told what happens in which cycle. A machine of another `kind` takes the
    steps in its own way."""
    machine = (kind or LockstepMachine)(plans, sizes, loaded, watch)
    cycles, interval = machine.run()
    return Counts(
        cycles=cycles,
        load_cycles=loaded,
        interval_cycles=interval,
        macs=machine.macs,
        padding=machine.padding,
        biases=machine.biases,
        stalls=machine.stalls,
        traffic=traffic(read=machine.read, written=machine.written, loaded=machine.loaded, **machine.words),
        stages=tuple(machine.activity),
    )


class LockstepMachine(Clocked):
    """The machine, and what it has counted."""

    def __init__(self, plans: Sequence[StagePlan], sizes: Sizes, loaded: int, watch: Watch | None) -> None:
        stages = sum(not plan.continues for plan in plans)
        super().__init__(sizes, ("weight", "descriptor"), stages=stages, inputs=loaded, watch=watch)
        self.plans, self.weights_per_fetch = plans, sizes.weights_per_fetch
        self.write_port = simpy.Resource(self.env, capacity=1)
        self.macs = self.padding = self.biases = self.stalls = 0

    def controller(self) -> Any:
        """Answers start, then runs stage after stage; `done` follows the last write. A descriptor is fetched
        while the stage before drains."""
        yield self.env.timeout(1)
        began, fetched = int(self.env.now), self.env.process(self.fetch_descriptor(self.watch))
        yield fetched
        self.is_in(State.FETCH, began)
        number = macs_before = stalls_before = 0
        for plan in self.plans:
            fetching = self.env.process(self.weight_ports(plan))
            writes = []
            for group in range(plan.groups):
                yield self.env.process(self.issue_group(number, plan, group))
                writes.append(self.env.process(self.write_results(number, plan, group)))
                if group < plan.groups - 1:
                    yield self.env.timeout(plan.pause)
                    self.is_in(State.PAUSE, int(self.env.now) - plan.pause)
            issued = int(self.env.now)
            if plan.continues or not plan.final:
                fetched = self.env.process(self.fetch_descriptor(self.watch))
            yield self.env.all_of([fetching, *writes])
            if not plan.continues:
                self.has_read(number)
            self.is_in(State.DRAIN, issued)
            drained = int(self.env.now)
            yield fetched
            self.is_in(State.FETCH, drained)
            self.macs -= plan.padding
            self.padding += plan.padding
            if not plan.continues:
                self.ends_stage(number, began, self.macs - macs_before, self.stalls - stalls_before)
                number, began = number + 1, int(self.env.now)
                macs_before, stalls_before = self.macs, self.stalls

    def issue_group(self, number: int, plan: StagePlan, group: int) -> Any:
        """One bias or tap after the other for every PE that has an output in this group."""
        for step in range(plan.steps):
            if self.watch:
                self.watch_step(self.watch, number, plan, group, step)
            for words in plan.words_of_step(group, step):
                self.read[number] += words
                yield self.env.timeout(1)
            if step < plan.bias_words:
                self.biases += int(plan.valid[group])
            else:
                self.macs += int(plan.valid[group])

    def weight_ports(self, plan: StagePlan) -> Any:
        """A fetch for every busy PE, each time the held word is dealt out. A pause stops the dealing too."""
        left = 0
        for group in range(plan.groups):
            for step in range(plan.steps):
                if not left:
                    self.words["weight"] += int(plan.fetching[group])
                    if self.watch:
                        self.watch.add("weight.read", int(self.env.now), value=int(plan.fetching[group]))
                    left = self.weights_per_fetch
                left -= 1
                yield self.env.timeout(len(plan.words_of_step(group, step)))
            if group < plan.groups - 1:
                yield self.env.timeout(plan.pause)

    def write_results(self, number: int, plan: StagePlan, group: int) -> Any:
        """The results of a group reach the write ports after the pipeline, as many a cycle as there are
        banks, and again for each mirror."""
        if self.watch and plan.valid[group] and not self.sizes.shared_requantiser:
            self.watch.add("requantisers", int(self.env.now) - 1 + self.sizes.pipeline.finish)
        yield self.env.timeout(self.sizes.pipeline.write - 1)
        again = plan.mirrors if group == 0 else 0
        for results in (*plan.written_at_once(group), *[plan.mirrored_words] * again):
            asked = self.env.now
            with self.write_port.request() as port:
                yield port
                if self.env.now != asked:
                    raise Defect("two results meet at a write port, so the schedule is wrong")
                self.written[number] += 0 if plan.final else results
                if self.watch:
                    row = "scores" if plan.final else f"{self.target(number)}.write"
                    self.watch.add(row, int(self.env.now), value=results)
                    if self.sizes.shared_requantiser:
                        self.watch.add("requantisers", int(self.env.now))
                yield self.env.timeout(1)

    def is_in(self, state: State, since: int) -> None:
        """Notes the state that the controller has been in."""
        if self.watch:
            self.watch.add("controller", since, int(self.env.now) - since, state)

    def watch_step(self, watch: Watch, number: int, plan: StagePlan, group: int, step: int) -> None:
        """Notes a step that begins: what is read and taken in each of its cycles, and that all PEs which have
        an output accumulate after the last."""
        words, takes = plan.words_of_step(group, step), plan.takes_of_step(group, step)
        now, at = int(self.env.now), self.sizes.pipeline
        last = now + len(words) - 1
        for cycle, (read, taken) in enumerate(zip(words, takes, strict=True), start=now):
            watch.add(f"{self.source(number)}.read", cycle, value=read)
            watch.add("route", cycle + at.take, value=taken)
        watch.add("controller", now, last - now, State.TURN)
        watch.add("controller", last, value=State.BUSY)
        watch.products.append((last + at.accumulate, plan.busy[group]))
