"""What all technologies of standard cells have in common: a library, modelled wires, memories from CACTI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.memories.sram import SRAM_TABLE, MacroScaling, MemoryMacro, Ports, SramTable
from archsim.technology.quantity import Quantity, load_quantities, load_table

CELL_TYPES = ("lstp", "lop", "hp")
GLITCHES = "glitches.yaml"
NATIVE_NODES_NM = (65, 45)


class StandardCells:
    """Logic of a cell library, and memories that are CACTI macros of one node and `cell_type`."""

    kind: Literal["asic"] = "asic"

    def __init__(
        self,
        *,
        library: CellLibrary,
        wiring: Wiring,
        node_nm: int,
        cell_type: str,
        scaling: MacroScaling | None = None,
    ) -> None:
        self.library = library
        self.wiring = wiring
        self.node_nm = node_nm
        self.cell_type = cell_type
        self.sram = SramTable(cells=library, wiring=wiring, cells_node_nm=node_nm, scaling=scaling)
        self._rows_node_nm = node_nm if scaling is None else scaling.native_node_nm

    @property
    def supply_v(self) -> float:
        return self.library.supply_v

    @property
    def glitches(self) -> Mapping[str, Quantity]:
        """What glitches add to the switching of gates, by the names of `archsim.costs.glitch_factors`."""
        return load_quantities(GLITCHES)

    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> MemoryMacro:
        """The macro (or the flops) of a memory, as `SramTable.macro` prices it for this node and cell type.

        A word wider than the table is dealt to equal macros side by side. Raises ValueError naming the field.
        """
        return self.sram.side_by_side(
            words=words, word_bits=word_bits, ports=ports, node_nm=self.node_nm, cell_type=self.cell_type
        )

    def macro_rows(self) -> tuple[Quantity, ...]:
        """The figures of the SRAM table on which the memories rest."""
        table = load_table(SRAM_TABLE)
        lines = {
            line
            for line, row in enumerate(table.rows, start=2)
            if int(row["node_nm"]) == self._rows_node_nm and row["cell_type"] == self.cell_type
        }
        return tuple(each for each in table.quantities() if int(each.name.split(":")[1]) in lines)


def known_cell_type(cell_type: str) -> str:
    """The CACTI device of that name. Raises ValueError naming the field."""
    if cell_type not in CELL_TYPES:
        raise ValueError(f"cell_type is {cell_type!r}; allowed are {', '.join(CELL_TYPES)}.")
    return cell_type
