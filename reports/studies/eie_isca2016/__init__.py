"""Area and power of EIE (Han et al., ISCA 2016), element by element, and the time of its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.studies.registry import lasts, studies

if TYPE_CHECKING:
    from reports.write_up.report import Report


@studies.register("eie-isca2016")
@lasts(cached_s=10, from_nothing_s=19)
def reproduce() -> Report:
    """Maps the element, runs it, prices it at 45 nm, runs the layers, and writes up what came out."""
    from reports.studies.eie_isca2016.latency import run_layers
    from reports.studies.eie_isca2016.measure import findings, measure
    from reports.write_up.claims import published
    from reports.write_up.study_page import write_up

    content = published(__name__)
    return write_up(__name__, findings(measure(content), run_layers(content), content), content)
