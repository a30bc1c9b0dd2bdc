"""The verdicts on claims: one vocabulary for all studies, and how many of each in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from reports.formatting import listed


class Verdict(StrEnum):
    """What is said of a claim. One is not testable where nothing here can measure it, or where its test was
    found to be biased and no fairer one is there yet."""

    HELD = "held"
    PARTLY = "partly"
    FAILED = "failed"
    NOT_TESTABLE = "not testable"

    @property
    def verb(self) -> str:
        """It in a sentence of one claim."""
        return {"partly": "held partly", "not testable": "is not testable"}.get(self, str(self))

    @property
    def mark(self) -> str:
        """A class of style sheets, and a word without a space."""
        return self.replace(" ", "-")


def counted(verdicts: Iterable[Verdict]) -> dict[Verdict, int]:
    """How many of each, in the order of the vocabulary; those that none has are left out."""
    counts = Counter(verdicts)
    return {verdict: counts[verdict] for verdict in Verdict if counts[verdict]}


def in_words(verdicts: Iterable[Verdict], claims: str = "claims") -> str:
    """A sentence, without its end: Of 7 claims 4 held, 2 held partly and 1 is not testable."""
    counts = counted(verdicts)
    many = sum(counts.values())
    told = [
        verdict.verb.replace("is ", "are ", 1) if count > 1 else verdict.verb
        for verdict, count in counts.items()
    ]
    if len(told) == 1:
        whole = {1: f"The one {claims.replace('claims', 'claim', 1)}", 2: f"Both {claims}"}
        return f"{whole.get(many, f'All {many} {claims}')} {told[0]}"
    parts = [f"{count} {verb}" for count, verb in zip(counts.values(), told, strict=True)]
    return f"Of {many} {claims} {listed(parts)}" if parts else f"No {claims}"
