"""What things cost: technologies by name, and the numbers behind them with their sources."""

from __future__ import annotations

from archsim.technology.asic.asic import Asic
from archsim.technology.asic.cmos import Cmos
from archsim.technology.asic.cmos65 import Cmos65
from archsim.technology.asic.standard_cells import StandardCells
from archsim.technology.fpga.artix7 import Artix7, Device, Fit, FpgaMemory, FpgaResources, devices, fits
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.liberty.reader import LibertyError, read_liberty
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.memories.sram import MemoryMacro, SramTable
from archsim.technology.quantity import ProvenanceError, Quantity, all_quantities
from archsim.technology.registry import (
    TECHNOLOGIES,
    FitScaling,
    MemoryCost,
    Technology,
    register,
    technology,
)

__all__ = [
    "TECHNOLOGIES",
    "Artix7",
    "Asic",
    "CellLibrary",
    "Cmos",
    "Cmos65",
    "Device",
    "Fit",
    "FitScaling",
    "FpgaMemory",
    "FpgaResources",
    "LibertyError",
    "MemoryCost",
    "MemoryMacro",
    "ProvenanceError",
    "Quantity",
    "SramTable",
    "StandardCells",
    "Technology",
    "Wiring",
    "all_quantities",
    "devices",
    "fits",
    "read_liberty",
    "register",
    "technology",
]
