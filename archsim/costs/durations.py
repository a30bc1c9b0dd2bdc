"""The terms of what takes time: latency by stage, the critical path by cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archsim.costs.pricing import Term
from archsim.engine.counts import Counts

_ARRIVAL = re.compile(r"(.*): ([0-9.]+) ns")
"""A stage of a path as timing names it: what it is, and when the signal leaves it."""

_OF_THE_CLOCK = "clock_hz of the design, allowed as far as the critical path allows it"


def later(stage: str, times: float) -> str:
    """A stage of a path at so many times its arrival."""
    arrival = _ARRIVAL.fullmatch(stage)
    return f"{arrival[1]}: {float(arrival[2]) * times:.3f} ns" if arrival else stage


def latency_terms(counts: Counts, clock_hz: float) -> Iterator[Term]:
    """From the first input that is loaded to the last score: each stage, and what the controller takes around
    them, in cycles of the clock."""
    period_s = 1 / clock_hz
    stages = counts.stages
    spent = sum(stage.end_cycle - stage.start_cycle for stage in stages)
    parts = [("loading", "inputs", counts.load_cycles)]
    trains = any(stage.backward for stage in stages)
    for stage in stages:
        way = ("backward" if stage.backward else "forward") if trains else "running"
        parts.append((f"stage {stage.number}", way, stage.end_cycle - stage.start_cycle))
    parts.append(("controller", "between stages" if stages else "running", counts.cycles - spent))
    for component, what, cycles in parts:
        yield Term(component, what, cycles, "cycles", period_s, "s/cycle", "assumed", _OF_THE_CLOCK)


def path_terms(path: Sequence[str], path_s: float, origin: tuple[str, str]) -> Iterator[Term]:
    """The longest path: each cell of it where a netlist was timed, else the path as a whole. Its origin is a
    kind and a source."""
    kind, source = origin
    arrivals = [_ARRIVAL.fullmatch(stage) for stage in path]
    if not arrivals or None in arrivals or not float(arrivals[-1][2]):  # type: ignore[index]
        yield Term("longest path", "whole", 1, "paths", path_s, "s/path", kind, source)
        return
    # Times are told in whole picoseconds: the last is the path.
    named = [(arrival[1], float(arrival[2])) for arrival in arrivals if arrival]
    scale, before = path_s / named[-1][1], 0.0
    for number, (name, at_ns) in enumerate(named, start=1):
        yield Term(name, f"stage {number}", 1, "cells", (at_ns - before) * scale, "s/cell", kind, source)
        before = at_ns
