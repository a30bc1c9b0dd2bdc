"""The page of decompositions and the command that writes it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from reports.studies.topologies.decomposition.page import decomposition_report, parameters_text
from reports.studies.topologies.decomposition.runs import Figures
from reports.write_up.report import Report
from tests.reports.commands import archsim
from tests.reports.pages import check_page

pytestmark = pytest.mark.slow


def row(family: str, **changes: Any) -> Figures:
    values: dict[str, Any] = {
        "family": family,
        "size": 16,
        "compression": 2.0,
        "parameters": {"fan_in": 4},
        "skipped": False,
        "depth": 2,
        "stored_weights": 128,
        "constraints": 112,
        "freedom": 112,
        "relative_errors": (0.60, 0.62),
        "absolute_errors": (0.46, 0.48),
        "met": (110, 112),
    }
    return Figures(**(values | changes))


def report(*rows: Figures) -> Report:
    return decomposition_report(rows, losses=("l1", "l2"), iterations=100, command="archsim decompose")


def claims(*rows: Figures) -> dict[str, Any]:
    return {each.claim: each for each in report(*rows).claims}


def test_the_page_stands_by_itself_with_no_open_cell() -> None:
    text = check_page(
        report(
            row("csc"),
            row("clos", skipped=True, met=(), absolute_errors=()),
            row("dense", parameters={}, relative_errors=()),
        )
    )
    assert "0.6100 ± 0.0100" in text
    assert "fixed places, no cascade" in text


def test_a_size_at_which_the_measures_are_not_taken_has_dashes_and_no_claim_of_them() -> None:
    rows = [
        row(f"f{place}", constraints=None, freedom=None, met=(60 + place, 62 + place)) for place in range(4)
    ]
    check_page(report(*rows))
    assert not any("how many entries" in claim for claim in claims(*rows))
    assert len(report(*rows).summary) == 1


def test_one_matrix_alone_has_no_spread_and_no_claim_about_ranks() -> None:
    single = report(row("csc", relative_errors=(0.5,), absolute_errors=(0.4,), met=(100,)))
    check_page(single)
    assert single.claims == ()


def test_skips_that_meet_more_hold_and_those_that_meet_fewer_do_not() -> None:
    name = "Identity skip connections raise parameter efficiency"
    plain, more = row("clos"), row("clos", skipped=True, met=(120, 123), freedom=124)
    other, fewer = row("monarch"), row("monarch", skipped=True, met=(90, 93), freedom=124)
    assert claims(plain, more)[name].verdict == "held"
    assert claims(plain, more, other, fewer)[name].verdict == "partly"
    assert claims(other, fewer)[name].verdict == "failed"
    assert name not in claims(plain, other)
    noise = row("clos", skipped=True, met=(80, 150), freedom=124)
    assert "more in 0, fewer in 0 of 1" in claims(plain, noise)[name].measured


def test_skips_that_add_no_freedom_say_nothing_of_the_claim() -> None:
    (claim,) = (each for each in report(row("csc"), row("csc", skipped=True)).claims if each.topic == "skips")
    assert claim.verdict == "not testable"
    assert claim.other == "a skip adds no freedom to 1 of 1"


def test_a_measure_that_ranks_as_the_entries_met_do_holds_and_the_reverse_does_not() -> None:
    rows = [
        row(f"f{place}", met=(60 + 10 * place, 62 + 10 * place), freedom=100 + place, constraints=90 - place)
        for place in range(8)
    ]
    found = claims(*rows)
    assert found["The rank of the Jacobian says how many entries a topology can meet"].verdict == "held"
    heuristic = found["The constraint-counting heuristic says how many entries a topology can meet"]
    assert heuristic.verdict == "failed"
    assert heuristic.measured.startswith("Spearman -1.00")
    assert {each.verdict for each in report(*rows[:7]).claims} == {"not testable"}


def test_efficiency_that_falls_with_depth_is_waste_in_deep_cascades() -> None:
    rows = [row(f"f{depth}", depth=depth, met=(120 - 9 * depth, 118 - 9 * depth)) for depth in range(1, 9)]
    assert claims(*rows)["Deep cascades waste edges"].verdict == "held"


def test_the_summary_names_the_nearest_and_the_farthest_at_about_the_same_weights() -> None:
    far = row("benes", relative_errors=(0.7, 0.72))
    elsewhere = row("dense", stored_weights=256, relative_errors=(0.0, 0.0))
    first, second = report(row("csc"), far, elsewhere).summary
    assert "csc comes nearest with an error of 0.610, and benes stays farthest with 0.710" in first
    assert "In 3 of 3 topologies" in second


def test_parameters_are_told_in_a_few_words() -> None:
    assert parameters_text({}) == "—"
    assert parameters_text({"fan_in": 4, "depth": 2}) == "fan_in 4, depth 2"
    assert parameters_text({"radices": [2, 4]}) == "radices 2×4"
    assert parameters_text({"factors": [[1, 4, 4, 4], [4, 4, 4, 1]]}) == "factors 1×4×4×4 4×4×4×1"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path / "cache"))
    families = ("--family", "low-rank", "--family", "csc")
    scale = ("--size", 8, "--compression", 2, "--seeds", 2, "--iterations", 60)
    return ("decompose", *families, *scale, "--out", tmp_path / "reports")


def test_decompose_writes_a_page_with_its_figures(small: tuple[object, ...], tmp_path: Path) -> None:
    done = archsim(*small)
    assert done.exit_code == 0, done.stderr
    assert "low-rank" in done.stdout
    folder = tmp_path / "reports" / "decomposition"
    assert str(folder / "index.html") in done.stdout
    with (folder / "errors-8.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    told = json.loads((folder / "results.json").read_text(encoding="utf-8"))["rows"]
    assert sorted((each["family"], int(each["stored weights"])) for each in table) == sorted(
        (each["family"], each["stored_weights"]) for each in told
    )
    assert "archsim decompose --family low-rank --family csc --size 8 --compression 2 --skips both" in (
        folder / "index.html"
    ).read_text(encoding="utf-8")


def test_decompose_prints_the_same_figures_as_json_when_repeated(small: tuple[object, ...]) -> None:
    once, again = (archsim(*small, "--skips", "off", "--loss", "l2", "--json") for _ in range(2))
    assert once.exit_code == 0, once.stderr
    rows = json.loads(once.stdout)["rows"]
    assert rows == json.loads(again.stdout)["rows"]
    assert {each["family"] for each in rows} == {"csc", "low-rank"}
    assert all(len(each["relative_errors"]) == 2 and each["met"] == [] for each in rows)
    assert not any(each["skips"] for each in rows)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--size", 300), "size of a decomposition is 300, allowed are 1 to 256"),
        (
            ("--compression", 0.5),
            "compression of a decomposition is 0.5, allowed are 1 to 16, the size",
        ),
        (("--family", "cloz"), "family is 'cloz'"),
        (("--loss", "l3"), "'l3' is not one of"),
        (("--family", "low-rank", "--skips", "on"), "skips of a decomposition is on, allowed is off"),
    ],
)
def test_a_plan_that_is_not_allowed_ends_in_one_sentence(
    tmp_path: Path, arguments: tuple[object, ...], said: str
) -> None:
    done = archsim("decompose", *arguments, "--out", tmp_path)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_no_page_and_ends_with_130(
    small: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("reports.studies.topologies.decomposition.runs.decompose", interrupted)
    done = archsim(*small)
    assert done.exit_code == 130
    assert list((tmp_path / "reports").iterdir()) == []
