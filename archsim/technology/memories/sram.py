"""What a memory macro costs: the CACTI 7 table between its points, and flops where a memory is too small
for it.

Read between points twice as far apart as they are (every second capacity, or width, left out and read from
its neighbours), the table is met within a mean of 9 % for read energy, 7 % for write energy, 4 % for leakage
and 5 % for area and access time; the worst reading, of read energy between widths, is 58 % off. CACTI changes
the organisation of the array from size to size, so closer points would not come out much better. In eleven
points of the table, none of them of the default devices at 65 nm, a smaller macro reads for up to 39 % more:
there the larger macro is charged what the smaller one takes, since who needs the smaller one would otherwise
build it of the larger, and real macros take more than either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from archsim.technology.asic.scaling import Factors
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.liberty.text import LibertyError
from archsim.technology.memories.bracket import UNCOMPARED, MemoryBracket, macro_bracket
from archsim.technology.memories.flop_memory import MemoryFigures, Wiring, flop_memory
from archsim.technology.quantity import load_table
from workloads.refusal import Refusal

Ports = Literal["1rw", "1r1w"]
Logs = NDArray[np.float64]
SRAM_TABLE = "sram_cacti7.csv"
_COLUMNS = ("read_energy_j", "write_energy_j", "leakage_w", "area_mm2", "access_time_s")
_NARROWEST_BITS = 8


@dataclass(frozen=True, kw_only=True)
class MemoryCost:
    """What every memory of `words` x `word_bits` tells: as what it is built, J per access of one word (None
    where nobody published any) and per clock cycle, W of its own leakage, and where these come from."""

    words: int
    word_bits: int
    built_as: str
    read_energy_j: float | None
    write_energy_j: float | None
    clock_energy_j: float = 0.0
    leakage_w: float = 0.0
    kind: str
    source: str

    def origin(self, figure: str) -> tuple[str, str]:
        """The kind and the source of one of its figures."""
        return self.kind, self.source

    @property
    def bracket(self) -> MemoryBracket | None:
        """How far its figures lie from those of real memories; None for one that is built of cells, and as
        sure as these."""
        return UNCOMPARED


@dataclass(frozen=True, kw_only=True)
class MemoryMacro(MemoryFigures, MemoryCost):
    """A memory built as "macro" or "flops", with its area and times.

    `built_bits` is the capacity of what was built, more than asked for where the memory is smaller than the
    smallest macro. `clock_energy_j` is spent accessed or not; it is zero for a macro, whose clock is part of
    its accesses. `setup_s` is what its inputs need before the clock edge. One of the user's own macros
    says which `macro`, and rests on their file but for the figures that CACTI `stood_in` for, with their
    sources.
    """

    ports: Ports
    node_nm: int | None
    cell_type: str
    built_bits: int
    macros: int = 1
    macro: str = ""
    stood_in: Mapping[str, str] = field(default_factory=dict, hash=False)

    def origin(self, figure: str) -> tuple[str, str]:
        """The kind and the source of one of its figures."""
        stood_in = self.stood_in.get(figure)
        return ("assumed", stood_in) if stood_in else (self.kind, self.source)

    @property
    def bracket(self) -> MemoryBracket | None:
        """That of the capacity of each macro, without what scaling to the node adds; None for flops. Nobody
        compared the user's own figures."""
        if self.built_as == "flops":
            return None
        known = macro_bracket(self.built_bits / self.macros / 8)
        return (
            replace(UNCOMPARED, **{name: getattr(known, name) for name in self.stood_in})
            if self.macro
            else known
        )


@dataclass(frozen=True, kw_only=True)
class MacroScaling:
    """How the macros of a node of the table become those of another node or supply, and by what rule.

    Between two nodes of the table `towards` names the other one, the factors there, and how far the macros
    lie from the first one, from 0 to 1, in logarithms.
    """

    native_node_nm: int
    node_nm: int
    factors: Factors
    rule: str
    towards: tuple[int, Factors, float] | None = None


def known_size(words: int, word_bits: int, ports: Ports = "1rw") -> None:
    """Refuses what is no size of a memory, naming the field."""
    for name, value in (("words", words), ("word_bits", word_bits)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise Refusal(f"{name} is {value!r}, allowed is an integer of 1 or more")
    if ports not in get_args(Ports):
        raise Refusal.of("ports", ports, get_args(Ports))


@cache
def _axes() -> tuple[list[int], list[int]]:
    """Capacities in bytes and word widths in bits, both rising."""
    rows = load_table(SRAM_TABLE).rows
    return sorted({row["capacity_bytes"] for row in rows}), sorted({row["word_bits"] for row in rows})


@cache
def _grids() -> Mapping[tuple[int, str, str], Logs]:
    """(node, cell type, ports) -> log of each column, capacity x width x column; NaN where CACTI found
    nothing."""
    capacities, widths = _axes()
    grids: dict[tuple[int, str, str], Logs] = {}
    for row in load_table(SRAM_TABLE).rows:
        key = (row["node_nm"], row["cell_type"], row["ports"])
        grid = grids.setdefault(key, np.full((len(capacities), len(widths), len(_COLUMNS)), np.nan))
        place = capacities.index(row["capacity_bytes"]), widths.index(row["word_bits"])
        grid[place] = [math.log(row[column]) for column in _COLUMNS]
    for grid in grids.values():
        reads = grid[:, :, _COLUMNS.index("read_energy_j")]
        reads[:] = np.where(np.isnan(reads), reads, np.fmax.accumulate(reads))
    return grids


@dataclass(frozen=True, kw_only=True)
class SramTable:
    """The CACTI table, read between its points in log-log over capacity and word width; never beyond them.

    `cells` and `wiring` price the memories that are built from flops, behind clock gates where `gated`; they
    belong to the node `cells_node_nm`, at other nodes a small memory always takes the smallest macro. With
    `scaling` the table has its node too, at the scaled costs of the native one.
    """

    cells: CellLibrary
    wiring: Wiring
    cells_node_nm: int = 65
    scaling: MacroScaling | None = None
    gated: bool = True

    def macro(
        self, *, words: int, word_bits: int, ports: Ports = "1rw", node_nm: int = 65, cell_type: str = "lstp"
    ) -> MemoryMacro:
        """The cost of a memory of `words` x `word_bits`.

        A word of less than 8 bits uses the 8-bit column at the capacity it really has. A memory smaller
        than the smallest macro of its width becomes flops or that macro, whichever has the smaller product
        of area and energy a cycle when it is read in every cycle (`worth`).
        Raises a refusal naming the field for anything outside the table.
        """
        known_size(words, word_bits)
        capacities, widths = _axes()
        scaling = self.scaling if self.scaling and node_nm == self.scaling.node_nm else None
        native_nm = node_nm if scaling is None else scaling.native_node_nm
        chosen = (("node_nm", native_nm), ("cell_type", cell_type), ("ports", ports))
        for place, (name, choice) in enumerate(chosen):
            allowed = sorted({str(key[place]) for key in _grids()})
            if str(choice) not in allowed:
                raise Refusal.of(name, choice, allowed)
        if word_bits > widths[-1]:
            raise Refusal.of("word_bits", word_bits, f"1 to {widths[-1]}, the widest of the SRAM table")
        capacity_bytes = words * word_bits / 8
        if capacity_bytes > capacities[-1]:
            most = f"{capacities[-1] * 8 // word_bits} of {word_bits} bits"
            raise Refusal.of("words", words, f"at most {most}, the largest macro of the SRAM table")
        grid = _grids()[native_nm, cell_type, ports]
        other = scaling.towards if scaling else None
        others = _grids()[other[0], cell_type, ports] if other else grid
        smallest_bytes = max(self._smallest_bytes(each, word_bits) for each in (grid, others))
        built_bytes = max(capacity_bytes, smallest_bytes)
        costs = self._between(grid, built_bytes, word_bits)
        table = load_table(SRAM_TABLE)
        built_as, kind, source = "macro", table.kind, table.source
        if scaling is not None:
            costs = _scaled(costs, scaling.factors)
            if other:
                costs = _mean(
                    costs, _scaled(self._between(others, built_bytes, word_bits), other[1]), other[2]
                )
            kind, source = "assumed", f"{source} Here {scaling.rule}."
        if capacity_bytes < smallest_bytes and node_nm == self.cells_node_nm:
            flops = self._of_flops(words, word_bits)
            if flops is not None and worth(flops) < worth(costs):
                costs, built_as, built_bytes = flops, "flops", capacity_bytes
                kind = "assumed"
                source = f"flops, multiplexers and decoders of the library {self.cells.name}"
        return MemoryMacro(
            words=words,
            word_bits=word_bits,
            ports=ports,
            node_nm=node_nm,
            cell_type=cell_type,
            built_as=built_as,
            built_bits=math.ceil(built_bytes * 8),
            **vars(costs),
            kind=kind,
            source=source,
        )

    def _of_flops(self, words: int, word_bits: int) -> MemoryFigures | None:
        """The memory as flops; None where the library has no flop with enable or no multiplexer."""
        try:
            return flop_memory(
                words=words, word_bits=word_bits, cells=self.cells, wiring=self.wiring, gated=self.gated
            )
        except LibertyError:
            return None

    def side_by_side(
        self, *, words: int, word_bits: int, ports: Ports = "1rw", node_nm: int = 65, cell_type: str = "lstp"
    ) -> MemoryMacro:
        """The cost of a memory of any width: a word wider than the table is dealt to equal macros side
        by side.

        Energies, leakage and area are those of all of them together, times those of one. Raises
        as `macro` does.
        """
        macros = -(-word_bits // _axes()[1][-1]) if word_bits > 0 else 1
        one = self.macro(
            words=words, word_bits=-(-word_bits // macros), ports=ports, node_nm=node_nm, cell_type=cell_type
        )
        summed = ("read_energy_j", "write_energy_j", "clock_energy_j", "leakage_w", "area_mm2", "built_bits")
        return replace(
            one, word_bits=word_bits, macros=macros, **{name: getattr(one, name) * macros for name in summed}
        )

    def _columns(self, word_bits: int) -> tuple[int, int, float]:
        """The two width columns around a word, and how far (0 to 1, in log) the word lies from the first."""
        _, widths = _axes()
        wide = max(word_bits, _NARROWEST_BITS)
        low = max(place for place, width in enumerate(widths) if width <= wide)
        if widths[low] == wide:
            return low, low, 0.0
        return low, low + 1, math.log(wide / widths[low]) / math.log(widths[low + 1] / widths[low])

    def _smallest_bytes(self, grid: Logs, word_bits: int) -> int:
        low, high, _ = self._columns(word_bits)
        complete = ~np.isnan(grid[:, low, 0] + grid[:, high, 0])
        return _axes()[0][int(np.argmax(complete))]

    def _between(self, grid: Logs, capacity_bytes: float, word_bits: int) -> MemoryFigures:
        capacities, _ = _axes()
        low, high, across = self._columns(word_bits)
        row = max(place for place, capacity in enumerate(capacities) if capacity <= capacity_bytes)
        logs = grid[row, low] * (1 - across) + grid[row, high] * across
        if capacities[row] != capacity_bytes:
            above = grid[row + 1, low] * (1 - across) + grid[row + 1, high] * across
            up = math.log(capacity_bytes / capacities[row]) / math.log(capacities[row + 1] / capacities[row])
            logs = logs * (1 - up) + above * up
        read_j, write_j, leakage_w, area_mm2, access_s = np.exp(logs).tolist()
        return MemoryFigures(
            area_mm2=area_mm2,
            read_energy_j=read_j,
            write_energy_j=write_j,
            clock_energy_j=0.0,
            leakage_w=leakage_w,
            access_time_s=access_s,
            setup_s=self.cells.flop(enable=False).setup_s,
        )


def worth(costs: MemoryFigures) -> float:
    """Area times the energy of a cycle with a read in it: by the less of it a small memory is chosen.

    A read in every cycle is what an activation bank sees, and the use in which the choice matters most: with
    none, flops behind clock gates spend 0.02 pJ a cycle at 65 nm and a macro nothing. Words of 8 bits are
    flops up to 24 of them beside a macro of one port (by area alone it would be 19), up to 37 beside one of
    two; were macros what they are at the far end of their bracket, up to 94 would be.
    """
    return costs.area_mm2 * (costs.read_energy_j + costs.clock_energy_j)


def _scaled(costs: MemoryFigures, factors: Factors) -> MemoryFigures:
    """A macro's costs in another process; what its inputs need before the clock is the library's own."""
    return replace(
        costs,
        area_mm2=costs.area_mm2 * factors.area,
        read_energy_j=costs.read_energy_j * factors.energy,
        write_energy_j=costs.write_energy_j * factors.energy,
        leakage_w=costs.leakage_w * factors.leakage,
        access_time_s=costs.access_time_s * factors.delay,
    )


def _mean(first: MemoryFigures, other: MemoryFigures, share: float) -> MemoryFigures:
    """What lies between two macros of one size, by a share of the way from the first, in logarithms."""
    return MemoryFigures(
        **{
            name: value ** (1 - share) * getattr(other, name) ** share if value else value
            for name, value in vars(first).items()
        }
    )
