"""Accuracy of trained networks beside what they store: a table, a chart, and the words for a difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from reports import formatting as f
from reports.charts import HUES, INK, MARKERS, hues, style, svg
from reports.report import Chart
from reports.studies.topologies.runs import Trained, error_of_difference
from reports.tables import Cell, Column, Table

NO_BREAK = "\N{NO-BREAK SPACE}"


def with_error(network: Trained) -> str:
    """Mean and standard error over seeds: 97.42 ± 0.05 %."""
    return f"{network.mean * 100:.2f} ± {network.standard_error * 100:.2f} %".replace(" ", NO_BREAK)


def difference(one: Trained, other: Trained, deviation: float) -> str:
    """How much better `one` is, with the error of that: +0.21 ± 0.06 points."""
    error = error_of_difference(one, other, deviation) * 100
    shown = f"{(one.mean - other.mean) * 100:+.2f} ± {error:.2f} points"
    return shown.replace("-", "−").replace(" ", NO_BREAK)


def accuracy_table(
    name: str,
    title: str,
    networks: Sequence[Trained],
    *,
    note: str = "",
    marked: Iterable[str] = (),
    validation: bool = False,
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
        title,
        columns,
        ((value(one) for value in columns.values()) for one in networks),
        name=name,
        marked=(place for place, one in enumerate(networks) if one.label in chosen),
        note=note,
    )


def budget_table(
    name: str, title: str, networks: Sequence[Trained], *, within: float, note: str = ""
) -> Table:
    """A line a family and a column a budget, the best at the first budget first. A dash where no member of
    the family comes within the share `within` of the budget."""
    budgets = sorted({each.budget for each in networks}, reverse=True)
    of = {(each.label, each.budget): each for each in networks if near_budget(each, within)}
    labels = {each.label for each in networks}

    def at(label: str, budget: int, shown: Callable[[Trained], str]) -> str:
        return shown(of[label, budget]) if (label, budget) in of else "—"

    def score(label: str) -> float:
        return max((of[label, budget].mean for budget in budgets[:1] if (label, budget) in of), default=0.0)

    order = sorted(labels, key=lambda label: (-score(label), label))
    heads = [head for budget in budgets for head in (f"{f.count(budget)} weights asked", "stored")]

    def line(label: str) -> tuple[str, ...]:
        cells = (
            (at(label, budget, with_error), at(label, budget, lambda one: f.count(one.stored_weights)))
            for budget in budgets
        )
        return (label, *(cell for pair in cells for cell in pair))

    return Table(title, ("family", *heads), map(line, order), name=name, note=note)


def near_budget(network: Trained, within: float) -> bool:
    """Whether a network stores what it was asked to, but for a share `within` of that."""
    return abs(network.stored_weights / network.budget - 1) <= within


def accuracy_chart(
    name: str,
    networks: Sequence[Trained],
    caption: str,
    *,
    levels: Mapping[str, float] | None = None,
    lowest: float | None = None,
) -> Chart:
    """Accuracy over stored weights, a line a label with standard errors; `levels` are drawn across."""
    labels = list(dict.fromkeys(each.label for each in networks))
    colours = hues(labels)
    with style(name):
        figure = Figure(figsize=(9.2, 5.2), layout="constrained")
        axes = figure.subplots()
        for place, label in enumerate(labels):
            line = sorted((each for each in networks if each.label == label), key=lambda e: e.stored_weights)
            axes.errorbar(
                [each.stored_weights for each in line],
                [each.mean * 100 for each in line],
                yerr=[each.standard_error * 100 for each in line],
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
        sizes = sorted({each.budget for each in networks})
        axes.set_xticks(sizes)
        axes.set_xlabel("stored weights")
        axes.set_ylabel("accuracy on the test images, %")
        axes.grid(axis="y", color="#e6e9ec", linewidth=0.7)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5)
        return Chart(svg(figure), caption)
