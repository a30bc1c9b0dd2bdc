"""The hardware: PyRTL engines and their parts, simulation, and Verilog export."""

from __future__ import annotations

from rtl.engines.clos import ClosSizes, build_clos
from rtl.engines.csc import CscSizes, build_csc
from rtl.engines.dense import build_dense
from rtl.engines.pruned import GATHER_CYCLES, PrunedSizes, build_pruned
from rtl.parts.arithmetic import BankedAddress
from rtl.parts.descriptor import DESCRIPTOR_WORD_BITS, DescriptorFormat
from rtl.parts.sizes import LockstepSizes, MemoryShape, Sizes
from rtl.parts.skeleton import PIPELINE_CYCLES, Hardware
from rtl.simulation import Images, LoadWrite, Run, Simulation, SimulationLimitError, load_writes
from rtl.testbench import TestBench, make_test_bench, power_up_writes
from rtl.verilog import TOP_MODULE, VerilogDesign, to_verilog

__all__ = [
    "DESCRIPTOR_WORD_BITS",
    "GATHER_CYCLES",
    "PIPELINE_CYCLES",
    "TOP_MODULE",
    "BankedAddress",
    "ClosSizes",
    "CscSizes",
    "DescriptorFormat",
    "Hardware",
    "Images",
    "LoadWrite",
    "LockstepSizes",
    "MemoryShape",
    "PrunedSizes",
    "Run",
    "Simulation",
    "SimulationLimitError",
    "Sizes",
    "TestBench",
    "VerilogDesign",
    "build_clos",
    "build_csc",
    "build_dense",
    "build_pruned",
    "load_writes",
    "make_test_bench",
    "power_up_writes",
    "to_verilog",
]
