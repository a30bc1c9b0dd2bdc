"""The figures that the page opens with, as drawings for papers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from archsim.costs.metrics import metric_of
from archsim.costs.shown import unit_of
from archsim.explore.point import Point
from reports import formatting as f
from reports.points import figures, words
from reports.points.data import ENGINE, Content, axes_of, technology_of
from reports.points.labels import name_marks
from reports.points.roofline import INTENSITY, SPEED, roofs_of, rows_of

BARS = ("energy_j", "area_mm2", "traffic_bits")
ROOFLINE = "roofline"
MOST_DOTS = 1500
"""In a drawing, beside those on fronts and those with a mark: more are a blot, and large files."""


def drawn(content: Content) -> dict[str, figures.Drawing]:
    """The figures by the name of their file, without its ending."""
    from reports.side_by_side import GROUPS, grouped

    told, (across, up) = words.alternatives(content), axes_of(content)
    rows = front_rows(content, across, up)
    kinds = [sorted({row[name] for row in rows}) for name in ("engine", "technology")]
    made = {}
    if rows:
        (x, x_by), (y, y_by) = (
            _axis(content, name, [row[at] for row in rows]) for name, at in ((across, "x"), (up, "y"))
        )
        scaled = [{**row, "x": row["x"] * x_by, "y": row["y"] * y_by} for row in thinned(rows)]
        name_marks(scaled, figures.SIZE, log=(x.log, y.log))
        made["front"] = figures.drawn(figures.front(*kinds), scaled, {"x": x, "y": y}, told["front"])
        made |= _rooflines(content, {row["i"]: row for row in rows}, kinds, told[ROOFLINE])
    for metric in BARS:
        sums = [
            (place, point.name, order, group, value)
            for place, point in ((place, content.points[place]) for place in content.named)
            for order, (group, value) in enumerate(grouped(_parts(point, metric).items()).items())
        ]
        if sums:
            axis, by = _axis(content, metric, [value for *_, value in sums])
            bars = [
                {
                    "name": name,
                    "place": place,
                    "group": group,
                    "order": order,
                    "value": value * by,
                    "text": "",
                }
                for place, name, order, group, value in sums
            ]
            spec = figures.bars([*GROUPS, "other"])
            made[metric] = figures.drawn(spec, bars, {"x": figures.Axis(axis.title)}, told["parts"])
    return made


def kind_of(name: str) -> str:
    """What a drawing shows, as the words for those who do not see it are called."""
    return "front" if name == "front" else ROOFLINE if name.startswith(ROOFLINE) else "parts"


def _rooflines(
    content: Content, shared: Mapping[int, Mapping[str, Any]], kinds: Sequence[Sequence[str]], told: str
) -> dict[str, figures.Drawing]:
    """A roofline for each technology of which points tell what they fetch."""
    made = {}
    for technology, places in content.technologies.items():
        rows = thinned(rows_of(((place, content.points[place]) for place in places), shared))
        if rows:
            axes = {"x": figures.Axis(INTENSITY, True), "y": figures.Axis(SPEED, True)}
            roofs = roofs_of(content.points, rows)
            name_marks(rows, figures.SIZE, log=(True, True), beside=roofs)
            name = f"{ROOFLINE}-{re.sub(r'[^a-z0-9]+', '-', technology.lower()).strip('-')}"
            made[name] = figures.drawn(figures.roofline(*kinds), rows, axes, told, beside=roofs)
    return made


def thinned(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of fronts and with a mark, and at most `MOST_DOTS` others, spread evenly."""
    step = max(1, math.ceil(len(rows) / MOST_DOTS))
    return [row for at, row in enumerate(rows) if at % step == 0 or row["solid"] or row["mark"]]


def front_rows(content: Content, across: str, up: str) -> list[dict[str, Any]]:
    """The rows of the front's figure, in SI units."""
    whole = {place for front in content.fronts.values() for place in front}
    on = {
        place for places in content.technologies.values() for place in content.front_of(places, (across, up))
    }
    return [
        {
            "i": place,
            "name": point.name,
            "design": "",
            "x": point.figures[across],
            "y": point.figures[up],
            "engine": str(point.fields.get(ENGINE)),
            "technology": technology_of(point),
            "front": place in on,
            "solid": place in on or place in whole,
            "met": point.clock_met,
            "mark": point.mark,
            "x_text": f.metric(across, point.figures[across]),
            "y_text": f.metric(up, point.figures[up]),
        }
        for place, point in enumerate(content.points)
        if across in point.figures and up in point.figures
    ]


def _parts(point: Point, metric: str) -> Mapping[str, float]:
    return point.traffic() if metric == "traffic_bits" else point.components(metric)


def _axis(content: Content, name: str, values: Sequence[float]) -> tuple[figures.Axis, float]:
    """An axis with one prefix for all values, and what they are multiplied by."""
    log = len(values) > 1 and min(values) > 0 and max(values) / min(values) > 20
    (unit, by), label = unit_of(name, values), content.label(metric_of(name).label)
    return figures.Axis(f"{label}, {unit}" if unit else label, log), by
