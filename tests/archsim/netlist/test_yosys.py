"""Runs of Yosys are remembered by content, and its refusals come back as one sentence."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from archsim.netlist import yosys
from archsim.netlist.yosys import YosysError, run_yosys
from workloads.data.cache import CACHE_VARIABLE

SCRIPT = "read_verilog design.v\nhierarchy -check -top small\nproc\nwrite_json out.json\n"
VERILOG = "module small(input a, output b); assign b = !a; endmodule"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[object]:
    """Counts the processes started, with an empty cache."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    runs: list[object] = []
    start = subprocess.run

    def counted(*args: object, **options: object) -> object:
        runs.append(args)
        return start(*args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", counted)
    return runs


def test_the_same_design_is_answered_from_the_cache(started: list[object], tmp_path: Path) -> None:
    first = run_yosys(script=SCRIPT, files={"design.v": VERILOG}, outputs=("out.json",))
    second = run_yosys(script=SCRIPT, files={"design.v": VERILOG}, outputs=("out.json",))
    assert first == second
    assert len(started) == 1
    (entry,) = (tmp_path / "yosys").iterdir()
    assert entry.suffix == ".json"


@pytest.mark.parametrize("spoiled", ["", "{}", '{"value": {"out.json": "{}"}, "sha256": "0"}', "[1]"])
def test_a_spoiled_cache_entry_is_computed_again(started: list[object], tmp_path: Path, spoiled: str) -> None:
    first = run_yosys(script=SCRIPT, files={"design.v": VERILOG}, outputs=("out.json",))
    (entry,) = (tmp_path / "yosys").iterdir()
    whole = entry.read_text()
    entry.write_text(spoiled)
    assert run_yosys(script=SCRIPT, files={"design.v": VERILOG}, outputs=("out.json",)) == first
    assert len(started) == 2
    assert entry.read_text() == whole


def test_another_version_of_yosys_is_another_entry(
    started: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_yosys(script=SCRIPT, files={"design.v": VERILOG}, outputs=("out.json",))
    monkeypatch.setattr(yosys, "yosys_version", lambda: "0.23")
    run_yosys(script=SCRIPT, files={"design.v": VERILOG}, outputs=("out.json",))
    assert len(started) == 2
    assert len(list((tmp_path / "yosys").iterdir())) == 2


def test_broken_verilog_is_refused_in_one_sentence(started: list[object], tmp_path: Path) -> None:
    with pytest.raises(YosysError) as refusal:
        run_yosys(script=SCRIPT, files={"design.v": "module small(input a"}, outputs=("out.json",))
    message = str(refusal.value)
    assert message.startswith("Yosys refuses the design: design.v:1: syntax error")
    assert not message.endswith(".")
    assert "\n" not in message
    assert not (tmp_path / "yosys").exists()


def test_a_script_that_does_not_write_its_output_is_named(started: list[object]) -> None:
    with pytest.raises(YosysError, match=r"without writing other\.json"):
        run_yosys(script=SCRIPT, files={"design.v": VERILOG}, outputs=("other.json",))
