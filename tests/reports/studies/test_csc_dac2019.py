"""The page of the CSC comparison, made of results that nobody had to synthesise."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from archsim import DesignPoint, MetricError, Result
from archsim.costs.plain import heading
from archsim.explore.search.settings import Found
from archsim.technology.evidence import Bracket, Brackets
from reports.page import render, write_page
from reports.studies import csc_dac2019, studies
from reports.studies.csc_dac2019.measure import findings
from reports.studies.csc_dac2019.points import (
    INDEXED,
    SIZES,
    Candidate,
    Point,
    candidates,
    longest_first,
    networks,
    search_settings,
    to_map,
)
from reports.studies.csc_dac2019.tables import fronts
from reports.tables import Table
from reports.terminal import report_tables
from reports.write_up.claims import FactorRule, judge_losses, published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.pages import check_page
from tests.reports.stand_ins import designs, point, points, result, results, searched

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report() -> Report:
    return written(results())


def written(results: Mapping[Point, Result]) -> Report:
    content = published(csc_dac2019.__name__)
    return write_up(csc_dac2019.__name__, findings(results, designs(), searched(), content), content)


def test_at_gate_nothing_is_said_of_placing(report: Report) -> None:
    assert not [section for section in report.sections if "Placed" in section.heading]
    assert "placed" not in report.figures


def verdicts(report: Report, where: str) -> dict[str, str]:
    return {claim.topic: claim.verdict for claim in report.claims if claim.where == where}


def test_the_study_is_registered() -> None:
    assert studies["csc-dac2019"] is csc_dac2019.reproduce


def table(report: Report, name: str) -> Table:
    (found,) = (one for section in report.sections for one in section.tables if one.name == name)
    return found


@pytest.fixture(scope="module")
def runs() -> dict[Point, Candidate]:
    return candidates()


def test_all_designs_share_clock_pes_and_widths(runs: Mapping[Point, Candidate]) -> None:
    for technology in ("cmos65", "artix7"):
        there = [one.design for at, one in runs.items() if at.technology == technology]
        assert len({design.clock_hz for design in there}) == 1
        for name, value in SIZES.items():
            assert {getattr(design.engine, name) for design in there} == {value}


def test_every_network_is_tried_on_every_engine_that_runs_it(runs: Mapping[Point, Candidate]) -> None:
    asic = {(at.network, at.design) for at in runs if at.technology == "cmos65"}
    assert all("4bit" not in network for network in networks())
    for network in networks():
        for gather in ("replicated", "banked"):
            assert (network, f"pruned {gather}") in asic
    assert ("lenet-300-100-deformable-butterfly", "clos") in asic
    assert ("lenet-300-100-pruned", "csc") not in asic


def test_every_parameter_that_is_not_fixed_is_searched(runs: Mapping[Point, Candidate]) -> None:
    for at, one in runs.items():
        declared = set(type(one.design.engine).model_fields) - {"kind", *SIZES}
        fixed = {"gather"} if at.design.startswith(INDEXED) else set()
        assert set(one.over) == declared - fixed - one.design.engine.unused, at


def test_an_engine_that_nobody_can_price_is_left_out(
    runs: Mapping[Point, Candidate], monkeypatch: pytest.MonkeyPatch
) -> None:
    def priced(design: DesignPoint, over: object) -> Found:
        if design.engine.kind == "dense":
            raise MetricError("metric is 'energy_j', which is missing")
        return searched()[point("cmos65", "csc")]

    monkeypatch.setattr("archsim.explore.search.settings.best", priced)
    left = search_settings(runs, progress=False)
    assert set(runs) - set(left) == {at for at in runs if at.design == "dense"} != set()


def test_an_index_is_mapped_only_where_a_network_needs_one() -> None:
    mapped = to_map(searched())
    assert set(mapped) == set(points())
    assert mapped[point("cmos65", "pruned banked")] == designs()[point("cmos65", "pruned banked")]


def test_what_takes_longest_is_simulated_first() -> None:
    found = searched()
    slow = point("artix7", "pruned banked")
    counts = replace(found[slow].result.counts, cycles=9999)
    found[slow] = replace(found[slow], result=replace(found[slow].result, counts=counts))
    order = longest_first(designs(), found)
    assert next(iter(order)) == slow
    assert order == designs()


def test_the_front_of_each_cost_is_one_of_the_designs(report: Report) -> None:
    asic = {at: one for at, one in searched().items() if at.technology == "cmos65"}
    assert {label: [at.name for at in own] for label, own in fronts(asic).items()} == {
        "energy": ["clos", "dense"],
        "area": ["clos", "dense"],
    }
    shown = table(report, "front")
    assert len(shown.rows) == len(asic)
    assert [shown.rows[at][0] for at in sorted(shown.marked)] == ["dense", "clos"]


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [(2.4, "held"), (1.8, "held"), (1.79, "partly"), (1.2, "partly"), (1.1, "failed")],
)
def test_a_claimed_factor_is_judged_by_the_stated_rule(ratio: float, verdict: str) -> None:
    rule = FactorRule(**published("reports.studies.csc_dac2019")["rule"])
    assert rule.judge(ratio) == verdict


def test_a_claim_of_little_loss_holds_where_all_losses_are_little() -> None:
    assert judge_losses([0.005, 0.02], 0.02) == "held"
    assert judge_losses([0.005, 0.03], 0.02) == "partly"
    assert judge_losses([0.03], 0.02) == "failed"


def test_verdicts_follow_the_strongest_baseline(report: Report) -> None:
    of = verdicts(report, "65 nm CMOS")
    equal_data = of.pop("energy and power at equal throughput, data made equal")
    assert of == {"power at equal throughput": "held", "energy": "held", "area": "held"}
    assert equal_data == "held"
    assert all(claim.baseline == "pruned banked" for claim in report.claims if claim.where == "65 nm CMOS")
    assert verdicts(report, "MNIST, 8 bit") == {"accuracy": "partly"}


def test_the_least_favourable_compression_decides() -> None:
    found = results()
    weak = point("cmos65", "pruned banked", "-x40")
    found[weak] = result(weak, times=1.3)
    told = written(found)
    assert verdicts(told, "65 nm CMOS")["area"] == "partly"


def test_static_power_hides_a_saving_on_the_fpga_and_both_are_shown(report: Report) -> None:
    of = verdicts(report, "Artix-7 XC7A100T")
    assert of["power at equal throughput"] == "failed"
    assert of["power without static power, at equal throughput"] == "held"


def test_a_design_that_takes_longer_gains_nothing_in_the_verdict_on_power() -> None:
    found = results()
    for at, quick in found.items():
        if at.design.startswith("pruned") and at.technology == "cmos65":
            slower = replace(quick.counts, interval_cycles=3 * quick.counts.interval_cycles)
            found[at] = replace(quick, counts=slower)
    slow, csc = (found[point("cmos65", name)] for name in ("pruned banked", "csc"))
    assert slow.cost("power_w") < csc.cost("power_w"), "as it is, its power is the lower one"
    told = written(found)
    assert verdicts(told, "65 nm CMOS")["power at equal throughput"] == "held"
    assert all("throughput" in claim.claim for claim in told.claims if claim.claim.startswith("power"))
    shown = [table for section in told.sections for table in section.tables if "ratios" in table.name]
    assert shown
    assert all("throughput" in row[0] for table in shown for row in table.rows if "power" in row[0])
    for table in (table for section in told.sections for table in section.tables if "costs" in table.name):
        assert all("own throughput" in head for head in table.headings if "power" in head)


def test_every_priced_ratio_stands_with_its_ends() -> None:
    found = {
        at: replace(one, brackets=Brackets(parts={"energy_j": {"memory": Bracket(0.5, 2.0)}}))
        for at, one in results().items()
    }
    told = written(found)
    claim = next(each for each in told.claims if (each.topic, each.where) == ("energy", "65 nm CMOS"))
    assert re.search(r"2\.67× \(2\.\d+ to 2\.\d+\) at", claim.measured)


def test_the_page_lists_what_the_pruned_designs_were_not_given(report: Report) -> None:
    said = "No design was given an engine that skips zero activations"
    assert any(limit.startswith(said) for limit in report.limits)
    assert said in report.finding


def test_what_skipping_changes_follows_from_the_results() -> None:
    """A design whose products depend on its inputs skips some; here it is the strongest."""
    found = results()
    at = point("cmos65", "pruned replicated")
    quick = result(at, times=0.5)
    fewest = replace(quick.counts, macs=100)
    found[at] = replace(quick, counts=quick.counts.between(fewest, quick.counts))
    told = written(found)
    assert "No design" not in told.finding
    assert "skip zero activations took part (pruned replicated); the strongest of them takes" in told.finding
    assert "0.67× the energy" in told.finding, "0.5 and an index of a third as much"
    assert not any("skips zero activations" in limit for limit in told.limits)


def test_the_finding_says_where_the_question_stands(report: Report) -> None:
    assert report.finding.startswith("At equal accuracy the strongest design with an index takes")
    ratios = re.findall(r"[\d.]+× the energy, [\d.]+× the (?:area|resources) and", report.finding)
    assert ratios[0] == "3.33× the energy, 2.50× the area and", "of clos, which takes less than csc"
    assert "in Artix-7 XC7A100T at" in report.finding


def test_the_summary_speaks_of_the_figures(report: Report) -> None:
    first = report.summary[0].replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "At equal accuracy, 65 nm CMOS: pruned (98.50 %) takes 3.33× the energy" in first
    assert any("held for power at equal throughput, energy and area" in said for said in report.summary)


def test_without_a_map_the_page_has_none(report: Report) -> None:
    assert not any(section.heading.startswith("Who wins") for section in report.sections)
    assert "map" not in report.figures


def test_equal_accuracy_leads(report: Report) -> None:
    assert report.sections[0].heading == "At equal accuracy"
    assert report.sections[0].tables[0].rows[0][:2] == ("pruned banked", "clos")


def test_with_data_made_equal_every_product_takes_the_same(report: Report) -> None:
    shown = table(report, "equal-data-cmos65-x12")
    own, equal = (shown.headings.index(head) for head in ("a product switches", "made equal"))
    assert len({row[own] for row in shown.values}) > 1
    assert len({round(row[equal], 20) for row in shown.values}) == 1


def test_each_design_runs_at_its_own_fastest_clock(report: Report) -> None:
    for technology in ("cmos65", "artix7"):
        for row in table(report, f"own-clock-{technology}").values:
            (at,) = (at for at in points() if (at.technology, at.name) == (technology, row[0]))
            period = 1 / row[1]
            path_s = result(at).critical_path_s or 0.0
            assert row[1] % 1e6 == pytest.approx(0)
            assert path_s <= period * (1 + 1e-9) < path_s + period
    quick = next(row for row in table(report, "own-clock-artix7").values if row[0] == "csc")
    interval, energy = quick[2:4], quick[4:6]
    assert interval[1] < interval[0]
    assert energy[1] < energy[0], "static power is drawn for a shorter time"


def test_designs_that_miss_the_common_clock_are_named(report: Report) -> None:
    (said,) = (limit for limit in report.limits if "common clock" in limit)
    assert "dense in 65 nm CMOS" in said
    quick = {at: replace(one, critical_path_s=1e-9) for at, one in results().items()}
    assert not any("common clock" in limit for limit in written(quick).limits)


def test_the_smallest_device_holds_the_design(report: Report) -> None:
    devices = {row[0]: row[-2] for row in table(report, "devices").rows}
    assert set(devices) == {at.name for at in points() if at.technology == "artix7"}
    assert set(devices.values()) == {"XC7A12T"}


def test_the_settings_of_every_mapped_design_are_shown(report: Report) -> None:
    shown = table(report, "settings-cmos65")
    assert {"fetch bits", "zero gating", "gather", "index"} <= set(shown.headings)
    by_name = {row[0]: dict(zip(shown.headings, row, strict=True)) for row in shown.rows}
    assert by_name["csc"]["gather"] == "—"
    assert by_name["pruned banked"]["gather"] == "banked"


def test_activations_moved_are_those_of_both_memories(report: Report) -> None:
    assert {row[-1] for row in table(report, "moved-x12").values} == {(8 + 4) * 8}


class _Structure(HTMLParser):
    """Counts elements."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1


def test_the_page_stands_by_itself(report: Report) -> None:
    page = _Structure()
    text = check_page(report)
    page.feed(text)
    assert page.seen["svg"] == sum(len(section.charts) for section in report.sections)
    assert report.citation in text
    for claim in report.claims:
        assert claim.why in html.unescape(text)
    for quantity in ("speed_ratio_to_ecp5", "clock_network_factor"):
        assert quantity in text


def test_the_folder_holds_page_figures_tables_and_designs(report: Report, tmp_path: Path) -> None:
    write_page(report, tmp_path)
    told = json.loads((tmp_path / "results.json").read_text())
    assert set(told) == {
        *heading(),
        *("study", "results", "equal_accuracy", "comparisons", "own_clock", "settings", "claims"),
    }
    assert len(told["results"]) == len(list((tmp_path / "designs").glob("*.yaml"))) == len(points())
    with (tmp_path / "costs-cmos65-x12.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["design"] for row in rows][:2] == ["csc", "clos"]
    assert float(rows[0]["energy [J]"]) == pytest.approx(3e-9)


def test_equal_results_give_an_equal_page(report: Report) -> None:
    assert render(written(results())) == render(report)


@pytest.mark.parametrize("width", [80, 150])
def test_the_terminal_shows_every_claim_and_is_no_wider_than_it_is(report: Report, width: int) -> None:
    from rich.console import Console

    console = Console(width=width, record=True, file=io.StringIO())
    console.print(report_tables(report))
    shown = console.export_text()
    assert all(len(line) <= width for line in shown.splitlines())
    for claim in report.claims:
        assert claim.topic.split()[0] in shown
    for name in ("csc", "pruned banked"):
        assert name in shown
