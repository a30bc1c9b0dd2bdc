"""The commands `sweep` and `results`: those of docs/sweeps.md, word for word, and what goes wrong."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from archsim.explore.query import results
from archsim.explore.spec import space_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
SPEC = """
base: {network: lenet-300-100-csc-x40, engine: {kind: csc}, technology: cmos65}
axes: {engine.pes: [4, 8, 999]}
"""


def archsim(*arguments: str, folder: Path, status: int = 0) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "archsim", *arguments]
    done = subprocess.run(command, capture_output=True, cwd=folder, env=environment)
    assert done.returncode == status, done.stderr.decode()
    return done


def refusal(*arguments: str, folder: Path) -> str:
    said = archsim(*arguments, folder=folder, status=2).stderr.decode()
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
    assert "conditions hold of 108" in told[0].stdout.decode()
    assert told[1].stdout.decode().startswith("108 points in runs, of which 0 failed")
    assert "MHz" in told[2].stdout.decode()
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
    assert first.stdout.startswith(b"3 points in runs, of which 1 failed")
    assert first.stderr == b""
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
    told = archsim("sweep", "spec.yaml", "--out", "runs", "--dry-run", folder=spec).stdout.decode()
    assert re.match(r"3 points\nof all, 1 are refused:\n  1 x .*allowed.*\nabout .* on \d+ cores", told)
    assert not (spec / "runs").exists()
    plain = json.loads(archsim("sweep", "spec.yaml", "--dry-run", "--json", folder=spec).stdout)
    assert plain["points"] == plain["looked_at"] == 3
    assert list(plain["refused"].values()) == [1]


def test_results_are_the_same_in_every_form(spec: Path) -> None:
    archsim("sweep", "spec.yaml", "--out", "runs", folder=spec)
    frame = results(spec / "runs", columns=["engine.pes", "energy_j"], where="error == None")
    asked = ("results", "runs", "--columns", "engine.pes,energy_j", "--where", "error == None")
    csv = archsim(*asked, "--csv", folder=spec).stdout
    plain = json.loads(archsim(*asked, "--json", folder=spec).stdout)["rows"]
    parquet = archsim(*asked, "--parquet", folder=spec).stdout
    archsim(*asked, "--file", "rows.parquet", folder=spec)
    assert len(frame) == 2
    for told in (pd.read_csv(io.BytesIO(csv)), pd.DataFrame(plain), pd.read_parquet(io.BytesIO(parquet))):
        pd.testing.assert_frame_equal(
            told, pd.DataFrame(frame).reset_index(drop=True), check_dtype=False, rtol=1e-14
        )
    assert (spec / "rows.parquet").read_bytes() == parquet


def test_what_is_wrong_is_said_in_a_sentence(spec: Path) -> None:
    (spec / "wrong.yaml").write_text("axes: {engine.pes: []}")
    assert "at least one value" in refusal("sweep", "wrong.yaml", folder=spec)
    assert "sweep file" in refusal("sweep", "nothing.yaml", folder=spec)
    assert "best is" in refusal("sweep", "spec.yaml", "--best", "beauty", folder=spec)
    assert "fidelity is" in refusal("sweep", "spec.yaml", "--fidelity", "spice", folder=spec)
    assert "scheduler is" in refusal("sweep", "spec.yaml", "--scheduler", "nowhere", folder=spec)
    assert "results is" in refusal("results", "nothing", folder=spec)
    archsim("sweep", "spec.yaml", "--out", "runs", folder=spec)
    assert "columns is" in refusal("results", "runs", "--columns", "beauty", folder=spec)
    assert "beauty is not" in refusal("results", "runs", "--where", "beauty > 1", folder=spec)
    assert "form of the file" in refusal("results", "runs", "--file", "a.xls", folder=spec)
    whole = (spec / "runs" / "results.sqlite").read_bytes()
    (spec / "runs" / "results.sqlite").write_bytes(whole[: len(whole) // 2])
    assert "store is" in refusal("results", "runs", folder=spec)
    assert "store is" in refusal("sweep", "spec.yaml", "--out", "runs", folder=spec)


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
