"""The checker's own arithmetic: what it gives to other tools and reads of theirs. None of them runs."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from archsim.layout import place, subject_of
from archsim.netlist import synthesise_asic
from archsim.technology.lef import read_lef
from archsim.technology.lef_layers import read_layers
from tests.archsim.layout.problems import problem
from tests.archsim.netlist.sample import engine
from tests.layout_check import __main__ as check, by_coriolis, by_qflow, programs
from tests.layout_check.comparison import Row, table
from tests.layout_check.def_reading import Component, read_def
from tests.layout_check.netlists import Case, OnTracks, without_memories
from tests.layout_check.places import ours
from tests.run_cache import run_cache
from workloads.data.cache import CACHE_VARIABLE

ROOT = Path(__file__).parents[2]
DEF = """
UNITS DISTANCE MICRONS 100 ;
COMPONENTS 3 ;
- NAND2_1 NAND2 + PLACED ( 110 -10 ) FS ;
- ram_1 RAM
  + FIXED ( 0 200 ) W ;
- loose NAND2 + UNPLACED ;
END COMPONENTS
PINS 1 ;
- n5 + NET n5
  + LAYER M3 ( -5 -5 ) ( 5 5 )
  + PLACED ( -20 4600 ) N ;
END PINS
NETS 3 ;
- n5
  ( PIN n5 )
  ( NAND2_1 A )
+ ROUTED M1 ( 100 200 ) ( 140 * ) VIA1
  NEW M2 ( 140 200 ) ( * 500 20 ) VIA1
  NEW M1 ( 100 200 ) VIA1 ;
- n6 ( NAND2_1 Y ) ;
END NETS
SPECIALNETS 1 ;
- n5
+ ROUTED M1 40 ( 140 500 ) ( 145 * ) ;
END SPECIALNETS
"""


def test_a_def_file_is_read_with_its_turns_pins_and_wires() -> None:
    made = read_def(DEF)
    assert made.components == {
        "NAND2_1": Component("NAND2", 1.1, -0.1, 6),
        "ram_1": Component("RAM", 0.0, 2.0, 1),
    }
    assert made.pins == {"n5": (-0.2, 46.0)}
    assert made.wire_um == {"n5": pytest.approx(0.4 + 3.0 + 0.05)}


def row(**changes: object) -> Row:
    given = {"case": "x", "cells": 5, "placer": "p", "router": "r", "ours_um": 100.0, "ours_s": 1.0}
    return Row(**given | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, 0),
        ({"theirs_um": 91.0, "routed_over_tree": 1.149}, 0),
        ({"theirs_um": 90.0}, 1),
        ({"routed_over_tree": 1.151}, 1),
        ({"routed_over_tree": 0.849, "theirs_um": 50.0}, 2),
        ({"routed_over_tree": math.nan, "theirs_um": math.nan}, 2),
    ],
)
def test_what_does_not_hold_is_told(changes: dict[str, object], faults: int) -> None:
    assert len(list(row(**changes).faults)) == faults


def test_the_table_shows_both_lengths_and_their_ratio() -> None:
    told = table([row(theirs_um=125.0, open=3), row()]).markdown().replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "| x | p | r | 5 | 100 µm | 125 µm | 0.800 | — | 3 |" in told
    assert json.loads(json.dumps(row(theirs_um=125.0).plain()))["ours_over_theirs"] == 0.8


def test_sums_over_places_are_those_of_the_placer() -> None:
    placed = place(problem(cells=30, ports=5, nets=40, seed=3))
    places = ours(placed)
    assert places.pin_um == pytest.approx(placed.pin_um)
    assert places.half_perimeter_um == pytest.approx(placed.hpwl_um[~placed.problem.is_clock].sum())
    tree_um = places.tree_um
    assert places.routed_over_tree(1.25 * tree_um) == pytest.approx(1.25)
    counted = np.where(tree_um > 0, tree_um, 1e6)
    assert places.routed_over_tree(counted) == pytest.approx(1), "clocks and nets of one pin are left out"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """An engine of two PEs without its memories, placed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(run_cache(tmp_path_factory)))
        netlist = synthesise_asic(engine(2), "archsim_engine", OnTracks()).flat()
    assert netlist.memories
    subject = subject_of(without_memories(netlist), OnTracks())
    return Case(
        name="two PEs, ours", subject=subject, placement=place(subject.problem), placing_s=1.0, is_ours=True
    )


def test_what_a_memory_was_connected_to_has_a_port(case: Case) -> None:
    subject = case.subject
    assert not subject.blocks
    nets = subject.port_nets.tolist()
    assert len(set(nets)) == len(nets)
    assert case.folder == "two_PEs_ours"
    site = subject.abstracts.site_width_um
    for outline in subject.abstracts.cells.values():
        assert all(x / site % 1 == pytest.approx(0.5) for x, _ in outline.pins.values())


def test_coriolis_gets_every_pin_and_gives_places_back(case: Case) -> None:
    placement = case.placement
    given = by_coriolis.given_of(case, placement.port_um, by_coriolis.lying(placement))
    problem, netlist = case.subject.problem, case.subject.netlist
    assert len(given["instances"]) == problem.cells
    assert sum(len(net["pins"]) for net in given["nets"]) == (netlist.pin_net >= 2).sum()
    assert sum(len(net["ports"]) for net in given["nets"]) == (case.subject.port_nets >= 2).sum()
    made = {"places": json.loads(json.dumps(given["instances"]))}
    assert by_coriolis.places_of(case, made, placement.port_um).pin_um == pytest.approx(placement.pin_um)
    loose = by_coriolis.given_of(case, np.zeros((0, 2)), is_routed=False)
    assert not any(net["ports"] for net in loose["nets"])
    assert "x_um" not in loose["instances"][0]


def test_open_segments_are_counted_in_the_log_of_katana() -> None:
    log = (
        "  o  Routing did not complete, unrouted segments:\n"
        "      1| &<id:20176 Vertical n237 M3 [0.9um 11.7um] [0.9um 15.1um] 0.1um rpD:1 -- 3.6um 0 ->\n"
        "     12| &<id:24094 Horizontal n14 M4 [36.9um 1.5um] [38.7um 1.5um] 0.1um rpD:2 -- 2um 0 ->\n"
    )
    assert by_coriolis.open_segments(log) == 2
    assert by_coriolis.open_segments("#1:\tSwaps 69208\n") == 0


def test_open_nets_are_those_that_qrouter_names_in_the_end() -> None:
    first = "Progress: Stage 1 total routes completed: 90\nFailed net routes: 7\n"
    assert by_qflow.open_nets(first + "Final: No failed routes!\n") == 0
    assert by_qflow.open_nets(first + "Final: Failed net routes: 2\n") == 2
    assert (
        by_qflow.open_nets(first + "Progress: Stage 2 total routes completed: 97\nNo failed routes!\n") == 0
    )
    assert by_qflow.open_nets("killed\n") == -1


def test_qflow_gets_the_netlist_and_outlines_and_gives_places_back(case: Case, tmp_path: Path) -> None:
    blif = by_qflow.blif_of(case).splitlines()
    netlist, placement = case.subject.netlist, case.placement
    assert sum(line.startswith(".gate ") for line in blif) == case.cells
    assert sum(line.count("=") for line in blif) == (netlist.pin_net >= 2).sum()
    path = tmp_path / "check.lef"
    path.write_text(by_qflow.technology_lef(case), encoding="utf-8")
    outlines = read_lef([path]).outlines
    assert outlines["FILL"].width_um == pytest.approx(case.subject.abstracts.site_width_um)
    for name in netlist.count():
        assert outlines[name].width_um == pytest.approx(case.subject.abstracts.cells[name].width_um)
    assert [layer.name for layer in read_layers([path])] == ["M1", "M2", "M3", "M4", "M5"]
    made = read_def(_as_def(case))
    assert by_qflow.places_of(case, made).pin_um == pytest.approx(placement.pin_um, abs=0.011)


def _as_def(case: Case) -> str:
    """A placement as qflow writes one: cells by number within their type, ports by their net."""
    netlist, placement = case.subject.netlist, case.placement
    numbers: dict[str, int] = {}
    cells = []
    for kind, x, y, row in zip(
        netlist.cell_type, placement.x_um, placement.y_um, placement.cell_row, strict=True
    ):
        name = netlist.type_names[kind]
        numbers[name] = numbers.get(name, 0) + 1
        lying = "FS" if row % 2 else "N"
        cells.append(f"- {name}_{numbers[name]} {name} + PLACED ( {x * 100:.0f} {y * 100:.0f} ) {lying} ;")
    ports = [
        f"- n{net} + NET n{net}\n  + PLACED ( {x * 100:.0f} {y * 100:.0f} ) N ;"
        for net, (x, y) in zip(case.subject.port_nets, placement.port_um, strict=True)
    ]
    sections = (("COMPONENTS", cells), ("PINS", ports))
    parts = [f"{name} {len(lines)} ;\n" + "\n".join(lines) + f"\nEND {name}" for name, lines in sections]
    return "\n".join(["UNITS DISTANCE MICRONS 100 ;", *parts])


def test_what_is_missing_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    for name in ("CORIOLIS", "QFLOW", "OSU018"):
        monkeypatch.setattr(programs, name, tmp_path / "nowhere")
    told = [tool.missing for tool in programs.tools().values() if not tool.is_there]
    assert len(told) == 4
    assert all(" is missing, " in sentence and "\n" not in sentence for sentence in told)


def test_a_program_that_fails_is_told_with_its_log(tmp_path: Path) -> None:
    assert programs.run(["sh", "-c", "echo $DISPLAY; pwd"], tmp_path, "well.log") >= 0
    assert (tmp_path / "well.log").read_text().splitlines() == ["", str(tmp_path.resolve())]
    with pytest.raises(programs.ProgramError, match=r"^sh ended with status 3, .*ill.log says why$"):
        programs.run(["sh", "-c", "exit 3"], tmp_path, "ill.log")


def test_the_target_is_there_and_runs_coriolis_in_an_environment_of_its_own() -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "layout-check"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "-m tests.layout_check build/layout_check" in shown
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "build/coriolis/bin/python -m pip install" in makefile
    assert str(programs.CORIOLIS) == "build/coriolis/bin/python"
    for path in Path(__file__).parent.glob("*.py"):
        imports = "from coriolis import" in path.read_text(encoding="utf-8")
        assert not imports or path.name in ("coriolis_program.py", "programs.py", Path(__file__).name)


def test_without_any_tool_the_check_fails_and_names_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    nothing = {name: programs.Tool(name, False, "it grows on trees") for name in programs.tools()}
    monkeypatch.setattr(check, "tools", lambda: nothing)
    monkeypatch.setattr("sys.argv", ["layout_check", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"^neither Coriolis nor graywolf is there"):
        check.main()
    assert capsys.readouterr().err.splitlines() == [tool.missing for tool in nothing.values()]


def test_rows_and_faults_are_shown_and_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, case: Case
) -> None:
    there = {name: programs.Tool(name, name != "graywolf", "") for name in programs.tools()}

    def rows(of: Case, folder: Path) -> Iterator[Row]:
        assert folder == tmp_path / "coriolis" / of.folder
        yield row(case=of.name, theirs_um=50.0)
        raise programs.ProgramError("katana ended with status 11, a.log says why")

    monkeypatch.setattr(check, "tools", lambda: there)
    monkeypatch.setattr(check, "cases", lambda: [case])
    monkeypatch.setattr(by_coriolis, "rows", rows)
    monkeypatch.setattr("sys.argv", ["layout_check", str(tmp_path)])
    with pytest.raises(SystemExit, match="katana ended with status 11") as ended:
        check.main()
    assert "our half perimeter is 2.000 of theirs" in str(ended.value)
    assert case.name in capsys.readouterr().out
    kept = json.loads((tmp_path / "layout_check.json").read_text(encoding="utf-8"))
    assert [one["case"] for one in kept["rows"]] == [case.name]
    assert len(kept["faults"]) == 2
