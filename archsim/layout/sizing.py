"""Drives and repeaters once wires are known: along the longest paths, while that helps.

What mapped the netlist chose drives for wires that it could only assume. Here each round takes the longest
paths and gives every gate on them that gains by it the next stronger cell of the same function: it gains by
being faster with its load, and loses by its larger pin, which its driver is slower with (J. Fishburn and
A. Dunlop, TILOS, ICCAD 1985, one path at a time; here the worst ends together).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from archsim.layout.placed_wiring import PlacedWiring, best_number
from archsim.netlist.netlist import CONSTANTS, Memory, Netlist, Nets
from archsim.netlist.timing import Arrivals, MemoryTiming, arrivals, design_loads
from archsim.technology.liberty.cell_library import Cell, CellLibrary

_LEAST_S = 5e-12
"""What repeaters must gain."""

_ROUNDS = 60
_PATHS = 24
"""Ends of paths that are looked at in a round."""
_NEAR = 0.97
"""Of the longest path, what a path must have to be looked at."""
_PATIENCE = 6
"""Rounds in a row without a shorter path, after which no more are tried."""


def stronger(library: CellLibrary) -> Mapping[str, str]:
    """For each gate that has one, the next larger cell with the same pins and functions."""
    alike: dict[tuple[object, ...], list[Cell]] = {}
    for cell in library.cells.values():
        if cell.is_gate:
            key = tuple(cell.input_capacitance_f), tuple(sorted(cell.functions.items()))
            alike.setdefault(key, []).append(cell)
    ordered = [sorted(cells, key=_size) for cells in alike.values()]
    return {one.name: other.name for cells in ordered for one, other in pairwise(cells)}


def _size(cell: Cell) -> tuple[float, float]:
    return cell.area_um2, -min(arc.slope_s_per_f for arc in cell.arcs)


def worst_ends(timed: Arrivals, number: int) -> list[tuple[float, int]]:
    """The longest paths by the nets they end at, the longest first: each time with its setup, and its net."""
    nets, times = [], []
    for reached, setup_s, _ in timed.ends():
        used = reached[reached >= CONSTANTS]
        nets.append(used)
        times.append(timed.arrival_s[used] + setup_s)
    every, at_s = np.concatenate(nets), np.concatenate(times)
    order = np.argsort(-at_s, kind="stable")[:number]
    return list(zip(at_s[order].tolist(), every[order].tolist(), strict=True))


def sized(
    netlist: Netlist, *, library: CellLibrary, wiring: PlacedWiring, memory: Callable[[Memory], MemoryTiming]
) -> tuple[Netlist, PlacedWiring]:
    """The netlist with stronger cells along its longest paths, and the wires with repeaters there."""
    larger = stronger(library)
    best, best_s, waited = (netlist, wiring), np.inf, 0
    for _ in range(_ROUNDS):
        timed = arrivals(netlist, library=library, wiring=wiring, memory=memory)
        ends = worst_ends(timed, _PATHS)
        longest_s = ends[0][0] if ends else 0.0
        waited = 0 if longest_s < best_s else waited + 1
        if longest_s < best_s:
            best, best_s = (netlist, wiring), longest_s
        near = [net for at_s, net in ends if at_s > _NEAR * longest_s]
        cells, cuts = _gaining(timed, near, larger, wiring)
        if not (cells or cuts) or waited == _PATIENCE:
            break
        netlist = retyped(netlist, cells)
        if cuts:
            _, sinks = design_loads(netlist, library, wiring)
            wiring = wiring.with_repeaters(cuts, sinks, library.supply_v)
    return best


def _gaining(
    timed: Arrivals, ends: list[int], larger: Mapping[str, str], wiring: PlacedWiring
) -> tuple[dict[int, str], dict[int, int]]:
    """What would make the paths to these ends shorter: cells with what they become, and nets with how many
    repeaters they get, of each stage what gains more."""
    netlist, library = timed.netlist, timed.library
    load_f, _ = design_loads(netlist, library, wiring)
    cells: dict[int, str] = {}
    cuts: dict[int, int] = {}
    for end in ends:
        way = timed.way_to(end)
        for (source, driver), (net, cell) in pairwise([(-1, -1), *way]):
            number, gained_s = _cut(timed, wiring, net, cell, load_f[net])
            if cell >= 0:
                name = netlist.type_names[netlist.cell_type[cell]]
                if name in larger and cell not in cells:
                    faster_s = _larger_gains_s(
                        timed, library.cells[larger[name]], cell, (source, net), driver
                    )
                    if faster_s > max(gained_s, 0.0):
                        cells[cell] = larger[name]
                        continue
            if gained_s > _LEAST_S and cell not in cells:
                cuts[net] = number
    return cells, cuts


def _cut(timed: Arrivals, wiring: PlacedWiring, net: int, cell: int, load_f: float) -> tuple[int, float]:
    """How many repeaters a net gets that has none yet, and by how much its driver is faster then."""
    if wiring.net_repeaters[net]:
        return 0, 0.0
    slope = _slope(timed, cell)
    number, taken_s = best_number(wiring.repeater, load_f, slope)
    return number, slope * load_f - taken_s


def _larger_gains_s(timed: Arrivals, then: Cell, cell: int, way: tuple[int, int], driver: int) -> float:
    """By how much a path through a cell becomes shorter with the larger one: less delay for its load, more
    of its driver for its pin."""
    netlist, (source, net) = timed.netlist, way
    now = timed.library.cells[netlist.type_names[netlist.cell_type[cell]]]
    pin = netlist.pin_names[int(np.flatnonzero(netlist.pin_table[cell] == source)[0])]
    faster_s = _arc_s(now, pin, timed.load_f[net]) - _arc_s(then, pin, timed.load_f[net])
    more_f = then.input_capacitance_f[pin] - now.input_capacitance_f[pin]
    return faster_s - more_f * _slope(timed, driver)


def _arc_s(cell: Cell, pin: str, load_f: float) -> float:
    return max(arc.intrinsic_s + arc.slope_s_per_f * load_f for arc in cell.arcs if arc.input == pin)


def _slope(timed: Arrivals, driver: int) -> float:
    """How much later a driver is for each farad more; of what starts a path, that of the buffer."""
    if driver < 0:
        return timed.library.buffer.arcs[0].slope_s_per_f
    cell = timed.library.cells[timed.netlist.type_names[timed.netlist.cell_type[driver]]]
    return max(arc.slope_s_per_f for arc in cell.arcs)


def retyped(netlist: Netlist, chosen: Mapping[int, str]) -> Netlist:
    """The netlist with some cells of another type, which has the same pins."""
    names = (*netlist.type_names, *sorted(set(chosen.values()) - set(netlist.type_names)))
    place = {name: number for number, name in enumerate(names)}
    types: Nets = netlist.cell_type.copy()
    types[list(chosen)] = [place[name] for name in chosen.values()]
    return replace(netlist, type_names=names, cell_type=types)
