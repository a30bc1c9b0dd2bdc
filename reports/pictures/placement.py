"""Pictures of a placed core as SVG text: cells by component with the longest path, and where wires crowd."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from archsim.costs.fidelity.components import cells_by_component
from archsim.layout import CellLayout
from archsim.layout.placer.problem import turned_sizes
from reports.pictures.charts import INK, MORE_HUES, PALE, style, svg

_BINS = 48
"""Squares along the longer side of a density map."""

_WIDTH, _DPI = 5.5, 140
"""Inches of a picture, narrow enough for its words to be read on a phone, and pixels an inch of its cells."""


def placement_picture(layout: CellLayout) -> str:
    """The core with every cell in the colour of its component, memories in grey, and the longest path."""
    placement, problem = layout.placement, layout.placement.problem
    with style("placement"):
        figure, axes = _core(layout, share=0.92)
        width, height = turned_sizes(
            problem.block_width_um, problem.block_height_um, placement.blocks.orientation
        )
        _boxes(axes, placement.blocks.x_um, placement.blocks.y_um, width, height, PALE, edge="#8a949d")
        cell_um = problem.cell_sites.astype(np.float64) * problem.site_width_um
        row_um = np.full(len(cell_um), problem.row_height_um)
        handles = [Patch(color=PALE, label="memories")]
        for colour, (kind, cells) in zip(
            MORE_HUES * 3, cells_by_component(layout.netlist).items(), strict=False
        ):
            places = placement.x_um[cells], placement.y_um[cells]
            _boxes(axes, *places, cell_um[cells], row_um[cells], colour)
            handles.append(Patch(color=colour, label=kind.replace("_", " ")))
        axes.plot(*layout.path_um.T, color=INK, linewidth=2.6, solid_joinstyle="round")
        axes.plot(*layout.path_um.T, color="#ffd23f", linewidth=1.3, marker="o", markersize=2.5)
        figure.legend(
            handles=handles,
            loc="outside lower left",
            ncols=4,
            fontsize=7.5,
            handlelength=1,
            columnspacing=1.2,
        )
        axes.set_title(f"Longest path: {layout.timing.critical_path_s * 1e9:.2f} ns, in yellow")
        return svg(figure)


def density_picture(layout: CellLayout) -> str:
    """The wire on each square of the core (um/um2), each net's spread evenly over the box of its pins."""
    with style("density"):
        figure, axes = _core(layout, share=0.75)
        density, side_um = wire_density(layout)
        extent = (0.0, density.shape[1] * side_um, 0.0, density.shape[0] * side_um)
        shown = axes.imshow(density, origin="lower", extent=extent, cmap="YlOrBr", vmin=0.0)
        axes.set_xlim(0, layout.placement.width_um)
        axes.set_ylim(0, layout.placement.height_um)
        figure.colorbar(shown, ax=axes, shrink=0.8, label="wire, um/um2")
        axes.set_title(f"Wires: {layout.wire_m.sum() * 1e3:.0f} mm, {layout.um_per_sink:.1f} um a sink")
        return svg(figure)


def wire_density(layout: CellLayout) -> tuple[NDArray[np.float64], float]:
    """Wire by area (um/um2) in squares (rows, columns), the first row at the bottom, and their side in um.
    What lies on a square of a net is its length by the share of the box of its pins that the square has."""
    placement, problem = layout.placement, layout.placement.problem
    side = max(placement.width_um, placement.height_um) / _BINS
    shape = int(np.ceil(placement.height_um / side)), int(np.ceil(placement.width_um / side))
    length_um, total = 1e6 * layout.wire_m, np.zeros((shape[0] + 1, shape[1] + 1))
    start = problem.net_start
    for net in np.flatnonzero(length_um > 0).tolist():
        pins = placement.pin_um[start[net] : start[net + 1]] / side
        left, low = np.clip(np.floor(pins.min(axis=0)).astype(int), 0, [shape[1] - 1, shape[0] - 1])
        right, high = np.clip(np.floor(pins.max(axis=0)).astype(int), 0, [shape[1] - 1, shape[0] - 1])
        # As differences, that are summed up once for all nets.
        each = length_um[net] / ((right - left + 1) * (high - low + 1))
        total[low, left] += each
        total[low, right + 1] -= each
        total[high + 1, left] -= each
        total[high + 1, right + 1] += each
    return total.cumsum(axis=0).cumsum(axis=1)[:-1, :-1] / side**2, side


def _core(layout: CellLayout, *, share: float) -> tuple[Figure, Axes]:
    """An empty core to scale that takes a share of the width of its picture, its sides in um."""
    placement = layout.placement
    tall = _WIDTH * share * placement.height_um / placement.width_um
    figure = Figure(figsize=(_WIDTH, min(7.5, tall + 1.4)), dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    axes.set_xlim(0, placement.width_um)
    axes.set_ylim(0, placement.height_um)
    axes.set_aspect("equal")
    axes.set_xlabel("um")
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    return figure, axes


def _boxes(
    axes: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    width: NDArray[np.float64],
    height: NDArray[np.float64],
    colour: str,
    *,
    edge: str = "none",
) -> None:
    """Boxes of one colour; as pixels, since there may be tens of thousands."""
    corners = np.stack(
        [
            np.stack([x, y], 1),
            np.stack([x + width, y], 1),
            np.stack([x + width, y + height], 1),
            np.stack([x, y + height], 1),
        ],
        axis=1,
    )
    axes.add_collection(PolyCollection(list(corners), facecolors=colour, edgecolors=edge, rasterized=True))
