"""Memory macros of the user's own, and memories of them: side by side for width, stacked for depth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from archsim.technology.liberty.cell_library import Cell, CellLibrary
from archsim.technology.liberty.text import LibertyError
from archsim.technology.memories.flop_memory import (
    MemoryFigures,
    Wiring,
    clock_energy_j,
    flop_memory,
)
from archsim.technology.memories.sram import MemoryMacro, Ports, known_size, worth
from workloads.refusal import Refusal

FIGURES = ("area_mm2", "read_energy_j", "write_energy_j", "leakage_w", "access_time_s")
"""What CACTI stands in for where a macro does not state it."""

OPTIONAL = ("idle_energy_j", "setup_s")
"""What a macro may state besides: the energy of a cycle without an access, none if it does not say, and the
setup time of its inputs, that of a flop if it does not."""


@dataclass(frozen=True, kw_only=True)
class OwnMacro:
    """A macro of `words` x `word_bits` and the `figures` that its file states of it, in SI units and mm2.

    `buses` are the names of its "clock", "address", "data_in" and "data_out", as far as the file says.
    """

    name: str
    words: int
    word_bits: int
    ports: Ports = "1rw"
    figures: Mapping[str, float] = field(hash=False)
    kind: str
    source: str
    buses: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def lacks(self) -> tuple[str, ...]:
        """The figures that it does not state."""
        return tuple(name for name in FIGURES if name not in self.figures)


StandIn = Callable[[int, int, Ports], MemoryMacro]
"""What prices a macro of this size for the figures that a file does not state."""


@dataclass(frozen=True, kw_only=True)
class OwnMemories:
    """Memories built of one kind of the user's macros each, or of flops where they are less.

    Of all macros the one is taken whose memory has the least product of area and energy of a cycle with a
    read in it, as among CACTI's. Between stacked macros stand multiplexers of the library's cells, and a
    decoder in front of them. A macro of two ports may stand for one of one port, not the other way: where no
    macro has two, a memory that needs them is built of flops.
    """

    macros: tuple[OwnMacro, ...]
    cells: CellLibrary
    wiring: Wiring
    gated: bool
    node_nm: int | None
    stand_in: StandIn | None = None

    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> MemoryMacro:
        """The memory of `words` x `word_bits`. Raises a refusal for ports that no macro has where the library
        has no flops to build it of."""
        known_size(words, word_bits, ports)
        fitting = [macro for macro in self.macros if macro.ports in (ports, "1r1w")]
        made = [self._composed(macro, words, word_bits, ports) for macro in fitting]
        flops = self._of_flops(words, word_bits, ports)
        if not made and flops is None:
            raise Refusal.of("ports", ports, sorted({macro.ports for macro in self.macros}))
        return min(made if flops is None else [*made, flops], key=worth)

    def _of_flops(self, words: int, word_bits: int, ports: Ports) -> MemoryMacro | None:
        try:
            costs = flop_memory(
                words=words, word_bits=word_bits, cells=self.cells, wiring=self.wiring, gated=self.gated
            )
        except LibertyError:
            return None
        return MemoryMacro(
            words=words,
            word_bits=word_bits,
            ports=ports,
            node_nm=self.node_nm,
            cell_type="own",
            built_as="flops",
            built_bits=words * word_bits,
            **vars(costs),
            kind="assumed",
            source=f"flops, multiplexers and decoders of the library {self.cells.name}",
        )

    def _composed(self, macro: OwnMacro, words: int, word_bits: int, ports: Ports) -> MemoryMacro:
        beside, deep = -(-word_bits // macro.word_bits), -(-words // macro.words)
        number = beside * deep
        one, origins = self._one(macro)
        around = _around(deep, word_bits, self.cells, self.wiring)
        idle_j = macro.figures.get("idle_energy_j", 0.0)
        figures = MemoryFigures(
            area_mm2=number * one.area_mm2 + around.area_mm2,
            read_energy_j=beside * (one.read_energy_j - idle_j) + around.read_energy_j,
            write_energy_j=beside * (one.write_energy_j - idle_j) + around.write_energy_j,
            clock_energy_j=number * idle_j + around.clock_energy_j,
            leakage_w=number * one.leakage_w + around.leakage_w,
            access_time_s=one.access_time_s + around.access_time_s,
            setup_s=one.setup_s + around.setup_s,
        )
        placed = _placed(macro, words, word_bits, beside, deep, self.cells.name)
        kind = macro.kind if deep == 1 else "assumed"
        return MemoryMacro(
            words=words,
            word_bits=word_bits,
            ports=ports,
            node_nm=self.node_nm,
            cell_type="own",
            built_as="macro",
            built_bits=number * macro.words * macro.word_bits,
            macros=number,
            **vars(figures),
            kind=kind,
            source=f"{macro.source}, {placed}",
            stood_in={
                name: f"{source} ({placed}, whose own file states none)" for name, source in origins.items()
            },
            macro=macro.name,
        )

    def _one(self, macro: OwnMacro) -> tuple[MemoryFigures, Mapping[str, str]]:
        """The figures of one macro, and the source of those that are not its own."""
        stated, origins = dict(macro.figures), {}
        if macro.lacks:
            assert self.stand_in is not None
            other = self.stand_in(macro.words, macro.word_bits, macro.ports)
            stated |= {name: getattr(other, name) for name in macro.lacks}
            origins = dict.fromkeys(macro.lacks, other.source)
        return MemoryFigures(
            **{name: stated[name] for name in FIGURES},
            clock_energy_j=0.0,
            setup_s=stated.get("setup_s", self.cells.flop(enable=False).setup_s),
        ), origins


def _placed(macro: OwnMacro, words: int, word_bits: int, beside: int, deep: int, library: str) -> str:
    """How the macros of a memory lie, and what of them is not used."""
    wasted = 1 - words * word_bits / (beside * deep * macro.words * macro.word_bits)
    ways = [f"{beside} side by side"] * (beside > 1) + [f"{deep} stacked behind cells of {library}"] * (
        deep > 1
    )
    how = " and ".join(ways) or "one"
    return f"{how}{f', {wasted:.0%} of the bits unused' * (wasted > 0)}"


def _around(deep: int, word_bits: int, cells: CellLibrary, wiring: Wiring) -> MemoryFigures:
    """What chooses one of several stacked macros: multiplexers at the outputs, a decoder of the enables, and
    registers that remember which one was read. An access moves one way through the multiplexers."""
    levels = (deep - 1).bit_length()
    multiplexer, parts = _gate(cells, "(A&!S)|(B&S)", ("A", "B", "S"), 4)
    decoder, decoder_parts = _gate(cells, "A&B", ("A", "B"), 2)
    flop = cells.flop(enable=False)
    counts = (
        (multiplexer, parts * (deep - 1) * word_bits),
        (decoder, decoder_parts * deep * levels),
        (flop, levels),
    )

    def toggle_j(cell: Cell) -> float:
        load_f = max(cell.input_capacitance_f.values()) + wiring.capacitance_f_per_sink
        return next(iter(cell.switch_energy_j.values())) + 0.5 * load_f * cells.supply_v**2

    def through_s(cell: Cell) -> float:
        load_f = max(cell.input_capacitance_f.values()) + wiring.capacitance_f_per_sink
        return max(arc.intrinsic_s + arc.slope_s_per_f * load_f for arc in cell.arcs)

    activity = wiring.flop_memory_activity
    decode_j = activity * levels * decoder_parts * toggle_j(decoder)
    clock_j = clock_energy_j(flop, cells.supply_v, wiring.clock_network_factor)
    return MemoryFigures(
        area_mm2=1e-6 * math.fsum(cell.area_um2 * number for cell, number in counts),
        read_energy_j=decode_j + activity * levels * word_bits * parts * toggle_j(multiplexer),
        write_energy_j=decode_j,
        clock_energy_j=levels * clock_j,
        leakage_w=math.fsum(cell.leakage_w * number for cell, number in counts),
        access_time_s=levels * parts * through_s(multiplexer) / (2 if parts > 1 else 1),
        setup_s=levels * decoder_parts * through_s(decoder),
    )


def _gate(cells: CellLibrary, function: str, inputs: tuple[str, ...], nands: int) -> tuple[Cell, int]:
    """A gate, and one of it; where the library has none, its two-input NAND and how many of them do it. A
    multiplexer of four has two of them in a row."""
    try:
        return cells.gate(function, inputs), 1
    except LibertyError:
        return cells.nand2, nands
