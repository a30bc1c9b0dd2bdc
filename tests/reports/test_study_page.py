"""A study is data, a measure and a template: what the template may say, and what it may not leave out."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError
from pydantic import ValidationError

from reports.page import render
from reports.write_up.predictions import Compared
from reports.write_up.report import Report
from reports.write_up.study_page import Findings, listed, write_up

CONTENT: dict[str, Any] = {
    "citation": "A. Author,\n  On Things",
    "rule": {"holds_within": 0.15, "partly_within": 0.5},
    "assumptions": {"a_clock": {"shown": "1 MHz", "source": "ours"}},
}
PAGE = """
title: Things
question: >-
  How many
  things?
setup: "{{ assumed }}"
summary:
  - >-
    Twice {{ figures.power | si("W") }}:
    a colon, and {{ tally }}
  - >-
    {% if figures.power > 1 %}
    Much power.
    {% endif %}
sections:
  - heading: Powers
    tables:
      - {name: powers, title: All of them, place: part}
      - name: others
        title: Others
        columns: [part, power: W, share: share 0]
reasons:
  {{ reason }}
claims:
  - {claim: it takes little, where: here, other: "", prediction: "chip, power"}
rule: "{{ rule }}"
limits: []
"""


def written(
    monkeypatch: pytest.MonkeyPatch, folder: Path, reason: str, power: float = 130.0, page: str = PAGE
) -> Report:
    package = folder / f"study_of_{folder.name}"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "page.yaml.j2").write_text(page.replace("{{ reason }}", reason), encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    row = Compared(
        place="chip", figure="power", predicted=power, published=100.0, unit="W", exactness="exact"
    )
    found = Findings(
        figures={"power": 0.5, "settings": {"epochs": 4, "rate": {"peak": 0.01}, "hold_out": 5000}},
        plain={"more": 1},
        predictions={"powers": [row]},
        rows={"others": [("pe", 0.25, 0.5)]},
    )
    return write_up(package.name, found, CONTENT)


def test_a_template_reads_figures_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    report = written(monkeypatch, tmp_path, '"chip, power": it leaks')
    assert report.name == f"study-of-{tmp_path.name}".replace("_", "-")
    assert report.question == "How many things?"
    assert report.setup == "Assumed: a clock 1 MHz."
    assert report.summary[0].startswith("Twice 500\N{NARROW NO-BREAK SPACE}mW: a colon, and 0 of 1")
    assert len(report.summary) == 1
    assert report.citation == "A. Author, On Things"


def test_what_several_studies_say_alike_is_included(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shared = """{% import "studies/topologies/trained.j2" as words %}""" + PAGE.replace(
        "limits: []",
        """
limits: ["{{ words.how([{'runs': [{'settings': figures.settings}], 'accuracies': [1, 1]}]) }}"]
assumptions:
  - {name: settings, value: "{{ figures.settings | length }}", source: ours}
""",
    )
    report = written(monkeypatch, tmp_path, '"chip, power": it leaks', page=shared)
    assert "4 epochs of MNIST in batches of 128" in report.limits[0]
    assert [assumption.value for assumption in report.assumptions] == ["1 MHz", "3"]


def test_a_reason_goes_to_its_row_its_table_and_its_claim(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = written(monkeypatch, tmp_path, '"chip, power": it leaks')
    assert report.figures["predictions"][0]["why"] == "it leaks"
    predictions, others = report.sections[0].tables
    assert "it leaks" in predictions.note
    assert others.rows == (("pe", "250\N{NARROW NO-BREAK SPACE}mW", "50\N{NARROW NO-BREAK SPACE}%"),)
    assert report.claims[0].why == "it leaks"
    assert report.claims[0].verdict == "partly"


@pytest.mark.parametrize(
    ("page", "reason", "error", "message"),
    [
        (PAGE.replace("figures.power", "figures.might"), '"chip, power": it', UndefinedError, "might"),
        (PAGE.replace("question:", "quest:"), '"chip, power": it', ValidationError, "question"),
        (PAGE, "{}", ValueError, "why of chip power is empty"),
        (PAGE, '"chip, size": it', ValueError, "reasons are of chip, size"),
    ],
)
def test_what_is_missing_or_too_much_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    page: str,
    reason: str,
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        written(monkeypatch, tmp_path, reason, page=page)


def test_words_are_listed() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_a_page_begins_with_verdicts_and_the_first_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = PAGE.replace("reasons:", "    charts:\n      - {name: drawn}\nreasons:")
    report = written(monkeypatch, tmp_path, 'chip, power: "it is hot"', page=page)
    text = render(report)
    places = [text.index(part) for part in ('class="verdicts"', "<figure>", 'class="summary"', report.setup)]
    assert places == sorted(places)
    assert text.count("<figure>") == 1
    (chart,) = report.sections[0].charts
    assert f'aria-label="{escape(chart.caption)}"' in text
    assert "prefers-color-scheme: dark" in text
    assert 'data-head="verdict"' in text
