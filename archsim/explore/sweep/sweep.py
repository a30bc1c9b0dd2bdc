"""A sweep: every point of a space, each kept as soon as it is finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from archsim.explore.pareto import pareto
from archsim.explore.spec import Space
from archsim.explore.store import Row, Store
from archsim.explore.sweep.batches import Batches, Executor, here, in_process
from archsim.explore.sweep.work import Task, key_in

if TYPE_CHECKING:
    import pandas as pd

    from archsim.explore.frames import Frame, Plots

COUNTED = 200_000
"""Points that are counted before a sweep begins: of more nobody waits for the number."""

PATIENCE_S = 5.0
"""How long a sweep goes on in one process before it starts others: these take about as long to come up."""

QUICK = ("analytic", "cycle")
"""Fidelities at which a point takes less than a second."""


class Watcher(Protocol):
    """Is told how a sweep goes on, to show it."""

    def begin(self, points: int | None, kept: int) -> None:
        """So many points there are, where that is known, and so many are kept already."""

    def tell(self, rows: Iterable[Row]) -> None:
        """These are finished."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """What came of a space: the rows of its points, in the order of the space.

    `frame` has a row a point; see `Store.frame` for its columns. `lost` are the points that are not among
    them since what they ran on failed: the same sweep tries them again.
    """

    space: Space
    store: Store
    lost: tuple[Row, ...] = ()

    @property
    def frame(self) -> Frame:
        from archsim.explore.frames import Frame

        wanted = {task.key: place for place, task in enumerate(tasks(self.space))}
        found = self.store.frame()
        if found.empty:
            return found
        kept = found[found["key"].isin(wanted.keys())]
        return Frame(kept.sort_values("key", key=lambda keys: keys.map(wanted)).reset_index(drop=True))

    @property
    def plot(self) -> Plots:
        """Pictures of the frame: `plot.front("energy_j", "accuracy")`, `plot.bars("area_mm2")`."""
        return self.frame.plot

    def _repr_html_(self) -> str:
        """The frame as a notebook shows it."""
        return self.frame._repr_html_()

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


def as_needed(todo: Iterable[Task], fidelity: str, folder: Path) -> Iterator[list[Row]]:
    """Costs tasks here and, of what is left after `PATIENCE_S`, in a process for each core. Hardware is
    simulated in processes from the start, since one point may take minutes."""
    from archsim.explore.sweep.cluster import cores, on_workers

    batches = Batches(todo)
    quick = fidelity in QUICK or cores() == 1
    if quick:
        yield from here(batches, fidelity, folder, PATIENCE_S if cores() > 1 else float("inf"))
    left = batches.left()
    for first in left:
        yield from on_workers(cores())(chain([first], left), fidelity, folder)


def executor_of(workers: int | None, scheduler: str | None) -> Executor:
    """Where points are costed: on a cluster whose scheduler has this address, on so many workers of a cluster
    of one's own, in this process for 0, and as is quicker for None. Raises ClusterError."""
    from archsim.explore.sweep.cluster import on_scheduler, on_workers

    _refuse_both(workers, scheduler)
    if scheduler is not None:
        return on_scheduler(scheduler)
    if workers is None:
        return as_needed
    return on_workers(workers) if workers else in_process


def lasting_executor(
    workers: int | None, scheduler: str | None, fidelity: str
) -> AbstractContextManager[Executor]:
    """The same for several lots of points, of which the next is only known when one is done. None is this
    process, or a process for each core where hardware is simulated. Raises ClusterError."""
    from archsim.explore.sweep.cluster import cores, lasting_scheduler, lasting_workers

    _refuse_both(workers, scheduler)
    if scheduler is not None:
        return lasting_scheduler(scheduler)()
    if workers is None:
        workers = 0 if fidelity in QUICK else cores()
    return lasting_workers(workers)() if workers else nullcontext(in_process)


def _refuse_both(workers: int | None, scheduler: str | None) -> None:
    from archsim.explore.sweep.cluster import ClusterError

    if None not in (workers, scheduler):
        raise ClusterError.of("workers", workers, "none beside a scheduler, which has its own")


def sweep(
    space: Space | str | Path,
    out: str | Path,
    *,
    fidelity: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
    report: Watcher | None = None,
) -> Sweep:
    """Costs every point of a space, or of the file that describes one, that the store in the folder `out`
    does not have yet. Each is kept as it is finished, so a sweep that was stopped in any way goes on.

    `fidelity` takes the place of the space's own. `scheduler` is the address of a Dask cluster, `workers` a
    number of processes here, 0 for none but this one; see `executor_of`. A point that fails is a row with its
    error. Raises SpecError for a space that is none, StoreError where rows cannot be kept, ClusterError where
    a cluster cannot be used.
    """
    space = space if isinstance(space, Space) else Space.from_file(space)
    if fidelity is not None:
        space = replace(space, fidelity=fidelity)
    executor = executor or executor_of(workers, scheduler)
    store = Store(out)
    have = store.keys()
    if report:
        keys = [task.key for task in tasks(space)] if len(space) <= COUNTED else None
        report.begin(None if keys is None else len(keys), len(have.intersection(keys or have)))
    todo = (task for task in tasks(space) if task.key not in have)
    lost: list[Row] = []
    with store.held():
        for rows in executor(todo, space.fidelity, space.folder):
            store.keep(rows)
            lost += (row for row in rows if row.lost)
            if report:
                report.tell(rows)
    return Sweep(space, store, tuple(lost))
