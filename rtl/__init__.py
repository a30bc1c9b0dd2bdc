"""The hardware: PyRTL engines and their parts, simulation, and Verilog export."""

from __future__ import annotations

from rtl.parts.arithmetic import BankedAddress as BankedAddress
from rtl.parts.descriptor import (
    DESCRIPTOR_WORD_BITS as DESCRIPTOR_WORD_BITS,
    DescriptorFormat as DescriptorFormat,
    SizeError as SizeError,
)
from rtl.parts.sizes import (
    Amounts as Amounts,
    MemoryShape as MemoryShape,
    Pipeline as Pipeline,
    Sizes as Sizes,
)
from rtl.parts.skeleton import Hardware as Hardware
from rtl.signals import Signals as Signals, State as State, watch_hardware as watch_hardware
from rtl.simulation import (
    Images as Images,
    LoadWrite as LoadWrite,
    Run as Run,
    Simulation as Simulation,
    SimulationLimitError as SimulationLimitError,
    load_writes as load_writes,
)
from rtl.testbench import TestBench as TestBench, make_test_bench as make_test_bench
from rtl.verilog import TOP_MODULE as TOP_MODULE, VerilogDesign as VerilogDesign, to_verilog as to_verilog
