"""The page about design points and the files beside it, in one folder that appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from archsim.explore.frames import whole_numbers
from archsim.explore.point import Point
from reports.output import whole_folder
from reports.page import asset
from reports.points import figures, words
from reports.points.cores import cores_of
from reports.points.data import Content, content_of, payload, shown_first
from reports.points.drawings import drawn, kind_of
from reports.points.runs import Watch, runs_of
from reports.views.explored import shown_cell
from reports.write_up.report import Chart
from workloads.files import write_file, write_text

PAGE = "points.html.j2"
_NONE: Mapping[int, Any] = {}
LARGEST_PAGE_BYTES = 5_000_000
"""What a page of ten thousand points keeps below."""


def write_report(
    points: Sequence[Point],
    out: Path,
    *,
    sources: Sequence[str],
    command: str,
    title: str = "Design points",
    watch: Watch = iter,
) -> Content:
    """Writes `index.html`, `points.csv`, `report.md` and figures as SVG and PDF into the folder `out`.
    `watch` sees each point that is run, and each that is drawn, for the page.

    Raises FigureError where the plotting library is missing, OutputError for a folder of something else.
    """
    figures.altair()
    content = content_of(points, sources)
    with whole_folder(out) as room:
        drawings = drawn(content)
        runs = runs_of(content.points, shown_first(content), watch)
        cores = cores_of(content.points, shown_first(content), watch)
        for name, drawing in drawings.items():
            write_text(room / f"{name}.svg", drawing.svg)
            write_file(room / f"{name}.pdf", lambda file, drawing=drawing: file.write(drawing.pdf))  # type: ignore[misc]
        write_text(room / "points.csv", csv_of([*content.points, *content.refused]))
        write_text(room / "report.md", markdown(content, title, command, tuple(drawings)))
        write_text(room / "index.html", page(content, title, command, tuple(drawings), runs, cores))
    return content


def page(
    content: Content,
    title: str,
    command: str,
    drawings: Sequence[str],
    runs: Mapping[int, Any] = _NONE,
    cores: Sequence[Chart] = (),
) -> str:
    """The page as text: everything that it needs is in it."""
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=select_autoescape(("html.j2", "html"), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    told = payload(content)
    told |= {
        "runs": runs,
        "specs": specs(told),
        "config": figures.config(figures.LIGHT),
        "light": figures.LIGHT,
    }
    return environment.get_template(PAGE).render(
        title=title,
        sources=content.sources,
        summary=words.summary(content),
        alternatives=words.alternatives(content),
        objectives=words.objectives(content),
        alike=", ".join(f"{n} {shown_cell(n, v)}" for n, v in content.alike.items() if v is not None),
        marked=words.marked_table(content),
        tables=(words.errors(content), words.refusals(content)),
        limit=words.LIMIT_OF_ERRORS,
        grounds=words.grounds(content),
        command=command,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=metadata.version("archsim"),
        versions=words.versions(content),
        drawings=drawings,
        cores=[(chart, Markup(chart.svg)) for chart in cores],
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
        "run": figures.run(),
        "roofline": figures.roofline(_distinct(told["engine"]), _distinct(told["technology"])),
    }


def _distinct(column: Mapping[str, Any]) -> list[str]:
    return sorted(set(column["distinct"] if "distinct" in column else column["values"]))


def _json(values: Any) -> str:
    """JSON that cannot end the element that it stands in."""
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace(
        "<", "\\u003c"
    )


def csv_of(points: Sequence[Point]) -> str:
    """All points as CSV: name, source, fields of the design, figures in SI units, error, version."""
    import pandas as pd

    rows = [
        {"point": point.name, "source": Path(point.source).name, **point.fields, "fidelity": point.fidelity}
        | dict(point.figures)
        | {"error": point.error, "version": point.version}
        for point in points
    ]
    return str(whole_numbers(pd.DataFrame(rows)).to_csv(index=False, lineterminator="\n"))


def markdown(content: Content, title: str, command: str, drawings: Sequence[str]) -> str:
    """The summary, the fronts and the errors as Markdown."""
    parts = [f"# {title}", *(f"- {sentence}" for sentence in words.summary(content))]
    text = [parts[0], "\n".join(parts[1:])]
    told = words.alternatives(content)
    text += [f"![{told[kind_of(name)]}]({name}.svg)" for name in drawings]
    text.append(f"## The fronts\n\n{words.best_table(content).markdown()}")
    for table in (words.marked_table(content), words.errors(content), words.refusals(content)):
        if table.rows:
            text.append(f"## {table.title}\n\n{table.markdown()}")
    text.append(f"{words.LIMIT_OF_ERRORS}.")
    costed = ", ".join(words.versions(content))
    made = f"Made by archsim {metadata.version('archsim')}; the points were costed by {costed}."
    return "\n\n".join([*text, f"    {command}", made]) + "\n"
