"""The comparison of the CSC paper (DAC 2019): layers sparse beforehand against pruned ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.studies.registry import studies

if TYPE_CHECKING:
    from reports.report import Report


@studies.register("csc-dac2019")
def reproduce() -> Report:
    """Synthesises and costs every design point, two at a time, and writes up what came out."""
    from reports.claims import published
    from reports.parallel import simulate_all
    from reports.studies.csc_dac2019.points import design_points
    from reports.studies.csc_dac2019.write_up import write_up

    points = design_points()
    return write_up(simulate_all(points, "gate"), points, published(__name__))
