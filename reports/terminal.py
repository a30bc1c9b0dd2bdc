"""A report on the terminal: its summary, its tables, its claims; and the index of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.published.index import counts
from reports.tables import Table as Columned
from reports.write_up.report import Report
from reports.write_up.verdicts import Verdict

if TYPE_CHECKING:
    from reports.published.site import Entry

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


def index_tables(entries: Sequence[Entry]) -> Group:
    """Every study with its verdicts, and how many claims held in all."""
    rows = ((entry.study, entry.state, *(_count(entry, verdict) for verdict in Verdict)) for entry in entries)
    return Group(
        Columned("Published claims", ("study", "page", *Verdict), rows, words=2), Text(counts(entries))
    )


def _count(entry: Entry, verdict: Verdict) -> int | None:
    if entry.record is None:
        return None
    return sum(claim.verdict == verdict for claim in entry.record.claims)
