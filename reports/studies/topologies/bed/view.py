"""A bed as it is shown and judged: each layer trained, in both orders of the pixels, beside its measures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from reports.studies.topologies.bed.bed import NATURAL, Bed, beds
from reports.studies.topologies.bed.measures import BedMeasures
from reports.studies.topologies.bed.runs import BedRun, OnBed, on_bed
from reports.studies.topologies.compared import Compared, error_of_difference
from reports.studies.topologies.ranking import (
    LEAST_TOPOLOGIES,
    Observation,
    Ranking,
    RankingError,
    rank_by,
)
from reports.studies.topologies.trainings import Images

SHOWN: Mapping[str, str] = {"mnist": "MNIST", "fashion": "Fashion-MNIST"}
FEWEST_STAGES = 3
"""From so many stages on, in the second cut of a ranking."""


@dataclass(frozen=True)
class BedLayerView:
    """A layer of a bed; `is_ranked` where it stores as many weights as the others and joins all pairs."""

    label: str
    permuted: OnBed
    natural: OnBed | None
    measures: BedMeasures
    is_ranked: bool

    @property
    def gain_of_order(self) -> float | None:
        """What the natural order of the pixels adds to accuracy, where it was tried."""
        return None if self.natural is None else self.natural.mean - self.permuted.mean


@dataclass(frozen=True)
class BedView:
    """The layers of a bed on one set of images."""

    bed: Bed
    images: Images
    layers: Mapping[str, BedLayerView]

    @property
    def where(self) -> str:
        return f"{self.bed.places:,} places, {SHOWN[self.images.split('-')[0]]}"

    @property
    def key(self) -> str:
        return f"{self.bed.places}-{self.images.split('-')[0]}"

    @cached_property
    def ranked(self) -> list[BedLayerView]:
        """The layers of equal weights that join all pairs, the best first."""
        return self._best_first(is_ranked=True)

    @cached_property
    def apart(self) -> list[BedLayerView]:
        """The layers of equal weights that leave pairs out, the best first."""
        labels = {layer.label for layer in self.bed.layers if layer.ranked}
        return [one for one in self._best_first(is_ranked=False) if one.label in labels]

    def _best_first(self, *, is_ranked: bool) -> list[BedLayerView]:
        chosen = [one for one in self.layers.values() if one.is_ranked == is_ranked]
        return sorted(chosen, key=lambda one: -one.permuted.mean)

    @cached_property
    def permuted(self) -> Compared[OnBed]:
        """All layers with permuted pixels."""
        return Compared(self.where, tuple(one.permuted for one in self.layers.values()))

    def difference(self, changed: str, base: str) -> str:
        """How much better one layer is than another: +0.21 ± 0.06 points."""
        return self.permuted.difference(self.layers[changed].permuted, self.layers[base].permuted)

    def gap(self, changed: str, base: str) -> float:
        return self.layers[changed].permuted.mean - self.layers[base].permuted.mean

    def errors_apart(self, changed: str, base: str) -> float:
        """The difference of two layers in standard errors of it."""
        one, other = self.layers[changed].permuted, self.layers[base].permuted
        error = error_of_difference(one, other, self.permuted.deviation)
        return (one.mean - other.mean) / error if error else 0.0

    @property
    def is_measured(self) -> bool:
        """Whether what takes a search was measured of its layers."""
        return any(one.measures.met is not None for one in self.layers.values())

    def ranking(self, measure: str, *, fewest_stages: int = 1, equal_depth: bool = False) -> Ranking | None:
        """How a measure, of `BedMeasures` by name, ranks the accuracies of the ranked layers; None where it
        was not taken or has no order. A relative error ranks from the largest to the smallest. At equal depth
        layers are compared with those of as many stages only, where there are enough."""
        depths = Counter(one.measures.stages for one in self.ranked)
        observations = []
        for one in self.ranked:
            value = getattr(one.measures, measure)
            if value is None:
                return None
            stages = one.measures.stages
            if stages < fewest_stages or (equal_depth and depths[stages] < LEAST_TOPOLOGIES):
                continue
            sign, group = -1 if measure == "error" else 1, str(stages) if equal_depth else ""
            observations.append(Observation(one.label, sign * value, one.permuted.accuracies, group))
        return ranked_or_none(observations)


def bed_views(runs: Sequence[BedRun], measures: Sequence[BedMeasures]) -> list[BedView]:
    """All beds on all their images."""
    measured = {(one.places, one.label): one for one in measures}
    return [_view(bed, images, runs, measured) for bed in beds() for images in bed.images]


def _view(
    bed: Bed,
    images: Images,
    runs: Sequence[BedRun],
    measured: Mapping[tuple[int, str], BedMeasures],
) -> BedView:
    permuted = on_bed(runs, bed.places, images)
    natural = on_bed(runs, bed.places, images, NATURAL) if bed.natural else {}
    layers = {}
    for layer in bed.layers:
        measures = measured[bed.places, layer.label]
        is_ranked = layer.ranked and measures.is_connected
        layers[layer.label] = BedLayerView(
            layer.label, permuted[layer.label], natural.get(layer.label), measures, is_ranked
        )
    return BedView(bed, images, layers)


def rank_measures(layers: Sequence[BedLayerView], measure: str, outcome: str) -> Ranking | None:
    """How a measure ranks another one, over layers of equal weights."""
    pairs = [(one.label, getattr(one.measures, measure), getattr(one.measures, outcome)) for one in layers]
    if any(value is None or reached is None for _, value, reached in pairs):
        return None
    return ranked_or_none([Observation(label, value, (reached,)) for label, value, reached in pairs])


def ranked_or_none(observations: Sequence[Observation]) -> Ranking | None:
    """The ranking, or None where there is no order to compare."""
    try:
        return rank_by(observations)
    except RankingError:
        return None
