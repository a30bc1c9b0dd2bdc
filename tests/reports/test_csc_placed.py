"""The designs of the CSC comparison that are placed, made of results that nobody had to place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archsim import DesignPoint, Result
from archsim.netlist.nextpnr import NextpnrAbsentError
from archsim.technology import FpgaResources
from reports.studies import csc_dac2019
from reports.studies.csc_dac2019.measure import findings
from reports.studies.csc_dac2019.placed_view import design_table, ratio_table
from reports.studies.csc_dac2019.placing import (
    DEVICE,
    ROUTED,
    Comparison,
    Laid,
    Placed,
    asked_of,
    designs_of,
    lay_out,
    strongest_over_csc,
)
from reports.studies.csc_dac2019.points import Point
from reports.studies.registry import StudyError, reproduce
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.pages import check_page
from tests.reports.stand_ins import designs, point, result, results, searched, small_network

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0H9V9"/></svg>'
ABSENT = "nextpnr is not installed, allowed is fidelity layout where it is"


def dearer(one: Result, times: float, *, path: float = 1.0) -> Result:
    """A result of so many times the energy and area, and of so many times the path."""
    bill = one.bill
    energy, area = (
        tuple(replace(term, unit_cost=times * term.unit_cost) for term in terms)
        for terms in (bill.energy, bill.area)
    )
    assert one.critical_path_s is not None
    longer = path * one.critical_path_s
    return replace(one, bill=replace(bill, energy=energy, area=area), critical_path_s=longer)


def routed(at: Point, *, lut4: int, path_s: float | None) -> Result:
    """A result on an ECP5, which has no energy."""
    made = result(at._replace(technology="artix7"))
    taken = {"pe": FpgaResources(lut4=lut4, ff=100, mult18=16, ebr=4)}
    bill = replace(made.bill, resources=taken, usage=dict.fromkeys(("lut4", "ff", "mult18", "ebr"), ()))
    missing = dict.fromkeys(("energy_j", "power_w", "dynamic_power_w", "leakage_w"), "nobody knows")
    return replace(made, bill=bill, missing=missing, critical_path_s=path_s)


def in_65_nm() -> Placed:
    """Placing makes what gathers three halves as dear as it was, and all else not."""
    asked = asked_of(results(), "cmos65")
    laid = {
        at: Laid(
            gate=result(at),
            layout=dearer(result(at), 1.5, path=2.0) if "pruned" in at.design else result(at),
            drawings={"placement": PICTURE, "wires": PICTURE} if at.design == "csc" else {},
        )
        for at in designs_of(asked)
    }
    return Placed(technology="cmos65", place="65 nm CMOS", asked=asked, laid=laid, refused={})


def on_ecp5() -> Placed:
    """One of the designs does not fit."""
    asked = [one.on(ROUTED) for one in asked_of(results(), "artix7")]
    laid = {
        at: Laid(
            gate=routed(at, lut4=200 if "pruned" in at.design else 100, path_s=None),
            layout=routed(at, lut4=330 if "pruned" in at.design else 110, path_s=2e-8),
        )
        for at in designs_of(asked)
    }
    (left,) = (at for at in laid if at.name == "pruned-x40 banked")
    laid.pop(left)
    refused = {left.name: "device is LFE5U-85F, which has 208 EBR, allowed are designs that fit"}
    return Placed(technology=ROUTED, place="ECP5 LFE5U-85F", asked=asked, laid=laid, refused=refused)


def written(*placed: Placed) -> Report:
    content = published(csc_dac2019.__name__)
    found = findings(results(), designs(), searched(), content, runs=None, placed=placed)
    return write_up(csc_dac2019.__name__, found, content)


def pairs_of(asked: list[Comparison]) -> list[tuple[str, str, str]]:
    return [(one.basis, one.design.name, one.reference.name) for one in asked]


def test_the_strongest_of_each_comparison_are_placed_and_in_65_nm_more_of_the_smaller_ones() -> None:
    strongest = [
        ("equal accuracy", "pruned banked", "csc"),
        ("equal accuracy", "pruned-x40 banked", "csc-x40"),
        ("equal weights", "pruned banked", "csc"),
        ("equal weights", "pruned-x40 banked", "csc-x40"),
    ]
    assert pairs_of(asked_of(results(), "artix7")) == strongest
    assert pairs_of(asked_of(results(), "cmos65")) == strongest
