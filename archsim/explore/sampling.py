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

from archsim.explore.goals import Goals, Judged
from archsim.explore.spec import Space
from workloads.refusal import Refusal

if TYPE_CHECKING:
    from optuna.trial import Trial

GENERATION = 50
"""Points that are proposed before any of them is told: a population of NSGA-II."""

MOST_SEED = 2**32 - 1


class SearchError(Refusal):
    """A search that cannot be made, or that finds nothing."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """The places of the axes at which a point is tried."""

    places: Mapping[str, int]
    trial: Trial


class Sampler:
    """Proposes points of a space by NSGA-II, a generation after the other. Constraints are Optuna's own: of
    points that miss some the one that misses by less is better. Raises SearchError for a seed that is none,
    and where Optuna is missing.
    """

    def __init__(self, space: Space, goals: Goals, seed: int) -> None:
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= MOST_SEED:
            raise SearchError.of("seed", seed, f"0 to {MOST_SEED}")
        optuna = _optuna()
        self.goals = goals
        self._quiet = optuna.logging
        # Its crossover takes the place of one parent or the other and its mutation any: no order is needed.
        self._axes = {
            axis: optuna.distributions.CategoricalDistribution(range(len(entries)))
            for axis, entries in space.axes.items()
            if len(entries) > 1
        }
        self._single = dict.fromkeys(space.axes.keys() - self._axes.keys(), 0)
        with self._without_words():
            directions = ["minimize"] * len(goals.objectives)
            self.study = optuna.create_study(directions=directions, sampler=self.method(optuna, seed))

    @staticmethod
    def method(optuna: Any, seed: int) -> Any:
        """How points are proposed; docs/search.md says what others reach."""
        return optuna.samplers.NSGAIISampler(population_size=GENERATION, seed=seed)

    def generation(self) -> list[Proposal]:
        """The next points to try, some of which may have been tried before."""
        with self._without_words():
            trials = [self.study.ask(self._axes) for _ in range(GENERATION)]
        return [Proposal({**self._single, **trial.params}, trial) for trial in trials]

    def tell(self, proposal: Proposal, judged: Judged) -> None:
        """What became of a proposal."""
        proposal.trial.set_constraint("it is a point with figures", float(judged.costs is None))
        for condition, violation in zip(self.goals.constraints, judged.violations, strict=True):
            proposal.trial.set_constraint(condition.text, violation)
        # Of a point that misses a constraint NSGA-II never asks for the costs.
        costs = judged.costs or (0.0,) * len(self.goals.objectives)
        with self._without_words():
            self.study.tell(proposal.trial, costs)

    @contextlib.contextmanager
    def _without_words(self) -> Iterator[None]:
        """Optuna logs each study; whoever searches is told by others."""
        before = self._quiet.get_verbosity()
        self._quiet.set_verbosity(self._quiet.ERROR)
        try:
            yield
        finally:
            self._quiet.set_verbosity(before)


def _optuna() -> Any:
    try:
        return importlib.import_module("optuna")
    except ImportError:
        said = "optuna is missing, allowed are installations with it: pip install 'archsim[search]'"
        raise SearchError(said) from None
