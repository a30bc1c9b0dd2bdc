"""The hardware: PyRTL engines and their parts, simulation, and Verilog export."""

from __future__ import annotations

from rtl.parts.arithmetic import BankedAddress
from rtl.parts.descriptor import DESCRIPTOR_WORD_BITS, DescriptorFormat, SizeError
from rtl.parts.sizes import Amounts, MemoryShape, Sizes
from rtl.parts.skeleton import GATHER_CYCLES, PIPELINE_CYCLES, Hardware
from rtl.simulation import Images, LoadWrite, Run, Simulation, SimulationLimitError, load_writes
from rtl.testbench import TestBench, make_test_bench, power_up_writes
from rtl.verilog import TOP_MODULE, VerilogDesign, to_verilog

__all__ = [
    "DESCRIPTOR_WORD_BITS",
    "GATHER_CYCLES",
    "PIPELINE_CYCLES",
    "TOP_MODULE",
    "Amounts",
    "BankedAddress",
    "DescriptorFormat",
    "Hardware",
    "Images",
    "LoadWrite",
    "MemoryShape",
    "Run",
    "Simulation",
    "SimulationLimitError",
    "SizeError",
    "Sizes",
    "TestBench",
    "VerilogDesign",
    "load_writes",
    "make_test_bench",
    "power_up_writes",
    "to_verilog",
]
