"""The page about design points, in a real browser: it fetches nothing, its front and its table react, and its
figures are those of the store."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page

from archsim.design import DesignPoint
from archsim.explore.gather import figures_of, gather, point_of
from archsim.explore.pareto import pareto
from archsim.explore.spec import nested, space_of
from archsim.explore.store import Row, Store
from archsim.explore.sweep.sweep import Sweep, sweep
from reports.cli import main
from reports.points.data import PARTS_BYTES, content_of
from reports.points.drawings import front_rows
from reports.points.figures import FigureError
from reports.points.labels import name_marks
from reports.points.words import summary
from reports.points.write import LARGEST_PAGE_BYTES, page as page_of, write_report
from tests.reports.browser import browser
from tests.reports.stand_ins import write_design

pytestmark = pytest.mark.slow

__all__ = ["browser"]
WIDTHS = (1200, 390)
SPACE = {
    "base": {"network": "lenet-300-100-csc-x40", "engine": {"kind": "csc"}, "clock_hz": 1e8},
    "axes": {
        "engine.pes": [2, 4, 8],
        "technology": ["cmos65", {"kind": "cmos", "node_nm": 45}, "artix7"],
        "engine.weight_bits": [8, 4, 1],
    },
}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    return sweep(space_of(SPACE), tmp_path_factory.mktemp("swept"), workers=0)


@pytest.fixture(scope="module")
def folder(swept: Sweep, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("page") / "report"
    points = gather([swept.store.folder])
    write_report(points, out, sources=["runs"], command="archsim report runs --out report")
    return out


def opened(
    browser: Browser, path: Path, *, width: int = 1200, scheme: Any = "light"
) -> tuple[Page, list[str]]:
    """The page, drawn, and what its console and its network said meanwhile."""
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
    page.set_default_timeout(240_000)
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith("file:") else heard.append(asked.url))
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-drawn]")
    return page, heard


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_opens_from_disk_without_a_word_at_any_width_in_any_theme(
    browser: Browser, folder: Path, width: int, scheme: str
) -> None:
    page, heard = opened(browser, folder / "index.html", width=width, scheme=scheme)
    page.click("#points tbody button >> nth=1")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    red, green, blue = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    )
    assert (red + green + blue > 600) == (scheme == "light")
    assert heard == []


def test_a_placed_design_has_pictures_of_its_core(browser: Browser, tmp_path: Path) -> None:
    design = write_design(tmp_path)
    out = tmp_path / "report"
    asked = ["report", str(design), "--fidelity", "layout", "--out", str(out)]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.output
    assert (out / "index.html").stat().st_size < 3_000_000
    page, heard = opened(browser, out / "index.html", width=390, scheme="dark")
    # Their pixels are shown, and in their own colours, where other drawings are turned for a dark page.
    shown = page.locator("#cores ~ figure:has(svg image)")
    assert shown.count() == 2
    assert page.evaluate("getComputedStyle(document.querySelector('.drawing svg')).filter") == "none"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert heard == []


def test_the_front_on_the_page_is_that_of_the_sweep(browser: Browser, folder: Path, swept: Sweep) -> None:
    page, heard = opened(browser, folder / "index.html")
    page.select_option("#across", "energy_j")
    page.select_option("#up", "area_mm2")
    page.wait_for_function("document.querySelector('#front-figure').textContent.includes('area, mm²')")
    shown = page.get_attribute("#front-figure", "data-front") or ""
    data = json.loads(page.text_content("#data") or "")
    numbers = {data["numbers"][int(place)] for place in shown.split()}
    expected: set[int] = set()
    points = [point for point in gather([swept.store.folder]) if point.error is None and point.clock_met]
    for technology in ("cmos65", "cmos"):
        alike = [point for point in points if point.fields["technology.kind"] == technology]
        rows = pd.DataFrame([{"name": point.name, **point.figures} for point in alike])
        front = pareto(rows, "energy_j", "area_mm2")["name"]
        expected |= {int(name.partition(":")[0]) for name in front}
    assert numbers == expected
    assert heard == []


def test_a_technology_without_the_figures_of_the_axes_has_no_front(folder: Path, swept: Sweep) -> None:
    content = content_of(gather([swept.store.folder]), ["runs"])
    assert "artix7" in content.technologies
    on = {row["technology"] for row in front_rows(content, "energy_j", "area_mm2")}
    assert on == {"cmos65", "cmos 45 nm"}


def test_a_point_whose_critical_path_nobody_knows_is_not_called_the_fastest(tmp_path: Path) -> None:
    axes = {"technology": ["ecp5", "cmos65"], "clock_hz": [1e8, 5e9]}
    done = sweep(space_of({"base": SPACE["base"], "axes": axes}), tmp_path / "runs", workers=0)
    told = "\n".join(summary(content_of(gather([done.store.folder]), ["runs"])))
    assert "ecp5: none of 2 points is known to run at its clock" in told
    assert "The critical path of 2 points is not known" in told
    assert re.search("cmos65: .* is the fastest", told)


def test_a_dot_says_what_it_is_and_a_click_pins_it(browser: Browser, folder: Path) -> None:
    page, heard = opened(browser, folder / "index.html")
    assert page.query_selector("#pinned table") is None
    dot = page.locator("#front-figure .role-mark.mark-symbol path").last
    dot.hover()
    page.wait_for_selector("#vg-tooltip-element.visible")
    assert "PEs" in page.inner_text("#vg-tooltip-element")
    dot.click()
    page.wait_for_selector("#pinned table")
    assert "energy by component" in page.inner_text("#pinned")
    assert heard == []


def test_the_front_is_walked_and_pinned_by_keyboard(browser: Browser, folder: Path) -> None:
    page, heard = opened(browser, folder / "index.html")
    page.focus("#front-figure")
    page.keyboard.press("ArrowRight")
    told = page.inner_text("#said")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#said") != told
    page.keyboard.press("Enter")
    assert page.inner_text("#pinned h3") == page.inner_text("#said").split(": energy")[0]
    assert heard == []


def test_the_table_sorts_and_filters_and_holds_the_figures_of_the_store(
    browser: Browser, folder: Path, swept: Sweep
) -> None:
    page, heard = opened(browser, folder / "index.html")
    whole = swept.frame.dropna(subset=["energy_j"])
    page.click('th[data-name="energy_j"] button')
    assert page.get_attribute('th[data-name="energy_j"]', "aria-sort") == "ascending"
    place = page.evaluate(
        "[...document.querySelectorAll('#points th')].findIndex(h => h.dataset.name === 'energy_j')"
    )
    shown = [
        float(text)
        for text in page.eval_on_selector_all(
            f"#points tbody td:nth-child({place + 1})", "cells => cells.map(cell => cell.title)"
        )
    ]
    assert shown == pytest.approx(sorted(whole["energy_j"]), rel=1e-8)
    page.fill("#filter", "cmos65 engine.pes>=4")
    page.wait_for_function("document.querySelectorAll('#points tbody tr').length < 18")
    assert page.locator("#points tbody tr").count() == 4
    assert heard == []


def test_a_run_over_time_is_that_of_the_pinned_point(browser: Browser, folder: Path) -> None:
    page, heard = opened(browser, folder / "index.html")
    data = json.loads(page.text_content("#data") or "")
    place = list(data["runs"])[-1]
    page.select_option("#run-of", place)
    page.wait_for_function(
        "name => document.querySelector('#run-said').textContent.includes(name)",
        arg=f"{data['numbers'][int(place)]}: ",
    )
    assert page.locator("#run-figure .mark-rect path").count() > 20
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    rows = page.eval_on_selector_all(
        "#run-table tbody tr", "all => all.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    (all_pes,) = (row for row in rows if row[0] == "all PEs")
    assert 20 < float(all_pes[1]) <= 100
    assert sum(map(float, all_pes[1:])) <= 100.5
    assert heard == []


def test_a_waterfall_on_the_page_goes_from_one_figure_to_the_other(browser: Browser, folder: Path) -> None:
    page, heard = opened(browser, folder / "index.html")
    page.select_option("#steps-metric", "area_mm2")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    cells = page.eval_on_selector_all(
        "#steps-table tbody td:nth-child(2)", "all => all.map(c => c.textContent)"
    )
    steps = [float(text.replace("−", "-").replace(",", "")) for text in cells]
    assert sum(steps[:-1]) == pytest.approx(steps[-1], rel=1e-3)
    assert len(steps) > 3
    assert heard == []


def test_every_figure_has_words_for_those_who_do_not_see_it(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    assert page.count('role="img" aria-label="') == page.count('class="figure"') == 5
    drawings = {drawing.stem for drawing in folder.glob("*.svg")}
    assert {"front", "energy_j", "area_mm2", "roofline-cmos65", "roofline-artix7"} <= drawings
    for drawing in folder.glob("*.svg"):
        assert "aria-label" in drawing.read_text()


def test_drawings_are_pdf_too_with_a_font_in_them(folder: Path) -> None:
    for drawing in folder.glob("*.svg"):
        pdf = drawing.with_suffix(".pdf").read_bytes()
        assert pdf.startswith(b"%PDF")
        assert b"LiberationSans" in pdf


def test_the_files_beside_the_page_hold_every_point_in_full(folder: Path, swept: Sweep) -> None:
    rows = list(csv.DictReader((folder / "points.csv").read_text().splitlines()))
    figures = sorted(float(row["energy_j"]) for row in rows if row["energy_j"])
    assert figures == sorted(swept.frame["energy_j"].dropna())
    assert sum(bool(row["error"]) for row in rows) == swept.frame["error"].notna().sum() > 0
    markdown = (folder / "report.md").read_text()
    assert "archsim report runs --out report" in markdown
    assert "| point |" in markdown


def many_rows(swept: Sweep, many: int) -> list[Row]:
    done = [row for row in swept.store.rows() if row.figures]
    return [
        Row(
            f"{number:05d}",
            {**(row := done[number % len(done)]).point, "clock_hz": 1e6 + number},
            row.fidelity,
            {
                name: value * (1 + number / 7e4) if isinstance(value, float) else value
                for name, value in (row.figures or {}).items()
            },
            version="0.0.1+another",
        )
        for number in range(many)
    ]


def test_a_page_of_many_points_sorts_and_one_of_ten_thousand_is_small(
    browser: Browser, swept: Sweep, tmp_path: Path
) -> None:
    """What a point adds to the page is measured between two sizes; what all add by component is bounded."""
    sizes = {}
    for many in (1_000, 2_000):
        Store(tmp_path / str(many)).keep(many_rows(swept, many))
        content = content_of(gather([tmp_path / str(many)]), ["many"])
        path = tmp_path / f"{many}.html"
        path.write_text(page_of(content, "Many", "archsim report", []), encoding="utf-8")
        sizes[many] = path.stat().st_size
    of_a_point = (sizes[2_000] - sizes[1_000]) / 1_000
    assert sizes[2_000] + 8_000 * of_a_point + PARTS_BYTES < LARGEST_PAGE_BYTES
    shown, heard = opened(browser, tmp_path / "2000.html")
    shown.click('th[data-name="energy_j"] button')
    assert "2,000 of 2,000" in shown.inner_text("#shown")
    assert "come from a store of the first format" in shown.inner_text(".summary")
    assert heard == []


def test_a_point_is_the_same_from_a_store_and_from_plain_values(swept: Sweep) -> None:
    for point in content_of(gather([swept.store.folder]), ["runs"]).points[::5]:
        values = DesignPoint.beside(Path(), nested(point.fields)).simulate("analytic").to_dict()
        assert figures_of(values) == point.figures
        other = point_of(values, "one.json")
        for metric in ("energy_j", "area_mm2", "lut"):
            told = {name: value for name, value in other.components(metric).items() if value}
            assert point.components(metric) == pytest.approx(told, rel=1e-12)
        assert point.work() == other.work()
        assert point.traffic() == other.traffic()


def test_the_roofline_holds_every_point_below_its_roof(browser: Browser, folder: Path) -> None:
    page, heard = opened(browser, folder / "index.html")
    for technology in ("artix7", "cmos65"):
        page.select_option("#roof-technology", technology)
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        page.wait_for_function(
            "of => document.querySelector('#roof-table tbody').textContent.includes(of)", arg=technology
        )
        cells = page.eval_on_selector_all(
            "#roof-table tbody td:last-child", "all => all.map(c => c.textContent)"
        )
        assert len(cells) == 6
        assert all(0 < float(cell) <= 100 for cell in cells)
    page.locator("#roof-figure .role-mark.mark-symbol path").last.click()
    page.wait_for_selector("#pinned table")
    assert "cmos65" in page.inner_text("#pinned h3")
    assert heard == []


def test_the_front_keeps_to_the_least_accuracy(browser: Browser, tmp_path: Path) -> None:
    # Two networks, for what fewer bits cost is only known where there are data to measure it on.
    axes = {"network": ["lenet-300-100-csc-x40", "lenet-300-100-csc"], "engine.pes": [2, 4]}
    swept = sweep(
        space_of({"base": {**SPACE["base"], "technology": "cmos65"}, "axes": axes}), tmp_path, workers=0
    )
    write_report(
        gather([swept.store.folder]), tmp_path / "report", sources=["runs"], command="archsim report runs"
    )
    page, heard = opened(browser, tmp_path / "report" / "index.html")
    data = json.loads(page.text_content("#data") or "")
    (column,) = (one["values"] for one in data["metrics"] if one["name"] == "accuracy")
    accuracy = column["values"]
    page.select_option("#up", "cycles")
    page.wait_for_function("document.querySelector('#front-figure').textContent.includes('cycles')")
    most = page.get_attribute("#least", "max") or ""
    enough = float(most) / 100 - 1e-9
    assert min(each for each in accuracy if each is not None) < enough
    page.evaluate(
        "most => { const one = document.querySelector('#least'); one.value = most; "
        "one.dispatchEvent(new Event('input')); }",
        most,
    )
    page.wait_for_function(
        "([accuracy, enough]) => { const shown = document.querySelector('#front-figure').dataset.front; "
        "return shown && shown.split(' ').every((place) => accuracy[place] >= enough); }",
        arg=[accuracy, enough],
    )
    assert heard == []


MARKED = """
ours: {network: lenet-300-100-csc-x40, engine: {kind: csc, pes: 16}, technology: cmos65}
theirs: {network: lenet-300-100-pruned-x40, engine: {kind: pruned, pes: 16}, technology: cmos65}
"""


def test_marked_designs_stand_on_the_front_by_name(browser: Browser, swept: Sweep, tmp_path: Path) -> None:
    (tmp_path / "marked.yaml").write_text(MARKED)
    given = [str(swept.store.folder), "--mark", str(tmp_path / "marked.yaml"), "--fidelity", "analytic"]
    ran = CliRunner().invoke(main, ["report", *given, "--out", str(tmp_path / "out"), "--where", "pes < 8"])
    assert "14 points, 6 refused" in ran.output
    page, heard = opened(browser, tmp_path / "out" / "index.html")
    assert {"ours", "theirs"} <= set(page.inner_text("#front-figure").split())
    assert "theirs" in page.inner_text("table:has(caption:text('Marked designs'))")
    assert "--mark marked.yaml --where 'pes < 8'" in page.inner_text("pre")
    assert "theirs" in (tmp_path / "out" / "front.svg").read_text()
    assert heard == []


def test_names_of_marked_designs_are_off_each_other() -> None:
    rows = [{"x": 1.0 + place / 100, "y": 5.0, "mark": f"design {place}"} for place in range(5)]
    rows += [{"x": 0.1, "y": 1.0, "mark": ""}, {"x": 100.0, "y": 9.0, "mark": ""}]
    name_marks(rows, (640, 400), log=(True, False))
    places = {(row["label_x"], row["label_y"], row["side"]) for row in rows if row["mark"]}
    assert len(places) == 5
    assert all("side" not in row for row in rows if not row["mark"])


def test_report_takes_sweeps_results_and_designs_together(swept: Sweep, tmp_path: Path) -> None:
    design = tmp_path / "one.yaml"
    design.write_text("network: lenet-300-100-csc-x40\nengine: {kind: csc, pes: 16}\ntechnology: cmos65\n")
    told = CliRunner().invoke(main, ["simulate", str(design), "--json"]).stdout
    (tmp_path / "one.json").write_text(told)
    given = [str(swept.store.folder), str(tmp_path / "one.json"), str(design), "--out", str(tmp_path / "out")]
    ran = CliRunner().invoke(main, ["report", *given])
    assert "19 points, 9 refused" in ran.output
    page = (tmp_path / "out" / "index.html").read_text()
    assert str(tmp_path) not in page
    assert "archsim report" in page


def test_without_the_plotting_library_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, swept: Sweep
) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(FigureError, match=r"pip install 'archsim\[report\]'"):
        write_report(gather([swept.store.folder]), tmp_path / "out", sources=[], command="")
    assert not (tmp_path / "out").exists()
