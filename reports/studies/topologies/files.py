"""The data files of the experiments: tables with a heading, a line a record."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any


def text_of(file: str) -> str:
    """A data file that comes with the package."""
    return (resources.files("reports.studies.topologies") / "data" / file).read_text(encoding="utf-8")


def lines_of(file: str) -> Iterable[dict[str, str]]:
    """The lines of a table that comes with the package, by their headings."""
    return csv.DictReader(text_of(file).splitlines())


def write_lines(path: Path, columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> None:
    """Writes the table that `lines_of` reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
