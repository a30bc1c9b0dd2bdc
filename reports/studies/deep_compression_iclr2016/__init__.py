"""The storage of LeNet-300-100 in Deep Compression (Han et al., ICLR 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.studies.registry import lasts, studies

if TYPE_CHECKING:
    from reports.write_up.report import Report


@studies.register("deep-compression-iclr2016")
@lasts(cached_s=3, from_nothing_s=6)
def reproduce() -> Report:
    """Prunes, quantises and encodes the network, and writes up what it takes to store."""
    from reports.studies.deep_compression_iclr2016.measure import findings, measure
    from reports.write_up.claims import published
    from reports.write_up.study_page import write_up

    content = published(__name__)
    return write_up(__name__, findings(measure(content), content), content)
