"""What things cost: technologies by name, and the numbers behind them with their sources."""

from archsim.technology.artix7 import Artix7, Device, Fit, FpgaMemory, FpgaResources, devices, fits
from archsim.technology.asic import Asic
from archsim.technology.cell_library import CellLibrary
from archsim.technology.cmos import Cmos
from archsim.technology.cmos65 import Cmos65
from archsim.technology.flop_memory import Wiring
from archsim.technology.liberty import LibertyError, read_liberty
from archsim.technology.quantity import ProvenanceError, Quantity, all_quantities
from archsim.technology.registry import (
    TECHNOLOGIES,
    FitScaling,
    MemoryCost,
    Technology,
    register,
    technology,
)
from archsim.technology.sram import MemoryMacro, SramTable
from archsim.technology.standard_cells import StandardCells

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
