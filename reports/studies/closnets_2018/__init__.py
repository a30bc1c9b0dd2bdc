"""ClosNets (Isakov and Kinsy, 2018): Clos layers chosen before training, against every other family."""

from reports.claims import published
from reports.experiments import anew, shipped
from reports.report import Report
from reports.studies.closnets_2018.write_up import NAME, write_up
from reports.studies.registry import register_study


@register_study(NAME, trained=True)
def reproduce(*, rerun: bool = False) -> Report:
    """Writes up the trained networks that are shipped, or those that are trained now."""
    found = anew() if rerun else shipped()
    return write_up(found.runs, published("closnets_2018"))
