"""The changes of all units of a timeline, in the order of time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from archsim.trace.timeline import Timeline, Track

_TOGETHER = 1 << 16
"""Changes that are turned into Python's numbers at a time."""


def changes(timeline: Timeline) -> Iterator[tuple[Track, int, int, int]]:
    """Track, first cycle, end and value of each interval, in the order of first cycles; of those that begin
    together in the order of tracks."""
    tracks = list(timeline)
    starts = np.concatenate([track.starts for track in tracks])
    ends = np.concatenate([track.starts + track.lengths for track in tracks])
    values = np.concatenate([track.values for track in tracks])
    numbers = np.repeat(np.arange(len(tracks)), [len(track.starts) for track in tracks])
    order = np.argsort(starts, kind="stable")
    for first in range(0, len(order), _TOGETHER):
        chosen = order[first : first + _TOGETHER]
        for number, start, end, value in zip(
            *(column[chosen].tolist() for column in (numbers, starts, ends, values)), strict=True
        ):
            yield tracks[number], start, end, value
