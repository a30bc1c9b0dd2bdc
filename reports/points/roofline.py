"""The roofline: how many products a second points compute, over how many they compute for each byte that
their memories of weights and indices bring, under what their engines could do at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archsim.explore.point import Point
from reports import formatting as f

WORK = ("macs_per_byte", "macs_per_s", "peak_macs_per_s", "peak_bytes_per_s")
INTENSITY = "MACs per byte read from weight and index memories, MAC/B"
SPEED = "MACs of stored weights a second, MAC/s"
"""What the axes are."""

_ROOM = 2.0
"""How far roofs reach beyond the points, as a factor."""


def work_of(points: Sequence[Point]) -> dict[str, list[Any]]:
    """What points compute and could compute at most, by what it is; None where that is not known."""
    works = [point.work() for point in points]
    return {name: [None if work is None else getattr(work, name) for work in works] for name in WORK}


def rows_of(
    points: Iterable[tuple[int, Point]], shared: Mapping[int, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rows of the figure, of points with their place; `shared` are those of the front, by place."""
    rows = []
    for place, point in points:
        work = point.work()
        if work is None or place not in shared:
            continue
        share = work.macs_per_s / work.attainable_macs_per_s
        rows.append(
            {
                **shared[place],
                "x": work.macs_per_byte,
                "y": work.macs_per_s,
                "x_text": f"{f.significant(work.macs_per_byte)} MAC/B",
                "y_text": f"{f.scaled(work.macs_per_s, 'MAC/s')}, {f.percent(share)} of its roof",
            }
        )
    return rows


def roofs_of(points: Sequence[Point], rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The highest roofs of each engine among the points of some rows whose clock can be had, as the ends of
    lines: `x`, `y`, `engine`. They begin where the lowest ridge is seen."""
    sides: dict[str, tuple[float, float]] = {}
    for engine in dict.fromkeys(row["engine"] for row in rows):
        able = [row for row in rows if row["engine"] == engine and row["met"]]
        works = [points[row["i"]].work() for row in able]
        if not works:
            continue
        sides[engine] = (
            max(work.peak_macs_per_s for work in works if work is not None),
            max(work.peak_bytes_per_s for work in works if work is not None),
        )
    ridges = [peak / bytes_per_s for peak, bytes_per_s in sides.values()]
    least = min([row["x"] for row in rows] + ridges, default=1.0) / _ROOM
    most = max([row["x"] for row in rows] + ridges, default=1.0) * _ROOM
    return [
        {"x": x, "y": min(peak, bytes_per_s * x), "engine": engine, "kind": "engine"}
        for engine, (peak, bytes_per_s) in sides.items()
        for x in (least, peak / bytes_per_s, most)
    ]
