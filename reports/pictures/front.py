"""The front of designs that none other beats in both cost and accuracy, and its chart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from reports.formatting import significant
from reports.pictures.charts import HUES, INK, MARKERS, hues, style, svg

K = TypeVar("K")
LINE = 8
"""Points from one name to the next below it."""
FEW_DECADES = 2
"""Over fewer than so many there are ticks between the powers of ten too."""


def front(designs: Mapping[K, tuple[float, float]]) -> list[K]:
    """Of designs with their cost and accuracy those that none other beats: at most as dear, at least as
    accurate, and better in one of the two. The cheapest first."""
    return sorted(
        (
            design
            for design, (cost, accuracy) in designs.items()
            if not any(
                other <= cost and reached >= accuracy and (other, reached) != (cost, accuracy)
                for other, reached in designs.values()
            )
        ),
        key=designs.__getitem__,
    )


@dataclass(frozen=True)
class Dot:
    """A design in the chart: the `series` that it belongs to, its name, accuracy and costs by panel."""

    series: str
    name: str
    accuracy: float
    costs: Mapping[str, float]


def front_chart(name: str, panels: Mapping[str, tuple[str, float]], dots: Sequence[Dot]) -> str:
    """Accuracy over cost, a panel a cost: its heading with the unit shown and how much that is in SI. The
    front is a line, and the designs on it have their names."""
    with style(name):
        figure = Figure(figsize=(9.2, 4.6), layout="constrained")
        series = list(dict.fromkeys(dot.series for dot in dots))
        for axes, (cost, (unit, scale)) in zip(
            figure.subplots(1, len(panels), squeeze=False, sharey=True)[0], panels.items(), strict=True
        ):
            _panel(axes, cost, scale, dots, series)
            axes.set_xlabel(f"{cost}, {unit}")
        figure.axes[0].set_ylabel("accuracy on the test images, %")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8.5)
        move_apart(figure)
        return svg(figure)


def move_apart(figure: Figure) -> None:
    """Moves the name of a dot down, a line at a time, until no other name of its panel lies below it."""
    figure.draw_without_rendering()
    for axes in figure.axes:
        names = [each for each in axes.texts if isinstance(each, Annotation)]
        for place, name in enumerate(names):
            earlier = [each.get_window_extent() for each in names[:place]]
            while any(name.get_window_extent().overlaps(each) for each in earlier):
                across, down = name.xyann
                name.xyann = (across, down - LINE)


def _panel(axes: Axes, cost: str, scale: float, dots: Sequence[Dot], series: Sequence[str]) -> None:
    colours = hues(series)
    colours |= {one: HUES[one.split()[0]] for one in series if one.split()[0] in HUES}
    for place, one in enumerate(series):
        own = [dot for dot in dots if dot.series == one]
        axes.plot(
            [dot.costs[cost] / scale for dot in own],
            [dot.accuracy * 100 for dot in own],
            MARKERS[place % len(MARKERS)],
            color=colours[one],
            label=one,
            markersize=6,
            markerfacecolor="white" if one.split()[1:] == ["replicated"] else colours[one],
            zorder=3,
        )
    best = [dots[at] for at in front({at: (dot.costs[cost], dot.accuracy) for at, dot in enumerate(dots)})]
    axes.step(
        [dot.costs[cost] / scale for dot in best],
        [dot.accuracy * 100 for dot in best],
        where="post",
        color=INK,
        linewidth=1.2,
        label="front",
        zorder=2,
    )
    for dot in best:
        at = (dot.costs[cost] / scale, dot.accuracy * 100)
        axes.annotate(dot.name, at, (4, -9), textcoords="offset points", fontsize=7.5, va="top")
    axes.margins(y=0.1)
    axes.set_xscale("log")
    decades = math.log10(axes.get_xlim()[1] / axes.get_xlim()[0])
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < FEW_DECADES else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: significant(tick)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(color="#e6e9ec", linewidth=0.7)
