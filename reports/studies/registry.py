"""The studies by name. A study is a folder whose package registers one function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workloads.refusal import Refusal
from workloads.register import Register

if TYPE_CHECKING:
    from reports.write_up.report import Report

Study = Callable[..., "Report"]
"""A study of trained networks takes `rerun`, whether to train them anew; one of hardware that can be made on
any technology takes `technology`, the path of a file; others take nothing."""


class StudyError(Refusal):
    """A study that does not exist, or cannot do what it is asked to."""


studies: Register[Study] = Register("study", "reports.studies", group="archsim.studies", error=StudyError)


def reproduce(name: str, out: Path, *, rerun: bool = False, technology: Path | None = None) -> Report:
    """Runs a study and writes its page, tables and figures to its folder in `out`. With `rerun` a study of
    trained networks trains them first, but for those that are remembered; with a `technology`, the path of a
    file, a study of hardware is made on that one. Raises StudyError for an unknown study, or one that cannot
    do so, and OutputError where the folder cannot be written, before anything is run.
    """
    study = studies.named(name)
    asked: dict[str, Any] = {"rerun": True} if rerun else {}
    asked |= {"technology": technology} if technology is not None else {}
    for option in asked:
        if not _takes(study, option):
            allowed = sorted(other for other in studies if _takes(studies[other], option))
            raise StudyError.of(_ASKED[option], name, allowed)
    from reports.output import whole_folder
    from reports.page import write_page

    with whole_folder(out / folder_of(name, technology)) as room:
        report = study(**asked)
        write_page(report, room)
    return report


def folder_of(name: str, technology: Path | None = None) -> str:
    """The folder of a study: its name, and the file of a technology that it was made on."""
    return name if technology is None else f"{name}-on-{technology.name.partition('.')[0]}"


_ASKED = {"rerun": "study to rerun", "technology": "study to make on another technology"}


def _takes(study: Study, option: str) -> bool:
    """Whether a study rests on trained networks, which are shipped and can be trained anew (`rerun`), or can
    be made on another `technology`."""
    return option in inspect.signature(study).parameters
