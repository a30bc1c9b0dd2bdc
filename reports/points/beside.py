"""Points beside each other for the terminal and as files: CSV, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archsim.costs.metrics import METRICS, metric_of
from archsim.costs.plain import heading
from archsim.explore.compared import Waterfall, frame_of_points, waterfall
from archsim.explore.point import Point, differing
from reports import formatting as f
from reports.output import whole_folder
from reports.tables import Cell, Table
from workloads.files import write_text

FORMAT = "archsim comparison of points"


def waterfalls(points: Sequence[Point], metric: str | None) -> list[Waterfall]:
    """The way from the first point to each other one; none where no metric is asked for."""
    if metric is None:
        return []
    return [waterfall(points[0], other, metric) for other in points[1:]]


def values(points: Sequence[Point], steps: Sequence[Waterfall]) -> dict[str, Any]:
    """All of it as plain values, in SI units."""
    rows = frame_of_points(points).to_dict("records")
    clean = [{name: None if value != value else value for name, value in row.items()} for row in rows]
    return {**heading(FORMAT), "points": clean, "waterfalls": [step.plain() for step in steps]}


def table(points: Sequence[Point]) -> Table:
    """What tells points apart and their figures, with the ratio to the first behind each."""
    frame = frame_of_points(points)
    metrics = [name for name in METRICS if name in frame and metric_of(name).listed]
    fields = differing(points)
    rows = [
        (
            row["point"],
            *(str(row[name]) for name in fields),
            *(_figure(name, row[name], row.get(f"{name}_ratio")) for name in metrics),
            {True: "yes", False: "no"}.get(row["front"]),
            row["error"] or "",
        )
        for row in frame.to_dict("records")
    ]
    columns = {"point": "", **dict.fromkeys(fields, "")}
    columns |= {metric_of(name).brief: metric_of(name).unit for name in metrics} | {"front": "", "error": ""}
    return Table("Points, with ratios to the first", columns, rows, name="points", words=1 + len(fields))


def _figure(name: str, value: Any, ratio: Any) -> Cell | None:
    if value is None or value != value:
        return None
    behind = "" if ratio is None or ratio != ratio else f" ({f.ratio(ratio)})"
    return Cell(value, f"{f.metric(name, value)}{behind}")


def step_table(steps: Waterfall) -> Table:
    """A waterfall as a table, from the first figure through all steps to the second."""

    def shown(value: float, sign: str = "") -> Cell:
        return Cell(value, f"{sign}{f.metric(steps.metric, abs(value))}")

    rows = [
        (f"from {steps.first}", shown(float(steps.start))),
        *((name, shown(float(step), "+" if step > 0 else "−")) for name, step in steps.steps.items()),
        (f"to {steps.second}", shown(float(steps.end))),
    ]
    unit = metric_of(steps.metric).unit
    title = f"{metric_of(steps.metric).label}, from one to the other"
    return Table(title, {"component": "", "step": unit}, rows, name="steps")


def write_beside(points: Sequence[Point], steps: Sequence[Waterfall], out: Path) -> None:
    """Writes `comparison.csv`, `comparison.md` and `comparison.json` into the folder `out`."""
    with whole_folder(out) as room:
        write_text(room / "comparison.csv", frame_of_points(points).to_csv(index=False, lineterminator="\n"))
        told = json.dumps(values(points, steps), indent=2, ensure_ascii=False, default=_plain)
        write_text(room / "comparison.json", told + "\n")
        tables = [table(points), *map(step_table, steps)]
        write_text(
            room / "comparison.md", "\n\n".join(f"## {t.title}\n\n{t.markdown()}" for t in tables) + "\n"
        )


def _plain(value: Any) -> Any:
    """What numpy has of its own, as Python has it."""
    return value.item()
