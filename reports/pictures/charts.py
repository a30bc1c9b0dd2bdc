"""Charts as SVG text: measured ratios beside a claimed one, bars for each metric, stacked bars."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("agg")
from matplotlib.figure import Figure

from reports.formatting import significant
from reports.side_by_side import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator

INK, PALE, CLAIM = "#22303c", "#d9dee3", "#b3261e"
HUES = {"csc": "#1f6fb2", "clos": "#2a9d8f", "pruned": "#e08e45", "dense": "#8d99a6"}
STACK = dict(
    zip(
        [*GROUPS, "other"],
        ("#33658a", "#86bbd8", "#d1495b", "#f0b67f", "#7a9e7e", "#9a8fb5", "#86bbd8", "#c9cdd2", "#6b7480"),
        strict=True,
    )
)
MORE_HUES = (
    *("#7b4fa3", "#b3261e", "#3d7a5a", "#c2549d", "#5b7fd4"),
    *("#8a6d1f", "#20808d", "#d98200", "#6b7480", "#9bbf3b", "#5e3a2b", "#e377c2", "#17c3b2", "#444444"),
)
MARKERS = "osD^v<>Ph*X"
SHADES = ("#c96f24", "#efb98a", "#4a5a68", "#b4bec7")


@contextmanager
def style(salt: str) -> Iterator[None]:
    settings: Any = {
        "svg.hashsalt": salt,
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "text.color": INK,
        "axes.edgecolor": "#8a949d",
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "legend.frameon": False,
    }
    with mpl.rc_context(settings):
        yield


def hues(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each label, always the same one for the networks of `HUES`."""
    others = iter(MORE_HUES * len(labels))
    return {label: HUES.get(label) or next(others) for label in labels}


def ratio_chart(
    name: str, ratios: Mapping[str, Mapping[str, float]], *, claimed: float, partly_from: float
) -> str:
    """Grouped bars: for every metric the ratio measured in each setting, with a line at the claimed ratio."""
    with style(name):
        figure = Figure(figsize=(9.2, 3.5), layout="constrained")
        axes = figure.subplots()
        metrics = list(dict.fromkeys(metric for row in ratios.values() for metric in row))
        width = 0.8 / len(ratios)
        for place, (setting, row) in enumerate(ratios.items()):
            at = [
                number + (place - (len(ratios) - 1) / 2) * width
                for number, m in enumerate(metrics)
                if m in row
            ]
            heights = [row[metric] for metric in metrics if metric in row]
            bars = axes.bar(
                at, heights, width * 0.92, label=setting, color=SHADES[place % len(SHADES)], zorder=2
            )
            labels = axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=2, zorder=4)
            for label in labels:
                label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85})
        axes.axhline(1, color=INK, linewidth=0.8)
        axes.axhline(claimed, color=CLAIM, linewidth=1.4, linestyle="--", zorder=3)
        axes.axhspan(0, partly_from, color=PALE, alpha=0.45, linewidth=0, zorder=0)
        edge = len(metrics) - 0.45
        axes.text(edge, claimed, f" claimed: about {claimed:g}×", color=CLAIM, va="center", fontsize=8.5)
        axes.text(edge, 1, " equal", va="center", fontsize=8.5)
        axes.set_xlim(-0.55, edge)
        highest = max(value for row in ratios.values() for value in row.values())
        axes.set_ylim(0, max(highest, claimed) * 1.15)
        axes.set_xticks(range(len(metrics)), metrics)
        axes.set_ylabel("pruned ÷ CSC")
        axes.tick_params(axis="x", length=0)
        axes.legend(ncols=len(ratios), loc="upper left", bbox_to_anchor=(0, 1.12), fontsize=8.5)
        return svg(figure)


def metric_bars(name: str, panels: Mapping[str, Mapping[str, tuple[float, str]]]) -> str:
    """One panel a metric, one bar a design, each with its value as text."""
    with style(name):
        figure = Figure(
            figsize=(9.2, 0.75 + 0.3 * max(len(each) for each in panels.values())), layout="constrained"
        )
        for axes, (title, values) in zip(
            figure.subplots(1, len(panels), squeeze=False, sharey=True)[0], panels.items(), strict=True
        ):
            designs = list(values)[::-1]
            sizes = [values[design][0] for design in designs]
            bars = axes.barh(designs, sizes, 0.7, color=[HUES.get(d.split()[0], INK) for d in designs])
            axes.bar_label(bars, [values[design][1] for design in designs], fontsize=8, padding=3)
            axes.set_xlim(0, (max(sizes) or 1) * 1.45)
            axes.set_title(title)
            axes.set_xticks([])
            axes.spines["bottom"].set_visible(False)
            axes.tick_params(axis="y", length=0)
        return svg(figure)


def stacked_bars(
    name: str, unit: str, scale: float, stacks: Mapping[str, Mapping[str, float]], totals: Sequence[str]
) -> str:
    """One bar a design, stacked by group of components, in `unit`, which is `scale` of the SI unit."""
    with style(name):
        figure = Figure(figsize=(9.2, 1.15 + 0.36 * len(stacks)), layout="constrained")
        axes = figure.subplots()
        designs = list(stacks)[::-1]
        groups = [group for group in STACK if any(group in stack for stack in stacks.values())]
        left = [0.0] * len(designs)
        longest = max(sum(stack.values()) for stack in stacks.values()) / scale
        for group in groups:
            widths = [stacks[design].get(group, 0.0) / scale for design in designs]
            bars = axes.barh(
                designs,
                widths,
                0.68,
                left=left,
                label=group,
                color=STACK[group],
                edgecolor="white",
                linewidth=0.6,
            )
            shown = [_inside(width, longest) for width in widths]
            axes.bar_label(
                bars,
                shown,
                label_type="center",
                fontsize=7.5,
                color="white" if is_dark(STACK[group]) else INK,
            )
            left = [start + width for start, width in zip(left, widths, strict=True)]
        for row, (end, total) in enumerate(zip(left, list(totals)[::-1], strict=True)):
            axes.text(end, row, f"  {total}", va="center", fontsize=8.5, fontweight="bold")
        axes.set_xlim(0, longest * 1.16)
        axes.set_xlabel(unit)
        axes.tick_params(axis="y", length=0)
        axes.legend(
            ncols=len(groups),
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            fontsize=8,
            handlelength=1,
            columnspacing=1.2,
        )
        return svg(figure)


def _inside(width: float, longest: float) -> str:
    """The label of a piece, where it is wide enough to hold one."""
    return significant(width) if width > 0.055 * longest else ""


def is_dark(colour: str) -> bool:
    """Whether words on a colour, as `#22303c`, are read in white."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return 0.3 * red + 0.59 * green + 0.11 * blue < 140


def svg(figure: Figure) -> str:
    """The figure as an element of a page, without a date, so that equal figures give equal text."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()[text.getvalue().index("<svg") :]
