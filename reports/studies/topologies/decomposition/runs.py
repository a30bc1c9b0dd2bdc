"""Decompositions over topologies, sizes, budgets and seeds, each remembered once it is done.

A candidate is a square layer of one family whose parameters fit a budget, with or without identity skips.
For each there are two measures that need no matrix, the heuristic count of constraints and the degrees of
freedom, and a decomposition for every loss and seed. Every one of these lies in the user's cache by the
content it came from, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from tqdm import tqdm

from archsim.store import remembered
from workloads.families import build_layer, families as known_families, fit_budget
from workloads.measures.constraints import constraint_score
from workloads.measures.decomposition import Loss, decompose, random_target
from workloads.measures.degrees_of_freedom import degrees_of_freedom
from workloads.stages import Stage, TopologyError, whole_number
from workloads.topology.topology import skips_of

CODE_VERSION = 2
"""Raised whenever the same candidate, loss and seed give other figures: what was remembered is then stale."""
MOST_PLACES = 256
MOST_MEASURED = 64
"""The largest size at which the two measures are taken; beyond, they take minutes a topology."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A square layer of `size` inputs and outputs; `skipped` puts a skip on every square stage of it.

    `compression` is what was asked for; the weights that the family stores are those of its `stages`.
    """

    family: str
    size: int
    compression: float
    parameters: dict[str, Any]
    skipped: bool

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The cascade."""
        return build_layer(self.family, self.size, self.size, **self.parameters)

    @property
    def skips(self) -> tuple[bool, ...]:
        """A flag a stage, or nothing where none is skipped."""
        return skips_of((self.stages,)) if self.skipped else ()

    @property
    def content(self) -> dict[str, Any]:
        """What decides its figures, as plain values; the budget that led to it does not."""
        values = dataclasses.asdict(self) | {"version": CODE_VERSION}
        del values["compression"]
        return values


@dataclass(frozen=True)
class Figures:
    """What came of a candidate: fields with an entry for each seed are empty where their loss was not asked.

    `relative_errors` come of L2; `absolute_errors` and `met`, the entries met, of L1 (see `Decomposition`).
    `constraints` is the heuristic's count of entries that can be met, `freedom` the degrees of freedom; both
    are None above MOST_MEASURED places.
    """

    family: str
    size: int
    compression: float
    parameters: dict[str, Any]
    skipped: bool
    depth: int
    stored_weights: int
    constraints: int | None
    freedom: int | None
    relative_errors: tuple[float, ...]
    absolute_errors: tuple[float, ...]
    met: tuple[int, ...]

    @property
    def errors(self) -> dict[Loss, tuple[float, ...]]:
        return {"l2": self.relative_errors, "l1": self.absolute_errors}

    @property
    def error(self) -> float:
        """The relative error in the mean over seeds, or the absolute one where L2 was not asked."""
        return float(np.mean(self.relative_errors or self.absolute_errors or 0.0))

    @property
    def parameter_efficiency(self) -> float | None:
        """Entries met for each stored weight, in the mean over seeds."""
        return float(np.mean(self.met)) / self.stored_weights if self.met else None


def candidates(
    sizes: Sequence[int],
    compressions: Sequence[float],
    *,
    families: Sequence[str] = (),
    skips: Sequence[bool] = (False, True),
) -> tuple[Candidate, ...]:
    """One for each family, size and budget of size^2 / compression weights, none twice.

    Without `families` all that have a grid of parameters take part, and those that cannot build a size are
    left out of it. Skips are tried only where the cascade has a square stage. Raises `TopologyError` for a
    value that is not allowed.
    """
    known: dict[str, Candidate] = {}
    chosen = families or sorted(name for name, each in known_families.items() if each.grid is not None)
    for size in sizes:
        whole_number("a decomposition", "size", size, 1, MOST_PLACES)
        for compression in compressions:
            if not 1 <= compression <= size:
                raise TopologyError.of(
                    "compression of a decomposition", compression, f"1 to {size}, the size"
                )
            for family in chosen:
                try:
                    parameters = fit_budget(family, size, size, round(size * size / compression))
                except TopologyError:
                    if families:
                        raise
                    continue
                for skipped in skips:
                    candidate = Candidate(family, size, compression, parameters, skipped)
                    if candidate.skips or not skipped:
                        known.setdefault(json.dumps(candidate.content, sort_keys=True), candidate)
    return tuple(known.values())


def run(
    chosen: Sequence[Candidate],
    *,
    losses: Sequence[Loss],
    seeds: Sequence[int],
    iterations: int,
    progress: bool = True,
) -> Iterator[Figures]:
    """The figures of every candidate in turn, as soon as they are there."""
    cells = len(chosen) * (1 + len(losses) * len(seeds))
    with tqdm(total=cells, desc="decompositions", unit="cell", disable=not progress) as bar:

        def kept(compute: Callable[[], dict[str, Any]], **content: Any) -> dict[str, Any]:
            values: dict[str, Any] = remembered("decompositions", content, compute)
            bar.update()
            return values

        for candidate in chosen:
            measured = kept(partial(_measures, candidate), **candidate.content)
            errors: dict[Loss, list[dict[str, Any]]] = {"l1": [], "l2": []}
            for loss, seed in itertools.product(losses, seeds):
                settings: dict[str, Any] = {"loss": loss, "seed": seed, "iterations": iterations}
                cell = kept(partial(_errors, candidate, **settings), **candidate.content, **settings)
                errors[loss].append(cell)
            yield Figures(
                **dataclasses.asdict(candidate),
                **measured,
                relative_errors=tuple(each["relative_error"] for each in errors["l2"]),
                absolute_errors=tuple(each["absolute_error"] for each in errors["l1"]),
                met=tuple(each["met"] for each in errors["l1"]),
            )


def _measures(candidate: Candidate) -> dict[str, int | None]:
    stages, skips = candidate.stages, candidate.skips
    measured = candidate.size <= MOST_MEASURED
    return {
        "depth": len(stages),
        "stored_weights": sum(stage.stored_weights for stage in stages),
        "constraints": constraint_score(stages, skips).solved if measured else None,
        "freedom": degrees_of_freedom(stages, skips) if measured else None,
    }


def _errors(candidate: Candidate, loss: Loss, seed: int, iterations: int) -> dict[str, float]:
    target = random_target(candidate.size, candidate.size, seed)
    settings: dict[str, Any] = {"loss": loss, "seed": seed, "iterations": iterations}
    came = decompose(candidate.stages, target, skips=candidate.skips, **settings)
    return {name: getattr(came, name) for name in ("relative_error", "absolute_error", "met")}
