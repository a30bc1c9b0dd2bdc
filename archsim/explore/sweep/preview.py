"""What a sweep would be, before it is one: how many points, which of them are refused and why, how long."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archsim.explore.spec import Space
from archsim.explore.store import Row
from archsim.explore.sweep.work import finished

COUNTED = 200_000
"""Points of which the conditions are asked one by one; of more it is a sample's share."""

LOOKED_AT = 2_000
"""Points that are costed to see which are refused: all of a small space, a sample of a large one."""

LOOKS_S = 30.0
TIMED_S = 10.0
"""For about how long points are costed to see which are refused, and to see how long they take."""

_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


@dataclass(frozen=True)
class Preview:
    """Of a space of `points`: for so many do the conditions hold (`kept`), exactly or, where `counted` is
    false, by the share of a sample. Of `looked_at` points `refused` says how many are refused, by reason; a
    point takes `seconds_a_point` on one core, None where none was costed.
    """

    points: int
    kept: int
    counted: bool
    looked_at: int
    refused: dict[str, int]
    seconds_a_point: float | None

    @property
    def share_refused(self) -> float:
        """Of the points that were looked at."""
        return sum(self.refused.values()) / self.looked_at if self.looked_at else 0.0

    def seconds(self, workers: int = 1) -> float | None:
        """About how long the sweep takes on so many cores, what it starts with not counted."""
        valid = self.kept * (1 - self.share_refused)
        return None if self.seconds_a_point is None else valid * self.seconds_a_point / workers


def preview(space: Space) -> Preview:
    """Looks at a space, for less than a minute. Refusals are those of the analytic fidelity, which knows all
    but those of netlists; points are looked at in a random order that is the same each time."""
    draw = random.Random(0)
    counted = len(space) <= COUNTED
    numbers = list(range(len(space))) if counted else draw.sample(range(len(space)), COUNTED // 10)
    held = [number for number in numbers if space.holds(space.point(number))] if space.where else numbers
    held = list({_written(space.point(number)): number for number in held}.values()) if counted else held
    kept = len(held) if counted else round(len(space) * len(held) / len(numbers))
    draw.shuffle(held)
    rows = _looked_at(space, held)
    refused = Counter(reason(row.error) for row in rows if row.error is not None)
    valid = [row for row in rows if row.error is None]
    seconds = _mean([row.seconds for row in valid])
    if space.fidelity != "analytic":
        seconds = _seconds_a_point(space, valid)
    return Preview(len(space), kept, counted, len(rows), dict(refused.most_common()), seconds)


def _written(point: Mapping[str, Any]) -> str:
    """A point as its row is kept by: those that are written alike are one."""
    return json.dumps(point, sort_keys=True)


def _looked_at(space: Space, numbers: Sequence[int]) -> list[Row]:
    rows: list[Row] = []
    until = time.monotonic() + LOOKS_S
    for number in numbers[:LOOKED_AT]:
        rows.append(finished(space.point(number), "analytic", space.folder, ""))
        if time.monotonic() > until:
            break
    return rows


def reason(error: str) -> str:
    """An error without the numbers of one point, so that the same of others counts with it."""
    what, allowed, rest = error.partition(", allowed")
    return _NUMBER.sub("#", what) + allowed + rest


def _seconds_a_point(space: Space, valid: Sequence[Row]) -> float | None:
    times: list[float] = []
    until = time.monotonic() + TIMED_S
    for row in valid:
        times.append(finished(row.point, space.fidelity, space.folder, "").seconds)
        if time.monotonic() > until:
            break
    return _mean(times)


def _mean(times: Sequence[float]) -> float | None:
    """The mean of times, without the first where there are others: it reads what all of them need."""
    counted = times[1:] or times
    return sum(counted) / len(counted) if counted else None
