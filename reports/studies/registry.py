"""The studies by name. A study is one file that registers one function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reports.output import whole_folder
from reports.page import write_page
from reports.report import Report

Study = Callable[..., Report]
"""A study of trained networks takes `rerun`, whether to train them anew; others take nothing."""

STUDIES: dict[str, Study] = {}
TRAINED: set[str] = set()
"""The studies that rest on trained networks shipped as data."""


class StudyError(ValueError):
    """A study that does not exist."""


def register_study(name: str, *, trained: bool = False) -> Callable[[Study], Study]:
    """Decorator: makes a study known by its name; `trained` says that it can train its networks anew.
    Raises ValueError for a name already taken."""

    def enter(study: Study) -> Study:
        if STUDIES.setdefault(name, study) is not study:
            raise ValueError(f"study {name} is registered already, allowed is a new name")
        if trained:
            TRAINED.add(name)
        return study

    return enter


def reproduce(name: str, out: Path, *, rerun: bool = False) -> Report:
    """Runs a study and writes its page, tables and figures to `out/name`. With `rerun` a study of trained
    networks trains them first, but for those that are remembered. Raises StudyError for an unknown study, or
    one without trained networks, and OutputError where the folder cannot be written, before anything is run.
    """
    if name not in STUDIES:
        raise StudyError(f"study is {name!r}, allowed are {', '.join(sorted(STUDIES))}")
    if rerun and name not in TRAINED:
        raise StudyError(f"study to rerun is {name!r}, allowed are {', '.join(sorted(TRAINED))}")
    with whole_folder(out / name) as room:
        report = STUDIES[name](rerun=True) if rerun else STUDIES[name]()
        write_page(report, room)
    return report
