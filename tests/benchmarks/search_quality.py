"""What a search reaches of the true front, beside draws at random and beside other samplers of Optuna: the
table of docs/search.md.

    python -m tests.benchmarks.search_quality

Every point of a space is costed once; then nothing is, and samplers are told what was found. What is reached
is the hypervolume of the feasible points tried, as a share of that of all feasible points: of energy and area
by ratios, of accuracy by ratios of errors, each from the best to the worst of the feasible points.
"""

from __future__ import annotations

import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import archsim as a
from archsim.explore.pareto import undominated
from archsim.explore.search.goals import Goals, Judged
from archsim.explore.search.sampling import Sampler
from archsim.explore.sweep.work import key_in
from reports.tables import Table
from tests.examples import EXAMPLES

OBJECTIVES = ("energy_j", "area_mm2", "accuracy")
CONSTRAINTS = ("accuracy >= 0.98", "critical_path_s * clock_hz <= 1")
TRIALS = (100, 200, 500, 1000)
SEEDS = range(10)
ASKS = 20
"""Proposals for each trial after which a sampler that only repeats itself is done."""


class Random(Sampler):
    def method(self) -> Any:
        return self.optuna.samplers.RandomSampler(seed=self.seed)


class Tpe(Sampler):
    def method(self) -> Any:
        return self.optuna.samplers.TPESampler(multivariate=True, seed=self.seed)


class Nsga(Sampler):
    def method(self) -> Any:
        return self.optuna.samplers.NSGAIISampler(population_size=50, seed=self.seed)


@dataclass(frozen=True, eq=False)
class Known:
    """A space of which every point is judged, by its number."""

    space: a.Space
    goals: Goals
    judged: Sequence[Judged]

    @classmethod
    def of(cls, space: a.Space, objectives: Iterable[str], constraints: Iterable[str], folder: Path) -> Known:
        """Costs every point of a space, into a folder."""
        swept = a.sweep(space, folder, workers=0)
        rows = {row.key: row for row in swept.store.rows()}
        goals = Goals.of(space, objectives, constraints)
        points = (space.point(number) for number in range(len(space)))
        judged = [goals.judged(rows[key_in(point, space.fidelity, space.folder)]) for point in points]
        return cls(space, goals, judged)

    def number(self, places: dict[str, int]) -> int:
        number = 0
        for axis, entries in self.space.axes.items():
            number = number * len(entries) + places[axis]
        return number

    @cached_property
    def feasible(self) -> list[int]:
        return [number for number, judged in enumerate(self.judged) if judged.feasible]

    @cached_property
    def scaled(self) -> dict[int, NDArray[np.float64]]:
        """The costs of the feasible points by number, from 0, the best, to 1, the worst."""
        names = [objective.name for objective in self.goals.objectives]
        logs = np.array(
            [
                [
                    math.log(1 + cost if name == "accuracy" else cost)
                    for name, cost in zip(names, costs, strict=True)
                ]
                for number in self.feasible
                if (costs := self.judged[number].costs) is not None
            ]
        )
        low, high = logs.min(axis=0), logs.max(axis=0)
        return dict(zip(self.feasible, (logs - low) / (high - low), strict=True))

    def hypervolume(self, numbers: Iterable[int]) -> float:
        costs = np.array([self.scaled[number] for number in {*numbers} if number in self.scaled])
        return volume(costs[undominated(costs)]) if len(costs) else 0.0

    @cached_property
    def whole(self) -> float:
        return self.hypervolume(self.feasible)

    def reached(self, sampler: Sampler, trials: Sequence[int]) -> list[float]:
        """The share of the true hypervolume after so many different points each."""
        tried: dict[int, None] = {}
        for _ in range(ASKS * trials[-1]):
            for proposal in sampler.generation():
                number = self.number({**proposal.places})
                tried.setdefault(number)
                sampler.tell(proposal, self.judged[number])
            if len(tried) >= trials[-1]:
                break
        order = [*tried]
        return [self.hypervolume(order[:many]) / self.whole for many in trials]


def volume(costs: NDArray[np.float64]) -> float:
    """The volume between points (points, objectives) and the corner where every cost is 1."""
    if costs.shape[1] == 1:
        return float(1 - costs.min())
    ordered = costs[np.argsort(costs[:, -1])]
    starts: list[float] = ordered[:, -1].tolist()
    return sum(
        volume(ordered[: place + 1, :-1]) * (end - start)
        for place, (start, end) in enumerate(itertools.pairwise([*starts, 1.0]))
        if end > start
    )


CONTESTANTS: dict[str, tuple[Callable[..., Sampler], Sequence[int]]] = {
    "at random": (Random, TRIALS),
    "NSGA-II, populations of 50": (Nsga, TRIALS),
    "TPE, multivariate": (Tpe, TRIALS[:-2]),
    "NSGA-II, populations of 20": (Sampler, TRIALS),
}
"""Who is compared, and at how many trials: many of TPE take minutes."""


def table(known: Known, seeds: Iterable[int]) -> Table:
    """Means over seeds, the least behind them, and the processor time of proposing the last."""
    rows = []
    for name, (make, trials) in CONTESTANTS.items():
        began = time.process_time()
        shares = [known.reached(make(known.space, known.goals, seed), trials) for seed in seeds]
        spent_s = (time.process_time() - began) / len(shares)
        cells = [f"{statistics.mean(one):.1%} ({min(one):.1%})" for one in zip(*shares, strict=True)]
        cells += ["—"] * (len(TRIALS) - len(cells))
        rows.append((name, *cells, f"{spent_s / trials[-1] * 1e3:.0f} ms"))
        print(rows[-1], flush=True)
    columns = ("points", *(f"{many:,} trials" for many in TRIALS), "for each proposed")
    return Table("", columns, rows)


def main() -> None:
    space = a.Space.from_file(EXAMPLES / "search.yaml")
    with tempfile.TemporaryDirectory() as folder:
        known = Known.of(space, OBJECTIVES, CONSTRAINTS, Path(folder))
    front = undominated(np.array([known.scaled[number] for number in known.feasible])).sum()
    print(f"{len(space):,} points, {len(known.feasible):,} feasible, {front} on the front\n")
    print(table(known, SEEDS).markdown())


if __name__ == "__main__":
    main()
