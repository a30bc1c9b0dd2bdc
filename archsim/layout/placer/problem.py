"""What is to be placed, as arrays: cells in sites, blocks, ports, and the nets between their pins.

Objects are numbered through: cells first, then blocks (memories, as macros or as areas of flops), then ports,
one a bit. Lengths are um. Net k of a problem is net k of its netlist, so that lengths and capacitances can be
laid side by side; nets 0 and 1, the constants, have no pins.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workloads.refusal import Refusal

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

ORIENTATIONS = ("N", "W", "S", "E", "FN", "FW", "FS", "FE")
"""How an object may lie, as LEF and DEF name it: turned to the left by 0 to 3 quarters, and the same after
its left and right were exchanged."""
_TURNS: Floats = np.array([[[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]]], float)
MATRICES: Floats = np.concatenate([_TURNS, _TURNS @ np.array([[-1.0, 0.0], [0.0, 1.0]])])
"""What becomes of an offset from the centre (x, y), by orientation."""


class LayoutError(Refusal):
    """A netlist cannot be placed as asked: the message names the field, its value and what is allowed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Blocks:
    """Where the blocks lie: lower left corners (um), and orientations as indices of `ORIENTATIONS`."""

    x_um: Floats
    y_um: Floats
    orientation: Ints


@dataclass(frozen=True, kw_only=True)
class Core:
    """An area of so many rows, each of so many sites."""

    rows: int
    sites: int


@dataclass(frozen=True, eq=False, kw_only=True)
class PlacementProblem:
    """A netlist as a placer sees it.

    `cell_sites` (cells,) are widths in sites, one row high; blocks have a width and a height as their
    abstract is drawn, may be turned by a quarter where `block_turns`, and keep cells and each other a halo
    away. Pins of net k are `net_start[k]` to `net_start[k + 1]` of `pin_object`, `pin_dx_um` and
    `pin_dy_um`, the latter from the centre of the object as drawn. Nets that are `is_clock` have a tree of
    buffers of their own. How long a net is counts where it `pulls`.

    Without a `core` one is made in which the cells fill a share `utilisation` of what the blocks leave.
    Blocks and ports that lie somewhere already are `fixed_blocks` and `fixed_ports` (ports, 2); these need a
    `core`.
    """

    name: str
    row_height_um: float
    site_width_um: float
    utilisation: float
    cell_sites: Ints
    block_width_um: Floats
    block_height_um: Floats
    block_turns: Flags
    halo_um: float
    ports: int
    net_start: Ints
    pin_object: Ints
    pin_dx_um: Floats
    pin_dy_um: Floats
    is_clock: Flags
    pulls: Flags
    core: Core | None = None
    fixed_blocks: Blocks | None = None
    fixed_ports: Floats | None = None

    def __post_init__(self) -> None:
        if not 0 < self.utilisation <= 1:
            raise LayoutError.of("utilisation", self.utilisation, "numbers above 0, up to 1")
        if self.core is None and (self.fixed_blocks is not None or self.fixed_ports is not None):
            raise LayoutError.of("core", None, "a core in which the fixed blocks and ports lie")

    def __repr__(self) -> str:
        return f"<PlacementProblem {self.name}: {self.cells} cells, {self.blocks} blocks, {self.ports} ports>"

    @property
    def cells(self) -> int:
        return len(self.cell_sites)

    @property
    def blocks(self) -> int:
        return len(self.block_width_um)

    @property
    def objects(self) -> int:
        return self.cells + self.blocks + self.ports

    @property
    def nets(self) -> int:
        return len(self.net_start) - 1

    @property
    def site_um2(self) -> float:
        return self.site_width_um * self.row_height_um

    @property
    def cell_um2(self) -> float:
        """What all cells take, in whole sites."""
        return float(self.cell_sites.sum()) * self.site_um2

    @cached_property
    def pin_net(self) -> Ints:
        """The net of each pin (pins,)."""
        return np.repeat(np.arange(self.nets), np.diff(self.net_start))

    @property
    def digest(self) -> str:
        """Of all that a placement follows from."""
        told: Any = hashlib.sha256()
        for name in sorted(self.__dataclass_fields__):
            value = getattr(self, name)
            parts = vars(value) if isinstance(value, Blocks | Core) else {"": value}
            for part, content in parts.items():
                told.update(f"{name}.{part}=".encode())
                if isinstance(content, np.ndarray):
                    told.update(f"{content.dtype}{content.shape}".encode() + content.tobytes())
                else:
                    told.update(repr(content).encode())
        return str(told.hexdigest())


def turned_sizes(width_um: Floats, height_um: Floats, orientation: Ints) -> tuple[Floats, Floats]:
    """Width and height as the blocks lie."""
    is_turned = orientation % 2 == 1
    return np.where(is_turned, height_um, width_um), np.where(is_turned, width_um, height_um)
