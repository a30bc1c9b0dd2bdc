"""A report as a folder: a page that needs nothing else, its figures as JSON, its tables as CSV."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files
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
    """The page as text: the verdicts and the first picture, then all words."""
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=select_autoescape(("html.j2", "html"), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawn"] = Markup
    counted = Counter(str(claim.verdict) for claim in report.claims)
    return environment.get_template(TEMPLATE).render(
        report=report,
        lead=next((chart for section in report.sections for chart in section.charts), None),
        verdicts={verdict: counted[verdict] for verdict in VERDICT_CLASSES if counted[verdict]},
        verdict_class=VERDICT_CLASSES,
        shell=Markup(asset("shell.css")),
    )


def asset(name: str) -> str:
    """A file that pages carry along, as text."""
    return (files("reports") / "templates" / name).read_text(encoding="utf-8")


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
