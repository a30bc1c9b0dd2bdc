"""Files of timelines are read back by other programs' readers: pyvcd's tokens, and the fields that Chromium's
Trace Event Format documents."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from vcd.reader import TokenKind, tokenize

import archsim as a
from archsim.engine import Csc, Engine, Pruned
from archsim.engine.hardware_run import run_rtl
from archsim.engine.stimulus import sample_inputs
from archsim.trace.files import write_trace
from archsim.trace.runs import TraceError
from tests.archsim.test_places import convolved
from tests.rtl.test_verilog import icarus
from workloads.files import OutputError

Waves = dict[str, list[tuple[int, Any]]]


def waves(path: Path) -> Waves:
    """The changes of every variable of a VCD file, by its name with scopes: times and values."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    scopes: list[str] = []
    changes: Waves = {}
    now = 0
    with path.open("rb") as file:
        for token in tokenize(file):
            match token.kind:
                case TokenKind.SCOPE:
                    scopes.append(token.scope.ident)
                case TokenKind.UPSCOPE:
                    scopes.pop()
                case TokenKind.VAR:
                    name = ".".join([*scopes, token.var.reference])
                    names[token.var.id_code].append(name)
                    changes[name] = []
                case TokenKind.CHANGE_TIME:
                    now = token.time_change
                case TokenKind.CHANGE_SCALAR:
                    _note(changes, names[token.scalar_change.id_code], now, token.scalar_change.value)
                case TokenKind.CHANGE_VECTOR:
                    _note(changes, names[token.vector_change.id_code], now, token.vector_change.value)
                case TokenKind.CHANGE_STRING:
                    _note(changes, names[token.string_change.id_code], now, token.string_change.value)
    return changes


def _note(changes: Waves, names: list[str], now: int, value: Any) -> None:
    for name in names:
        changes[name].append((now, value))


@pytest.fixture(scope="module", params=["banked", "places"])
def shown(request: pytest.FixtureRequest) -> a.Timeline:
    if request.param == "places":
        return a.timeline(convolved(a.Csc(pes=4)))
    engine = a.Pruned(pes=12, gather="banked")
    point = a.DesignPoint(
        network="lenet-300-100-pruned-x40", engine=engine, technology="cmos65", clock_hz=3e8
    )
    return a.timeline(point, first=50, last=600)


def test_waveforms_say_what_the_timeline_does(shown: a.Timeline, tmp_path: Path) -> None:
    write_trace(shown, tmp_path / "run.vcd")
    read, period = waves(tmp_path / "run.vcd"), 1e12 / shown.clock_hz
    digits = 2 if "PE 10" in shown.tracks else 1
    for track in shown:
        name = track.unit.name
        scope = f"PE_{int(name[3:]):0{digits}}" if name.startswith("PE ") else name.replace(" ", "_")
        times = [round(span.first * period) for span in track]
        states = [span.state.replace(" ", "_") for span in track]
        told: dict[str, list[Any]] = {
            "state": states,
            "words": [span.value for span in track],
            "number": [span.value - 1 if span.value else "x" for span in track],
        }
        holds = track.unit.holds
        assert read[f"archsim.{scope}.{holds}"] == list(zip(times, told[holds], strict=True))
        if holds == "state":
            stalled = [span for span in track if span.kind == "stalled"]
            ended = {span.last for span in stalled}
            rises = [at for at, value in read[f"archsim.{scope}.stalled"] if value == "1"]
            assert rises == [round(span.first * period) for span in stalled if span.first not in ended]


def test_waveforms_end_with_done(tmp_path: Path) -> None:
    shown = a.timeline(convolved(a.Csc(pes=4)))
    write_trace(shown, tmp_path / "run.vcd")
    read, period = waves(tmp_path / "run.vcd"), 1e12 / shown.clock_hz
    assert read["archsim.done"] == [(0, "0"), (round(shown.done * period), "1")]
    busy = [(0, "0"), (round(period), "1"), (round(shown.done * period), "0")]
    assert read["archsim.busy"] == read["archsim.engine.busy"] == busy


DUMP = """
module dump;
  initial begin
    $dumpfile("waves.vcd");
    $dumpvars(1, testbench.start, testbench.busy, testbench.done, testbench.score_valid);
  end
endmodule
"""


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
@pytest.mark.parametrize("engine", [Csc(pes=4), Pruned(pes=3, gather="banked"), Pruned(pes=3)])
def test_icarus_sees_the_same_pins(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = convolved(engine, fabric="fpga")
    x = sample_inputs(mapping.network, 1)
    runs, _ = run_rtl(mapping, x)
    monkeypatch.setattr("tests.rtl.test_verilog.to_verilog", _with_dump)
    assert "PASS" in icarus(tmp_path, mapping, [mapping.load(x[:, 0])], runs)
    read, shown = waves(tmp_path / "waves.vcd"), a.timeline(mapping)
    pins = {name.rpartition(".")[2].partition("[")[0]: changes for name, changes in read.items()}
    began = next(at for at, value in pins["busy"] if value == "1")
    # A cycle of the test bench is ten units of time, and busy rises in cycle 1.
    cycles = {
        name: [((at - began) // 10 + 1, value) for at, value in changes if at >= began]
        for name, changes in pins.items()
    }
    assert cycles["busy"] == [(1, "1"), (shown.done, "0")]
    assert cycles["done"] == [(shown.done, "1")]
    left = [(at, value.bit_count()) for at, value in cycles["score_valid"]]
    assert left[0][0] > 1
    assert [(span.first, span.value) for span in shown["scores"]][1:] == _changes(left)


def _with_dump(hardware: Any) -> Any:
    from dataclasses import replace

    from rtl import to_verilog

    made = to_verilog(hardware)
    return replace(made, text=made.text + DUMP)


def _changes(counts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Numbers of pins that are high, where they change."""
    kept, last = [], 0
    for at, count in counts:
        if count != last:
            kept.append((at, count))
        last = count
    return kept


PHASES = {"X", "C", "M", "i"}
"""Complete events, counters, metadata, instants."""

FIELDS = {"name", "cat", "ph", "ts", "dur", "pid", "tid", "args", "cname", "s"}
"""All fields that the format documents for these."""


def test_a_trace_has_the_documented_fields(shown: a.Timeline, tmp_path: Path) -> None:
    write_trace(shown, tmp_path / "run.json")
    trace = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert set(trace) == {"traceEvents", "displayTimeUnit", "otherData"}
    assert trace["displayTimeUnit"] in ("ms", "ns")
    for event in trace["traceEvents"]:
        assert set(event) <= FIELDS
        assert event["ph"] in PHASES
        assert isinstance(event["name"], str)
        assert all(isinstance(event[name], int) for name in ("pid", "tid"))
        if event["ph"] != "M":
            assert shown.first <= event["ts"] <= shown.last
        if event["ph"] == "X":
            assert event["dur"] > 0
            assert event["cat"] in ("busy", "stalled", "waiting")
        if event["ph"] == "C":
            assert all(isinstance(value, int) for value in event["args"].values())
        if event["ph"] == "i":
            assert event["s"] in ("g", "p", "t")


def test_a_trace_says_what_the_timeline_does(shown: a.Timeline, tmp_path: Path) -> None:
    write_trace(shown, tmp_path / "run.json")
    events = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["traceEvents"]
    threads = {
        (event["pid"], event["tid"]): event["args"]["name"]
        for event in events
        if event["name"] == "thread_name"
    }
    spans: defaultdict[str, list[tuple[int, int, str, str]]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            of = threads[event["pid"], event["tid"]]
            spans[of].append((event["ts"], event["ts"] + event["dur"], event["cat"], event["name"]))
        if event["ph"] == "C":
            assert event["ts"] == shown.last or event["args"]["words"] in shown[event["name"]].values
    for track in shown:
        told = [(span.first, span.last, span.kind, span.state) for span in track if span.kind != "idle"]
        if track.unit.holds == "state":
            assert spans[track.unit.name] == told
        if track.unit.holds == "number":
            assert set(told) <= set(spans["progress"])
    _nested(spans["progress"])


def _nested(spans: list[tuple[int, int, str, str]]) -> None:
    """Each lies in those that began before it and have not ended."""
    open_until: list[int] = []
    for first, last, _, _ in spans:
        while open_until and open_until[-1] <= first:
            open_until.pop()
        assert not open_until or last <= open_until[-1]
        open_until.append(last)


def test_another_ending_is_refused(shown: a.Timeline, tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"run.fst, allowed are files that end in .vcd or .json"):
        write_trace(shown, tmp_path / "run.fst")


def test_a_folder_that_is_not_there_is_refused(shown: a.Timeline, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="allowed is a file in a folder that exists"):
        write_trace(shown, tmp_path / "nowhere" / "run.vcd")
