"""The wires of a placed design, net by net, and the repeaters that long or wide nets are cut by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from archsim.layout.clock_tree import ClockTree
from archsim.layout.placer.problem import Floats, Ints
from archsim.netlist.netlist import CONSTANTS, Netlist
from archsim.netlist.timing import design_loads
from archsim.technology.liberty.cell_library import Cell, CellLibrary
from archsim.technology.memories.flop_memory import Wiring


@dataclass(frozen=True, kw_only=True, eq=False)
class PlacedWiring(Wiring):
    """The wires of a placed design: of each net (nets,) what each of its sinks adds in farad, the switched
    capacitance of its clock tree, buffers and their internal energy included, over that of the clock pins (1
    where there is no tree), and how many repeaters `repeater` share its load."""

    net_sink_f: Floats = field(repr=False)
    net_clock_factor: Floats = field(repr=False)
    net_repeaters: Ints = field(repr=False)
    net_repeater_f: Floats = field(repr=False)
    repeater: Cell = field(repr=False)

    def sink_f(self, nets: NDArray[np.int64]) -> Floats:
        taken: Floats = self.net_sink_f[nets]
        return taken

    def switched_f(self, nets: NDArray[np.int64]) -> Floats:
        taken: Floats = self.net_sink_f[nets] + self.net_repeater_f[nets]
        return taken

    def clock_factor(self, nets: NDArray[np.int64]) -> Floats:
        taken: Floats = self.net_clock_factor[nets]
        return taken

    def buffered(self, load_f: Floats, sinks: NDArray[np.int64], buffer: Cell) -> tuple[Floats, Floats]:
        number, cut = np.maximum(self.net_repeaters, 1), self.net_repeaters > 0
        (arc,) = self.repeater.arcs
        behind_s = arc.intrinsic_s + arc.slope_s_per_f * load_f / number
        return np.where(cut, number * pin_f(self.repeater), load_f), np.where(cut, behind_s, 0.0)

    def with_repeaters(self, numbers: Mapping[int, int], sinks: Ints, supply_v: float) -> PlacedWiring:
        """The same with so many repeaters on some nets. `sinks` (nets,) share what the repeaters take."""
        every = self.net_repeaters.copy()
        every[list(numbers)] = list(numbers.values())
        (internal_j,) = self.repeater.switch_energy_j.values()
        each_f = pin_f(self.repeater) + 2 * internal_j / supply_v**2
        return replace(self, net_repeaters=every, net_repeater_f=every * each_f / np.maximum(sinks, 1))


def pin_f(buffer: Cell) -> float:
    """What the input of a buffer loads its driver with, in farad."""
    return next(iter(buffer.input_capacitance_f.values()))


def best_number(repeater: Cell, load_f: float, driver_s_per_f: float) -> tuple[int, float]:
    """How many repeaters, side by side behind one driver, a load of so many farad is shared by for it to
    change soonest, and the time from the driver's own delay without a load, in seconds."""
    (arc,) = repeater.arcs
    pin = pin_f(repeater)
    ideal = (arc.slope_s_per_f * load_f / (driver_s_per_f * pin)) ** 0.5

    def taken_s(number: int) -> float:
        behind_s = arc.intrinsic_s + arc.slope_s_per_f * load_f / number
        return driver_s_per_f * number * pin + behind_s

    number = min((max(1, int(ideal)), int(ideal) + 1), key=taken_s)
    return number, taken_s(number)


def strongest_buffer(library: CellLibrary) -> Cell:
    """The buffer of a library that is slowed least by its load: its smallest one with larger drives."""
    (function,) = library.buffer.functions.values()
    alike = [
        cell
        for cell in library.cells.values()
        if cell.is_gate and tuple(cell.functions.values()) == (function,) and len(cell.arcs) == 1
    ]
    return min(alike, key=lambda cell: cell.arcs[0].slope_s_per_f)


def driver_slopes(netlist: Netlist, library: CellLibrary) -> Floats:
    """How much later each net (nets,) is for a farad more, by its driver, in seconds a farad; memories and
    inputs are taken to be driven by the library's buffer."""
    slopes = np.full(netlist.nets, library.buffer.arcs[0].slope_s_per_f)
    for name in netlist.count():
        cell = library.cells[name]
        for output in cell.functions:
            own = [arc.slope_s_per_f for arc in cell.arcs if arc.output == output]
            nets = netlist.pin(name, output)
            if own:
                slopes[nets[nets >= 0]] = max(own)
    return slopes


def wiring_of(
    netlist: Netlist,
    library: CellLibrary,
    assumed: Wiring,
    wire_m: Floats,
    trees: tuple[ClockTree, ...],
    cut: NDArray[np.bool_] | None = None,
) -> PlacedWiring:
    """The wires as they lie: the length of each net (nets,) is shared by its sinks. Nets of more sinks than
    `max_fanout` get repeaters, as do those that are `cut`."""
    _, sinks = design_loads(netlist, library, assumed)
    per_sink_f = np.divide(
        1e6 * wire_m * assumed.f_per_um, sinks, out=np.zeros(netlist.nets), where=sinks > 0
    )
    per_sink_f[:CONSTANTS] = 0.0
    factor = np.ones(netlist.nets)
    for tree in trees:
        if tree.pin_f:
            factor[tree.net] = (tree.capacitance_f + tree.internal_j / library.supply_v**2) / tree.pin_f
    given = {one.name: getattr(assumed, one.name) for one in fields(Wiring)}
    none = np.zeros(netlist.nets, np.int64)
    wiring = PlacedWiring(
        **given,
        net_sink_f=per_sink_f,
        net_clock_factor=factor,
        net_repeaters=none,
        net_repeater_f=none.astype(float),
        repeater=strongest_buffer(library),
    )
    load_f, _ = design_loads(netlist, library, wiring)
    slopes = driver_slopes(netlist, library)
    many = (sinks > assumed.max_fanout) if cut is None else (sinks > assumed.max_fanout) | cut
    numbers = {
        net: best_number(wiring.repeater, load_f[net], slopes[net])[0]
        for net in np.flatnonzero(many).tolist()
    }
    return wiring.with_repeaters(numbers, sinks, library.supply_v)
