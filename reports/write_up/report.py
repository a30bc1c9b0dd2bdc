"""A report as plain values: what the terminal, the page and the files show alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reports.tables import Table
from reports.write_up.claims import Claim
from reports.write_up.verdicts import in_words


@dataclass(frozen=True)
class Chart:
    """A drawing as SVG text, with what it shows in a sentence. `words` tell it to who does not see it, where
    the caption does not."""

    svg: str
    caption: str
    words: str = ""

    @property
    def alternative(self) -> str:
        return self.words or self.caption


@dataclass(frozen=True)
class Section:
    """A heading with text, tables and charts below it."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True)
class Assumption:
    """A number that a figure rests on and nobody measured here."""

    name: str
    value: str
    source: str


CLAIM_HEADS = (
    "claim",
    "where",
    "against",
    "measured",
    "verdict",
    "against the other",
    "why, at the lower compression",
)
UNIT_COSTS = (
    "Every figure is a count times a unit cost. These unit costs are assumed or fitted, or have a stated "
    "error; all others are published or come out of the mapped netlist."
)


@dataclass(frozen=True)
class Report:
    """A reproduction of a published comparison.

    `finding` is what came out, in a sentence with the figures that matter most.
    `summary` are sentences computed from the figures; `figures` the same as plain values, for
    `results.json`; `designs` the design points as YAML, by name, where there are any; `data` are tables that
    are too long for a page, and files beside it. `claim_heads` are the headings over the fields of a claim,
    `grounds` says what kind of numbers the assumptions are.
    """

    name: str
    title: str
    question: str
    finding: str
    setup: str
    citation: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    claims: tuple[Claim, ...]
    rule: str
    limits: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    designs: dict[str, str]
    command: str
    figures: dict[str, Any] = field(repr=False)
    claim_heads: tuple[str, ...] = CLAIM_HEADS
    grounds: str = UNIT_COSTS
    data: tuple[Table, ...] = ()

    @property
    def files(self) -> tuple[Table, ...]:
        """Every table, each of which is a file beside the page."""
        return (*(table for section in self.sections for table in section.tables), *self.data)

    @property
    def counts(self) -> str:
        """How many claims held, in words; nothing where none is made."""
        return f"{in_words(claim.verdict for claim in self.claims)}." if self.claims else ""

    @property
    def lead(self) -> Chart | None:
        """The picture that a page begins with."""
        return next((chart for section in self.sections for chart in section.charts), None)
