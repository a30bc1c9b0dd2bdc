"""Claims of a published comparison, and the verdict on each by a rule that is stated beside it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any, Literal

from reports import formatting as f
from workloads.refusal import Refusal
from workloads.strict_yaml import parse_yaml

Verdict = Literal["holds", "partly", "does not hold", "not testable here", "being redone"]
"""What is said of a claim; one whose test was found to be biased is being redone."""


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


def standard_error(values: Sequence[float]) -> float:
    """Of the mean; zero where there is one value only."""
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


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


Rule = FactorRule | MatchRule | SeedRule


def rule_of(content: Mapping[str, Any]) -> Rule:
    """The rule that a study's data file states; its fields tell which one it is."""
    stated = content["rule"]
    for kind in (FactorRule, MatchRule, SeedRule):
        names = [field.name for field in fields(kind)]
        if set(names) <= set(stated):
            return kind(**{name: stated[name] for name in names})
    raise Refusal(f"rule has the fields {', '.join(stated)}, allowed are those of a rule in write_up.claims")


def judge_cases(cases: Sequence[bool]) -> Verdict:
    """A claim of several cases holds where it does in all of them, partly where it does in some."""
    return "holds" if all(cases) else "partly" if any(cases) else "does not hold"


def judge_losses(losses: Sequence[float], allowed: float) -> Verdict:
    """A claim of little loss holds where every loss is within what is allowed, partly where some are."""
    return judge_cases([loss <= allowed for loss in losses])


def published(package: str) -> dict[str, Any]:
    """The published claims of a study, as the data file in its package states them."""
    text = (resources.files(package) / "published.yaml").read_text(encoding="utf-8")
    content = parse_yaml(text, f"claims of {package}")
    if not isinstance(content, dict) or not content.get("citation") or not content.get("exactness"):
        raise Refusal(f"claims of {package} lack citation or exactness, both must be given")
    return content
