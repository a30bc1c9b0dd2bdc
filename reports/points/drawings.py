"""The figures that the page opens with, as drawings for papers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from archsim.costs.metrics import metric_of
from archsim.explore.point import Point
from reports import formatting as f
from reports.points import figures, words
from reports.points.data import ENGINE, Content, axes_of, technology_of
from reports.points.roofline import INTENSITY, SPEED, roofs_of, rows_of

BARS = ("energy_j", "area_mm2", "traffic_bits")
ROOFLINE = "roofline"
_NEAR, _RIGHT = 0.07, 0.6
"""Names of points stand off each other where they are nearer than so much of the height; from so much of the
width on they stand to the left."""

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_SCALED = {"J": "J", "W": "W", "s": "s", "Hz": "Hz", "stored": "B"}


def drawn(content: Content) -> dict[str, figures.Drawing]:
    """The figures by the name of their file, without its ending."""
    from reports.side_by_side import GROUPS, grouped

    told, (across, up) = words.alternatives(content), axes_of(content)
    rows = front_rows(content, across, up)
    kinds = [sorted({row[name] for row in rows}) for name in ("engine", "technology")]
    made = {}
    if rows:
        (x, x_by), (y, y_by) = (
            _axis(name, [row[at] for row in rows]) for name, at in ((across, "x"), (up, "y"))
        )
        scaled = [{**row, "x": row["x"] * x_by, "y": row["y"] * y_by} for row in rows]
        names_apart(scaled, log=(x.log, y.log))
        made["front"] = figures.drawn(figures.front(*kinds), scaled, {"x": x, "y": y}, told["front"])
        made |= _rooflines(content, {row["i"]: row for row in rows}, kinds, told[ROOFLINE])
    for metric in BARS:
        sums = [
            (place, point.name, order, group, value)
            for place, point in ((place, content.points[place]) for place in content.named)
            for order, (group, value) in enumerate(grouped(_parts(point, metric).items()).items())
        ]
        if sums:
            axis, by = _axis(metric, [value for *_, value in sums])
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
        rows = rows_of(((place, content.points[place]) for place in places), shared)
        if rows:
            names_apart(rows, log=(True, True))
            axes = {"x": figures.Axis(INTENSITY, True), "y": figures.Axis(SPEED, True)}
            roofs = roofs_of(content.points, rows)
            name = f"{ROOFLINE}-{re.sub(r'[^a-z0-9]+', '-', technology.lower())}"
            made[name] = figures.drawn(figures.roofline(*kinds), rows, axes, told, roofs=roofs)
    return made


def front_rows(content: Content, across: str, up: str) -> list[dict[str, Any]]:
    """The rows of the front's figure, in SI units."""
    on = {place for front in content.fronts.values() for place in front}
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
            "met": point.clock_met,
            "mark": point.mark,
            "x_text": f.metric(across, point.figures[across]),
            "y_text": f.metric(up, point.figures[up]),
        }
        for place, point in enumerate(content.points)
        if across in point.figures and up in point.figures
    ]


def names_apart(rows: Sequence[dict[str, Any]], *, log: tuple[bool, bool]) -> None:
    """Says of rows with a mark on which `side` of the point its name stands, and with what `lift`."""
    if not rows:
        return
    placed = [_shares([row[at] for row in rows], is_log) for at, is_log in zip(("x", "y"), log, strict=True)]
    named = [(y, x, row) for x, y, row in zip(*placed, rows, strict=True) if row["mark"]]
    before = math.inf
    for y, x, row in sorted(named, key=lambda entry: -entry[0]):
        row |= {"side": "left" if x > _RIGHT else "right", "lift": "level" if before - y > _NEAR else "down"}
        before = y


def _shares(values: Sequence[float], is_log: bool) -> list[float]:
    """Where values lie between the least and the greatest of them, from 0 to 1."""
    places = [math.log(value) for value in values] if is_log else list(values)
    least, width = min(places), (max(places) - min(places)) or 1.0
    return [(place - least) / width for place in places]


def _parts(point: Point, metric: str) -> Mapping[str, float]:
    return point.traffic() if metric == "traffic_bits" else point.components(metric)


def _axis(name: str, values: Sequence[float]) -> tuple[figures.Axis, float]:
    """An axis with one prefix for all values, and what they are multiplied by."""
    metric = metric_of(name)
    log = len(values) > 1 and min(values) > 0 and max(values) / min(values) > 20
    if metric.unit == "share":
        return figures.Axis(f"{metric.label}, %", log), 100.0
    if metric.unit not in _SCALED:
        return figures.Axis(f"{metric.label}, mm²" if metric.unit == "mm2" else metric.label, log), 1.0
    per = 8 if metric.unit == "stored" else 1
    sizes = sorted(math.log10(abs(value) / per) for value in values if value)
    power = 3 * math.floor(sizes[len(sizes) // 2] / 3) if sizes else 0
    power = min(max(power, min(_PREFIXES)), max(_PREFIXES))
    unit = f"{_PREFIXES[power]}{_SCALED[metric.unit]}"
    return figures.Axis(f"{metric.label}, {unit}", log), 1 / (10.0**power * per)
