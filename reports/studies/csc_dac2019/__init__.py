"""The comparison of the CSC paper (DAC 2019): layers sparse beforehand against pruned ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.studies.registry import studies

if TYPE_CHECKING:
    from reports.write_up.report import Report


@studies.register("csc-dac2019")
def reproduce() -> Report:
    """Searches the settings of every design, synthesises and costs those that are compared, two at a time,
    and writes up what came out."""
    from reports.parallel import simulate_all
    from reports.studies.csc_dac2019.measure import findings
    from reports.studies.csc_dac2019.points import candidates, longest_first, search_settings, to_map
    from reports.write_up.claims import published
    from reports.write_up.study_page import write_up

    content = published(__name__)
    searched = search_settings(candidates())
    points = to_map(searched)
    made = simulate_all(longest_first(points, searched), "gate")
    results = {point: made[point] for point in points}
    return write_up(__name__, findings(results, points, searched, content), content)
