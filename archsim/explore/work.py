"""What is done with a point, wherever it is done: checked, costed, and turned into plain values."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from archsim.costs.metrics import told
from archsim.design import DesignPoint
from archsim.explore.batch import costed
from archsim.explore.store import Row, key_of
from workloads.refusal import Refusal


class Keyed(Protocol):
    """A point, and what its row is kept under."""

    @property
    def key(self) -> str: ...

    @property
    def point(self) -> Mapping[str, Any]: ...


def finished_many(tasks: Iterable[Keyed], fidelity: str, folder: Path) -> list[Row]:
    """The rows of points in their order: those of `finished`, and where the fidelity is analytic from arrays,
    each with its share of the time."""
    todo = list(tasks)
    if fidelity != "analytic":
        return [finished(task.point, fidelity, folder, task.key) for task in todo]
    began = time.perf_counter()
    outcomes = costed([task.point for task in todo], folder)
    seconds = (time.perf_counter() - began) / max(len(todo), 1)
    return [
        Row(task.key, task.point, fidelity, outcome.figures, outcome.error, seconds)
        for task, outcome in zip(todo, outcomes, strict=True)
    ]


def finished(point: Mapping[str, Any], fidelity: str, folder: Path, key: str) -> Row:
    """The row of a point: its figures, or the refusal that it ended with. A defect is nobody's result, and is
    raised."""
    began = time.perf_counter()
    try:
        result = DesignPoint.beside(folder, point).simulate(fidelity)
    except Refusal as refused:
        return Row(key, point, fidelity, error=str(refused), seconds=time.perf_counter() - began)
    return Row(key, point, fidelity, told(result), seconds=time.perf_counter() - began)


def key_in(point: Mapping[str, Any], fidelity: str, folder: Path) -> str:
    """What the row of a point is kept under: files that it names count by what is in them."""
    texts = {text for text in _texts(point) if "." in text or "/" in text}
    found = (folder / text if (folder / text).is_file() else Path(text) for text in sorted(texts))
    return key_of(point, fidelity, [_digest(path, _stamp(path)) for path in found if path.is_file()])


def _texts(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return set().union(*map(_texts, value.values()))
    if isinstance(value, list | tuple):
        return set().union(*map(_texts, value))
    return {value} if isinstance(value, str) else set()


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=1024)
def _digest(path: Path, stamp: tuple[int, int, int]) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
