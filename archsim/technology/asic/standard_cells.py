"""What all technologies of standard cells have in common: a library, modelled wires, memories from CACTI."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from archsim.technology.asic.abstracts import Abstracts
from archsim.technology.asic.clock_gating import ClockGates, ClockGating, clock_gates
from archsim.technology.evidence import Brackets, brackets_of_cells
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.memories.sram import SRAM_TABLE, MacroScaling, MemoryMacro, Ports, SramTable
from archsim.technology.quantity import Quantity, load_table
from archsim.technology.technology import Technology

CellType = Literal["lstp", "lop", "hp"]
SupplyV = Annotated[float, Field(gt=0, le=5)]
NATIVE_NODES_NM = (65, 45)


class StandardCells(Technology):
    """Logic of a cell library, and memories that are CACTI macros of one node and `cell_type`.

    With `clock_gating` auto registers with an enable stand behind a clock gate where the library has one and
    enough of them share the enable; with none every flop is clocked in every cycle.
    """

    fabric: ClassVar[str] = "asic"
    follows_switching: ClassVar[bool] = True

    logic_from_nm: ClassVar[int | None] = None
    """The node of the project's cells that the library is, or was scaled from; None for any other library,
    which nobody compared with anything."""

    cell_type: CellType = "lstp"
    clock_gating: ClockGating = "auto"

    def options(self) -> dict[str, Any]:
        """The arguments that make this technology again."""
        options = super().options()
        if self.clock_gating == "auto":
            del options["clock_gating"]
        return options

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """The options that are shown: those that are given, and the gating of clocks where it is unusual."""
        shown = ((name, value) for name, value in super().__repr_args__() if value is not None)
        return [each for each in shown if each != ("clock_gating", "auto")]

    @cached_property
    def clock_gates(self) -> ClockGates | None:
        """The clock gate that logic is built with; None where it is built without any."""
        return clock_gates(self.library, self.wiring) if self.clock_gating == "auto" else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Says where clocks cannot be gated."""
        if self.clock_gating == "none" or self.clock_gates is not None:
            return ()
        return (
            f"clock_gating is auto, and library {self.library.name} has no clock gate that can be used: "
            "every flop is clocked in every cycle",
        )

    @property
    @abstractmethod
    def library(self) -> CellLibrary:
        """The cells that logic is mapped to."""

    @property
    @abstractmethod
    def wiring(self) -> Wiring:
        """Wires and clock network, which are modelled."""

    @property
    def abstracts(self) -> Abstracts | None:
        """Rows, sites and outlines to place by; None where nobody stated any."""
        return None

    @property
    @abstractmethod
    def memory_node_nm(self) -> int | None:
        """The node of the memories; None where all of them are of the user's own macros."""

    @property
    def macro_scaling(self) -> MacroScaling | None:
        """How CACTI's macros become those of the node; None where they are CACTI's own."""
        return None

    @property
    def brackets(self) -> Brackets:
        """The ends that comparisons of the cells, of the macros and of scaling found."""
        return brackets_of_cells(
            node_nm=self.memory_node_nm,
            logic_from_nm=self.logic_from_nm,
            memory_from_nm=self.native_memory_nm,
        )

    @property
    def native_memory_nm(self) -> int | None:
        """The node at which CACTI was run for the memories; None where it was not."""
        scaling = self.macro_scaling
        return self.memory_node_nm if scaling is None else scaling.native_node_nm

    @property
    def metrics(self) -> tuple[str, ...]:
        """The costs that follow from logic, area among them."""
        return (*super().metrics, "area_mm2")

    @property
    def supply_v(self) -> float:
        return self.library.supply_v

    @cached_property
    def sram(self) -> SramTable:
        """The table from which memories are priced."""
        return SramTable(
            cells=self.library,
            wiring=self.wiring,
            cells_node_nm=self._table_nm,
            scaling=self.macro_scaling,
            gated=self.clock_gates is not None,
        )

    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> MemoryMacro:
        """The macro (or the flops) of a memory, as `SramTable.macro` prices it for this node and cell type.

        A word wider than the table is dealt to equal macros side by side. Raises a refusal naming the field.
        """
        return self.sram.side_by_side(
            words=words,
            word_bits=word_bits,
            ports=ports,
            node_nm=self._table_nm,
            cell_type=self.cell_type,
        )

    @property
    def _table_nm(self) -> int:
        """The node of the memories of the table; nobody asks where there are none."""
        assert self.memory_node_nm is not None
        return self.memory_node_nm

    def macro_rows(self) -> tuple[Quantity, ...]:
        """The figures of the SRAM table on which the memories rest."""
        towards = self.macro_scaling.towards if self.macro_scaling else None
        nodes = (self.native_memory_nm, *(towards[:1] if towards else ()))
        return tuple(row for node_nm in nodes if node_nm for row in _macro_rows(node_nm, self.cell_type))


@cache
def _macro_rows(node_nm: int, cell_type: CellType) -> tuple[Quantity, ...]:
    return tuple(load_table(SRAM_TABLE).quantities(node_nm=node_nm, cell_type=cell_type))
