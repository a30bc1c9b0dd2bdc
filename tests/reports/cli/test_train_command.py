"""`archsim train` as a process that is killed, interrupted and started again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.reports.commands import archsim
from workloads import DataUnavailableError

pytestmark = pytest.mark.slow

RECIPE = """
name: tiny
data: synthetic
inputs: 16
layers:
  - {family: csc, outputs: 16, fan_in: 4}
  - {family: dense, outputs: 4}
epochs: 60
batch: 32
rate: {peak: 0.01}
"""
CNN = """
name: seen
data: synthetic
model: cnn
inputs: 16
convolutions: [{family: dense, outputs: 3, kernel: 3, stride: 2}]
layers: [{family: dense, outputs: 4}]
epochs: 1
rate: {peak: 0.01}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def whole(recipe: Path, tmp_path: Path) -> bytes:
    assert archsim("train", recipe, "--out", tmp_path / "whole.npz").exit_code == 0
    return (tmp_path / "whole.npz").read_bytes()


def started(recipe: Path, out: Path) -> subprocess.Popen[str]:
    """The command in a process of its own, once it has written a checkpoint since it was started."""
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    before = checkpoint.stat().st_ino if checkpoint.exists() else None
    process = subprocess.Popen(
        [
            sys.executable,
            *("-c", "from reports.cli import main; main()"),
            *("train", str(recipe), "--out", str(out), "--checkpoint-every", "0.01"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    while process.poll() is None:
        if checkpoint.exists() and checkpoint.stat().st_ino != before:
            break
        time.sleep(0.001)
    return process


def test_a_process_killed_at_random_moments_ends_in_the_same_file(
    recipe: Path, whole: bytes, tmp_path: Path
) -> None:
    out, kills = tmp_path / "killed.npz", 0
    for _ in range(3):
        process = started(recipe, out)
        time.sleep(random.uniform(0, 0.1))
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    assert kills
    assert archsim("train", recipe, "--out", out).exit_code == 0
    assert out.read_bytes() == whole
    # What a killed process was writing stays beside it, hidden; nothing that is named is half.
    seen = sorted(entry.name for entry in tmp_path.iterdir() if not entry.name.startswith("."))
    assert seen == ["killed.npz", "tiny.yaml", "whole.npz"]


def test_an_interrupted_process_says_how_to_go_on_with_status_130(
    recipe: Path, whole: bytes, tmp_path: Path
) -> None:
    out = tmp_path / "interrupted.npz"
    process = started(recipe, out)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert (process.returncode, stdout) == (130, "")
    said = stderr.splitlines()[-1]
    assert said == f"archsim: interrupted; the same command goes on from {out}.checkpoint."
    assert archsim("train", recipe, "--out", out).exit_code == 0
    assert out.read_bytes() == whole


def test_a_checkpoint_of_another_recipe_is_refused(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "net.npz"
    process = started(recipe, out)
    process.kill()
    process.communicate()
    recipe.write_text(RECIPE.replace("epochs: 60", "epochs: 61"))
    done = archsim("train", recipe, "--out", out)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"archsim: recipe of the checkpoint {out}.checkpoint is tiny ")
    assert done.stderr.count("\n") == 1


def test_data_that_cannot_be_had_are_said_so_in_a_sentence(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(name: str, **sizes: int) -> None:
        raise DataUnavailableError("MNIST could not be had from any source; tried the cache.")

    monkeypatch.setattr("workloads.training.training.load_data", unavailable)
    done = archsim("train", recipe, "--out", tmp_path / "net.npz")
    assert done.exit_code == 2
    assert done.stderr == "archsim: MNIST could not be had from any source; tried the cache.\n"


def test_random_features_are_said_to_be_random(recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(RECIPE.replace("epochs: 60", "epochs: 1"))
    done = archsim("train", recipe, "--out", tmp_path / "net.npz")
    assert "random features and labels, so its accuracy means nothing" in done.stdout


def test_a_network_with_biases_is_trained_and_where_they_cannot_go_said_so(
    recipe: Path, tmp_path: Path
) -> None:
    out, design = tmp_path / "net.npz", tmp_path / "design.yaml"
    recipe.write_text(RECIPE.replace("epochs: 60", "epochs: 1\nbias: true"))
    done = archsim("train", recipe, "--out", out)
    assert (done.exit_code, done.stdout.startswith(f"{out}: 192 stored weights and 20 biases, ")) == (0, True)
    design.write_text(f"network: {out}\nengine: {{kind: pruned}}\nclock_hz: 1e8\ntechnology: cmos65\n")
    assert archsim("verify", design).exit_code == 0
    recipe.write_text(RECIPE.replace("outputs: 4}", "outputs: 4, bias: true}"))
    refused = archsim("train", recipe, "--out", out)
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "recipe.layers.1.bias is True, allowed is no such field of a layer" in refused.stderr


def test_a_cnn_is_trained_and_simulated(tmp_path: Path) -> None:
    (tmp_path / "cnn.yaml").write_text(CNN)
    out = tmp_path / "seen.npz"
    done = archsim("train", tmp_path / "cnn.yaml", "--out", out)
    assert (done.exit_code, done.stdout.startswith(f"{out}: 75 stored weights")) == (0, True)
    design = tmp_path / "design.yaml"
    design.write_text(f"network: {out}\nengine: {{kind: csc, pes: 4}}\nclock_hz: 1e8\ntechnology: cmos65\n")
    costed = archsim("simulate", design, "--fidelity", "analytic", "--json")
    assert costed.exit_code == 0
    assert json.loads(costed.stdout)["stored_weights"] == 75
