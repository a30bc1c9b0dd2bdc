"""`archsim trace` writes what its file's ending asks for, and refuses in a sentence."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import archsim as a
from archsim.trace.runs import run_of
from archsim.trace.utilisation import utilisation_of
from reports.cli import main
from reports.pictures.run import LOOKS, described, save_picture

DESIGN = """
network: lenet-300-100-pruned-x40
engine: {kind: pruned, pes: 4, gather: banked}
technology: cmos65
"""
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def design(tmp_path: Path) -> Path:
    path = tmp_path / "design.yaml"
    path.write_text(DESIGN, encoding="utf-8")
    return path


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as done:
        main([str(each) for each in arguments])
    return int(done.value.code or 0)


def test_the_ending_says_what_is_written(
    design: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, begins in (("run.vcd", "$comment"), ("run.json", "{"), ("run.svg", "<?xml")):
        out = tmp_path / name
        assert run("trace", design, "--out", out, "--to", "60") == 0
        assert out.read_text(encoding="utf-8").startswith(begins)
        assert f"units from cycle 0 to 60 in {out}." in capsys.readouterr().out


def test_hardware_writes_the_same_trace_whatever_the_inputs(design: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", np.full((1, 784), 0.5))
    texts = []
    for number, options in enumerate(((), ("--fidelity", "rtl", "--inputs", str(tmp_path / "own.npy")))):
        out = tmp_path / f"run{number}.json"
        assert run("trace", design, "--out", out, "--from", "20", "--to", "120", *options) == 0
        texts.append(json.loads(out.read_text(encoding="utf-8"))["traceEvents"])
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--fidelity", "gate"), "fidelity is 'gate', allowed are cycle, rtl"),
        (("--fidelity", "analytic"), "fidelity is 'analytic', allowed are cycle, rtl"),
        (("--out", "run.fst"), "out is run.fst, allowed are files that end in .vcd, .json or .svg"),
        (("--out", "nowhere/run.vcd"), "out is nowhere/run.vcd, allowed is a file in a folder that exists"),
        (("--from", "-1"), "from is -1, allowed are cycles 0 to"),
        (("--to", "100000000"), "to is 100000000, allowed are cycles 1 to"),
        (("--from", "10", "--to", "10"), "to is 10, allowed are cycles 11 to"),
        (("--inputs", "nothing.npy"), "nothing.npy"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    options: tuple[str, ...],
    said: str,
    design: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("trace", design, "--out", "run.vcd", *options) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not list(tmp_path.glob("run*"))


def test_a_picture_has_a_title_a_description_a_unit_and_a_legend(design: Path, tmp_path: Path) -> None:
    point = a.DesignPoint.from_file(design)
    shown = a.utilisation(point, parts=30)
    save_picture(shown, tmp_path / "run.svg")
    root = ElementTree.parse(tmp_path / "run.svg").getroot()
    assert root.get("role") == "img"
    title, description = (root.findtext(f"{SVG}{name}") for name in ("title", "desc"))
    assert title == f"{shown.label}: what each unit does over a run (fidelity cycle)"
    assert description == described(shown)
    text = (tmp_path / "run.svg").read_text(encoding="utf-8")
    for words in ("one is 10 ns", "busy, share of cycles", "all PEs", "stage 0"):
        assert f"<!-- {words}" in text or words in text


def test_the_description_has_the_shares_of_the_run(design: Path) -> None:
    run_of_design = run_of(a.DesignPoint.from_file(design))
    shown, whole = utilisation_of(run_of_design, 30), run_of_design.timeline()
    pes = [whole[f"PE {number}"] for number in range(4)]
    for kind in LOOKS:
        share = np.mean([track.cycles_in(kind) for track in pes]) / whole.last
        assert f"{share:.0%} {kind}" in described(shown).partition(".")[0]
