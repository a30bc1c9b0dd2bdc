"""The edge-parallel FPGA network of Dey et al. (ReConFig 2018): clocks, multipliers and memories."""

from __future__ import annotations

from reports.claims import published
from reports.report import Report
from reports.studies.dey_reconfig2018.figures import NAME, measure
from reports.studies.dey_reconfig2018.write_up import write_up
from reports.studies.registry import register_study


@register_study(NAME)
def reproduce() -> Report:
    """Runs the junctions, maps multipliers to DSP blocks, and writes up what came out."""
    content = published("dey_reconfig2018")
    return write_up(measure(content), content)
