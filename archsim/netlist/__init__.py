"""Maps exported Verilog with Yosys, to standard cells or to an FPGA, and measures what came out."""

from __future__ import annotations

from archsim.netlist.activity import Activity, ActivityError, Switching, ToggleCounter, switching
from archsim.netlist.asic import AsicSynthesis, Component, delays_of, synthesise_asic
from archsim.netlist.event_simulation import EventSimulation, Transitions
from archsim.netlist.fpga import FpgaComponent, FpgaSynthesis, synthesise_fpga
from archsim.netlist.fpga_layout import FpgaLayout, FpgaLayouts, PathStage, lay_out_fpga
from archsim.netlist.netlist import Netlist, NetlistError, read_netlists
from archsim.netlist.nextpnr import NextpnrError
from archsim.netlist.timing import analyse
from archsim.netlist.yosys import YosysError, prepare_yosys, run_yosys

__all__ = [
    "Activity",
    "ActivityError",
    "AsicSynthesis",
    "Component",
    "EventSimulation",
    "FpgaComponent",
    "FpgaLayout",
    "FpgaLayouts",
    "FpgaSynthesis",
    "Netlist",
    "NetlistError",
    "NextpnrError",
    "PathStage",
    "Switching",
    "ToggleCounter",
    "Transitions",
    "YosysError",
    "analyse",
    "delays_of",
    "lay_out_fpga",
    "prepare_yosys",
    "read_netlists",
    "run_yosys",
    "switching",
    "synthesise_asic",
    "synthesise_fpga",
]
