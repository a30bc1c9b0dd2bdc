"""Claims of a published comparison, and the verdict on each by a rule that is stated beside it."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any

from reports import formatting as f
from reports.write_up.verdicts import Verdict
from workloads.refusal import Refusal
from workloads.strict_yaml import parse_yaml


@dataclass(frozen=True)
class Claim:
    """A claim beside what was measured against `baseline`, whether it holds, and why; `other` says what
    was measured against something else. `published` is the paper's figure and `ours` the one beside it, both
    in short. A verdict follows from figures; where no figure decides, `by_hand` says why."""

    claim: str
    topic: str
    where: str
    baseline: str
    measured: str
    verdict: Verdict
    other: str
    why: str
    published: str
    ours: str
    by_hand: str = ""

    @property
    def anchor(self) -> str:
        """The place of the claim on its page: what it is of, and where."""
        return f"claim-{re.sub(r'[^a-z0-9]+', '-', f'{self.topic} {self.where}'.lower()).strip('-')}"


@dataclass(frozen=True)
class FactorRule:
    """A factor claimed as "about so much" holds from one ratio on, and partly from a lower one on."""

    holds_from: float
    partly_from: float

    def judge(self, measured: float) -> Verdict:
        if measured >= self.holds_from:
            return Verdict.HELD
        return Verdict.PARTLY if measured >= self.partly_from else Verdict.FAILED

    def __str__(self) -> str:
        return (
            f'"about 2×" counts as held from a ratio of {f.ratio(self.holds_from)} on, as held partly from '
            f"{f.ratio(self.partly_from)} on, and as failed below"
        )


@dataclass(frozen=True)
class MatchRule:
    """A published figure is met by a prediction that differs by a small share of it, and partly by one that
    differs by a larger one."""

    holds_within: float
    partly_within: float

    def judge(self, difference: float) -> Verdict:
        if abs(difference) < self.holds_within:
            return Verdict.HELD
        return Verdict.PARTLY if abs(difference) < self.partly_within else Verdict.FAILED

    def __str__(self) -> str:
        return (
            "a published figure counts as held where the prediction differs by less than "
            f"{f.percent(self.holds_within, 0)} of it, as held partly below "
            f"{f.percent(self.partly_within, 0)}, and as failed from there on"
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
    """A claim of several cases counts as held where all of them hold, and as held partly where some do."""
    return Verdict.HELD if all(cases) else Verdict.PARTLY if any(cases) else Verdict.FAILED


def judge_losses(losses: Sequence[float], allowed: float) -> Verdict:
    """A claim of little loss counts as held where every loss is within what is allowed, and as held
    partly where some are."""
    return judge_cases([loss <= allowed for loss in losses])


def by_hand(content: Mapping[str, Any]) -> dict[str, Verdict]:
    """The claims that no figure decides, by name: `by_hand` of a study's data file says why of each."""
    return dict.fromkeys(content.get("by_hand", {}), Verdict.NOT_TESTABLE)


def published(package: str) -> dict[str, Any]:
    """The published claims of a study, as the data file in its package states them."""
    text = (resources.files(package) / "published.yaml").read_text(encoding="utf-8")
    content = parse_yaml(text, f"claims of {package}")
    if not isinstance(content, dict) or not content.get("citation") or not content.get("exactness"):
        raise Refusal(f"claims of {package} lack citation or exactness, both must be given")
    return content
