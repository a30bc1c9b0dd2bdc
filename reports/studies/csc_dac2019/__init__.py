"""The comparison of the CSC paper (DAC 2019): layers sparse beforehand against pruned ones."""

from __future__ import annotations

from reports.claims import published
from reports.parallel import simulate_all
from reports.report import Report
from reports.studies.csc_dac2019.points import NAME, design_points
from reports.studies.csc_dac2019.write_up import write_up
from reports.studies.registry import register_study


@register_study(NAME)
def reproduce() -> Report:
    """Synthesises and costs every design point, two at a time, and writes up what came out."""
    points = design_points()
    return write_up(simulate_all(points, "gate"), points, published("csc_dac2019"))
