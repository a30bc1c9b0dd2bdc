"""The commands `sweep` and `results`: those of docs/sweeps.md, word for word, and what goes wrong."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from archsim.design import DesignPoint
from archsim.explore.query import results
from archsim.explore.spec import space_of
from archsim.explore.sweep import cluster as clusters, sweep as sweeps
from archsim.explore.sweep.batches import in_process
from reports.cli import main
from tests.archsim.explore.kill_sweep import PATIENCE_S, kept_in, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
SPEC = """
base: {network: lenet-300-100-csc-x40, engine: {kind: csc}, technology: cmos65}
axes: {engine.pes: [4, 8, 999]}
"""


def archsim(*arguments: str, folder: Path, status: int = 0) -> Result:
    """A command in a folder. A process that is started anew takes longer than all that most of them do."""
    with contextlib.chdir(folder):
        done = CliRunner().invoke(main, arguments)
    assert done.exit_code == status, done.output
    return done


def refusal(*arguments: str, folder: Path, status: int = 2) -> str:
    said = archsim(*arguments, folder=folder, status=status).stderr
    assert said.count("\n") == 1
    assert said.startswith("archsim: ")
    assert "allowed" in said
    return said


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path


def test_the_commands_of_the_page_do_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "sweep.yaml", tmp_path / "examples")
    lines = re.findall(r"^    archsim (.*)$", PAGE, re.MULTILINE)
    commands = [words for line in lines if "--scheduler" not in (words := shlex.split(line, comments=True))]
    told = [archsim(*words, folder=tmp_path) for words in commands]
    assert [words[0] for words in commands] == ["sweep", "sweep", "results", "results", "schema"]
    assert "conditions hold of 108" in told[0].stdout
    assert told[1].stdout.startswith("108 points in runs, of which 0 failed")
    assert "MHz" in told[2].stdout
    assert len(pd.read_csv(tmp_path / "runs.csv")) == 108
    shipped = (ROOT / "examples" / "sweep.schema.json").read_text(encoding="utf-8")
    assert (tmp_path / "sweep.schema.json").read_text(encoding="utf-8") == shipped


def test_the_file_of_the_page_is_one() -> None:
    found = re.search(r"```sweep\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    assert len(list(space_of(yaml.safe_load(found[1])).points())) == 54


@pytest.mark.parametrize("axis", re.findall(r"^\| .* \| `(\w[\w.]*: [\[{].*?)`", PAGE, re.MULTILINE))
def test_an_axis_of_the_page_is_one(axis: str) -> None:
    assert len(space_of({"axes": yaml.safe_load(axis)})) > 1


def test_a_sweep_tells_what_it_did_and_does_nothing_twice(spec: Path) -> None:
    first = archsim("sweep", "spec.yaml", "--out", "runs", folder=spec)
    assert first.stdout.startswith("3 points in runs, of which 1 failed")
    assert first.stderr == ""
    seconds = [row.seconds for row in _rows(spec)]
    told = json.loads(archsim("sweep", "spec.yaml", "--out", "runs", "--json", folder=spec).stdout)
    assert [row.seconds for row in _rows(spec)] == seconds
    assert told["format"] == "archsim results"
    assert {"format_version", "archsim_version", "commit"} <= told.keys()
    figures = {row.point["engine"]["pes"]: row.figures for row in _rows(spec)}
    for row in told["rows"][:2]:
        assert row["energy_j"] == figures[row["engine.pes"]]["energy_j"]
    assert [row["engine.pes"] for row in told["rows"]] == [4, 8, 999]
    assert "allowed" in told["rows"][2]["error"]


def _rows(folder: Path) -> list[Any]:
    from archsim.explore.store import Store

    return list(Store(folder / "runs", read=True).rows())


def test_a_dry_run_says_what_is_refused_and_costs_nothing(spec: Path) -> None:
    told = archsim("sweep", "spec.yaml", "--out", "runs", "--dry-run", folder=spec).stdout
    assert re.match(r"3 points\nof all, 1 are refused:\n  1 x .*allowed.*\nabout .* on \d+ cores", told)
    assert not (spec / "runs").exists()
    plain = json.loads(archsim("sweep", "spec.yaml", "--dry-run", "--json", folder=spec).stdout)
    assert plain["points"] == plain["looked_at"] == 3
    assert list(plain["refused"].values()) == [1]


def test_results_are_the_same_in_every_form(spec: Path) -> None:
    archsim("sweep", "spec.yaml", "--out", "runs", folder=spec)
    frame = results(spec / "runs", columns=["engine.pes", "energy_j"], where="error == None")
    asked = ("results", "runs", "--columns", "engine.pes,energy_j", "--where", "error == None")
    csv = archsim(*asked, "--csv", folder=spec).stdout_bytes
    plain = json.loads(archsim(*asked, "--json", folder=spec).stdout)["rows"]
    parquet = archsim(*asked, "--parquet", folder=spec).stdout_bytes
    archsim(*asked, "--file", "rows.parquet", folder=spec)
    assert len(frame) == 2
    for told in (pd.read_csv(io.BytesIO(csv)), pd.DataFrame(plain), pd.read_parquet(io.BytesIO(parquet))):
        pd.testing.assert_frame_equal(
            told, pd.DataFrame(frame).reset_index(drop=True), check_dtype=False, rtol=1e-14
        )
    assert (spec / "rows.parquet").read_bytes() == parquet


def test_figures_of_a_clock_that_cannot_be_had_are_marked(spec: Path) -> None:
    text = "base: {network: lenet-300-100-csc-x40, engine: {kind: csc}, technology: cmos65}\n"
    (spec / "clocks.yaml").write_text(text + "axes: {clock_hz: [1e8, 5e9]}\n")
    archsim("sweep", "clocks.yaml", "--out", "clocks", folder=spec)
    asked = ("results", "clocks", "--columns", "clock_hz,cycles,latency_s,area_mm2")
    _, slow, fast, note = archsim(*asked, folder=spec).stdout.strip().split("\n")
    assert "!" not in slow
    assert [cell.endswith("!") for cell in re.split(r"  +", fast.strip())] == [False, False, True, False]
    assert note.startswith("figures with ! are of a clock")


def test_fields_that_are_the_same_in_all_rows_are_said_once(spec: Path) -> None:
    archsim("sweep", "spec.yaml", "--out", "runs", folder=spec)
    said = archsim("results", "runs", folder=spec).stdout
    sentence, table = said.split(".\n", 1)
    assert sentence.startswith("The same in all: network ")
    assert "network" not in table
    assert "engine.pes" in table
    asked = archsim("results", "runs", "--columns", "network,engine.pes", folder=spec).stdout
    assert "The same" not in asked
    assert "network" in asked
    one = archsim("results", "runs", "--where", "engine.pes == 4", folder=spec).stdout
    assert "The same" not in one


def test_a_refused_value_that_is_a_list_is_shown(spec: Path) -> None:
    (spec / "lists.yaml").write_text(SPEC.replace("[4, 8, 999]", "[[4, 8], 4]"))
    archsim("sweep", "lists.yaml", "--out", "lists", folder=spec)
    assert "[4, 8]" in archsim("results", "lists", folder=spec).stdout


def test_what_is_wrong_is_said_in_a_sentence(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "CONNECTS_S", 1)
    (spec / "wrong.yaml").write_text("axes: {engine.pes: []}")
    assert "at least one value" in refusal("sweep", "wrong.yaml", folder=spec)
    (spec / "wrong.yaml").write_text("axes: {engine.pes: [4, 8")
    assert "is not YAML in line" in refusal("sweep", "wrong.yaml", folder=spec)
    (spec / "wrong.yaml").write_text("axes: {clock_hz: [.nan]}")
    assert "finite numbers" in refusal("sweep", "wrong.yaml", folder=spec)
    assert "sweep file" in refusal("sweep", "nothing.yaml", folder=spec)
    assert "best is" in refusal("sweep", "spec.yaml", "--best", "beauty", folder=spec)
    assert "fidelity is" in refusal("sweep", "spec.yaml", "--fidelity", "spice", folder=spec)
    assert "scheduler is" in refusal("sweep", "spec.yaml", "--scheduler", "nowhere", folder=spec)
    unreached = refusal("sweep", "spec.yaml", "--scheduler", "tcp://127.0.0.1:9", folder=spec)
    assert "addresses that answer" in unreached
    assert "results is" in refusal("results", "nothing", folder=spec)
    archsim("sweep", "spec.yaml", "--out", "runs", folder=spec)
    assert "columns is" in refusal("results", "runs", "--columns", "beauty", folder=spec)
    assert "beauty is not" in refusal("results", "runs", "--where", "beauty > 1", folder=spec)
    assert "form of the file" in refusal("results", "runs", "--file", "a.xls", folder=spec)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda whole: whole[: len(whole) // 2], "allowed are whole ones"),
        (lambda whole: b"no database" * 400, "file is not a database"),
        (lambda whole: b"", "format of .* is 'none'|file is not a database|no such table"),
    ],
    ids=["cut short", "no database", "empty"],
)
def test_a_store_that_is_none_is_refused_and_left_as_it_is(damage: Any, said: str, spec: Path) -> None:
    archsim("sweep", "spec.yaml", "--out", "runs", folder=spec)
    file = spec / "runs" / "results.sqlite"
    damaged = damage(file.read_bytes())
    file.write_bytes(damaged)
    assert re.search(said, refusal("results", "runs", folder=spec))
    if damaged:  # an empty file is how a database begins
        assert re.search(said, refusal("sweep", "spec.yaml", "--out", "runs", folder=spec))
        assert file.read_bytes() == damaged


def test_a_store_of_a_later_version_is_refused(spec: Path) -> None:
    archsim("sweep", "spec.yaml", "--out", "runs", folder=spec)
    with sqlite3.connect(spec / "runs" / "results.sqlite") as database:
        database.execute("UPDATE about SET value = '3' WHERE name = 'format'")
    for command in (("results", "runs"), ("sweep", "spec.yaml", "--out", "runs")):
        assert "format of runs/results.sqlite is '3', allowed are 1, 2" in refusal(*command, folder=spec)


def test_a_defect_of_one_point_is_its_row_and_the_status(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate = DesignPoint.simulate

    def with_a_defect(self: DesignPoint, fidelity: str = "cycle") -> Any:
        if self.engine.pes == 8:
            raise ZeroDivisionError("of nobody")
        return simulate(self, fidelity)

    monkeypatch.setattr(DesignPoint, "simulate", with_a_defect)
    monkeypatch.setattr("archsim.design._analytic", lambda design, *_: design.simulate("analytic"))
    for _ in range(2):  # what a row has found out stays found out
        done = archsim("sweep", "spec.yaml", "--out", "runs", folder=spec, status=70)
        assert done.stdout.startswith("3 points in runs, of which 2 failed")
        assert re.match(r"archsim: 1 point ended in a defect: .*ZeroDivisionError.*of nobody", done.stderr)
    rows = {row.point["engine"]["pes"]: row for row in _rows(spec)}
    assert rows[4].figures
    assert rows[8].error.startswith("archsim itself is wrong: ZeroDivisionError")


def test_odd_values_are_rows_in_every_form(spec: Path) -> None:
    """Texts of other letters, numbers that no machine has, points that come twice, values of many kinds."""
    base = "{network: lenet-300-100-csc-x40, engine: {kind: csc}, technology: cmos65}"
    values = f"[4, 4, auto, true, 1{'0' * 300}, größe-ж, 2.5]"
    (spec / "odd.yaml").write_text(f"base: {base}\naxes: {{engine.pes: {values}}}", encoding="utf-8")
    looked = archsim("sweep", "odd.yaml", "--dry-run", folder=spec).stdout
    assert looked.startswith("6 points (7 are written, some more than once)\n")
    assert archsim("sweep", "odd.yaml", "--out", "odd", folder=spec).stdout.startswith("6 points in odd")
    asked = ("results", "odd", "--columns", "engine.pes,energy_j,error")
    assert len(json.loads(archsim(*asked, "--json", folder=spec).stdout)["rows"]) == 6
    csv = pd.read_csv(io.BytesIO(archsim(*asked, "--csv", folder=spec).stdout_bytes))
    parquet = pd.read_parquet(io.BytesIO(archsim(*asked, "--parquet", folder=spec).stdout_bytes))
    for told in (csv, parquet):
        assert told["error"].notna().sum() == 5
        assert {"4", "größe-ж", f"1{'0' * 300}"} <= {*told["engine.pes"].astype(str)}


def test_an_interrupted_sweep_says_that_it_goes_on(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def executor(todo: Any, fidelity: str, folder: Path) -> Any:
        yield from in_process([next(todo)], fidelity, folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(sweeps, "executor_of", lambda workers, scheduler: executor)
    told = archsim("sweep", "spec.yaml", "--out", "runs", folder=spec, status=130)
    assert told.stderr == "archsim: interrupted; the same command goes on from runs.\n"
    assert len(_rows(spec)) == 1


@pytest.mark.parametrize("where", [("--workers", "0"), ("--workers", "1")])
def test_an_interrupt_on_the_terminal_ends_it_and_loses_nothing(spec: Path, where: tuple[str, str]) -> None:
    axes = "axes: {engine.pes: {from: 1, to: 256}, engine.weight_bits: {from: 2, to: 16}}"
    (spec / "long.yaml").write_text(SPEC.splitlines()[1] + f"\n{axes}\n")
    command = [sys.executable, "-m", "archsim", "sweep", "long.yaml", "--out", "runs", *where]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=spec, env=environment, stderr=subprocess.PIPE) as running:
        try:
            until(lambda: kept_in(spec / "runs"))
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=PATIENCE_S)
        finally:
            running.kill()
    assert running.returncode == 130
    assert said.decode() == "archsim: interrupted; the same command goes on from runs.\n"
    assert 0 < len(_rows(spec)) < 256 * 15


def test_two_sweeps_at_once_in_one_folder_end_with_the_rows_of_one(spec: Path) -> None:
    (spec / "both.yaml").write_text(SPEC.replace("[4, 8, 999]", "{from: 1, to: 60}"))
    command = [sys.executable, "-m", "archsim", "sweep", "both.yaml", "--workers", "0", "--out"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for outs in (["runs", "runs"], ["alone"]):
        running = [subprocess.Popen([*command, out], cwd=spec, env=environment) for out in outs]
        assert [process.wait(PATIENCE_S) for process in running] == [0] * len(outs)
    kept = [results(spec / out).to_json() for out in ("runs", "alone")]
    assert kept[0] == kept[1]


@pytest.mark.skipif(sys.platform == "win32", reason="no terminal to be had")
def test_a_terminal_sees_what_is_done_failed_left_and_best(spec: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))  # a terminal without columns is shown nothing
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "archsim", "sweep", "spec.yaml", "--out", "runs"]
    subprocess.run(command, cwd=spec, env=environment, stdout=subprocess.DEVNULL, stderr=theirs, check=True)
    shown = os.read(ours, 100_000).decode()
    os.close(theirs)
    os.close(ours)
    for part in ("3/3", "points/s", "1 failed", "best energy", "nJ"):
        assert part in shown, shown
