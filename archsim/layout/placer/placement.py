"""A placed netlist, and what its places mean: pins, half perimeters, areas."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from archsim.layout.placer.problem import (
    MATRICES,
    Blocks,
    Core,
    Floats,
    Ints,
    PlacementProblem,
    turned_sizes,
)
from archsim.layout.placer.rows import Rows, free_rows


@dataclass(frozen=True, eq=False, kw_only=True)
class Placement:
    """Where everything of a problem lies: of each cell its left site and its row, of blocks and ports the
    places in um. Cells of even rows, counted from 0, lie as drawn (N), those of odd ones upside down (FS), so
    that neighbouring rows share their supply rails."""

    problem: PlacementProblem = field(repr=False)
    core: Core
    cell_site: Ints
    cell_row: Ints
    blocks: Blocks = field(repr=False)
    port_um: Floats = field(repr=False)

    def __repr__(self) -> str:
        return (
            f"<Placement of {self.problem.name}: {self.width_um:g} x {self.height_um:g} um, "
            f"wires of {self.hpwl_um[~self.problem.is_clock].sum():.6g} um>"
        )

    @property
    def width_um(self) -> float:
        return self.core.sites * self.problem.site_width_um

    @property
    def height_um(self) -> float:
        return self.core.rows * self.problem.row_height_um

    @property
    def core_um2(self) -> float:
        return self.width_um * self.height_um

    @property
    def x_um(self) -> Floats:
        """The left edges of the cells."""
        edges: Floats = self.cell_site.astype(np.float64) * self.problem.site_width_um
        return edges

    @property
    def y_um(self) -> Floats:
        """The lower edges of the cells."""
        edges: Floats = self.cell_row.astype(np.float64) * self.problem.row_height_um
        return edges

    @property
    def cell_orientation(self) -> Ints:
        """Indices of `ORIENTATIONS`: N in even rows and FS in odd ones."""
        return np.where(self.cell_row % 2 == 0, 0, 6)

    @cached_property
    def rows(self) -> Rows:
        """What blocks and halos leave free of the rows."""
        return free_rows(self.problem, self.core, self.blocks)

    @cached_property
    def centre_um(self) -> Floats:
        """The centres of all objects, (objects, 2)."""
        problem = self.problem
        width, height = turned_sizes(problem.block_width_um, problem.block_height_um, self.blocks.orientation)
        cells = np.stack(
            [
                (self.cell_site + 0.5 * problem.cell_sites) * problem.site_width_um,
                (self.cell_row + 0.5) * problem.row_height_um,
            ],
            axis=1,
        )
        blocks = np.stack([self.blocks.x_um + 0.5 * width, self.blocks.y_um + 0.5 * height], axis=1)
        return np.concatenate([cells, blocks, self.port_um])

    @cached_property
    def pin_um(self) -> Floats:
        """Where all pins are, (pins, 2), each object as it is turned."""
        ports = np.zeros(self.problem.ports, np.int64)
        turned = np.concatenate([self.cell_orientation, self.blocks.orientation, ports])
        offset = pin_offsets(self.problem, turned)
        pins: Floats = self.centre_um[self.problem.pin_object] + offset
        return pins

    @cached_property
    def hpwl_um(self) -> Floats:
        """The half perimeter of the box around the pins of each net (nets,), 0 for a net of one pin."""
        return half_perimeters(self.problem.net_start, self.pin_um)


def pin_offsets(problem: PlacementProblem, orientation: Ints) -> Floats:
    """The offsets of all pins (pins, 2) from the centres of their objects, as these lie."""
    drawn = np.stack([problem.pin_dx_um, problem.pin_dy_um], axis=1)
    turned: Floats = np.einsum("pij,pj->pi", MATRICES[orientation[problem.pin_object]], drawn)
    return turned


def half_perimeters(start: Ints, pins: Floats) -> Floats:
    """Half the way round the box of the pins (pins, 2) of each net, those of net k being `start[k]` to
    `start[k + 1]`; nets without a pin have none."""
    spans = np.zeros(len(start) - 1)
    some = np.flatnonzero(np.diff(start))
    if some.size:
        first = start[:-1][some]
        spans[some] = (np.maximum.reduceat(pins, first) - np.minimum.reduceat(pins, first)).sum(axis=1)
    return spans
