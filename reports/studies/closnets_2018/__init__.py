"""ClosNets (Isakov and Kinsy, 2018): Clos layers chosen before training, against every other family."""

from __future__ import annotations

from reports.claims import published
from reports.report import Report
from reports.studies.closnets_2018.write_up import NAME, write_up
from reports.studies.registry import register_study
from reports.studies.topologies.experiments import anew, shipped


@register_study(NAME, trained=True)
def reproduce(*, rerun: bool = False) -> Report:
    """Writes up the trained networks that are shipped, or those that are trained now."""
    found = anew() if rerun else shipped()
    return write_up(found.runs, published("closnets_2018"))
