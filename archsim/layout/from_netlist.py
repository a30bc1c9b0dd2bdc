"""A flat netlist and its technology as a problem for the placer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from archsim.layout.blocks import LAYOUT_CONSTANTS, Block, blocks_of, halo_um
from archsim.layout.placer.problem import Core, Flags, Floats, Ints, LayoutError, PlacementProblem
from archsim.netlist.clocks import gated_clocks
from archsim.netlist.netlist import CONSTANTS, Netlist
from archsim.technology.asic.abstracts import Abstracts
from archsim.technology.asic.standard_cells import StandardCells
from archsim.technology.lef import Outline
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.quantity import load_quantities


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """A netlist that is to be placed, with what its names mean: its abstracts, its blocks, and the name of
    each bit of a port, in the order of the problem's ports."""

    netlist: Netlist = field(repr=False)
    abstracts: Abstracts
    blocks: tuple[Block, ...] = field(repr=False)
    port_names: tuple[str, ...] = field(repr=False)
    port_nets: Ints = field(repr=False)
    problem: PlacementProblem
    library: CellLibrary = field(repr=False)

    def outputs(self, name: str) -> tuple[str, ...]:
        """The output pins of a type of cell."""
        return tuple(self.library.cells[name].functions)


def outlines_of(technology: StandardCells) -> Abstracts:
    """The outlines of a technology's cells. Raises LayoutError where it has none."""
    if technology.abstracts is None:
        raise LayoutError.of("lef", None, "files with the outlines of the library's cells and their site")
    return technology.abstracts


def problem_of(
    netlist: Netlist,
    technology: StandardCells,
    *,
    utilisation: float | None = None,
    core: Core | None = None,
) -> PlacementProblem:
    """What `subject_of` makes of a netlist, without the names."""
    return subject_of(netlist, technology, utilisation=utilisation, core=core).problem


def subject_of(
    netlist: Netlist,
    technology: StandardCells,
    *,
    utilisation: float | None = None,
    core: Core | None = None,
) -> Subject:
    """A flat netlist as a problem for the placer; without a `core` it makes one, in which cells fill the
    share `utilisation` (that of the data file unless it is given) of what blocks leave.

    Raises LayoutError for a utilisation outside (0, 1], for a technology without outlines and for a cell or
    macro that has none, and a refusal for a memory that the technology cannot build.
    """
    chosen = (
        load_quantities(LAYOUT_CONSTANTS)["core_utilisation"].value if utilisation is None else utilisation
    )
    if isinstance(chosen, bool) or not isinstance(chosen, int | float) or not 0 < chosen <= 1:
        raise LayoutError.of("utilisation", chosen, "numbers above 0, up to 1")
    abstracts = outlines_of(technology)
    blocks = blocks_of(netlist, technology, abstracts, float(chosen))
    ports = [
        (name if len(port.nets) == 1 else f"{name}[{place}]", net)
        for name, port in netlist.ports.items()
        for place, net in enumerate(port.nets.tolist())
    ]
    port_nets = np.array([net for _, net in ports], np.int64)
    is_clock = clock_nets(netlist, technology)
    problem = PlacementProblem(
        name=netlist.name,
        row_height_um=abstracts.row_height_um,
        site_width_um=abstracts.site_width_um,
        utilisation=float(chosen),
        cell_sites=_cell_sites(netlist, abstracts),
        block_width_um=np.array([block.width_um for block in blocks], float),
        block_height_um=np.array([block.height_um for block in blocks], float),
        block_turns=np.array([block.turns for block in blocks], bool),
        halo_um=halo_um(abstracts),
        ports=len(ports),
        **_pins(netlist, abstracts, blocks, port_nets),
        is_clock=is_clock,
        # A gate is to stand by its flops; what clocks everything tells nothing about where.
        pulls=~is_clock | gated_clocks(netlist, technology.library),
        core=core,
    )
    return Subject(
        netlist=netlist,
        abstracts=abstracts,
        blocks=blocks,
        port_names=tuple(name for name, _ in ports),
        port_nets=port_nets,
        problem=problem,
        library=technology.library,
    )


def _cell_sites(netlist: Netlist, abstracts: Abstracts) -> Ints:
    """Widths in sites (cells,)."""
    for name in netlist.count():
        if name not in abstracts.cells:
            raise LayoutError.of("cell", name, "cells with an outline on the library's site")
    sites = [abstracts.sites(name) if name in abstracts.cells else 0 for name in netlist.type_names]
    return np.array(sites, np.int64)[netlist.cell_type]


def _pins(netlist: Netlist, abstracts: Abstracts, blocks: Sequence[Block], port_nets: Ints) -> dict[str, Any]:
    """The pins of cells, blocks and ports by net, as a problem has them; constants have none."""
    dx, dy = _cell_pins(netlist, abstracts)
    cells, wired = len(netlist.cell_names), len(port_nets)
    of_blocks = np.array(
        [
            (cells + place, pin.net, pin.x_um - block.width_um / 2, pin.y_um - block.height_um / 2)
            for place, block in enumerate(blocks)
            for pin in block.pins
        ],
        float,
    ).reshape(-1, 4)
    ports = cells + len(blocks) + np.arange(wired)
    net = np.concatenate([netlist.pin_net, of_blocks[:, 1].astype(np.int64), port_nets])
    objects = np.concatenate([netlist.pin_cell, of_blocks[:, 0].astype(np.int64), ports])
    dx = np.concatenate([dx, of_blocks[:, 2], np.zeros(wired)])
    dy = np.concatenate([dy, of_blocks[:, 3], np.zeros(wired)])
    order = np.argsort(net, kind="stable")
    order = order[net[order] >= CONSTANTS]
    pins = np.bincount(net[order], minlength=netlist.nets)
    return {
        "net_start": np.concatenate([[0], np.cumsum(pins)]),
        "pin_object": objects[order],
        "pin_dx_um": dx[order],
        "pin_dy_um": dy[order],
    }


def _cell_pins(netlist: Netlist, abstracts: Abstracts) -> tuple[Floats, Floats]:
    """The offset of each pin (pins,) from the middle of its cell."""
    offset = np.zeros((len(netlist.type_names), len(netlist.pin_names), 2))
    for kind, name in enumerate(netlist.type_names):
        outline = abstracts.cells.get(name, Outline(width_um=0.0, height_um=0.0))
        for place, pin in enumerate(netlist.pin_names):
            if pin in outline.pins:
                x, y = outline.pins[pin]
                offset[kind, place] = x - outline.width_um / 2, y - outline.height_um / 2
    at = offset[netlist.cell_type[netlist.pin_cell], netlist.pin_name]
    return at[:, 0], at[:, 1]


def clock_nets(netlist: Netlist, technology: StandardCells) -> Flags:
    """Which nets (nets,) reach a clock pin of a flop, a clock gate or a memory."""
    clocks = np.zeros(netlist.nets, bool)
    for name in netlist.count():
        cell = technology.library.cells[name]
        if cell.clock_pin:
            nets = netlist.pin(name, cell.clock_pin)
            clocks[nets[nets >= 0]] = True
    clocks[[memory.clock for memory in netlist.memories]] = True
    clocks[:CONSTANTS] = False
    return clocks
