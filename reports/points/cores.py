"""Pictures of the placed cores of the points that the page names."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from archsim.design import DesignPoint
from archsim.explore.point import Point
from archsim.explore.spec import nested
from reports.points.runs import Watch
from reports.views.layouts import SHOWN, pictures_of
from reports.write_up.report import Chart
from workloads.refusal import Refusal

LAYOUT = "layout"
"""The fidelity of points that were placed."""

MOST_CORES = 3
"""Points whose cores are on the page: each was placed before, and takes half a minute to draw."""


def cores_of(points: tuple[Point, ...], places: Iterable[int], watch: Watch = iter) -> list[Chart]:
    """Two pictures of each of the first of these points that were placed, in cells; those that cannot be had,
    as where a file that they name is elsewhere, are left out. `watch` sees each place as it is drawn."""
    placed = [place for place in places if points[place].fidelity == LAYOUT]
    cores: list[Chart] = []
    for place in watch(list(islice(placed, MOST_CORES))):
        name = points[place].name
        try:
            drawn = pictures_of(DesignPoint(**nested(points[place].fields)))
        except Refusal:
            continue
        cores += (Chart(svg, SHOWN[kind].format(name=name)) for kind, svg in drawn.items())
    return cores
