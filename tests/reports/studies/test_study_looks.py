"""Every study's page begins with its verdicts and its first picture, in a real browser, and every verdict
comes from figures."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from reports.page import render
from reports.write_up.claims import published
from reports.write_up.report import Report
from reports.write_up.verdicts import Verdict
from tests.reports.browser import HEIGHT, WIDTHS, browser, looks, opened
from tests.reports.stand_ins import results
from tests.reports.studies import (
    test_closnets_2018,
    test_closnets_fpl2018,
    test_csc_dac2019,
    test_neurofabric_2020,
)

pytestmark = pytest.mark.slow

__all__ = ["browser"]

STUDIES = Path(__file__).parents[3] / "reports" / "studies"
WORDS = {*map(str, Verdict), "holds", "does not hold", "not testable here", "being redone"}


@cache
def reports() -> dict[str, Report]:
    """Reports of several kinds, whose figures nobody had to synthesise or train."""
    return {
        "csc": test_csc_dac2019.written(results()),
        "closnets": test_closnets_2018.report(),
        "closnets-fpl": test_closnets_fpl2018.report(),
        "neurofabric": test_neurofabric_2020.report(),
    }


@pytest.mark.parametrize("name", ["csc", "closnets", "closnets-fpl", "neurofabric"])
def test_a_page_begins_with_its_verdicts_and_its_first_picture(
    browser: Browser, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "index.html"
    path.write_text(render(reports()[name], home="../index.html"), encoding="utf-8")
    page, heard = opened(browser, path)
    for width in looks(page):
        parts = ("figure .drawing", "#claims")
        picture, claims = (page.locator(part).first.bounding_box() for part in parts)
        assert picture is not None
        assert claims is not None
        assert picture["y"] < HEIGHT
        if width == WIDTHS[0]:
            assert picture["y"] + picture["height"] <= HEIGHT
            assert claims["y"] < HEIGHT
    assert heard == []


def test_claims_are_stacked_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(render(reports()["neurofabric"]), encoding="utf-8")
    page, _ = opened(browser, path)
    page.set_viewport_size({"width": WIDTHS[1], "height": HEIGHT})
    boxes = [cell.bounding_box() for cell in page.locator(".short tbody tr").first.locator("td").all()]
    lefts = {round(box["x"]) for box in boxes if box}
    assert len(boxes) == 4
    assert len(lefts) == 1
    assert all(box and box["x"] + box["width"] <= WIDTHS[1] for box in boxes)


def test_on_a_phone_titles_of_tables_wrap_and_claims_take_the_width(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(render(reports()["neurofabric"]), encoding="utf-8")
    page, _ = opened(browser, path)
    page.set_viewport_size({"width": WIDTHS[1], "height": HEIGHT})
    wide = "each => each.getBoundingClientRect().width - parseFloat(getComputedStyle(each).paddingRight)"
    widths = [caption.evaluate(wide) for caption in page.locator("caption").all()]
    assert len(widths) > 10
    assert max(widths) <= WIDTHS[1]
    claim = page.locator(".short td.claim-cell").first.bounding_box()
    assert claim is not None
    assert claim["width"] > WIDTHS[1] * 0.8


def test_places_of_claims_differ() -> None:
    for report in reports().values():
        anchors = [claim.anchor for claim in report.claims]
        assert len(set(anchors)) == len(anchors)


def test_no_study_writes_a_verdict_by_hand() -> None:
    """Templates read verdicts, and modules get them from a rule; what no figure decides says why."""
    for path in STUDIES.glob("*/*.j2"):
        stated = re.findall(r"^ *verdict: *(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert all(verdict.startswith("{{") for verdict in stated), path
    for path in STUDIES.glob("*/*.py"):
        texts = {
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert not texts & WORDS, path


def test_a_claim_that_no_figure_decides_is_not_testable_and_says_why() -> None:
    by_hand = [claim for report in reports().values() for claim in report.claims if claim.by_hand]
    stated = published("reports.studies.closnets_fpl2018")["by_hand"]
    assert len(by_hand) == len(stated) == 1
    assert {claim.verdict for claim in by_hand} == {Verdict.NOT_TESTABLE}
    assert {claim.by_hand for claim in by_hand} == set(stated.values())
