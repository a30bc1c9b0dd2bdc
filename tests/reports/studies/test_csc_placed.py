"""The designs of the CSC comparison that are placed, made of results that nobody had to place."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner

from archsim import DesignPoint, Result
from archsim.netlist.nextpnr import NextpnrAbsentError
from archsim.technology import FpgaResources
from reports.cli import main
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
    """Clos does not fit."""
    asked = [one.on(ROUTED) for one in asked_of(results(), "artix7")]
    left = point(ROUTED, "clos", "-x40")
    asked.append(Comparison("equal weights", asked[0].reference, left))
    laid = {
        at: Laid(
            gate=routed(at, lut4=200 if "pruned" in at.design else 100, path_s=None),
            layout=routed(at, lut4=330 if "pruned" in at.design else 110, path_s=2e-8),
            original=result(at._replace(technology="artix7")),
        )
        for at in designs_of(asked)
    }
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
        ("equal accuracy", "pruned banked", "clos"),
        ("equal accuracy", "pruned-x40 banked", "clos"),
        ("equal weights", "pruned banked", "csc"),
        ("equal weights", "pruned-x40 banked", "csc-x40"),
    ]
    assert pairs_of(asked_of(results(), "artix7")) == [strongest[1], strongest[3]]
    more = [("equal weights", name, "csc-x40") for name in ("clos-x40", "pruned-x40 replicated")]
    assert pairs_of(asked_of(results(), "cmos65")) == [*strongest, *more]


def test_a_technology_of_the_users_own_has_only_the_strongest_pruned_designs_over_csc() -> None:
    own = {at._replace(technology="own"): one for at, one in results().items() if at.technology == "cmos65"}
    assert pairs_of(strongest_over_csc(own, "own")) == [
        ("equal weights", "pruned banked", "csc"),
        ("equal weights", "pruned-x40 banked", "csc-x40"),
    ]


def test_each_ratio_stands_at_gate_and_at_layout_with_what_placing_changes() -> None:
    table = ratio_table(in_65_nm())
    assert table.headings == (
        *("designs", "at equal", "energy, gate", "energy, layout", "area, gate", "area, layout"),
        *("path, gate", "path, layout", "own clock, gate", "own clock, layout"),
    )
    first = dict(zip(table.headings, table.values[0], strict=True))
    # The pruned design takes 8 nJ where Clos takes 2.4, and half as much again once it is placed.
    assert (first["energy, gate"], first["energy, layout"]) == pytest.approx((8 / 2.4, 5.0))
    assert (first["area, gate"], first["area, layout"]) == pytest.approx((2.5, 3.75))
    assert (first["path, gate"], first["path, layout"]) == pytest.approx((2.5, 5.0))
    assert table.rows[0][3].replace("\N{NARROW NO-BREAK SPACE}", " ") == "5.00× (+50.0 %)"
    (clos,) = (row for row in table.rows if row[0] == "clos-x40 ÷ csc-x40")
    assert clos[2:4] == ("0.80×", "0.80× (0\N{NARROW NO-BREAK SPACE}%)")


def test_at_its_own_clock_a_design_is_as_fast_as_its_cycles_and_its_path_let_it() -> None:
    placed = in_65_nm()
    (first, *_) = placed.comparisons
    slow = placed.laid[first.design].layout
    twice = replace(slow.counts, interval_cycles=2 * slow.counts.interval_cycles)
    laid = {**placed.laid, first.design: Laid(gate=slow, layout=replace(slow, counts=twice))}
    slower = replace(placed, laid=laid)
    assert slower.ratio(first, "own_clock", "layout") == pytest.approx(10.0)
    assert slower.ratio(first, "own_clock", "gate") == pytest.approx(5.0)


def test_on_an_ecp5_are_resources_and_paths_but_no_energies_and_what_does_not_fit_is_left_out() -> None:
    table = ratio_table(on_ecp5())
    assert [row[0] for row in table.rows] == [f"pruned-x40 banked ÷ {name}" for name in ("clos", "csc-x40")]
    assert not [heading for heading in table.headings if "energy" in heading]
    # Nobody knows a path before it is routed.
    paths = [heading for heading in table.headings if "path" in heading]
    assert paths == ["path, layout", "path, Artix-7 XC7A100T at gate"]
    first = dict(zip(table.headings, table.values[0], strict=True))
    assert (first["LUT4, gate"], first["LUT4, layout"]) == (2.0, 3.0)
    assert (first[paths[0]], first[paths[1]]) == pytest.approx((1.0, 2.5))
    assert first["resources, layout"] == pytest.approx(3.0 ** (1 / 3))
    assert [row[0] for row in design_table(on_ecp5()).rows] == ["clos", "pruned-x40 banked", "csc-x40"]


@pytest.fixture(scope="module")
def report() -> Report:
    return written(in_65_nm(), on_ecp5())


def told(report: Report) -> str:
    words = (*report.summary, *(line for section in report.sections for line in section.paragraphs))
    return " ".join(words).replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_the_page_says_what_placing_changes_and_shows_cores(report: Report) -> None:
    words = told(report)
    assert "pruned banked takes 5.00× (at gate 3.33×) the energy, 3.75× (at gate 2.50×) the area" in words
    assert "of areas 0 % to +50.0 %" in words
    assert "1.44× (at gate 1.26×) the resources and 1.00× the critical path of csc-x40" in words
    assert "clos-x40 was not placed in ECP5 LFE5U-85F: device is LFE5U-85F" in words
    assert "Artix-7 XC7A100T itself stays at gate" in words
    assert "once it is placed, pruned banked, pruned-x40 banked and pruned-x40 replicated cannot run" in words
    page = check_page(report)
    assert page.count(PICTURE) == 4
    assert "65 nm CMOS: csc-x40, placed: cells in the colours" in page
    assert len(report.figures["placed"][0]["ratios"]) == 6


def test_where_nextpnr_is_missing_65_nm_is_shown_all_the_same() -> None:
    asked = [one.on(ROUTED) for one in asked_of(results(), "artix7")]
    missing = Placed(technology=ROUTED, place="ECP5", asked=asked, laid={}, refused={"": ABSENT})
    report = written(in_65_nm(), missing)
    assert f"Nothing was placed in ECP5: {ABSENT}." in told(report)
    names = {table.name for section in report.sections for table in section.tables}
    assert "placed-ratios-cmos65" in names
    assert "placed-ratios-ecp5" not in names
    check_page(report)


def test_a_missing_router_is_noticed_before_anything_is_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(technology: object) -> None:
        raise NextpnrAbsentError(ABSENT)

    monkeypatch.setattr("archsim.netlist.fpga_layout.how_placed", absent)
    monkeypatch.setattr("reports.parallel.in_processes", None)
    at = point("artix7", "csc")
    moved = {at._replace(technology=ROUTED): designs()[at].replace(technology=dict(DEVICE))}
    placed = lay_out(moved, [], place="ECP5", progress=False)
    assert placed.refused == {"": ABSENT}
    assert placed.comparisons == []


@pytest.mark.slow
def test_small_designs_are_placed_with_pictures_and_a_refused_one_costs_only_itself(tmp_path: Path) -> None:
    library = resources.files("archsim.technology") / "data" / "cmos65.lib"
    made = {}
    for kind in ("csc", "dense"):
        small_network(kind).save(tmp_path / f"{kind}.npz")
        network = str(tmp_path / f"{kind}.npz")
        made[Point("cmos65", kind, kind)] = DesignPoint(
            network=network, engine={"kind": kind, "pes": 1}, technology="cmos65"
        )
    csc, dense = made
    bare = {"kind": "asic", "liberty": str(library), "node_nm": 65}
    refused = Point("cmos65", "bare", "csc")
    made[refused] = made[csc].replace(technology=bare)
    asked = [Comparison("equal weights", csc, at) for at in (dense, refused)]
    placed = lay_out(made, asked, place="65 nm", drawn=[csc], progress=False)
    assert placed.comparisons == asked[:1]
    assert "lef is None" in placed.refused["bare on csc"]
    assert placed.laid[csc].layout.area_mm2 == made[csc].simulate("layout").area_mm2
    assert set(placed.laid[csc].drawings) == {"placement", "wires"}
    assert not placed.laid[dense].drawings
    assert "<image" in placed.laid[csc].drawings["placement"]


def test_a_study_that_places_nothing_and_another_fidelity_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        StudyError, match="study to make at a fidelity is 'eie-isca2016', allowed are csc-dac2019"
    ):
        reproduce("eie-isca2016", tmp_path, fidelity="layout")
    with pytest.raises(StudyError, match="fidelity is 'rtl', allowed are gate, layout"):
        reproduce("csc-dac2019", tmp_path, fidelity="rtl")
    for study in ("csc-dac2019", "all"):
        done = CliRunner().invoke(main, ["reproduce", study, "--fidelity", "rtl", "--out", str(tmp_path)])
        assert done.exit_code == 2
        assert done.stderr.count("\n") == 1
        assert "allowed are" in done.stderr
    assert not list(tmp_path.iterdir())
