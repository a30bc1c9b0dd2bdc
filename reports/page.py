"""A report as a folder: a page that needs nothing else, its figures as JSON, its tables as CSV."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reports.write_up.report import Report

TEMPLATE = "report.html.j2"
VERDICT_CLASSES = {
    "holds": "holds",
    "partly": "partly",
    "does not hold": "fails",
    "not testable here": "untested",
    "being redone": "untested",
}


def render(report: Report) -> str:
    """The page as text."""
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=select_autoescape(("html.j2", "html"), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawn"] = Markup
    return environment.get_template(TEMPLATE).render(report=report, verdict_class=VERDICT_CLASSES)


def write_page(report: Report, folder: Path) -> None:
    """Writes `index.html`, `results.json`, a CSV file for each table and a YAML file for each design."""
    (folder / "index.html").write_text(render(report), encoding="utf-8")
    text = json.dumps(report.figures, indent=2, ensure_ascii=False)
    (folder / "results.json").write_text(text + "\n", encoding="utf-8")
    for section in report.sections:
        for table in section.tables:
            with (folder / f"{table.name}.csv").open("w", encoding="utf-8", newline="") as file:
                table.write_csv(file)
    designs = folder / "designs"
    for name, design in report.designs.items():
        designs.mkdir(exist_ok=True)
        (designs / f"{name}.yaml").write_text(design, encoding="utf-8")
