"""Many points at once are each what one point is: to the last bit of every figure, and to the word."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import archsim as a
from archsim.costs.metrics import told
from archsim.explore.spec import flat
from archsim.explore.sweep.batch import PointsError, costed
from archsim.explore.sweep.work import Task, finished, finished_all

POINT = {
    "network": "lenet-300-100-csc",
    "engine": {"kind": "csc", "pes": 16},
    "technology": "cmos65",
    "clock_hz": 100e6,
}

ENGINES = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("csc"), "pes": st.sampled_from([4, 16, 256, 0, True, 16.0, "many"])},
        optional={"product_register": st.sampled_from([False, True, 1]), "color": st.just("red")},
    ),
    st.sampled_from([{"kind": "clos"}, {"kind": "pruned", "gather": "banked", "pes": 8}, {}, None]),
)
TECHNOLOGIES = st.sampled_from(
    [
        *("cmos65", "artix7", "ecp5", "vacuum tubes"),
        {"kind": "cmos", "node_nm": 28},
        {"kind": "artix7", "device": "XC7A12T"},
        {"kind": "artix7", "device": "none"},
    ]
)
CLOCKS = st.one_of(
    st.floats(1e3, 10e9),
    st.integers(1000, 10**9),
    st.sampled_from(
        ["fastest", 100, -1.0, 0.0, -0.0, math.nan, math.inf, 1e11, "100 MHz", "fast", None, True]
    ),
    st.sampled_from([100e6, np.float64(2e8), np.int64(3 * 10**8)]),
)
POINTS = st.fixed_dictionaries(
    {"network": st.sampled_from(["lenet-300-100-csc", "lenet-300-100-csc", "no such network"])},
    optional={"engine": ENGINES, "technology": TECHNOLOGIES, "clock_hz": CLOCKS, "inputs": st.just("no.npy")},
)


def one_by_one(point: Any) -> tuple[dict[str, Any] | None, str | None]:
    """What comes of a point by itself."""
    try:
        design = point if isinstance(point, a.DesignPoint) else a.DesignPoint(**point)
        return told(design.simulate("analytic")), None
    except a.Refusal as refused:
        return None, str(refused)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(POINTS, max_size=12))
def test_random_points_are_costed_and_refused_as_one_by_one(points: list[dict[str, Any]]) -> None:
    outcomes = costed(points)
    assert [(outcome.figures, outcome.error) for outcome in outcomes] == [*map(one_by_one, points)]


@pytest.mark.parametrize("technology", ["cmos65", "artix7", "ecp5", {"kind": "cmos", "node_nm": 28}])
@settings(max_examples=20, deadline=None)
@given(clocks=st.lists(st.floats(1e3, 10e9), min_size=1, max_size=30))
def test_every_clock_is_as_by_itself(technology: Any, clocks: list[float]) -> None:
    points = [{**POINT, "technology": technology, "clock_hz": clock} for clock in clocks]
    designs = [a.DesignPoint(**point) for point in points]
    expected = [*map(one_by_one, points)]
    for given_points in (points, designs):
        assert [(each.figures, each.error) for each in costed(given_points)] == expected
    at_clock = designs[0].simulate("analytic").at_clock(clocks[-1])
    assert (told(at_clock), None) == expected[-1]


def test_a_frame_has_a_row_a_point_and_its_own_index() -> None:
    frame = pd.DataFrame(
        {
            "network": ["lenet-300-100-csc", "lenet-300-100-clos", "lenet-300-100-csc", "nothing"],
            "engine.kind": ["csc", "clos", "csc", "csc"],
            "engine.pes": [16, None, 8, 16],
            "technology": ["cmos65", "artix7", "artix7", "cmos65"],
            "clock_hz": [2e8, 5e7, None, 1e8],
        },
        index=list("abcd"),
    )
    costs = a.analytic(frame)
    assert list(costs.index) == list("abcd")
    assert costs[list(frame)].equals(frame)
    points = [
        {**POINT, "clock_hz": 2e8},
        {
            "network": "lenet-300-100-clos",
            "engine": {"kind": "clos"},
            "technology": "artix7",
            "clock_hz": 5e7,
        },
        {**POINT, "engine": {"kind": "csc", "pes": 8}, "technology": "artix7", "clock_hz": 100e6},
        {**POINT, "network": "nothing"},
    ]
    for (_, row), point in zip(costs.iterrows(), points, strict=True):
        figures, error = one_by_one(point)
        assert (error is None and pd.isna(row["error"])) or row["error"] == error
        for name, value in (figures or {}).items():
            assert row[name] == value


def test_points_as_mappings_and_designs_have_their_fields_beside_their_figures() -> None:
    costs = a.analytic([POINT, a.DesignPoint(**POINT)])
    assert {*flat(POINT)} <= {*costs}
    assert costs["energy_j"].nunique() == 1
    assert costs["engine.pes"].tolist() == [16, 16]


def test_the_fastest_clock_of_a_frame_is_what_it_came_to() -> None:
    points = [{**POINT, "clock_hz": "fastest"}, {**POINT, "clock_hz": 1e8}, {**POINT, "clock_hz": "slowest"}]
    costs = a.analytic(points)
    fastest = a.DesignPoint(**points[0]).simulate("analytic")
    assert costs["clock_hz"].tolist()[:2] == [fastest.clock_hz, 1e8]
    assert costs["energy_j"][0] == fastest.energy_j
    assert pd.isna(costs["clock_hz"][2])
    assert "or fastest" in costs["error"][2]


def test_no_points_are_an_empty_frame() -> None:
    assert a.analytic([]).empty
    assert a.analytic(pd.DataFrame({"network": []})).empty


@pytest.mark.parametrize("points", [POINT, "points", 7, [POINT, 7], a.DesignPoint(**POINT)])
def test_what_holds_no_points_is_refused(points: Any) -> None:
    with pytest.raises(PointsError, match=r"^points(\[1\])? is .*, allowed are a frame, or design points"):
        a.analytic(points)


def test_a_column_that_comes_twice_is_refused() -> None:
    frame = pd.DataFrame([[1e8, 2e8]], columns=["clock_hz", "clock_hz"])
    with pytest.raises(PointsError, match="columns of points is"):
        a.analytic(frame)


def test_what_cannot_be_hashed_is_costed_by_itself() -> None:
    points = [{**POINT, "inputs": np.zeros(2)}, POINT]
    refused, costs = costed(points)
    assert refused.error == one_by_one(points[0])[1]
    assert costs.figures == one_by_one(POINT)[0]


@pytest.mark.parametrize("fidelity", ["analytic", "cycle"])
def test_rows_of_a_sweep_are_those_of_one_point(fidelity: str) -> None:
    points = [
        *(POINT, {**POINT, "clock_hz": 1e9}, {**POINT, "clock_hz": 1}, {**POINT, "network": "nothing"}),
        *({**POINT, "clock_hz": "fastest"}, {**POINT, "technology": "artix7", "clock_hz": "fastest"}),
    ]
    tasks = [Task(f"key {number}", point) for number, point in enumerate(points)]
    rows = finished_all(tasks, fidelity, Path())
    for row, task in zip(rows, tasks, strict=True):
        alone = finished(task.point, fidelity, Path(), task.key)
        assert (row.key, row.point, row.figures, row.error) == (
            *(alone.key, alone.point),
            *(alone.figures, alone.error),
        )
        assert row.seconds >= 0
