"""Charts of decompositions: errors over stored weights, and entries met over what two measures expect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from reports.pictures.charts import INK, MARKERS, hues, style, svg
from reports.studies.topologies.decomposition.runs import Figures
from reports.write_up.claims import standard_error
from workloads.measures.decomposition import Loss

LABELS: dict[Loss, str] = {"l2": "L2: relative error", "l1": "L1: absolute error"}


def error_chart(loss: Loss, size: int, rows: Sequence[Figures]) -> str:
    """Mean error over stored weights, a line a family; hollow markers and dashes are cascades with skips.

    Layers that store every weight are left out: they have no error, and would press the rest together.
    """
    chosen = [
        row for row in rows if row.size == size and row.errors[loss] and row.stored_weights < size * size
    ]
    looks = _looks(rows)
    with style(f"decomposition-{loss}-{size}"):
        figure = Figure(figsize=(9.2, 5.2), layout="constrained")
        axes = figure.subplots()
        for family in looks:
            for skipped in (False, True):
                line = [row for row in chosen if (row.family, row.skipped) == (family, skipped)]
                if line:
                    _draw_line(axes, loss, line, looks[family])
        weights = [row.stored_weights for row in chosen]
        counts = np.geomspace(min(weights, default=1), max(weights, default=1), 200)
        lost = 1 - counts / size**2
        expected = np.sqrt(lost) if loss == "l2" else lost
        label = "fixed places, no cascade"
        axes.plot(counts, expected, color=INK, linewidth=1.2, linestyle=":", label=label, zorder=2)
        axes.set_xscale("log")
        axes.set_xticks(sorted({round(size * size / row.compression) for row in chosen}))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(f"stored weights, of {size * size:,}")
        axes.set_ylabel(LABELS[loss])
        axes.grid(axis="y", color="#e6e9ec", linewidth=0.7)
        axes.legend(*_one_each(axes), loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
        return svg(figure)


def _draw_line(axes: Axes, loss: Loss, rows: Sequence[Figures], look: tuple[str, str]) -> None:
    """The errors of a family, without skips or with."""
    line = sorted(rows, key=lambda row: row.stored_weights)
    colour, marker = look
    skipped = line[0].skipped
    axes.errorbar(
        [row.stored_weights for row in line],
        [float(np.mean(row.errors[loss])) for row in line],
        yerr=[standard_error(row.errors[loss]) for row in line],
        label=line[0].family,
        color=colour,
        marker=marker,
        markersize=5,
        markerfacecolor="white" if skipped else colour,
        linestyle="--" if skipped else "-",
        linewidth=1.0,
        capsize=2.5,
        zorder=3,
    )


def measures_chart(rows: Sequence[Figures]) -> str:
    """Entries met for each stored weight, over what the heuristic and the degrees of freedom expect."""
    chosen = [row for row in rows if row.met and row.freedom is not None]
    with style("decomposition-measures"):
        figure = Figure(figsize=(9.2, 4.4), layout="constrained")
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, name in zip(panels, ("heuristic", "degrees of freedom"), strict=True):
            for family, (colour, marker) in _looks(rows).items():
                for row in (row for row in chosen if row.family == family):
                    expected = row.constraints if name == "heuristic" else row.freedom
                    axes.scatter(
                        (expected or 0) / row.stored_weights,
                        row.parameter_efficiency,
                        s=28,
                        marker=marker,
                        facecolor="white" if row.skipped else colour,
                        edgecolor=colour,
                        label=family,
                        zorder=3,
                    )
            axes.axline((0, 0), slope=1, color=INK, linewidth=0.8, linestyle=":", zorder=1)
            axes.set_xlim(0, 1.05)
            axes.set_ylim(0, 1.05)
            axes.set_title(name)
            axes.set_xlabel("expected for each stored weight")
        panels[0].set_ylabel("entries met for each stored weight")
        figure.legend(*_one_each(panels[1]), loc="outside right center", fontsize=8)
        return svg(figure)


def _looks(rows: Sequence[Figures]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each family."""
    colours = hues(sorted({row.family for row in rows}))
    return {
        family: (colour, MARKERS[place % len(MARKERS)])
        for place, (family, colour) in enumerate(colours.items())
    }


def _one_each(axes: Axes) -> tuple[list[Any], list[str]]:
    """The first drawing of every label, which is the one without skips where there is one, and the labels."""
    drawn, labels = axes.get_legend_handles_labels()
    first = dict(zip(labels[::-1], drawn[::-1], strict=True))
    once = list(dict.fromkeys(labels))
    return [first[label] for label in once], once
