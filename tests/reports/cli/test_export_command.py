"""What `archsim export` writes, where it may be moved to, and what it leaves alone."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.reports.commands import archsim
from tests.reports.stand_ins import write_design

pytestmark = pytest.mark.slow


def test_export_writes_a_test_bench_that_passes_in_icarus(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = archsim("export", write_design(tmp_path), "--out", out)
    assert done.exit_code == 0, done.stderr
    assert (out / "memories" / "weight_001.hex").is_file()
    if shutil.which("iverilog") is None:
        pytest.skip("Icarus is not installed")
    sources = ["archsim_engine.v", "testbench.v"]
    subprocess.run(["iverilog", "-g2005-sv", "-o", "t.vvp", *sources], cwd=out, check=True)
    ran = subprocess.run(["vvp", "t.vvp"], cwd=out, check=True, capture_output=True, text=True)
    assert "PASS: 2 inputs" in ran.stdout


@pytest.mark.parametrize("technology", ["cmos65", {"kind": "asic", "liberty": "own.lib.gz", "node_nm": 65}])
def test_an_exported_folder_can_be_moved(tmp_path: Path, technology: object) -> None:
    from archsim import DesignPoint
    from archsim.technology.quantity import read_text

    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    np.save(here / "inputs.npy", np.eye(3, 12))
    (here / "own.lib.gz").write_bytes(gzip.compress(read_text("cmos65.lib").encode()))
    design = write_design(here, technology=technology, inputs="inputs.npy")
    first = DesignPoint.from_file(design)
    assert archsim("export", design, "--out", here / "out").exit_code == 0
    (here / "out").rename(there)
    cycles = first.simulate("analytic").cycles
    shutil.rmtree(here)
    moved = DesignPoint.from_file(there / "design.yaml")
    assert moved.simulate("analytic").cycles == cycles
    assert moved.mapping.network.samples
    assert archsim("export", there / "design.yaml", "--out", tmp_path / "again").exit_code == 0
    assert (tmp_path / "again" / "scores.hex").read_text() == (there / "scores.hex").read_text()


def test_export_replaces_what_it_wrote_and_nothing_else(tmp_path: Path) -> None:
    design, mine, theirs = write_design(tmp_path), tmp_path / "mine", tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "letter.txt").write_text("keep me")
    assert archsim("export", design, "--out", mine).exit_code == 0
    (mine / "stale.hex").touch()
    assert archsim("export", design, "--out", mine).exit_code == 0
    assert not (mine / "stale.hex").exists()
    done = archsim("export", design, "--out", theirs)
    assert done.exit_code == 2
    assert (theirs / "letter.txt").read_text() == "keep me"
