"""The placer: blocks, rough places, ports, rows and sites, then small moves.

All of it is deterministic: the same problem and seed give the same placement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from archsim.layout.placer.detailed import improved, listed
from archsim.layout.placer.floorplan import floorplan
from archsim.layout.placer.legalise import legalised
from archsim.layout.placer.moves import Pulls
from archsim.layout.placer.placement import Placement
from archsim.layout.placer.ports import best_ports, slots
from archsim.layout.placer.problem import Floats, PlacementProblem
from archsim.layout.placer.quadratic import Axis
from archsim.layout.placer.rough import roughly
from archsim.layout.placer.start import Start, start_of

Progress = Callable[[str, float], None]
"""Told, from time to time, what is being done, and which share of the whole is done."""

_PORT_ROUNDS = (10, 20)
"""Rounds of rough placement after each of which the ports are dealt anew."""


def quiet(what: str, share: float) -> None:
    """Tells nobody."""


def place(problem: PlacementProblem, *, seed: int = 1, progress: Progress = quiet) -> Placement:
    """Places a problem: blocks and ports unless they are fixed, then cells, legally.

    Raises LayoutError where blocks or cells do not fit into the core.
    """
    progress("blocks", 0.0)
    core, blocks = floorplan(problem, seed=seed, progress=lambda share: progress("blocks", 0.4 * share))
    start = start_of(problem, core, blocks)
    start = _with_ports(start, seed, lambda share: progress("ports", 0.4 + 0.1 * share))
    centre = roughly(
        start.springs,
        start.empty.centre_um,
        seed=seed,
        progress=lambda share: progress("cells", 0.5 + 0.4 * share),
    )
    progress("rows", 0.9)
    placed = _legal(start, centre) if problem.cells else start.empty
    progress("done", 1.0)
    return placed


def _with_ports(start: Start, seed: int, progress: Callable[[float], None]) -> Start:
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


def _legal(start: Start, centre: Floats) -> Placement:
    """The cells in rows and sites, near their rough centres and then where wires are shorter."""
    problem, rows = start.empty.problem, start.empty.rows
    site, row = problem.site_width_um, problem.row_height_um
    width = problem.cell_sites.astype(float) * site
    pulls = _pulls(problem, start.springs.x, start.springs.y)
    x, y = centre[:, 0].copy(), centre[:, 1].copy()
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
