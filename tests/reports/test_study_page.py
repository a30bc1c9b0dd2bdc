"""A study is data, a measure and a template: what the template may say, and what it may not leave out."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError
from pydantic import ValidationError

from reports.page import render
from reports.write_up.claims import Claim
from reports.write_up.predictions import Compared
from reports.write_up.report import Report
from reports.write_up.study_page import Findings, write_up
from workloads.refusal import Refusal

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
finding: >-
  {{ figures.power | si("W") }} of power.
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
limits: ["{% set runs = [{'images': 'fashion', 'settings': figures.settings}] -%}
{{ words.how([{'runs': runs, 'accuracies': [1, 1]}]) }}"]
assumptions:
  - {name: settings, value: "{{ figures.settings | length }}", source: ours}
""",
    )
    report = written(monkeypatch, tmp_path, '"chip, power": it leaks', page=shared)
    assert "4 epochs of Fashion-MNIST in batches of 128" in report.limits[0]
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


def with_chart(name: str) -> str:
    return PAGE.replace("reasons:", f"    charts:\n      - {{name: {name}}}\nreasons:")


def test_a_page_begins_with_the_verdicts_a_picture_and_the_claims_in_short(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = written(monkeypatch, tmp_path, 'chip, power: "it is hot"', page=with_chart("powers"))
    text = render(report)
    body = text[text.index("<body>") :]
    (claim,) = report.claims
    parts = (
        *("The one claim held partly.", report.finding, "<figure>", 'id="claims"', f'href="#{claim.anchor}"'),
        *('class="summary"', report.setup, f'id="{claim.anchor}"', 'id="section-1"'),
    )
    places = [body.index(part) for part in parts]
    assert places == sorted(places)
    assert text.count("<figure>") == 1
    (chart,) = report.sections[0].charts
    assert f'aria-label="{escape(chart.alternative)}"' in text
    assert "chip, power +30.0" in chart.alternative
    assert "prefers-color-scheme: dark" in text
    assert 'data-head="verdict"' in text


def test_a_picture_shows_the_predictions_of_a_table_or_those_that_claims_rest_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = written(monkeypatch, tmp_path, 'chip, power: "it is hot"', page=with_chart("claimed"))
    assert report.lead is not None
    assert "chip, power" in report.lead.alternative
    (tmp_path / "more").mkdir()
    with pytest.raises(KeyError, match="unknown"):
        written(monkeypatch, tmp_path / "more", 'chip, power: "it is hot"', page=with_chart("unknown"))


STATED = """
  - {claim: it is small, where: here, other: "", baseline: a big one, measured: 3 mm, verdict: VERDICT,
     why: so, topic: size, PUBLISHED}
rule:"""


def test_a_claim_says_what_the_paper_has_and_what_decides_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def told(room: str, **words: str) -> Claim:
        page = PAGE.replace("\nrule:", STATED)
        for word, text in words.items():
            page = page.replace(word, text)
        (tmp_path / room).mkdir()
        return written(monkeypatch, tmp_path / room, 'chip, power: "it is hot"', page=page).claims[1]

    claim = told("whole", VERDICT="not testable", PUBLISHED="published: about 2, by_hand: nobody can")
    assert (claim.published, claim.ours, claim.by_hand) == ("about 2", "3 mm", "nobody can")
    assert claim.anchor == "claim-size-here"
    with pytest.raises(Refusal, match="published of 'it is small' is empty"):
        told("without", VERDICT="held", PUBLISHED="ours: 3 mm")
    with pytest.raises(ValidationError, match="verdict"):
        told("strange", VERDICT="does not hold", PUBLISHED="published: about 2")
