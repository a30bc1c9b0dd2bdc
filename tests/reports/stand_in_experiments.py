"""Experiments that nobody had to run: every network of the plan, with accuracies that follow its weights."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache

from reports.studies.topologies.cascade_runs import CascadeRun
from reports.studies.topologies.experiments import Experiments
from reports.studies.topologies.measures import Measures
from reports.studies.topologies.plan import DENSE, PRUNED, READ_OUT, SQUARE, plan
from reports.studies.topologies.runs import Planned, Run
from reports.studies.topologies.trainings import Outcome, recipe_values

Gain = Callable[[Planned], float]


@cache
def _plan() -> tuple[Planned, ...]:
    return tuple(plan())


def accuracy(planned: Planned, seed: int) -> float:
    """More weights are better, and a seed moves an accuracy by a tenth of a point at most."""
    chance = zlib.crc32(f"{planned.label} {planned.budget} {seed}".encode()) / 2**32
    return 0.9 - 20 / planned.budget + 0.001 * chance


def runs(gain: Gain = lambda planned: 0.0) -> list[Run]:
    """A run for every network and seed, `gain` better than its weights make it."""
    found = []
    for planned in _plan():
        settings = recipe_values(planned.recipe)
        settings.pop("seed", 0)
        for seed in planned.seeds:
            share = accuracy(planned, seed) + gain(planned)
            dense = 4_736 if planned.group == SQUARE else 266_200
            outcome = Outcome(planned.budget, dense, share, share, 1.0)
            found.append(
                Run(planned.group, planned.label, planned.budget, planned.images, seed, settings, outcome)
            )
    return found


def measures(efficiency: Callable[[Planned], float] = lambda planned: 0.8) -> list[Measures]:
    """Measures for every layer that is sparse from the start."""
    found = []
    for planned in _plan():
        if planned.group == SQUARE and planned.label not in (DENSE, PRUNED):
            weights = planned.budget - READ_OUT
            solved = round(weights * efficiency(planned))
            found.append(Measures(planned.label, planned.budget, weights, 3, 2, 4, solved, weights - 10))
    return found


def cascades(*, glorot_fails: bool = True) -> list[CascadeRun]:
    """Cascades that sparse Glorot trains at any depth, and Glorot at a few stages."""
    found = []
    for depth in (1, 4, 64):
        for init in ("glorot", "sparse-glorot"):
            lost = glorot_fails and init == "glorot" and depth > 4
            signal = 16.0**-depth if init == "glorot" else 1.0
            for seed in range(3):
                share = (0.1 if lost else 0.88) + seed / 1000
                found.append(CascadeRun(depth, init, seed, signal, signal, signal * 1.1, 0.003, 0.5, share))
    return found


def experiments() -> Experiments:
    """All of them."""
    return Experiments(runs(), measures(), cascades())
