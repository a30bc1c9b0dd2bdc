"""A report on the terminal: its summary, its tables, its claims."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.write_up.report import Report
from reports.write_up.verdicts import Verdict

COLOURS = {
    Verdict.HELD: "green",
    Verdict.PARTLY: "yellow",
    Verdict.FAILED: "red",
    Verdict.NOT_TESTABLE: "dim",
}


def report_tables(report: Report) -> Group:
    """Everything of a report that is no drawing."""
    parts: list[RenderableType] = [
        Text(report.title, style="bold"),
        Text(f"{report.counts} {report.finding}".strip()),
        Text(report.citation, style="dim"),
        Text(report.setup),
        Text(),
    ]
    for section in report.sections:
        for table in section.tables:
            parts += [table, *([Text(table.note, style="dim")] if table.note else []), Text()]
    parts += [_claims(report), Text(report.rule, style="dim"), Text()]
    parts += [Text(f"• {sentence}") for sentence in report.summary]
    return Group(*parts)


def _claims(report: Report) -> Table:
    table = Table(title="Claims", title_justify="left", title_style="bold", header_style="bold", box=None)
    for column in ("claim", "where", "against", "measured", "verdict"):
        table.add_column(column, overflow="fold")
    for each in report.claims:
        verdict = Text(each.verdict, style=COLOURS[each.verdict])
        table.add_row(each.claim, each.where, each.baseline, each.measured, verdict)
    return table
