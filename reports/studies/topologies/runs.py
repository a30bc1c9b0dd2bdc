"""Trained networks as data: which were trained, what each seed came to, and their means with errors.

`data/training_runs.csv` holds a line a training, with the recipe that repeats it. Networks are
compared inside a *group*: one set of images, layers, epochs, batch and learning rate.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args

from reports.studies.topologies.files import lines_of, record, write_lines
from reports.studies.topologies.trainings import Cell, Images, Outcome, recipe_values, run
from reports.write_up.claims import standard_error
from workloads import Recipe, parse_recipe

FILE = "training_runs.csv"
IDENTITY = ("group", "label", "budget", "images", "seed")
COLUMNS = (*IDENTITY, *(given.name for given in fields(Outcome)), "recipe")
_IMAGES: Mapping[str, Images] = {name: name for name in get_args(Images)}


@dataclass(frozen=True)
class Planned:
    """A network to train. `budget` is the number of weights it was asked to store; `recipe` is complete
    but for the seed, of which it holds the first."""

    group: str
    label: str
    budget: int
    recipe: Recipe
    images: Images
    seeds: tuple[int, ...]

    def cells(self) -> list[Cell]:
        """The training of each seed."""
        return [Cell(self.recipe.replace(seed=seed), self.images) for seed in self.seeds]


@dataclass(frozen=True)
class Run:
    """A training and what it came to. `settings` are the values of its recipe but for the seed."""

    group: str
    label: str
    budget: int
    images: Images
    seed: int
    settings: Mapping[str, Any]
    outcome: Outcome

    @classmethod
    def of(cls, planned: Planned, cell: Cell, outcome: Outcome) -> Run:
        settings = recipe_values(cell.recipe)
        seed = settings.pop("seed", 0)
        return cls(planned.group, planned.label, planned.budget, planned.images, seed, settings, outcome)

    @property
    def cell(self) -> Cell:
        """What was trained, to be trained again."""
        return Cell(parse_recipe({**self.settings, "name": self.label, "seed": self.seed}), self.images)


@dataclass(frozen=True)
class Trained:
    """A network over its seeds."""

    group: str
    label: str
    budget: int
    runs: tuple[Run, ...]

    @property
    def epochs(self) -> int:
        return int(self.runs[0].settings["epochs"])

    @property
    def stored_weights(self) -> int:
        return self.runs[0].outcome.stored_weights

    @property
    def compression(self) -> float:
        return self.runs[0].outcome.dense_weights / self.stored_weights

    @property
    def accuracies(self) -> tuple[float, ...]:
        """On all test images, one a seed; a training that left the finite numbers counts as chance, 0.1."""
        reached = [run.outcome.test_accuracy for run in self.runs]
        return tuple(0.1 if share is None else share for share in reached)

    @property
    def mean(self) -> float:
        return statistics.fmean(self.accuracies)

    @property
    def validation(self) -> float:
        """The mean accuracy on the images held out of training; a failed training counts as chance, 0.1."""
        return statistics.fmean(run.outcome.validation_accuracy or 0.1 for run in self.runs)

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        names = ("group", "label", "budget", "stored_weights", "compression", "accuracies", "mean")
        values = {name: getattr(self, name) for name in (*names, "standard_error")}
        return values | {"accuracies": list(self.accuracies)}

    @property
    def standard_error(self) -> float:
        """Of the mean over seeds."""
        return standard_error(self.accuracies)


def train_all(planned: Sequence[Planned], *, processes: int = 1, progress: bool = True) -> list[Run]:
    """Trains whatever is not remembered."""
    cells = [(each, cell) for each in planned for cell in each.cells()]
    outcomes = run([cell for _, cell in cells], processes=processes, progress=progress)
    return [Run.of(each, cell, outcomes[cell.key]) for each, cell in cells]


def networks(runs: Iterable[Run], group: str) -> list[Trained]:
    """The networks of a group, each over its seeds."""
    several: dict[tuple[str, int], list[Run]] = {}
    for one in runs:
        if one.group == group:
            several.setdefault((one.label, one.budget), []).append(one)
    return [Trained(group, label, budget, tuple(seeds)) for (label, budget), seeds in several.items()]


# The file.


def shipped_runs(file: str = FILE) -> list[Run]:
    """The runs that come with the package, in this file."""
    return [_run(line) for line in lines_of(file)]


def write_runs(runs: Iterable[Run], path: Path) -> None:
    """Writes a file that `shipped_runs` reads."""
    write_lines(path, COLUMNS, (_line(one) for one in runs))


def _line(one: Run) -> dict[str, Any]:
    outcome = asdict(one.outcome) | {"cpu_s": round(one.outcome.cpu_s, 1)}
    recipe = json.dumps(one.settings, sort_keys=True)
    return {name: getattr(one, name) for name in IDENTITY} | outcome | {"recipe": recipe}


def _run(line: Mapping[str, str]) -> Run:
    images, settings = _IMAGES[line["images"]], json.loads(line["recipe"])
    budget, seed, outcome = int(line["budget"]), int(line["seed"]), record(Outcome, line)
    return Run(line["group"], line["label"], budget, images, seed, settings, outcome)
