"""The data files of the experiments: tables with a heading, a line a record."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from workloads.files import write_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
READERS: Mapping[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "float | None": lambda text: float(text) if text else None,
    "int | None": lambda text: int(text) if text else None,
}
"""How a field of this type is read."""


def text_of(file: str) -> str:
    """A data file that comes with the package."""
    return (resources.files("reports.studies.topologies") / "data" / file).read_text(encoding="utf-8")


def lines_of(file: str) -> Iterable[dict[str, str]]:
    """The lines of a table that comes with the package, by their headings."""
    return csv.DictReader(text_of(file).splitlines())


def write_lines(path: Path, columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> None:
    """Writes the table that `lines_of` reads."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    write_text(path, file.getvalue(), precious=True)


def record(kind: type[T], line: Mapping[str, str]) -> T:
    """The value of a dataclass of texts and numbers whose fields stand in a line by their names."""
    values = {given.name: READERS[str(given.type)](line[given.name]) for given in fields(kind)}
    return kind(**values)


def records_of(file: str, kind: type[T]) -> list[T]:
    """The lines of a table that comes with the package, a value of such a dataclass each."""
    return [record(kind, line) for line in lines_of(file)]


def write_records(path: Path, kind: type[T], records: Iterable[T]) -> None:
    """Writes the table that `records_of` reads."""
    write_lines(path, [given.name for given in fields(kind)], map(asdict, records))
