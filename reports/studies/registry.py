"""The studies by name. A study is a folder whose package registers one function."""

from __future__ import annotations

import functools
import inspect
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workloads.files import digest_of, write_text
from workloads.refusal import Refusal
from workloads.register import Register

if TYPE_CHECKING:
    from reports.write_up.report import Report

Study = Callable[..., "Report"]
"""A study of trained networks takes `rerun`, whether to train them anew; one of hardware that can be made on
any technology takes `technology`, the path of a file; one that can be made over many sizes of hardware takes
`with_map`, whether to; one whose designs can be placed takes `fidelity`, `gate` or `layout`; others take
nothing."""

PACKAGES = ("archsim", "reports", "rtl", "workloads")
"""What a page follows from: their code, and their data."""


class StudyError(Refusal):
    """A study that does not exist, or cannot do what it is asked to."""


studies: Register[Study] = Register("study", "reports.studies", group="archsim.studies", error=StudyError)


@dataclass(frozen=True)
class Duration:
    """How many seconds of two idle cores a study takes, measured: with all that it keeps at hand, and from an
    empty cache."""

    cached_s: float
    from_nothing_s: float

    def __str__(self) -> str:
        return f"{_about(self.cached_s)}, {_about(self.from_nothing_s)} from nothing"


def _about(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"


_DURATIONS: dict[Study, Duration] = {}


def lasts(*, cached_s: float, from_nothing_s: float) -> Callable[[Study], Study]:
    """Decorator of a study: about how long it takes, for who waits and for the order of many."""

    def told(study: Study) -> Study:
        _DURATIONS[study] = Duration(cached_s, from_nothing_s)
        return study

    return told


def duration_of(name: str) -> Duration | None:
    """How long a study takes, if that was measured."""
    return _DURATIONS.get(studies.named(name))


def quickest_first() -> list[str]:
    """All studies, those of which nobody knows how long they take at the end."""
    known = {name: duration_of(name) for name in studies}
    return sorted(known, key=lambda name: (one.from_nothing_s if (one := known[name]) else math.inf, name))


def reproduce(
    name: str,
    out: Path,
    *,
    rerun: bool = False,
    technology: Path | None = None,
    with_map: bool = False,
    fidelity: str | None = None,
    home: str = "",
) -> Report:
    """Runs a study and writes its page, tables and figures to its folder in `out`. With `rerun` a study of
    trained networks trains them first, but for those that are remembered; with a `technology`, the path of a
    file, a study of hardware is made on that one; `with_map` it says too who wins over many sizes; with the
    `fidelity` layout also what placing changes. `home` is the address of a page that lists it, for a link.
    Raises StudyError for an unknown study, or one that
    cannot do so, and OutputError where the folder cannot be written, before anything is run.
    """
    study = studies.named(name)
    asked: dict[str, Any] = {"rerun": True} if rerun else {}
    asked |= {"technology": technology} if technology is not None else {}
    asked |= {"with_map": True} if with_map else {}
    asked |= {"fidelity": fidelity} if fidelity is not None else {}
    for option in asked:
        if not _takes(study, option):
            raise refused_option(name, option)
    from reports.output import whole_folder
    from reports.page import plain_json, write_page
    from reports.write_up.record import FILE, Record

    with whole_folder(out / folder_of(name, technology)) as room:
        start = time.monotonic()
        report = study(**asked)
        write_page(report, room, home=home)
        source = "" if asked else source_of(name)
        record = Record.of_report(report, source=source, seconds=round(time.monotonic() - start, 1))
        write_text(room / FILE, plain_json(record.plain()))
    return report


def refused_option(name: str, option: str) -> StudyError:
    """What is said where a study cannot do what an option asks for."""
    allowed = sorted(other for other in studies if _takes(studies[other], option))
    return StudyError.of(_ASKED[option], name, allowed)


def folder_of(name: str, technology: Path | None = None) -> str:
    """The folder of a study: its name, and the file of a technology that it was made on."""
    return name if technology is None else f"{name}-on-{technology.name.partition('.')[0]}"


def source_of(name: str) -> str:
    """The code and the data that a study without options follows from, as a digest."""
    package = studies.named(name).__module__.partition(".")[0]
    return _digest(*sorted({*PACKAGES, package}))


@functools.cache
def _digest(*packages: str) -> str:
    return digest_of(Path(str(sys.modules[name].__file__)).parent for name in packages if name in sys.modules)


_ASKED = {
    "rerun": "study to rerun",
    "technology": "study to make on another technology",
    "with_map": "study to make a map of",
    "fidelity": "study to make at a fidelity",
}


def _takes(study: Study, option: str) -> bool:
    """Whether a study rests on trained networks, which are shipped and can be trained anew (`rerun`), can be
    made on another `technology`, over many sizes (`with_map`), or of placed designs (`fidelity`)."""
    return option in inspect.signature(study).parameters
