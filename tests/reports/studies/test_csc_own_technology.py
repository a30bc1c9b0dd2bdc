"""The comparison on a technology of the user's own, made of results that nobody had to synthesise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from archsim import DesignPoint, Result
from archsim.technology import Asic
from reports.studies import csc_dac2019
from reports.studies.csc_dac2019.own_technology import (
    TEMPLATE,
    common_clock_hz,
    findings,
    on_technology,
    placed_on,
)
from reports.studies.csc_dac2019.placing import Laid, Placed, designs_of, strongest_over_csc
from reports.studies.csc_dac2019.points import Point
from reports.studies.registry import StudyError, folder_of, reproduce
from reports.tables import Table
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.archsim.technology.small_library import library
from tests.reports.pages import check_page
from tests.reports.stand_ins import designs, point, result, results, searched

NAME = "foundry"


def own(times: float = 3.0) -> dict[Point, Result]:
    """The results of 65 nm as they might be on another library: everything so many times as dear, pruned
    designs not."""
    return {
        at._replace(technology=NAME): result(at, times=times) if "pruned" not in at.design else result(at)
        for at in results()
        if at.technology == "cmos65"
    }


def written(folder: Path, made: Mapping[Point, Result], *placed: Placed) -> Report:
    (folder / "own.lib").write_text(library())
    technology = Asic(liberty=str(folder / "own.lib"), node_nm=65)
    predicted = {at: one for at, one in results().items() if at.technology == "cmos65"}
    points = {
        at._replace(technology=NAME): one.replace(technology=technology)
        for at, one in designs().items()
        if at in predicted
    }
    content = published(csc_dac2019.__name__)
    found = findings(made, predicted, points, searched(), content, placed)
    return write_up(csc_dac2019.__name__, found, content, template=TEMPLATE, command="archsim reproduce")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return written(tmp_path_factory.mktemp("own"), own())


def table(report: Report, name: str) -> Table:
    (found,) = (one for section in report.sections for one in section.tables if one.name == name)
    return found


def test_what_65_nm_predicts_of_a_ratio_stands_beside_what_came_out(report: Report) -> None:
    shown = table(report, "predicted")
    rows = {(row[0], row[1]): row[2:] for row in shown.values}
    predicted_j, own_j, predicted_mm2, own_mm2, *intervals = rows["pruned banked", "12×"]
    assert (predicted_mm2, own_mm2) == pytest.approx((2.0, 2.0 / 3.0))
    # A pruned design reads indices besides: 4 nJ where the others take 3.
    assert predicted_j == pytest.approx(3 * own_j)
    assert intervals == [1.0, 1.0]
    assert shown.headings[2:4] == ("energy, predicted", "energy, here")


def test_designs_that_cannot_run_at_the_common_clock_are_all_given_a_slower_one(report: Report) -> None:
    quick = {at: replace(one, critical_path_s=5e-9) for at, one in own().items()}
    assert common_clock_hz(quick) == 100e6
    at = point("cmos65", "csc")._replace(technology=NAME)
    slow = quick | {at: replace(quick[at], critical_path_s=13.1e-9)}
    assert common_clock_hz(slow) == 76e6
    # The stand-ins take 5 ns times their size, dense the most of all, and here three times that of CSC.
    assert "All run at 66.0" in report.setup.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "fastest clock in whole megahertz" in report.setup


def test_the_page_says_that_settings_were_not_searched_and_of_what_memories_are(report: Report) -> None:
    assert "no settings were searched here" in report.setup
    assert any("neither side is at its best" in limit for limit in report.limits)
    assert any("technology_error is not known of library foundry" in limit for limit in report.limits)
    uses = table(report, "memories")
    assert {row[1] for row in uses.values} <= {"macro", "flops"}
    assert len(uses.values) > 5
    assert table(report, "settings").rows[0][0] == "csc"


def test_claims_are_judged_on_the_library(report: Report) -> None:
    assert {claim.where for claim in report.claims} == {NAME}
    verdicts = {claim.topic: claim.verdict for claim in report.claims}
    assert verdicts["area"] == verdicts["energy"] == "failed"


def test_its_page_stands_by_itself(report: Report) -> None:
    check_page(report)


def test_what_was_placed_there_is_told_first_and_drawn(tmp_path: Path) -> None:
    made = own()
    asked = strongest_over_csc(made, NAME)
    laid = {
        at: Laid(gate=made[at], layout=made[at], drawings={"placement": "<svg></svg>"})
        for at in designs_of(asked)
    }
    placed = Placed(technology=NAME, place=NAME, asked=asked, laid=laid, refused={})
    report = written(tmp_path, made, placed)
    (told,) = (sentence for sentence in report.summary if sentence.startswith(f"Placed, {NAME}"))
    assert "pruned banked takes 0.89× (at gate 0.89×) the energy" in told
    assert "nothing assumed but the clock tree" in told
    assert [section.heading for section in report.sections][1:3] == ["Placed", "Placed cores"]
    assert "other designs is expected as it was found on 65 nm cells" in report.limits[-1]
    check_page(report)


def test_designs_are_placed_at_the_clock_that_all_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.lib").write_text(library())
    technology = Asic(liberty=str(tmp_path / "own.lib"), node_nm=65)
    made = own()
    points = {
        at._replace(technology=NAME): one.replace(technology=technology) for at, one in designs().items()
    }
    asked: dict[Point, DesignPoint] = {}

    def lay_out(placed: Mapping[Point, DesignPoint], *rest: object, **more: object) -> None:
        asked.update(placed)

    monkeypatch.setattr("reports.studies.csc_dac2019.own_technology.lay_out", lay_out)
    placed_on(made, points, progress=False)
    assert {at.name for at in asked} == {"csc", "pruned banked", "csc-x40", "pruned-x40 banked"}
    assert {design.clock_hz for design in asked.values()} == {common_clock_hz(made)} == {66e6}


def test_only_a_study_of_hardware_is_made_on_another_technology(tmp_path: Path) -> None:
    file = tmp_path / "mine.lib.yaml"
    with pytest.raises(
        StudyError, match="study to make on another technology is 'eie-isca2016', allowed are csc-dac2019"
    ):
        reproduce("eie-isca2016", tmp_path, technology=file)
    assert folder_of("csc-dac2019", file) == "csc-dac2019-on-mine"
    assert folder_of("csc-dac2019") == "csc-dac2019"


def test_a_technology_that_is_none_or_no_standard_cells_is_refused_before_anything_runs(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.yaml"
    with pytest.raises(ValueError, match=r"technology file .*mine.yaml cannot be read"):
        on_technology(file)
    file.write_text("kind: artix7\n")
    with pytest.raises(
        StudyError, match="technology is artix7, allowed are standard cells, such as of kind asic"
    ):
        on_technology(file)
