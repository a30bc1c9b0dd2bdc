"""Charts of the NeuroFabric study: deep linear cascades, and accuracy over what the heuristic counts."""

from __future__ import annotations

from matplotlib.figure import Figure

from reports.charts import HUES, MARKERS, MORE_HUES, style, svg
from reports.report import Chart
from reports.studies.neurofabric_2020.findings import FIRST, SECOND, STARTS_SHOWN, Findings
from reports.studies.topologies.plan import READ_OUT, WITH_SKIPS

STARTS = {"glorot": HUES["pruned"], "sparse-glorot": HUES["csc"]}


def cascades_chart(found: Findings) -> Chart:
    """Energy of the signal at the start, and accuracy after training, over the number of stages."""
    depths = found.depths()
    with style("neurofabric-cascades"):
        figure = Figure(figsize=(9.2, 3.6), layout="constrained")
        energy, accuracy = figure.subplots(1, 2)
        for init, hue in STARTS.items():
            label = STARTS_SHOWN[init]
            at = [found.at_depth(init, depth) for depth in depths]
            energy.plot(depths, [each[0].signal for each in at], color=hue, label=f"{label}, expected")
            for place in range(len(at[0])):
                energy.scatter(depths, [each[place].measured_signal for each in at], s=9, color=hue)
            accuracy.plot(
                depths,
                [found.accuracy(init, depth) * 100 for depth in depths],
                color=hue,
                marker="o",
                label=label,
            )
            for place in range(len(at[0])):
                accuracy.scatter(depths, [each[place].accuracy * 100 for each in at], s=9, color=hue)
        for axes in (energy, accuracy):
            axes.set_xscale("log", base=2)
            axes.set_xticks(depths, [str(depth) for depth in depths])
            axes.set_xlabel("stages")
            axes.legend(fontsize=8.5)
        energy.set_yscale("log")
        energy.set_title("energy of a signal after all stages, at the start")
        accuracy.set_title("accuracy after training, %")
        return Chart(
            svg(figure),
            "Linear cascades of the support layers of a CSC layer, 64 places, fan-in 4, repeated to the "
            "depth. Lines on the left are exact expectations, dots are seeds.",
        )


def efficiency_chart(found: Findings) -> Chart:
    """Accuracy over constraints solved for each weight, and over degrees of freedom for each weight."""
    with style("neurofabric-efficiency"):
        figure = Figure(figsize=(9.2, 4.0), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        titles = {
            "efficiency": "constraints solved for each weight",
            "free_share": "degrees of freedom for each weight",
        }
        for axes, (measure, title) in zip(panels, titles.items(), strict=True):
            for place, (budget, skipped) in enumerate(
                (budget, skipped) for budget in (FIRST, SECOND) for skipped in (False, True)
            ):
                shown = [
                    each
                    for each in found.measured()
                    if each.budget == budget and each.label.endswith(WITH_SKIPS) == skipped
                ]
                axes.errorbar(
                    [getattr(found.measures(each.label, budget), measure) for each in shown],
                    [each.mean * 100 for each in shown],
                    yerr=[each.standard_error * 100 for each in shown],
                    linestyle="none",
                    marker=MARKERS[place],
                    color=MORE_HUES[place],
                    markersize=5,
                    capsize=2,
                    label=f"{budget - READ_OUT:,} weights{WITH_SKIPS if skipped else ''}",
                )
            axes.set_xlabel(title)
            axes.grid(color="#e6e9ec", linewidth=0.7)
        panels[0].set_ylabel("accuracy on the test images, %")
        panels[0].legend(fontsize=8.5)
        return Chart(
            svg(figure),
            "A dot a topology, with the standard error over seeds. A measure that ranks topologies would "
            "show as a rising band at each budget.",
        )
