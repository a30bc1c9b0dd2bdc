"""Tables for the terminal: one result, several side by side, the terms of a number, the zoo."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports import formatting as f

if TYPE_CHECKING:
    from archsim import Result, TrainedNetwork, Verification
    from archsim.calibration.calibrate import Error
    from archsim.calibration.glitches import GlitchShare
    from archsim.netlist_report import NetlistReport


def grid(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> Table:
    """A table whose first `left` columns are words and whose others are numbers, set to the right. Headings
    may take several lines, cells never. Square brackets are plain text."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None)
    body = list(rows)
    for place, column in enumerate(columns):
        widest = max((len(row[place]) for row in body), default=0)
        if place < left:
            table.add_column(Text(column), overflow="fold", min_width=widest)
        else:
            table.add_column(Text(column), justify="right", min_width=widest)
    for row in body:
        table.add_row(*(Text(cell) for cell in row))
    return table


def design_name(result: Result) -> str:
    """Engine and network in a few words."""
    engine = result.design["engine"]
    kind = " ".join(engine[field] for field in ("kind", "gather") if field in engine)
    return f"{result.design['network']} on {kind}, {engine['pes']} PEs"


def _figures(result: Result) -> list[tuple[str, str]]:
    """The figures of a result, by name."""
    resources = result.resources or {}
    figures = [
        ("cycles", f.count(result.cycles)),
        ("latency", f.scaled(result.latency_s, "s")),
        ("inferences a second", f.significant(result.inferences_per_s)),
        ("energy an inference", f.scaled(result.energy_j, "J")),
        ("power", f.scaled(result.power_w, "W")),
        ("dynamic power", f.scaled(result.dynamic_power_w, "W")),
        ("leakage or static power", f.scaled(result.leakage_w, "W")),
        *([("area", f.area(result.area_mm2))] if result.is_asic else []),
        *((name.upper(), f.count(number)) for name, number in resources.items()),
        *((name.upper(), f.count(None)) for name in result.unknown_resources),
        ("critical path", f.scaled(result.critical_path_s, "s")),
        ("stored weights", f.count(result.stored_weights)),
        ("weight memory", f.stored(result.stored_bits.weight)),
        ("index memory", f.stored(result.stored_bits.index)),
        ("memory traffic", f.stored(traffic_bits(result))),
        ("compression", f.ratio(result.compression)),
        ("accuracy", f.percent(result.accuracy, 2)),
    ]
    return figures


_METRIC_OF = {
    "energy an inference": "energy_j",
    "power": "power_w",
    "dynamic power": "dynamic_power_w",
    "leakage or static power": "leakage_w",
    "area": "area_mm2",
    "critical path": "critical_path_s",
    "LUT": "lut",
    "FF": "ff",
}


def _figures_with_errors(result: Result) -> list[tuple[str, str, str]]:
    """The figures, each with its expected error where it rests on a fit."""
    rows = []
    for name, value in _figures(result):
        error = result.expected_error.get(_METRIC_OF.get(name, ""))
        rows.append((name, value, "" if error is None else f.expected_error(error)))
    return rows


def _with_errors(result: Result) -> Table:
    """The figures as a table."""
    rows = _figures_with_errors(result)
    if any(error for _, _, error in rows):
        return grid("Figures", ("", "", "expected error of the fit"), rows)
    return grid("Figures", ("", ""), (row[:2] for row in rows))


def traffic_bits(result: Result) -> int:
    """Bits through all memory ports in one inference."""
    return sum(t.bits_read + t.bits_written for t in result.traffic.values())


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
        if getattr(result, metric) is not None:
            parts += [Text(), breakdown(result, metric, title)]
    if result.resources:
        parts += [Text(), _resources(result)]
    traffic = (
        (role, f.count(t.words_read), f.count(t.words_written), f.stored(t.bits_read + t.bits_written))
        for role, t in result.traffic.items()
    )
    parts += [Text(), grid("Traffic", ("memory", "words read", "words written", "data"), traffic)]
    return Group(*parts, *footnotes(result))


def breakdown(result: Result, metric: str, title: str) -> Table:
    """A metric by component, with each share."""
    parts = result.by_component(metric)
    total = math.fsum(parts.values()) or 1.0
    rows = (
        (name, f.metric(metric, value), f.percent(value / total)) for name, value in parts.items() if value
    )
    return grid(title, ("component", metric.rpartition("_")[0], "share"), rows)


def _resources(result: Result) -> Table:
    names = tuple(result.resources or ())
    rows = (
        (component, *(f.count(taken[name]) for name in names))
        for component, taken in result.bill.resources.items()
    )
    return grid("Resources by component", ("component", *(name.upper() for name in names)), rows)


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
    heads = [design_name(result) for result in results]
    names = [f"{chr(ord('A') + place)}" if place < 26 else str(place) for place in range(len(results))]
    legend = grid("Designs", ("", "design"), zip(names, heads, strict=True), left=2)
    sides = [
        {
            name: f"{value} ({error})" if error else value
            for name, value, error in _figures_with_errors(result)
        }
        for result in results
    ]
    figures = ((name, *(side.get(name, "—") for side in sides)) for name in sides[0])
    shown: list[RenderableType] = [legend, Text(), grid("Figures", ("", *names), figures)]
    ratios = (
        (name, *(f.ratio(value) for value in values)) for name, values in ratios_to_first(results).items()
    )
    shown += [Text(), grid(f"Ratios to {names[0]}", ("", *names), ratios)]
    warnings = [
        Text(f"Warning ({name}): {warning}", style="yellow")
        for name, result in zip(names, results, strict=True)
        for warning in result.warnings
    ]
    return Group(*shown, *warnings)


def ratios_to_first(results: Sequence[Result]) -> dict[str, list[float | None]]:
    """Each figure divided by that of the first result; None where the first has none of it."""
    sides = [comparable(result) for result in results]
    return {
        name: [side[name] / first if first and name in side else None for side in sides]
        for name, first in sides[0].items()
    }


def comparable(result: Result) -> dict[str, float]:
    """The figures of a result of which less is better, by name."""
    figures: dict[str, float] = {
        name: getattr(result, name)
        for name in ("cycles", "latency_s", "energy_j", "power_w", "dynamic_power_w", "area_mm2")
        if getattr(result, name) is not None
    }
    bits = {"stored_bits": result.stored_bits.total, "traffic_bits": traffic_bits(result)}
    return figures | dict(result.resources or {}) | bits


def explanation(result: Result, metric: str) -> Group:
    """The tree behind a metric: components, largest first, the terms of each, and their sources below."""
    terms = [term for term in result.terms(metric) if term.value]
    total = math.fsum(term.value for term in terms)
    distinct = dict.fromkeys(term.source for term in terms)
    sources = {source: number for number, source in enumerate(distinct, start=1)}
    rows = []
    for component, contribution in result.by_component(metric).items():
        own = [term for term in terms if term.component == component]
        if not own:
            continue
        share = f.percent(contribution / total)
        rows.append((component, "", "", "", "", _contribution(result, metric, contribution), share))
        rows += [
            (
                f"  {'└' if term is own[-1] else '├'} {term.what}",
                term.counted,
                f"{term.kind} [{sources[term.source]}]",
                f.count(int(term.count)) if term.count == int(term.count) else f.significant(term.count),
                f.unit_cost(term.unit_cost, term.unit),
                _contribution(result, metric, term.value),
                f.percent(term.value / total),
            )
            for term in own
        ]
    columns = ("component", "counted", "kind [source]", "count", "unit cost", "contribution", "share")
    sum_shown = _contribution(result, metric, total)
    title = f"{metric} of {design_name(result)}, fidelity {result.fidelity}: {sum_shown}"
    error = result.expected_error.get(metric)
    notes = [Text(f"Expected error of the fit: {f.expected_error(error)}")] if error is not None else []
    notes += [Text(f"[{number}] {source}", style="dim") for source, number in sources.items()]
    return Group(grid(title, columns, rows, left=3), Text(), *notes, *footnotes(result))


def _contribution(result: Result, metric: str, value: float) -> str:
    """A cost in its unit, or a whole number of what an FPGA has."""
    return f.count(int(value)) if metric in (result.resources or {}) else f.metric(metric, value)


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
    rows = ((name, f.count(value)) for name, value in checked.figures.items())
    return grid("Figures on which analytic, cycle and rtl agree", ("figure", "value"), rows)


def netlist_tables(report: NetlistReport) -> Group:
    """What a netlist is made of, and its longest path."""
    parts: list[RenderableType] = []
    components, title = report.components, f"Netlist mapped to {report.library}"
    if report.is_fpga:
        rows = (
            (
                part.component,
                f.count(part.instances),
                *(f.count((part.resources or {})[n]) for n in report.listed),
            )
            for part in components
        )
        heads = tuple(name.upper() for name in report.listed)
        parts.append(grid(title, ("component", "instances", *heads), rows))
    else:
        rows = (
            (
                each.component,
                f.count(each.instances),
                f.count(each.cells),
                f.count(round(each.gate_equivalents)),
                f.count(each.flops),
                f.area(each.area_mm2),
                f.significant(each.toggles_per_cycle),
                f.percent(each.activity),
            )
            for each in components
        )
        names = ("component", "instances", "cells", "gate equivalents", "flops", "area")
        parts.append(grid(title, (*names, "toggles a cycle", "activity"), rows))
        kept = (
            (
                f"{each.role} memory",
                f.count(each.number),
                f"{each.words} × {each.word_bits}",
                each.built_as,
                f.area(each.area_mm2),
            )
            for each in report.memories
        )
        columns = ("memory", "number", "words × bits", "built as", "area of one")
        parts += [Text(), grid("Memories, priced from the technology's table", columns, kept)]
    path = [Text(f"  {stage}") for stage in report.critical_path]
    unknown = f" ({report.untimed})" if report.critical_path_s is None else ""
    longest = f"Longest path: {f.scaled(report.critical_path_s, 's')}{unknown}"
    return Group(*parts, Text(), Text(longest, style="bold"), *path)


def error_table(technology: str, errors: Sequence[Error]) -> Table:
    """How far the fitted logic lies from netlists that it never saw."""
    rows = ((e.metric, f.percent(e.mean, 2), f.percent(e.worst, 2), e.worst_case) for e in errors)
    return grid(f"{technology}: error on held-out netlists", ("metric", "mean", "worst", "at"), rows)


def glitch_table(shares: Mapping[str, GlitchShare]) -> Table:
    """What glitches add to the switching of gates, by kind of component."""
    rows = (
        (name, f.significant(each.value), f.percent(each.spread), f.count(each.netlists))
        for name, each in shares.items()
    )
    columns = ("component", "added, of a PE for each operand bit", "spread", "netlists")
    return grid("Glitches: switching of gates added to that without delays", columns, rows)


def network_table(networks: Sequence[TrainedNetwork]) -> Table:
    """The networks of the zoo."""
    rows = (
        (
            each.name,
            f.count(each.stored_weights),
            f.ratio(each.compression),
            f.percent(each.accuracy.get("float"), 2),
            f.percent(each.accuracy.get("int8"), 2),
        )
        for each in networks
    )
    columns = ("network", "stored weights", "compression", "accuracy (float)", "accuracy (8 bit)")
    return grid("Networks of the zoo", columns, rows)
