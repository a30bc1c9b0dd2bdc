"""Memories: SRAM macros, flops, and the RAM primitives of an FPGA."""
