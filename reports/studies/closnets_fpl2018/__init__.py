"""ClosNets on chip (Isakov, Ehret and Kinsy, FPL 2018): training in on-chip memory, one sample at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.studies.registry import lasts, studies

if TYPE_CHECKING:
    from reports.write_up.report import Report


@studies.register("closnets-fpl2018")
@lasts(cached_s=60, from_nothing_s=440)
def reproduce() -> Report:
    """Writes up the trainings on chip that are shipped, and maps engines that train to gates."""
    from reports.studies.closnets_fpl2018.built import DEFAULT_BITS
    from reports.studies.closnets_fpl2018.costs import step_costs
    from reports.studies.closnets_fpl2018.measure import findings
    from reports.studies.closnets_fpl2018.sized import sized_steps
    from reports.studies.topologies.on_chip_courses import shipped_courses
    from reports.studies.topologies.on_chip_runs import shipped_on_chip
    from reports.write_up.claims import published
    from reports.write_up.study_page import write_up

    content = published(__name__)
    costs, sized = step_costs(DEFAULT_BITS), sized_steps(DEFAULT_BITS)
    found = findings(shipped_on_chip(), costs, content, sized, shipped_courses())
    return write_up(__name__, found, content)
