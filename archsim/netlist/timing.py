"""Static timing of a flat mapped netlist: the longest path from clock edge to clock edge.

A cell delays by intrinsic + slope x load, a load is the pins a net drives plus a wire for each. A net with
more sinks than a placed design would allow gets a tree of buffers, in delay only. Every clock edge is ideal:
a gated clock comes when the clock does, since a clock tree would be balanced behind its gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archsim.netlist.netlist import CONSTANTS, Memory, Netlist, Nets
from archsim.technology.liberty.cell_library import Arc, Cell, CellLibrary
from archsim.technology.memories.flop_memory import Wiring
from workloads.refusal import Refusal

Floats = NDArray[np.float64]


class MemoryTiming(Protocol):
    """The two times of a memory macro: clock to read data, and what its inputs need before the clock."""

    @property
    def access_time_s(self) -> float: ...
    @property
    def setup_s(self) -> float: ...


@dataclass(frozen=True)
class Timing:
    """`critical_path_s` is the shortest clock period; `path` names its stages, each with its time."""

    critical_path_s: float
    path: tuple[str, ...]


@dataclass(frozen=True)
class Delays:
    """What the delays of a netlist follow from, by net: the load that its driver sees in farad, what the tree
    of buffers behind it adds in seconds, and how long after the clock edge it changes where it starts a path
    (-inf elsewhere)."""

    load_f: Floats
    tree_s: Floats
    start_s: Floats

    def arc_s(self, arc: Arc, nets: Nets) -> Floats:
        """How long after an input the given nets follow, each through the same arc of a cell of its own."""
        delay_s: Floats = arc.intrinsic_s + arc.slope_s_per_f * self.load_f[nets] + self.tree_s[nets]
        return delay_s


@dataclass(frozen=True)
class _Arcs:
    """Ways through gates: nets from and to, the delay, and the cell of each."""

    source: Nets
    target: Nets
    delay: Floats
    cell: Nets


def net_loads(netlist: Netlist, library: CellLibrary, wiring: Wiring) -> tuple[Floats, Nets]:
    """Capacitance in farad on each net (pins and wires, no clock pins), and how many pins it drives.

    Raises a refusal for a cell the library does not have.
    """
    load, sinks = np.zeros(netlist.nets), np.zeros(netlist.nets, np.int64)
    for type_name in netlist.count():
        if type_name not in library.cells:
            raise Refusal(
                f"netlist {netlist.name}: cell type is {type_name!r}, allowed are cells of {library.name}"
            )
        cell = library.cells[type_name]
        for pin, capacitance_f in cell.input_capacitance_f.items():
            if pin != cell.clock_pin:
                nets = netlist.pin(type_name, pin)
                nets = nets[nets >= 0]
                np.add.at(load, nets, capacitance_f + wiring.sink_f(nets))
                np.add.at(sinks, nets, 1)
    for memory in netlist.memories:
        np.add.at(load, memory.inputs, wiring.memory_pin_capacitance_f + wiring.sink_f(memory.inputs))
        np.add.at(sinks, memory.inputs, 1)
    load[:CONSTANTS], sinks[:CONSTANTS] = 0.0, 0
    return load, sinks


def design_loads(netlist: Netlist, library: CellLibrary, wiring: Wiring) -> tuple[Floats, Nets]:
    """As `net_loads` in a whole design, each of whose outputs is one more sink, with a wire and nothing at
    its end."""
    load, sinks = net_loads(netlist, library, wiring)
    for port in netlist.ports.values():
        if port.direction == "output":
            np.add.at(load, port.nets, wiring.sink_f(port.nets))
            np.add.at(sinks, port.nets, 1)
    load[:CONSTANTS], sinks[:CONSTANTS] = 0.0, 0
    return load, sinks


def net_delays(
    netlist: Netlist, *, library: CellLibrary, wiring: Wiring, memory: Callable[[Memory], MemoryTiming]
) -> Delays:
    """Loads, buffer trees and starts of a flat netlist. Raises a refusal for a cell the library does not
    have."""
    load, tree_delay = _buffered(netlist, library, wiring)
    times = [memory(each) for each in netlist.memories]
    return Delays(load, tree_delay, _starts(netlist, library, times, load, tree_delay)[0])


@dataclass(frozen=True)
class Arrivals:
    """When each net of a flat netlist last changes after a clock edge, -inf where it never does."""

    netlist: Netlist
    library: CellLibrary
    times: Sequence[MemoryTiming]
    arcs: _Arcs
    arrival_s: Floats
    origin: Mapping[int, str]
    load_f: Floats

    def ends(self) -> list[tuple[Nets, float, str]]:
        """Nets at which paths end, the setup they need there, and what it is."""
        return _ends(self.netlist, self.library, self.times)

    def start_of(self, net: int) -> str:
        """What drives a net that starts a path."""
        return self.origin.get(net, "nothing")

    def into(self, net: int) -> int | None:
        """The place among the arcs of the one that a net waits for; None for a net that starts a path."""
        low, high = np.searchsorted(self._by_target[1], [net, net + 1])
        arcs = self._by_target[0][low:high]
        if not arcs.size:
            return None
        return int(arcs[np.argmax(self.arrival_s[self.arcs.source[arcs]] + self.arcs.delay[arcs])])

    @cached_property
    def _by_target(self) -> tuple[Nets, Nets]:
        """The arcs in the order of their targets, and these targets."""
        order = np.argsort(self.arcs.target, kind="stable")
        return order, self.arcs.target[order]

    def timing(self) -> Timing:
        """The longest path of all, to flops, memories and outputs."""
        arrival, worst_s, worst_net, worst_end = self.arrival_s, 0.0, -1, ""
        for nets, setup_s, label in self.ends():
            reached = nets[nets >= CONSTANTS]
            if reached.size and arrival[reached].max() + setup_s > worst_s:
                worst_net = int(reached[np.argmax(arrival[reached])])
                worst_s, worst_end = float(arrival[worst_net]) + setup_s, label
        if worst_net < 0:
            return Timing(0.0, ())
        return Timing(worst_s, (*self.path_to(worst_net), f"{worst_end}: {worst_s * 1e9:.3f} ns"))

    def way_to(self, net: int) -> list[tuple[int, int]]:
        """The longest path to a net, from its start: each net of it with the cell whose gate it goes through
        to that, -1 at the start."""
        way: list[tuple[int, int]] = []
        while (arc := self.into(net)) is not None:
            way.append((net, int(self.arcs.cell[arc])))
            net = int(self.arcs.source[arc])
        return [(net, -1), *reversed(way)]

    def path_to(self, net: int) -> list[str]:
        """The stages of the longest path to a net, from its start."""
        stages: list[str] = []
        for passed, cell in self.way_to(net):
            time = f"{self.arrival_s[passed] * 1e9:.3f} ns"
            if cell < 0:
                stages.append(f"{self.start_of(passed)}: {time}")
            else:
                kind = self.netlist.type_names[self.netlist.cell_type[cell]]
                stages.append(f"{kind} {_place(self.netlist, passed, cell)}: {time}")
        return stages


def arrivals(
    netlist: Netlist, *, library: CellLibrary, wiring: Wiring, memory: Callable[[Memory], MemoryTiming]
) -> Arrivals:
    """The arrivals of a flat netlist, from flops, memories and inputs on. Inputs arrive at time zero.

    Raises a refusal for a combinational loop, naming one of its cells, and for a cell the library does not
    have.
    """
    load, tree_delay = _buffered(netlist, library, wiring)
    times = [memory(each) for each in netlist.memories]
    arrival, origin = _starts(netlist, library, times, load, tree_delay)
    arcs = _arcs(netlist, library, load, tree_delay)
    _propagate(netlist, arcs, arrival)
    return Arrivals(netlist, library, times, arcs, arrival, origin, load)


def analyse(
    netlist: Netlist, *, library: CellLibrary, wiring: Wiring, memory: Callable[[Memory], MemoryTiming]
) -> Timing:
    """The critical path of a flat netlist, from flops, memories and inputs to flops, memories and outputs.

    Outputs need no setup. Raises a refusal as `arrivals` does.
    """
    return arrivals(netlist, library=library, wiring=wiring, memory=memory).timing()


def _flops(netlist: Netlist, library: CellLibrary) -> list[Cell]:
    return [library.cells[name] for name in netlist.count() if library.cells[name].is_flop]


def clocked(netlist: Netlist, library: CellLibrary) -> list[Cell]:
    """The cells at whose inputs paths end: flops and clock gates. Raises a refusal for a latch, through which
    time could be borrowed."""
    cells = [library.cells[name] for name in netlist.count()]
    latches = [cell.name for cell in cells if cell.kind == "latch"]
    if latches:
        raise Refusal(
            f"netlist {netlist.name}: cell type is {latches[0]!r}, a latch, allowed are flops and clock gates"
        )
    return [cell for cell in cells if not cell.is_gate]


def _starts(
    netlist: Netlist, library: CellLibrary, times: Sequence[MemoryTiming], load: Floats, tree_delay: Floats
) -> tuple[Floats, dict[int, str]]:
    """When each net that starts a path changes after the clock edge (-inf elsewhere), and what drives it."""
    arrival = np.full(netlist.nets, -np.inf)
    origin: dict[int, str] = {}
    for name, port in netlist.ports.items():
        if port.direction == "input":
            arrival[port.nets] = 0.0
            origin |= dict.fromkeys(port.nets.tolist(), f"input {name}")
    for flop in _flops(netlist, library):
        for arc in (arc for arc in flop.arcs if arc.input == flop.clock_pin):
            nets, cells = netlist.pin(flop.name, arc.output), netlist.cells_of(flop.name)
            nets, cells = nets[nets >= CONSTANTS], cells[nets >= CONSTANTS]
            arrival[nets] = arc.intrinsic_s + arc.slope_s_per_f * load[nets] + tree_delay[nets]
            for net, cell in zip(nets.tolist(), cells.tolist(), strict=True):
                origin[net] = f"flop {_place(netlist, net, cell)}"
    # The table's access time ends at the macro's own pin; a buffer's drive is assumed for the load behind it.
    drive = library.buffer.arcs[0].slope_s_per_f
    for each, time in zip(netlist.memories, times, strict=True):
        arrival[each.outputs] = time.access_time_s + drive * load[each.outputs] + tree_delay[each.outputs]
        origin |= dict.fromkeys(each.outputs.tolist(), f"memory {each.name}")
    arrival[:CONSTANTS] = -np.inf
    return arrival, origin


def _ends(
    netlist: Netlist, library: CellLibrary, times: Sequence[MemoryTiming]
) -> list[tuple[Nets, float, str]]:
    """Nets at which paths end, the setup they need there, and what it is."""
    outputs = [(name, port.nets) for name, port in netlist.ports.items() if port.direction == "output"]
    ends = [(nets, 0.0, f"output {name}") for name, nets in outputs]
    ends += [
        (netlist.pin(cell.name, pin), cell.setup_s, f"setup of {cell.name}")
        for cell in clocked(netlist, library)
        for pin in cell.input_capacitance_f
        if pin != cell.clock_pin
    ]
    memories = zip(netlist.memories, times, strict=True)
    return ends + [(each.inputs, time.setup_s, f"setup of memory {each.name}") for each, time in memories]


def _buffered(netlist: Netlist, library: CellLibrary, wiring: Wiring) -> tuple[Floats, Floats]:
    """The load a driver sees and the delay of the buffer tree behind it, for each net."""
    return wiring.buffered(*design_loads(netlist, library, wiring), library.buffer)


def _arcs(netlist: Netlist, library: CellLibrary, load: Floats, tree_delay: Floats) -> _Arcs:
    parts: list[tuple[Nets, Nets, Floats, Nets]] = []
    for type_name in netlist.count():
        cell = library.cells[type_name]
        for arc in cell.arcs if cell.is_gate else ():
            source, target = netlist.pin(type_name, arc.input), netlist.pin(type_name, arc.output)
            used = (source >= CONSTANTS) & (target >= CONSTANTS)
            source, target = source[used], target[used]
            delay = arc.intrinsic_s + arc.slope_s_per_f * load[target] + tree_delay[target]
            parts.append((source, target, delay, netlist.cells_of(type_name)[used]))
    if not parts:
        none = np.zeros(0, np.int64)
        return _Arcs(none, none, np.zeros(0), none)
    source, target, delay, cell_index = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(source, kind="stable")
    return _Arcs(source[order], target[order], delay[order], cell_index[order])


def _propagate(netlist: Netlist, arcs: _Arcs, arrival: Floats) -> None:
    """Fill in the arrival of every net, wave by wave in topological order."""
    first = np.searchsorted(arcs.source, np.arange(netlist.nets + 1))
    waiting = np.bincount(arcs.target, minlength=netlist.nets)
    ready = np.flatnonzero(waiting == 0)
    while ready.size:
        counts = first[ready + 1] - first[ready]
        leaving = np.repeat(first[ready] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        target = arcs.target[leaving]
        np.maximum.at(arrival, target, arrival[arcs.source[leaving]] + arcs.delay[leaving])
        np.subtract.at(waiting, target, 1)
        touched = np.unique(target)
        ready = touched[waiting[touched] == 0]
    stuck = np.flatnonzero(waiting[arcs.target] > 0)
    if stuck.size:
        cell = netlist.cell_names[int(arcs.cell[stuck[0]])]
        raise Refusal(
            f"netlist {netlist.name} has a loop of gates at {cell}, allowed are loops through a register"
        )


def _place(netlist: Netlist, net: int, cell: int) -> str:
    """Where a cell stands: the name of the net it drives, else of the instance it is in."""
    return netlist.net_names.get(net) or netlist.cell_names[cell].rpartition(".")[0] or netlist.name
