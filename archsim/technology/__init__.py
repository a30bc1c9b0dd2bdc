"""What things cost: technologies by name, and the numbers behind them with their sources."""

from archsim.technology.artix7 import Artix7, Device, Fit, FpgaMemory, FpgaResources, devices, fits
from archsim.technology.cmos65 import Cmos65
from archsim.technology.flop_memory import Wiring
from archsim.technology.liberty import CellLibrary, LibertyError, read_liberty
from archsim.technology.quantity import ProvenanceError, Quantity, all_quantities
from archsim.technology.registry import TECHNOLOGIES, MemoryCost, Technology, register, technology
from archsim.technology.sram import MemoryMacro, SramTable

__all__ = [
    "TECHNOLOGIES",
    "Artix7",
    "CellLibrary",
    "Cmos65",
    "Device",
    "Fit",
    "FpgaMemory",
    "FpgaResources",
    "LibertyError",
    "MemoryCost",
    "MemoryMacro",
    "ProvenanceError",
    "Quantity",
    "SramTable",
    "Technology",
    "Wiring",
    "all_quantities",
    "devices",
    "fits",
    "read_liberty",
    "register",
    "technology",
]
