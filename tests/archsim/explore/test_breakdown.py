"""Where figures go, as a row of a store keeps it: at any clock it is what the result itself tells."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

import archsim as a
from archsim.costs.breakdown import breakdown_of
from archsim.explore.gather import gather
from archsim.explore.spec import space_of
from archsim.explore.store import FILE, Row, Store
from archsim.explore.sweep.sweep import sweep
from archsim.explore.sweep.work import finished

DESIGNS: list[dict[str, Any]] = [
    {"network": "lenet-300-100-csc-x40", "engine": {"kind": "csc", "pes": 4}, "technology": "cmos65"},
    {"network": "lenet-300-100-pruned-x40", "engine": {"kind": "pruned", "pes": 4}, "technology": "artix7"},
    {"network": "lenet-300-100-csc-x40", "engine": {"kind": "csc", "pes": 4}, "technology": "ecp5"},
]
EXACT_BUT_ROUNDED = 1e-12


@pytest.fixture(scope="module", params=DESIGNS, ids=lambda design: design["technology"])
def result(request: pytest.FixtureRequest) -> a.Result:
    return a.DesignPoint(**request.param).simulate("analytic")


@pytest.mark.parametrize("clock_hz", [1e6, 1e8, 7e8])
def test_components_and_errors_are_those_of_the_result_at_any_clock(
    result: a.Result, clock_hz: float
) -> None:
    kept, there = breakdown_of(result), result.at_clock(clock_hz)
    for metric in ("energy_j", "area_mm2", "lut", "bram18"):
        if getattr(there, metric, None) is None and metric not in (there.resources or {}):
            continue
        told = {name: value for name, value in there.by_component(metric).items() if value}
        assert kept.components(metric, there.interval_s) == pytest.approx(told, rel=EXACT_BUT_ROUNDED)
    fits = kept.fit_error(there.energy_j)
    assert {n: (e.mean, e.worst) for n, e in fits.items()} == {
        name: pytest.approx((error.mean, error.worst), rel=EXACT_BUT_ROUNDED)
        for name, error in there.fit_error.items()
    }
    ends = kept.technology_error(there.energy_j, there.interval_s)
    assert {n: e.ends for n, e in ends.items()} == {
        name: pytest.approx(bracket.ends, rel=1e-9) for name, bracket in there.technology_error.items()
    }


def test_traffic_and_counts_are_those_of_the_result(result: a.Result) -> None:
    kept = breakdown_of(result)
    assert kept.counted()["macs"] == result.macs
    assert kept.counted()["stall_cycles"] == result.counts.stalls
    assert {role: words["bits_read"] for role, words in kept.traffic().items()} == {
        role: words.bits_read for role, words in result.traffic.items()
    }


@pytest.mark.parametrize("fidelity", ["cycle", pytest.param("rtl", marks=pytest.mark.slow)])
def test_a_row_of_any_fidelity_has_a_breakdown(fidelity: str) -> None:
    row = finished({**DESIGNS[0], "clock_hz": 1e8}, fidelity, Path(), "key")
    assert row.breakdown is not None
    assert row.figures is not None
    parts = row.breakdown.components("energy_j", row.figures["interval_s"])
    assert sum(parts.values()) == pytest.approx(row.figures["energy_j"], rel=EXACT_BUT_ROUNDED)


def test_points_that_differ_in_their_clock_share_a_breakdown_in_the_store(tmp_path: Path) -> None:
    base = {"network": "lenet-300-100-csc-x40", "engine": {"kind": "csc", "pes": 4}, "technology": "cmos65"}
    sweep(space_of({"base": base, "axes": {"clock_hz": [1e6, 1e7, 1e8]}}), tmp_path, workers=0)
    with sqlite3.connect(tmp_path / FILE) as database:
        (kept,) = database.execute("SELECT count(*) FROM breakdowns").fetchone()
    assert kept == 1
    points = gather([tmp_path])
    assert len(points) == 3
    for point in points:
        assert sum(point.components("energy_j").values()) == pytest.approx(
            point.figures["energy_j"], rel=EXACT_BUT_ROUNDED
        )
        work = point.work()
        assert work is not None
        assert work.peak_macs_per_s == 4 * point.fields["clock_hz"]
        assert 0 < work.macs_per_s <= work.attainable_macs_per_s


FIRST = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE points (key TEXT PRIMARY KEY, version TEXT NOT NULL, fidelity TEXT NOT NULL, point TEXT NOT NULL,
    figures TEXT, error TEXT, seconds REAL NOT NULL, finished REAL NOT NULL);
INSERT INTO about VALUES ('format', '1');
INSERT INTO points VALUES ('a', '0.1.0+old', 'analytic', '{"network": "n", "engine": {"kind": "csc"}}',
    '{"energy_j": 1e-9, "interval_s": 1e-5, "warnings": []}', NULL, 0.1, 1.0);
"""
"""A store as the first format had it."""


def test_a_store_of_the_first_format_is_read_and_brought_up(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as database:
        database.executescript(FIRST)
    (point,) = gather([tmp_path])
    assert not point.known_by_component
    assert point.components("energy_j") == {}
    assert point.work() is None
    added = Row("b", {"network": "m"}, "analytic", {"energy_j": 2e-9})
    Store(tmp_path).keep([added])
    rows = list(Store(tmp_path, read=True).rows(every_version=True))
    assert [(row.key, row.breakdown) for row in rows] == [("a", None), ("b", None)]
    assert rows[1] == added
