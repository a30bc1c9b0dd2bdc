"""The exported Verilog of every engine gives, in Verilator, the scores and cycles that PyRTL gives."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from archsim.calibration.plan import draw_small
from archsim.engine import Clos, Csc
from archsim.engine.hardware_run import run_rtl
from archsim.engine.mapping import Mapping
from archsim.engine.stimulus import sample_inputs
from rtl import LoadWrite, Run, make_test_bench, to_verilog
from tests.strategies import parallel_network, stencil_network
from workloads import load_network, quantise

pytestmark = pytest.mark.slow

SMALL = {each.map().sizes.label: each for each in draw_small(5, 4, pes=3)}
needs_verilator = pytest.mark.skipif(
    shutil.which("verilator") is None, reason="Verilator is not installed (Debian: verilator)"
)

_BUILT: list[Path] = []
"""Where an engine was built: Verilator's own runtime is the same for all, and compiled once."""


def verilator(folder: Path, mapping: Mapping, loads: list[list[LoadWrite]], runs: list[Run]) -> str:
    """What the exported test bench prints. Verilator's warnings are errors, but for comparisons that a size
    makes constant."""
    bench = make_test_bench(mapping.hardware, mapping.images, loads, runs)
    (folder / "engine.v").write_text(to_verilog(mapping.hardware).text)
    (folder / "testbench.v").write_text(bench.verilog)
    for name, text in bench.files.items():
        (folder / name).write_text(text)
    fast_to_build = "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
    build = ["verilator", "--binary", "--timing", "-Wno-CMPCONST", "-j", "1", "-MAKEFLAGS", fast_to_build]
    (folder / "obj_dir").mkdir()
    for compiled in _BUILT[0].glob("verilated*.o") if _BUILT else ():
        shutil.copy(compiled, folder / "obj_dir")
    subprocess.run(
        [*build, "--top-module", "testbench", "testbench.v", "engine.v"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=300,
    )
    _BUILT.append(folder / "obj_dir")
    run = ["obj_dir/Vtestbench"]
    return subprocess.run(run, cwd=folder, check=True, capture_output=True, text=True, timeout=60).stdout


def agrees(mapping: Mapping, folder: Path, *, inputs: int = 2) -> bool:
    """Whether every score and the cycles of each input are those of PyRTL."""
    x = sample_inputs(mapping.network, inputs)
    runs, outputs = run_rtl(mapping, x)
    assert np.array_equal(outputs, mapping.network.run(x))
    said = verilator(folder, mapping, [mapping.load(column) for column in x.T], runs)
    return f"input 0: {runs[0].cycles} cycles" in said and f"PASS: {inputs} inputs" in said


@pytest.mark.long
@needs_verilator
@pytest.mark.parametrize("kind", SMALL)
def test_a_small_random_engine_of_each_kind_agrees_in_verilator(kind: str, tmp_path: Path) -> None:
    assert agrees(SMALL[kind].map(), tmp_path)


@pytest.mark.long
@needs_verilator
def test_stencils_agree_in_verilator(tmp_path: Path) -> None:
    assert agrees(Csc(pes=8).map(stencil_network()), tmp_path)


@pytest.mark.long
@needs_verilator
def test_a_parallel_butterfly_agrees_in_verilator(tmp_path: Path) -> None:
    assert agrees(Clos(pes=8).map(parallel_network()), tmp_path)


@needs_verilator
def test_a_trained_network_classifies_digits_in_verilator(tmp_path: Path) -> None:
    mapping = Csc(pes=8).map(quantise(load_network("lenet-300-100-csc"), 8, 8))
    assert agrees(mapping, tmp_path, inputs=4)
