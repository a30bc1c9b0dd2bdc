"""Searches reach more of the front than draws at random do, as docs/search.md measures it."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

import archsim as a
from archsim.explore.search.goals import Goals
from archsim.explore.search.sampling import Sampler
from archsim.explore.sweep.work import Task
from tests.archsim.explore.test_search import TWO, stand_in
from tests.benchmarks.search_quality import Known, Random, volume


def test_the_volume_of_points_is_that_of_their_boxes() -> None:
    assert volume(np.array([[0.0, 0.0, 0.0]])) == 1
    assert volume(np.array([[0.5, 0.0], [0.0, 0.5]])) == pytest.approx(0.75)
    three = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]])
    assert volume(three) == pytest.approx(1 - 0.5**3)


def test_a_search_reaches_more_than_draws_at_random() -> None:
    engine = {"engine.pes": {"from": 1, "to": 20}, "engine.weight_bits": {"from": 4, "to": 8}}
    space = a.Space.of(
        base={"network": "none", "engine": {"kind": "csc"}, "technology": "cmos65"},
        axes={**engine, "engine.fetch_bits": [8, 16, 32, 64], "clock_hz": [1e7, 2e7, 5e7, 1e8, 2e8, 3e8]},
    )
    goals = Goals.of(space, TWO, ["critical_path_s * clock_hz <= 1"])
    points = (space.point(number) for number in range(len(space)))
    known = Known(space, goals, [goals.judged(stand_in(Task("", one), "analytic")) for one in points])
    reached = [
        statistics.mean(known.reached(make(space, goals, seed), [150])[0] for seed in range(3))
        for make in (Random, Sampler)
    ]
    assert reached[0] < reached[1] <= 1
    assert reached[1] > 0.95
