"""Steps of training beside inferences, and points whose costs nobody knows beside priced ones."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from archsim.design import DesignPoint
from archsim.explore.compared import on_front
from archsim.explore.gather import gather, points_of
from archsim.explore.point import Point
from archsim.explore.query import results
from archsim.explore.spec import flat, nested, space_of, with_defaults
from archsim.explore.sweep.sweep import Sweep, sweep
from reports.cli import main
from reports.points.data import content_of
from reports.points.words import best_table, summary
from reports.views.explored import results_content

COSTS = ("energy_j", "power_w", "area_mm2", "critical_path_s")
STEP: dict[str, str] = {}
STEP_PIPELINED = {"overlap": "pipelined"}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """A block network in inference, in training, and with samples overlapped."""
    folder = tmp_path_factory.mktemp("tasks")
    space = space_of(
        {
            "base": {
                "network": "lenet-300-100-clos-x40",
                "engine": {"kind": "clos"},
                "technology": "cmos65",
                "clock_hz": 1e8,
            },
            "axes": {
                "task": [{"training": STEP_PIPELINED}, {"training": STEP}, {"training": None}],
                "engine.pes": [4, 8],
            },
        }
    )
    return sweep(space, folder, workers=0)


@pytest.fixture(scope="module")
def points(swept: Sweep) -> list[Point]:
    """Those points, of which nobody knows what overlapped steps cost."""
    return [
        replace(point, figures={n: v for n, v in point.figures.items() if n not in COSTS})
        if task(point) == "pipelined"
        else point
        for point in gather([swept.store.folder])
    ]


def task(point: Point) -> str:
    if not point.trains:
        return "inference"
    return "pipelined" if point.fields.get("training.overlap") else "step"


def test_a_point_without_costs_takes_nobody_from_the_front(points: list[Point]) -> None:
    stands = dict(zip([(task(p), p.fields["engine.pes"]) for p in points], on_front(points), strict=True))
    assert {stands["pipelined", 4], stands["pipelined", 8]} == {None}
    # Fewer PEs are smaller, and more of them take less energy or not: at least one of each task stands.
    for of in ("step", "inference"):
        assert stands[of, 4] is True


def test_fronts_are_of_one_task_and_of_points_that_are_priced(points: list[Point]) -> None:
    content = content_of(points, ["runs"])
    assert set(content.fronts) == {"cmos65", "cmos65 (training)"}
    for name, front in content.fronts.items():
        assert front, name
        of = {task(content.points[place]) for place in front}
        assert of == ({"step"} if "training" in name else {"inference"})
        objectives = content.objectives(content.technologies[name])
        assert objectives == ["energy_j", "area_mm2"]
        # Nobody on the front is beaten by another of the same technology and task.
        for place in front:
            own = content.points[place].figures
            for other in content.technologies[name]:
                figures = content.points[other].figures
                if all(objective in figures for objective in objectives):
                    assert not all(figures[objective] < own[objective] for objective in objectives)


def test_words_of_a_page_are_those_of_the_task(points: list[Point]) -> None:
    both, steps = (
        content_of(some, ["runs"]) for some in (points, [point for point in points if point.trains])
    )
    told = "\n".join(summary(both))
    assert "and 1 technology, at" in told
    assert "the energy of an inference goes" in told
    assert "the energy of a step goes" in told
    assert "inferences or steps a second" in best_table(both).headings
    assert "inference" not in "\n".join(summary(steps)) + " ".join(best_table(steps).headings)
    assert list(steps.technologies) == ["cmos65 (training)"]


def test_nobody_computes_beyond_its_roof(points: list[Point]) -> None:
    for point in points:
        work = point.work()
        assert work is not None
        assert work.macs_per_s <= work.attainable_macs_per_s, point.name
    peaks = {task(point): point.work().peak_macs_per_s for point in points if point.fields["engine.pes"] == 8}  # type: ignore[union-attr]
    assert peaks == {"inference": 8e8, "step": 16e8, "pipelined": 24e8}


def test_training_as_by_default_is_told_from_none(swept: Sweep) -> None:
    assert nested(flat({"network": "n", "training": {}})) == {"network": "n", "training": {}}
    told = with_defaults({"training": {}})
    assert (told["training.overlap"], told["training.weight_bits"]) == ("none", 12)
    assert "training.overlap" not in with_defaults({"training": None})
    frame = results(swept.store, where="training.overlap == none")
    assert set(frame["training"]) == {"{}"}
    assert len(frame) == 2
    point = next(point for point in gather([swept.store.folder]) if task(point) == "step")
    assert DesignPoint(**nested(point.fields)).training is not None


def test_counts_are_whole_numbers_in_files_though_a_point_lacks_them(tmp_path: Path) -> None:
    base = {"network": "lenet-300-100-csc-x40", "engine": {"kind": "csc"}, "technology": "cmos65"}
    axes = {"engine.pes": [4, 999], "engine.banks": [None, 2]}
    done = sweep(space_of({"base": base, "axes": axes}), tmp_path / "runs", workers=0)
    frame = done.frame
    rows = list(csv.DictReader(io.StringIO(results_content(frame, "csv", to_terminal=False).decode())))
    values = json.loads(results_content(frame, "json", to_terminal=False))["rows"]
    finished = [(row, value) for row, value in zip(rows, values, strict=True) if not row["error"]]
    assert 0 < len(finished) < len(rows)
    for row, value in finished:
        assert isinstance(value["cycles"], int)
        assert row["cycles"] == str(value["cycles"])
        assert row["stored_weights"] == "6600"
        assert row["engine.banks"] in ("", "2")


def test_rows_of_several_fidelities_say_which(tmp_path: Path) -> None:
    spec = {"base": {"network": "lenet-300-100-csc-x40", "engine": {"kind": "csc"}, "technology": "cmos65"}}
    for fidelity in ("analytic", "cycle"):
        sweep(space_of(spec | {"axes": {"engine.pes": [4]}, "fidelity": fidelity}), tmp_path, workers=0)
    asked = CliRunner().invoke(main, ["results", str(tmp_path)])
    _, head, *rows = asked.output.splitlines()
    assert "fidelity" in head
    assert [("analytic" in row, "cycle" in row) for row in rows] == [(True, False), (False, True)]


def test_points_side_by_side_show_dashes_and_units_for_what_they_lack(swept: Sweep, tmp_path: Path) -> None:
    out = tmp_path / "beside"
    folder = str(swept.store.folder)
    asked = [
        "compare",
        folder,
        "--explain",
        "energy_j",
        "--out",
        str(out),
        "--where",
        "training.overlap == none",
    ]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    assert "energy a step, from one to the other" in done.output
    for name in ("comparison.md", "comparison.csv"):
        text = (out / name).read_text(encoding="utf-8")
        assert "nan" not in text
        assert "None" not in text


def test_settings_that_do_not_count_in_training_are_not_told_of_it(swept: Sweep) -> None:
    design = DesignPoint(**nested(next(p for p in gather([swept.store.folder]) if task(p) == "step").fields))
    (point,) = points_of([design.simulate("analytic")], ["step.yaml"])
    assert {name for name in point.fields if name.startswith("engine.")} == {"engine.kind", "engine.pes"}
    assert DesignPoint(**nested(point.fields)).simulate("analytic").energy_j == point.figures["energy_j"]
