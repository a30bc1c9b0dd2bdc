"""Clocks of a mapped netlist: which are gated, and what they cost by how often their gates were open."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archsim.netlist.netlist import Netlist, Nets
from archsim.technology.asic.clock_gating import pulse_energy_j
from archsim.technology.liberty.cell_library import Cell, CellLibrary
from archsim.technology.memories.flop_memory import Wiring, clock_energy_j


def clock_gate_cells(netlist: Netlist, library: CellLibrary) -> list[Cell]:
    """The types of clock gates in a netlist."""
    return [library.cells[name] for name in netlist.count() if library.cells[name].kind == "clock gate"]


def gated_clocks(netlist: Netlist, library: CellLibrary) -> NDArray[np.bool_]:
    """Which nets (nets,) come out of a clock gate."""
    gated = np.zeros(netlist.nets, bool)
    for gate in clock_gate_cells(netlist, library):
        for pin in gate.functions:
            nets = netlist.pin(gate.name, pin)
            gated[nets[nets >= 0]] = True
    return gated


def gate_enables(netlist: Netlist, library: CellLibrary) -> Nets:
    """The net (nets,) that opens the clock gate a net comes out of; constant high for any other net."""
    enables = np.ones(netlist.nets, np.int64)
    for gate in clock_gate_cells(netlist, library):
        for pin in gate.functions:
            nets = netlist.pin(gate.name, pin)
            enables[nets[nets >= 0]] = netlist.pin(gate.name, gate.enable_pin)[nets >= 0]
    return enables


def clock_energies_j(
    netlist: Netlist,
    library: CellLibrary,
    wiring: Wiring,
    *,
    cycles: int = 1,
    toggles: Nets | None = None,
) -> NDArray[np.float64]:
    """What the clock takes at each cell (cells,) in so many cycles: at a flop or gate two edges and its share
    of the network for each pulse that reaches it, at a gate another two for each that it lets through.

    `toggles` (nets,) are those of the gated clocks; without them every gate is open all the time.
    """
    gated = gated_clocks(netlist, library)
    pulses = np.full(netlist.nets, cycles, np.int64)
    if toggles is not None:
        pulses[gated] = toggles[gated] // 2
    energies = np.zeros(len(netlist.cell_names))
    for name in netlist.count():
        cell = library.cells[name]
        if not cell.clock_pin:
            continue
        cells = netlist.cells_of(name)
        clocks = netlist.pin(name, cell.clock_pin)
        each_j = clock_energy_j(cell, library.supply_v, wiring.clock_factor(clocks))
        energies[cells] = each_j * pulses[clocks]
        if cell.kind == "clock gate":
            (output,) = cell.functions
            nets = netlist.pin(name, output)
            energies[cells] += pulse_energy_j(cell) * np.where(nets >= 0, pulses[nets], 0)
    return energies
