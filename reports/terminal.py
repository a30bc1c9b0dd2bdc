"""A report on the terminal: its summary, its tables, its claims."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.write_up.report import Report

_COLOURS = {"holds": "green", "partly": "yellow", "does not hold": "red"}
"""Colours of verdicts; others say that there is none, and are dim."""


def report_tables(report: Report) -> Group:
    """Everything of a report that is no drawing."""
    parts: list[RenderableType] = [
        Text(report.title, style="bold"),
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
        verdict = Text(each.verdict, style=_COLOURS.get(each.verdict, "dim"))
        table.add_row(each.claim, each.where, each.baseline, each.measured, verdict)
    return table
