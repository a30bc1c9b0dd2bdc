"""Charts of the NeuroFabric study: deep linear cascades, and accuracy over what the heuristic counts."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from reports.charts import HUES, MARKERS, MORE_HUES, style, svg
from reports.studies.topologies.cascade_runs import CascadeRun
from reports.studies.topologies.measures import Measures
from reports.studies.topologies.runs import Trained

START_HUES = {"Glorot": HUES["pruned"], "sparse Glorot": HUES["csc"]}


def cascades_chart(starts: Mapping[str, Mapping[int, Sequence[CascadeRun]]]) -> str:
    """Energy of the signal at the start, and accuracy after training, over the number of stages; a start has
    runs at each depth."""
    with style("neurofabric-cascades"):
        figure = Figure(figsize=(9.2, 3.6), layout="constrained")
        energy, accuracy = figure.subplots(1, 2)
        for start, runs in starts.items():
            hue, depths = START_HUES[start], sorted(runs)
            at = [runs[depth] for depth in depths]
            energy.plot(depths, [several[0].signal for several in at], color=hue, label=f"{start}, expected")
            for seed in zip(*at, strict=True):
                energy.scatter(depths, [one.measured_signal for one in seed], s=9, color=hue)
            means = [statistics.fmean(one.accuracy for one in several) * 100 for several in at]
            accuracy.plot(depths, means, color=hue, marker="o", label=start)
            for seed in zip(*at, strict=True):
                accuracy.scatter(depths, [one.accuracy * 100 for one in seed], s=9, color=hue)
        for axes in (energy, accuracy):
            axes.set_xscale("log", base=2)
            axes.set_xticks(depths, [str(depth) for depth in depths])
            axes.set_xlabel("stages")
            axes.legend(fontsize=8.5)
        energy.set_yscale("log")
        energy.set_title("energy of a signal after all stages, at the start")
        accuracy.set_title("accuracy after training, %")
        return svg(figure)


def efficiency_chart(series: Mapping[str, Sequence[tuple[Trained, Measures]]]) -> str:
    """Accuracy over constraints solved and over degrees of freedom, both for each weight: series of networks
    with what was measured of their layers."""
    titles = {
        "efficiency": "constraints solved for each weight",
        "free_share": "degrees of freedom for each weight",
    }
    with style("neurofabric-efficiency"):
        figure = Figure(figsize=(9.2, 4.0), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, (measure, title) in zip(panels, titles.items(), strict=True):
            for place, (label, shown) in enumerate(series.items()):
                axes.errorbar(
                    [getattr(measures, measure) for _, measures in shown],
                    [network.mean * 100 for network, _ in shown],
                    yerr=[network.standard_error * 100 for network, _ in shown],
                    linestyle="none",
                    marker=MARKERS[place],
                    color=MORE_HUES[place],
                    markersize=5,
                    capsize=2,
                    label=label,
                )
            axes.set_xlabel(title)
            axes.grid(color="#e6e9ec", linewidth=0.7)
        panels[0].set_ylabel("accuracy on the test images, %")
        panels[0].legend(fontsize=8.5)
        return svg(figure)
