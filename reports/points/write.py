"""The page about design points and the files beside it, in one folder that appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from archsim.costs.metrics import metric_of
from archsim.explore.gather import Point
from reports import formatting as f
from reports.output import whole_folder
from reports.page import asset
from reports.points import figures, words
from reports.points.data import Content, axes_of, content_of, front_rows, payload
from workloads.files import write_text

PAGE = "points.html.j2"
LARGEST_PAGE_BYTES = 5_000_000
"""What a page of ten thousand points keeps below."""


def write_report(
    points: Sequence[Point],
    out: Path,
    *,
    sources: Sequence[str],
    command: str,
    title: str = "Design points",
    watch: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Content:
    """Writes `index.html`, `points.csv`, `report.md` and figures as SVG into the folder `out`.

    Raises FigureError where the plotting library is missing, OutputError for a folder of something else.
    """
    figures.altair()
    content = content_of(points, sources, watch)
    with whole_folder(out) as room:
        drawings = drawn(content)
        for name, svg in drawings.items():
            write_text(room / name, svg)
        write_text(room / "points.csv", csv_of([*content.points, *content.refused]))
        write_text(room / "report.md", markdown(content, title, command, tuple(drawings)))
        write_text(room / "index.html", page(content, title, command, tuple(drawings)))
    return content


def page(content: Content, title: str, command: str, drawings: Sequence[str]) -> str:
    """The page as text: everything that it needs is in it."""
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=select_autoescape(("html.j2", "html"), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    told = payload(content)
    told |= {"specs": specs(told), "config": figures.config(figures.LIGHT), "light": figures.LIGHT}
    return environment.get_template(PAGE).render(
        title=title,
        sources=content.sources,
        summary=words.summary(content),
        alternatives=words.alternatives(content),
        alike=", ".join(f"{name} {value}" for name, value in content.alike.items()),
        tables=(words.errors(content), words.refusals(content)),
        limit=words.LIMIT_OF_ERRORS,
        grounds=words.grounds(content),
        command=command,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=metadata.version("archsim"),
        versions=words.versions(content),
        svgs=[name for name in drawings if name != "front.svg"],
        shell=Markup(asset("shell.css")),
        script=Markup(asset("points.js")),
        vega=Markup(figures.script()),
        data=Markup(_json(told)),
    )


def specs(told: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of the page, for the engines and technologies in its values."""
    return {
        "front": figures.front(_distinct(told["engine"]), _distinct(told["technology"])),
        "bars": figures.bars(told["groups"]),
        "waterfall": figures.waterfall(),
    }


def _distinct(column: Mapping[str, Any]) -> list[str]:
    return sorted(set(column["distinct"] if "distinct" in column else column["values"]))


def _json(values: Any) -> str:
    """JSON that cannot end the element that it stands in."""
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace(
        "<", "\\u003c"
    )


def drawn(content: Content) -> dict[str, str]:
    """The figures for papers, as SVG by the name of the file."""
    from reports.side_by_side import GROUPS, grouped

    told = words.alternatives(content)
    across, up = axes_of(content)
    rows = front_rows(content, across, up)
    engines, technologies = (sorted({row[name] for row in rows}) for name in ("engine", "technology"))
    made = {}
    if rows:
        axes = {"x": _axis(across, [r["x"] for r in rows]), "y": _axis(up, [r["y"] for r in rows])}
        made["front.svg"] = figures.drawn(figures.front(engines, technologies), rows, axes, told["front"])
    for metric in ("energy_j", "area_mm2", "traffic_bits"):
        bars = [
            {"name": point.name, "place": place, "group": group, "order": order, "value": value, "text": ""}
            for place, point in ((place, content.points[place]) for place in content.named)
            for order, (group, value) in enumerate(grouped(_parts(point, metric).items()).items())
        ]
        if bars:
            axes = {"x": _axis(metric, [])}
            spec = figures.bars([*GROUPS, "other"])
            made[f"{metric}.svg"] = figures.drawn(spec, bars, axes, told["parts"])
    return made


def _parts(point: Point, metric: str) -> Mapping[str, float]:
    return point.traffic() if metric == "traffic_bits" else point.components(metric)


def _axis(name: str, values: Sequence[float]) -> figures.Axis:
    metric = metric_of(name)
    log = len(values) > 1 and min(values) > 0 and max(values) / min(values) > 20
    return figures.Axis(f.heading(metric.brief, metric.unit), log)


def csv_of(points: Sequence[Point]) -> str:
    """All points as CSV: name, source, fields of the design, figures in SI units, error, version."""
    import pandas as pd

    rows = [
        {"point": point.name, "source": Path(point.source).name, **point.fields, "fidelity": point.fidelity}
        | dict(point.figures)
        | {"error": point.error, "version": point.version}
        for point in points
    ]
    return str(pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))


def markdown(content: Content, title: str, command: str, drawings: Sequence[str]) -> str:
    """The summary, the fronts and the errors as Markdown."""
    parts = [f"# {title}", *(f"- {sentence}" for sentence in words.summary(content))]
    text = [parts[0], "\n".join(parts[1:])]
    told = words.alternatives(content)
    for name in drawings:
        text.append(f"![{told['front' if name == 'front.svg' else 'parts']}]({name})")
    text.append(f"## The fronts\n\n{words.best_table(content).markdown()}")
    for table in (words.errors(content), words.refusals(content)):
        if table.rows:
            text.append(f"## {table.title}\n\n{table.markdown()}")
    text.append(f"{words.LIMIT_OF_ERRORS}.")
    costed = ", ".join(words.versions(content))
    made = f"Made by archsim {metadata.version('archsim')}; the points were costed by {costed}."
    return "\n\n".join([*text, f"    {command}", made]) + "\n"
