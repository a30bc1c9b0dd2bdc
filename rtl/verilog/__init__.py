"""Writes a described engine as hierarchical Verilog that people can read."""

from __future__ import annotations

from rtl.verilog.parts import Part as Part, live_parts as live_parts
from rtl.verilog.writer import (
    TOP_MODULE as TOP_MODULE,
    VerilogDesign as VerilogDesign,
    to_verilog as to_verilog,
    write_verilog as write_verilog,
)
