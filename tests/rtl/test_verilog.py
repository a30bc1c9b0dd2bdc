"""The exported Verilog of every engine gives, in Icarus Verilog, the scores and cycles that PyRTL gives."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from archsim.engine import Clos, Csc, Dense, Engine, Pruned, engines
from archsim.engine.hardware_run import run_rtl
from archsim.engine.mapping import Mapping
from archsim.engine.stimulus import sample_inputs
from rtl import Images, LoadWrite, Run, Simulation, load_writes, make_test_bench, to_verilog
from tests.strategies import cases, parallel_network, stencil_network
from workloads import load_network, quantise

pytestmark = pytest.mark.slow

needs_icarus = pytest.mark.skipif(
    shutil.which("iverilog") is None, reason="Icarus Verilog is not installed (Debian: iverilog)"
)

SHIPPED: list[tuple[str, Engine]] = [
    ("lenet-300-100-dense", Dense(pes=8, fetch_bits=128)),
    ("lenet-300-100-dense", Dense(pes=8, fetch_bits=40, zero_window=4)),
    ("lenet-300-100-csc", Csc(pes=16)),
    ("lenet-300-100-clos", Clos(pes=12, fetch_bits=32)),
    ("lenet-300-100-pruned", Pruned(pes=16)),
    ("lenet-300-100-pruned-x40", Pruned(pes=8, gather="banked", fetch_bits=32)),
    ("lenet-300-100-pruned-x40", Pruned(pes=12, gather="scheduled")),
]


def icarus(folder: Path, mapping: Mapping, loads: list[list[LoadWrite]], runs: list[Run]) -> str:
    """What the exported test bench prints."""
    bench = make_test_bench(mapping.hardware, mapping.images, loads, runs)
    (folder / "engine.v").write_text(to_verilog(mapping.hardware).text)
    (folder / "testbench.v").write_text(bench.verilog)
    for name, text in bench.files.items():
        (folder / name).write_text(text)
    subprocess.run(
        ["iverilog", "-g2012", "-Wall", "-o", "run", "testbench.v", "engine.v"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return subprocess.run(
        ["vvp", "run"], cwd=folder, check=True, capture_output=True, text=True, timeout=300
    ).stdout


@needs_icarus
@pytest.mark.parametrize(("network", "engine"), SHIPPED)
def test_exported_engines_classify_digits_in_icarus(network: str, engine: Engine, tmp_path: Path) -> None:
    mapping = engine.map(quantise(load_network(network), 8, 8))
    inputs = sample_inputs(mapping.network, 1)
    runs, outputs = run_rtl(mapping, inputs)
    assert np.array_equal(outputs, mapping.network.run(inputs))
    said = icarus(tmp_path, mapping, [mapping.load(x) for x in inputs.T], runs)
    assert f"input 0: {runs[0].cycles} cycles" in said
    assert "PASS: 1 inputs" in said


@needs_icarus
@pytest.mark.parametrize("kind", sorted(engines))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_random_engines_agree_in_icarus(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    case = data.draw(cases(kind, most_pes=6, biases=True))
    mapping = case.engine.map(case.network)
    inputs = sample_inputs(mapping.network, 2)
    runs, _ = run_rtl(mapping, inputs)
    said = icarus(tmp_path, mapping, [mapping.load(x) for x in inputs.T], runs)
    assert "PASS: 2 inputs" in said, said


@needs_icarus
@pytest.mark.parametrize("options", [{"pes": 3}, {"pes": 16}, {"pes": 8, "banks": 2}])
def test_stencils_agree_in_icarus(options: dict[str, Any], tmp_path: Path) -> None:
    # A word that nobody wrote would be unknown there, and so would each of its products, by zero too.
    mapping = Csc(**options).map(stencil_network())
    inputs = sample_inputs(mapping.network, 2)
    runs, outputs = run_rtl(mapping, inputs)
    assert np.array_equal(outputs, mapping.network.run(inputs))
    said = icarus(tmp_path, mapping, [mapping.load(x) for x in inputs.T], runs)
    assert "PASS: 2 inputs" in said, said


@needs_icarus
def test_a_parallel_butterfly_agrees_in_icarus(tmp_path: Path) -> None:
    mapping = Clos(pes=8).map(parallel_network())
    inputs = sample_inputs(mapping.network, 2)
    runs, _ = run_rtl(mapping, inputs)
    said = icarus(tmp_path, mapping, [mapping.load(x) for x in inputs.T], runs)
    assert "PASS: 2 inputs" in said, said


@needs_icarus
def test_the_test_bench_fails_when_a_score_is_wrong(tmp_path: Path) -> None:
    mapping = Csc(pes=4).map(quantise(load_network("lenet-300-100-csc-x40"), 8, 8))
    inputs = sample_inputs(mapping.network, 1)
    (run,), _ = run_rtl(mapping, inputs)
    wrong = (tuple(score ^ 1 for score in run.scores[0]), *run.scores[1:])
    said = icarus(tmp_path, mapping, [mapping.load(inputs[:, 0])], [replace(run, scores=wrong)])
    assert "FAIL" in said


def test_equal_components_share_one_module() -> None:
    mapping = Csc(pes=16).map(quantise(load_network("lenet-300-100-csc"), 8, 8))
    design = to_verilog(mapping.hardware)
    assert len(design.instances["pe"]) == 16
    assert len(design.instances["weight_memory"]) == 16
    assert design.text.count("module pe ") == 1
    assert "probe" not in design.text


def test_the_load_port_brings_the_network_in() -> None:
    """A simulation whose memories start empty and are filled through the load port gives the same run."""
    mapping = Pruned(pes=4, gather="banked").map(quantise(load_network("lenet-300-100-pruned-x40"), 8, 8))
    inputs = sample_inputs(mapping.network, 1)
    expected, _ = run_rtl(mapping, inputs)
    empty = Simulation(mapping.hardware, Images([], [[]] * 4, [[]] * 4))
    network = load_writes(mapping.images)
    run = empty.run([*network, *mapping.load(inputs[:, 0])])
    assert run == replace(expected[0], load_cycles=expected[0].load_cycles + len(network))
