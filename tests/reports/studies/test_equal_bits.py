"""At equal bits stored either side has the best that it can do with them, and the page says what came out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from archsim.accuracy import AccuracyError, accuracy_at
from archsim.engine.mapping import StoredBits
from reports.page import write_page
from reports.studies import csc_dac2019
from reports.studies.csc_dac2019 import bits_view
from reports.studies.csc_dac2019.bits_view import AtEqualBits
from reports.studies.csc_dac2019.equal_accuracy import STANDARD_ERROR
from reports.studies.csc_dac2019.equal_bits import (
    Match,
    Narrow,
    Standing,
    at_equal_accuracy,
    at_equal_bits,
    bears,
    narrow_candidates,
    priced,
    standings,
    to_map,
)
from reports.studies.csc_dac2019.measure import findings
from reports.studies.csc_dac2019.points import (
    FRONT,
    SIZES,
    ending_of,
    networks,
    trained_bits,
)
from reports.studies.csc_dac2019.ratio_map import MOST_LOST
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.study_page import Findings, write_up
from tests.reports.pages import check_page
from tests.reports.stand_in_experiments import runs
from tests.reports.stand_ins import design, designs, point, points, result, results, searched
from workloads import load_network, zoo_names

NAMES = ("csc", "clos", "pruned banked", "pruned replicated")
Values = tuple[str, int, float, float]


def standing(name: str, bits: int, accuracy: float, times: float) -> Standing:
    """A design that stores so many bits and takes so many times what CSC does."""
    at, index = point(FRONT, name), name.startswith("pruned")
    stored = StoredBits(weight=bits - index, index=1 * index)
    made = replace(result(at, times=times), stored_bits=stored, accuracy=accuracy)
    return Standing(design(at), made, times**2)


def there(values: Sequence[Values]) -> dict[Narrow, Standing]:
    """Standings at as many places, told apart by their widths."""
    return {
        Narrow(point(FRONT, name), width): standing(name, bits, accuracy, times)
        for width, (name, bits, accuracy, times) in enumerate(values, start=2)
    }


FEW = there(
    [
        ("pruned banked", 100, 0.98, 2.0),
        ("pruned banked", 60, 0.97, 1.6),
        ("pruned replicated", 110, 0.975, 3.0),  # beaten by the first in bits and accuracy
        ("csc", 100, 0.979, 1.0),
        ("clos", 50, 0.96, 0.8),
        ("clos", 120, 0.99, 1.2),
    ]
)


def names(matches: Sequence[Match]) -> list[tuple[str, str, bool]]:
    return [(one.indexed.name, one.unindexed.name, one.indexed_given) for one in matches]


def test_the_most_accurate_within_the_bits_is_met() -> None:
    assert names(at_equal_bits(FEW)) == [
        ("pruned banked, 2 bits", "csc, 5 bits", True),
        ("pruned banked, 3 bits", "clos, 6 bits", True),
        ("pruned banked, 2 bits", "clos, 7 bits", False),
    ]


def test_at_equal_accuracy_the_cheapest_is_met_whatever_it_stores() -> None:
    assert names(at_equal_accuracy(FEW)) == [
        ("pruned banked, 2 bits", "csc, 5 bits", True),
        ("pruned banked, 3 bits", "csc, 5 bits", True),
        ("pruned banked, 3 bits", "clos, 6 bits", False),
    ]


def test_what_gains_less_than_a_standard_error_for_more_bits_is_not_told() -> None:
    near = there(
        [("pruned banked", 100, 0.98, 2.0), ("pruned banked", 60, 0.9795, 1.6), ("csc", 60, 0.98, 1.0)]
    )
    assert names(at_equal_bits(near)) == [("pruned banked, 3 bits", "csc, 4 bits", True)]


values = st.tuples(
    st.sampled_from(NAMES),
    st.integers(1, 6).map(lambda some: some * 10),
    st.sampled_from((0.95, 0.96, 0.97)),
    st.sampled_from((1.0, 2.0, 3.0)),
)


@given(st.lists(values, max_size=8))
def test_nobody_who_meets_them_does_better(drawn: list[Values]) -> None:
    all_of_them = there(drawn)
    for match in at_equal_bits(all_of_them):
        own, other = match.with_index, match.without
        if not match.indexed_given:
            own, other = other, own
        assert own.indexed != other.indexed
        assert other.bits <= own.bits
        rivals = [
            one for one in all_of_them.values() if one.indexed == other.indexed and one.bits <= own.bits
        ]
        assert other.accuracy == max(one.accuracy for one in rivals)
    for match in at_equal_accuracy(all_of_them):
        own, other = match.with_index, match.without
        if not match.indexed_given:
            own, other = other, own
        least = own.accuracy - STANDARD_ERROR
        rivals = [one for one in all_of_them.values() if one.indexed == other.indexed]
        assert other.expense == min(one.expense for one in rivals if one.accuracy >= least)


def test_a_network_stands_with_its_strongest_design_and_without_an_index_where_it_can() -> None:
    found = searched()
    standing = standings(found, {})
    assert {(at.network, at.weight_bits) for at in standing} == {
        (at.network, SIZES["weight_bits"]) for at in points() if "dense" not in at.network
    }
    assert all(at.point.design == "pruned banked" for at, one in standing.items() if one.indexed)
    assert {at.point.short for at, one in standing.items() if one.indexed} == {"pruned", "pruned-x40"}
    blind = {at: replace(one, result=replace(one.result, accuracy=None)) for at, one in found.items()}
    assert standings(blind, {}) == {}


def test_matches_are_priced_anew_and_stay_who_they_are() -> None:
    matches = at_equal_bits(FEW)
    designs = to_map(matches)
    assert set(designs) == {at for one in matches for at in (one.indexed, one.unindexed)}
    made = {at: result(at.point, times=5.0) for at in designs}
    again = priced(matches, made)
    assert [(one.given, one.indexed, one.unindexed) for one in again] == [
        (one.given, one.indexed, one.unindexed) for one in matches
    ]
    assert all(one.side.ratio("area_mm2", one.indexed.name) == 1.0 for one in again)


@pytest.mark.slow
def test_networks_take_part_with_every_width_that_they_bear() -> None:
    found = narrow_candidates()
    trained = {name: trained_bits(name) for name in zoo_names()}
    narrow = {name: bits for name, bits in trained.items() if bits < SIZES["weight_bits"]}
    assert set(narrow) | set(networks()) == set(zoo_names())
    there = {(at.network, at.weight_bits) for at in found}
    assert set(narrow.items()) <= there
    for at, one in found.items():
        engine = one.design.engine
        assert (engine.weight_bits, engine.activation_bits) == (at.weight_bits, SIZES["activation_bits"])
    for network, bits in there - set(narrow.items()):
        assert bits < trained[network]
        reached = accuracy_at(load_network(network), bits, SIZES["activation_bits"])
        assert reached >= load_network(network).accuracy["float"] - MOST_LOST


def test_a_loss_that_nobody_can_tell_is_not_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> float:
        raise AccuracyError("accuracy is unknown")

    monkeypatch.setattr("archsim.accuracy.accuracy_at", unknown)
    assert not bears("lenet-300-100-pruned", 4)
    assert not bears("lenet-300-100-pruned", 16)
    least = load_network("lenet-300-100-pruned").accuracy["float"] - MOST_LOST
    monkeypatch.setattr("archsim.accuracy.accuracy_at", lambda *_: least + 1e-4)
    assert bears("lenet-300-100-pruned", 4)
    monkeypatch.setattr("archsim.accuracy.accuracy_at", lambda *_: least - 1e-4)
    assert not bears("lenet-300-100-pruned", 4)
    assert bears("lenet-300-100-pruned", 8)


@pytest.mark.parametrize(
    ("network", "ending"),
    [
        ("lenet-300-100-csc", ""),
        ("lenet-300-100-csc-neighbours", ""),
        ("lenet-300-100-csc-x40", "-x40"),
        ("lenet-300-100-csc-x100-neighbours-4bit", "-x100"),
    ],
)
def test_a_name_tells_its_compression(network: str, ending: str) -> None:
    assert ending_of(network) == ending


@cache
def compared(times: float = 1.0) -> AtEqualBits:
    """What stands in for the networks of narrow weights; those with an index of so many times the area."""
    made: dict[Narrow, Standing] = {}
    for at, one in FEW.items():
        bill = one.result.bill
        area = tuple(
            replace(term, unit_cost=term.unit_cost * (times if one.indexed else 1)) for term in bill.area
        )
        made[at] = replace(one, result=replace(one.result, bill=replace(bill, area=area)))
    return AtEqualBits(made, at_equal_bits(made), at_equal_accuracy(made))


@cache
def told() -> Findings:
    """What the page reads, with its charts, which are the same whatever narrow networks take."""
    content = published(csc_dac2019.__name__)
    return findings(results(), designs(), searched(), content, runs(), narrow=compared())


def written(narrow: AtEqualBits | None) -> Report:
    changed = replace(told(), figures={**told().figures, "bits": bits_view.figures(narrow)})
    return write_up(csc_dac2019.__name__, changed, published(csc_dac2019.__name__))


@pytest.mark.slow
def test_the_page_says_what_became_of_area(tmp_path: Path) -> None:
    report = written(compared())
    assert "Narrow weights do not turn the verdict on area" in report.finding
    assert "takes 2.00× the area" in report.finding  # of both, 2.0 of 1.0 and 1.6 of 0.8
    assert "Narrow weights turn the verdict on area:" in written(compared(0.1)).finding
    assert "Narrow weights" not in written(None).finding
    (section,) = (one for one in report.sections if one.heading.startswith("At equal bits stored"))
    tables = {table.name: table for table in section.tables}
    assert len(tables["equal-bits"].rows) == len(compared().bits)
    assert len(tables["free-widths"].rows) == len(compared().accuracy)
    equal = [row[0] for row in tables["what-is-equal"].rows]
    assert equal.count("bits stored") == len(compared().given) == 2
    assert {"weights, 8 bits", "accuracy, 8 bits", "accuracy, any width"} <= set(equal)
    assert "At equal bits stored" in check_page(report)
    write_page(report, tmp_path)
    plain = json.loads((tmp_path / "results.json").read_text())["equal_bits"]
    assert len(plain["standings"]) == len(FEW)
    assert [one["ratios"]["area"] for one in plain["at_equal_bits"]] == pytest.approx([2.0, 2.0, 5 / 3])
    met = {at for one in compared().bits + compared().accuracy for at in (one.indexed, one.unindexed)}
    assert {f"{at.file_name}.yaml" for at in met} < {path.name for path in (tmp_path / "designs").iterdir()}


def test_without_narrow_networks_there_is_nothing_to_show() -> None:
    assert bits_view.figures(None) == bits_view.charts(None) == bits_view.plain(None) == {}
    assert bits_view.tables(None, {}, []) == {}


def test_the_sides_are_told_apart_by_what_they_store() -> None:
    assert [one.indexed for one in FEW.values()] == [True, True, True, False, False, False]


def by_name(matches: Sequence[Match]) -> Mapping[str, Match]:
    return {one.given.name: one for one in matches}


def test_who_is_ahead_is_told_in_shares() -> None:
    match = by_name(at_equal_bits(FEW))["pruned banked, 2 bits"]
    assert match.ahead == pytest.approx(0.001)
    assert match.side.ratio("energy_j", match.indexed.name) == pytest.approx(2.0 * 4 / 3)
