"""What the experiments say on each claim of NeuroFabric: the figures that a verdict is made of."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from reports.claims import SeedRule
from reports.studies.topologies.cascade_runs import CascadeRun, of_init
from reports.studies.topologies.experiments import Experiments
from reports.studies.topologies.measures import Measures
from reports.studies.topologies.plan import (
    CASCADES,
    DENSE,
    OTHER_LAYERS,
    OTHER_MODELS,
    PRUNED,
    READ_OUT,
    SHAPES,
    SQUARE,
    WITH_SKIPS,
    skipped,
)
from reports.studies.topologies.ranking import Observation, Ranking, RankingError, rank_by
from reports.studies.topologies.runs import Trained, error_of_difference, networks, seed_deviation

FIRST, SECOND = (budget + READ_OUT for budget in SHAPES)
"""The two budgets of the square group, read-out included."""

LOOK_ALIKES = (
    ("butterfly, radix 4", "csc, fan-in 4", "random, 3 stages of 4"),
    ("butterfly, radix 2", "csc, fan-in 2", "random, 6 stages of 2"),
    ("dey", "random, 1 stage of 12"),
)
"""Layers of the same weights, stages, fan-in and fan-out, at the first budget."""

DEEPER = (
    (FIRST, ("random, 1 stage of 12", "random, 3 stages of 4", "random, 6 stages of 2")),
    (FIRST, ("csc, fan-in 4", "csc, fan-in 2")),
    (FIRST, ("butterfly, radix 4", "butterfly, radix 2")),
    (SECOND, ("random, 1 stage of 22", "random, 2 stages of 11", "random, 11 stages of 2")),
)
"""Layers of one kind and of equal weights, the shallowest first."""

BUTTERFLIES = (
    (FIRST, "butterfly, radix 4", "random, 3 stages of 4"),
    (FIRST, "butterfly, radix 2", "random, 6 stages of 2"),
    (SECOND, "benes", "random, 11 stages of 2"),
)
"""Butterflies beside random cascades of as many stages, weights and connections, the shallowest first."""

CLOS_BEST = "clos, 3 square stages"
STAGES = ("clos, 3 stages", "clos, 4 stages")
STARTS_SHOWN = {"glorot": "Glorot", "sparse-glorot": "sparse Glorot"}
TRAINED_FROM = 0.9
"""A cascade is said to train where it reaches this share of the accuracy of a single stage."""


@dataclass(frozen=True)
class Pair:
    """Two networks that differ in one thing, and what can be measured of both without training."""

    base: Trained
    changed: Trained
    base_measures: Measures
    changed_measures: Measures

    @property
    def gain(self) -> float:
        """What the change does to accuracy."""
        return self.changed.mean - self.base.mean

    @property
    def raised(self) -> float:
        """What the change does to parameter efficiency."""
        return self.changed_measures.efficiency - self.base_measures.efficiency


class Findings:
    """The experiments, looked up by label and budget."""

    def __init__(self, found: Experiments, rule: SeedRule) -> None:
        self.rule = rule
        self.square = networks(found.runs, SQUARE)
        self.deviation = seed_deviation(self.square)
        self.cascades = list(found.cascades)
        self.others = networks(found.runs, OTHER_LAYERS)
        self._trained = {(each.label, each.budget): each for each in self.square}
        self._measures = {(each.label, each.budget): each for each in found.measures}
        self._ranked: dict[tuple[str, bool, bool], Ranking | None] = {}

    def trained(self, label: str, budget: int) -> Trained:
        """The network of this label and budget."""
        return self._trained[label, budget]

    def measures(self, label: str, budget: int) -> Measures:
        """The measures of its hidden layer."""
        return self._measures[label, budget]

    def measured(self) -> list[Trained]:
        """The networks whose hidden layer was measured: all but the dense and the pruned ones."""
        return [each for each in self.square if (each.label, each.budget) in self._measures]

    def differs(self, one: Trained, other: Trained) -> bool:
        """Whether two means differ by the rule."""
        error = error_of_difference(one, other, self.deviation)
        return self.rule.differs(one.mean - other.mean, error)

    def pair(self, base: tuple[str, int], changed: tuple[str, int]) -> Pair:
        """Two networks, each by label and budget."""
        return Pair(
            self.trained(*base), self.trained(*changed), self.measures(*base), self.measures(*changed)
        )

    def look_alikes(self) -> list[tuple[Trained, Trained]]:
        """The best and the worst of every set that looks alike."""
        sets = [[self.trained(label, FIRST) for label in labels] for labels in LOOK_ALIKES]
        return [(max(each, key=lambda one: one.mean), min(each, key=lambda one: one.mean)) for each in sets]

    def deeper(self) -> list[Pair]:
        """The shallowest and the deepest of every series."""
        return [self.pair((labels[0], budget), (labels[-1], budget)) for budget, labels in DEEPER]

    def other_layers(self) -> list[tuple[str, Trained, Trained]]:
        """Convolutional and recurrent networks: of cascades, and of dense layers."""
        of = {each.label: each for each in self.others}
        return [(label, of[label + CASCADES], of[f"{label}, {DENSE}"]) for label in OTHER_MODELS]

    def skips(self) -> list[Pair]:
        """Every layer of square stages without skips and with them."""
        with_skips = [key for key in self._trained if key[0].endswith(WITH_SKIPS)]
        return [
            self.pair((label.removesuffix(WITH_SKIPS), budget), (label, budget))
            for label, budget in with_skips
            if label.removesuffix(WITH_SKIPS) in skipped()
        ]

    def butterflies(self) -> list[Pair]:
        """Random cascades as the base, butterflies as the change."""
        return [self.pair((other, budget), (label, budget)) for budget, label, other in BUTTERFLIES]

    def fourth_stage(self) -> list[Pair]:
        """Three stages as the base, four as the change, at both budgets."""
        return [self.pair((STAGES[0], budget), (STAGES[1], budget)) for budget in (FIRST, SECOND)]

    def ranked(self, measure: str, *, skips: bool = False, connected: bool = False) -> Ranking | None:
        """How well a measure ranks the layers of equal weights; none where it has no order. Layers with skip
        connections take part with `skips`, only fully connected ones do with `connected`."""
        asked = (measure, skips, connected)
        if asked not in self._ranked:
            self._ranked[asked] = self._rank(*asked)
        return self._ranked[asked]

    def _rank(self, measure: str, skips: bool, connected: bool) -> Ranking | None:
        observations = [
            Observation(
                label, getattr(self.measures(label, budget), measure), each.accuracies, group=str(budget)
            )
            for (label, budget), each in self._trained.items()
            if budget in (FIRST, SECOND) and label not in (DENSE, PRUNED)
            if skips or not label.endswith(WITH_SKIPS)
            if not connected or self.measures(label, budget).is_connected
        ]
        try:
            return rank_by(observations)
        except RankingError:
            return None

    # Deep linear cascades.

    def depths(self) -> list[int]:
        """Stages of the deep linear cascades, the fewest first."""
        return sorted({each.depth for each in self.cascades})

    def at_depth(self, init: str, depth: int) -> list[CascadeRun]:
        """The seeds of a start at a depth."""
        return of_init(self.cascades, init)[depth]

    def accuracy(self, init: str, depth: int) -> float:
        """The mean accuracy of a start at a depth."""
        return statistics.fmean(each.accuracy for each in self.at_depth(init, depth))

    def trains(self, init: str, depth: int) -> bool:
        """Whether a start trains a cascade of this depth."""
        return self.accuracy(init, depth) >= TRAINED_FROM * self.accuracy(init, self.depths()[0])


def spread(labels: Sequence[str]) -> str:
    """Labels joined for a sentence."""
    return " and ".join([", ".join(labels[:-1])] * (len(labels) > 1) + [labels[-1]])
