"""What a notebook shows of design points: units in the heads, no numbers of rows, and pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.container import ErrorbarContainer

import archsim as a
from archsim.explore.frames import Frame, names_of
from archsim.explore.spec import space_of

CSC = a.DesignPoint(network="lenet-300-100-csc-x40", engine=a.Csc(pes=4), clock_hz=1e8, technology="cmos65")
SPACE = {
    "base": {"network": "lenet-300-100-csc-x40", "engine": {"kind": "csc"}, "technology": "cmos65"},
    "axes": {"engine.pes": [2, 4, 8], "clock_hz": [5e7, 1e8]},
}


@pytest.fixture(autouse=True)
def pictures(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pyplot, "show", lambda: None)
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> a.Sweep:
    return a.sweep(space_of(SPACE), tmp_path_factory.mktemp("swept"), workers=0)


@pytest.fixture(scope="module")
def compared() -> Frame:
    return a.compare([CSC, CSC.replace(engine=a.Csc(pes=8))], "analytic")


def heads(html: str) -> list[str]:
    return re.findall(r"<th>(.*?)</th>", html)


def test_a_comparison_says_units_in_its_heads_and_has_no_index(compared: Frame) -> None:
    html = compared._repr_html_()
    shown = heads(html)
    assert {"energy, nJ", "area, mm²", "latency, µs", "clock, MHz"} <= set(shown)
    assert html.count("<tr>") == 3
    assert html.count("<td>") == 2 * len(shown)
    first = compared["energy_j"][0] * 1e9
    assert f"<td>{first:.2f}</td>" in html


def test_a_sweep_and_its_results_are_shown_alike(swept: a.Sweep) -> None:
    assert swept._repr_html_() == swept.frame._repr_html_()
    assert heads(a.results(swept.store)._repr_html_()) == heads(swept._repr_html_())
    assert "6 design points" in swept._repr_html_()
    assert "key" not in heads(swept._repr_html_())


def test_a_result_and_a_design_point_are_tables() -> None:
    html = CSC.simulate("analytic")._repr_html_()
    assert heads(html) == ["figure", "value", "unit"]
    assert re.search(r"<td>energy an inference</td><td>[\d.]+</td><td>nJ</td>", html)
    assert "<tr><td>engine.pes</td><td>4</td></tr>" in CSC._repr_html_()


def test_what_is_chosen_of_a_frame_can_be_plotted_too(swept: a.Sweep) -> None:
    some = swept.frame[swept.frame["engine.pes"] > 2]
    assert isinstance(some, Frame)
    axes = some.plot.front("energy_j", "latency_s")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("energy an inference, nJ", "latency, µs")
    best = swept.pareto("energy_j", "latency_s")
    axes = swept.plot.front("energy_j", "latency_s")
    line: Any = next(one for one in axes.lines if one.get_label() == "front")
    assert list(line.get_xdata()) == pytest.approx(list(best["energy_j"] * 1e9))


def test_bars_of_a_ratio_have_its_ends(compared: Frame) -> None:
    axes: Any = compared.plot.bars("energy_j_ratio")
    assert [patch.get_width() for patch in axes.patches] == pytest.approx(list(compared["energy_j_ratio"]))
    assert axes.get_xlabel() == "energy an inference, as a multiple of the first"
    assert any(isinstance(container, ErrorbarContainer) for container in axes.containers)
    assert [text.get_text() for text in axes.get_yticklabels()] == names_of(compared)
    assert [name[-1] for name in names_of(compared)] == ["4", "8"]


def test_what_no_point_has_is_refused(compared: Frame) -> None:
    with pytest.raises(a.Refusal, match="metric is 'beauty', allowed are "):
        compared.plot.bars("beauty")
    with pytest.raises(a.Refusal, match="objective is 'beauty', allowed are "):
        compared.plot.front("beauty", "energy_j")


def test_what_pandas_plots_it_still_plots(compared: Frame) -> None:
    assert compared.plot(x="pes", y="energy_j").get_xlabel() == "pes"


def test_a_frame_without_points_is_shown(tmp_path: Path) -> None:
    assert "0 design points" in a.results(a.Store(tmp_path))._repr_html_()


def test_a_frame_that_was_turned_is_shown_too(swept: a.Sweep) -> None:
    turned = swept.frame.reset_index(drop=True).T
    assert turned.columns.equals(pd.RangeIndex(len(swept.frame)))
    assert "<th" in turned._repr_html_()
