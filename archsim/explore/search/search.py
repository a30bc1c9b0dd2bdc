"""A search: the best points of a space too large for all of them, found by costing some.

A search is a function of its space, goals, number of trials and seed: what is tried next follows from what
was found so far. Each point is kept as it is finished, so that a search that was stopped is run again from
its beginning, takes from the store what it has kept, and ends as one that nobody disturbed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.costs.fidelity.fidelities import FIDELITIES, level
from archsim.explore.pareto import undominated
from archsim.explore.search.goals import Goals, Judged
from archsim.explore.search.sampling import Proposal, Sampler, SearchError
from archsim.explore.spec import Space
from archsim.explore.store import Row, Store, fields_of
from archsim.explore.sweep.batches import Executor
from archsim.explore.sweep.cluster import cores
from archsim.explore.sweep.sweep import COUNTED, Watcher, executor_of, lasting_executor, tasks
from archsim.explore.sweep.work import Task, key_in

if TYPE_CHECKING:
    import pandas as pd

TRIALS = 500
"""Points that are costed unless told otherwise; docs/search.md says what they reach."""

MOST_TRIALS = 100_000

AT_REST = 20
"""Lots of proposals without a point that was not tried before, after which a search ends."""

SOON_S, FEW = 60.0, 4
"""Where all points of a space take less than this, or are no more than so many times the trials, who costs
them all knows more and hardly waits longer."""


@dataclass(frozen=True, eq=False)
class Search:
    """What a search found: `rows` are the points that it costed, in their order, `deeper` those of the front
    at the fidelity `then`.

    `judged` is what each row is worth. `points` is how many the space has, None where they are too many to
    count; all of them were costed where `exhaustive`. `passed_over` proposals did not meet the conditions of
    the space, and were not costed. `lost` are points that could not be finished here: the same search tries
    them again, and goes on from there.
    """

    space: Space
    store: Store
    goals: Goals
    rows: tuple[Row, ...]
    judged: tuple[Judged, ...]
    trials: int
    seed: int
    points: int | None
    exhaustive: bool
    passed_over: int = 0
    then: str | None = None
    deeper: Mapping[str, Row] = field(default_factory=dict)
    lost: tuple[Row, ...] = ()

    @cached_property
    def best(self) -> tuple[Row, ...]:
        """The rows of the front: those that meet all constraints and that no other such row is better than,
        in the order of the first objective."""
        return _front(self.rows, self.judged)

    @property
    def front(self) -> pd.DataFrame:
        """A row a point of the front, see `Store.frame` for its columns. With a deeper fidelity, say `gate`,
        each objective and the clock once more, as `energy_j_at_gate`, and `holds_at_gate`: whether the point
        is on the front of these and meets the constraints there too."""
        import pandas as pd

        return pd.DataFrame([fields_of(row) | self._deeper_fields(row) for row in self.best])

    @property
    def frame(self) -> pd.DataFrame:
        """A row a costed point, in the order in which they were tried."""
        import pandas as pd

        return pd.DataFrame(map(fields_of, self.rows))

    @property
    def refused(self) -> int:
        return sum(row.error is not None for row in self.rows)

    @property
    def missing_constraints(self) -> int:
        """Costed points that do not meet the constraints."""
        return sum(not judged.feasible for judged in self.judged) - self.refused

    @property
    def seconds_for_all(self) -> float | None:
        """About how long a sweep of the whole space takes on the cores of this machine."""
        if self.points is None or not self.rows:
            return None
        return self.points * sum(row.seconds for row in self.rows) / len(self.rows) / cores()

    @property
    def better_enumerated(self) -> bool:
        """Whether a sweep of all points is the better way."""
        seconds = self.seconds_for_all
        if self.exhaustive or self.points is None or seconds is None:
            return False
        return seconds < SOON_S or self.points <= FEW * self.trials

    @cached_property
    def _held(self) -> frozenset[str]:
        """The points of the front, by their keys, that are on that of their deeper rows too."""
        there = [row for row in self.best if row.key in self.deeper]
        rows = [self.deeper[row.key] for row in there]
        on_it = {row.key for row in _front(rows, [self.goals.judged(row) for row in rows])}
        return frozenset(row.key for row in there if self.deeper[row.key].key in on_it)

    def _deeper_fields(self, row: Row) -> dict[str, Any]:
        if self.then is None or row.key not in self.deeper:
            return {}
        deeper = self.deeper[row.key]
        names = ["clock_hz", *(objective.name for objective in self.goals.objectives)]
        told = {f"{name}_at_{self.then}": (deeper.figures or {}).get(name) for name in names}
        return {
            **told,
            f"holds_at_{self.then}": row.key in self._held,
            f"error_at_{self.then}": deeper.error,
        }

    def __repr__(self) -> str:
        return f"<Search of {self.space!r} in {self.store.folder}: {len(self.best)} on the front>"


def _front(rows: Sequence[Row], judged: Sequence[Judged]) -> tuple[Row, ...]:
    feasible = [(row, one.costs) for row, one in zip(rows, judged, strict=True) if one.feasible]
    costs = np.array([costs for _, costs in feasible], dtype=np.float64)
    if not feasible:
        return ()
    kept = [place for place, stays in enumerate(undominated(costs)) if stays]
    return tuple(feasible[place][0] for place in sorted(kept, key=lambda place: tuple(costs[place])))


def search(
    space: Space | str | Path,
    out: str | Path,
    *,
    objectives: Iterable[str],
    constraints: Iterable[str] = (),
    trials: int = TRIALS,
    seed: int = 0,
    fidelity: str | None = None,
    then: str | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    report: Watcher | None = None,
) -> Search:
    """Looks for the front of objectives, among points that meet all constraints, in a space or in the file
    that describes one. It costs as many different points as `trials`, and keeps each in the store of the
    folder `out`; of a space with no more points it costs all.

    An objective is the name of a figure (its direction, as in `accuracy:max`, may stand behind it), a
    constraint a condition as in `where` of a space, on figures too. `then` is a deeper fidelity at which the
    front is costed once more. `fidelity`, `workers` and `scheduler` are those of `sweep`; what is found does
    not depend on where it is costed.

    Raises ObjectiveError, ConditionError, SpecError and SearchError for what cannot be searched, SearchError
    too where no point meets the constraints, StoreError and ClusterError as `sweep` does. What was costed by
    then is kept.
    """
    space = space if isinstance(space, Space) else Space.from_file(space)
    if fidelity is not None:
        space = replace(space, fidelity=fidelity)
    if not isinstance(trials, int) or isinstance(trials, bool) or not 1 <= trials <= MOST_TRIALS:
        raise SearchError.of("trials", trials, f"1 to {MOST_TRIALS:,}")
    if then is not None:
        _refuse_shallower(then, space.fidelity)
    goals = Goals.of(space, objectives, constraints)
    points = sum(1 for _ in tasks(space)) if len(space) <= COUNTED else None
    exhaustive = points is not None and points <= trials
    sampler = None if exhaustive else Sampler(space, goals, seed)
    run = _Run(space, goals, Store(out), trials, report)
    if report:
        report.begin(points if exhaustive else trials, 0)
    with lasting_executor(workers, scheduler, space.fidelity) as executor:
        if sampler is None:
            run.cost(tasks(space), executor)
        else:
            run.follow(sampler, executor)
    outcome = run.outcome(seed, points, exhaustive=exhaustive)
    if outcome.lost or then is None:
        return outcome
    return _deepened(outcome, then, executor_of(workers, scheduler), report)


def _refuse_shallower(then: str, fidelity: str) -> None:
    level(then)
    deeper = list(FIDELITIES)[list(FIDELITIES).index(fidelity) + 1 :]
    if then not in deeper:
        allowed = deeper or f"none: nothing is deeper than {fidelity}"
        raise SearchError.of("then", then, allowed)


class _Run:
    """A search under way: what it has costed, or taken from the store, by key."""

    def __init__(self, space: Space, goals: Goals, store: Store, trials: int, report: Watcher | None) -> None:
        self.space, self.goals, self.store, self.trials, self.report = space, goals, store, trials, report
        self.rows: dict[str, Row] = {}
        self.judged: dict[str, Judged] = {}
        self.lost: list[Row] = []
        self.passed_over = 0

    def follow(self, sampler: Sampler, executor: Executor) -> None:
        """Costs what a sampler proposes, until there were as many points as trials, or none is new."""
        idle = 0
        while len(self.rows) < self.trials and idle < AT_REST and not self.lost:
            before = len(self.rows)
            proposed = [(one, self._task(one)) for one in sampler.generation()]
            self.cost(self._new(task for _, task in proposed if task), executor)
            for one, task in proposed:
                if task is None:
                    sampler.tell(one, self.goals.of_no_point)
                elif task.key in self.judged:
                    sampler.tell(one, self.judged[task.key])
            idle = 0 if len(self.rows) > before else idle + 1

    def _task(self, proposal: Proposal) -> Task | None:
        """A proposed point; None for one that the space does not have."""
        point = self.space.at(proposal.places)
        if not self.space.holds(point):
            self.passed_over += 1
            return None
        return Task(key_in(point, self.space.fidelity, self.space.folder), point)

    def _new(self, proposed: Iterable[Task]) -> Iterator[Task]:
        """The points that were not tried, each once, and as many as there are trials left."""
        new = {task.key: task for task in proposed if task.key not in self.rows}
        yield from list(new.values())[: self.trials - len(self.rows)]

    def cost(self, wanted: Iterable[Task], executor: Executor) -> None:
        """Costs points in their order, but for those that are kept."""
        todo = list(wanted)
        rows = _costed(todo, self.space.fidelity, self.space.folder, self.store, executor, self.report)
        self.lost += (row for row in rows.values() if row.lost)
        for task in todo:
            if task.key in rows and not rows[task.key].lost:
                self.rows[task.key] = rows[task.key]
                self.judged[task.key] = self.goals.judged(rows[task.key])
                self.goals.refuse_without(rows[task.key], self.judged[task.key])

    def outcome(self, seed: int, points: int | None, *, exhaustive: bool) -> Search:
        """What came of it. Raises SearchError where no point meets the constraints."""
        rows, judged = tuple(self.rows.values()), tuple(self.judged[key] for key in self.rows)
        outcome = Search(
            *(self.space, self.store, self.goals, rows, judged, self.trials, seed, points, exhaustive),
            passed_over=self.passed_over,
            lost=tuple(self.lost),
        )
        if not outcome.best and not outcome.lost:
            raise self._nothing(outcome)
        return outcome

    def _nothing(self, outcome: Search) -> SearchError:
        """What to say where no costed point is feasible: how many were refused, and who came nearest."""
        costed = f"{len(outcome.rows):,} points are costed and kept, none of which"
        if outcome.refused == len(outcome.rows):
            why = outcome.rows[0].error if outcome.rows else "there are none"
            return SearchError(f"{costed} is free of errors, allowed are spaces with one that is: {why}")
        nearest = min(outcome.judged, key=lambda one: (one.costs is None, sum(one.violations)))
        missed = [
            f"{condition.text!r} by {violation:.1%}"
            for condition, violation in zip(self.goals.constraints, nearest.violations, strict=True)
            if violation
        ]
        allowed = f"ones that some point meets: the nearest misses {' and '.join(missed)}"
        return SearchError(f"{costed} meets all constraints, allowed are {allowed}")


def _costed(
    todo: Sequence[Task],
    fidelity: str,
    folder: Path,
    store: Store,
    executor: Executor,
    report: Watcher | None,
) -> dict[str, Row]:
    """The rows of tasks by key: those that are kept, and the others, which are costed and kept."""
    rows = store.among(task.key for task in todo)
    if report and rows:
        report.tell(rows.values())
    missing = [task for task in todo if task.key not in rows]
    for some in executor(missing, fidelity, folder) if missing else ():
        store.keep(some)
        rows |= {row.key: row for row in some}
        if report:
            report.tell(some)
    return rows


def _deepened(outcome: Search, then: str, executor: Executor, report: Watcher | None) -> Search:
    """The same with its front costed at a deeper fidelity."""
    folder = outcome.space.folder
    todo = {row.key: Task(key_in(row.point, then, folder), row.point) for row in outcome.best}
    if report:
        report.begin(len(todo), 0)
    rows = _costed(list(todo.values()), then, folder, outcome.store, executor, report)
    deeper = {key: rows[task.key] for key, task in todo.items() if task.key in rows}
    lost = tuple(row for row in deeper.values() if row.lost)
    return replace(outcome, then=then, deeper=deeper, lost=lost)
