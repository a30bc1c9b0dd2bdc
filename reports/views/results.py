"""Results for the terminal: one result, the terms of a number, a netlist, the zoo."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from archsim.comparison import of_task, trains
from archsim.costs.metrics import metric_of, metrics_of
from archsim.costs.plain import heading
from archsim.costs.result import CLOCK
from archsim.engine import engines
from reports import formatting as f
from reports.tables import Table

if TYPE_CHECKING:
    from archsim import Result, TrainedNetwork, Verification
    from archsim.calibration.calibrate import Error
    from archsim.netlist_report import NetlistReport


def design_name(result: Result) -> str:
    """Engine and network in a few words."""
    engine = result.design["engine"]
    kind = " ".join(engine[field] for field in ("kind", "gather") if field in engine)
    return f"{result.design['network']} on {kind}, {engine['pes']} PEs"


FIT_ERROR = "fits, mean and worst"
TECHNOLOGY_ERROR = "truth, as far as compared"
MEANING = {
    FIT_ERROR: "error of fitted logic on netlists that the fit never saw, times its share, and of placing, "
    "where it is expected, on placed engines that were left out",
    TECHNOLOGY_ERROR: "multiples of the figure between which comparisons of the technology with real cells, "
    "memories, nodes and power reports put it; what nobody compared is taken as it is",
}
"""What is known of the error of a figure, and what that means."""


def _fit_error(result: Result, metric: str) -> str:
    error = result.fit_error.get(metric)
    return f.fit_error(error.mean, error.worst) if error else ""


def _technology_error(result: Result, metric: str) -> str:
    ends = result.technology_error.get(metric)
    return f.ends(ends.low, ends.high) if ends else ""


def mark(result: Result, metric: str) -> str:
    """The mark of a figure, if it has one."""
    return f.BEYOND * (metric in result.beyond_critical_path)


def clock_notes(result: Result, name: str = "") -> list[Text]:
    """What stands above all figures where the clock is too fast for the hardware."""
    said = (warning for warning in result.warnings if warning.startswith(CLOCK))
    return [Text(f"Warning{name}: {warning}; {f.BEYOND_MEANS}", style="bold yellow") for warning in said]


def figures_of(result: Result, beside: Sequence[Result] = ()) -> list[tuple[str, str, str, str]]:
    """The figures of a result that are shown: label, as it is of those `beside` it too, figure, and both
    lines of what is known of its error."""
    train = [trains(each) for each in (result, *beside)]
    read = ((metric, metric.read(result)) for metric in metrics_of(result) if metric.listed)
    return [
        (
            of_task(metric.label, train),
            f.shown(value, metric.unit) + mark(result, metric.name),
            _fit_error(result, metric.name),
            _technology_error(result, metric.name),
        )
        for metric, value in read
        if value is not None or not metric.optional
    ]


def _widths(result: Result) -> str:
    """What the engine computes with, in a few words."""
    engine, training = result.design["engine"], result.design.get("training")
    if training is None:
        return (
            f"{engine['weight_bits']}-bit weights, {engine['activation_bits']}-bit activations, "
            f"fetches of {engine['fetch_bits']} bits"
        )
    read = training["forward_bits"] or training["weight_bits"]
    return (
        f"training of {training['weight_bits']}-bit weights, of which {read} bits are read forward and "
        f"backward, with {training['activation_bits']}-bit activations and {training['error_bits']}-bit "
        f"errors, from {training['weights']} weights"
        f"{', samples overlapped' * (training['overlap'] == 'pipelined')}"
    )


def _meanings(shown: Iterable[str]) -> list[Text]:
    return [Text(f"{name}: {MEANING[name]}", style="dim") for name in shown]


def result_tables(result: Result) -> Group:
    """One result: its figures, where its energy goes, its traffic, and what it rests on."""
    technology = result.design["technology"]
    settings = ", ".join(f"{name} {value}" for name, value in technology.items() if name != "kind")
    head = Text(f"{design_name(result)}", style="bold")
    below = (
        f"{technology['kind']}{f' ({settings})' if settings else ''}, {f.scaled(result.clock_hz, 'Hz')}, "
        f"{_widths(result)}; fidelity {result.fidelity}"
    )
    figures = figures_of(result)
    places = {name: place for place, name in enumerate(MEANING, start=2)}
    errors = {name: place for name, place in places.items() if any(row[place] for row in figures)}
    rows = ((*row[:2], *(row[place] for place in errors.values())) for row in figures)
    table = Table("Figures", ("", "", *errors), rows)
    parts: list[RenderableType] = [
        *clock_notes(result),
        head,
        Text(below),
        *_indexed(result),
        *_ran(result),
        *_bounded(result),
        Text(),
        table,
        *_meanings(errors),
    ]
    for metric, title in (("energy_j", "Energy by component"), ("area_mm2", "Area by component")):
        if metric_of(metric).read(result) is not None:
            parts += [Text(), breakdown(result, metric, title)]
    if result.resources:
        parts += [Text(), _resources(result)]
    traffic = (
        (role, t.words_read, t.words_written, t.bits_read + t.bits_written)
        for role, t in result.traffic.items()
    )
    heads = {"memory": "", "words read": "count", "words written": "count", "data": "stored"}
    parts += [Text(), Table("Traffic", heads, traffic), *_stages(result)]
    return Group(*parts, *footnotes(result))


def _indexed(result: Result) -> list[Text]:
    """How indices are written, where there are any."""
    encoding, padding = result.stored_bits.encoding, result.counts.padding
    beside = f"; {padding:,} entries of padding beside {result.stored_weights:,} weights" * bool(padding)
    return [Text(f"Indices: {encoding}{beside}")] if encoding else []


def _bounded(result: Result) -> list[Text]:
    """Between which figures those lie that depend on the inputs."""
    shown = [
        f"{name.replace('_cycles', '')} {low:,} to {high:,}"
        for name, (low, high) in result.counts.bounds.items()
    ]
    return [Text(f"Whatever the inputs are: {', '.join(shown)}")] if shown else []


def _ran(result: Result) -> list[Text]:
    """What the hardware was run on, where anything ran."""
    return [Text(f"Inputs: {result.stimulus}")] if result.stimulus else []


def breakdown(result: Result, metric: str, title: str) -> Table:
    """A metric by component, with each share."""
    parts = result.by_component(metric)
    total = math.fsum(parts.values()) or 1.0
    rows = ((name, value, value / total) for name, value in parts.items() if value)
    columns = {"component": "", metric.rpartition("_")[0]: metric_of(metric).unit, "share": "share 1"}
    return Table(title, columns, rows)


def _stages(result: Result) -> list[RenderableType]:
    """The time line, where events or the closed form tell it, and what is lost to stalls."""
    counts, fields = result.counts, ("name", "start_cycle", "end_cycle", "macs", "stall_cycles")
    heads = ("from cycle", "to cycle", "products of weights", "stalls")
    rows = map(attrgetter(*fields), counts.stages)
    shown: list[RenderableType] = []
    if counts.stages:
        shown += [Text(), Table("Stages", {"stage": "", **dict.fromkeys(heads, "count")}, rows)]
    if counts.stalls:
        lost = engines[result.design["engine"]["kind"]].stalls
        shown.append(Text(f"{f.count(counts.stalls)} {lost} (stalls)"))
    return shown


def _resources(result: Result) -> Table:
    names = tuple(result.resources or {})
    rows = (
        (component, *(taken[name] for name in names)) for component, taken in result.bill.resources.items()
    )
    columns = {"component": "", **_counts(names)}
    return Table("Resources by component", columns, rows)


def _counts(resources: Iterable[str]) -> dict[str, str]:
    return {name.upper(): "count" for name in resources}


def footnotes(result: Result) -> list[Text]:
    """Warnings, and the assumptions that the figures rest on."""
    notes = [Text(f"Warning: {warning}", style="yellow") for warning in result.notes]
    for why in dict.fromkeys(result.missing.values()):
        costs = ", ".join(metric for metric, reason in result.missing.items() if reason == why)
        notes.append(Text(f"Not known: {costs}; {why}"))
    if result.assumed:
        notes.append(Text(f"Assumed, not measured: {', '.join(result.assumed)}", style="dim"))
    return [Text(), *notes] if notes else []


def explanation(result: Result, metric: str) -> Group:
    """The tree behind a metric: components, largest first, the terms of each, and their sources below."""
    terms = [term for term in result.terms(metric) if term.value]
    total = math.fsum(term.value for term in terms)
    distinct = dict.fromkeys(term.source for term in terms)
    sources = {source: number for number, source in enumerate(distinct, start=1)}
    rows: list[tuple[Any, ...]] = []
    for component, contribution in result.by_component(metric).items():
        own = [term for term in terms if term.component == component]
        if not own:
            continue
        rows.append((component, "", "", "", "", contribution, contribution / total))
        rows += [
            (
                f"  {'└' if term is own[-1] else '├'} {term.what}",
                term.counted,
                f"{term.kind} [{sources[term.source]}]",
                term.count,
                f.unit_cost(term.unit_cost, term.unit),
                term.value,
                term.value / total,
            )
            for term in own
        ]
    words = dict.fromkeys(("component", "counted", "kind [source]"), "")
    numbers = {"count": "count", "unit cost": "", "contribution": metric_of(metric).unit, "share": "share 1"}
    title = f"{metric} of {design_name(result)}, fidelity {result.fidelity}: "
    title += f.metric(metric, total) + mark(result, metric)
    errors = {FIT_ERROR: _fit_error(result, metric), TECHNOLOGY_ERROR: _technology_error(result, metric)}
    notes = [Text(f"{name}: {error} ({MEANING[name]})") for name, error in errors.items() if error]
    notes += [Text(f"[{number}] {source}", style="dim") for source, number in sources.items()]
    table = Table(title, words | numbers, rows, words=3)
    return Group(*clock_notes(result), table, Text(), *_ran(result), *notes, *footnotes(result))


def explanation_values(result: Result, metric: str) -> dict[str, Any]:
    """The same tree as plain values in SI units; the contributions add up to `total` exactly."""
    frame = result.explain(metric)
    return {
        **heading("archsim explanation"),
        "clock_met": result.clock_met,
        "metric": metric,
        "total": math.fsum(frame["contribution"]),
        **{name: result.to_dict()[name].get(metric) for name in ("fit_error", "technology_error")},
        "stimulus": result.stimulus,
        "assumed": list(result.assumed),
        "components": [
            {
                "component": component,
                "contribution": contribution,
                "terms": frame[frame["component"] == component]
                .drop(columns="component")
                .to_dict(orient="records"),
            }
            for component, contribution in result.by_component(metric).items()
        ],
    }


def verification_tables(checked: Verification) -> Group:
    """The figures on which the fidelities agree, and those on which they do not."""
    title = "Figures on which analytic, cycle and rtl agree"
    agreed = Table(title, {"figure": "", "value": "count"}, checked.figures.items())
    runs = f"{checked.inputs} input{'s' * (checked.inputs != 1)}"
    sentence = (
        f"All fidelities agree on {runs}, outputs included: {checked.stimulus}."
        if checked.agrees
        else f"The fidelities disagree on {len(checked.differences)} figures over {runs}: {checked.stimulus}."
    )
    return Group(agreed, *(Text(f"DIFFERENT {each}") for each in checked.differences), Text(sentence))


def netlist_tables(report: NetlistReport) -> Group:
    """What a netlist is made of, and its longest path."""
    parts = [_lut_table(report)] if report.is_fpga else [_cell_table(report), Text(), _macro_table(report)]
    path = [Text(f"  {stage}") for stage in report.critical_path]
    unknown = f" ({report.untimed})" if report.critical_path_s is None else ""
    unplaced = ", of the netlist as it is mapped, before it is placed" * (not unknown)
    longest = f"Longest path: {f.scaled(report.critical_path_s, 's')}{unknown}{unplaced}"
    ran = [Text(), Text(f"Inputs: {report.stimulus}")] if report.stimulus else []
    return Group(*parts, *ran, Text(), Text(longest, style="bold"), *path)


def _lut_table(report: NetlistReport) -> Table:
    rows = (
        (part.component, part.instances, *((part.resources or {})[name] for name in report.listed))
        for part in report.components
    )
    columns = {"component": "", "instances": "count", **_counts(report.listed)}
    return Table(f"Netlist mapped to {report.library}", columns, rows)


def _cell_table(report: NetlistReport) -> Table:
    columns = {
        "component": "",
        "instances": "count",
        "cells": "count",
        "gate equivalents": "number 0",
        "flops": "count",
        "area": "mm2",
        "toggles a cycle": "number",
        "activity": "share 1",
    }
    counted = ("component", "instances", "cells", "gate_equivalents", "flops")
    figures = attrgetter(*counted, "area_mm2", "toggles_per_cycle", "activity")
    return Table(f"Netlist mapped to {report.library}", columns, map(figures, report.components))


def _macro_table(report: NetlistReport) -> Table:
    rows = (
        (f"{m.role} memory", m.number, f"{m.words} × {m.word_bits}", m.built_as, m.area_mm2)
        for m in report.memories
    )
    columns = {"memory": "", "number": "count", "words × bits": "", "built as": "", "area of one": "mm2"}
    return Table("Memories, priced from the technology's table", columns, rows)


def error_table(technology: str, errors: Sequence[Error]) -> Table:
    """How far the fitted logic lies from netlists that it never saw."""
    rows = map(attrgetter("metric", "mean", "worst", "worst_case"), errors)
    columns = {"metric": "", "mean": "share", "worst": "share", "at": ""}
    return Table(f"{technology}: error on held-out netlists", columns, rows)


def network_table(
    title: str,
    networks: Iterable[TrainedNetwork],
    *,
    forms: tuple[str, str, str] = ("float", "8 bit", "4-bit weights"),
) -> Table:
    """The networks of the zoo with their accuracy in all `forms`: as floats, with 8 bits, and with weights of
    4 and activations of 8 where the file states that, as of those that were trained for it."""
    columns = {"network": "", "stored weights": "count", "compression": "ratio"}
    rows = (
        (
            each.name,
            each.stored_weights,
            each.compression,
            *map(each.accuracy.get, ("float", "int8", "int4x8")),
        )
        for each in networks
    )
    return Table(title, columns | dict.fromkeys(forms, "share"), rows)
