"""The edge-parallel FPGA network of Dey et al. (ReConFig 2018): clocks, multipliers and memories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.studies.registry import lasts, studies

if TYPE_CHECKING:
    from reports.write_up.report import Report


@studies.register("dey-reconfig2018")
@lasts(cached_s=2, from_nothing_s=9)
def reproduce() -> Report:
    """Runs the junctions, maps multipliers to DSP blocks, and writes up what came out."""
    from reports.studies.dey_reconfig2018.measure import findings, measure
    from reports.write_up.claims import published
    from reports.write_up.study_page import write_up

    content = published(__name__)
    return write_up(__name__, findings(measure(content), content), content)
