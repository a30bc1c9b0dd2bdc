"""Points from anywhere set beside the first: what tells them apart, ratios, the front, and the steps from one
to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.costs.metrics import METRICS, metric_of
from archsim.costs.result import MetricError
from archsim.explore.pareto import undominated
from archsim.explore.point import Point, differing

if TYPE_CHECKING:
    from archsim.explore.frames import Frame

OBJECTIVES = ("accuracy", "energy_j", "area_mm2", "lut")
"""What the front is of, as far as all points that can be judged have it and differ in it."""

PRICED = "energy_j"
"""What a point without it cannot be judged by, where others have it: its costs are not known."""


@dataclass(frozen=True)
class Waterfall:
    """The way from one point's figure to another's, a step a component, the largest first.

    `start` and `end` are the sums over the components of the two, and `start` plus all `steps` is `end`:
    exactly, for they are fractions.
    """

    metric: str
    first: str
    second: str
    start: Fraction
    steps: Mapping[str, Fraction]
    end: Fraction

    def plain(self) -> dict[str, Any]:
        """The same as floats, for JSON."""
        steps = {name: float(step) for name, step in self.steps.items()}
        ends = {"start": float(self.start), "steps": steps, "end": float(self.end)}
        return {"metric": self.metric, "from": self.first, "to": self.second, **ends}


def waterfall(first: Point, second: Point, metric: str) -> Waterfall:
    """The steps of a metric from one point to another. Raises MetricError for a metric that is not known by
    component of both."""
    sides = []
    for point in (first, second):
        parts = point.components(metric)
        if not parts:
            raise MetricError.of("metric", metric, f"those known by component of {point.name}")
        sides.append({name: Fraction(value) for name, value in parts.items()})
    before, after = sides
    steps = {name: after.get(name, Fraction()) - before.get(name, Fraction()) for name in before | after}
    ordered = dict(sorted(((n, s) for n, s in steps.items() if s), key=lambda item: -abs(item[1])))
    return Waterfall(
        metric,
        first.name,
        second.name,
        sum(before.values(), Fraction()),
        ordered,
        sum(after.values(), Fraction()),
    )


def judged(points: Sequence[Point], places: Iterable[int]) -> tuple[list[int], list[str]]:
    """Which of these places hold points that can be judged, and by what: by the objectives that all of those
    have and differ in. A point whose costs nobody knows cannot be, where others are priced."""
    able = [place for place in places if points[place].error is None]
    priced = [place for place in able if PRICED in points[place].figures] or able
    held = [points[place].figures for place in priced]
    names = [
        name
        for name in OBJECTIVES
        if all(name in figures for figures in held) and len({figures[name] for figures in held}) > 1
    ]
    return priced, names


def on_front(points: Sequence[Point]) -> list[bool | None]:
    """Whether no other point of the same task is better in every objective that all points that can be judged
    have and differ in; None for one that cannot be, and where there is no such objective."""
    stands: list[bool | None] = [None] * len(points)
    for trains in (False, True):
        places, names = judged(points, (at for at, point in enumerate(points) if point.trains == trains))
        if names:
            signs = [-1.0 if metric_of(name).more_is_better else 1.0 for name in names]
            rows = np.array([[points[place].figures[name] for name in names] for place in places])
            for place, stays in zip(places, undominated(rows.astype(np.float64) * signs), strict=True):
                stands[place] = bool(stays)
    return stands


def frame_of_points(points: Sequence[Point]) -> Frame:
    """A frame with a row a point: its name, the fields that tell points apart, figures, `<figure>_ratio` to
    the first point, whether it is on the front, and the error of one that was refused."""
    from archsim.explore.frames import Frame

    fields = differing(points)
    named = dict.fromkeys(name for point in points for name in point.figures)
    figures = [*(name for name in METRICS if name in named), *(name for name in named if name not in METRICS)]
    compared = [name for name in figures if metric_of(name).compared and points[0].figures.get(name)]
    rows = [
        {"point": point.name, **{name: point.fields.get(name) for name in fields}, "fidelity": point.fidelity}
        | {name: point.figures.get(name) for name in figures}
        | {f"{n}_ratio": point.figures[n] / points[0].figures[n] for n in compared if n in point.figures}
        | {"front": front, "error": point.error}
        for point, front in zip(points, on_front(points), strict=True)
    ]
    return Frame(rows)
