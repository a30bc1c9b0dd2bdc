"""The map of who wins over PEs and bits: each side is the strongest of all that were searched, a place that
says nothing does not count, and its numbers are those of the designs that it names."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from archsim import DesignPoint, Refusal
from archsim.engine import engines
from archsim.explore.search.settings import choices, energy_by_size
from reports.page import write_page
from reports.studies import csc_dac2019
from reports.studies.csc_dac2019 import map_view, ratio_map
from reports.studies.csc_dac2019.equal_accuracy import STANDARD_ERROR
from reports.studies.csc_dac2019.measure import findings
from reports.studies.csc_dac2019.points import INDEXED, TECHNOLOGIES, Point, ending_of, networks
from reports.studies.csc_dac2019.ratio_map import (
    BASES,
    BITS,
    EQUAL_ACCURACY,
    EQUAL_WEIGHTS,
    LEAST_BITS,
    MOST_LOST,
    PES,
    PLACES,
    Costed,
    Meeting,
    Place,
    accuracy_in_float,
    costed_at,
    meetings,
)
from reports.studies.registry import StudyError, reproduce
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.pages import check_page
from tests.reports.stand_ins import designs, point, result, results, searched

pytestmark = pytest.mark.slow

SMALL = Place("cmos65", 8, 4)
FEW = ("lenet-300-100-clos-x40-neighbours", "lenet-300-100-pruned-x40")
"""A place and networks that are searched in a moment."""

SHOWN = [place for place in PLACES if place.technology == "cmos65"]
"""The places of the map on the page."""

SIDES = ("pruned banked", "csc", "clos")


def costed(place: Place, name: str, *, times: float = 1.0, lost: float = 0.0, ending: str = "") -> Costed:
    """A design at a place that takes so many times what CSC does, and has lost so much."""
    at = point(place.technology, name, ending)
    made = result(at, times=times)
    own = {"pes": place.pes, "weight_bits": place.bits, "activation_bits": place.bits}
    design = {**made.design, "engine": {**made.design["engine"], **own}}
    reached = accuracy_in_float(at.network) - lost
    return Costed(at, replace(made, accuracy=reached, critical_path_s=1e-9, design=design), times**2, 10)


def stand_in(place: Place) -> list[Costed]:
    """The designs of a place where few PEs and many bits are good for those with an index, and two bits for
    nobody."""
    times = (0.4 * place.pes**0.5 + 0.3) * (8 / place.bits) ** 0.5
    lost = 0.3 if place.bits == 2 else 0.001
    return [
        costed(place, name, times=times if name.startswith(INDEXED) else 1.0, lost=lost, ending=ending)
        for name in SIDES
        for ending in ("", "-x40")
    ]


@cache
def met() -> list[Meeting]:
    return meetings({place: stand_in(place) for place in SHOWN})


@cache
def report() -> Report:
    content = published(csc_dac2019.__name__)
    told = findings(results(), designs(), searched(), content, met=met())
    return write_up(csc_dac2019.__name__, told, content)


def only(found: Sequence[Meeting], basis: str, ending: str = "") -> Meeting:
    """The meeting of a compression."""
    (one,) = (each for each in found if (each.basis, each.ending) == (basis, ending))
    return one


def test_the_map_spans_what_is_asked_of_it() -> None:
    assert (PES[0], PES[-1], BITS[0], BITS[-1]) == (1, 64, 2, 16)
    assert set(PLACES) == {Place(*at) for at in product(TECHNOLOGIES, PES, BITS)}
    assert {(one.place, one.basis, one.ending) for one in met()} == {
        (place, basis, ending) for place in SHOWN for basis in BASES for ending in ("", "-x40")
    }


def test_each_side_is_the_strongest_that_has_kept_its_accuracy() -> None:
    place = Place("cmos65", 16, 8)
    there = [
        costed(place, "pruned banked", times=2.0),
        costed(place, "pruned replicated", times=3.0),
        costed(place, "csc", times=0.9),
        costed(place, "clos", times=0.8),
        costed(place, "deformable-butterfly", times=0.1, lost=2 * MOST_LOST),
    ]
    one = only(meetings({place: there}), EQUAL_WEIGHTS)
    assert [each.point.name for each in one.both] == ["pruned banked", "clos"]
    assert one.ratio("energy") == pytest.approx(4.0 * 2.0 / (3.0 * 0.8))
    assert one.counts


def test_at_equal_accuracy_a_network_that_is_less_accurate_is_none() -> None:
    place = Place("cmos65", 16, 8)
    needed = accuracy_in_float("lenet-300-100-pruned")
    there = [costed(place, "pruned banked")] + [
        replace(one, result=replace(one.result, accuracy=needed + more))
        for name, more in (("clos", -2 * STANDARD_ERROR), ("csc", -STANDARD_ERROR / 2))
        for one in [costed(place, name, times=0.1 if name == "clos" else 1.0)]
    ]
    found = meetings({place: there})
    assert [only(found, basis).both[1].point.name for basis in (EQUAL_WEIGHTS, EQUAL_ACCURACY)] == [
        "clos",
        "csc",
    ]
    alone = only(meetings({place: there[:2]}), EQUAL_ACCURACY)
    assert alone.unindexed is None
    assert alone.ratio("energy") is None
    assert not alone.counts


def test_a_place_where_accuracy_is_lost_or_the_clock_is_missed_does_not_count() -> None:
    place = Place("cmos65", 16, 2)
    assert not only(meetings({place: stand_in(place)}), EQUAL_WEIGHTS).counts
    slow = [
        replace(one, result=replace(one.result, critical_path_s=1.0)) if one.point.design == "csc" else one
        for one in stand_in(Place("cmos65", 16, 8))
        if one.point.short != "clos"
    ]
    one = only(meetings({Place("cmos65", 16, 8): slow}), EQUAL_WEIGHTS)
    assert not one.clock_met
    assert not one.counts


def test_what_no_calibration_draws_is_marked() -> None:
    def is_drawn(name: str, pes: int, bits: int) -> bool:
        return costed(Place("cmos65", pes, bits), name).is_drawn

    assert is_drawn("csc", 64, LEAST_BITS)
    assert is_drawn("pruned banked", 32, LEAST_BITS)
    assert not is_drawn("pruned banked", 64, 8)
    assert not is_drawn("csc", 4, LEAST_BITS - 1)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[Costed]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("ARCHSIM_CACHE", str(tmp_path_factory.mktemp("cache")))
        patched.setattr(ratio_map, "networks", lambda: list(FEW))
        return costed_at(SMALL)


def test_a_part_of_the_map_comes_out_again(small: Sequence[Costed]) -> None:
    clock_hz, kind = TECHNOLOGIES[SMALL.technology]
    for one in meetings({SMALL: small}):
        told: list[dict[str, Any]] = [each.plain() for each in one.both]
        again = [
            DesignPoint(network=each["network"], engine=each["engine"], clock_hz=clock_hz, technology=kind)
            for each in told
        ]
        energies = [design.simulate("analytic").cost("energy_j") for design in again]
        assert energies == [each["energy_j"] for each in told]
        if one.unindexed is not None:
            assert one.ratio("energy") == energies[0] / energies[1]


def test_no_parameter_that_changes_alone_makes_a_design_of_the_map_stronger(small: Sequence[Costed]) -> None:
    strongest = only(meetings({SMALL: small}), EQUAL_WEIGHTS, "-x40").indexed
    told = strongest.plain()
    clock_hz, kind = TECHNOLOGIES[SMALL.technology]
    design = DesignPoint(
        network=told["network"], engine=told["engine"], clock_hz=clock_hz, technology=dict(kind)
    )
    for name in ("fetch_bits", "product_register", "zero_gating", "input_buffer"):
        for value in choices(design.engine)[name]:
            try:
                changed = design.replace(engine={**told["engine"], name: value})
                expense = energy_by_size(changed, changed.simulate("analytic"))
            except Refusal:
                continue
            assert expense >= strongest.expense * (1 - 1e-12), (name, value)


def test_every_network_of_few_weights_meets_without_an_index_or_not_at_all(small: Sequence[Costed]) -> None:
    indexed = {one.point.network for one in small if one.result.stored_bits.index}
    assert indexed == {FEW[1]}
    assert {one.point.network for one in small} == set(FEW)
    assert set(FEW) < set(ratio_map.networks())
    assert {one.result.design["engine"]["pes"] for one in small} == {SMALL.pes}
    assert all(one.result.accuracy is not None for one in small)


def test_of_each_family_and_size_the_most_accurate_network_is_on_the_map() -> None:
    chosen = ratio_map.networks()
    assert len(chosen) == len({(name.split("-")[3], ending_of(name)) for name in chosen}) == 8
    for name in networks():
        alike = [
            one
            for one in chosen
            if (one.split("-")[3], ending_of(one)) == (name.split("-")[3], ending_of(name))
        ]
        assert all(accuracy_in_float(name) <= accuracy_in_float(one) for one in alike)


def test_every_engine_that_runs_a_network_takes_part_in_every_organisation(small: Sequence[Costed]) -> None:
    assert "eie" in {one.point.design.split()[0] for one in small}
    assert {one.point.design for one in small if one.point.design.startswith(INDEXED)} == {
        f"{INDEXED} {gather}" for gather in engines[INDEXED].organisations()
    }


def test_settings_are_remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ARCHSIM_CACHE", str(tmp_path))
    engine = DesignPoint(
        network="lenet-300-100-csc-x40", engine={"kind": "csc", "pes": 2}, technology="cmos65"
    ).engine.model_dump()
    settings = {"network": "lenet-300-100-csc-x40", "design": "csc", "engine": engine, "tried": 7}
    monkeypatch.setattr(ratio_map, "_settings_at", lambda place: iter([settings]))
    first = costed_at(SMALL)
    monkeypatch.setattr(ratio_map, "_settings_at", lambda place: pytest.fail("searched again"))
    assert [(one.point, one.tried) for one in costed_at(SMALL)] == [
        (Point("cmos65", "lenet-300-100-csc-x40", "csc"), 7)
    ]
    assert [one.expense for one in costed_at(SMALL)] == [one.expense for one in first]


def test_the_page_shows_the_map_and_says_where_the_sign_turns() -> None:
    text = check_page(report())
    assert text.count("with an index ÷ without. Energy at") == 2 * len(BASES)
    (section,) = (one for one in report().sections if one.heading.startswith("Who wins"))
    assert len(section.charts) == len(BASES)
    turns = {(row[0], row[1], row[2], row[3]): row for row in section.tables[0].values}
    sheet = next(map_view.sheets(met()))
    row = turns[sheet.place, sheet.basis, f"{sheet.compression:.1f}×", sheet.shown]
    counted = [one.ratio("energy") or 0.0 for one in sheet.meetings if one.counts]
    assert row[4:] == (len(counted), sum(ratio < 1 for ratio in counted), min(counted), max(counted))
    assert any("a design with an index takes less energy at" in said for said in report().summary)


def test_every_place_is_a_row_of_the_files(tmp_path: Path) -> None:
    write_page(report(), tmp_path)
    told = json.loads((tmp_path / "results.json").read_text())["map"]
    with (tmp_path / "map.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(told) == len(met())
    for row, plain, one in zip(rows, told, met(), strict=True):
        assert (int(row["PEs"]), int(row["bits"])) == (plain["pes"], plain["bits"]) == one.place[1:]
        assert (float(row["energy"]) if row["energy"] else None) == plain["ratios"]["energy"]
        assert plain["ratios"]["energy"] == one.ratio("energy")
        assert row["counts"] == str(one.counts)


def test_a_drawing_has_every_ratio_and_fits_a_phone() -> None:
    drawn = map_view.small_charts(met())
    assert set(drawn) == {f"map-cmos65-x{times}" for times in (12, 40)}
    for sheets, svg in drawn.values():
        wide = float(svg.split('width="')[1].split("pt")[0])
        assert wide <= 390 * 0.9
        for sheet in sheets:
            for ratio, one in sheet.counted:
                assert f"<!-- {ratio:.2f}{'*' * (not one.is_drawn)} -->" in svg


def test_a_map_is_refused_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"study to make a map of is 'eie-isca2016', allowed .* csc-dac2019"):
        reproduce("eie-isca2016", tmp_path, with_map=True)
    with pytest.raises(StudyError, match=r"technology is .*, allowed .* with a map cmos65 and artix7"):
        csc_dac2019.reproduce(tmp_path / "own.yaml", with_map=True)
