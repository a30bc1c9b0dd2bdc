"""Predicted figures beside published ones: how far apart they lie, what a row is worth as evidence, and why
it differs.

A row is evidence only where it was *predicted*. A figure that a constant was chosen to match is *fitted*; a
sum that holds such a figure is *partly fitted*; what follows from the publication's own figures alone is
*arithmetic*, and so is a figure that only says another row's again in other units.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from reports import formatting as f
from reports.tables import Cell, Table
from reports.write_up.claims import Claim, MatchRule
from reports.write_up.report import Assumption
from workloads.refusal import Refusal

EXPLAINED_FROM = 0.15
"""From this difference on, as a share of the published figure, a row must say why it differs."""

P = TypeVar("P", bound="Compared")
Kind = Literal["predicted", "partly fitted", "fitted", "arithmetic"]
KINDS: tuple[Kind, ...] = ("predicted", "partly fitted", "fitted", "arithmetic")


def shown_area(value_mm2: float) -> str:
    """Square micrometres below a square millimetre, so that a row does not mix the two."""
    value_um2 = value_mm2 * 1e6
    return f"{value_um2:,.0f} µm²" if 1000 <= value_um2 < 1e6 else f.area(value_mm2)


def in_unit(value: float, unit: str) -> str:
    """A value for people, in one of `formatting.UNITS`."""
    return shown_area(value) if unit == "mm2" else f.shown(value, unit)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A predicted figure beside the published one, both in `unit`.

    `place` is the layer, junction or module; `exactness` says how the published figure is known. Raises
    a refusal for a figure that cannot be compared.
    """

    place: str
    figure: str
    predicted: float
    published: float
    unit: str
    exactness: str
    kind: Kind = "predicted"

    def __post_init__(self) -> None:
        name = f"{self.place} {self.figure}".strip()
        if self.unit not in f.UNITS:
            raise Refusal(f"unit of {name} is {self.unit!r}, allowed are {', '.join(f.UNITS)}")
        if self.kind not in KINDS:
            raise Refusal(f"kind of {name} is {self.kind!r}, allowed are {', '.join(KINDS)}")
        if not math.isfinite(self.predicted) or self.predicted < 0:
            raise Refusal(f"predicted of {name} is {self.predicted}, allowed is a finite number from 0 on")
        if not math.isfinite(self.published) or self.published <= 0:
            raise Refusal(f"published of {name} is {self.published}, allowed is a finite number above 0")

    @property
    def difference(self) -> float:
        """(predicted - published) / published."""
        return self.predicted / self.published - 1

    @property
    def needs_words(self) -> bool:
        return abs(self.difference) >= EXPLAINED_FROM

    @property
    def name(self) -> str:
        return ", ".join(part for part in (self.place, self.figure) if part)

    @property
    def shown_difference(self) -> str:
        return signed_percent(self.difference)

    @property
    def shown_predicted(self) -> str:
        return in_unit(self.predicted, self.unit)

    @property
    def shown_published(self) -> str:
        return in_unit(self.published, self.unit)


def compared(
    predicted: Iterable[tuple[str, Mapping[str, float]]], stated: Mapping[str, Mapping[str, Any]]
) -> list[Compared]:
    """Figures by name, with the place that they are of, beside what is `stated` of each: its `unit`,
    `exactness` and, where it is no prediction, `kind`, and what is `published` by place. Where that lacks the
    place, the figure is left out. Raises KeyError for a figure of which nothing is stated."""
    return [
        Compared(place=place, figure=figure, predicted=value, **{**stated[figure], "published": said[place]})
        for place, values in predicted
        for figure, value in values.items()
        if place in (said := stated[figure]["published"])
    ]


@dataclass(frozen=True, kw_only=True)
class Prediction(Compared):
    """A figure beside the published one with what makes the difference, `why`. Raises a refusal where a
    difference of `EXPLAINED_FROM` or more goes unexplained."""

    why: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.needs_words and not self.why:
            raise Refusal(
                f"why of {self.place} {self.figure} is empty, allowed is an explanation, since it differs by "
                f"{self.shown_difference}"
            )

    def plain(self) -> dict[str, Any]:
        """Plain values, for `results.json`."""
        return {**vars(self), "difference": self.difference}


def signed_percent(share: float) -> str:
    """A difference with its sign: +12.3 %, −4.0 %, 0 %."""
    rounded = round(share, 3)
    sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
    return sign + (f.percent(abs(rounded)) if rounded else f.percent(0, 0))


def prediction_table(name: str, title: str, place: str, rows: Sequence[Prediction]) -> Table:
    """Predicted beside published. Rows that differ by `EXPLAINED_FROM` or more are marked, and the note
    says why they do."""
    return Table(
        title,
        (place, "figure", "kind", "published is", "predicted", "published", "difference"),
        (
            (
                *(row.place, row.figure, row.kind, row.exactness),
                Cell(row.predicted, row.shown_predicted),
                Cell(row.published, row.shown_published),
                Cell(row.difference, row.shown_difference),
            )
            for row in rows
        ),
        name=name,
        words=4,
        marked=(number for number, row in enumerate(rows) if row.needs_words),
        note="\n".join(_explanations(rows)),
    )


def _explanations(rows: Sequence[Prediction]) -> Iterator[str]:
    """Every explanation once, with the rows that it is for."""
    given: dict[str, list[Prediction]] = {}
    for row in rows:
        if row.why:
            given.setdefault(row.why, []).append(row)
    for why, same in given.items():
        yield f"{'; '.join(f'{row.name} {row.shown_difference}' for row in same)}: {why}"


def claim(row: Prediction, *, text: str, where: str, rule: MatchRule, other: str) -> Claim:
    """A published figure as a claim, judged by how near the prediction comes."""
    return Claim(
        claim=text,
        topic=row.name,
        where=where,
        baseline=f"{row.shown_published} ({row.exactness})",
        measured=f"{row.shown_predicted} ({row.shown_difference}, {row.kind})",
        verdict=rule.judge(row.difference),
        other=other,
        published=row.shown_published,
        ours=f"{row.shown_predicted} ({row.shown_difference})",
        why=row.why or f"within {f.percent(EXPLAINED_FROM, 0)}",
    )


def farthest(rows: Sequence[P]) -> P:
    """Of the predicted rows the one that is wrong by the largest factor, up or down."""
    evidence = [row for row in rows if row.kind == "predicted"]
    return max(
        evidence,
        key=lambda row: abs(math.log(row.predicted / row.published)) if row.predicted else math.inf,
    )


def tally(rows: Sequence[Compared]) -> str:
    """How many predicted rows come near, and which one lies farthest off; other kinds are only counted."""
    evidence = [row for row in rows if row.kind == "predicted"]
    near = sum(not row.needs_words for row in evidence)
    worst = farthest(rows)
    others = {kind: sum(row.kind == kind for row in rows) for kind in KINDS if kind != "predicted"}
    apart = ", ".join(f"{number} {kind}" for kind, number in others.items() if number)
    return (
        f"{near} of {len(evidence)} predicted figures lie within {f.percent(EXPLAINED_FROM, 0)} of the "
        f"published ones; the farthest off is {worst.name} at {worst.shown_difference}"
        + (f". Shown but no evidence: {apart} figures." if apart else ".")
    )


def stated_assumptions(content: Mapping[str, Any]) -> tuple[Assumption, ...]:
    """The assumptions of a study's data file, each with its source."""
    return tuple(
        Assumption(name.replace("_", " "), each["shown"], " ".join(each["source"].split()))
        for name, each in content["assumptions"].items()
    )


def assumed(assumptions: Sequence[Assumption]) -> str:
    """The assumptions in a line, for where their sources do not fit."""
    return "Assumed: " + "; ".join(f"{each.name} {each.value}" for each in assumptions) + "."


PREDICTION_HEADS = ("claim", "where", "published", "predicted", "verdict", "also", "why")
"""Headings for a table of claims that are judged by `claim`."""
GROUNDS = "What the predictions assume, beside the published parameters of the design."
"""What the assumptions of a study of predictions are."""
