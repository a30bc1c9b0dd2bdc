"""Accuracy along trainings on chip: what is shipped is what the command makes, to the last digit."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.studies.topologies import on_chip_courses
from reports.studies.topologies.on_chip_courses import (
    FILE,
    PRUNED,
    Course,
    Look,
    by_course,
    courses,
    looks,
    shipped_courses,
    write_courses,
)
from reports.studies.topologies.on_chip_runs import SPARSE, shipped_on_chip
from tests.daily import todays
from tests.workloads.synthetic import patches
from workloads import load_data


def test_what_is_shipped_is_what_is_planned() -> None:
    planned, shipped = list(courses()), by_course(shipped_courses())
    assert len(set(planned)) == len(planned)
    assert list(shipped) == planned
    for course, seen in shipped.items():
        assert len(seen) == 4 * course.epochs
        assert seen[-1].samples == 60_000 * course.epochs


def test_a_course_ends_where_the_same_training_did() -> None:
    ends = {
        (run.network, run.epochs, run.rate_shift, run.seed): run.accuracy
        for run in shipped_on_chip()
        if (run.weight_bits, run.rounding, run.overlap) == (12, "nearest", "none")
    }
    known = {
        course: ends[key]
        for course in courses()
        if (key := (course.network, course.epochs, course.rate_shift, course.seed)) in ends
    }
    assert {course.network for course in known} == set(SPARSE)
    shipped = by_course(shipped_courses())
    assert {course: shipped[course][-1].accuracy for course in known} == known


@pytest.mark.network
@pytest.mark.slow
def test_a_short_course_comes_to_the_shipped_figures_again() -> None:
    short = [course for course in courses() if course.network in SPARSE and course.epochs == 1]
    (course,) = todays(short, 1, FILE)
    assert looks(course, load_data("mnist", inputs=784, classes=10)) == by_course(shipped_courses())[course]


@pytest.mark.network
@pytest.mark.long
def test_a_network_is_pruned_to_its_largest_weights_and_trained_again() -> None:
    (course,) = todays(
        [each for each in courses() if (each.dense_epochs, each.epochs) == (1, 1)], 1, "pruned"
    )
    assert course.network == PRUNED
    assert looks(course, load_data("mnist", inputs=784, classes=10)) == by_course(shipped_courses())[course]


def test_only_what_a_file_lacks_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned, asked = list(courses())[:3], list[Course]()

    def stand_in(course: Course, data: object) -> list[Look]:
        asked.append(course)
        return [Look(**vars(course), samples=n, accuracy=0.5) for n in (1, 2)]

    monkeypatch.setattr(on_chip_courses, "courses", lambda: iter(planned))
    monkeypatch.setattr(on_chip_courses, "looks", stand_in)
    monkeypatch.setattr(on_chip_courses, "load_data", lambda *_, **__: patches(4))
    write_courses(tmp_path)
    whole = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text("".join(whole.splitlines(keepends=True)[:3]))
    write_courses(tmp_path)
    assert asked == [*planned, *planned[1:]]
    assert (tmp_path / FILE).read_text() == whole
