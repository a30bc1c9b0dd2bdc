"""The exported engine trains in Icarus Verilog: the loss falls, scores and weights are those of the
specification."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from archsim.engine import Clos, Csc, Dense
from archsim.engine.hardware_run import watch_rtl
from archsim.engine.training.mapping import TrainingMapping
from rtl import make_test_bench, to_verilog
from tests.workloads.synthetic import patches, recipe
from workloads import IntegerNetwork
from workloads.training.onchip.run import OnChipRun

SAMPLES = 120


class Teacher:
    """Names samples by the labels that they have, in their order."""

    def __init__(self, inputs: np.ndarray, labels: np.ndarray) -> None:
        self.labels = {tuple(x): int(label) for x, label in zip(inputs.tolist(), labels, strict=True)}

    def run(self, x: np.ndarray) -> np.ndarray:
        return np.eye(4)[:, [self.labels[tuple(x[:, 0].tolist())]]]


ENGINES = {
    "clos": (
        Clos(pes=4),
        [
            {"family": "clos", "outputs": 12, "ingress": 6, "middle": 2, "egress": 3},
            {"family": "dense", "outputs": 4},
        ],
    ),
    "csc": (
        Csc(pes=4),
        [{"family": "csc", "outputs": 13, "fan_in": 4}, {"family": "csc", "outputs": 4, "fan_in": 13}],
    ),
}


@pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog is not installed (Debian: iverilog)"
)
@pytest.mark.parametrize(
    ("kind", "overlap"),
    [
        pytest.param("clos", "none", marks=pytest.mark.slow),
        pytest.param("csc", "pipelined", marks=pytest.mark.slow),
        pytest.param("clos", "pipelined", marks=pytest.mark.long),
        pytest.param("csc", "none", marks=pytest.mark.long),
    ],
)
def test_the_exported_engine_trains_from_random_weights_to_a_falling_loss_in_icarus(
    tmp_path: Path, kind: str, overlap: str
) -> None:
    engine, layers = ENGINES[kind]
    chosen = recipe(
        layers=layers,
        batch=1,
        optimiser={"kind": "sgd", "momentum": 0.0},
        rate={"peak": 0.03125, "course": "constant"},
        on_chip={"pes": 4, "rounding": "stochastic", "overlap": overlap},
    )
    data = patches(2 * SAMPLES)
    run = OnChipRun(chosen, data.train_inputs, data.train_labels, data.range)
    inputs = run.images.astype(np.int64)
    teacher: IntegerNetwork = Teacher(inputs, data.train_labels)  # type: ignore[assignment]
    mapping = TrainingMapping(run.network, engine, run.trainer, 5, labels=teacher)
    runs, outputs, kept = watch_rtl(mapping, inputs.T)
    expected, weights = mapping.expected(inputs.T)
    np.testing.assert_array_equal(outputs, expected)
    np.testing.assert_array_equal(kept[-1][0], weights[-1][0])
    loads = [mapping.load(x) for x in inputs]
    bench = make_test_bench(mapping.hardware, mapping.images, loads, runs, mapping.words_kept(kept[-1]))
    for name, text in {
        "bench.v": bench.verilog,
        "engine.v": to_verilog(mapping.hardware).text,
        **bench.files,
    }.items():
        (tmp_path / name).write_text(text)
    compiled = ["iverilog", "-g2012", "-Wall", "-Wno-timescale", "-o", "run", "bench.v", "engine.v"]
    subprocess.run(compiled, cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(
        ["vvp", "run"], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=200
    )
    said = done.stdout.splitlines()
    assert said[-1] == f"PASS: {SAMPLES} inputs"
    assert said[-2] == f"{len(mapping.words_kept(kept[-1]))} words of weights were read"
    late = max(0, mapping.in_flight - 1)
    outputs, sides = outputs[:, late:], 2 * np.eye(4)[data.train_labels].T[:, : SAMPLES - late] - 1
    losses = (np.maximum(0, 1 - sides * outputs / mapping.sizes.one) ** 2).mean(axis=0)
    assert np.mean(losses[-30:]) < 0.6 * np.mean(losses[:30])


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog is not installed (Debian: iverilog)"
)
def test_the_test_bench_fails_where_a_weight_is_another(tmp_path: Path) -> None:
    chosen = recipe(
        layers=[{"family": "dense", "outputs": 4}],
        batch=1,
        optimiser={"kind": "sgd", "momentum": 0.0},
        rate={"peak": 0.03125, "course": "constant"},
        on_chip={"pes": 2},
    )
    data = patches(4)
    run = OnChipRun(chosen, data.train_inputs, data.train_labels, data.range)
    mapping = TrainingMapping(run.network, Dense(pes=2), run.trainer, 5)
    inputs = run.images.astype(np.int64)
    runs, _, kept = watch_rtl(mapping, inputs.T)
    kept[-1][0][2, 7] += 1
    loads = [mapping.load(x) for x in inputs]
    bench = make_test_bench(mapping.hardware, mapping.images, loads, runs, mapping.words_kept(kept[-1]))
    for name, text in {"all.v": bench.verilog + to_verilog(mapping.hardware).text, **bench.files}.items():
        (tmp_path / name).write_text(text)
    subprocess.run(["iverilog", "-g2012", "-o", "run", "all.v"], cwd=tmp_path, check=True)
    done = subprocess.run(["vvp", "run"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "FAIL: 1 differences"
