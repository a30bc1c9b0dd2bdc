"""Charts of decompositions: errors over stored weights, and entries met over what two measures expect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from reports.charts import INK, MARKERS, hues, style, svg
from reports.claims import standard_error
from reports.report import Chart
from reports.studies.topologies.decomposition_runs import Figures
from workloads.measures.decomposition import Loss

NAMES: dict[Loss, str] = {"l2": "L2: relative error", "l1": "L1: absolute error"}


def error_chart(loss: Loss, size: int, rows: Sequence[Figures]) -> Chart:
    """Mean error over stored weights, a line a family; hollow markers and dashes are cascades with skips.

    Layers that store every weight are left out: they have no error, and would press the rest together.
    """
    chosen = [
        row for row in rows if row.size == size and _errors(loss, row) and row.stored_weights < size * size
    ]
    colours = hues(sorted({row.family for row in rows}))
    with style(f"decomposition-{loss}-{size}"):
        figure = Figure(figsize=(9.2, 5.2), layout="constrained")
        axes = figure.subplots()
        for place, family in enumerate(colours):
            for skipped in (False, True):
                line = sorted(
                    (row for row in chosen if (row.family, row.skipped) == (family, skipped)),
                    key=lambda row: row.stored_weights,
                )
                if line:
                    axes.errorbar(
                        [row.stored_weights for row in line],
                        [float(np.mean(_errors(loss, row))) for row in line],
                        yerr=[standard_error(_errors(loss, row)) for row in line],
                        label=family,
                        color=colours[family],
                        marker=MARKERS[place % len(MARKERS)],
                        markersize=5,
                        markerfacecolor="white" if skipped else colours[family],
                        linestyle="--" if skipped else "-",
                        linewidth=1.0,
                        capsize=2.5,
                        zorder=3,
                    )
        weights = [row.stored_weights for row in chosen]
        counts = np.geomspace(min(weights, default=1), max(weights, default=1), 200)
        lost = 1 - counts / size**2
        axes.plot(
            counts,
            np.sqrt(lost) if loss == "l2" else lost,
            color=INK,
            linewidth=1.2,
            linestyle=":",
            label="fixed places, no cascade",
            zorder=2,
        )
        axes.set_xscale("log")
        axes.set_xticks(sorted({round(size * size / row.compression) for row in chosen}))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(f"stored weights, of {size * size:,}")
        axes.set_ylabel(NAMES[loss])
        axes.grid(axis="y", color="#e6e9ec", linewidth=0.7)
        once = _one_each(axes)
        axes.legend(once.values(), once.keys(), loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
        caption = (
            f"{NAMES[loss]} at {size} places, mean and standard error over random matrices. The dotted line "
            "is expected of any single stage, which keeps as many entries and loses the rest; below it, a "
            "cascade makes more of its weights. Hollow markers and dashes: with skips."
        )
        return Chart(svg(figure), caption)


def measures_chart(rows: Sequence[Figures]) -> Chart:
    """Entries met for each stored weight, over what the heuristic and the degrees of freedom expect."""
    colours = hues(sorted({row.family for row in rows}))
    chosen = [row for row in rows if row.met and row.freedom is not None]
    with style("decomposition-measures"):
        figure = Figure(figsize=(9.2, 4.4), layout="constrained")
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for axes, name in zip(panels, ("heuristic", "degrees of freedom"), strict=True):
            for place, family in enumerate(colours):
                for row in (row for row in chosen if row.family == family):
                    expected = row.constraints if name == "heuristic" else row.freedom
                    axes.scatter(
                        (expected or 0) / row.stored_weights,
                        row.parameter_efficiency,
                        s=28,
                        marker=MARKERS[place % len(MARKERS)],
                        facecolor="white" if row.skipped else colours[family],
                        edgecolor=colours[family],
                        label=family,
                        zorder=3,
                    )
            axes.axline((0, 0), slope=1, color=INK, linewidth=0.8, linestyle=":", zorder=1)
            axes.set_xlim(0, 1.05)
            axes.set_ylim(0, 1.05)
            axes.set_title(name)
            axes.set_xlabel("expected for each stored weight")
        panels[0].set_ylabel("entries met for each stored weight")
        once = _one_each(panels[1])
        figure.legend(once.values(), once.keys(), loc="outside right center", fontsize=8)
        return Chart(
            svg(figure),
            "Entries met with the L1 loss. On the dotted line as many are met as expected; hollow markers "
            "are cascades with skips.",
        )


def _one_each(axes: Axes) -> dict[str, Any]:
    """The first drawing of every label, which is the one without skips where there is one."""
    drawn, labels = axes.get_legend_handles_labels()
    first = dict(zip(labels[::-1], drawn[::-1], strict=True))
    return {label: first[label] for label in dict.fromkeys(labels)}


def _errors(loss: Loss, row: Figures) -> tuple[float, ...]:
    return row.relative_errors if loss == "l2" else row.absolute_errors
