"""The placer: blocks, rough places, ports, rows and sites, then small moves.

All of it is deterministic: the same problem and seed give the same placement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from archsim.layout.detailed import improved, improved_roughly, listed
from archsim.layout.floorplan import floorplan
from archsim.layout.legalise import can_hold, legalised
from archsim.layout.moves import Pulls
from archsim.layout.placement import Placement, pin_offsets
from archsim.layout.ports import best_ports, slots
from archsim.layout.problem import Floats, LayoutError, PlacementProblem
from archsim.layout.quadratic import Axis
from archsim.layout.rough import Springy, axes, roughly
from archsim.layout.rows import free_rows
from archsim.layout.spreading import bins_of

Progress = Callable[[str, float], None]
"""Told, from time to time, what is being done, and which share of the whole is done."""

_PORT_ROUNDS = (10, 20)
"""Rounds of rough placement after each of which the ports are dealt anew."""


def quiet(what: str, share: float) -> None:
    """Tells nobody."""


@dataclass(frozen=True, eq=False)
class _Start:
    """What is known before cells are placed: blocks and core, of which nothing moves any more, and ports,
    which may."""

    empty: Placement
    springs: Springy
    offsets: Floats

    @property
    def size_um(self) -> tuple[float, float]:
        return self.empty.width_um, self.empty.height_um


def place(problem: PlacementProblem, *, seed: int = 1, progress: Progress = quiet) -> Placement:
    """Places a problem: blocks and ports unless they are fixed, then cells, legally.

    Raises LayoutError where blocks or cells do not fit into the core.
    """
    progress("blocks", 0.0)
    start = _start(problem, seed)
    start = _with_ports(start, seed, lambda share: progress("ports", 0.05 + 0.15 * share))
    centre = roughly(
        start.springs,
        start.empty.centre_um,
        seed=seed,
        progress=lambda share: progress("cells", 0.2 + 0.6 * share),
    )
    progress("rows", 0.8)
    placed = _legal(start, centre) if problem.cells else start.empty
    progress("done", 1.0)
    return placed


def _start(problem: PlacementProblem, seed: int) -> _Start:
    core, blocks = floorplan(problem, seed=seed)
    # Stretches between blocks may be too short for the widest cells.
    while problem.core is None and not can_hold(free_rows(problem, core, blocks), problem.cell_sites):
        core = replace(core, rows=core.rows + 1)
    nowhere = np.zeros(problem.cells, np.int64)
    size = core.sites * problem.site_width_um, core.rows * problem.row_height_um
    ports = slots(problem.ports, *size) if problem.fixed_ports is None else problem.fixed_ports
    empty = Placement(
        problem=problem, core=core, cell_site=nowhere, cell_row=nowhere, blocks=blocks, port_um=ports
    )
    needed, free = int(problem.cell_sites.sum()), empty.rows.free_sites
    if needed > free:
        raise LayoutError(
            f"core is {core.rows} rows of {core.sites} sites, of which {free} are free, allowed is one with "
            f"the {needed} that the cells take"
        )
    turned = np.zeros(problem.objects, np.int64)
    turned[problem.cells : problem.cells + problem.blocks] = blocks.orientation
    offsets = pin_offsets(problem, turned)
    # Cells of every second row lie upside down: what is up or down in a cell is nothing to aim at.
    offsets[problem.pin_object < problem.cells, 1] = 0.0
    bins = bins_of(empty.rows, problem.site_width_um, problem.row_height_um)
    area = problem.cell_sites.astype(float) * problem.site_um2
    return _Start(empty, Springy(*axes(problem, offsets), area, bins), offsets)


def _with_ports(start: _Start, seed: int, progress: Callable[[float], None]) -> _Start:
    """The same with the ports in a good order: where rough placements want them."""
    problem = start.empty.problem
    if problem.fixed_ports is not None or not problem.ports:
        return start
    free = slots(problem.ports, *start.size_um)
    for number, rounds in enumerate(_PORT_ROUNDS):
        centre = roughly(start.springs, start.empty.centre_um, seed=seed, rounds=rounds)
        pins = centre[problem.pin_object] + start.offsets
        ports = best_ports(problem, pins[:, 0], pins[:, 1], free)
        start = replace(start, empty=replace(start.empty, port_um=ports))
        progress((number + 1) / len(_PORT_ROUNDS))
    return start


def _legal(start: _Start, centre: Floats) -> Placement:
    """The cells in rows and sites, near their rough centres and then where wires are shorter."""
    problem, rows = start.empty.problem, start.empty.rows
    site, row = problem.site_width_um, problem.row_height_um
    width = problem.cell_sites.astype(float) * site
    pulls = _pulls(problem, start.springs.x, start.springs.y)
    x, y = centre[:, 0].copy(), centre[:, 1].copy()
    improved_roughly(x, y, width, pulls, start.size_um, row)
    cells = problem.cells
    left, at_row = legalised(
        (x[:cells] - 0.5 * width) / site, y[:cells] / row - 0.5, problem.cell_sites, rows, row / site
    )
    x[:cells], y[:cells] = left * site + 0.5 * width, (at_row + 0.5) * row
    improved(x, y, width, pulls, rows, site, row)
    return replace(
        start.empty,
        cell_site=np.round((x[:cells] - 0.5 * width) / site).astype(np.int64),
        cell_row=(y[:cells] / row).astype(np.int64),
    )


def _pulls(problem: PlacementProblem, along: Axis, up: Axis) -> Pulls:
    """The pins of the nets that pull, as moves need them."""
    net = np.repeat(np.arange(len(along.start) - 1), np.diff(along.start))
    movable = along.object < problem.cells
    pairs = np.unique(np.stack([along.object[movable], net[movable]]), axis=1)
    start, _ = listed(pairs[0], problem.cells)
    return Pulls(along.start, along.object, along.offset, up.offset, start, pairs[1])
