"""The two bases of our errors: what was given is not allowed, or archsim itself is wrong. Both say it in one
sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Self

NEAREST = 8
"""Of many names, so many are told: those most like the one that was given."""


def nearest(given: str, names: Iterable[str], command: str) -> str:
    """All names, or of many the ones most like what was given and the command that lists the others."""
    every = list(names)
    if len(every) <= NEAREST:
        return ", ".join(every)
    close = difflib.get_close_matches(given, every, n=NEAREST, cutoff=0.0)
    return f"{', '.join(close)} and {len(every) - len(close)} more ({command} lists them)"


class Refusal(ValueError):
    """Something given is not allowed. The message is one sentence: *field is value, allowed are …*."""

    @classmethod
    def of(cls, field: str, value: Any, allowed: str | Iterable[Any]) -> Self:
        """`field` is `value`, allowed are `allowed`: a phrase ("1 to 256"), or the values themselves."""
        listed = allowed if isinstance(allowed, str) else ", ".join(map(str, allowed))
        shown = " ".join(repr(value).splitlines())
        return cls(f"{field} is {shown}, allowed are {listed}")


class Defect(AssertionError):
    """A defect of archsim, never of what was given."""
