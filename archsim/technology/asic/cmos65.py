"""A generic 65 nm low-power CMOS at 1.2 V: the project's own cells, CACTI memories, modelled wires and
clock."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from archsim.technology.asic.abstracts import Abstracts
from archsim.technology.asic.cmos import Cmos
from archsim.technology.asic.generic_cells import (
    CONSTANTS,
    FIT,
    cmos65_library,
    cmos65_wiring,
    generic_abstracts,
)
from archsim.technology.asic.standard_cells import StandardCells, SupplyV
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.memories.sram import MacroScaling
from archsim.technology.quantity import Quantity, load_quantities
from archsim.technology.registry import technologies
from archsim.technology.technology import FitScaling


@technologies.register("cmos65")
class Cmos65(StandardCells):
    """65 nm CMOS. `cell_type` is the CACTI device of the memories.

    The default memories are lstp: of CACTI's three devices it is the one that runs at this library's 1.2
    V, its access (1.6 ns for 8 KiB) fits the 4 to 10 ns cycle of a 100 to 250 MHz design, and it leaks a
    hundredth of lop. At 100 MHz an 8 KiB x 64 bit macro read every cycle spends 1.1 mW on reads and 2 uW
    on leakage (lop 0.6 mW and 178 uW, hp 0.9 mW and 5.4 mW); lop reads cheaper only because its cells
    run at 0.8 V.

    `vdd_v` is another supply than 1.2 V: cells, fitted logic and memories are then those of `Cmos` at 65 nm,
    energies and delays by the polynomials of Stillmaker and Baas (2017) for that node, leakage in proportion
    to the supply, areas as they are. Nobody compared another supply with anything.
    """

    node_nm: ClassVar[int] = 65
    logic_from_nm: ClassVar[int | None] = node_nm

    kind: Literal["cmos65"] = "cmos65"
    vdd_v: SupplyV | None = None

    @model_validator(mode="after")
    def _supplied(self) -> Self:
        if self._scaled is None:
            # Equal to one that names no supply; a frozen model is set before anybody sees it.
            self.__dict__["vdd_v"] = None
        return self

    @cached_property
    def _scaled(self) -> Cmos | None:
        """The same at another supply; None at its own."""
        if self.vdd_v in (None, cmos65_library().supply_v):
            return None
        return Cmos(
            vdd_v=self.vdd_v, cell_type=self.cell_type, clock_gating=self.clock_gating, node_nm=self.node_nm
        )

    @property
    def library(self) -> CellLibrary:
        return self._scaled.library if self._scaled else cmos65_library()

    @property
    def wiring(self) -> Wiring:
        return self._scaled.wiring if self._scaled else cmos65_wiring()

    @cached_property
    def abstracts(self) -> Abstracts:
        """Outlines drawn from the areas of the cells."""
        return generic_abstracts(self.library)

    @property
    def macro_scaling(self) -> MacroScaling | None:
        """CACTI's macros at another supply; None at its own."""
        return self._scaled.macro_scaling if self._scaled else None

    @property
    def memory_node_nm(self) -> int:
        return self.node_nm

    @property
    def fit_scaling(self) -> FitScaling:
        """Its own fit, as it is, or at another supply."""
        return self._scaled.fit_scaling if self._scaled else FitScaling(fit=FIT)

    def provenance(self) -> tuple[Quantity, ...]:
        """The constants of the process and the SRAM rows of this node and cell type, and what scales them."""
        if self._scaled:
            return self._scaled.provenance()
        return (*load_quantities(CONSTANTS).values(), *self.macro_rows())
