"""The studies by name. A study is one file that registers one function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reports.output import whole_folder
from reports.page import write_page
from reports.report import Report

Study = Callable[[], Report]

STUDIES: dict[str, Study] = {}


class StudyError(ValueError):
    """A study that does not exist."""


def register_study(name: str) -> Callable[[Study], Study]:
    """Decorator: makes a study known by its name. Raises ValueError for a name already taken."""

    def enter(study: Study) -> Study:
        if STUDIES.setdefault(name, study) is not study:
            raise ValueError(f"study {name} is registered already, allowed is a new name")
        return study

    return enter


def reproduce(name: str, out: Path) -> Report:
    """Runs a study and writes its page, tables and figures to ``out/name``. Raises StudyError for an unknown
    study and OutputError where the folder cannot be written, before anything is run."""
    if name not in STUDIES:
        raise StudyError(f"study is {name!r}, allowed are {', '.join(sorted(STUDIES))}")
    with whole_folder(out / name) as room:
        report = STUDIES[name]()
        write_page(report, room)
    return report
