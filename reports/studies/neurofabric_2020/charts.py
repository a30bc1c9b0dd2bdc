"""Charts of the NeuroFabric study: deep linear cascades, the bed, and the task that needs no data."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from reports.pictures.charts import HUES, MARKERS, MORE_HUES, style, svg
from reports.studies.topologies.bed.view import FEWEST_STAGES, BedLayerView, BedView
from reports.studies.topologies.cascade_runs import CascadeRun

START_HUES = {"Glorot": HUES["pruned"], "sparse Glorot": HUES["csc"]}
KINDS = ("clos", "csc", "random", "butterfly", "radix", "benes")
"""Layers are coloured by the first word of their label."""
COUNTS = {"solved": "constraints drawn", "bound": "their bound", "freedom": "degrees of freedom"}


def cascades_chart(starts: Mapping[str, Mapping[str, Mapping[int, Sequence[CascadeRun]]]]) -> str:
    """Energy of the signal at the start, and accuracy after training, over the number of stages; a topology
    has a marker, and runs at each depth for each start."""
    with style("neurofabric-cascades"):
        figure = Figure(figsize=(9.2, 3.6), layout="constrained")
        energy, accuracy = figure.subplots(1, 2)
        for place, (topology, of_start) in enumerate(starts.items()):
            for start, runs in of_start.items():
                look: Any = {"color": START_HUES[start], "marker": MARKERS[place], "markersize": 4}
                depths = sorted(runs)
                at = [runs[depth] for depth in depths]
                energy.plot(depths, [several[0].signal for several in at], **look)
                means = [statistics.fmean(one.accuracy for one in several) * 100 for several in at]
                accuracy.plot(depths, means, label=f"{topology}, {start}", **look)
        for axes in (energy, accuracy):
            axes.set_xscale("log", base=2)
            axes.set_xticks(depths, [str(depth) for depth in depths])
            axes.set_xlabel("stages")
        accuracy.legend(fontsize=8)
        energy.set_yscale("log")
        energy.set_title("energy of a signal after all stages, at the start")
        accuracy.set_title("accuracy after training, %")
        return svg(figure)


def bed_chart(views: Sequence[BedView]) -> str:
    """Accuracy over the bound on constraints for each weight: a panel a bed, a dot a ranked layer."""
    with style("neurofabric-bed"):
        figure = Figure(figsize=(9.2, 3.6 * -(-len(views) // 2)), layout="constrained")
        panels = figure.subplots(-(-len(views) // 2), 2, squeeze=False).ravel()
        for axes, view in zip(panels, views, strict=False):
            for place, kind in enumerate(KINDS):
                layers = [one for one in view.ranked if one.label.split()[0].rstrip(",") == kind]
                for one in layers:
                    shallow = one.measures.stages < FEWEST_STAGES
                    axes.errorbar(
                        one.measures.score,
                        one.permuted.mean * 100,
                        yerr=one.permuted.standard_error * 100,
                        linestyle="none",
                        marker=MARKERS[place],
                        color=MORE_HUES[place],
                        markerfacecolor="none" if shallow else MORE_HUES[place],
                        markersize=5,
                        capsize=2,
                        label=kind if one is layers[0] else None,
                    )
            axes.set_title(view.where)
            axes.set_xlabel("bound on constraints for each weight")
            axes.set_ylabel("accuracy on the test images, %")
            axes.grid(color="#e6e9ec", linewidth=0.7)
        panels[0].legend(fontsize=8.5)
        return svg(figure)


def task_chart(layers: Iterable[BedLayerView]) -> str:
    """Entries of a random matrix that are met, over each count of constraints; both for each weight."""
    measured = [one.measures for one in layers if one.measures.met is not None]
    with style("neurofabric-task"):
        figure = Figure(figsize=(9.2, 3.6), layout="constrained")
        panels = figure.subplots(1, len(COUNTS), sharey=True)
        for axes, (count, title) in zip(panels, COUNTS.items(), strict=True):
            axes.scatter(
                [one.a_weight(count) for one in measured],
                [one.a_weight("met") for one in measured],
                s=18,
                edgecolors=HUES["csc"],
                facecolors=["none" if "skips" in one.label else HUES["csc"] for one in measured],
            )
            axes.set_xlabel(f"{title}, for each weight")
            axes.grid(color="#e6e9ec", linewidth=0.7)
        panels[0].set_ylabel("entries met, for each weight")
        return svg(figure)
