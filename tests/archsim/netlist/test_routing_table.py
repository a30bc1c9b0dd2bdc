"""The table of routed paths is of the engines that it names, each placed and routed once."""

from __future__ import annotations

import pytest

from archsim.calibration.routing import LAST, NETWORKS, PES, TABLE, designs, row_of
from archsim.engine import engines
from archsim.netlist import FpgaLayouts
from archsim.netlist.fpga_layout import read_layout
from archsim.netlist.nextpnr import DELAYS as DELAYS_FILE, REPORT as REPORT_FILE
from archsim.technology import Ecp5
from archsim.technology.quantity import load_table
from tests.archsim.netlist.nextpnr_sample import DELAYS, REPORT


def test_every_engine_is_placed_in_every_organisation_and_the_long_ones_last() -> None:
    labels = [(label, design.engine.pes) for label, design in designs()]
    organisations = {label for kind in engines for label in engines[kind].organisations()}
    assert set(NETWORKS) == set(engines)
    assert sorted(labels) == sorted((label, pes) for label in organisations for pes in PES)
    assert [label for label, _ in labels[-len(PES) :]] == [*LAST] * len(PES)


def test_a_row_is_what_a_layout_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    def placed(verilog: str, top: str, technology: Ecp5) -> FpgaLayouts:
        files = {REPORT_FILE: REPORT, DELAYS_FILE: DELAYS}
        return FpgaLayouts((read_layout(files, technology, technology.place_and_route, 1),))

    monkeypatch.setattr("archsim.calibration.routing.lay_out_fpga", placed)
    row = row_of(*next(designs((1,))))
    assert (row["engine"], row["pes"], row["lut4"]) == ("csc", 1, 3)
    assert row["routed_path_s"] == row["routed_from_flops_s"] == pytest.approx(1.714e-9)
    assert row["logic_path_s"] == row["logic_from_flops_s"] == pytest.approx(0.761e-9)
    assert row["net_delay_s"] == pytest.approx((1.714e-9 - 0.761e-9) / 2, abs=1e-12)
    assert list(row) == list(load_table(TABLE).columns)


def test_routing_makes_paths_longer_and_more_so_in_larger_designs() -> None:
    rows = load_table(TABLE).rows
    named = [(row["engine"], row["pes"]) for row in rows]
    assert len(set(named)) == len(named)
    for row in rows:
        assert row["routed_path_s"] >= row["routed_from_flops_s"]
        assert row["logic_path_s"] >= row["logic_from_flops_s"]
        assert 1.2 < row["routed_path_s"] / row["logic_path_s"] < 4
    factors = {
        pes: [row["routed_path_s"] / row["logic_path_s"] for row in rows if row["pes"] == pes] for pes in PES
    }
    means = [sum(known) / len(known) for known in factors.values() if known]
    assert means == sorted(means)
