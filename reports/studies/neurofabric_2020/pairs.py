"""Two layers of a bed that differ in one thing, and what the change does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reports.studies.topologies.bed.measures import BedMeasures
from reports.studies.topologies.bed.view import BedLayerView, BedView


@dataclass(frozen=True)
class Pair:
    """Two layers of a bed that differ in one thing."""

    view: BedView
    base: BedLayerView
    changed: BedLayerView

    @property
    def gain(self) -> float:
        """What the change does to accuracy."""
        return self.changed.permuted.mean - self.base.permuted.mean

    @property
    def shown_gain(self) -> str:
        return self.view.permuted.difference(self.changed.permuted, self.base.permuted)

    @property
    def errors_apart(self) -> float:
        return self.view.errors_apart(self.changed.label, self.base.label)

    @property
    def efficiencies(self) -> tuple[float, float]:
        """Degrees of freedom for each weight, or their bound where they were not measured."""
        return efficiency(self.base.measures), efficiency(self.changed.measures)

    @property
    def raised(self) -> float:
        """What the change does to that."""
        before, after = self.efficiencies
        return after - before

    @property
    def met(self) -> tuple[float, float]:
        """Entries of a random matrix met for each weight; nan where they were not measured."""
        before, after = (one.measures.a_weight("met") for one in (self.base, self.changed))
        return (math.nan, math.nan) if before is None or after is None else (before, after)

    @property
    def met_raised(self) -> float:
        """What the change does to that."""
        before, after = self.met
        return after - before

    @property
    def is_of_butterfly(self) -> bool:
        return self.changed.label.startswith("butterfly")

    @property
    def reached(self) -> tuple[float, float]:
        """Of the changed layer, for each weight: what is counted, and what a random matrix shows of it."""
        return self.efficiencies[1], self.met[1]


def efficiency(measures: BedMeasures) -> float:
    """Degrees of freedom for each weight; the bound on constraints where they were not measured, which equals
    them wherever both were and no skip is in the layer."""
    freedom = measures.a_weight("freedom")
    return measures.score if freedom is None else freedom


def pairs_of(views: Sequence[BedView], labels: Mapping[int, Sequence[tuple[str, str]]]) -> Iterator[Pair]:
    """The pairs of these labels in every bed that has them."""
    for view in views:
        for base, changed in labels.get(view.bed.places, ()):
            yield Pair(view, view.layers[base], view.layers[changed])


def of_layers(pairs: Sequence[Pair]) -> list[Pair]:
    """Each pair of layers once, where what is told of them does not depend on images."""
    once = {(pair.view.bed.places, pair.base.label, pair.changed.label): pair for pair in reversed(pairs)}
    return list(reversed(once.values()))
