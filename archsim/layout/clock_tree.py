"""The clock network of a placed netlist: for each clock net a tree of buffers over what it clocks.

Sinks are cut in two, along the longer side of their box and by number, until as many are left as a buffer may
drive; a buffer stands in the middle of them. Buffers are the sinks of the next level, and so on up to the
source, a port or a clock gate, which drives the last few itself. A clock gate is a sink of the net before it
and the source of the one behind it. Nothing balances the branches: wires are as short as they can be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from archsim.layout.blocks import LAYOUT_CONSTANTS
from archsim.layout.placer.placement import Placement
from archsim.layout.placer.problem import Floats, Ints
from archsim.layout.wires import trees
from archsim.netlist.netlist import CONSTANTS, Netlist
from archsim.technology.asic.standard_cells import StandardCells
from archsim.technology.quantity import load_quantities


@dataclass(frozen=True, kw_only=True)
class ClockTree:
    """What distributes one clock net to its `sinks`: `buffers` by level, from the leaves up, each `drive`
    times the library's cell `buffer`; capacitances in farad. In every cycle in which the clock runs
    `capacitance_f` is charged and discharged once, and the buffers spend `internal_j` besides."""

    net: int
    sinks: int
    buffer: str
    drive: float
    buffers: tuple[int, ...]
    wire_um: float
    pin_f: float
    wire_f: float
    buffer_f: float
    internal_j: float
    area_um2: float
    leakage_w: float

    @property
    def levels(self) -> int:
        return len(self.buffers)

    @property
    def capacitance_f(self) -> float:
        return self.pin_f + self.wire_f + self.buffer_f

    @property
    def over_pins(self) -> float:
        """All capacitance over that of the sinks' pins."""
        return self.capacitance_f / self.pin_f if self.pin_f else 1.0


def clock_trees(
    placement: Placement, netlist: Netlist, technology: StandardCells, *, wire_f_per_um: float
) -> tuple[ClockTree, ...]:
    """The trees of all clock nets, in the order of their nets. Buffers get no place among the cells: they are
    a few in a thousand of them. Raises LibertyError for a library without a buffer."""
    problem, library = placement.problem, technology.library
    constants = load_quantities(LAYOUT_CONSTANTS)
    leaf, fanout, drive = (
        float(constants[name]) for name in ("clock_leaf_flops", "clock_fanout", "clock_buffer_drive")
    )
    pin_f, drivers = _pins_f(placement, netlist, technology), _drivers(netlist, technology)
    buffer, made = library.buffer, []
    in_f, switch_j = (
        drive * max(parts.values()) for parts in (buffer.input_capacitance_f, buffer.switch_energy_j)
    )
    for net in np.flatnonzero(problem.is_clock).tolist():
        span = slice(problem.net_start[net], problem.net_start[net + 1])
        is_sink = problem.pin_object[span] < problem.cells + problem.blocks
        is_sink &= problem.pin_object[span] != drivers.get(net, -1)
        sinks, source = placement.pin_um[span][is_sink], placement.pin_um[span][~is_sink]
        if not len(sinks):
            continue
        levels = list(_levels(sinks, int(leaf), int(fanout)))
        wire_um = sum(length for length, _ in levels[:-1])
        top = np.concatenate([levels[-1][1], source])
        wire_um += float(trees(np.array([0, len(top)]), top, np.ones(1, bool))[0])
        buffers = tuple(len(places) for _, places in levels[:-1])
        made.append(
            ClockTree(
                net=net,
                sinks=len(sinks),
                buffer=buffer.name,
                drive=drive,
                buffers=buffers,
                wire_um=wire_um,
                pin_f=float(pin_f[net]),
                wire_f=wire_um * wire_f_per_um,
                buffer_f=sum(buffers) * in_f,
                internal_j=2 * sum(buffers) * switch_j,
                area_um2=sum(buffers) * drive * buffer.area_um2,
                leakage_w=sum(buffers) * drive * buffer.leakage_w,
            )
        )
    return tuple(made)


def _levels(sinks: Floats, leaf: int, fanout: int) -> Iterator[tuple[float, Floats]]:
    """From the leaves up the wire (um) below each level of buffers and the places of these; last what the
    source drives, without wire."""
    most = leaf
    while len(sinks) > most:
        groups = list(cut(np.arange(len(sinks)), sinks, most))
        middles = np.array([(sinks[g].min(axis=0) + sinks[g].max(axis=0)) / 2 for g in groups])
        joined = [np.concatenate([middles[k : k + 1], sinks[g]]) for k, g in enumerate(groups)]
        start = np.concatenate([[0], np.cumsum([len(pins) for pins in joined])])
        yield float(trees(start, np.concatenate(joined), np.ones(len(joined), bool)).sum()), middles
        sinks, most = middles, fanout
    yield 0.0, sinks


def cut(which: Ints, places: Floats, most: int) -> Iterator[Ints]:
    """Groups of at most so many sinks that lie together, all about equally large."""
    groups = -(-len(which) // most)
    if groups == 1:
        yield which
        return
    box = np.ptp(places[which], axis=0)
    order = which[np.argsort(places[which, 0 if box[0] >= box[1] else 1], kind="stable")]
    middle = round(len(which) * (groups // 2) / groups)
    yield from cut(order[:middle], places, most)
    yield from cut(order[middle:], places, most)


def _pins_f(placement: Placement, netlist: Netlist, technology: StandardCells) -> Floats:
    """The capacitance of all input pins on each net (nets,), macros included."""
    cells, macro_f = technology.library.cells, technology.wiring.memory_pin_capacitance_f
    table = np.array(
        [
            [cells[name].input_capacitance_f.get(pin, 0.0) for pin in netlist.pin_names]
            for name in netlist.type_names
        ]
    ).reshape(len(netlist.type_names), len(netlist.pin_names))
    of_pins = table[netlist.cell_type[netlist.pin_cell], netlist.pin_name]
    totals: Floats = np.bincount(netlist.pin_net, of_pins, netlist.nets).astype(float)
    block = placement.problem.pin_object - placement.problem.cells
    is_block = (block >= 0) & (block < placement.problem.blocks)
    totals += macro_f * np.bincount(placement.problem.pin_net[is_block], minlength=netlist.nets).astype(float)
    totals[:CONSTANTS] = 0.0
    return totals


def _drivers(netlist: Netlist, technology: StandardCells) -> dict[int, int]:
    """The cell that drives each clock net which comes from one."""
    drivers: dict[int, int] = {}
    for name in netlist.count():
        for pin in technology.library.cells[name].functions:
            nets, cells = netlist.pin(name, pin), netlist.cells_of(name)
            drivers |= dict(zip(nets.tolist(), cells.tolist(), strict=True))
    return drivers
