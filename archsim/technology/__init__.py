"""What things cost: technologies by name, and the numbers behind them with their sources."""

from __future__ import annotations

from archsim.technology.asic.asic import Asic
from archsim.technology.asic.cmos import Cmos
from archsim.technology.asic.cmos65 import Cmos65
from archsim.technology.asic.standard_cells import StandardCells
from archsim.technology.fpga.artix7 import Artix7
from archsim.technology.fpga.devices import Device, FpgaResources
from archsim.technology.fpga.ecp5 import Ecp5
from archsim.technology.fpga.fpga import FabricCost, Fpga, FpgaMemory
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.memories.sram import MemoryCost, MemoryMacro, SramTable
from archsim.technology.quantity import Quantity
from archsim.technology.registry import technologies, technology
from archsim.technology.technology import DeviceError, FitScaling, Technology, TechnologyError

__all__ = [
    "Artix7",
    "Asic",
    "CellLibrary",
    "Cmos",
    "Cmos65",
    "Device",
    "DeviceError",
    "Ecp5",
    "FabricCost",
    "FitScaling",
    "Fpga",
    "FpgaMemory",
    "FpgaResources",
    "MemoryCost",
    "MemoryMacro",
    "Quantity",
    "SramTable",
    "StandardCells",
    "Technology",
    "TechnologyError",
    "Wiring",
    "technologies",
    "technology",
]
