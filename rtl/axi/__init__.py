"""AXI around an engine: streams for inputs and scores, registers for everything else, a test bench."""

from __future__ import annotations

from rtl.axi.bench import REPEATED as REPEATED, make_axi_bench as make_axi_bench
from rtl.axi.registers import Field as Field, Register as Register
from rtl.axi.streams import InputWrite as InputWrite, Streams as Streams
from rtl.axi.wrapper import (
    AXI_CLOCK as AXI_CLOCK,
    AXI_MODULE as AXI_MODULE,
    LOAD_PINS as LOAD_PINS,
    AxiWrapper as AxiWrapper,
    Port as Port,
    make_axi_wrapper as make_axi_wrapper,
)
