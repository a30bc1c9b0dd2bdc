"""The page of the CSC comparison, made of results that nobody had to synthesise."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from archsim import Result
from archsim.technology.evidence import Bracket, Brackets
from reports.page import render, write_page
from reports.studies import csc_dac2019, studies
from reports.studies.csc_dac2019.measure import findings
from reports.studies.csc_dac2019.points import Point, design_points
from reports.terminal import report_tables
from reports.write_up.claims import FactorRule, judge_losses, published
from reports.write_up.report import Report
from reports.write_up.study_page import write_up
from tests.reports.stand_ins import result, results


@pytest.fixture(scope="module")
def report() -> Report:
    return written(results())


def written(results: Mapping[Point, Result]) -> Report:
    content = published(csc_dac2019.__name__)
    return write_up(csc_dac2019.__name__, findings(results, design_points(), content), content)


def verdicts(report: Report, where: str) -> dict[str, str]:
    return {claim.topic: claim.verdict for claim in report.claims if claim.where == where}


def test_the_study_is_registered() -> None:
    assert studies["csc-dac2019"] is csc_dac2019.reproduce


def test_all_designs_share_clock_pes_and_widths() -> None:
    for technology in ("cmos65", "artix7"):
        designs = [design for point, design in design_points().items() if point.technology == technology]
        shared = {
            (d.clock_hz, d.engine.pes, d.engine.weight_bits, d.engine.activation_bits, d.engine.fetch_bits)
            for d in designs
        }
        assert len(shared) == 1


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [(2.4, "holds"), (1.8, "holds"), (1.79, "partly"), (1.2, "partly"), (1.1, "does not hold")],
)
def test_a_claimed_factor_is_judged_by_the_stated_rule(ratio: float, verdict: str) -> None:
    rule = FactorRule(**published("reports.studies.csc_dac2019")["rule"])
    assert rule.judge(ratio) == verdict


def test_a_claim_of_little_loss_holds_where_all_losses_are_little() -> None:
    assert judge_losses([0.005, 0.02], 0.02) == "holds"
    assert judge_losses([0.005, 0.03], 0.02) == "partly"
    assert judge_losses([0.03], 0.02) == "does not hold"


def test_verdicts_follow_the_strongest_baseline(report: Report) -> None:
    of = verdicts(report, "65 nm CMOS")
    assert of == {"power at equal throughput": "holds", "energy": "holds", "area": "holds"}
    assert all(claim.baseline == "pruned banked" for claim in report.claims if claim.where == "65 nm CMOS")
    assert verdicts(report, "MNIST, 8 bit") == {"accuracy": "partly"}


def test_the_least_favourable_compression_decides() -> None:
    found = results()
    weak = Point("cmos65", "-x40", "pruned banked")
    found[weak] = result(weak, times=1.3)
    told = written(found)
    assert verdicts(told, "65 nm CMOS")["area"] == "partly"


def test_static_power_hides_a_saving_on_the_fpga_and_both_are_shown(report: Report) -> None:
    of = verdicts(report, "Artix-7 XC7A100T")
    assert of["power at equal throughput"] == "does not hold"
    assert of["power without static power, at equal throughput"] == "holds"


def test_a_design_that_takes_longer_gains_nothing_in_the_verdict_on_power() -> None:
    found = results()
    for point, quick in found.items():
        if point.design.startswith("pruned") and point.technology == "cmos65":
            found[point] = replace(quick, counts=replace(quick.counts, cycles=3 * quick.counts.cycles))
    slow, csc = (found[Point("cmos65", "", name)] for name in ("pruned banked", "csc"))
    assert slow.cost("power_w") < csc.cost("power_w"), "as it is, its power is the lower one"
    told = written(found)
    assert verdicts(told, "65 nm CMOS")["power at equal throughput"] == "holds"
    assert all("throughput" in claim.claim for claim in told.claims if claim.claim.startswith("power"))
    shown = [table for section in told.sections for table in section.tables if "ratios" in table.name]
    assert shown
    assert all("throughput" in row[0] for table in shown for row in table.rows if "power" in row[0])
    for table in (table for section in told.sections for table in section.tables if "costs" in table.name):
        assert all("own throughput" in head for head in table.headings if "power" in head)


def test_every_priced_ratio_stands_with_its_ends() -> None:
    found = {
        point: replace(one, brackets=Brackets(parts={"energy_j": {"memory": Bracket(0.5, 2.0)}}))
        for point, one in results().items()
    }
    told = written(found)
    claim = next(each for each in told.claims if (each.topic, each.where) == ("energy", "65 nm CMOS"))
    assert re.search(r"2\.67× \(2\.\d+ to 2\.\d+\) at", claim.measured)


def test_the_page_lists_what_the_pruned_designs_were_not_given(report: Report) -> None:
    assert any(
        "schedule without conflicts" in limit and "zero activations" in limit for limit in report.limits
    )


def test_the_summary_speaks_of_the_figures(report: Report) -> None:
    first = report.summary[0]
    assert "holds for power at equal throughput, energy and area" in first
    assert "2.67× the energy" in first


class _Structure(HTMLParser):
    """Counts elements and what a page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, int] = {}
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        given = dict(attrs)
        if tag in ("script", "link", "img", "iframe"):
            self.loaded.append(tag)
        if tag == "a" and (given.get("href") or "").startswith("http"):
            self.loaded.append(str(given["href"]))


def test_the_page_stands_by_itself(report: Report) -> None:
    page = _Structure()
    text = render(report)
    page.feed(text)
    assert page.loaded == []
    assert page.seen["svg"] == sum(len(section.charts) for section in report.sections)
    assert report.citation in text
    for claim in report.claims:
        assert claim.why in text or "&" in claim.why
    for quantity in ("routing_factor", "clock_network_factor"):
        assert quantity in text


def test_the_folder_holds_page_figures_tables_and_designs(report: Report, tmp_path: Path) -> None:
    write_page(report, tmp_path)
    told = json.loads((tmp_path / "results.json").read_text())
    assert set(told) == {"study", "results", "comparisons", "claims"}
    assert len(told["results"]) == len(list((tmp_path / "designs").glob("*.yaml"))) == len(design_points())
    with (tmp_path / "costs-cmos65-x12.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["design"] for row in rows][:2] == ["csc", "clos"]
    assert float(rows[0]["energy [J]"]) == pytest.approx(3e-9)


def test_equal_results_give_an_equal_page(report: Report) -> None:
    assert render(written(results())) == render(report)


def test_the_terminal_shows_every_claim(report: Report) -> None:
    from rich.console import Console

    console = Console(width=150, record=True, file=io.StringIO())
    console.print(report_tables(report))
    shown = console.export_text()
    for claim in report.claims:
        assert claim.topic in shown
