"""Runs over time of the points that the page names: what each unit does in each part of an inference."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from archsim.design import DesignPoint
from archsim.explore.point import Point
from archsim.explore.spec import nested
from archsim.trace.utilisation import ALL_PES, utilisation
from workloads.refusal import Refusal

MOST_RUNS = 8
"""Points whose runs are on the page: each is simulated by events."""

MOST_CYCLES = 500_000
"""Of a run that is simulated for a picture: a longer one takes minutes."""

PARTS = 80
"""Parts of a run: as many as can be told apart in the width of a phone, twice over."""

MOST_PES = 16
"""PEs that are shown one by one; of more, their mean alone."""

_DIGITS = 2

Watch = Callable[[Iterable[int]], Iterable[int]]


def runs_of(
    points: tuple[Point, ...], places: Iterable[int], watch: Watch = iter
) -> dict[int, dict[str, Any]]:
    """The runs of the first of these points, by their place; those that cannot be had, as where a file that
    they name is elsewhere, are left out. `watch` sees each place as it is run."""
    short = [place for place in places if points[place].figures.get("cycles", MOST_CYCLES + 1) <= MOST_CYCLES]
    runs = {}
    for place in watch(list(islice(short, MOST_RUNS))):
        try:
            design = DesignPoint(**nested(points[place].fields))
            run = utilisation(design, "cycle", parts=PARTS).to_dict(_DIGITS)
        except Refusal:
            continue
        units = run["units"]
        if sum(unit["group"] == ALL_PES.group for unit in units) > MOST_PES + 1:
            units = [unit for unit in units if unit["group"] != ALL_PES.group or unit["unit"] == ALL_PES.name]
        runs[place] = {"last_cycle": run["last_cycle"], "stages": run["stages"], "units": units}
    return runs
