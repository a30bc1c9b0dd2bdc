"""A chart of predictions: each as a multiple of the published figure, on a logarithmic axis with the band in
which it counts as near."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from reports.formatting import percent
from reports.pictures.charts import INK, PALE, style, svg
from reports.write_up.predictions import EXPLAINED_FROM, KINDS, Compared
from reports.write_up.report import Chart

HUES = dict(zip(KINDS, ("#1f6fb2", "#e08e45", "#b3261e", "#8d99a6"), strict=True))
_LEAST_REACH = 2.0


def chart(name: str, rows: Sequence[Compared]) -> Chart:
    """A dot for each row at predicted ÷ published, its colour the kind of row, the difference beside it."""
    ratios = [row.predicted / row.published for row in rows]
    reach = max(_LEAST_REACH, *(max(ratio, 1 / ratio) for ratio in ratios if ratio)) * 1.6
    with style(name):
        figure = Figure(figsize=(9.2, 0.9 + 0.24 * len(rows)), layout="constrained")
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.set_xlim(1 / reach, reach)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.axvspan(1 - EXPLAINED_FROM, 1 + EXPLAINED_FROM, color=PALE, alpha=0.6, linewidth=0, zorder=0)
        axes.axvline(1, color=INK, linewidth=0.9, zorder=1)
        for kind, hue in HUES.items():
            at = [place for place, row in enumerate(rows) if row.kind == kind]
            if at:
                axes.scatter([ratios[place] for place in at], at, s=34, color=hue, label=kind, zorder=3)
        for place, (row, ratio) in enumerate(zip(rows, ratios, strict=True)):
            axes.hlines(place, min(ratio, 1), max(ratio, 1), color=HUES[row.kind], linewidth=1.2, zorder=2)
            right = ratio >= 1
            axes.annotate(
                row.shown_difference,
                (ratio, place),
                xytext=(6 if right else -6, 0),
                textcoords="offset points",
                ha="left" if right else "right",
                va="center",
                fontsize=8,
            )
        axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=8.5)
        axes.tick_params(axis="y", length=0)
        ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10) if 1 / reach < tick < reach]
        axes.set_xticks(ticks)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}×"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("predicted ÷ published")
        axes.legend(ncols=len(HUES), loc="lower left", bbox_to_anchor=(-0.02, 1.0), fontsize=8.5)
        near = percent(EXPLAINED_FROM, 0)
        caption = f"Predictions over published figures. In the shaded band they differ by less than {near}."
        told = "; ".join(f"{row.name} {row.shown_difference}" for row in rows)
        return Chart(svg(figure), caption, f"{caption} {told}.")
