"""A generic 65 nm low-power CMOS at 1.2 V: the project's own cells, CACTI memories, modelled wires and
clock."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import resources
from typing import ClassVar, Literal

from archsim.technology.asic.standard_cells import StandardCells
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.liberty.reader import read_liberty
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.quantity import Quantity, load_quantities
from archsim.technology.registry import technologies
from archsim.technology.technology import FitScaling

CONSTANTS, LIBRARY_FILE = "cmos65.yaml", "cmos65.lib"
FIT = "cmos65"


@cache
def cmos65_library() -> CellLibrary:
    """The cell library that ships with the project. It was written for Yosys, which is given it as it is."""
    text = (resources.files("archsim.technology") / "data" / LIBRARY_FILE).read_text(encoding="utf-8")
    return replace(read_liberty(text), text=text)


@cache
def cmos65_wiring() -> Wiring:
    """Wires and clock network of the generic process, as its data file states them."""
    constants = load_quantities(CONSTANTS)
    return Wiring(
        capacitance_f_per_sink=float(constants["wire_capacitance_f_per_um"])
        * float(constants["wire_length_um_per_sink"]),
        clock_network_factor=float(constants["clock_network_factor"]),
        max_fanout=int(float(constants["max_fanout"])),
        memory_pin_capacitance_f=float(constants["memory_pin_capacitance_f"]),
        flop_memory_activity=float(constants["flop_memory_activity"]),
        clock_gate_open_share=float(constants["clock_gate_open_share"]),
    )


@technologies.register("cmos65")
class Cmos65(StandardCells):
    """65 nm CMOS. `cell_type` is the CACTI device of the memories.

    The default memories are lstp: of CACTI's three devices it is the one that runs at this library's 1.2
    V, its access (1.6 ns for 8 KiB) fits the 4 to 10 ns cycle of a 100 to 250 MHz design, and it leaks a
    hundredth of lop. At 100 MHz an 8 KiB x 64 bit macro read every cycle spends 1.1 mW on reads and 2 uW
    on leakage (lop 0.6 mW and 178 uW, hp 0.9 mW and 5.4 mW); lop reads cheaper only because its cells
    run at 0.8 V.
    """

    node_nm: ClassVar[int] = 65
    logic_from_nm: ClassVar[int | None] = node_nm

    kind: Literal["cmos65"] = "cmos65"

    @property
    def library(self) -> CellLibrary:
        return cmos65_library()

    @property
    def wiring(self) -> Wiring:
        return cmos65_wiring()

    @property
    def memory_node_nm(self) -> int:
        return self.node_nm

    @property
    def fit_scaling(self) -> FitScaling:
        """Its own fit, as it is."""
        return FitScaling(fit=FIT)

    def provenance(self) -> tuple[Quantity, ...]:
        """The constants of the process and the SRAM rows of this node and cell type."""
        return (*load_quantities(CONSTANTS).values(), *self.macro_rows())
