"""The storage of LeNet-300-100 in Deep Compression (Han et al., ICLR 2016)."""

from __future__ import annotations

from reports.claims import published
from reports.report import Report
from reports.studies.deep_compression_iclr2016.networks import NAME, measure
from reports.studies.deep_compression_iclr2016.write_up import write_up
from reports.studies.registry import register_study


@register_study(NAME)
def reproduce() -> Report:
    """Prunes, quantises and encodes the network, and writes up what it takes to store."""
    content = published("deep_compression_iclr2016")
    return write_up(measure(content), content)
