"""NeuroFabric (Isakov and Kinsy, 2020): which topologies are worth training, and how to start them."""

from __future__ import annotations

from reports.claims import published
from reports.report import Report
from reports.studies.neurofabric_2020.write_up import NAME, write_up
from reports.studies.registry import register_study
from reports.studies.topologies.experiments import anew, shipped


@register_study(NAME, trained=True)
def reproduce(*, rerun: bool = False) -> Report:
    """Writes up the experiments that are shipped, or those that are run now."""
    return write_up(anew() if rerun else shipped(), published("neurofabric_2020"))
