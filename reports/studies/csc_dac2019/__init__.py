"""The comparison of the CSC paper (DAC 2019): layers sparse beforehand against pruned ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reports.studies.registry import StudyError, lasts, studies

if TYPE_CHECKING:
    from reports.write_up.report import Report


@studies.register("csc-dac2019")
@lasts(cached_s=110, from_nothing_s=400)
def reproduce(technology: Path | None = None, *, with_map: bool = False, fidelity: str = "gate") -> Report:
    """Searches the settings of every design, of networks with narrow weights too, synthesises and costs those
    that are compared, two at a time, and writes up what came out; `with_map` also who wins over PEs and bits,
    at the `fidelity` layout also what placing changes. With a `technology`, a file that describes one of
    standard cells, the designs of the 65 nm comparison are costed there, with the settings that were found
    best in 65 nm. Raises StudyError for a map there, since settings are not searched, and for another
    fidelity."""
    from reports.studies.csc_dac2019.placing import FIDELITIES, LAYOUT

    if fidelity not in FIDELITIES:
        raise StudyError.of("fidelity", fidelity, FIDELITIES)
    if technology is not None:
        from reports.studies.csc_dac2019.own_technology import on_technology
        from reports.studies.csc_dac2019.points import TECHNOLOGIES

        if with_map:
            raise StudyError.of("technology", str(technology), f"with a map {' and '.join(TECHNOLOGIES)}")
        return on_technology(technology, fidelity=fidelity)
    from reports.parallel import simulate_all
    from reports.studies.csc_dac2019.bits_view import compared_in_bits
    from reports.studies.csc_dac2019.measure import findings
    from reports.studies.csc_dac2019.placing import placed_in
    from reports.studies.csc_dac2019.points import candidates, longest_first, search_settings, to_map
    from reports.studies.csc_dac2019.ratio_map import meetings, search_map
    from reports.write_up.claims import published
    from reports.write_up.study_page import write_up

    content = published(__name__)
    met = meetings(search_map()) if with_map else []
    searched = search_settings(candidates())
    points = to_map(searched)
    made = simulate_all(longest_first(points, searched), "gate")
    results = {point: made[point] for point in points}
    narrow = compared_in_bits(searched, results)
    placed = placed_in(results, points) if fidelity == LAYOUT else []
    found = findings(results, points, searched, content, met=met, placed=placed, narrow=narrow)
    report = write_up(__name__, found, content)
    options = " --map" * with_map + f" --fidelity {LAYOUT}" * (fidelity == LAYOUT)
    return replace(report, command=report.command + options)
