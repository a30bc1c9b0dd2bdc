"""The comparison of the CSC paper (DAC 2019): layers sparse beforehand against pruned ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.studies.registry import studies

if TYPE_CHECKING:
    from reports.write_up.report import Report


@studies.register("csc-dac2019")
def reproduce() -> Report:
    """Synthesises and costs every design point, two at a time, and writes up what came out."""
    from reports.parallel import simulate_all
    from reports.studies.csc_dac2019.measure import findings
    from reports.studies.csc_dac2019.points import design_points
    from reports.write_up.claims import published
    from reports.write_up.study_page import write_up

    points, content = design_points(), published(__name__)
    return write_up(__name__, findings(simulate_all(points, "gate"), points, content), content)
