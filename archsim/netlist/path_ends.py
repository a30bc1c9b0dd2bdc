"""The longest path to each kind of end of a flat netlist: not only the longest of all, but what it competes
with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from archsim.netlist.netlist import CONSTANTS, Memory, Netlist
from archsim.netlist.timing import Arrivals, MemoryTiming, arrivals, clocked
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.memories.flop_memory import Wiring


@dataclass(frozen=True)
class LongestPath:
    """The longest path to one kind of end. Places are a component and, behind a dot, the names of a register,
    of a port of a memory, or `enable` at a clock gate; `through` are the components on the way. `delay_s`
    includes the setup at its end."""

    start: str
    through: tuple[str, ...]
    end: str
    delay_s: float


def longest_paths(
    netlist: Netlist, *, library: CellLibrary, wiring: Wiring, memory: Callable[[Memory], MemoryTiming]
) -> tuple[LongestPath, ...]:
    """The longest path to each kind of register and of memory port, components of one kind together. Raises a
    refusal as `timing.analyse` does."""
    timed = arrivals(netlist, library=library, wiring=wiring, memory=memory)
    longest: dict[str, tuple[float, int]] = {}
    for end, net, setup_s in _ends(timed):
        delay_s = float(timed.arrival_s[net]) + setup_s
        if np.isfinite(delay_s) and delay_s > longest.get(end, (0.0, -1))[0]:
            longest[end] = delay_s, net
    return tuple(_traced(timed, end, delay_s, net) for end, (delay_s, net) in longest.items())


def _traced(timed: Arrivals, end: str, delay_s: float, net: int) -> LongestPath:
    netlist = timed.netlist
    through: list[str] = []
    while (arc := timed.into(net)) is not None:
        component = component_of(netlist.cell_names[int(timed.arcs.cell[arc])])
        if not through or through[-1] != component:
            through.append(component)
        net = int(timed.arcs.source[arc])
    start = place_of(timed.start_of(net).partition(" ")[2])
    return LongestPath(start, tuple(reversed(through)), end, delay_s)


def _ends(timed: Arrivals) -> Iterator[tuple[str, int, float]]:
    """Where paths end: the kind of end, the net and its setup."""
    netlist, names = timed.netlist, _register_names(timed.netlist)
    for cell in clocked(netlist, timed.library):
        instances = netlist.cells_of(cell.name).tolist()
        outputs = netlist.pin(cell.name, cell.arcs[0].output).tolist() if cell.is_flop else instances
        for pin in cell.input_capacitance_f:
            if pin != cell.clock_pin:
                for instance, output, net in zip(
                    instances, outputs, netlist.pin(cell.name, pin).tolist(), strict=True
                ):
                    if net >= CONSTANTS:
                        register = names.get(output, "") if cell.is_flop else "enable"
                        yield f"{component_of(netlist.cell_names[instance])}.{register}", net, cell.setup_s
    for each, time in zip(netlist.memories, timed.times, strict=True):
        component = component_of(each.name)
        for ports in (each.reads, each.writes):
            for port in ports:
                for pins, nets in (("enable", port.enable), ("address", port.address), ("data", port.data)):
                    if pins != "data" or ports is each.writes:
                        for net in nets[nets >= CONSTANTS].tolist():
                            yield f"{component}.{pins}", net, time.setup_s


def _register_names(netlist: Netlist) -> dict[int, str]:
    """All names of each net, without the instance and the number of the bit."""
    names: dict[int, set[str]] = {}
    for name, nets in netlist.named.items():
        plain = place_of(name).partition(".")[2] or name
        for net in nets.tolist():
            names.setdefault(net, set()).add(plain)
    return {net: "/".join(sorted(plain)) for net, plain in names.items()}


def place_of(name: str) -> str:
    """A component and what is in it, from the name of a net: `pe.total` from `pe_3.total[4]` and from
    `pe_3_total[4]`."""
    name = re.sub(r"\[\d+\]$", "", name)
    inside = re.fullmatch(r"([a-z][a-z0-9_]*?)(?:_\d+)?\.(.*)", name)
    numbered = re.fullmatch(r"([a-z]+(?:_[01])?(?:_memory)?)_\d+_(.*)", name)
    plain = re.fullmatch(r"(controller|route|address)_(.*)", name)
    for match in (inside, numbered, plain):
        if match is not None:
            return f"{match[1]}.{match[2]}"
    return name


def component_of(name: str) -> str:
    """The component of an instance, without its number: `pe` from `pe_3.total_reg`."""
    return re.sub(r"_\d+$", "", name.partition(".")[0])


def is_part(end: str, registers: Sequence[str]) -> bool:
    """Whether one of the names of a place is one of these registers, or one of them in a later stage."""
    names = end.partition(".")[2].split("/")
    return any(
        re.fullmatch(rf"(?:.*_)?{register}(?:_\d+)*", name) for name in names for register in registers
    )
