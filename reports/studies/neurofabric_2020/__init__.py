"""NeuroFabric (Isakov and Kinsy, 2020): which topologies are worth training, and how to start them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.studies.registry import lasts, studies

if TYPE_CHECKING:
    from reports.write_up.report import Report


@studies.register("neurofabric-2020")
@lasts(cached_s=10, from_nothing_s=20)
def reproduce(*, rerun: bool = False) -> Report:
    """Writes up the experiments that are shipped, or those that are run now."""
    from reports.studies.neurofabric_2020.measure import findings
    from reports.studies.topologies.experiments import anew, shipped
    from reports.write_up.claims import published
    from reports.write_up.study_page import write_up

    experiments, content = anew() if rerun else shipped(), published(__name__)
    return write_up(__name__, findings(experiments, content), content)
