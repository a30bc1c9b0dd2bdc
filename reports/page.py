"""A report as a folder: a page that needs nothing else, its figures as JSON, its tables as CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from archsim.costs.plain import heading
from reports.write_up.report import Report
from workloads.files import write_text

TEMPLATE = "report.html.j2"


def render(report: Report, *, home: str = "") -> str:
    """The page as text: the verdicts and the first picture, then all words. `home` is the address of a page
    that lists it, if there is one."""
    return filled(TEMPLATE, title=report.title, report=report, home=home)


def filled(template: str, **values: Any) -> str:
    """A page of our style, filled in."""
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=select_autoescape(("html.j2", "html"), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawn"] = Markup
    return environment.get_template(template).render(shell=Markup(asset("shell.css")), **values)


def asset(name: str) -> str:
    """A file that pages carry along, as text."""
    return (files("reports") / "templates" / name).read_text(encoding="utf-8")


def values_of(report: Report) -> dict[str, Any]:
    """The figures of a report, after what they are and who wrote them."""
    return {**heading("archsim study"), **report.figures}


def plain_json(values: Mapping[str, Any]) -> str:
    """Plain values as a file."""
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def write_page(report: Report, folder: Path, *, home: str = "") -> None:
    """Writes `index.html`, `results.json`, a CSV file for each table and a YAML file for each design."""
    write_text(folder / "index.html", render(report, home=home))
    write_text(folder / "results.json", plain_json(values_of(report)))
    for table in report.files:
        write_text(folder / f"{table.name}.csv", table.csv())
    designs = folder / "designs"
    for name, design in report.designs.items():
        designs.mkdir(exist_ok=True)
        write_text(designs / f"{name}.yaml", design)
