"""The project's 65 nm cells with wires of another metal stack: a technology in one file."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from archsim.technology import Quantity, StandardCells, technologies
from archsim.technology.asic.generic_cells import cmos65_library, cmos65_wiring
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.memories.flop_memory import Wiring


@technologies.register("dry65")
class Dry65(StandardCells):
    """65 nm cells whose wires have a capacitance a sink of so many farad. Nobody calibrated its logic."""

    kind: Literal["dry65"] = "dry65"
    wire_f: Annotated[float, Field(ge=0, le=1e-12)] = 1e-15

    @property
    def library(self) -> CellLibrary:
        return cmos65_library()

    @property
    def wiring(self) -> Wiring:
        return replace(cmos65_wiring(), capacitance_f_per_sink=self.wire_f)

    @property
    def memory_node_nm(self) -> int:
        return 65

    def provenance(self) -> tuple[Quantity, ...]:
        wire = Quantity(name="dry65:wire_f", value=self.wire_f, unit="F", kind="assumed", source="given")
        return (wire, *self.macro_rows())
