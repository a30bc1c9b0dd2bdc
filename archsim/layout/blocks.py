"""The memories of a netlist as blocks to place: their outlines, and where on them each net has its pin."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from archsim.layout.placer.problem import LayoutError
from archsim.netlist.netlist import Memory, Netlist
from archsim.technology.asic.abstracts import Abstracts
from archsim.technology.asic.standard_cells import StandardCells
from archsim.technology.lef import Outline
from archsim.technology.memories.macro import OwnMacro
from archsim.technology.memories.sram import MemoryMacro
from archsim.technology.quantity import load_quantities

LAYOUT_CONSTANTS = "layout.yaml"
_TRACKS_UM = 0.2
"""The track of the library for which the halo is stated."""


@dataclass(frozen=True)
class BlockPin:
    """A pin of a block: its name, its net, whether it drives that, and its place from the lower left corner
    of the block as drawn."""

    name: str
    net: int
    drives: bool
    x_um: float
    y_um: float


@dataclass(frozen=True, kw_only=True)
class Block:
    """A memory macro, or the area that a memory of flops takes: its `abstract` is the name of its kind."""

    name: str
    abstract: str
    width_um: float
    height_um: float
    turns: bool
    pins: tuple[BlockPin, ...] = field(repr=False)


def blocks_of(
    netlist: Netlist, technology: StandardCells, abstracts: Abstracts, utilisation: float
) -> tuple[Block, ...]:
    """The blocks of all memories, in their order; a memory of several macros is so many blocks.

    A macro with an outline of its own has its pins where that has them. Of any other only the area is known:
    it has the aspect of `macro_aspect`, and its pins lie evenly along a long edge, the lower one. A memory of
    flops is a square that its cells fill to `utilisation`. Raises LayoutError for a macro of the user's own
    without an outline.
    """
    blocks: list[Block] = []
    for memory in netlist.memories:
        cost = technology.memory(words=memory.words, word_bits=memory.word_bits, ports=memory.ports)
        own = _own_macro(technology, cost.macro)
        if own is None:
            blocks += _drawn(memory, cost, abstracts, utilisation)
        elif own.name in abstracts.macros:
            blocks += _outlined(memory, own, abstracts.macros[own.name])
        else:
            raise LayoutError.of(
                "lef", own.name, "files with the outlines of all macros that memories are built of"
            )
    return tuple(blocks)


def halo_um(abstracts: Abstracts) -> float:
    """How far cells keep from blocks, and blocks from each other by twice that."""
    constant = float(load_quantities(LAYOUT_CONSTANTS)["macro_halo_um"])
    return constant * abstracts.site_width_um / _TRACKS_UM


def _own_macro(technology: StandardCells, name: str) -> OwnMacro | None:
    """The user's own macro of a name, where the technology has any."""
    macros: tuple[OwnMacro, ...] = getattr(technology, "macros", ())
    return next((macro for macro in macros if name and macro.name == name), None)


def _bits(name: str, nets: list[int], first: int = 0) -> Iterator[tuple[str, int]]:
    for place, net in enumerate(nets):
        yield f"{name}[{first + place}]", net


def _pins(memory: Memory, low: int, high: int) -> Iterator[tuple[str, str, int]]:
    """What each pin carries, its name and its net, for the part of a memory that holds the bits from `low` to
    `high`: clock, enables, addresses, data."""
    yield "clock", "clk", memory.clock
    for number, read in enumerate(memory.reads):
        yield from (("enable", *bit) for bit in _bits(f"r{number}_enable", read.enable.tolist()))
        yield from (("address", *bit) for bit in _bits(f"r{number}_address", read.address.tolist()))
        data = read.data[low:high].tolist()
        yield from (("data_out", *bit) for bit in _bits(f"r{number}_data", data))
    for number, write in enumerate(memory.writes):
        enables = list(dict.fromkeys(write.enable.tolist()))
        yield from (("enable", *bit) for bit in _bits(f"w{number}_enable", enables))
        yield from (("address", *bit) for bit in _bits(f"w{number}_address", write.address.tolist()))
        data = write.data[low:high].tolist()
        yield from (("data_in", *bit) for bit in _bits(f"w{number}_data", data))


def _drawn(memory: Memory, cost: MemoryMacro, abstracts: Abstracts, utilisation: float) -> Iterator[Block]:
    """Blocks of which only the area is known."""
    is_flops, bits = cost.built_as == "flops", -(-memory.word_bits // cost.macros)
    area_um2 = cost.area_mm2 * 1e6 / cost.macros / (utilisation if is_flops else 1.0)
    aspect = 1.0 if is_flops else float(load_quantities(LAYOUT_CONSTANTS)["macro_aspect"])
    width, height = math.sqrt(area_um2 * aspect), math.sqrt(area_um2 / aspect)
    for number in range(cost.macros):
        pins = list(_pins(memory, number * bits, (number + 1) * bits))
        places = [(place + 0.5) / len(pins) * max(width, height) for place in range(len(pins))]
        yield Block(
            name=_numbered(memory.name, number, cost.macros),
            abstract=f"memory_{memory.words}x{bits}",
            width_um=max(width, height),
            height_um=min(width, height),
            turns=True,
            pins=tuple(
                BlockPin(name, net, what == "data_out", x, 0.0)
                for (what, name, net), x in zip(pins, places, strict=True)
            ),
        )


def _numbered(name: str, number: int, of_many: int) -> str:
    return name if of_many == 1 else f"{name}_{number}"


def _outlined(memory: Memory, macro: OwnMacro, outline: Outline) -> Iterator[Block]:
    """Macros with their own outline and pins, side by side for width, stacked for depth. What chooses between
    stacked ones is no part of the netlist, so that all of them hang on the same nets."""
    beside, deep = -(-memory.word_bits // macro.word_bits), -(-memory.words // macro.words)
    for number in range(beside * deep):
        low = number % beside * macro.word_bits
        places = _places(macro.buses, outline)
        pins = []
        for what, name, net in _pins(memory, low, low + macro.word_bits):
            index = int(name.partition("[")[2].rstrip("]") or 0)
            bus = macro.buses.get(what, "")
            own = next((pin for pin in (f"{bus}[{index}]", bus) if pin in outline.pins), None)
            x, y = outline.pins[own] if own else next(places)
            pins.append(BlockPin(own or name, net, what == "data_out", x, y))
        yield Block(
            name=_numbered(memory.name, number, beside * deep),
            abstract=macro.name,
            width_um=outline.width_um,
            height_um=outline.height_um,
            turns=outline.turns,
            pins=tuple(pins),
        )


def _places(buses: Mapping[str, str], outline: Outline) -> Iterator[tuple[float, float]]:
    """Where pins are that nobody names: at the clock, else in turn at the pins there are or in the middle."""
    clock = outline.pins.get(buses.get("clock", ""))
    while True:
        yield from (
            [clock] if clock else outline.pins.values() or [(outline.width_um / 2, outline.height_um / 2)]
        )
