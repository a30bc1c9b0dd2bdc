"""What is known before cells are placed: the core and the blocks in it, and how everything pulls."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from archsim.layout.placer.legalise import can_hold
from archsim.layout.placer.placement import Placement, pin_offsets
from archsim.layout.placer.ports import slots
from archsim.layout.placer.problem import Blocks, Core, Floats, LayoutError, PlacementProblem
from archsim.layout.placer.rough import Springy, axes
from archsim.layout.placer.rows import free_rows
from archsim.layout.placer.spreading import bins_of


@dataclass(frozen=True, eq=False)
class Start:
    """A core with blocks and ports and no cell in it, what pulls, and the offsets of all pins (pins, 2)."""

    empty: Placement
    springs: Springy
    offsets: Floats

    @property
    def size_um(self) -> tuple[float, float]:
        return self.empty.width_um, self.empty.height_um


def start_of(problem: PlacementProblem, core: Core, blocks: Blocks) -> Start:
    """The start from a floorplan, ports in their order round the edge unless they are fixed.

    A core that was not given grows by rows until cells fit between the blocks. Raises LayoutError for one
    that was given and is too small.
    """
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
    return Start(empty, Springy(*axes(problem, offsets), area, bins), offsets)
