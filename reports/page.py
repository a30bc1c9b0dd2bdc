"""A report as a folder: a page that needs nothing else, its figures as JSON, its tables as CSV."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reports.write_up.report import Report
from workloads.files import write_text

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
    write_text(folder / "index.html", render(report))
    text = json.dumps(report.figures, indent=2, ensure_ascii=False)
    write_text(folder / "results.json", text + "\n")
    for section in report.sections:
        for table in section.tables:
            write_text(folder / f"{table.name}.csv", table.csv())
    designs = folder / "designs"
    for name, design in report.designs.items():
        designs.mkdir(exist_ok=True)
        write_text(designs / f"{name}.yaml", design)
