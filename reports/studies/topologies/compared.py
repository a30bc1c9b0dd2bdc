"""Networks that were trained with several seeds, compared: whether two means differ, and by how much."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from reports.write_up.claims import SeedRule

NO_BREAK = "\N{NO-BREAK SPACE}"


class OverSeeds(Protocol):
    """A network over its seeds."""

    @property
    def accuracies(self) -> tuple[float, ...]:
        """On all test images, one a seed."""

    @property
    def mean(self) -> float:
        """Of the accuracies."""

    @property
    def standard_error(self) -> float:
        """Of the mean over seeds."""


N = TypeVar("N", bound=OverSeeds)


@dataclass(frozen=True)
class Compared(Generic[N]):
    """Networks that are trained alike and compared with each other."""

    name: str
    networks: tuple[N, ...]

    @cached_property
    def deviation(self) -> float:
        """The standard deviation of accuracy from seed to seed, of all networks together."""
        return seed_deviation(self.networks)

    def differ(self, one: N, other: N, rule: SeedRule) -> bool:
        """Whether two means differ by the rule."""
        return rule.differs(one.mean - other.mean, error_of_difference(one, other, self.deviation))

    def difference(self, one: N, other: N) -> str:
        """How much better `one` is, with the error of that: +0.21 ± 0.06 points."""
        error = error_of_difference(one, other, self.deviation) * 100
        shown = f"{(one.mean - other.mean) * 100:+.2f} ± {error:.2f} points"
        return shown.replace("-", "−").replace(" ", NO_BREAK)


def with_error(network: OverSeeds) -> str:
    """Mean and standard error over seeds: 97.42 ± 0.05 %."""
    return f"{network.mean * 100:.2f} ± {network.standard_error * 100:.2f} %".replace(" ", NO_BREAK)


def seed_deviation(trained: Sequence[OverSeeds]) -> float:
    """The standard deviation of accuracy from seed to seed, pooled over networks: with few seeds a network's
    own says little."""
    freedoms = [len(each.accuracies) - 1 for each in trained]
    squares = [
        statistics.variance(each.accuracies) * freedom
        for each, freedom in zip(trained, freedoms, strict=True)
        if freedom
    ]
    return math.sqrt(math.fsum(squares) / sum(freedoms)) if sum(freedoms) else 0.0


def error_of_difference(one: OverSeeds, other: OverSeeds, deviation: float) -> float:
    """The standard error of the difference of two means, from the pooled deviation from seed to seed."""
    return deviation * math.sqrt(1 / len(one.accuracies) + 1 / len(other.accuracies))
