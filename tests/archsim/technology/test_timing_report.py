"""The longest path that a user's own tool found takes the place of ours, or the report is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from archsim import DesignPoint
from archsim.technology import Artix7, Ecp5, technology
from archsim.technology.fpga.timing_report import parse_timing_report, read_timing_report
from archsim.technology.fpga.vivado_report import ReportError
from tests.archsim.netlist.nextpnr_sample import REPORT

STATE = "| Design State      : Routed\n"
CLOCK = "clk    {0.000 2.500}        5.000           200.000         \n"
PATH = "                         net (fo=3, routed)           0.504     0.636    fsm/out\n"


def text(
    *,
    state: str = STATE,
    wns: str = "-1.250",
    clocks: str = CLOCK,
    device: str = "7a35t-cpg236",
    paths: str = PATH,
) -> str:
    """What report_timing_summary writes, shortened."""
    return f"""Copyright 1986-2022 Xilinx, Inc. All Rights Reserved.
---------------------------------------------------------------
| Tool Version      : Vivado v.2022.2 (lin64) Build 3671981
| Command           : report_timing_summary -file timing.rpt
| Design            : archsim_engine
| Device            : {device}
| Speed File        : -1  PRODUCTION 1.23 2018-06-13
{state}---------------------------------------------------------------

Timing Summary Report

------------------------------------------------------------------------------------------------
| Design Timing Summary
| ---------------------
------------------------------------------------------------------------------------------------

    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)
    -------      -------  ---------------------  -------------------      -------      -------
{wns:>11}        0.000                      0                  723        0.022        0.000


------------------------------------------------------------------------------------------------
| Clock Summary
| -------------
------------------------------------------------------------------------------------------------

Clock  Waveform(ns)         Period(ns)      Frequency(MHz)
-----  ------------         ----------      --------------
{clocks}

Max Delay Paths
--------------------------------------------------------------------------------------
Slack (MET) :             2.479ns  (required time - arrival time)
{paths}"""


def fmax(**clocks: object) -> str:
    """What nextpnr tells of clocks."""
    return json.dumps({"fmax": clocks})


@pytest.fixture
def vivado(tmp_path: Path) -> Path:
    path = tmp_path / "timing.rpt"
    path.write_text(text(), encoding="utf-8")
    return path


@pytest.fixture
def nextpnr(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(REPORT, encoding="utf-8")
    return path


@pytest.mark.parametrize(("wns", "path_s"), [("-1.250", 6.25e-9), ("2.479", 2.521e-9), ("0", 5e-9)])
def test_the_longest_path_is_the_period_less_the_slack(wns: str, path_s: float) -> None:
    report = parse_timing_report(text(wns=wns))
    assert report.path_s == pytest.approx(path_s)
    assert (report.tool, report.design, report.device) == ("Vivado 2022.2", "archsim_engine", "XC7A35T")


@pytest.mark.parametrize("state", ["Routed", "Physopt postRoute"])
def test_a_routed_design_is_known_by_its_header(state: str) -> None:
    said = f"| Design State      : {state}\n"
    assert parse_timing_report(text(state=said, paths="")).path_s == pytest.approx(6.25e-9)


def test_a_routed_design_is_known_by_its_nets_where_the_header_does_not_say() -> None:
    unset = PATH.replace("routed", "unset")
    assert parse_timing_report(text(state="", paths=unset + PATH)).path_s == pytest.approx(6.25e-9)


def test_the_path_of_nextpnr_is_the_period_of_its_fastest_clock() -> None:
    report = parse_timing_report(REPORT)
    assert report.path_s == pytest.approx(1.714e-9, rel=1e-4)
    assert (report.tool, report.device) == ("nextpnr", None)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "which has no worst negative slack (WNS), allowed is the text of"),
        ("| Device : 7a35t\nslack 1.2\n", "which has no worst negative slack (WNS), allowed is the text of"),
        (text(wns="NA"), "whose WNS is NA, allowed is a report of a design with a constrained clock"),
        (
            text(state="| Design State : Synthesized\n"),
            "whose design is Synthesized, allowed is a report of a routed",
        ),
        (text(state="| Design State : Unrouted\n"), "whose design is Unrouted, allowed"),
        (text(state="", paths=""), "whose design is not said to be routed (its nets are not shown), allowed"),
        (
            text(state="", paths=PATH + PATH.replace("routed", "estimated")),
            "whose design is not said to be routed (its nets are estimated, routed), allowed",
        ),
        (text(clocks=""), "whose design has no clock, allowed is a report of a design with one clock period"),
        (text(clocks=CLOCK + CLOCK.replace("5.000", "8.000")), "whose design has clocks of 5, 8 ns, allowed"),
        (text(wns="5.500"), "whose longest path is -5e-10 s, allowed is a path of more than 0"),
        ("{", "which tells no fastest clock (fmax), allowed is the text of"),
        ("{}", "which tells no fastest clock (fmax), allowed"),
        (fmax(clk=5), "which tells no fastest clock (fmax), allowed"),
        (
            json.dumps({"fmax": {}}),
            "whose design has no clocks, allowed is a report of a design with one clock",
        ),
        (
            json.dumps({"fmax": {name: {"achieved": 5.0} for name in "ab"}}),
            "whose design has 2 clocks, allowed",
        ),
        (json.dumps({"fmax": {"clk": {"achieved": 0.0}}}), "whose longest path is 0 s, allowed"),
    ],
)
def test_what_is_no_report_of_a_routed_design_is_refused_in_one_sentence(
    tmp_path: Path, content: str, why: str
) -> None:
    path = tmp_path / "other.rpt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ReportError) as refused:
        read_timing_report(path)
    assert str(refused.value).startswith(f"timing_report is 'other.rpt', {why}")
    assert "\n" not in str(refused.value)
    assert not str(refused.value).endswith(".")


def test_a_report_of_another_family_is_refused_by_its_device(vivado: Path) -> None:
    with pytest.raises(ValueError, match=r"whose device is XC7A35T, allowed is a report of LFE5U-25F"):
        Ecp5(timing_report=str(vivado))
    vivado.write_text(text(device="xczu3eg-sbva484"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"whose device is xczu3eg-sbva484, allowed is a report of XC7A12T"):
        Artix7(timing_report=str(vivado))


def test_a_report_that_is_not_there_or_is_no_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"timing_report is .*nowhere', which cannot be read \(No such file"):
        Artix7(timing_report=str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="timing_report is 5, allowed is"):
        technology("artix7", timing_report=5)


def design(**options: object) -> DesignPoint:
    return DesignPoint(
        network="lenet-300-100-csc-x40",
        engine={"kind": "csc", "pes": 4},
        technology={"kind": "artix7", **options},
    )


def test_the_path_of_a_result_is_that_of_the_report(vivado: Path) -> None:
    """All else stays, and the path has neither the error of a fit nor that of our nets."""
    ours, theirs = (design(**given).analytic() for given in ({}, {"timing_report": str(vivado)}))
    assert ours.critical_path_s != theirs.critical_path_s == pytest.approx(6.25e-9)
    kind, source = theirs.path_source
    assert kind == "measured"
    assert source == "Vivado 2022.2 timing of archsim_engine on XC7A35T, routed (timing.rpt)"
    assert "critical_path_s" in ours.fit_error.keys() & ours.technology_error.keys()
    assert "critical_path_s" not in theirs.fit_error.keys() | theirs.technology_error.keys()
    assert "speed_ratio_to_ecp5" in ours.assumed
    assert "speed_ratio_to_ecp5" not in theirs.assumed
    assert ours.energy_j == theirs.energy_j


def test_the_fastest_clock_is_that_of_the_report(vivado: Path) -> None:
    fastest = design(timing_report=str(vivado)).replace(clock_hz="fastest").simulate("analytic")
    assert fastest.clock_hz == 160e6


def test_a_path_is_known_where_nothing_else_of_the_logic_is(nextpnr: Path) -> None:
    told = {"kind": "ecp5", "timing_report": str(nextpnr)}
    result = design().replace(technology=told).simulate("analytic")
    assert result.critical_path_s == pytest.approx(1.714e-9, rel=1e-4)
    assert "critical_path_s" not in result.missing
    assert "lut4" in result.missing


def test_a_report_lies_beside_the_design_that_names_it(vivado: Path) -> None:
    file = vivado.with_name("design.yaml")
    file.write_text(
        "network: lenet-300-100-csc-x40\nengine: {kind: csc, pes: 4}\n"
        "technology: {kind: artix7, timing_report: timing.rpt}\n",
        encoding="utf-8",
    )
    assert DesignPoint.from_file(file).analytic().critical_path_s == pytest.approx(6.25e-9)


def test_a_report_that_is_written_anew_is_read_anew(vivado: Path) -> None:
    before = Artix7(timing_report=str(vivado))
    vivado.write_text(text(wns="0.000"), encoding="utf-8")
    os.utime(vivado, ns=(1, 1))
    after = Artix7(timing_report=str(vivado))
    assert before != after
    assert after.known_path is not None
    assert after.known_path.value == pytest.approx(5e-9)
    assert Artix7(**after.options()) == after
