"""Area and power of EIE (Han et al., ISCA 2016), element by element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.studies.registry import studies

if TYPE_CHECKING:
    from reports.report import Report


@studies.register("eie-isca2016")
def reproduce() -> Report:
    """Maps the element, runs it, prices it at 45 nm, and writes up what came out."""
    from reports.claims import published
    from reports.studies.eie_isca2016.figures import measure
    from reports.studies.eie_isca2016.write_up import write_up

    content = published(__name__)
    return write_up(measure(content), content)
