"""A sweep: every point of a space, each kept as soon as it is finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.explore.pareto import pareto
from archsim.explore.spec import Space
from archsim.explore.store import Row, Store
from archsim.explore.work import finished_many, key_in

if TYPE_CHECKING:
    import pandas as pd

BATCH = 64
"""Points that are handed out, and kept, together: few enough that little is lost, many enough that the store
costs little."""


@dataclass(frozen=True)
class Task:
    """A point that is still to be costed, and what its row is kept under."""

    key: str
    point: Mapping[str, Any]


Report = Callable[[Iterable[Row]], None]
"""Is told of finished rows, to show them."""

Executor = Callable[[Iterable[Task], str, Path], Iterator[list[Row]]]
"""Costs tasks at a fidelity, with files looked for in a folder, and yields rows as they are finished."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """What came of a space: the rows of its points, in the order of the space.

    `frame` has a row a point; see `Store.frame` for its columns.
    """

    space: Space
    store: Store

    @property
    def frame(self) -> pd.DataFrame:
        wanted = {task.key: place for place, task in enumerate(tasks(self.space))}
        found = self.store.frame()
        if found.empty:
            return found
        kept = found[found["key"].isin(wanted.keys())]
        ordered: pd.DataFrame = kept.sort_values("key", key=lambda keys: keys.map(wanted))
        return ordered.reset_index(drop=True)

    def pareto(self, *objectives: str) -> pd.DataFrame:
        """The points that no other point is better than in all objectives; see `pareto`."""
        return pareto(self.frame, *objectives)

    def __repr__(self) -> str:
        return f"<Sweep of {self.space!r} in {self.store.folder}>"


def tasks(space: Space) -> Iterator[Task]:
    """The points of a space, each with the key of its row; points that come twice come once."""
    seen: set[str] = set()
    for point in space.points():
        key = key_in(point, space.fidelity, space.folder)
        if key not in seen:
            seen.add(key)
            yield Task(key, point)


def in_process(todo: Iterable[Task], fidelity: str, folder: Path) -> Iterator[list[Row]]:
    """Costs tasks one after the other, here."""
    left = iter(todo)
    while some := list(islice(left, BATCH)):
        yield finished_many(some, fidelity, folder)


def sweep(
    space: Space | str | Path,
    out: str | Path,
    *,
    fidelity: str | None = None,
    executor: Executor = in_process,
    report: Report | None = None,
) -> Sweep:
    """Costs every point of a space, or of the file that describes one, that the store in the folder `out`
    does not have yet. Each is kept as it is finished, so a sweep that was stopped in any way goes on.

    `fidelity` takes the place of the space's own. A point that is refused is a row with its error.
    Raises SpecError for a space that is none, StoreError where rows cannot be kept.
    """
    space = space if isinstance(space, Space) else Space.from_file(space)
    if fidelity is not None:
        space = replace(space, fidelity=fidelity)
    store = Store(out)
    have = store.keys()
    todo = (task for task in tasks(space) if task.key not in have)
    for rows in executor(todo, space.fidelity, space.folder):
        store.keep(rows)
        if report:
            report(rows)
    return Sweep(space, store)
