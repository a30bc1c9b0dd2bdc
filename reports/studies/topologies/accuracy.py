"""Accuracy of trained networks beside what they store: groups that are compared, a table, and a chart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from reports.pictures.charts import HUES, INK, MARKERS, hues, style, svg
from reports.studies.topologies.compared import Compared, with_error
from reports.studies.topologies.plan import DENSE
from reports.studies.topologies.runs import Run, Trained, networks as networks_of
from reports.tables import Cell, Column, Table


@dataclass(frozen=True)
class Group(Compared[Trained]):
    """Networks of a group of the plan."""

    @classmethod
    def among(cls, runs: Iterable[Run], name: str) -> Group:
        """The group of this name."""
        return cls(name, tuple(networks_of(runs, name)))

    @property
    def dense(self) -> Trained:
        return next(one for one in self.networks if one.label == DENSE)

    def labelled(self, *labels: str) -> list[Trained]:
        """The networks of these labels, the least compressed first."""
        return sorted((one for one in self.networks if one.label in labels), key=lambda one: one.compression)

    def budgets(self, *labels: str) -> list[int]:
        """The weights that networks of these labels were asked to store, or any networks, the most first."""
        return sorted(
            {one.budget for one in self.networks if not labels or one.label in labels}, reverse=True
        )

    def at(self, budget: int) -> list[Trained]:
        """The networks of this budget, the best first."""
        return sorted((one for one in self.networks if one.budget == budget), key=lambda one: -one.mean)


def accuracy_table(
    networks: Sequence[Trained], *, marked: Iterable[str] = (), validation: bool = False
) -> Table:
    """A line a network, in the order given; `validation` adds accuracy on images held out of training."""
    chosen = set(marked)
    columns: dict[Column, Callable[[Trained], Any]] = {
        Column("network"): lambda one: one.label,
        Column("stored weights", "count"): lambda one: one.stored_weights,
        Column("compression", "times", 1): lambda one: one.compression,
        Column("held-out images", "share"): lambda one: one.validation,
        Column("accuracy, mean ± standard error", "share"): lambda one: Cell(
            f"{one.mean} ± {one.standard_error}", with_error(one)
        ),
        Column("worst seed", "share"): lambda one: min(one.accuracies),
        Column("best seed", "share"): lambda one: max(one.accuracies),
        Column("seeds", "count"): lambda one: len(one.runs),
    }
    if not validation:
        del columns[Column("held-out images", "share")]
    return Table(
        "",
        columns,
        ((value(one) for value in columns.values()) for one in networks),
        marked=(place for place, one in enumerate(networks) if one.label in chosen),
    )


def accuracy_chart(
    name: str,
    networks: Sequence[Trained],
    *,
    levels: Mapping[str, float] | None = None,
    lowest: float | None = None,
) -> str:
    """Accuracy over stored weights, a line a label with standard errors; `levels` are drawn across. SVG."""
    labels = list(dict.fromkeys(one.label for one in networks))
    colours = hues(labels)
    with style(name):
        figure = Figure(figsize=(9.2, 5.2), layout="constrained")
        axes = figure.subplots()
        for place, label in enumerate(labels):
            line = sorted((one for one in networks if one.label == label), key=lambda one: one.stored_weights)
            axes.errorbar(
                [one.stored_weights for one in line],
                [one.mean * 100 for one in line],
                yerr=[one.standard_error * 100 for one in line],
                label=label,
                color=colours[label],
                marker=MARKERS[place % len(MARKERS)],
                markersize=5,
                linewidth=1.8 if label in HUES else 1.0,
                capsize=2.5,
                zorder=4 if label in HUES else 3,
            )
        for text, level in (levels or {}).items():
            axes.axhline(level * 100, color=INK, linewidth=0.9, linestyle="--", zorder=1)
            axes.text(
                0.005, level * 100, text, transform=axes.get_yaxis_transform(), va="bottom", fontsize=8.5
            )
        if lowest is not None:
            axes.set_ylim(bottom=lowest * 100)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        sizes = sorted({one.budget for one in networks})
        axes.set_xticks(sizes)
        axes.set_xlabel("stored weights")
        axes.set_ylabel("accuracy on the test images, %")
        axes.grid(axis="y", color="#e6e9ec", linewidth=0.7)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5)
        return svg(figure)
