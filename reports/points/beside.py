"""Points beside each other for the terminal and as files: CSV, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archsim.comparison import of_task
from archsim.costs.metrics import METRICS, metric_of
from archsim.costs.plain import heading
from archsim.explore.compared import Waterfall, frame_of_points, waterfall
from archsim.explore.frames import whole_numbers
from archsim.explore.point import Point, differing
from reports import formatting as f
from reports.output import whole_folder
from reports.points.data import PER_COMPONENT
from reports.tables import Cell, Table
from reports.views.explored import plain_value, shown_cell
from workloads.files import write_text

FORMAT = "archsim comparison of points"


def waterfalls(points: Sequence[Point], metric: str | None) -> list[Waterfall]:
    """The way from the first point to each other one; none where no metric is asked for."""
    if metric is None:
        return []
    return [waterfall(points[0], other, metric) for other in points[1:]]


def values(points: Sequence[Point], steps: Sequence[Waterfall]) -> dict[str, Any]:
    """All of it as plain values, in SI units."""
    rows = whole_numbers(frame_of_points(points)).to_dict("records")
    clean = [
        {name: plain_value(value) for name, value in row.items()} | _whereto(point)
        for row, point in zip(rows, points, strict=True)
    ]
    return {**heading(FORMAT), "points": clean, "waterfalls": [step.plain() for step in steps]}


def _whereto(point: Point) -> dict[str, Any]:
    """Where the figures of a point go, as far as that is known, and all of its design."""
    parts = {name: dict(told) for name in PER_COMPONENT if (told := point.components(name))}
    return {
        "design": dict(point.fields),
        "components": parts,
        "traffic_bits_by_memory": dict(point.traffic()),
    }


def table(points: Sequence[Point]) -> Table:
    """What tells points apart and their figures, with the ratio to the first behind each."""
    frame = frame_of_points(points)
    metrics = [name for name in METRICS if name in frame and metric_of(name).listed]
    fields = differing(points)
    alike = [name for name in metrics if len(points) > 1 and frame[name].nunique(dropna=False) == 1]
    metrics = [name for name in metrics if name not in alike]
    rows = [
        (
            row["point"],
            *(shown_cell(name, row[name]) for name in fields),
            *(_figure(name, row[name], row.get(f"{name}_ratio")) for name in metrics),
            {True: "yes", False: "no"}.get(row["front"]),
            row["error"] if isinstance(row["error"], str) else "",
        )
        for row in frame.to_dict("records")
    ]
    columns = {"point": "", **dict.fromkeys(fields, "")}
    briefs = {name: of_task(metric_of(name).brief, (p.trains for p in points)) for name in (*metrics, *alike)}
    columns |= {briefs[name]: metric_of(name).unit for name in metrics} | {"front": "", "error": ""}
    said = [f"{briefs[name]} {f.metric(name, points[0].figures[name])}" for name in alike]
    note = f"The same in all: {', '.join(said)}." if said else ""
    title = "Points, with ratios to the first"
    return Table(title, columns, rows, name="points", words=1 + len(fields), note=note)


def _figure(name: str, value: Any, ratio: Any) -> Cell | None:
    if value is None or value != value:
        return None
    behind = "" if ratio is None or ratio != ratio else f" ({f.ratio(ratio)})"
    return Cell(value, f"{f.metric(name, value)}{behind}")


def step_tables(steps: Sequence[Waterfall], points: Sequence[Point]) -> list[Table]:
    """The ways from the first of these points to each other one as tables."""
    return [
        _step_table(step, [points[0].trains, other.trains])
        for step, other in zip(steps, points[1:], strict=False)
    ]


def _step_table(steps: Waterfall, train: Sequence[bool]) -> Table:
    """A waterfall as a table, from the first figure through all steps to the second."""

    def shown(value: float, sign: str = "") -> Cell:
        return Cell(value, f"{sign}{f.metric(steps.metric, abs(value))}")

    rows = [
        (f"from {steps.first}", shown(float(steps.start))),
        *((name, shown(float(step), "+" if step > 0 else "−")) for name, step in steps.steps.items()),
        (f"to {steps.second}", shown(float(steps.end))),
    ]
    unit = metric_of(steps.metric).unit
    title = f"{of_task(metric_of(steps.metric).label, train)}, from one to the other"
    return Table(title, {"component": "", "step": unit}, rows, name="steps")


def write_beside(points: Sequence[Point], steps: Sequence[Waterfall], out: Path) -> None:
    """Writes `comparison.csv`, `comparison.md` and `comparison.json` into the folder `out`."""
    with whole_folder(out) as room:
        frame = whole_numbers(frame_of_points(points))
        write_text(room / "comparison.csv", frame.to_csv(index=False, lineterminator="\n"))
        told = json.dumps(values(points, steps), indent=2, ensure_ascii=False)
        write_text(room / "comparison.json", told + "\n")
        tables = [table(points), *step_tables(steps, points)]
        write_text(room / "comparison.md", "\n\n".join(map(_section, tables)) + "\n")


def _section(table: Table) -> str:
    """A table under its title, and its note below it."""
    note = f"\n\n{table.note}" if table.note else ""
    return f"## {table.title}\n\n{table.markdown()}{note}"
