"""How well a measure that needs no data ranks topologies by the accuracy they reach when trained.

Spearman's correlation of the measure with the mean accuracy over seeds. Topologies are compared within a
group, usually one budget of weights, because across budgets any measure that grows with the number of weights
ranks well; the correlation of several groups is the mean of theirs, weighted by their sizes.

The interval is a percentile bootstrap (Efron, Annals of Statistics 7, 1979): topologies are drawn again with
replacement inside their group, and for each the seeds, so that both are uncertain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from workloads.refusal import Refusal

Vector = NDArray[np.float64]

LEAST_TOPOLOGIES = 3
"""Below this number of topologies a group says nothing of a rank."""
LEAST_DRAWS = 20
"""A draw may repeat one topology only, and then has no order; that all of so many do will not happen."""


class RankingError(Refusal):
    """The observations do not allow a ranking."""


@dataclass(frozen=True)
class Observation:
    """One topology: its measure, and the accuracies that its trained networks reached, one a seed."""

    topology: str
    measure: float
    accuracies: tuple[float, ...]
    group: str = ""

    def __post_init__(self) -> None:
        if not self.accuracies or not np.isfinite([self.measure, *self.accuracies]).all():
            raise RankingError(
                f"observation of {self.topology} has measure {self.measure} and accuracies "
                f"{self.accuracies}, allowed are at least one accuracy, and all must be finite"
            )


@dataclass(frozen=True)
class Ranking:
    """Spearman's correlation, between `low` and `high` at the confidence asked for.

    `topologies` is how many took part; `ceiling` is how well the accuracies of one seed rank the mean of the
    others, in the mean over seeds: a measure of training itself would do no better (None with one seed).
    """

    correlation: float
    low: float
    high: float
    topologies: int
    ceiling: float | None


def rank_by(
    observations: Sequence[Observation], *, confidence: float = 0.95, draws: int = 2000, seed: int = 0
) -> Ranking:
    """The ranking of these observations; a `RankingError` where a group is too small or has no order."""
    if not 0 < confidence < 1:
        raise RankingError.of("confidence of a ranking", confidence, "values between 0 and 1")
    if draws < LEAST_DRAWS:
        raise RankingError.of("draws of a ranking", draws, f"values of at least {LEAST_DRAWS}")
    groups = [_Group(name, observations) for name in dict.fromkeys(each.group for each in observations)]
    if not groups:
        raise RankingError("observations of a ranking is empty, allowed is at least one")
    random = np.random.default_rng(seed)
    lots = [[group.lots(random) for group in groups] for _ in range(draws)]
    drawn = np.average(
        [group.drawn(own) for group, own in zip(groups, zip(*lots, strict=True), strict=True)],
        axis=0,
        weights=[group.size for group in groups],
    )
    rest = (1 - confidence) / 2
    low, high = np.nanquantile(drawn, [rest, 1 - rest])
    ceilings = [(ceiling, group.size) for group in groups if (ceiling := group.ceiling()) is not None]
    return Ranking(
        correlation=_mean([(float(_spearman(group.measures, group.means)), group.size) for group in groups]),
        low=float(low),
        high=float(high),
        topologies=sum(group.size for group in groups),
        ceiling=_mean(ceilings) if ceilings else None,
    )


class _Group:
    def __init__(self, name: str, observations: Sequence[Observation]) -> None:
        members = [member for member in observations if member.group == name]
        self.size = len(members)
        self.measures = np.array([member.measure for member in members])
        self.seeds = np.array([len(member.accuracies) for member in members])
        self.table = np.zeros((self.size, self.seeds.max(initial=0)))
        for row, member in zip(self.table, members, strict=True):
            row[: len(member.accuracies)] = member.accuracies
        self.means = self.table.sum(axis=1) / self.seeds
        label = f"group {name!r} of a ranking" if name else "a ranking"
        if self.size < LEAST_TOPOLOGIES:
            raise RankingError(
                f"observations of {label} number {self.size}, allowed are at least {LEAST_TOPOLOGIES}"
            )
        for what, values in (("measures", self.measures), ("accuracies", self.means)):
            if np.ptp(values) == 0:
                told = f"{what} of {label} are all {values[0]:g}"
                raise RankingError(f"{told}, allowed are at least two that differ")

    def lots(self, random: np.random.Generator) -> tuple[NDArray[np.int64], Vector]:
        """Topologies drawn again, and for each of them where among its seeds each new one lies, 0 to 1."""
        return random.integers(self.size, size=self.size), random.random((self.size, self.table.shape[1]))

    def drawn(self, lots: Sequence[tuple[NDArray[np.int64], Vector]]) -> Vector:
        """The correlation after each of the draws; nan where one has no order."""
        chosen, shares = (np.stack(each) for each in zip(*lots, strict=True))
        seeds = self.seeds[chosen][..., None]
        places = (shares * seeds).astype(np.int64)
        accuracies = np.take_along_axis(self.table[chosen], places, axis=-1)
        counted = np.arange(self.table.shape[1]) < seeds
        return _spearman(self.measures[chosen], (accuracies * counted).sum(axis=-1) / seeds[..., 0])

    def ceiling(self) -> float | None:
        """The mean correlation of each seed's accuracies with the mean of the other seeds."""
        seeds = int(self.seeds.min())
        if seeds < 2:
            return None
        table = self.table[:, :seeds]
        others = (table.sum(axis=1, keepdims=True) - table) / (seeds - 1)
        correlations = _spearman(table.T, others.T)
        ordered = correlations[np.isfinite(correlations)]
        return float(np.mean(ordered)) if ordered.size else None


def _spearman(one: Vector, other: Vector) -> Vector:
    """Spearman's correlation along the last axis, Pearson's of the ranks; nan where one side has no order."""
    ranks = scipy.stats.rankdata([one, other], axis=-1)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    lengths = np.linalg.norm(ranks, axis=-1).prod(axis=0)
    products = (ranks[0] * ranks[1]).sum(axis=-1)
    correlations: Vector = np.divide(products, lengths, out=np.full_like(lengths, np.nan), where=lengths > 0)
    return correlations


def _mean(weighted: Sequence[tuple[float, int]]) -> float:
    values, sizes = zip(*weighted, strict=True)
    return float(np.average(values, weights=sizes))
