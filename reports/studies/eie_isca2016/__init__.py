"""Area and power of EIE (Han et al., ISCA 2016), element by element."""

from __future__ import annotations

from reports.claims import published
from reports.report import Report
from reports.studies.eie_isca2016.figures import NAME, measure
from reports.studies.eie_isca2016.write_up import write_up
from reports.studies.registry import register_study


@register_study(NAME)
def reproduce() -> Report:
    """Maps the element, runs it, prices it at 45 nm, and writes up what came out."""
    content = published("eie_isca2016")
    return write_up(measure(content), content)
