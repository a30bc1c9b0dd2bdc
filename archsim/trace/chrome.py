"""A timeline as a trace for Perfetto and chrome://tracing, in the JSON of Chromium's Trace Event Format.

What stands in it: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from importlib import metadata
from typing import Any, BinaryIO

from archsim.trace.changes import changes
from archsim.trace.timeline import Timeline
from archsim.trace.units import Unit

COLOURS = {"busy": "good", "stalled": "terrible", "waiting": "grey"}
"""Names of Chromium's palette, by kind."""


def write_chrome(timeline: Timeline, file: BinaryIO) -> None:
    """Writes a timeline, a microsecond for a cycle, so that cycles are whole numbers whatever the clock.

    A group of units is a process and a unit a thread; a state is a complete event (`X`), with its kind as
    category. Segments, places and stages lie in one thread, inside each other. Words a cycle are counters
    (`C`). `start` and `done` are instants. Where a unit is idle nothing stands.
    """
    text = io.TextIOWrapper(file, encoding="ascii", newline="\n")
    about = {
        "design": timeline.label,
        "fidelity": timeline.fidelity,
        "clock_hz": timeline.clock_hz,
        "microsecond": "one cycle",
        "archsim_version": metadata.version("archsim"),
    }
    text.write(f'{{"displayTimeUnit": "ms", "otherData": {json.dumps(about)}, "traceEvents": [\n')
    for number, event in enumerate(_events(timeline)):
        text.write(f"{',' * (number > 0)}{json.dumps(event)}\n")
    text.write("]}\n")
    text.flush()
    text.detach()


def _events(timeline: Timeline) -> Iterator[dict[str, Any]]:
    places = _places(timeline)
    yield from _names(timeline, places)
    for name, cycle in (("start", 0), ("done", timeline.done)):
        if timeline.first <= cycle <= timeline.last:
            yield {"ph": "i", "name": name, "ts": cycle, "pid": 1, "tid": 1, "s": "g"}
    for track, first, last, value in changes(timeline):
        unit = track.unit
        pid, tid = places[unit]
        if unit.holds == "words":
            yield {
                "ph": "C",
                "name": unit.name,
                "ts": first,
                "pid": pid,
                "tid": tid,
                "args": {"words": value},
            }
            continue
        kind, state = track.told(value)
        if kind == "idle":
            continue
        event = {"ph": "X", "name": state, "cat": kind, "ts": first, "dur": last - first}
        yield event | {"pid": pid, "tid": tid} | ({"cname": COLOURS[kind]} if unit.holds == "state" else {})
    for unit, (pid, tid) in places.items():
        if unit.holds == "words":
            ends = {"ph": "C", "name": unit.name, "ts": timeline.last, "pid": pid, "tid": tid}
            yield ends | {"args": {"words": 0}}


def _places(timeline: Timeline) -> dict[Unit, tuple[int, int]]:
    """Process and thread of each unit. What is numbered is nested in one thread."""
    groups: dict[str, int] = {}
    places = {}
    for number, track in enumerate(timeline, start=1):
        nested = track.unit.holds == "number"
        places[track.unit] = groups.setdefault(track.unit.group, len(groups) + 1), 0 if nested else number
    return places


def _names(timeline: Timeline, places: dict[Unit, tuple[int, int]]) -> Iterator[dict[str, Any]]:
    """What processes and threads are called, and in which order they are shown."""
    for group, pid in dict.fromkeys((unit.group, pid) for unit, (pid, _) in places.items()):
        yield _named("process", pid, 0, group)
        yield _ordered("process", pid, 0, pid)
    for unit, (pid, tid) in places.items():
        if unit.holds == "words":
            continue
        yield _named("thread", pid, tid, unit.name if tid else "progress")
        yield _ordered("thread", pid, tid, tid)


def _named(what: str, pid: int, tid: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": f"{what}_name", "pid": pid, "tid": tid, "args": {"name": name}}


def _ordered(what: str, pid: int, tid: int, at: int) -> dict[str, Any]:
    return {"ph": "M", "name": f"{what}_sort_index", "pid": pid, "tid": tid, "args": {"sort_index": at}}
