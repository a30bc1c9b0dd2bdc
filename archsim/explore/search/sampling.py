"""Which points of a space are tried next: Optuna proposes them, from what was found of those before.

Optuna's own storage is not used. What a sampler proposes follows from its seed and from what it was told, so
a search that was stopped asks the same again and is told what the store of results has kept; a second
database could only say the same, or contradict it.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archsim.explore.search.goals import Goals, Judged
from archsim.explore.spec import Space, Values
from workloads.refusal import Refusal

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import Trial

POPULATION = 20
"""Points that are proposed before any of them is told: a generation of NSGA-II. One of 50 reaches less of the
front with a few hundred points, as docs/search.md shows."""

MOST_SEED = 2**32 - 1


class SearchError(Refusal):
    """A search that cannot be made, or that finds nothing."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """The places of the axes at which a point is tried."""

    places: Mapping[str, int]
    trial: Trial


class Sampler:
    """Proposes points of a space by NSGA-II, a generation at a time. Constraints are Optuna's own: of
    points that miss some the one that misses by less is better. Raises SearchError for a seed that is none,
    and without Optuna.
    """

    def __init__(self, space: Space, goals: Goals, seed: int) -> None:
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= MOST_SEED:
            raise SearchError.of("seed", seed, f"0 to {MOST_SEED}")
        self.goals, self.seed = goals, seed
        self.optuna = _optuna()
        self._axes = {
            axis: self._distribution(entries) for axis, entries in space.axes.items() if len(entries) > 1
        }
        self._single = dict.fromkeys(space.axes.keys() - self._axes.keys(), 0)
        with self._without_words():
            directions = ["minimize"] * len(goals.objectives)
            self.study: Study = self.optuna.create_study(directions=directions, sampler=self.method())

    def method(self) -> Any:
        """How points are proposed."""
        return self.optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=self.seed)

    def generation(self) -> list[Proposal]:
        """The next points to try, some of which may have been tried before."""
        with self._without_words():
            trials = [self.study.ask(self._axes) for _ in range(POPULATION)]
        return [Proposal({**self._single, **trial.params}, trial) for trial in trials]

    def tell(self, proposal: Proposal, judged: Judged) -> None:
        """What became of a proposal."""
        proposal.trial.set_constraint("it is a point with figures", float(judged.costs is None))
        for condition, violation in zip(self.goals.constraints, judged.violations, strict=True):
            proposal.trial.set_constraint(condition.text, violation)
        # Of a point that misses a constraint nobody asks for the costs.
        with self._without_words():
            self.study.tell(proposal.trial, judged.costs or (0.0,) * len(self.goals.objectives))

    def _distribution(self, entries: tuple[Values, ...]) -> BaseDistribution:
        """The places of an axis: in their order where that is one of numbers, else as names."""
        last = len(entries) - 1
        numbers = all(type(value) in (int, float) for entry in entries for value in entry.values())
        kinds = self.optuna.distributions
        if numbers:
            ordered: BaseDistribution = kinds.IntDistribution(0, last)
            return ordered
        named: BaseDistribution = kinds.CategoricalDistribution(range(last + 1))
        return named

    @contextlib.contextmanager
    def _without_words(self) -> Iterator[None]:
        """Optuna logs each study; whoever searches is told by others."""
        logging = self.optuna.logging
        before = logging.get_verbosity()
        logging.set_verbosity(logging.ERROR)
        try:
            yield
        finally:
            logging.set_verbosity(before)


def _optuna() -> Any:
    try:
        return importlib.import_module("optuna")
    except ImportError:
        said = "optuna is missing, allowed are installations with it: pip install 'archsim[search]'"
        raise SearchError(said) from None
