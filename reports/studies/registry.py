"""The studies by name. A study is a folder whose package registers one function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workloads.refusal import Refusal
from workloads.register import Register

if TYPE_CHECKING:
    from reports.write_up.report import Report

Study = Callable[..., "Report"]
"""A study of trained networks takes `rerun`, whether to train them anew; others take nothing."""


class StudyError(Refusal):
    """A study that does not exist, or cannot do what it is asked to."""


studies: Register[Study] = Register("study", "reports.studies", group="archsim.studies", error=StudyError)


def reproduce(name: str, out: Path, *, rerun: bool = False) -> Report:
    """Runs a study and writes its page, tables and figures to `out/name`. With `rerun` a study of trained
    networks trains them first, but for those that are remembered. Raises StudyError for an unknown study, or
    one without trained networks, and OutputError where the folder cannot be written, before anything is run.
    """
    study = studies.named(name)
    if rerun and not _trains(study):
        raise StudyError.of(
            "study to rerun", name, sorted(name for name in studies if _trains(studies[name]))
        )
    from reports.output import whole_folder
    from reports.page import write_page

    with whole_folder(out / name) as room:
        report = study(rerun=True) if rerun else study()
        write_page(report, room)
    return report


def _trains(study: Study) -> bool:
    """Whether a study rests on trained networks, which are shipped and can be trained anew."""
    return "rerun" in inspect.signature(study).parameters
