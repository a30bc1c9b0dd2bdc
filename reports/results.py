"""Results for the terminal: one result, several side by side, the terms of a number, the zoo."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from archsim.costs.metrics import Metric, metric_of, metrics_of, ratios_to_first
from reports import formatting as f
from reports.tables import Column, Columns, Table

if TYPE_CHECKING:
    from archsim import Result, TrainedNetwork, Verification
    from archsim.calibration.calibrate import Error
    from archsim.calibration.glitches import GlitchShare
    from archsim.netlist_report import NetlistReport


def design_name(result: Result) -> str:
    """Engine and network in a few words."""
    engine = result.design["engine"]
    kind = " ".join(engine[field] for field in ("kind", "gather") if field in engine)
    return f"{result.design['network']} on {kind}, {engine['pes']} PEs"


def _listed(result: Result) -> dict[Metric, float | None]:
    """The figures of a result that are shown."""
    read = {metric: metric.read(result) for metric in metrics_of(result) if metric.listed}
    return {metric: value for metric, value in read.items() if not (value is None and metric.optional)}


def _error(result: Result, metric: Metric) -> str:
    """The expected error of a figure where it rests on a fit."""
    error = result.expected_error.get(metric.name)
    return "" if error is None else f.expected_error(error)


def _with_errors(result: Result) -> Table:
    """The figures as a table."""
    rows = [
        (metric.label, f.shown(value, metric.unit), _error(result, metric))
        for metric, value in _listed(result).items()
    ]
    if any(error for _, _, error in rows):
        return Table("Figures", ("", "", "expected error of the fit"), rows)
    return Table("Figures", ("", ""), (row[:2] for row in rows))


def result_tables(result: Result) -> Group:
    """One result: its figures, where its energy goes, its traffic, and what it rests on."""
    technology, engine = result.design["technology"], result.design["engine"]
    settings = ", ".join(f"{name} {value}" for name, value in technology.items() if name != "kind")
    head = Text(f"{design_name(result)}", style="bold")
    below = (
        f"{technology['kind']}{f' ({settings})' if settings else ''}, {f.scaled(result.clock_hz, 'Hz')}, "
        f"{engine['weight_bits']}-bit weights, {engine['activation_bits']}-bit activations, "
        f"fetches of {engine['fetch_bits']} bits; fidelity {result.fidelity}"
    )
    parts: list[RenderableType] = [head, Text(below), Text(), _with_errors(result)]
    for metric, title in (("energy_j", "Energy by component"), ("area_mm2", "Area by component")):
        if metric_of(metric).read(result) is not None:
            parts += [Text(), breakdown(result, metric, title)]
    if result.resources:
        parts += [Text(), _resources(result)]
    traffic = (
        (role, t.words_read, t.words_written, t.bits_read + t.bits_written)
        for role, t in result.traffic.items()
    )
    columns: Columns = ("memory", _count("words read"), _count("words written"), Column("data", "stored"))
    parts += [Text(), Table("Traffic", columns, traffic)]
    return Group(*parts, *footnotes(result))


def breakdown(result: Result, metric: str, title: str) -> Table:
    """A metric by component, with each share."""
    parts = result.by_component(metric)
    total = math.fsum(parts.values()) or 1.0
    rows = ((name, value, value / total) for name, value in parts.items() if value)
    shown = Column(metric.rpartition("_")[0], metric_of(metric).unit)
    return Table(title, ("component", shown, Column("share", "share", 1)), rows)


def _resources(result: Result) -> Table:
    names = tuple(result.resources or {})
    rows = (
        (component, *(taken[name] for name in names)) for component, taken in result.bill.resources.items()
    )
    return Table("Resources by component", ("component", *(_count(name.upper()) for name in names)), rows)


def _count(heading: str) -> Column:
    return Column(heading, "count")


def footnotes(result: Result) -> list[Text]:
    """Warnings, and the assumptions that the figures rest on."""
    notes = [Text(f"Warning: {warning}", style="yellow") for warning in result.warnings]
    for why in dict.fromkeys(result.missing.values()):
        costs = ", ".join(metric for metric, reason in result.missing.items() if reason == why)
        notes.append(Text(f"Not known: {costs}; {why}"))
    if result.assumed:
        notes.append(Text(f"Assumed, not measured: {', '.join(result.assumed)}", style="dim"))
    return [Text(), *notes] if notes else []


def comparison_tables(results: Sequence[Result]) -> Group:
    """Results side by side, a column each, with ratios to the first."""
    names = [f"{chr(ord('A') + place)}" if place < 26 else str(place) for place in range(len(results))]
    legend = Table("Designs", ("", "design"), zip(names, map(design_name, results), strict=True), words=2)
    sides = [
        {
            metric.label: f.shown(value, metric.unit) + (f" ({error})" if error else "")
            for metric, value in _listed(result).items()
            for error in [_error(result, metric)]
        }
        for result in results
    ]
    figures = ((name, *(side.get(name) for side in sides)) for name in sides[0])
    ratios = ((name, *values) for name, values in ratios_to_first(results).items())
    columns: Columns = ("", *(Column(name, "ratio") for name in names))
    warnings = [
        Text(f"Warning ({name}): {warning}", style="yellow")
        for name, result in zip(names, results, strict=True)
        for warning in result.warnings
    ]
    compared = Table("Figures", columns, figures), Text(), Table(f"Ratios to {names[0]}", columns, ratios)
    return Group(legend, Text(), *compared, *warnings)


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
    columns: Columns = (
        *("component", "counted", "kind [source]", _count("count"), "unit cost"),
        Column("contribution", metric_of(metric).unit),
        Column("share", "share", 1),
    )
    title = f"{metric} of {design_name(result)}, fidelity {result.fidelity}: {f.metric(metric, total)}"
    error = result.expected_error.get(metric)
    notes = [Text(f"Expected error of the fit: {f.expected_error(error)}")] if error is not None else []
    notes += [Text(f"[{number}] {source}", style="dim") for source, number in sources.items()]
    return Group(Table(title, columns, rows, words=3), Text(), *notes, *footnotes(result))


def explanation_values(result: Result, metric: str) -> dict[str, Any]:
    """The same tree as plain values in SI units; the contributions add up to `total` exactly."""
    frame = result.explain(metric)
    return {
        "metric": metric,
        "total": math.fsum(frame["contribution"]),
        "expected_error": result.expected_error.get(metric),
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


def verification_table(checked: Verification) -> Table:
    """The figures on which the fidelities agree."""
    columns: Columns = ("figure", _count("value"))
    return Table("Figures on which analytic, cycle and rtl agree", columns, checked.figures.items())


def netlist_tables(report: NetlistReport) -> Group:
    """What a netlist is made of, and its longest path."""
    parts = [_lut_table(report)] if report.is_fpga else [_cell_table(report), Text(), _macro_table(report)]
    path = [Text(f"  {stage}") for stage in report.critical_path]
    unknown = f" ({report.untimed})" if report.critical_path_s is None else ""
    longest = f"Longest path: {f.scaled(report.critical_path_s, 's')}{unknown}"
    return Group(*parts, Text(), Text(longest, style="bold"), *path)


def _lut_table(report: NetlistReport) -> Table:
    rows = (
        (part.component, part.instances, *((part.resources or {})[name] for name in report.listed))
        for part in report.components
    )
    columns: Columns = ("component", _count("instances"), *(_count(name.upper()) for name in report.listed))
    return Table(f"Netlist mapped to {report.library}", columns, rows)


def _cell_table(report: NetlistReport) -> Table:
    rows = (
        (
            part.component,
            part.instances,
            part.cells,
            round(part.gate_equivalents),
            part.flops,
            part.area_mm2,
            part.toggles_per_cycle,
            part.activity,
        )
        for part in report.components
    )
    columns: Columns = (
        "component",
        *map(_count, ("instances", "cells", "gate equivalents", "flops")),
        Column("area", "mm2"),
        Column("toggles a cycle", "number"),
        Column("activity", "share", 1),
    )
    return Table(f"Netlist mapped to {report.library}", columns, rows)


def _macro_table(report: NetlistReport) -> Table:
    rows = (
        (f"{m.role} memory", m.number, f"{m.words} × {m.word_bits}", m.built_as, m.area_mm2)
        for m in report.memories
    )
    columns: Columns = ("memory", _count("number"), "words × bits", "built as", Column("area of one", "mm2"))
    return Table("Memories, priced from the technology's table", columns, rows)


def error_table(technology: str, errors: Sequence[Error]) -> Table:
    """How far the fitted logic lies from netlists that it never saw."""
    rows = ((e.metric, e.mean, e.worst, e.worst_case) for e in errors)
    columns: Columns = ("metric", Column("mean", "share"), Column("worst", "share"), "at")
    return Table(f"{technology}: error on held-out netlists", columns, rows)


def glitch_table(shares: Mapping[str, GlitchShare]) -> Table:
    """What glitches add to the switching of gates, by kind of component."""
    rows = ((name, share.value, share.spread, share.netlists) for name, share in shares.items())
    columns: Columns = (
        "component",
        Column("added, of a PE for each operand bit", "number"),
        Column("spread", "share", 1),
        _count("netlists"),
    )
    return Table("Glitches: switching of gates added to that without delays", columns, rows)


ZOO_COLUMNS: tuple[Column | str, ...] = ("network", _count("stored weights"), Column("compression", "ratio"))


def zoo_rows(networks: Iterable[TrainedNetwork]) -> Iterator[tuple[Any, ...]]:
    """Name, stored weights, compression, accuracy as floats and with 8 bits."""
    for network in networks:
        accuracy = (network.accuracy.get(form) for form in ("float", "int8"))
        yield (network.name, network.stored_weights, network.compression, *accuracy)


def network_table(networks: Iterable[TrainedNetwork]) -> Table:
    """The networks of the zoo."""
    accuracies = Column("accuracy (float)", "share"), Column("accuracy (8 bit)", "share")
    return Table("Networks of the zoo", (*ZOO_COLUMNS, *accuracies), zoo_rows(networks))
