"""The claims of a study as a file beside its page, from which an index of many is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from archsim.costs.plain import heading
from reports.write_up.claims import Claim
from reports.write_up.report import Report
from reports.write_up.verdicts import Verdict

FILE = "claims.json"
FORMAT = "archsim study claims"
VERSIONED = ("format", "format_version")
"""What must be as it is written now."""


@dataclass(frozen=True)
class Record:
    """What a page says of the claims of a paper. `source` names the code and the data that it was made by,
    and is empty where others cannot have the same; `seconds` is how long it took."""

    study: str
    title: str
    finding: str
    citation: str
    claims: tuple[Claim, ...]
    source: str
    seconds: float

    @classmethod
    def of_report(cls, report: Report, *, source: str, seconds: float) -> Record:
        """The claims of a report."""
        told = (report.name, report.title, report.finding, report.citation, report.claims)
        return cls(*told, source=source, seconds=seconds)

    def plain(self) -> dict[str, Any]:
        """Plain values."""
        return {**heading(FORMAT), **asdict(self)}


def read(folder: Path) -> Record | None:
    """The record in the folder of a page; None where there is none, or one of another format."""
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        known = heading(FORMAT)
        return _of_plain(told) if all(told[name] == known[name] for name in VERSIONED) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _of_plain(told: Mapping[str, Any]) -> Record:
    claims = (Claim(**{**claim, "verdict": Verdict(claim["verdict"])}) for claim in told["claims"])
    names = ("study", "title", "finding", "citation", "source", "seconds")
    return Record(**{name: told[name] for name in names}, claims=tuple(claims))
