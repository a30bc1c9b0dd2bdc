"""The page of a study: what was found, put into the words of its template.

A study is a folder of four files, found by itself (and by an entry point of the group `archsim.studies`):

`__init__.py` registers one function. What it needs it imports inside, so that studies can be listed fast:

    @studies.register("deep-compression-iclr2016")
    def reproduce() -> Report:
        from reports.studies.deep_compression_iclr2016.measure import findings, measure
        from reports.write_up.study_page import write_up

        content = published(__name__)
        return write_up(__name__, findings(measure(content), content), content)

`published.yaml` is what the paper says: `citation`, `exactness`, figures, the `assumptions` of a prediction
and the `rule` that verdicts follow (its fields choose one of the rules of `claims`). Assumptions that
hold a figure of ours stand in the template instead.

`measure.py` is what we do. Its `findings` gives the figures by name as plain values in SI units, the rows of
each table, the rows of predictions, the charts, and what goes into `results.json`: no sentence, no unit.

`page.yaml.j2` is what is said: a YAML file with the fields of `Page`, after Jinja has filled it in. There are

- `figures`, whatever `Findings.figures` holds, and `published`, the content of `published.yaml`;
- `rows`, each prediction by its name ("ip1, rate pq"), with `predicted`, `published`, `difference`,
  `needs_words`, and the same for people: `shown_predicted`, `shown_published`, `shown_difference`; `tables`,
  the predictions of each table as a list; `tally`, how many of them come near;
- `rule` with `rule.judge(…)`, `judge_cases([…])`, `judge_losses([…], allowed)`; `assumed`, the assumptions in
  a line;
- filters: `si("J")` with the prefix that suits, `shown(unit, places)` for any unit of `formatting.UNITS`, and
  by their own name `count`, `number(places)`, `plain(digits)`, `share(places)`, `times(places)`, `ratio`,
  `bit(places)`, `stored`, `points`; `area`; `signed`, a difference with its sign; `listed`: a, b and c.

Prose stands in block scalars (`>-`), in which any text is safe; how its lines are broken says nothing. A
sentence that some outcomes do not have goes in an `{% if %}`, and an empty one is left out; one that stands
twice is a `{% set sentence %}…{%- endset %}`, a phrase with several figures a `{% macro %}…{%- endmacro %}`.
The dash keeps a space away from the full stop behind it. A name that does not exist is an error.
What several studies say alike is a template under `reports`, included or imported by its path there.

A table of the page finds its rows by its name in `Findings.rows`. A column is a heading, or `heading: unit`,
or `heading: unit places`; rows that are a `Table` bring their columns. A table whose `place` is given in the
stead of columns shows the predictions of its name. `reasons` say of a row of predictions, by its name, why it
differs; a row that is far off and has none is refused. A claim with a `prediction`, the name of a row, is
judged and filled in from it; any other states all that a claim says. A chart is found by its name; one that
the study has not drawn shows the predictions of the table of that name, and one named `claimed` those that
claims rest on.

The page begins with the verdicts, the `finding` (what came out, in a sentence with figures) and the first
chart. Every claim says what is `published` (the paper's figure, or that it has none) and what we have beside
it: `ours`, in short, if `measured` is long. Verdicts are those of `verdicts`, and follow from figures by a
`judge…`: a template writes none. Claims that no figure decides stand in `published.yaml` under `by_hand`,
each with the reason, and are not testable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template
from pydantic import BaseModel, ConfigDict

from reports import formatting as f
from reports.tables import Column, Table, column as column_of
from reports.write_up.claims import Claim, MatchRule, Rule, judge_cases, judge_losses, rule_of
from reports.write_up.predictions import (
    GROUNDS,
    PREDICTION_HEADS,
    Compared,
    Prediction,
    assumed,
    claim,
    prediction_table,
    signed_percent,
    stated_assumptions,
    tally,
)
from reports.write_up.report import CLAIM_HEADS, UNIT_COSTS, Assumption, Chart, Report, Section
from reports.write_up.verdicts import Verdict
from workloads.refusal import Refusal
from workloads.strict_yaml import parse_yaml

TEMPLATE = "page.yaml.j2"
CLAIMED = "claimed"
"""The name of the chart that shows the predictions which claims rest on."""
_KINDS = ("count", "number", "plain", "share", "times", "ratio", "bit", "stored", "points")


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a study found. `figures` are what sentences read; `rows` the cells of each table and `predictions`
    those of a table of predictions, by the table's name; `charts` SVG text by name; `filters` what else the
    template shows figures with; `plain` goes into `results.json`, and `data` are tables that are files only.
    Rows whose columns are known before, as several studies show them, are a table. Without `assumptions`
    those of `published.yaml` are shown."""

    figures: Any
    plain: Mapping[str, Any]
    rows: Mapping[str, Table | Sequence[Sequence[Any]]] = field(default_factory=dict)
    predictions: Mapping[str, Sequence[Compared]] = field(default_factory=dict)
    charts: Mapping[str, Chart | str] = field(default_factory=dict)
    filters: Mapping[str, Callable[..., str]] = field(default_factory=dict)
    assumptions: Sequence[Assumption] | None = None
    designs: Mapping[str, str] = field(default_factory=dict)
    data: Sequence[Table] = ()


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PageTable(_Part):
    """A table of the page; its rows are found by its name."""

    name: str
    title: str
    columns: tuple[str | dict[str, str], ...] = ()
    place: str = ""
    words: int = 1
    note: str = ""
    marked: frozenset[int] = frozenset()


class PageChart(_Part):
    """A chart of the page, drawn by the study under this name. One of predictions brings its caption."""

    name: str
    caption: str = ""


class PageSection(_Part):
    """A heading with paragraphs, tables and charts."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[PageTable, ...] = ()
    charts: tuple[PageChart, ...] = ()


class PageClaim(_Part):
    """A claim of the paper, judged; with a `prediction` the fields left out follow from that."""

    claim: str
    where: str
    other: str
    prediction: str = ""
    topic: str = ""
    published: str = ""
    ours: str = ""
    baseline: str = ""
    measured: str = ""
    verdict: Verdict | None = None
    why: str = ""
    by_hand: str = ""


class Page(_Part):
    """The words of a study."""

    title: str
    question: str
    finding: str
    setup: str
    summary: tuple[str, ...]
    sections: tuple[PageSection, ...]
    claims: tuple[PageClaim, ...]
    rule: str
    limits: tuple[str, ...]
    reasons: dict[str, str] = {}
    claim_heads: tuple[str, ...] = ()
    grounds: str = ""
    assumptions: tuple[Assumption, ...] = ()


def write_up(
    package: str,
    findings: Findings,
    content: Mapping[str, Any],
    *,
    template: str = TEMPLATE,
    name: str = "",
    command: str = "",
) -> Report:
    """The report of a study, whose template lies in `package`. `content` is its data file.

    What is no study, but shows itself as one does, gives the name of its page and its own command.

    Raises jinja2's UndefinedError for a name that the template uses and nobody gives, pydantic's
    ValidationError for a page that lacks a field or has an unknown one, and a refusal for a prediction that
    is far off without a reason, and a reason for none.
    """
    name = name or package.rpartition(".")[2].replace("_", "-")
    assumptions = stated_assumptions(content) if findings.assumptions is None else findings.assumptions
    rule = rule_of(content) if "rule" in content else None
    context = {"published": content, "rule": rule, "assumed": assumed(assumptions)}
    page = _rendered(_environment(package, findings.filters).get_template(template), findings, context)
    predictions = _explained(findings.predictions, page.reasons)
    rows = {row.name: row for table in predictions.values() for row in table}
    claims = tuple(_claim(stated, rows, rule) for stated in page.claims)
    charted = predictions | {CLAIMED: [rows[one.prediction] for one in page.claims if one.prediction]}
    told: dict[str, Any] = {} if command else {"study": name}
    told |= {"predictions": [row.plain() for row in rows.values()]} if rows else {}
    told |= findings.plain
    told |= {} if rows else {"claims": [vars(stated) for stated in claims]}
    return Report(
        name=name,
        title=page.title,
        question=page.question,
        finding=page.finding,
        setup=page.setup,
        citation=_folded(content["citation"]),
        summary=_sentences(page.summary),
        sections=tuple(_section(section, findings, charted) for section in page.sections),
        claims=claims,
        rule=page.rule,
        limits=_sentences(page.limits),
        assumptions=(*assumptions, *page.assumptions),
        designs=dict(findings.designs),
        command=command or f"archsim reproduce {name}",
        figures=told,
        claim_heads=page.claim_heads or (PREDICTION_HEADS if rows else CLAIM_HEADS),
        grounds=page.grounds or (GROUNDS if rows else UNIT_COSTS),
        data=tuple(findings.data),
    )


def _rendered(template: Template, findings: Findings, context: Mapping[str, Any]) -> Page:
    """The template, filled in and read."""
    rows = [row for table in findings.predictions.values() for row in table]
    text = template.render(
        context,
        figures=findings.figures,
        rows={row.name: row for row in rows},
        tables=findings.predictions,
        tally=tally(rows) if rows else "",
        judge_cases=judge_cases,
        judge_losses=judge_losses,
    )
    return Page.model_validate(_folded(parse_yaml(text, TEMPLATE)))


def _environment(package: str, filters: Mapping[str, Callable[..., str]]) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, ""), PackageLoader("reports", "")]),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_in_one_line,
    )
    environment.globals["Verdict"] = Verdict
    environment.filters |= {kind: partial(_shown, kind) for kind in _KINDS}
    environment.filters |= {
        "shown": f.shown,
        "si": f.scaled,
        "area": f.area,
        "signed": signed_percent,
        "listed": f.listed,
        **filters,
    }
    return environment


def _shown(kind: str, value: Any, places: int | None = None) -> str:
    return f.shown(value, kind, places)


def _in_one_line(value: Any) -> Any:
    """Text in one line, whatever lines it was written in; spaces that do not break stay as they are."""
    return re.sub(r"[ \n\t]+", " ", value) if isinstance(value, str) else value


def _folded(value: Any) -> Any:
    """The same of all text in a value, without spaces around it."""
    if isinstance(value, dict):
        return {key: _folded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_folded(part) for part in value]
    return _in_one_line(value).strip(" ") if isinstance(value, str) else value


def _sentences(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _explained(
    predictions: Mapping[str, Sequence[Compared]], reasons: Mapping[str, str]
) -> dict[str, list[Prediction]]:
    """The predictions of each table with their reasons."""
    names = {row.name for table in predictions.values() for row in table}
    if strangers := set(reasons) - names:
        raise Refusal(
            f"reasons are of {', '.join(sorted(strangers))}, allowed are {', '.join(sorted(names))}"
        )
    return {
        name: [Prediction(**vars(row), why=reasons.get(row.name, "")) for row in table]
        for name, table in predictions.items()
    }


def _section(
    section: PageSection, findings: Findings, predictions: Mapping[str, Sequence[Prediction]]
) -> Section:
    return Section(
        section.heading,
        paragraphs=_sentences(section.paragraphs),
        tables=tuple(_table(table, findings, predictions) for table in section.tables),
        charts=tuple(_chart(chart, findings, predictions) for chart in section.charts),
    )


def _table(table: PageTable, findings: Findings, predictions: Mapping[str, Sequence[Prediction]]) -> Table:
    if table.place:
        return prediction_table(table.name, table.title, table.place, predictions[table.name])
    rows = findings.rows[table.name]
    if isinstance(rows, Table):
        marked = table.marked or rows.marked
        return replace(rows, name=table.name, title=table.title, note=table.note or rows.note, marked=marked)
    return Table(
        table.title,
        map(_column, table.columns),
        rows,
        name=table.name,
        words=table.words,
        note=table.note,
        marked=table.marked,
    )


def _column(column: str | dict[str, str]) -> Column:
    if isinstance(column, str):
        return Column(column)
    ((heading, unit),) = column.items()
    return column_of(heading, unit)


def _chart(chart: PageChart, findings: Findings, predictions: Mapping[str, Sequence[Prediction]]) -> Chart:
    """A chart that the study drew, or one of predictions."""
    drawn = findings.charts.get(chart.name)
    if drawn is None:
        from reports.write_up.prediction_chart import chart as chart_of

        return chart_of(chart.name, predictions[chart.name])
    svg = drawn.svg if isinstance(drawn, Chart) else drawn
    words = drawn.words if isinstance(drawn, Chart) else ""
    return Chart(svg, chart.caption or (drawn.caption if isinstance(drawn, Chart) else ""), words)


def _claim(stated: PageClaim, rows: Mapping[str, Prediction], rule: Rule | None) -> Claim:
    if stated.prediction and isinstance(rule, MatchRule):
        row = rows[stated.prediction]
        return claim(row, text=stated.claim, where=stated.where, rule=rule, other=stated.other)
    if stated.verdict is None:
        raise Refusal(f"verdict of {stated.claim!r} is empty, allowed is one, or the name of a prediction")
    if not stated.published:
        raise Refusal(
            f"published of {stated.claim!r} is empty, allowed are the paper's figure or that it has none"
        )
    told = stated.model_dump(exclude={"prediction"})
    return Claim(**told | {"ours": stated.ours or stated.measured})
