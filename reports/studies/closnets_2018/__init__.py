"""ClosNets (Isakov and Kinsy, 2018): Clos layers chosen before training, against every other family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.studies.registry import lasts, studies

if TYPE_CHECKING:
    from reports.write_up.report import Report


@studies.register("closnets-2018")
@lasts(cached_s=5, from_nothing_s=7)
def reproduce(*, rerun: bool = False) -> Report:
    """Writes up the trained networks that are shipped, or those that are trained now."""
    from reports.studies.closnets_2018.measure import findings
    from reports.studies.topologies.experiments import anew, shipped
    from reports.write_up.claims import published
    from reports.write_up.study_page import write_up

    experiments, content = anew() if rerun else shipped(), published(__name__)
    return write_up(__name__, findings(experiments, content), content)
