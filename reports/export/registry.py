"""What an exported folder holds besides the engine. An exporter is a file that registers one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workloads.refusal import Refusal
from workloads.register import Register

if TYPE_CHECKING:
    from reports.export.subject import Subject


class ExportError(Refusal):
    """There is no such exporter, or two write the same file."""


@dataclass(frozen=True)
class Exported:
    """Files by name with their text, what the folder's README says of each of them in a row of its table, and
    a section of it in Markdown that says how they are used."""

    files: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    readme: str = ""


Exporter = Callable[["Subject"], Exported]
"""Writes nothing itself. What is of no use in the technology of the design point is left out."""

exporters: Register[Exporter] = Register(
    "exporter", "reports.export", group="archsim.exporters", error=ExportError
)
