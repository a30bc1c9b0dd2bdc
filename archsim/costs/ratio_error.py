"""The ends between which the ratio of two designs lies.

What both share cancels: a technology whose logic takes half as much everywhere moves a ratio only where the
two balance logic and memory otherwise. So the ratio is taken with each part at either end of its bracket,
alike in both designs. The errors of the two fits are of two netlists, and do not cancel.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archsim.costs.errors import BRACKET_OF, NO_ERROR, by_part
from archsim.costs.metrics import metric_of, ratios_to_first
from archsim.technology.evidence import EXACT, Bracket

if TYPE_CHECKING:
    from archsim.costs.result import Result

RatioInterval = tuple[float, float]


def ratio_interval(first: Result, other: Result, metric: str) -> RatioInterval | None:
    """The ends of the ratio of `other` to `first`; None for what is counted and not priced or fitted, and for
    a ratio that does not exist."""
    compared = metric_of(metric)
    priced, base, value = compared.priced_as or metric, compared.read(first), compared.read(other)
    if not base or not value:
        return None
    fits = [result.fit_error.get(priced, NO_ERROR).worst for result in (first, other)]
    off = math.hypot(*fits)
    moved = _moved(first, other, priced) if priced in BRACKET_OF else EXACT
    if moved == EXACT and not off:
        return None
    return value / base * moved.low * max(0.0, 1 - off), value / base * moved.high * (1 + off)


def ratio_intervals(results: Sequence[Result]) -> dict[str, list[RatioInterval | None]]:
    """The ends of every ratio to the first, by metric, for those that have any."""
    told = {
        name: [None, *(ratio_interval(results[0], other, name) for other in results[1:])]
        for name in ratios_to_first(results)
    }
    return {name: ends for name, ends in told.items() if any(ends)}


def _moved(first: Result, other: Result, metric: str) -> Bracket:
    """By what multiples the brackets of the technology move the ratio."""
    if first.design["technology"] != other.design["technology"]:
        own, theirs = first.technology_error.get(metric, EXACT), other.technology_error.get(metric, EXACT)
        return Bracket(theirs.low / own.high, theirs.high / own.low)
    brackets = first.brackets.parts.get(BRACKET_OF[metric], {})
    below, above = by_part(first.bill, metric), by_part(other.bill, metric)
    base = _at(above, {}) / _at(below, {})
    corners = [
        _at(above, dict(zip(brackets, ends, strict=True)))
        / _at(below, dict(zip(brackets, ends, strict=True)))
        / base
        for ends in itertools.product(*(bracket.ends for bracket in brackets.values()))
    ]
    return Bracket(min(corners, default=1.0), max(corners, default=1.0))


def _at(values: Mapping[str, float], ends: Mapping[str, float]) -> float:
    return math.fsum(value * ends.get(part, 1.0) for part, value in values.items())
