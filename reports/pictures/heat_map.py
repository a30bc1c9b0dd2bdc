"""Heat maps of ratios as SVG text: how much one side takes of the other, and where the sign turns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from reports.pictures.charts import INK, PALE, is_dark, style, svg

LESS, MORE = "#14599c", "#b35a12"
"""Blue and orange, which no common colour blindness confuses."""

STRONGEST = 4.0
"""The ratio, or one over it, from which on a colour is no darker."""

_COLOURS = LinearSegmentedColormap.from_list("ratio", [LESS, "#ffffff", MORE])
_WIDTH, _ROW, _AROUND = 4.6, 0.25, 0.62
"""Of a panel, of its rows, and of heading and labels, in inches."""

_PANEL_PT = 12
"""What a number in a cell is set in, so that it can be read on a phone."""


@dataclass(frozen=True)
class Square:
    """A cell: a ratio, or None where there is none. One that does not `count` is told in grey, and one that
    is `marked` has a star."""

    ratio: float | None
    counts: bool = True
    marked: bool = False

    @property
    def text(self) -> str:
        return "–" if self.ratio is None else f"{shortened(self.ratio)}{'*' * self.marked}"

    def turns_against(self, other: Square) -> bool:
        """Whether one takes more and the other less."""
        if not (self.counts and other.counts) or self.ratio is None or other.ratio is None:
            return False
        return (self.ratio < 1) != (other.ratio < 1)


def shortened(ratio: float) -> str:
    """A ratio in four characters: 0.85, 1.38, 12.4."""
    return f"{ratio:.2f}" if ratio < 9.995 else f"{ratio:.1f}" if ratio < 99.95 else f"{ratio:.0f}"


@dataclass(frozen=True)
class Panel:
    """A heat map: `squares` by their row, from the bottom, and column."""

    title: str
    squares: Sequence[Sequence[Square]]


@dataclass(frozen=True)
class Legend:
    """What colours, grey, stars and labels say in a figure."""

    row_axis: str
    rows: Sequence[str]
    column_axis: str
    columns: Sequence[str]
    less: str
    more: str
    grey: str
    star: str


def heat_maps(name: str, panels: Sequence[Panel], legend: Legend, *, across: int) -> str:
    """Panels beside each other, so many `across`, row by row, and below them what the colours say."""
    with style(name):
        down = math.ceil(len(panels) / across)
        height = down * (_AROUND + _ROW * len(legend.rows)) + 0.3 * (1 + 4 // across)
        figure = Figure(figsize=(_WIDTH * across, height), layout="constrained")
        for axes, panel in zip(figure.subplots(down, across, squeeze=False).flat, panels, strict=True):
            _draw(axes, panel, legend)
        figure.legend(handles=_keys(legend), loc="outside lower left", ncols=across, fontsize=9.5)
        return svg(figure)


def _draw(axes: Axes, panel: Panel, legend: Legend) -> None:
    for row, squares in enumerate(panel.squares):
        for column, square in enumerate(squares):
            _draw_square(axes, row, column, square)
    for row, squares in enumerate(panel.squares):
        for column, square in enumerate(squares):
            if column and square.turns_against(squares[column - 1]):
                axes.plot([column - 0.5] * 2, [row - 0.5, row + 0.5], color=INK, linewidth=2.6)
            if row and square.turns_against(panel.squares[row - 1][column]):
                axes.plot([column - 0.5, column + 0.5], [row - 0.5] * 2, color=INK, linewidth=2.6)
    axes.set_xlim(-0.5, len(legend.columns) - 0.5)
    axes.set_ylim(-0.5, len(legend.rows) - 0.5)
    axes.set_xticks(range(len(legend.columns)), legend.columns)
    axes.set_yticks(range(len(legend.rows)), legend.rows)
    axes.set_xlabel(legend.column_axis)
    axes.set_ylabel(legend.row_axis)
    axes.set_title(panel.title, fontsize=11.5)
    axes.tick_params(length=0, labelsize=10.5)
    axes.spines[:].set_visible(False)


def _draw_square(axes: Axes, row: int, column: int, square: Square) -> None:
    fill = colour(square)
    hatch = None if square.counts else "///"
    corner = (column - 0.5, row - 0.5)
    # Inside the axes as they are, cells need not be measured to lay out the figure.
    axes.add_artist(
        Rectangle(corner, 1, 1, facecolor=fill, edgecolor="white", linewidth=0.8, hatch=hatch, zorder=0)
    ).set_in_layout(False)
    axes.text(
        column,
        row,
        square.text,
        ha="center",
        va="center",
        fontsize=_PANEL_PT if square.counts else _PANEL_PT - 2.5,
        color=("white" if is_dark(fill) else INK) if square.counts else "#5a6570",
        fontweight="bold" if square.counts and (square.ratio or 1.0) < 1 else "normal",
    ).set_in_layout(False)


def colour(square: Square) -> str:
    """Of a cell: the darker, the farther its ratio is from one, to either side."""
    if not square.counts or square.ratio is None:
        return PALE
    share = math.log(square.ratio) / math.log(STRONGEST)
    return str(to_hex(_COLOURS(0.5 + 0.5 * max(-1.0, min(1.0, share)))))


def _keys(legend: Legend) -> list[Patch]:
    """What stands in the legend: colours as patches, a line and a star as words."""
    keys = [
        Patch(facecolor=LESS, label=f"{legend.less} (bold)"),
        Patch(facecolor=MORE, label=legend.more),
        Patch(facecolor=PALE, edgecolor="white", hatch="///", label=legend.grey),
        Patch(facecolor=INK, label="thick line: the sign turns"),
    ]
    return [*keys, Patch(facecolor="none", label=f"* {legend.star}")]
