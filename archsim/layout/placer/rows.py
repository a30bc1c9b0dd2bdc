"""What of a core's rows is free: sites that no block and no halo covers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from archsim.layout.placer.problem import Blocks, Core, Floats, Ints, PlacementProblem, turned_sizes

_TINY = 1e-6
"""Of a site or row: what is covered by no more than that is free, so that rounding covers nothing."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The free stretches of all rows, from the lowest row up, each from the left: those of row r are
    `start[r]` to `start[r + 1]` of `first` and `end`, sites, the last one excluded."""

    core: Core
    start: Ints
    first: Ints
    end: Ints

    @property
    def free_sites(self) -> int:
        return int((self.end - self.first).sum())

    @cached_property
    def row(self) -> Ints:
        """The row of each stretch."""
        return np.repeat(np.arange(self.core.rows), np.diff(self.start))


def free_rows(problem: PlacementProblem, core: Core, blocks: Blocks) -> Rows:
    """The rows of a core around the blocks and their halos."""
    width, height = turned_sizes(problem.block_width_um, problem.block_height_um, blocks.orientation)
    left, right = _covered(blocks.x_um, width, problem.halo_um, problem.site_width_um, core.sites)
    low, high = _covered(blocks.y_um, height, problem.halo_um, problem.row_height_um, core.rows)
    start, first, end = [0], [], []
    for row in range(core.rows):
        at = 0
        here = np.flatnonzero((low <= row) & (row < high))
        for block in here[np.argsort(left[here], kind="stable")].tolist():
            if left[block] > at:
                first.append(at)
                end.append(int(left[block]))
            at = max(at, int(right[block]))
        if at < core.sites:
            first.append(at)
            end.append(core.sites)
        start.append(len(first))
    return Rows(core, np.array(start), np.array(first, np.int64), np.array(end, np.int64))


def _covered(low: Floats, size: Floats, halo: float, pitch: float, most: int) -> tuple[Ints, Ints]:
    """The first site (or row) that something covers, and the one after the last."""
    first = np.floor((low - halo) / pitch + _TINY).astype(np.int64)
    end = np.ceil((low + size + halo) / pitch - _TINY).astype(np.int64)
    return np.clip(first, 0, most), np.clip(end, 0, most)
