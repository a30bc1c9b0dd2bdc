"""The pruned engine with a schedule as events: a controller that counts, ports that fetch, PEs and banks.

In each step every unit takes its entry: banks answer all PEs that want the same row, and a PE whose row ends
sends a result to its bank. Time is in cycles. Nothing here uses the closed form: it is the check on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from archsim.engine.clock import Clocked
from archsim.engine.counts import Counts, Traffic
from archsim.engine.gather.schedule import ScheduledStage
from archsim.engine.watch import Watch
from rtl import State
from rtl.engines.gather.sizes import GatherSizes
from workloads.refusal import Defect


def simulate_scheduled(
    stages: Sequence[ScheduledStage],
    sizes: GatherSizes,
    loaded: int,
    traffic: Callable[..., dict[str, Traffic]],
    watch: Watch | None = None,
) -> Counts:
    """Runs one inference from `start` to `done`, with the loading of the next one's inputs; `traffic` turns
    words into traffic. A `watch` is told what happens in which cycle."""
    machine = _Machine(stages, sizes, loaded, watch)
    cycles, interval = machine.run()
    stored = sum(stage.stored for stage in stages)
    return Counts(
        cycles=cycles,
        load_cycles=loaded,
        interval_cycles=interval,
        macs=stored,
        padding=machine.products - machine.biases - stored,
        biases=machine.biases,
        traffic=traffic(read=machine.read, written=machine.written, loaded=machine.loaded, **machine.words),
        stages=tuple(machine.activity),
    )


class _Machine(Clocked):
    def __init__(
        self, stages: Sequence[ScheduledStage], sizes: GatherSizes, loaded: int, watch: Watch | None
    ) -> None:
        roles = ("weight", "index", "descriptor")
        super().__init__(sizes, roles, stages=len(stages), inputs=loaded, watch=watch)
        self.stages = stages
        self.per_fetch = {"index": sizes.entries_per_fetch, "weight": sizes.weights_per_fetch}
        self.pipeline, self.products, self.biases = sizes.pipeline, 0, 0
        self.answering: dict[int, tuple[int, int]] = {}

    def controller(self) -> Any:
        """Answers start, then runs stage after stage; `done` follows the last write. A descriptor is fetched
        while the stage before drains."""
        yield self.env.timeout(1)
        began = int(self.env.now)
        yield self.env.process(self.fetch_descriptor(self.watch))
        self.tells("controller", began, int(self.env.now) - began, State.FETCH)
        for number, stage in enumerate(self.stages):
            final = number == len(self.stages) - 1
            self.tells("controller", self.env.now, stage.steps, State.BUSY)
            fetching = [
                self.env.process(self.port("index", stage.steps, stage.pes)),
                self.env.process(self.port("weight", stage.steps, stage.active)),
            ]
            if stage.opens:
                self.read_bank(number, 0, 0)
            units = [self.env.process(self.unit(number, stage, p, final=final)) for p in range(stage.pes)]
            yield self.env.timeout(stage.steps)
            self.tells("controller", self.env.now, self.pipeline.write, State.DRAIN)
            fetched = self.env.timeout(0) if final else self.env.process(self.fetch_descriptor(self.watch))
            yield self.env.timeout(self.pipeline.write)
            yield self.env.all_of([fetched, *fetching, *units])
            self.ends_stage(number, began, stage.stored)
            began = int(self.env.now)

    def port(self, role: str, steps: int, units: int) -> Any:
        """So many units fetch a word together, each time the entries of the last one are used up."""
        left = 0
        for _ in range(steps):
            if not left:
                self.words[role] += units
                # Weights are needed when the words of banks are, indices at once.
                later = self.pipeline.take - 1 if role == "weight" else 0
                self.tells(f"{role}.read", self.env.now + later, 1, units)
                left = self.per_fetch[role]
            left -= 1
            yield self.env.timeout(1)

    def unit(self, number: int, stage: ScheduledStage, p: int, *, final: bool) -> Any:
        """Entry after entry, one a cycle, each read from its bank or a bias; the results of rows that end
        follow each other through the pipeline."""
        results = []
        for step in range(stage.steps):
            bank = int(stage.banks[p, step])
            if bank >= 0:
                self.read_bank(number, bank, int(stage.rows[p, step]))
            self.products += p < stage.active
            if self.watch and p < stage.active:
                self.watch.products.append((int(self.env.now) + self.pipeline.accumulate, p))
            self.biases += bool(stage.bias[p, step])
            if stage.ends[p, step]:
                results.append(self.env.process(self.write_result(number, final=final)))
            yield self.env.timeout(1)
        yield self.env.all_of(results)

    def read_bank(self, number: int, bank: int, row: int) -> None:
        """Has a row of a bank in this cycle, which other PEs may have too, and no other row of it."""
        now, answered = int(self.env.now), self.answering.get(bank)
        if answered is None or answered[0] != now:
            self.answering[bank] = now, row
            self.read[number] += 1
            self.tells(f"{self.source(number)}.read", now + 1)
        elif answered[1] != row:
            raise Defect("two PEs want different rows of a bank, so the schedule is wrong")

    def write_result(self, number: int, *, final: bool) -> Any:
        """A result reaches its own bank after the pipeline."""
        yield self.env.timeout(self.pipeline.finish)
        self.tells("requantisers", self.env.now)
        yield self.env.timeout(self.pipeline.write - self.pipeline.finish)
        self.tells("scores" if final else f"{self.target(number)}.write", self.env.now)
        self.written[number] += not final
