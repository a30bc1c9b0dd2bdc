"""Writes a design point as hardware: Verilog with test benches, AXI, and what its tools build it by."""

from __future__ import annotations

from reports.export.folder import export as export
from reports.export.registry import Exported as Exported, exporters as exporters
from reports.export.subject import Subject as Subject
