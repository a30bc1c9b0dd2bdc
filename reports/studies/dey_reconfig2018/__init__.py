"""The edge-parallel FPGA network of Dey et al. (ReConFig 2018): clocks, multipliers and memories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.studies.registry import studies

if TYPE_CHECKING:
    from reports.report import Report


@studies.register("dey-reconfig2018")
def reproduce() -> Report:
    """Runs the junctions, maps multipliers to DSP blocks, and writes up what came out."""
    from reports.claims import published
    from reports.studies.dey_reconfig2018.figures import measure
    from reports.studies.dey_reconfig2018.write_up import write_up

    content = published(__name__)
    return write_up(measure(content), content)
