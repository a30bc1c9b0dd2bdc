"""Experiments that nobody had to run: every network of the plan, with accuracies that follow its weights, and
every layer of the bed, with accuracies that follow its depth."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable
from functools import cache

from reports.studies.topologies.bed.bed import NATURAL, PERMUTED, BedLayer, beds
from reports.studies.topologies.bed.measures import BedMeasures
from reports.studies.topologies.bed.runs import OF_ORDER, RATES, TUNING, BedRun
from reports.studies.topologies.cascade_runs import INITIALISATIONS, TOPOLOGIES, CascadeRun
from reports.studies.topologies.experiments import Experiments
from reports.studies.topologies.plan import plan
from reports.studies.topologies.runs import Planned, Run
from reports.studies.topologies.trainings import Outcome, recipe_values

Gain = Callable[[Planned], float]
BEST_RATE = RATES[1]


@cache
def _plan() -> tuple[Planned, ...]:
    return tuple(plan())


def chance(text: str) -> float:
    """From 0 to 1, the same for the same text."""
    return zlib.crc32(text.encode()) / 2**32


def accuracy(planned: Planned, seed: int) -> float:
    """More weights are better, and a seed moves an accuracy by a tenth of a point at most."""
    return 0.9 - 20 / planned.budget + 0.001 * chance(f"{planned.label} {planned.budget} {seed}")


def runs(gain: Gain = lambda planned: 0.0) -> list[Run]:
    """A run for every network and seed, `gain` better than its weights make it."""
    found = []
    for planned in _plan():
        settings = recipe_values(planned.recipe)
        settings.pop("seed", 0)
        for seed in planned.seeds:
            share = accuracy(planned, seed) + gain(planned)
            outcome = Outcome(planned.budget, 266_200, share, share, 1.0)
            found.append(
                Run(planned.group, planned.label, planned.budget, planned.images, seed, settings, outcome)
            )
    return found


def bed(gain: Callable[[BedLayer, str], float] = lambda layer, images: 0.0) -> list[BedRun]:
    """A run for every layer, rate and seed, `gain` better than its depth makes it: a stage costs a tenth of a
    point, and a seed moves an accuracy by as much at most. The second rate is the best."""
    found = []
    for each in beds():
        for images in each.images:
            for layer in each.layers:
                cells = {(PERMUTED, rate, seed) for rate in RATES for seed in TUNING}
                cells |= {(order, BEST_RATE, seed) for order in each.orders for seed in OF_ORDER[order]}
                for order, rate, seed in sorted(cells):
                    luck = chance(f"{layer.label} {images} {order} {seed}")
                    share = 0.9 - 0.001 * len(layer.stages) + 0.001 * luck + gain(layer, images)
                    share -= 0.05 * (rate != BEST_RATE)
                    figures = (share, share - 0.01 * (order == NATURAL), 1.0)
                    found.append(BedRun(each.places, images, layer.label, order, rate, seed, *figures))
    return found


def measures(efficiency: Callable[[BedLayer], float] | None = None) -> list[BedMeasures]:
    """Measures for every layer of the bed: weights less places in between, or as efficient as said."""
    found = []
    for each in beds():
        for layer in each.layers:
            inner = each.places * (len(layer.stages) - 1)
            count = layer.weights - inner
            if efficiency is not None:
                count = round(layer.weights * efficiency(layer))
            counts = (layer.weights, len(layer.stages), 1.0, 2, 4, count)
            task = (count - 5, count, count - 10.0, 1 - count / each.places**2)
            measured = task if each.places <= 64 else (None,) * 4
            found.append(BedMeasures(each.places, layer.label, *counts, *measured))
    return found


def cascades(*, glorot_fails: bool = True) -> list[CascadeRun]:
    """Cascades that sparse Glorot trains at any depth, and Glorot at a few stages."""
    found = []
    for topology, depth, init in itertools.product(TOPOLOGIES, (1, 4, 64), INITIALISATIONS):
        lost = glorot_fails and init == "glorot" and depth > 4
        signal = 16.0**-depth if init == "glorot" else 1.0
        for seed in range(3):
            share = (0.1 if lost else 0.88) + seed / 1000
            figures = (signal, signal, signal * 1.1, 0.003, 0.5, share)
            found.append(CascadeRun(topology, depth, init, seed, *figures))
    return found


def experiments() -> Experiments:
    """All of them."""
    return Experiments(runs(), bed(), measures(), cascades())
