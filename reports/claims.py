"""Claims of a published comparison, and the verdict on each by a rule that is stated beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import yaml

from reports import formatting as f

Verdict = Literal["holds", "partly", "does not hold", "not testable here"]


@dataclass(frozen=True)
class Claim:
    """A claim beside what was measured against `baseline`, whether it holds, and why; `other` says what
    was measured against something else."""

    claim: str
    topic: str
    where: str
    baseline: str
    measured: str
    verdict: Verdict
    other: str
    why: str


@dataclass(frozen=True)
class FactorRule:
    """A factor claimed as "about so much" holds from one ratio on, and partly from a lower one on."""

    holds_from: float
    partly_from: float

    def judge(self, measured: float) -> Verdict:
        if measured >= self.holds_from:
            return "holds"
        return "partly" if measured >= self.partly_from else "does not hold"

    def __str__(self) -> str:
        return (
            f'"about 2×" holds from a ratio of {f.ratio(self.holds_from)}, holds partly from '
            f"{f.ratio(self.partly_from)}, and does not hold below"
        )


@dataclass(frozen=True)
class MatchRule:
    """A published figure is met by a prediction that differs by a small share of it, and partly by one that
    differs by a larger one."""

    holds_within: float
    partly_within: float

    def judge(self, difference: float) -> Verdict:
        if abs(difference) < self.holds_within:
            return "holds"
        return "partly" if abs(difference) < self.partly_within else "does not hold"

    def __str__(self) -> str:
        return (
            "a published figure holds where the prediction differs by less than "
            f"{f.percent(self.holds_within, 0)} of it, holds partly below "
            f"{f.percent(self.partly_within, 0)}, and does not hold from there on"
        )


@dataclass(frozen=True)
class SeedRule:
    """Two means over seeds differ where their difference exceeds so many standard errors of it."""

    significant: float

    def differs(self, difference: float, error: float) -> bool:
        return abs(difference) > self.significant * error

    def __str__(self) -> str:
        return (
            f"two means differ where they are more than {self.significant:g} standard errors apart, from the "
            "deviation from seed to seed that all networks of a group share"
        )


def judge_cases(cases: Sequence[bool]) -> Verdict:
    """A claim of several cases holds where it does in all of them, partly where it does in some."""
    return "holds" if all(cases) else "partly" if any(cases) else "does not hold"


def judge_losses(losses: Sequence[float], allowed: float) -> Verdict:
    """A claim of little loss holds where every loss is within what is allowed, partly where some are."""
    return judge_cases([loss <= allowed for loss in losses])


def published(study: str) -> dict[str, Any]:
    """The published claims of a study, as its data file states them."""
    text = (resources.files("reports.studies") / study / "published.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    if not isinstance(content, dict) or not content.get("citation") or not content.get("exactness"):
        raise ValueError(f"claims of {study} lack citation or exactness, both must be given")
    return content
