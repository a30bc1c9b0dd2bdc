"""What a memory macro costs: the CACTI 7 table between its points, and flops where a memory is too small for it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from archsim.technology.flop_memory import Wiring, flop_memory
from archsim.technology.liberty import CellLibrary
from archsim.technology.quantity import Table, load_table

Ports = Literal["1rw", "1r1w"]
SRAM_TABLE = "sram_cacti7.csv"
_COLUMNS = ("read_energy_j", "write_energy_j", "leakage_w", "area_mm2", "access_time_s")
_NARROWEST_BITS = 8


@dataclass(frozen=True, kw_only=True)
class MemoryMacro:
    """One memory of `words` x `word_bits` and its costs: J per access, W, mm2 and s.

    `built_as` is "macro" or "flops"; `built_bits` is the capacity of what was built, more than asked for where the
    memory is smaller than the smallest macro. `clock_energy_j` is spent every clock cycle, accessed or not (zero for a
    macro, whose clock is part of its accesses). `setup_s` is what its inputs need before the clock edge.
    """

    words: int
    word_bits: int
    ports: Ports
    node_nm: int
    cell_type: str
    built_as: Literal["macro", "flops"]
    built_bits: int
    read_energy_j: float
    write_energy_j: float
    clock_energy_j: float
    leakage_w: float
    area_mm2: float
    access_time_s: float
    setup_s: float
    kind: str
    source: str


class SramTable:
    """The CACTI table, read between its points in log-log over capacity and word width; never beyond them.

    `cells` and `wiring` price the memories that are built from flops; they belong to the node `cells_node_nm`, at other
    nodes a small memory always takes the smallest macro.
    """

    def __init__(self, *, cells: CellLibrary, wiring: Wiring, cells_node_nm: int = 65) -> None:
        self._cells = cells
        self._wiring = wiring
        self._cells_node_nm = cells_node_nm

    @cached_property
    def _table(self) -> Table:
        return load_table(SRAM_TABLE)

    @cached_property
    def _axes(self) -> tuple[list[int], list[int]]:
        """Capacities in bytes and word widths in bits, both rising."""
        capacities = sorted({int(row["capacity_bytes"]) for row in self._table.rows})
        return capacities, sorted({int(row["word_bits"]) for row in self._table.rows})

    @cached_property
    def _grids(self) -> Mapping[tuple[int, str, str], np.ndarray]:
        """(node, cell type, ports) -> log of each column, capacity x width x column; NaN where CACTI found nothing."""
        capacities, widths = self._axes
        grids: dict[tuple[int, str, str], np.ndarray] = {}
        for row in self._table.rows:
            key = (int(row["node_nm"]), row["cell_type"], row["ports"])
            grid = grids.setdefault(key, np.full((len(capacities), len(widths), len(_COLUMNS)), np.nan))
            place = capacities.index(int(row["capacity_bytes"])), widths.index(int(row["word_bits"]))
            grid[place] = [math.log(float(row[column])) for column in _COLUMNS]
        return grids

    def macro(
        self, *, words: int, word_bits: int, ports: Ports = "1rw", node_nm: int = 65, cell_type: str = "lstp"
    ) -> MemoryMacro:
        """The cost of a memory of `words` x `word_bits`.

        A word of less than 8 bits uses the 8-bit column at the capacity it really has. A memory smaller than the
        smallest macro of its width becomes flops or that macro, whichever has the smaller area. Raises ValueError
        naming the field for anything outside the table.
        """
        for field, value in (("words", words), ("word_bits", word_bits)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{field} is {value!r}; allowed is an integer of 1 or more.")
        capacities, widths = self._axes
        for place, (field, value) in enumerate((("node_nm", node_nm), ("cell_type", cell_type), ("ports", ports))):
            allowed = sorted({str(key[place]) for key in self._grids})
            if str(value) not in allowed:
                raise ValueError(f"{field} is {value!r}; allowed are {', '.join(allowed)}.")
        if word_bits > widths[-1]:
            raise ValueError(f"word_bits is {word_bits}; allowed are 1 to {widths[-1]}, the widest of the SRAM table.")
        capacity_bytes = words * word_bits / 8
        if capacity_bytes > capacities[-1]:
            raise ValueError(
                f"words is {words}; allowed are at most {capacities[-1] * 8 // word_bits} of {word_bits} bits, "
                f"the largest macro of the SRAM table."
            )
        grid = self._grids[node_nm, cell_type, ports]
        smallest_bytes = self._smallest_bytes(grid, word_bits)
        built_bytes = max(capacity_bytes, smallest_bytes)
        priced = dict(zip(_COLUMNS, self._between(grid, built_bytes, word_bits), strict=True))
        common = {"words": words, "word_bits": word_bits, "ports": ports, "node_nm": node_nm, "cell_type": cell_type}
        if capacity_bytes < smallest_bytes and node_nm == self._cells_node_nm:
            flops = flop_memory(words=words, word_bits=word_bits, cells=self._cells, wiring=self._wiring)
            if flops.area_mm2 < priced["area_mm2"]:
                return MemoryMacro(
                    **common,
                    **vars(flops),
                    built_as="flops",
                    built_bits=words * word_bits,
                    kind="assumed",
                    source=f"flops, multiplexers and decoders of the cell library {self._cells.name}",
                )
        return MemoryMacro(
            **common,
            **priced,
            built_as="macro",
            built_bits=math.ceil(built_bytes * 8),
            clock_energy_j=0.0,
            setup_s=self._cells.flop(enable=False).setup_s,
            kind=self._table.kind,
            source=self._table.source,
        )

    def _columns(self, word_bits: int) -> tuple[int, int, float]:
        """The two width columns around a word, and how far (0 to 1, in log) the word lies from the first."""
        _, widths = self._axes
        wide = max(word_bits, _NARROWEST_BITS)
        low = max(place for place, width in enumerate(widths) if width <= wide)
        if widths[low] == wide:
            return low, low, 0.0
        return low, low + 1, math.log(wide / widths[low]) / math.log(widths[low + 1] / widths[low])

    def _smallest_bytes(self, grid: np.ndarray, word_bits: int) -> int:
        low, high, _ = self._columns(word_bits)
        complete = ~np.isnan(grid[:, low, 0] + grid[:, high, 0])
        return self._axes[0][int(np.argmax(complete))]

    def _between(self, grid: np.ndarray, capacity_bytes: float, word_bits: int) -> list[float]:
        capacities, _ = self._axes
        low, high, across = self._columns(word_bits)
        row = max(place for place, capacity in enumerate(capacities) if capacity <= capacity_bytes)
        below = grid[row, low] * (1 - across) + grid[row, high] * across
        if capacities[row] == capacity_bytes:
            return [float(value) for value in np.exp(below)]
        above = grid[row + 1, low] * (1 - across) + grid[row + 1, high] * across
        up = math.log(capacity_bytes / capacities[row]) / math.log(capacities[row + 1] / capacities[row])
        return [float(value) for value in np.exp(below * (1 - up) + above * up)]
