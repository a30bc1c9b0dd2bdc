"""Results side by side, for the terminal and as plain values: what tells them apart, figures, ratios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from archsim.comparison import not_in_ratio, of_task, settings, trains, unlike, what_differs
from archsim.costs.metrics import metric_of, ratios_to_first
from archsim.costs.plain import heading
from archsim.costs.ratio_error import ratio_intervals
from reports import formatting as f
from reports.tables import Cell, Table
from reports.views.results import clock_notes, figures_of, mark

if TYPE_CHECKING:
    from archsim import Result

RATIO_MEANING = (
    "Power is compared at equal throughput, where it is the ratio of energies; the powers above are each at "
    "a design's own. In brackets the ends between which a ratio lies: each part of the technology (compute, "
    "logic, memories, leakage) at either end of what comparisons with real ones found, alike in both, "
    "and the worst errors of both fits."
)
"""What stands below a table of ratios."""

STIMULUS = "inputs"
_MOST_ACROSS = 4
"""So many settings stand across, a design a line; of more each has a line."""
_SAID = ("network", "engine.kind", "engine.gather", "engine.pes", "technology.kind", "clock_hz")
"""The settings that are said of all designs where they share them."""


def comparison_values(results: Sequence[Result]) -> dict[str, Any]:
    """Results and ratios as plain values; of what the designs differ in, and what some have none of, the
    names."""
    return {
        **heading("archsim comparison"),
        "differs": what_differs(results),
        "not_in_ratio": not_in_ratio(results),
        "notes": list(unlike(results).values()),
        "designs": [result.to_dict() for result in results],
        "ratios": ratios_to_first(results),
        "ratio_intervals": ratio_intervals(results),
    }


def comparison_tables(results: Sequence[Result]) -> Group:
    """Results side by side, a column each, with ratios to the first."""
    names = [chr(ord("A") + place) if place < 26 else f"A{place}" for place in range(len(results))]
    named = list(zip(names, results, strict=True))
    clocks = [note for name, result in named for note in clock_notes(result, f" ({name})")]
    sides = [{label: figure for label, figure, *_ in figures_of(each, results)} for each in results]
    labels = dict.fromkeys(label for side in sides for label in side)
    columns = {"": "", **dict.fromkeys(names, "ratio")}
    figures = Table("Figures", columns, ((label, *(side.get(label) for side in sides)) for label in labels))
    ratios = ((label, *cells) for label, cells in ratio_cells(results).items())
    parts: list[RenderableType] = [*clocks, *_legend(names, results), Text(), figures]
    if len(results) > 1:
        parts += [Text(), Table(f"Ratios to {names[0]}", columns, ratios), *_limits(names, results)]
    parts += [
        Text(f"Warning ({', '.join(of)}): {warning}", style="yellow")
        for warning, of in _warnings(named).items()
    ]
    return Group(*parts)


def _legend(names: Sequence[str], results: Sequence[Result]) -> list[RenderableType]:
    """What is the same in all designs, in a sentence, and what tells them apart, as a table."""
    differs = what_differs(results)
    labels = [_label(name) for name in differs]
    differing = {
        label if labels.count(label) == 1 else name: values
        for label, (name, values) in zip(labels, differs.items(), strict=True)
    }
    shared = [
        f"{_label(name)} {_value(name, value)}"
        for name, value in settings(results[0]).items()
        if name in _SAID and name not in differs
    ]
    stimuli = [result.stimulus for result in results]
    if any(stimulus != stimuli[0] for stimulus in stimuli):
        differing[STIMULUS] = stimuli
    elif stimuli[0]:
        shared.append(f"{STIMULUS} {stimuli[0]}")
    if not differing:
        alike = "The designs do not differ in anything" if len(names) > 1 else "One design"
        return [Text(f"{alike}: {', '.join(shared)}.")]
    told = [[label, *(_value(label, value) for value in values)] for label, values in differing.items()]
    if len(differing) > _MOST_ACROSS:
        table = Table("Designs", ("", *names), told, words=1 + len(names))
    else:
        rows = zip(names, *(row[1:] for row in told), strict=True)
        table = Table("Designs", ("", *differing), rows, words=1 + len(differing))
    return [*([Text(f"The same in all: {', '.join(shared)}.")] if shared else []), table]


def _label(name: str) -> str:
    """A setting in a word: `engine.kind` is the engine."""
    inner = name.removesuffix(".kind").rpartition(".")[2]
    return "clock" if inner == "clock_hz" else inner


def _value(label: str, value: Any) -> str:
    if label in ("clock", "clock_hz") and value is not None:
        return f.scaled(value, "Hz")
    return f.shown(value, "yes or no") if isinstance(value, bool) else f.shown(value)


def _limits(names: Sequence[str], results: Sequence[Result]) -> list[Text]:
    """What ratios mean, and what has none."""
    notes = [RATIO_MEANING]
    without: dict[tuple[int, ...], list[str]] = {}
    for metric, places in not_in_ratio(results).items():
        without.setdefault(tuple(places), []).append(metric_of(metric).brief)
    for without_it, metrics in without.items():
        lacking = ", ".join(names[place] for place in without_it)
        notes.append(f"Not compared: {', '.join(metrics)}, of which {lacking} has none.")
    notes += [f"{across}: {note}." for across, note in unlike(results).items()]
    return [Text(note, style="dim") for note in notes]


def _warnings(named: Sequence[tuple[str, Result]]) -> dict[str, list[str]]:
    """Each warning but that of the clock, with the designs that it is of."""
    of: dict[str, list[str]] = {}
    for name, result in named:
        for warning in result.notes:
            of.setdefault(warning, []).append(name)
    return of


def ratio_cells(results: Sequence[Result]) -> dict[str, list[Cell | None]]:
    """Each ratio to the first with its ends, by the label of the metric, where another design has one."""
    intervals = ratio_intervals(results)
    return {
        of_task(metric_of(name).label, map(trains, results)): [
            None if value is None else Cell(value, f.ratio_within(value, ends) + _mark(name, results, place))
            for place, (value, ends) in enumerate(
                zip(values, intervals.get(name, [None] * len(results)), strict=True)
            )
        ]
        for name, values in ratios_to_first(results).items()
        if any(value is not None for value in values[1:])
    }


def _mark(name: str, results: Sequence[Result], place: int) -> str:
    """The mark of a ratio of which either side needs a clock that it cannot have."""
    priced = metric_of(name).priced_as or name
    return mark(results[0], priced) or mark(results[place], priced)
