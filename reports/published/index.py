"""The index of all claims: as a page that filters them, as Markdown, CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from archsim.costs.plain import heading
from reports.page import asset, filled, plain_json
from reports.tables import Table
from reports.write_up.claims import Claim
from reports.write_up.record import Record
from reports.write_up.verdicts import Verdict, counted, in_words
from workloads.files import OutputError, write_text

if TYPE_CHECKING:
    from reports.published.site import Entry

PAGE, MARKDOWN, CSV, JSON = "index.html", "index.md", "claims.csv", "claims.json"
FORMAT = "archsim claims"
TITLE = "Published claims, and what came of them here"
TEMPLATE = "claims.html.j2"
FIELDS = ("study", "verdict", "claim", "topic", "where", "published", "ours", "baseline", "measured")
MORE_FIELDS = ("other", "why", "by_hand", "page", "citation")
"""The columns of the CSV file."""


def check_index(out: Path) -> None:
    """Raises OutputError where the index would take the place of a page that is none of ours."""
    if not (out / PAGE).exists():
        return
    try:
        ours = json.loads((out / JSON).read_text(encoding="utf-8"))["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise OutputError(
            f"out is {out}, whose {PAGE} is of something else, allowed is a new folder, or one of studies"
        )


def write_index(entries: Sequence[Entry], out: Path) -> None:
    """Writes the four files into `out`. The JSON comes first: it says whose the page is."""
    write_text(out / JSON, plain_json(values_of(entries)))
    write_text(out / CSV, csv_of(entries))
    write_text(out / MARKDOWN, markdown(entries))
    write_text(out / PAGE, page(entries))


def page(entries: Sequence[Entry]) -> str:
    """The page as text."""
    records = [entry.record for entry in entries if entry.record is not None]
    return filled(
        TEMPLATE,
        title=TITLE,
        counts=counts(entries),
        bars=[(record, counted(claim.verdict for claim in record.claims)) for record in records],
        told=_told(records),
        most=max((len(record.claims) for record in records), default=1),
        missing=[entry for entry in entries if entry.record is None],
        records=records,
        verdicts=list(Verdict),
        address=address,
        script=Markup(asset("claims.js")),
    )


def address(record: Record, claim: Claim | None = None) -> str:
    """The page of a study, or the place of a claim on it."""
    return f"{record.study}/index.html{f'#{claim.anchor}' if claim else ''}"


def counts(entries: Sequence[Entry]) -> str:
    """How many claims held, in words, and what is missing."""
    records = [entry.record for entry in entries if entry.record is not None]
    papers = sum(bool(record.claims) for record in records)
    claims = f"claims of {papers} paper{'s' * (papers != 1)}"
    whole = in_words((claim.verdict for record in records for claim in record.claims), claims)
    missing = len(entries) - len(records)
    lacking = f"{missing} of {len(entries)} studies {'has' if missing == 1 else 'have'} no page"
    return f"{whole}{f'; {lacking}' if missing else ''}."


def _told(records: Sequence[Record]) -> str:
    """The bars in words."""
    return "; ".join(f"{record.study}: {_counts_of(record)}" for record in records)


def _counts_of(record: Record) -> str:
    by_verdict = counted(claim.verdict for claim in record.claims)
    return ", ".join(f"{count} {verdict}" for verdict, count in by_verdict.items()) or "no claim"


def _rows(entries: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    """Every claim as plain values, with its study and its place."""
    for entry in entries:
        for claim in entry.record.claims if entry.record else ():
            assert entry.record is not None
            told = {"study": entry.study, **asdict(claim), "page": address(entry.record, claim)}
            yield told | {"citation": entry.record.citation}


def values_of(entries: Sequence[Entry]) -> dict[str, Any]:
    """The index as plain values."""
    claims = list(_rows(entries))
    return {
        **heading(FORMAT),
        "counts": {verdict.value: sum(row["verdict"] == verdict for row in claims) for verdict in Verdict},
        "studies": [
            {
                "study": entry.study,
                "state": entry.state,
                "error": entry.error or None,
                "title": entry.record.title if entry.record else None,
                "citation": entry.record.citation if entry.record else None,
                "finding": entry.record.finding if entry.record else None,
                "seconds": entry.record.seconds if entry.record else None,
                "page": address(entry.record) if entry.record else None,
            }
            for entry in entries
        ],
        "claims": claims,
    }


def csv_of(entries: Sequence[Entry]) -> str:
    """Every claim as a line."""
    fields = (*FIELDS, *MORE_FIELDS)
    return Table("", fields, ([row[name] for name in fields] for row in _rows(entries))).csv()


def markdown(entries: Sequence[Entry]) -> str:
    """The counts, the papers and the claims."""
    records = [entry.record for entry in entries if entry.record is not None]
    papers = Table(
        "",
        ("paper", "verdicts", "what came out"),
        ((f"[{one.title}]({address(one)})", _counts_of(one), one.finding) for one in records),
        words=3,
    )
    claims = Table(
        "",
        ("verdict", "claim", "where", "published", "here", "study"),
        (
            (
                *(claim.verdict, f"[{claim.claim}]({address(one, claim)})", claim.where),
                *(claim.published, claim.ours, one.study),
            )
            for one in records
            for claim in one.claims
        ),
        words=6,
    )
    missing = [
        f"- {entry.study}: {', '.join(filter(None, (entry.state, entry.error)))}"
        for entry in entries
        if entry.record is None
    ]
    parts = [f"# {TITLE}", counts(entries), "\n".join(missing), papers.markdown(), claims.markdown()]
    return "\n\n".join(part for part in parts if part) + "\n"
