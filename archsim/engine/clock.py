"""What every engine has where it is simulated as events: a clock, words that move, and stages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import simpy

from archsim.engine.counts import StageActivity
from archsim.engine.watch import Watch
from rtl import Sizes


class Clocked(ABC):
    """A machine in cycles and what it has counted: `words` read of the memories that the load port fills, by
    role, and the activations `read` and `written` by each stage. Beside it the load port brings in the next
    `inputs`, once those of this inference are read. A `watch` is told what happens when."""

    def __init__(
        self, sizes: Sizes, roles: Iterable[str], *, stages: int, inputs: int, watch: Watch | None
    ) -> None:
        self.env, self.watch = simpy.Environment(), watch
        self.sizes, self.inputs = sizes, inputs
        self.words = dict.fromkeys(roles, 0)
        self.read, self.written, self.loaded = [0] * stages, [0] * stages, 0
        self.input_free = self.env.event()
        self.activity: list[StageActivity] = []

    def run(self) -> tuple[int, int]:
        """The cycles from `start` to `done`, and to the next `start`."""
        loading = self.env.process(self.load_port())
        self.env.run(until=self.env.process(self.controller()))
        cycles = int(self.env.now)
        self.env.run(until=loading)
        return cycles, int(self.env.now)

    def tells(self, row: str, first: float, cycles: int = 1, value: int = 1) -> None:
        """Adds to a row of the watch, if there is one."""
        if self.watch:
            self.watch.add(row, int(first), cycles, value)

    @abstractmethod
    def controller(self) -> Any:
        """Answers start, then runs stage after stage."""

    def load_port(self) -> Any:
        """Loads the next inputs, a word a cycle."""
        yield self.input_free
        for _ in range(self.inputs):
            self.loaded += 1
            self.tells("load", self.env.now)
            yield self.env.timeout(1)

    def ends_stage(self, number: int, began: int, macs: int, stalls: int = 0) -> None:
        """Notes a stage that has ended."""
        self.tells("stage", began, int(self.env.now) - began, number + 1)
        self.activity.append(StageActivity(number, began, int(self.env.now), macs, stalls))
        self.has_read(number)

    def source(self, number: int) -> str:
        """The memory of activations that a stage reads."""
        return "input" if number == 0 and self.sizes.input_rows else f"activation_{number % 2}"

    def target(self, number: int) -> str:
        """The memory of activations that a stage writes, unless it is the last one."""
        return f"activation_{(number + 1) % 2}"

    def has_read(self, number: int) -> None:
        """A stage reads no more: after the first the inputs' own memory is free, else after the last."""
        last = number == (0 if self.sizes.input_rows else len(self.read) - 1)
        if last and not self.input_free.triggered:
            self.input_free.succeed()

    def fetch_descriptor(self, watch: Watch | None = None) -> Any:
        """One word a cycle, and one more cycle for the last word to enter its fields. A `watch` is told."""
        for _ in range(self.sizes.descriptor_format.words):
            self.words["descriptor"] += 1
            if watch:
                watch.add("descriptor.read", int(self.env.now))
            yield self.env.timeout(1)
        yield self.env.timeout(1)
