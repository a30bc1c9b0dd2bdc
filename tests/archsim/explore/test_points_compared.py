"""Points set beside the first: ratios, the front, and steps that add up."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from archsim.costs.result import MetricError
from archsim.explore.compared import frame_of_points, on_front, waterfall
from archsim.explore.gather import gather
from archsim.explore.point import Point
from archsim.explore.spec import space_of
from archsim.explore.sweep.sweep import sweep
from reports.cli import main

DESIGN = """
network: lenet-300-100-{kind}-x40
engine: {{kind: {kind}, pes: {pes}}}
technology: {technology}
clock_hz: 1.0e+8
"""


def designs(folder: Path, *of: tuple[str, int, str]) -> list[Path]:
    paths = []
    for kind, pes, technology in of:
        paths.append(folder / f"{kind}-{pes}-{technology}.yaml")
        paths[-1].write_text(DESIGN.format(kind=kind, pes=pes, technology=technology))
    return paths


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("designs")
    return designs(folder, ("csc", 4, "cmos65"), ("csc", 8, "cmos65"), ("pruned", 8, "cmos65"))


@pytest.fixture(scope="module")
def points(paths: list[Path]) -> list[Point]:
    return gather(paths, "analytic")


@pytest.mark.parametrize("metric", ["energy_j", "area_mm2", "leakage_w"])
def test_the_steps_of_a_waterfall_add_up_exactly(points: list[Point], metric: str) -> None:
    steps = waterfall(points[0], points[2], metric)
    assert steps.start + sum(steps.steps.values()) == steps.end
    assert steps.steps["index memory"] > 0
    for end, point in ((steps.start, points[0]), (steps.end, points[2])):
        assert float(end) == pytest.approx(point.figures[metric], rel=1e-14)
    back = waterfall(points[2], points[0], metric)
    assert back.steps == {name: -step for name, step in steps.steps.items()}
    assert all(isinstance(step, Fraction) for step in steps.steps.values())


def test_a_waterfall_of_what_has_no_components_is_refused(points: list[Point]) -> None:
    with pytest.raises(MetricError, match="metric is 'lut', allowed are those known by component of 1: "):
        waterfall(points[0], points[1], "lut")


def test_the_frame_shows_what_differs_and_ratios_to_the_first(points: list[Point]) -> None:
    frame = frame_of_points(points)
    assert list(frame["engine.pes"]) == [4, 8, 8]
    assert "clock_hz" not in frame
    assert frame["energy_j_ratio"][0] == 1.0
    assert frame["energy_j_ratio"][2] == frame["energy_j"][2] / frame["energy_j"][0]


def test_a_point_that_is_worse_in_all_is_not_on_the_front(points: list[Point]) -> None:
    worse = Point("worse", "", {}, "analytic", dict(points[0].figures), "")
    for name, factor in (("energy_j", 2.0), ("area_mm2", 2.0), ("accuracy", 0.5)):
        worse.figures[name] *= factor  # type: ignore[index]
    assert on_front([*points, worse])[-1] is False
    assert on_front([points[0], worse]) == [True, False]


def test_compare_writes_three_files_and_explains(paths: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "compared"
    given = [
        "compare",
        *map(str, paths),
        "--fidelity",
        "analytic",
        "--out",
        str(out),
        "--explain",
        "energy_j",
    ]
    ran = CliRunner().invoke(main, given)
    assert "index memory" in ran.output
    told = json.loads((out / "comparison.json").read_text())
    assert [len(told["points"]), len(told["waterfalls"])] == [3, 2]
    steps = told["waterfalls"][1]
    assert steps["start"] + sum(steps["steps"].values()) == pytest.approx(steps["end"], rel=1e-12)
    assert (out / "comparison.csv").read_text().startswith("point,")
    assert "| index memory |" in (out / "comparison.md").read_text()


def test_results_in_files_are_compared_as_designs_are(paths: list[Path], tmp_path: Path) -> None:
    kept = []
    for path in paths[:2]:
        told = CliRunner().invoke(main, ["simulate", str(path), "--fidelity", "analytic", "--json"]).stdout
        kept.append(tmp_path / f"{path.stem}.json")
        kept[-1].write_text(told)
    shown = json.loads(CliRunner().invoke(main, ["compare", *map(str, kept), "--json"]).stdout)
    first, second = (point["energy_j"] for point in shown["points"])
    assert shown["points"][1]["energy_j_ratio"] == second / first


def test_a_part_of_a_folder_is_compared_and_only_what_differs_has_a_column(tmp_path: Path) -> None:
    base = {"network": "lenet-300-100-csc-x40", "engine": {"kind": "csc"}, "technology": "cmos65"}
    sweep(space_of({"base": base, "axes": {"engine.pes": [2, 4, 8]}}), tmp_path, workers=0)
    asked = ["compare", str(tmp_path), "--where", "pes >= 4"]
    shown = CliRunner().invoke(main, asked).output
    assert "The same in all: stored weights 6,600" in shown
    assert "accuracy" not in shown.splitlines()[1]
    told = json.loads(CliRunner().invoke(main, [*asked, "--json"]).stdout)
    assert [point["engine.pes"] for point in told["points"]] == [4, 8]
    assert {"format", "format_version", "archsim_version", "commit"} <= told.keys()
    for point in told["points"]:
        parts = point["components"]["energy_j"]
        assert sum(parts.values()) == pytest.approx(point["energy_j"], rel=1e-12)
    refused = CliRunner().invoke(main, [*asked, "--where", "pes > 100"])
    assert refused.exit_code == 2
