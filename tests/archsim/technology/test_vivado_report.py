"""A user's own Vivado power report takes the place of the public figures, or is refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archsim.technology import Artix7, technology
from archsim.technology.fpga.vivado_report import (
    ReportError,
    VivadoReport,
    parse_power_report,
    read_power_report,
)

HEADER = """Copyright 1986-2018 Xilinx, Inc. All Rights Reserved.
-----------------------------------------------------------------
| Tool Version     : Vivado v.2018.3 (lin64) Build 2405991
| Date             : Mon Jan  7 10:00:00 2019
| Command          : report_power -file engine_power_routed.rpt
| Design           : engine
| Device           : {device}
| Design State     : routed
-----------------------------------------------------------------

Power Report

Table of Contents
-----------------
1. Summary
1.1 On-Chip Components
2. Settings
2.2 Clock Constraints
3. Detailed Reports

1. Summary
----------

+--------------------------+--------------+
| Total On-Chip Power (W)  | 0.172        |
| Design Power Budget (W)  | Unspecified* |
| Junction Temperature (C) | 25.8         |
| Confidence Level         | Low          |
+--------------------------+--------------+

"""
COMPONENTS = """
1.1 On-Chip Components
----------------------

+--------------------------+-----------+----------+-----------+-----------------+
| On-Chip                  | Power (W) | Used     | Available | Utilization (%) |
+--------------------------+-----------+----------+-----------+-----------------+
| Clocks                   |     0.005 |        3 |       --- |             --- |
| Slice Logic              |     0.012 |     6420 |       --- |             --- |
|   LUT as Logic           |     0.011 |     3500 |     63400 |            5.52 |
|   LUT as Distributed RAM |    <0.001 |      384 |     19000 |            2.02 |
|   CARRY4                 |    <0.001 |      210 |     15850 |            1.32 |
|   Register               |    <0.001 |      500 |    126800 |            0.39 |
|   LUT as Shift Register  |    <0.001 |       16 |     19000 |            0.08 |
| Signals                  |     0.018 |     4100 |       --- |             --- |
| Block RAM                |     {bram} |     15.5 |       135 |           11.48 |
| DSPs                     |     0.007 |       16 |       240 |            6.67 |
| I/O                      |     0.002 |       24 |       210 |           11.43 |
| Static Power             |     0.098 |          |           |                 |
| Total                    |     0.172 |          |           |                 |
+--------------------------+-----------+----------+-----------+-----------------+


1.2 Power Supply Summary
------------------------

+-----------+-------------+-----------+
| Source    | Voltage (V) | Total (A) |
+-----------+-------------+-----------+
| Vccint    |       1.000 |     0.060 |
+-----------+-------------+-----------+


2. Settings
-----------

2.2 Clock Constraints
---------------------

+-------+--------+-----------------+
| Clock | Domain | Constraint (ns) |
+-------+--------+-----------------+
{clocks}+-------+--------+-----------------+


3. Detailed Reports
-------------------

3.1 By Hierarchy
----------------

+--------+-----------+
| Name   | Power (W) |
+--------+-----------+
| engine |     0.060 |
+--------+-----------+
"""
ONE_CLOCK = "| clk   | clk    |            20.0 |\n"
SMALL = """| Tool Version     : Vivado v.2024.1 (win64) Build 5076996
| Design           : blink
| Device           : xc7a35ticsg324-1L

1.1 On-Chip Components
----------------------

+----------------+-----------+----------+-----------+-----------------+
| On-Chip        | Power (W) | Used     | Available | Utilization (%) |
+----------------+-----------+----------+-----------+-----------------+
| Clocks         |     0.002 |        3 |       --- |             --- |
| Slice Logic    |    <0.001 |      120 |       --- |             --- |
|   LUT as Logic |    <0.001 |       40 |     20800 |            0.19 |
|   Register     |    <0.001 |       64 |     41600 |            0.15 |
| Signals        |    <0.001 |      110 |       --- |             --- |
| I/O            |    <0.001 |        9 |       210 |            4.29 |
| Static Power   |     0.062 |          |           |                 |
| Total          |     0.064 |          |           |                 |
+----------------+-----------+----------+-----------+-----------------+

2.2 Clock Constraints
---------------------

+-------+--------+-----------------+
| Clock | Domain | Constraint (ns) |
+-------+--------+-----------------+
| fast  | clk    |            10.0 |
| again | clk_b  |            10.0 |
+-------+--------+-----------------+
"""


def text(*, device: str = "xc7a100tcsg324-1", bram: str = "0.008", clocks: str = ONE_CLOCK) -> str:
    return HEADER.format(device=device) + COMPONENTS.format(bram=bram, clocks=clocks)


@pytest.fixture
def report(tmp_path: Path) -> str:
    path = tmp_path / "engine_power.rpt"
    path.write_text(text(), encoding="utf-8")
    return str(path)


def test_a_report_tells_power_counts_clock_and_device() -> None:
    read = parse_power_report(text(), file="engine.rpt")
    assert read == VivadoReport(
        file="engine.rpt",
        tool="Vivado 2018.3",
        design="engine",
        device="XC7A100T",
        clock_hz=50e6,
        power_w={"clocks": 0.005, "logic": 0.012, "signals": 0.018, "bram": 0.008, "dsp": 0.007},
        counts={"lut": 3900, "ff": 500, "bram36": 15.5, "dsp": 16},
        static_w=0.098,
        junction_c=25.8,
    )
    assert read.source == "Vivado 2018.3 report_power of engine on XC7A100T at 50 MHz (engine.rpt)"


def test_lines_may_end_as_they_do_on_windows() -> None:
    assert parse_power_report(text().replace("\n", "\r\n")) == parse_power_report(text())


def test_the_reported_design_is_priced_as_its_report(report: str) -> None:
    part: Any = Artix7(power_report=report)
    used = {part.lut_cost: 3900, part.costs["clocks"]: 500, part.costs["dsp"]: 16, part.costs["bram"]: 15.5}
    assert sum(cost.value * count for cost, count in used.items()) * 50e6 == pytest.approx(0.050)
    assert part.device == "XC7A100T"
    assert float(part.part.static_w) == 0.098
    for cost in used:
        assert "engine_power.rpt" in cost.source
        assert cost.kind == "published"


def test_its_error_is_that_of_its_rounding_and_named_as_such(report: str) -> None:
    error = Artix7(power_report=report).dynamic_power_error
    assert float(error) == pytest.approx(1 + (5 / 12) ** 0.5 * 0.001 / 0.050)
    assert error.source.endswith("engine_power.rpt, of which 5 tell; holds for that design only")
    assert float(Artix7().dynamic_power_error) > 1.9


def test_block_ram_accesses_follow_the_report_where_their_rate_is_given(report: str) -> None:
    tile_j = 0.008 / 15.5 / 50e6
    told = Artix7(power_report=report, bram_enable_rate=0.5)
    assert told.memory(words=1024, word_bits=32).read_energy_j == pytest.approx(tile_j / 0.5)
    untold = Artix7(power_report=report)
    assert untold.bram_access_cost == Artix7().bram_access_cost


def test_a_row_below_the_resolution_leaves_the_chosen_coefficient_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "weak.rpt"
    path.write_text(text(bram="<0.001"), encoding="utf-8")
    part = Artix7(power_report=str(path), coefficients="fitted")
    assert part.costs["bram"].value == Artix7(coefficients="fitted").costs["bram"].value
    assert part.costs["bram"].source.startswith("bram not told by weak.rpt, below its resolution of 1 mW; ")
    assert float(part.dynamic_power_error) > float(Artix7(power_report=str(path)).dynamic_power_error) - 0.2
    assert "of which 4 tell" in part.dynamic_power_error.source


def test_a_report_that_uses_no_multiplier_leaves_theirs(tmp_path: Path) -> None:
    path = tmp_path / "small.rpt"
    path.write_text(SMALL, encoding="utf-8")
    part: Any = Artix7(power_report=str(path))
    assert part.device == "XC7A35T"
    assert (float(part.part.static_w), part.part.static_junction_c) == (0.062, 25.4)
    assert part.costs["clocks"].value == pytest.approx(0.002 / 64 / 100e6)
    assert part.costs["dsp"].source.startswith("dsp not told by small.rpt, which uses none; ")
    assert part.lut_cost.source.startswith("logic not told by small.rpt, below its resolution of 1 mW; ")
    assert part.lut_cost.value == Artix7().lut_cost.value


def test_another_device_takes_the_report_but_keeps_its_own_static_power(report: str) -> None:
    part = Artix7(device="XC7A200T", power_report=report)
    assert part.part == Artix7(device="XC7A200T").part
    assert part.costs["dsp"].value == pytest.approx(0.007 / 16 / 50e6)


def test_the_options_make_the_same_technology_again(report: str) -> None:
    part = Artix7(power_report=report, bram_enable_rate=0.4)
    again = technology("artix7", **part.options())
    assert again.provenance() == part.provenance()
    assert "toggle_rate" not in part.options()


def test_a_toggle_rate_beside_a_report_is_refused(report: str) -> None:
    with pytest.raises(ValueError, match=r"toggle_rate is 0.2, allowed is none beside power_report"):
        Artix7(power_report=report, toggle_rate=0.2)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            "Timing Report\n\nslack 1.2\n",
            "which has no table of on-chip components, allowed is the text that",
        ),
        ("", "which has no table of on-chip components"),
        (
            text(device="xc7k325tffg900-2"),
            "whose device is xc7k325tffg900-2, allowed is a report of an Artix-7",
        ),
        (text(device="xc7z020clg484-1"), "whose device is xc7z020clg484-1, allowed"),
        (text(clocks=""), "whose design has no clock constraint, allowed is a report of a design with"),
        (
            text(clocks=ONE_CLOCK + "| jtag  | tck    |            33.3 |\n"),
            "whose design has clocks of 20, 33.3 ns, allowed is a report of a design with one clock period",
        ),
    ],
)
def test_what_is_no_single_clock_artix_7_report_is_refused_in_one_sentence(
    tmp_path: Path, content: str, why: str
) -> None:
    path = tmp_path / "other.rpt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ReportError) as refused:
        read_power_report(path)
    assert str(refused.value).startswith(f"power_report is 'other.rpt', {why}")
    assert "\n" not in str(refused.value)
    assert str(refused.value).count(". ") == 0


def test_a_report_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"nowhere.rpt', which cannot be read \(No such file"):
        read_power_report(tmp_path / "nowhere.rpt")
