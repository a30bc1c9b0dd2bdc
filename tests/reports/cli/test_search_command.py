"""The command `search`: that of docs/search.md, word for word, what it prints, and what goes wrong."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import archsim as a
from archsim.explore.store import Row, Store, StoreError
from reports.cli import main
from tests.reports.stand_ins import small_network

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
SPEC = """
base: {network: small.npz, engine: {kind: csc}, technology: cmos65}
axes:
  engine.pes: [1, 2, 3, 4, 6, 999]
  engine.weight_bits: {from: 4, to: 8}
  engine.fetch_bits: [16, 32, 64]
  clock_hz: [1.0e+7, 1.0e+8]
"""
TWO = ("--objective", "energy_j", "--objective", "area_mm2")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    small_network("csc").save(tmp_path / "small.npz")
    (tmp_path / "spec.yaml").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def archsim(*arguments: str, status: int = 0) -> Result:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == status, done.output
    return done


def refusal(*arguments: str) -> str:
    said = archsim("search", *arguments, status=2).stderr
    assert said.count("\n") == 1
    assert said.startswith("archsim: ")
    return said


def rows(folder: Path) -> list[Row]:
    return list(Store(folder, read=True).rows())


def test_the_commands_of_the_page_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "search.yaml", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line) for line in re.findall(r"^    archsim (.*)$", PAGE, re.MULTILINE)]
    told = [archsim(*words).stdout for words in commands]
    told[0] = " ".join(told[0].split())
    assert [words[0] for words in commands] == ["search", "results", "report"]
    assert "of 200 points costed at fidelity analytic" in told[0]
    assert "the space has 12,672 points" in told[0]
    assert "costed at cycle once more" in told[0]
    assert "lenet-300-100" in told[1]
    assert (tmp_path / "page" / "index.html").stat().st_size > 100_000


def test_a_search_shows_its_front_and_what_became_of_the_other_points(folder: Path) -> None:
    told = archsim("search", "spec.yaml", *TWO, "--trials", "60", "--out", "runs", "--then", "cycle")
    found = a.search("spec.yaml", folder / "runs", objectives=["energy_j", "area_mm2"], trials=60)
    assert told.stderr == ""
    table, _, sentences = told.stdout.partition("front of less energy and less area")
    assert len(table.strip().splitlines()) == 1 + len(found.front)
    assert "engine.pes" in table
    assert "technology" not in table  # it tells no points apart
    assert sentences.startswith(f": {len(found.front)} of 60 points costed at fidelity analytic\n")
    for said in (
        "60 trials, seed 0; the space has 180 points",
        f"0 miss a constraint, {found.refused} were refused",
        f"{len(found.front)} of {len(found.front)} are still on it, with the same clock_hz and energy_j and",
        "enumeration is better here: all 180 points take about",
        "archsim sweep spec.yaml --out runs",
    ):
        assert said in sentences


def test_what_a_deeper_fidelity_changes_stands_beside_the_first_figures(folder: Path) -> None:
    from dataclasses import replace

    from reports.tables import Table
    from reports.views.searched import search_shown

    found = a.search(
        "spec.yaml", folder / "runs", objectives=["energy_j", "area_mm2"], trials=60, then="cycle"
    )
    told = {key: row.figures or {} for key, row in found.deeper.items()}
    dearer = {
        key: replace(row, figures={**told[key], "energy_j": told[key]["energy_j"] * 2})
        for key, row in found.deeper.items()
    }
    shown: Any = search_shown(replace(found, deeper=dearer), "spec.yaml", Path("runs"))
    table: Table = shown.renderables[0]
    assert table.headings[-3:] == ("area_mm2", "energy_j_at_cycle", "holds_at_cycle")
    assert {row[-1] for row in table.rows} == {"yes"}


def test_json_has_the_goals_and_every_figure_of_the_front(folder: Path) -> None:
    asked = ("search", "spec.yaml", *TWO, "--constraint", "clock_hz < 2e7", "--trials", "60", "--out", "runs")
    told = json.loads(archsim(*asked, "--json").stdout)
    seconds = [row.seconds for row in rows(folder / "runs")]
    again = json.loads(archsim(*asked, "--json").stdout)
    assert [row.seconds for row in rows(folder / "runs")] == seconds
    assert told == again
    assert told["format"] == "archsim search"
    assert told["objectives"] == {"energy_j": "min", "area_mm2": "min"}
    assert told["constraints"] == ["clock_hz < 2e7"]
    assert (told["costed"], told["points"], told["exhaustive"]) == (60, 180, False)
    kept = {row.key: row.figures or {} for row in rows(folder / "runs")}
    assert told["front"]
    for row in told["front"]:
        assert row["clock_hz"] == 1e7
        assert row["energy_j"] == pytest.approx(kept[row["key"]]["energy_j"], rel=1e-14)


def test_results_and_report_take_the_folder_of_a_search(folder: Path) -> None:
    archsim("search", "spec.yaml", *TWO, "--trials", "30", "--out", "runs", "--then", "cycle")
    told = json.loads(archsim("results", "runs", "--where", "energy_j > 0", "--json").stdout)["rows"]
    assert {row["fidelity"] for row in told} == {"analytic", "cycle"}
    failed = sum(row.error is not None for row in rows(folder / "runs"))
    said = f"{len(told)} points, {failed} refused"
    assert said in archsim("report", "runs", "--out", "page").stdout


def test_a_space_of_no_more_points_than_trials_is_said_to_be_costed_whole(folder: Path) -> None:
    told = archsim("search", "spec.yaml", *TWO, "--out", "runs").stdout
    assert "the space has 180 points, no more than 500 trials: all were costed" in told
    assert "enumeration" not in told


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("nothing.yaml", *TWO), "sweep file"),
        (("spec.yaml",), "Missing option '--objective'"),
        (("spec.yaml", "--objective", "beauty"), "objective is 'beauty', allowed are"),
        (("spec.yaml", *TWO, "--objective", "energy_j"), "allowed are energy_j once"),
        (("spec.yaml", *TWO, "--constraint", "beauty > 1"), "beauty is not"),
        (("spec.yaml", *TWO, "--constraint", "energy_j < 0"), "'energy_j < 0' by 100.0%"),
        (("spec.yaml", "--objective", "lut"), "small.npz on csc on cmos65 has none of it"),
        (("spec.yaml", "--objective", "accuracy"), "has none of it"),
        (("spec.yaml", *TWO, "--then", "analytic"), "then is 'analytic', allowed are cycle, rtl, gate"),
        (("spec.yaml", *TWO, "--trials", "0"), "trials is 0, allowed are"),
        (("spec.yaml", *TWO, "--seed", "-1", "--trials", "9"), "seed is -1, allowed are"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(given: tuple[str, ...], said: str, folder: Path) -> None:
    assert said in refusal(*given, "--out", "runs")


def test_without_optuna_a_sentence_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert "pip install 'archsim[search]'" in refusal("spec.yaml", *TWO, "--trials", "9", "--out", "runs")


@pytest.mark.long
def test_a_search_that_was_killed_goes_on_and_ends_as_one_that_was_not(folder: Path) -> None:
    command = [sys.executable, "-m", "archsim", "search", "spec.yaml", *TWO, "--trials", "120", "--json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def run(out: str) -> dict[str, Any]:
        done = subprocess.run([*command, "--out", out], env=environment, capture_output=True, check=True)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    whole = run("whole")
    for least in (1, 60):
        out = folder / f"killed {least}"
        quiet = subprocess.DEVNULL
        client = subprocess.Popen([*command, "--out", out.name], env=environment, stdout=quiet, stderr=quiet)
        while client.poll() is None and _kept(out) < least:
            time.sleep(0.01)
        client.kill()
        client.wait()
        told = run(out.name)
        assert told["front"] == whole["front"]
        assert told["costed"] == 120
        assert [(row.key, row.figures) for row in rows(out)] == [
            (row.key, row.figures) for row in rows(folder / "whole")
        ]


def _kept(folder: Path) -> int:
    try:
        return len(Store(folder, read=True))
    except StoreError:
        return 0
