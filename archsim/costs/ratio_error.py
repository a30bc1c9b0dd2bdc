"""The ends between which the ratio of two designs lies.

What both share cancels: a technology whose logic takes half as much everywhere moves a ratio only where the
two balance logic and memory otherwise. So the ratio is taken with each part at either end of its bracket,
alike in both designs: all memories at their low ends or all at their high ones. The errors of the two fits
are of two netlists, and do not cancel; nor do those of placing, where it is expected of two engines.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from archsim.costs.errors import BRACKET_OF, NO_ERROR, Parts, by_part, part_ends
from archsim.costs.metrics import metric_of, ratios_to_first
from archsim.technology.evidence import EXACT, Bracket

if TYPE_CHECKING:
    from archsim.costs.result import Result

RatioInterval = tuple[float, float]


def ratio_interval(first: Result, other: Result, metric: str) -> RatioInterval | None:
    """The ends of the ratio of `other` to `first`; None for what is counted, for what was neither fitted nor
    compared with anything, and for a ratio that does not exist."""
    compared = metric_of(metric)
    priced, base, value = compared.priced_as or metric, compared.read(first), compared.read(other)
    if not base or not value:
        return None
    off = math.hypot(*_fits(first, other, priced))
    compared_in = [priced in BRACKET_OF and priced in result.technology_error for result in (first, other)]
    if not any(compared_in) and not off:
        return None
    moved = _moved(first, other, priced) if any(compared_in) else EXACT
    return value / base * moved.low * max(0.0, 1 - off), value / base * moved.high * (1 + off)


def ratio_intervals(results: Sequence[Result]) -> dict[str, list[RatioInterval | None]]:
    """The ends of every ratio to the first, by metric, for those that have any."""
    told = {
        name: [None, *(ratio_interval(results[0], other, name) for other in results[1:])]
        for name in ratios_to_first(results)
    }
    return {name: ends for name, ends in told.items() if any(ends)}


def _fits(first: Result, other: Result, metric: str) -> Iterator[float]:
    """The relative errors that do not cancel: the worst of each fit, and the mean of what is expected of
    placing, which between placed engines of as many PEs is what ratios were off by; none where both are one
    engine."""
    same = first.design["engine"] == other.design["engine"]
    for result in (first, other):
        of_placing = result.placing_error.get(metric, NO_ERROR)
        yield result.fit_error.get(metric, NO_ERROR).worst - of_placing.worst
        yield 0.0 if same else of_placing.mean


def _moved(first: Result, other: Result, metric: str) -> Bracket:
    """By what multiples the brackets of the technology move the ratio."""
    if first.design["technology"] != other.design["technology"]:
        own, theirs = first.technology_error.get(metric, EXACT), other.technology_error.get(metric, EXACT)
        return Bracket(theirs.low / own.high, theirs.high / own.low)
    brackets = first.brackets.parts.get(BRACKET_OF[metric], {})
    below, above = (by_part(result.bill, metric) for result in (first, other))
    as_priced = _total(above) / _total(below)
    moved = [part_ends(parts, brackets) for parts in (below, above)]
    moving = list(below | above)
    corners = []
    for places in itertools.product((0, 1), repeat=len(moving)):
        at = dict(zip(moving, places, strict=True))
        under, over = (math.fsum(end.ends[at[part]] for part, end in ends.items()) for ends in moved)
        corners.append(over / under / as_priced)
    return Bracket(min(corners), max(corners))


def _total(parts: Parts) -> float:
    return math.fsum(term.value for terms in parts.values() for term in terms)
