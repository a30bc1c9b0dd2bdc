"""What every engine has where it is simulated as events: a clock, words that move, and stages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import simpy

from archsim.engine.counts import StageActivity


class Clocked(ABC):
    """A machine in cycles and what it has counted: `words` read by role, and those of activations written."""

    def __init__(self, roles: Iterable[str], descriptor_words: int) -> None:
        self.env = simpy.Environment()
        self.words = dict.fromkeys((*roles, "activation_written"), 0)
        self.descriptor_words = descriptor_words
        self.activity: list[StageActivity] = []

    def run(self) -> int:
        """The cycles from `start` to `done`."""
        self.env.run(until=self.env.process(self.controller()))
        return int(self.env.now)

    @abstractmethod
    def controller(self) -> Any:
        """Answers start, then runs stage after stage."""

    def fetch_descriptor(self) -> Any:
        """One word a cycle, and one more cycle for the last word to enter its fields."""
        for _ in range(self.descriptor_words):
            self.words["descriptor"] += 1
            yield self.env.timeout(1)
        yield self.env.timeout(1)
