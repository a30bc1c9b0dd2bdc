"""A generic 65 nm low-power CMOS at 1.2 V: the project's own cells, CACTI memories, modelled wires and
clock."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from archsim.technology.cells import CONSTANTS, LIBRARY_FILE, USED
from archsim.technology.flop_memory import Wiring
from archsim.technology.liberty import CellLibrary, read_liberty
from archsim.technology.quantity import Quantity, load_quantities, load_table
from archsim.technology.registry import register
from archsim.technology.sram import SRAM_TABLE, MemoryMacro, Ports, SramTable

CELL_TYPES = ("lstp", "lop", "hp")


@cache
def cmos65_library() -> CellLibrary:
    """The cell library that ships with the project."""
    return read_liberty((resources.files("archsim") / "data" / LIBRARY_FILE).read_text(encoding="utf-8"))


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
    )


@register("cmos65")
class Cmos65:
    """65 nm CMOS. `cell_type` is the CACTI device of the memories, `liberty` another cell library for
    the logic.

    The default memories are lstp: of CACTI's three devices it is the one that runs at this library's 1.2
    V, its access (1.6 ns for 8 KiB) fits the 4 to 10 ns cycle of a 100 to 250 MHz design, and it leaks a
    hundredth of lop. At 100 MHz an 8 KiB x 64 bit macro read every cycle spends 1.1 mW on reads and 2 uW
    on leakage (lop 0.6 mW and 178 uW, hp 0.9 mW and 5.4 mW); lop reads cheaper only because its cells
    run at 0.8 V.
    """

    name = "cmos65"
    kind: Literal["asic"] = "asic"
    node_nm = 65

    def __init__(self, *, cell_type: str = "lstp", liberty: Path | str | None = None) -> None:
        if cell_type not in CELL_TYPES:
            raise ValueError(f"cell_type is {cell_type!r}; allowed are {', '.join(CELL_TYPES)}.")
        if liberty is not None and not Path(liberty).is_file():
            raise ValueError(f"liberty is {str(liberty)!r}; allowed is the path of a Liberty file.")
        self.cell_type = cell_type
        self.library = cmos65_library() if liberty is None else read_liberty(Path(liberty))
        self.liberty = liberty
        self.wiring = cmos65_wiring()
        self.logic_activity = load_quantities(CONSTANTS)["logic_activity"]
        self.sram = SramTable(cells=self.library, wiring=self.wiring, cells_node_nm=self.node_nm)

    @property
    def supply_v(self) -> float:
        return self.library.supply_v

    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> MemoryMacro:
        """The macro (or the flops) of a memory, as `SramTable.macro` prices it for this node and cell type.

        A word wider than the table is dealt to equal macros side by side. Raises ValueError naming the field.
        """
        return self.sram.side_by_side(
            words=words, word_bits=word_bits, ports=ports, node_nm=self.node_nm, cell_type=self.cell_type
        )

    def options(self) -> dict[str, object]:
        """The arguments that make this technology again."""
        own = {"liberty": str(self.liberty)} if self.liberty is not None else {}
        return {"cell_type": self.cell_type, **own}

    def provenance(self) -> tuple[Quantity, ...]:
        """The constants of the process and the SRAM rows of this node and cell type.

        With another cell library the constants from which the project's own cells were derived are left out.
        """
        table = load_table(SRAM_TABLE)
        lines = {
            line
            for line, row in enumerate(table.rows, start=2)
            if int(row["node_nm"]) == self.node_nm and row["cell_type"] == self.cell_type
        }
        rows = [each for each in table.quantities() if int(each.name.split(":")[1]) in lines]
        own = self.liberty is None
        constants = [each for name, each in load_quantities(CONSTANTS).items() if own or name not in USED]
        return (*constants, *rows)
