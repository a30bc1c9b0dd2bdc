"""What is done with a point, wherever it is done: checked, costed, and turned into plain values."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archsim.costs.breakdown import breakdown_of
from archsim.costs.metrics import told
from archsim.design import DesignPoint
from archsim.explore.store import Row, key_of, this_version
from archsim.explore.sweep.batch import costed
from archsim.explore.sweep.files import Named, laid_out, named_files, with_texts
from archsim.netlist import ActivityError
from archsim.netlist.nextpnr import NextpnrAbsentError
from archsim.netlist.yosys import YosysCrashError
from workloads.files import OutputError
from workloads.refusal import Refusal

OF_THE_PLACE = (OSError, MemoryError, OutputError, YosysCrashError, NextpnrAbsentError, ActivityError)
"""What a full disk or memory, a process that was killed, or a tool that is not there ends in: another try may
end otherwise."""

DEFECT = "archsim itself is wrong"
"""Begins the error of a point that ended in what nobody thought of."""

_LONGEST_ERROR = 1000


@dataclass(frozen=True)
class Task:
    """A point that is still to be costed, and what its row is kept under."""

    key: str
    point: Mapping[str, Any]


def finished(point: Mapping[str, Any], fidelity: str, folder: Path, key: str) -> Row:
    """The row of a point: its figures, or the error that it ended with. It is `lost` where the place that it
    ran in failed, and not the point."""
    began = time.perf_counter()
    figures_of_it, breakdown, error, lost = None, None, None, False
    try:
        design = DesignPoint.beside(folder, point)
        result = design.simulate(fidelity)
        # As points have it that are costed together, to the last bit: of the hardware, whatever the clock.
        breakdown = breakdown_of(design.analytic() if fidelity == "analytic" else result)
        figures_of_it = _plain(told(result), result.clock_hz)
    except OF_THE_PLACE as failed:
        error, lost = _line(f"{type(failed).__name__}: {failed}"), True
    except Refusal as refused:
        error = _line(str(refused))
    except Exception as defect:  # of a point that nobody thought of: it must not end all others
        place = traceback.extract_tb(defect.__traceback__)[-1]
        where = f"{Path(place.filename).name} {place.lineno}"
        error = _line(f"{DEFECT}: {type(defect).__name__} in {where}: {defect}")
    seconds = time.perf_counter() - began
    return Row(key, point, fidelity, figures_of_it, error, seconds, lost=lost, breakdown=breakdown)


def finished_all(tasks: Iterable[Task], fidelity: str, folder: Path) -> list[Row]:
    """The rows of points in their order: those of `finished`, and where the fidelity is analytic from arrays,
    each with its share of the time."""
    todo = list(tasks)
    if fidelity != "analytic":
        return [finished(task.point, fidelity, folder, task.key) for task in todo]
    began = time.perf_counter()
    try:
        outcomes = costed([task.point for task in todo], folder, broken_down=True)
    except Exception:  # whatever it was, it is of one point, which then says so for itself
        return [finished(task.point, fidelity, folder, task.key) for task in todo]
    seconds = (time.perf_counter() - began) / max(len(todo), 1)
    return [
        Row(
            *(task.key, task.point, fidelity),
            None if outcome.figures is None else _plain(outcome.figures, outcome.clock_hz),
            None if outcome.error is None else _line(outcome.error),
            seconds,
            breakdown=outcome.breakdown,
        )
        for task, outcome in zip(todo, outcomes, strict=True)
    ]


def _plain(figures: Mapping[str, Any], clock_hz: float) -> dict[str, Any]:
    """What is told of a result as a row keeps it: finite, of plain types, with the clock that it ran at."""
    plain = {name: value.item() if hasattr(value, "item") else value for name, value in figures.items()}
    finite = {
        name: value
        for name, value in plain.items()
        if not isinstance(value, int | float) or math.isfinite(value)
    }
    return finite | {"clock_hz": float(clock_hz)}


def key_in(point: Mapping[str, Any], fidelity: str, folder: Path) -> str:
    """What the row of a point is kept under: files that it names count by what is in them."""
    contents = [digest for named in named_files(point, folder) for file in named.files for digest in file]
    return key_of(point, fidelity, contents)


@dataclass(frozen=True)
class Refused:
    """A worker that must not cost anything: it would come to other rows."""

    version: str


def finished_elsewhere(
    tasks: Sequence[Task],
    fidelity: str,
    version: str,
    named: Sequence[Named],
    contents: Mapping[str, bytes],
    folder: Path | None,
) -> list[Row] | Refused:
    """The rows of points, in a worker of a cluster that may share no files with whoever asks: `contents` are
    those of all files that the points name, by their digests. In a `folder` files are looked for as here."""
    if this_version() != version:
        return Refused(this_version())
    if folder is not None:
        return finished_all(tasks, fidelity, folder)
    from distributed import get_worker

    room = Path(get_worker().local_directory) / "archsim"
    texts = laid_out(named, contents, room)
    rows = finished_all([Task(task.key, with_texts(task.point, texts)) for task in tasks], fidelity, Path())
    places = {str(room / one.place): str(one.beside) for one in named}
    return [_as_named(row, task.point, places) for row, task in zip(rows, tasks, strict=True)]


def _as_named(row: Row, point: Mapping[str, Any], places: Mapping[str, str]) -> Row:
    """A row whose texts name files where they lie for whoever asked."""

    def renamed(text: str) -> str:
        for place, beside in places.items():
            text = text.replace(f"{place}/", "" if beside == "." else f"{beside}/")
        return text

    noted = row.figures
    if noted is not None:
        noted = {**noted, "warnings": [renamed(text) for text in noted["warnings"]]}
    return replace(row, point=point, figures=noted, error=None if row.error is None else renamed(row.error))


def _line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_ERROR]
