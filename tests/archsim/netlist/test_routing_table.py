"""The table of routed paths is of the engines that it names, each placed and routed once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archsim.calibration import routing
from archsim.calibration.routing import (
    FIT,
    LAST,
    NETWORKS,
    PES,
    TABLE,
    Nets,
    designs,
    error_factor,
    fit_law,
    law_without,
    path_ratio,
    row_of,
    write_law,
)
from archsim.engine import engines
from archsim.netlist.fpga import FpgaSynthesis
from archsim.netlist.fpga_layout import FpgaLayout, read_layout
from archsim.netlist.nextpnr import DELAYS as DELAYS_FILE, REPORT as REPORT_FILE
from archsim.netlist.sdf import read_sdf
from archsim.technology import Ecp5
from archsim.technology.fpga.nets import NetLaw
from archsim.technology.quantity import load_quantities, load_table, read_text
from tests.archsim.netlist.nextpnr_sample import DELAYS, REPORT


def test_every_engine_is_placed_in_every_organisation_and_the_long_ones_last() -> None:
    labels = [(label, design.engine.pes) for label, design in designs()]
    organisations = {label for kind in engines for label in engines[kind].organisations()}
    assert set(NETWORKS) == set(engines)
    assert sorted(labels) == sorted((label, pes) for label in organisations for pes in PES)
    assert [label for label, _ in labels[-len(PES) :]] == [*LAST] * len(PES)


def layout() -> FpgaLayout:
    files = {REPORT_FILE: REPORT, DELAYS_FILE: DELAYS}
    return read_layout(files, Ecp5(), Ecp5().place_and_route, 1)


def test_a_row_is_what_a_layout_tells() -> None:
    row = row_of(*next(designs((1,))), layout())
    assert (row["engine"], row["pes"], row["lut4"]) == ("csc", 1, 3)
    assert row["routed_path_s"] == row["routed_from_flops_s"] == pytest.approx(1.714e-9)
    assert row["logic_path_s"] == row["logic_from_flops_s"] == pytest.approx(0.761e-9)
    assert row["net_delay_s"] == pytest.approx((1.714e-9 - 0.761e-9) / 2, abs=1e-12)
    assert list(row) == list(load_table(TABLE).columns)


def test_a_law_gives_back_the_paths_that_follow_it() -> None:
    """Designs whose nets all take what a law says, each of another size."""
    law, measured = NetLaw(1e-9, 0.1), []
    for number in (3, 300, 3000):
        used = {"lut4": number, "ff": 9, "ebr": 0, "mult18": 0}
        net_ps = 1e12 * law.delay_s(number / 83640)
        delays = read_sdf(DELAYS)
        wires = [(source, sink, net_ps if ps else 0.0) for source, sink, ps in delays.wires]
        routed_s = 1e-12 * replace(delays, wires=wires).longest_path_ps()
        utilisation = {name: (count, 10**6) for name, count in used.items()}
        made = replace(layout(), critical_path_s=routed_s, utilisation=utilisation)
        label, design = str(number), next(designs((1,)))[1]
        measured.append(Nets.of_row(row_of(label, design, made)))
        assert measured[-1].share == number / 83640
        assert path_ratio(law, made, measured[-1].share) == pytest.approx(1)
        assert path_ratio(law, made, 10 * measured[-1].share) > 1.1
    for fitted in (fit_law(measured), law_without("300", measured)):
        assert fitted.whole_s == pytest.approx(law.whole_s, rel=5e-3)
        assert fitted.exponent == pytest.approx(law.exponent, rel=2e-2)
    assert error_factor(measured) == pytest.approx(1, abs=5e-3)
    measured[1] = replace(measured[1], delay_s=1.2 * measured[1].delay_s)
    assert error_factor(measured) > 1.1


def test_the_constants_that_ship_follow_from_the_table_that_ships(tmp_path: Path) -> None:
    for file in (TABLE, TABLE.replace("csv", "yaml")):
        (tmp_path / file).write_text(read_text(file), encoding="utf-8")
    law = write_law(tmp_path)
    assert (tmp_path / FIT).read_text(encoding="utf-8") == read_text(FIT)
    shipped = load_quantities(FIT)
    assert float(shipped["net_delay_s_of_whole_device"]) == pytest.approx(law.whole_s, rel=1e-3)
    assert float(shipped["net_delay_exponent"]) == pytest.approx(law.exponent, abs=1e-3)


def test_the_share_of_nets_is_that_of_the_stages_along_one(monkeypatch: pytest.MonkeyPatch) -> None:
    path = ("net to a: 0.500 ns", "a: 1.200 ns", "net to b: 1.700 ns", "b: 2.000 ns")
    made = FpgaSynthesis(
        top="top", components={}, net_delay_s=5e-10, critical_path_s=2e-9, critical_path=path
    )
    one = next(designs((1,)))
    monkeypatch.setattr(routing, "designs", lambda pes, technology: [one])
    monkeypatch.setattr(routing, "synthesise_fpga", lambda *mapped: made)
    assert routing.routing_shares((1,)) == [pytest.approx(0.5)]


def test_routing_makes_paths_longer_and_more_so_in_larger_designs() -> None:
    rows = load_table(TABLE).rows
    named = [(row["engine"], row["pes"]) for row in rows]
    assert len(set(named)) == len(named)
    for row in rows:
        assert row["routed_path_s"] >= row["routed_from_flops_s"]
        assert row["logic_path_s"] >= row["logic_from_flops_s"]
        assert 1.2 < row["routed_path_s"] / row["logic_path_s"] < 4
    # An engine that comes last is large with one PE already.
    grown = [row for row in rows if row["engine"] not in LAST]
    factors = {
        pes: [row["routed_path_s"] / row["logic_path_s"] for row in grown if row["pes"] == pes] for pes in PES
    }
    means = [sum(known) / len(known) for known in factors.values()]
    assert means == sorted(means)
