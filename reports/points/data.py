"""What the page about design points shows, as plain values: columns, the best of each technology, and where
energy, area and traffic go."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from archsim.comparison import of_task
from archsim.costs.metrics import METRICS, Metric, metric_of
from archsim.costs.result import OF_THE_CLOCK
from archsim.explore.compared import OBJECTIVES, judged
from archsim.explore.pareto import undominated
from archsim.explore.point import Point, differing
from reports.points.roofline import INTENSITY, SPEED, work_of

PARTS_BYTES = 1_000_000
"""What the page spends on points by component: of more points those on fronts, then others spread evenly."""

KEPT_DIGITS = 9
"""Significant digits of a figure in the page; the files beside it hold all."""

PER_COMPONENT = ("energy_j", "area_mm2", "leakage_w", "lut", "ff", "dsp", "bram18", "bram36")
LEADING = ("energy_j", "area_mm2", "lut", "accuracy", "latency_s")
BEST = ("energy_j", "area_mm2", "lut", "latency_s")
ENGINE, TECHNOLOGY = "engine.kind", "technology.kind"
TRAINS = " (training)"
"""Behind the name of a technology, of points that train."""


@dataclass(frozen=True)
class Content:
    """Points that were finished and those that were refused, of the `sources` that were named."""

    points: tuple[Point, ...]
    refused: tuple[Point, ...]
    sources: tuple[str, ...]

    @cached_property
    def technologies(self) -> dict[str, list[int]]:
        """The places of points by technology, with its node where several are shown, and whether they train:
        what is judged together."""
        places: dict[str, list[int]] = {}
        for place, point in enumerate(self.points):
            places.setdefault(technology_of(point), []).append(place)
        return places

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The figures that any point has: those that most ask for, then the order of all metrics."""
        names = {name for point in self.points for name in point.figures}
        order = dict.fromkeys([*LEADING, *METRICS, *sorted(names - METRICS.keys())])
        return tuple(metric_of(name) for name in order if name in names)

    def label(self, text: str) -> str:
        """The label of a figure of all points: of an inference, a step of training, or both."""
        return of_task(text, (point.trains for point in self.points))

    @cached_property
    def differs(self) -> tuple[str, ...]:
        return differing(self.points)

    @cached_property
    def alike(self) -> dict[str, Any]:
        """The fields that all points share, with their value."""
        if not self.points:
            return {}
        return {n: v for n, v in self.points[0].fields.items() if n not in self.differs}

    @cached_property
    def fronts(self) -> dict[str, list[int]]:
        """By technology the points at a clock that can be had which none other beats in its objectives."""
        return {name: self.front_of(places) for name, places in self.technologies.items()}

    def objectives(self, places: Iterable[int]) -> list[str]:
        """What points are judged by: figures that all have whose costs are known, and that differ."""
        return judged(self.points, places)[1]

    def front_of(self, places: Sequence[int], names: Sequence[str] | None = None) -> list[int]:
        """Which of these points no other beats, at a clock that can be had: in the figures of these names, or
        in its objectives."""
        able = [place for place in places if self.points[place].clock_met]
        if names is None:
            able, names = judged(self.points, able)
        able = [place for place in able if all(name in self.points[place].figures for name in names)]
        if not names or not able:
            return [place for place in able if any(n in self.points[place].figures for n in OBJECTIVES)][:1]
        signs = [-1.0 if metric_of(name).more_is_better else 1.0 for name in names]
        rows = [[self.points[place].figures[name] for name in names] for place in able]
        stays = undominated(np.array(rows, dtype=np.float64) * signs)
        chosen = [place for place, stay in zip(able, stays, strict=True) if stay]
        return sorted(chosen, key=lambda place: self.points[place].figures[names[-1]])

    def best(self, places: Iterable[int], name: str) -> int | None:
        """The point with the best of a figure whose clock can be had, and for one that follows from the clock
        is known to be; None where none has it."""
        needed = {name, "critical_path_s"} if name in OF_THE_CLOCK else {name}
        able = [p for p in places if self.points[p].clock_met and needed <= self.points[p].figures.keys()]
        sign = -1 if metric_of(name).more_is_better else 1
        return min(able, key=lambda place: sign * self.points[place].figures[name], default=None)

    @cached_property
    def named(self) -> list[int]:
        """The points that figures show one by one: of each technology the best in each figure."""
        found = [self.best(places, n) for places in self.technologies.values() for n in BEST]
        return list(dict.fromkeys(place for place in found if place is not None))


def content_of(points: Sequence[Point], sources: Sequence[str]) -> Content:
    """Points with what the page needs of them."""
    good = tuple(point for point in points if point.error is None)
    bad = tuple(point for point in points if point.error is not None)
    return Content(good, bad, tuple(sources))


def shown_first(content: Content) -> list[int]:
    """The places of marked points, of the best ones, and of those on fronts."""
    marked = (place for place, point in enumerate(content.points) if point.mark)
    fronts = (place for front in content.fronts.values() for place in front)
    return list(dict.fromkeys([*marked, *content.named, *fronts]))


def technology_of(point: Point) -> str:
    """A technology in a word or two: its kind, its node where it has one, and whether figures are of training
    in it, since a step of that and an inference are never judged together."""
    kind, node = point.fields.get(TECHNOLOGY, "unknown"), point.fields.get("technology.node_nm")
    named = f"{kind} {node:g} nm" if isinstance(node, int | float) else str(kind)
    return f"{named}{TRAINS}" if point.trains else named


def payload(content: Content) -> dict[str, Any]:
    """The values that the page's script reads."""
    from reports.side_by_side import GROUPS, group_of

    points = content.points
    broken, names = broken_down(content)
    return {
        "numbers": [int(point.name.partition(":")[0]) for point in points],
        "names": _column([point.name.partition(": ")[2] for point in points]),
        "engine": _column([str(point.fields.get(ENGINE, "unknown")) for point in points]),
        "technology": _column([technology_of(point) for point in points]),
        "trains": _column([point.trains for point in points]),
        "met": _column([point.clock_met for point in points]),
        "fields": [
            {"name": name, "values": _column([_word(point.fields.get(name)) for point in points])}
            for name in content.differs
        ],
        "metrics": [
            {
                "name": metric.name,
                "label": content.label(metric.brief),
                "unit": metric.unit,
                "more": metric.more_is_better,
                "values": _column([_rounded(point.figures.get(metric.name)) for point in points]),
            }
            for metric in content.metrics
        ],
        "parts": broken,
        "partNames": names,
        "group": {name: group_of(name) for name in sorted({name for some in names for name in some})},
        "marks": {place: point.mark for place, point in enumerate(points) if point.mark},
        "known": _column([point.known_by_component for point in points]),
        "roofline": [INTENSITY, SPEED],
        "work": {name: _column([*map(_rounded, some)]) for name, some in work_of(points).items()},
        "groups": [*GROUPS, "other"],
        "named": content.named,
        "clocked": [*OF_THE_CLOCK, "dynamic_energy_j"],
        "fronts": content.fronts,
        "axes": axes_of(content),
    }


def broken_down(content: Content) -> tuple[dict[int, dict[str, list[Any]]], list[tuple[str, ...]]]:
    """Points by component, as many as there is room for, by their place: of each figure the number of a list
    of names, and a value for each of these. Then the lists."""
    told: dict[int, dict[str, list[Any]]] = {}
    lists: dict[tuple[str, ...], int] = {}
    room = PARTS_BYTES
    for place in _in_order(content):
        point = content.points[place]
        figures = {name: parts for name in PER_COMPONENT if (parts := point.components(name))}
        figures |= {"traffic_bits": parts} if (parts := point.traffic()) else {}
        if not point.known_by_component:
            continue
        of_point: dict[str, list[Any]] = {}
        for name, parts in figures.items():
            held = {part: value for part, value in sorted(parts.items()) if value}
            number = lists.setdefault(tuple(held), len(lists))
            of_point[name] = [number, *(_rounded(value) for value in held.values())]
        room -= len(json.dumps(of_point, separators=(",", ":")))
        if room < 0:
            break
        told[place] = of_point
    return told, list(lists)


def _in_order(content: Content) -> list[int]:
    """The places of points, those first that the page shows first; then a few of all, and ever more."""
    many = len(content.points)
    steps = [step for power in range(many.bit_length(), -1, -1) for step in range(0, many, 2**power)]
    return list(dict.fromkeys([*shown_first(content), *steps]))


def axes_of(content: Content) -> list[str]:
    """The figures that the front opens with: energy, and accuracy where points differ in it, else size."""
    held = {metric.name for metric in content.metrics}
    varies = {n for n in held if len({point.figures.get(n) for point in content.points}) > 1}
    up = [name for name in OBJECTIVES if name != "energy_j" and name in varies]
    across = "energy_j" if "energy_j" in held else next(iter(held), "")
    return [across, up[0] if up else "latency_s"]


def _column(values: Sequence[Any]) -> dict[str, Any]:
    """Values, each once with the places at which it stands where many come often."""
    distinct = list({json.dumps(value): value for value in values}.values())
    if len(distinct) * 4 > len(values):
        return {"values": list(values)}
    places = {json.dumps(value): place for place, value in enumerate(distinct)}
    return {"distinct": distinct, "at": [places[json.dumps(value)] for value in values]}


def _word(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) or value is None else json.dumps(value)


def _rounded(value: float | None, digits: int = KEPT_DIGITS) -> float | None:
    if value is None or isinstance(value, int) or not math.isfinite(value):
        return value
    return float(f"{value:.{digits}g}")
