"""A netlist as a problem: sizes, pins and blocks as technology and LEF state them; a real engine placed."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archsim.layout import LayoutError, Placement, Subject, place, problem_of, subject_of
from archsim.netlist import Netlist, read_netlists, synthesise_asic
from archsim.technology import Asic, Cmos, Cmos65
from archsim.technology.asic.own_files import Macros
from archsim.technology.quantity import load_quantities
from tests.archsim.layout.conftest import TECHNOLOGY
from tests.archsim.layout.problems import check
from tests.archsim.netlist.sample import engine
from tests.archsim.technology.small_library import library
from workloads.refusal import Refusal

LAYOUT = load_quantities("layout.yaml")


def test_a_real_engine_is_placed_legally(placed: Placement) -> None:
    check(placed)


def test_logic_without_memories_has_as_short_wires_as_other_placers_give_it(subject: Subject) -> None:
    """Coloquinte gave a PE of 1,117 cells 3.6 um of half perimeter a sink in a core that is full to 80 %."""
    problem = problem_of(replace(subject.netlist, memories=()), TECHNOLOGY)
    placed, is_data = place(problem), ~problem.is_clock
    check(placed)
    sinks = (np.diff(problem.net_start) - 1)[is_data].clip(0).sum()
    assert 2.5 < placed.hpwl_um[is_data].sum() / sinks < 4.5
    assert 0.75 < problem.cell_um2 / placed.core_um2 <= 0.8


def test_cells_are_their_area_in_whole_sites(subject: Subject) -> None:
    cells = subject.problem.cell_um2
    areas = sum(
        TECHNOLOGY.library.cells[name].area_um2 * number for name, number in subject.netlist.count().items()
    )
    assert areas < cells < 1.12 * areas
    assert subject.problem.cell_sites.min() >= 2


def test_every_pin_of_the_netlist_is_a_pin_of_the_problem_and_lies_on_its_object(subject: Subject) -> None:
    problem, netlist = subject.problem, subject.netlist
    wired = netlist.pin_net >= 2
    of_cells = problem.pin_object < problem.cells
    own = sorted(zip(netlist.pin_net[wired], netlist.pin_cell[wired], strict=True))
    assert own == sorted(zip(problem.pin_net[of_cells], problem.pin_object[of_cells], strict=True))
    half = problem.cell_sites * problem.site_width_um / 2
    assert (np.abs(problem.pin_dx_um[of_cells]) < half[problem.pin_object[of_cells]]).all()


def test_memories_are_blocks_of_the_area_they_are_priced_at(subject: Subject) -> None:
    assert len(subject.blocks) == 3
    by_name = {block.name.partition(".")[0]: block for block in subject.blocks}
    macro, flops = by_name["weight_memory_0"], TECHNOLOGY.memory(words=16, word_bits=8)
    cost = TECHNOLOGY.memory(words=1024, word_bits=8)
    assert cost.built_as == "macro"
    assert flops.built_as == "flops"
    assert macro.width_um * macro.height_um == pytest.approx(cost.area_mm2 * 1e6, rel=0.01)
    assert {pin.y_um for pin in macro.pins} == {0.0}
    places = [pin.x_um for pin in macro.pins]
    assert np.diff(places) == pytest.approx(np.full(len(places) - 1, macro.width_um / len(places)), rel=0.01)
    # A clock, an enable, an address and data each way.
    assert len(places) == 1 + 2 + 2 * 10 + 2 * 8


def test_clocks_do_not_pull_but_behind_their_gates(subject: Subject) -> None:
    problem = subject.problem
    (clock,) = subject.netlist.ports["clk"].nets
    assert problem.is_clock[clock]
    assert not problem.pulls[clock]
    gated = problem.is_clock & problem.pulls
    assert gated.any()
    assert problem.pulls[~problem.is_clock].all()


def test_another_node_has_rows_and_sites_as_much_smaller_as_its_cells() -> None:
    here, there = Cmos65().abstracts, Cmos(node_nm=45).abstracts
    assert 0.6 < there.row_height_um / here.row_height_um < 0.85
    assert {name: there.sites(name) for name in there.cells} == {
        name: here.sites(name) for name in here.cells
    }


@pytest.mark.parametrize("utilisation", [0, -0.5, 1.01, True, "0.8"])
def test_a_utilisation_that_is_no_share_is_refused(subject: Subject, utilisation: float) -> None:
    with pytest.raises(LayoutError, match=r"^utilisation is .*, allowed are numbers above 0, up to 1$"):
        problem_of(subject.netlist, TECHNOLOGY, utilisation=utilisation)


def test_a_fuller_core_is_smaller_by_so_much(subject: Subject) -> None:
    logic = replace(subject.netlist, memories=())
    for utilisation in (0.5, float(LAYOUT["core_utilisation"])):
        problem = problem_of(logic, TECHNOLOGY, utilisation=utilisation)
        assert problem.utilisation == utilisation


LEF = """VERSION 5.7 ;
SITE unit
  CLASS CORE ;
  SIZE 0.5 BY 2.0 ;
END unit
MACRO ND2
  CLASS CORE ;
  SIZE 1.5 BY 2.0 ;
  SITE unit ;
  PIN A
    DIRECTION INPUT ;
    PORT
      LAYER M1 ;
        RECT 0.2 1.0 0.4 1.2 ;
    END
  END A
  PIN VDD
    USE POWER ;
    PORT
      LAYER M1 ;
        RECT 0 1.8 1.5 2 ;
    END
  END VDD
END ND2
"""


def own(tmp_path: Path, lef: str | None) -> Asic:
    (tmp_path / "own.lib").write_text(library())
    if lef is None:
        return Asic(liberty=str(tmp_path / "own.lib"), node_nm=130)
    (tmp_path / "own.lef").write_text(lef)
    return Asic(liberty=str(tmp_path / "own.lib"), node_nm=130, lef=str(tmp_path / "own.lef"))


def netlist_of(cell: str) -> Netlist:
    """One cell with two ports."""
    ports = {"a": {"direction": "input", "bits": [2]}, "z": {"direction": "output", "bits": [3]}}
    one = {"type": cell, "connections": {"A": [2], "Z": [3]}}
    modules = {"top": {"ports": ports, "cells": {"one": one}, "netnames": {}}}
    return read_netlists(json.dumps({"modules": modules}))["top"]


def test_sizes_sites_and_pins_come_from_lef_where_there_is_one(tmp_path: Path) -> None:
    problem = problem_of(netlist_of("ND2"), own(tmp_path, LEF))
    assert (problem.row_height_um, problem.site_width_um) == (2.0, 0.5)
    assert problem.cell_sites.tolist() == [3]
    (pin,) = np.flatnonzero((problem.pin_object == 0) & (problem.pin_net == 2))
    assert (problem.pin_dx_um[pin], problem.pin_dy_um[pin]) == pytest.approx((0.3 - 0.75, 1.1 - 1.0))


@pytest.mark.parametrize(
    ("lef", "cell", "message"),
    [
        (None, "ND2", r"^lef is None, allowed are files with the outlines of the library's cells"),
        (LEF, "INV", r"^cell is 'INV', allowed are cells with an outline on the library's site$"),
        (
            LEF.replace("SITE unit ;", ""),
            "ND2",
            r"^lef gives the cells of library foundry no SITE with a SIZE, allowed are files with",
        ),
    ],
)
def test_a_library_without_sizes_is_refused(lef: str | None, cell: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=message):
        problem_of(netlist_of(cell), own(tmp_path, lef))


IHP = os.environ.get("ARCHSIM_IHP_PDK", "")


@pytest.mark.skipif(not IHP, reason="ARCHSIM_IHP_PDK names no folder of the process")
def test_a_real_process_places_its_own_macros_with_their_own_pins() -> None:
    when = {"read_when": "A_MEN & !A_WEN & A_REN", "write_when": "A_MEN & A_WEN & !A_REN"}
    technology = Asic(
        liberty=f"{IHP}/sg13g2_stdcell_typ_1p20V_25C.lib.gz",
        lef=(f"{IHP}/sg13g2_stdcell.lef.gz", f"{IHP}/RM_*.lef.gz"),
        memories=Macros(files=f"{IHP}/RM_*.lib.gz", **when),
        node_nm=130,
    )
    made = synthesise_asic(engine(1), "archsim_engine", technology)
    subject = subject_of(made.flat(), technology)
    check(place(subject.problem))
    (macro,) = (block for block in subject.blocks if block.name.startswith("weight_memory"))
    assert (macro.abstract, macro.width_um) == ("RM_IHPSG13_1P_1024x8_c2_bm_bist", 146.88)
    places = {pin.name: (pin.x_um, pin.y_um) for pin in macro.pins}
    assert places["A_DIN[4]"] == pytest.approx((109.74, 0.13))
    assert places["A_DOUT[3]"] == pytest.approx((44.47, 0.13))
