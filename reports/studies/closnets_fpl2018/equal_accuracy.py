"""Whole trainings to the same accuracy: how many samples each way takes, times what its steps cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from reports.studies.closnets_fpl2018.costs import StepCost
from reports.studies.topologies.on_chip_courses import Course, Look, by_course
from reports.tables import Cell

SAMPLES = 60_000
"""Those of an epoch of MNIST."""
WAYS = {"clos": "Clos", "csc": "CSC", "dense": "dense", "pruned": "dense, pruned, trained again: at least"}


@dataclass(frozen=True)
class Reached:
    """A way to an accuracy, at the length and rate at which its energy is least: the samples that each seed
    takes until a look finds that accuracy, with those of the dense network before, and what that costs."""

    target: float
    course: Course
    samples: tuple[int, ...]
    energy_j: float
    time_s: float

    @property
    def mean(self) -> float:
        """Samples of a seed."""
        return fmean(self.samples)


def equal_accuracy(
    looks: Sequence[Look], priced: Mapping[tuple[str, bool], StepCost], targets: Sequence[float]
) -> dict[tuple[float, str], Reached]:
    """By accuracy and network the cheapest way that gets there from every seed; nothing of a network that has
    none. What trains a fixed mask is not built: its steps are priced as those of as many weights of Clos."""
    cheapest: dict[tuple[float, str], Reached] = {}
    for target in targets:
        for course, runs in _ways(looks).items():
            samples = [_until(run, target) for run in runs]
            reached = [one for one in samples if one is not None]
            if len(reached) < len(samples):
                continue
            dense, own = priced["dense", True], priced["clos" if course.dense_epochs else course.label, True]
            before, after = course.dense_epochs * SAMPLES, fmean(reached)
            one = Reached(
                target,
                course,
                tuple(before + each for each in reached),
                before * dense.energy_j + after * own.energy_j,
                before * dense.time_s + after * own.time_s,
            )
            key = target, course.label
            if key not in cheapest or one.energy_j < cheapest[key].energy_j:
                cheapest[key] = one
    return cheapest


def rows_of(
    cheapest: Mapping[tuple[float, str], Reached], targets: Sequence[float]
) -> Iterator[tuple[Any, ...]]:
    """A line an accuracy and way."""
    for target in targets:
        for label, words in WAYS.items():
            if one := cheapest.get((target, label)):
                clos = cheapest.get((target, "clos"))
                yield (
                    target,
                    words,
                    _length(one.course),
                    Cell(2.0**-one.course.rate_shift, f"1/{2**one.course.rate_shift}"),
                    Cell(one.mean, f"{one.mean:,.0f} ({min(one.samples):,} to {max(one.samples):,})"),
                    one.energy_j,
                    one.time_s,
                    clos and one.energy_j / clos.energy_j,
                )


def _ways(looks: Sequence[Look]) -> dict[Course, list[list[Look]]]:
    """Trainings of every seed, by what they have in common: a course of seed 0."""
    ways: dict[Course, list[list[Look]]] = {}
    for course, run in by_course(looks).items():
        same = Course(course.network, course.dense_epochs, course.epochs, course.rate_shift, 0)
        ways.setdefault(same, []).append(run)
    return ways


def _until(run: Sequence[Look], target: float) -> int | None:
    """Samples until the first look that finds an accuracy."""
    return next((look.samples for look in run if look.accuracy >= target), None)


def _length(course: Course) -> str:
    return f"{course.dense_epochs} + {course.epochs}" if course.dense_epochs else f"{course.epochs}"
