"""The page about points of which some train, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from archsim.explore.gather import gather
from archsim.explore.spec import space_of
from archsim.explore.sweep.sweep import sweep
from reports.points.data import content_of
from reports.points.write import write_report
from tests.reports.browser import browser, opened

pytestmark = pytest.mark.slow

__all__ = ["browser"]


def test_points_of_one_figure_and_unknown_accuracy_offer_no_slider_and_no_way_to_itself(
    browser: Browser, tmp_path: Path
) -> None:
    axes = {"task": [{"training": None}, {"training": {}}], "engine.pes": [4]}
    base = {"network": "lenet-300-100-clos-x40", "engine": {"kind": "clos"}, "technology": "cmos65"}
    done = sweep(space_of({"base": base | {"clock_hz": 1e8}, "axes": axes}), tmp_path / "runs", workers=0)
    points = gather([done.store.folder])
    write_report(points, tmp_path / "page", sources=["runs"], command="archsim report runs --out page")
    page, heard = opened(browser, tmp_path / "page" / "index.html")
    page.wait_for_selector("body[data-drawn]")
    assert not page.locator("#least-label").is_visible()
    assert page.input_value("#from") != page.input_value("#to")
    assert page.locator("#only option").all_text_contents() == [
        "all technologies",
        *content_of(points, ["runs"]).technologies,
    ]
    assert heard == []
