"""Accuracy along trainings on chip: after every quarter of an epoch, for trainings of several lengths.

`python -m reports.studies.topologies.on_chip_courses FOLDER` trains whatever its file in the folder lacks, a
line a quarter of an epoch (a quarter of an hour on one core), and writes it after each training. A pruned
network is trained dense for `dense_epochs` first, in the same arithmetic; then all but its largest words are
set aside, as many as the shipped recipe leaves, and what is left is trained for `epochs`, from the scales and
with the course of the rate of a training of that length.
"""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np

from reports.studies.topologies.files import record, records_of, write_records
from reports.studies.topologies.on_chip_runs import DENSE, EPOCHS, MARGIN, SHORT, SPARSE, THREE, Cell
from workloads import LabelledData, PrunedStage, Topology, evaluate, load_data, load_recipe
from workloads.training.onchip.arithmetic import WINDOW
from workloads.training.onchip.run import OnChipRun
from workloads.training.onchip.trainer import Trainer, Words
from workloads.training.pruning.budget import BudgetedPruning

FILE = "on_chip_courses.csv"
PRUNED = "lenet-300-100-pruned"
WEIGHT_BITS = 12
QUARTERS = 4
"""Looks at the accuracy in an epoch."""
LENGTHS = (1, 2, SHORT, 5, EPOCHS)
"""Epochs of sparse trainings from scratch; dense networks are trained for one or two."""


@dataclass(frozen=True)
class Course:
    """A training of so many epochs at a rate that begins at 2**-rate_shift, from a seed; of what was trained
    dense for `dense_epochs` before and then pruned, 0 from scratch."""

    network: str
    dense_epochs: int
    epochs: int
    rate_shift: int
    seed: int

    @classmethod
    def of(cls, one: Course) -> Self:
        """That of a look at one."""
        return cls(**{given.name: getattr(one, given.name) for given in fields(cls)})

    @property
    def label(self) -> str:
        """The network in a word."""
        return self.network.rpartition("-")[2]


@dataclass(frozen=True)
class Look(Course):
    """The share of all test images that are named right after so many samples of the training, in its
    arithmetic; those of the dense network before are not among the samples."""

    samples: int
    accuracy: float


def courses() -> Iterator[Course]:
    """Every training of the file, what decides first; a pruned one after its dense one."""
    for seed, network, epochs in itertools.product(THREE, SPARSE, LENGTHS):
        yield Course(network, 0, epochs, 6, seed)
    for seed in THREE:
        yield Course(DENSE[0], 0, 1, 6, seed)
        for again in (1, 2):
            yield Course(PRUNED, 1, again, 6, seed)
        yield Course(DENSE[0], 0, 2, 6, seed)


def looks(course: Course, data: LabelledData) -> list[Look]:
    """What a training comes to on its way."""
    if not course.dense_epochs:
        return _trained(course, data)[0]
    return _followed(course, _pruned(course, data), data)


def _run(course: Course, data: LabelledData) -> OnChipRun:
    start = DENSE[0] if course.network == PRUNED else course.network
    cell = Cell(
        start, WEIGHT_BITS, "nearest", MARGIN, "none", 1, course.epochs, course.rate_shift, course.seed
    )
    return OnChipRun(cell.recipe, data.train_inputs, data.train_labels, data.range)


@lru_cache(maxsize=1)
def _trained(course: Course, data: LabelledData) -> tuple[list[Look], OnChipRun]:
    run = _run(course, data)
    return _followed(course, run, data), run


def _pruned(course: Course, data: LabelledData) -> OnChipRun:
    """A training of the largest words of a dense network that was trained."""
    dense = Course(DENSE[0], 0, course.dense_epochs, course.rate_shift, course.seed)
    trainer, run = _trained(dense, data)[1].trainer, _run(course, data)
    budget = load_recipe(PRUNED).pruning
    assert isinstance(budget, BudgetedPruning), "pruned to a budget"
    scores = [np.abs(words).ravel().astype(np.float64) for words in trainer.of_stages]
    ones = [np.ones(score.size, dtype=np.int64) for score in scores]
    kept = budget.best(scores, ones, [score.size for score in scores], lambda left, _: left)
    stages, weights = [], []
    for stage, words, places in zip(trainer.topology.stages, trainer.of_stages, kept, strict=True):
        mask = np.zeros(words.size, dtype=bool)
        mask[places] = True
        stages.append(PrunedStage.from_mask(mask.reshape(stage.n_out, stage.n_in)))
        weights.append(words.ravel()[places])
    before = trainer.words
    left = Words(np.concatenate(weights).astype(np.int32), before.scales, before.registers, 0 * before.counts)
    run.trainer = Trainer(Topology(tuple((stage,) for stage in stages)), trainer.arithmetic, left)
    return run


def _followed(course: Course, run: OnChipRun, data: LabelledData) -> list[Look]:
    """The accuracy of a training after every quarter of an epoch."""
    taken, count = [], len(data.train_labels)
    ends = {-(-run.batches * quarter // QUARTERS) for quarter in range(1, QUARTERS + 1)}
    while not run.is_over:
        run.advance()
        epoch, place = divmod(run.step - 1, run.batches)
        if place + 1 in ends:
            samples = epoch * count + min((place + 1) * WINDOW, count)
            network = run.trainer.network(run.recipe.name, data.range)
            share = evaluate(network, data.test_inputs, data.test_labels)
            taken.append(Look(**vars(course), samples=samples, accuracy=share))
    return taken


def shipped_courses() -> list[Look]:
    """The looks that come with the package."""
    return records_of(FILE, Look)


def write_courses(folder: Path) -> None:
    """Trains what the file in a folder lacks, and writes it after each training."""
    path = folder / FILE
    lines = csv.DictReader(path.read_text(encoding="utf-8").splitlines()) if path.exists() else ()
    known = by_course(record(Look, line) for line in lines)
    data = load_data("mnist", inputs=784, classes=10)
    for course in courses():
        if course not in known:
            known[course] = looks(course, data)
            write_records(path, Look, [look for each in courses() for look in known.get(each, ())])


def by_course(looks: Iterable[Look]) -> dict[Course, list[Look]]:
    """The looks at each training, in order."""
    of_course: dict[Course, list[Look]] = {}
    for look in looks:
        of_course.setdefault(Course.of(look), []).append(look)
    return of_course


if __name__ == "__main__":
    write_courses(Path(sys.argv[1]))
