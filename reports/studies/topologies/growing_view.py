"""What came of networks that grow: searches for an accuracy beside grids, and densified networks beside those
of the final size."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.studies.topologies.compared import Compared, with_error
from reports.studies.topologies.growing import DIRECT, SEARCH, content, rung_weights
from reports.studies.topologies.runs import Run, Trained, networks
from reports.tables import Cell, Column, Table
from reports.write_up.claims import judge_cases
from reports.write_up.verdicts import Verdict
from workloads import Recipe
from workloads.training.growth import GrowthSchedule, sizes_of

GRID, ALL_RUNGS = "grid", "grid, all rungs"
"""Ways to search beside bottom up. A grid begins with the smallest rung and stops at the first that reaches
the target, unless it trains all."""


@dataclass(frozen=True)
class Searched:
    """What a search with one seed came to: the rung, from zero, or one beyond the last where none reaches the
    target; epochs in all; and the accuracy on the test images."""

    rung: int
    epochs: int
    accuracy: float | None


@dataclass(frozen=True)
class Way:
    """One way to search for a target, with every seed."""

    name: str
    seeds: tuple[Searched, ...]

    @property
    def rung(self) -> float:
        return statistics.median(one.rung for one in self.seeds)

    @property
    def epochs(self) -> float:
        return statistics.median(one.epochs for one in self.seeds)

    @property
    def reached(self) -> int:
        """With how many seeds the target is reached."""
        return sum(one.accuracy is not None for one in self.seeds)

    @property
    def accuracy(self) -> float | None:
        """On the test images, the mean over the seeds that reach the target."""
        reached = [one.accuracy for one in self.seeds if one.accuracy is not None]
        return statistics.fmean(reached) if reached else None

    def weights(self, rung: float) -> int | None:
        """Those of a rung; none beyond the last."""
        weights = rung_weights()
        return weights[int(rung)] if rung < len(weights) else None


@dataclass(frozen=True)
class Target:
    """The ways to search for an accuracy on the images held out."""

    accuracy: float
    ways: Mapping[str, Way]
    rungs_within: int

    @property
    def is_as_small(self) -> bool:
        """Whether bottom up reaches the target with no more weights than the grid, within so many rungs."""
        rung = self.ways[SEARCH].rung
        return rung < len(rung_weights()) and rung <= self.ways[GRID].rung + self.rungs_within

    def is_faster_than(self, grid: str) -> bool:
        """Whether bottom up takes fewer epochs in all than this grid."""
        return self.ways[SEARCH].epochs < self.ways[grid].epochs


def targets(runs: Iterable[Run], rungs_within: int) -> list[Target]:
    """The searches of the ladder, the lowest target first."""
    ladder = content()["ladder"]
    trained = networks(runs, ladder["group"])
    direct = [one for one in trained if one.label == DIRECT]
    made = []
    for accuracy in ladder["targets"]:
        (search,) = (one for one in trained if _until(one) == accuracy)
        ways = [Way(SEARCH, tuple(_bottom_up(run, accuracy) for run in search.runs))]
        for name, stops in ((GRID, True), (ALL_RUNGS, False)):
            seeds = range(len(direct[0].runs))
            ways.append(Way(name, tuple(_in_grid(direct, seed, accuracy, stops=stops) for seed in seeds)))
        made.append(Target(accuracy, {way.name: way for way in ways}, rungs_within))
    return made


def _until(network: Trained) -> float | None:
    growth = network.runs[0].settings.get("growth") or {}
    until: float | None = growth.get("until")
    return until


def _bottom_up(run: Run, target: float) -> Searched:
    """The search that grew: it ends with the rung that its weights are of."""
    epochs, rung = content()["ladder"]["epochs"], rung_weights().index(run.outcome.stored_weights)
    return _reached(run, target, rung, epochs * (rung + 1))


def _in_grid(rungs: Sequence[Trained], seed: int, target: float, *, stops: bool) -> Searched:
    """The search among rungs that were trained from the start."""
    runs = [network.runs[seed] for network in rungs]
    found = next((rung for rung, run in enumerate(runs) if _is_reached(run, target)), len(runs) - 1)
    trained = found + 1 if stops else len(runs)
    return _reached(runs[found], target, found, trained * rungs[0].epochs)


def _reached(run: Run, target: float, rung: int, epochs: int) -> Searched:
    if _is_reached(run, target):
        return Searched(rung, epochs, run.outcome.test_accuracy)
    return Searched(len(rung_weights()), epochs, None)


def _is_reached(run: Run, target: float) -> bool:
    return (run.outcome.validation_accuracy or 0.0) >= target


def judged(found: Sequence[Target]) -> Verdict:
    """Of the claim that bottom up finds a size: held where it finds every target with no more weights and
    fewer epochs than the grid at its best, and partly where one is so at one of them."""
    return judge_cases(
        [case for target in found for case in (target.is_as_small, target.is_faster_than(GRID))]
    )


def search_table(reached: Iterable[Target]) -> Table:
    """A line for each target and each way to search for it."""
    lines = [(target, way) for target in reached for way in target.ways.values()]
    columns: dict[Column, Callable[[Target, Way], object]] = {
        Column("way"): lambda target, way: way.name,
        Column("target", "share", 1): lambda target, way: target.accuracy,
        Column("weights found, median", "count"): lambda target, way: way.weights(way.rung),
        Column("fewest", "count"): lambda target, way: way.weights(min(one.rung for one in way.seeds)),
        Column("most", "count"): lambda target, way: way.weights(max(one.rung for one in way.seeds)),
        Column("epochs in all, median", "count"): lambda target, way: way.epochs,
        Column("accuracy on the test images", "share"): lambda target, way: way.accuracy,
        Column("seeds that reach it", "count"): lambda target, way: way.reached,
        Column("seeds", "count"): lambda target, way: len(way.seeds),
    }
    return Table(
        "",
        columns,
        ([value(*line) for value in columns.values()] for line in lines),
        marked=(place for place, (_, way) in enumerate(lines) if way.name == SEARCH),
    )


# Densified and calcified.


@dataclass(frozen=True)
class Work:
    """What a training takes, as shares of what the final size takes from the start: weights in products, over
    all steps, and updates of weights, each of which is a write; and the share of the final weights that are
    frozen at the end."""

    products: float
    updates: float
    frozen: float


def work_of(recipe: Recipe) -> Work:
    """Counted from the recipe."""
    if recipe.growth is None:
        return Work(1.0, 1.0, 0.0)
    schedule, sizes = GrowthSchedule(recipe, 1), sizes_of(recipe)
    stored = np.array([size.stored_weights for size in sizes])
    frozen = np.array([schedule.frozen_weights(size) for size in sizes])
    epochs = np.diff([0, *schedule.ends])
    whole = stored[-1] * recipe.epochs
    return Work(
        float(epochs @ stored / whole),
        float(epochs @ (stored - frozen) / whole),
        float(frozen[-1] / stored[-1]),
    )


@dataclass(frozen=True)
class Grown:
    """A network trained one way, beside the same trained directly."""

    network: Trained
    direct: Trained
    difference: str
    work: Work


def grown(runs: Iterable[Run]) -> list[Grown]:
    """The networks that are densified, each after the one that is trained directly."""
    group = content()["ways"]["group"]
    compared = Compared(group, tuple(networks(runs, group)))
    direct: Trained | None = None
    made = []
    for network in compared.networks:
        if network.label.endswith(f", {DIRECT}"):
            direct = network
        assert direct is not None, "a family's direct training is planned first"
        difference = "" if network is direct else compared.difference(network, direct)
        made.append(Grown(network, direct, difference, work_of(network.runs[0].cell.recipe)))
    return made


def grown_table(networks_grown: Sequence[Grown]) -> Table:
    """A line a network and a way to train it."""
    columns: dict[Column, Callable[[Grown], object]] = {
        Column("network"): lambda one: one.network.label,
        Column("stored weights", "count"): lambda one: one.network.stored_weights,
        Column("accuracy, mean ± standard error", "share"): lambda one: Cell(
            f"{one.network.mean} ± {one.network.standard_error}", with_error(one.network)
        ),
        Column("against direct"): lambda one: one.difference or None,
        Column("weights in products", "share", 0): lambda one: one.work.products,
        Column("weight updates", "share", 0): lambda one: one.work.updates,
        Column("frozen at the end", "share", 0): lambda one: one.work.frozen,
        Column("seeds", "count"): lambda one: len(one.network.runs),
    }
    return Table(
        "",
        columns,
        ([value(one) for value in columns.values()] for one in networks_grown),
        marked=(place for place, one in enumerate(networks_grown) if one.network is one.direct),
    )
