"""What was compared: the figures that the page reads, the rows of its tables, and its charts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from archsim.costs.metrics import METRICS, figures, metric_of
from reports import formatting as f
from reports.charts import metric_bars, ratio_chart, stacked_bars
from reports.side_by_side import STATIC, SideBySide
from reports.studies.csc_dac2019.points import (
    BASELINES,
    PLACES,
    RATIOS,
    REFERENCE,
    SIZES,
    Point,
    Sides,
    settings_of,
    side_by_side,
    technologies_of,
)
from reports.studies.topologies.accuracy import Group, accuracy_chart, accuracy_table, with_error
from reports.studies.topologies.plan import BOTTOM_UP, LENET, PRUNED
from reports.studies.topologies.runs import Run, shipped_runs
from reports.tables import Cell, Column, Table
from reports.write_up.claims import FactorRule
from reports.write_up.provenance import assumptions_of
from reports.write_up.study_page import Findings

if TYPE_CHECKING:
    from archsim import DesignPoint, Result

COSTS = ("cycles", "latency_s", "energy_j", "power_w", "dynamic_power_w", "critical_path_s")
ASIC_COSTS = ("leakage_w", "area_mm2")
FPGA_COSTS = ("lut", "ff", "dsp", "bram_tiles")
ASIC_CLAIMED = {"power at equal throughput": "equal_throughput_power", "energy": "energy_j", "area": "size"}
FPGA_CLAIMED = {
    "power at equal throughput": "equal_throughput_power",
    "power without static power, at equal throughput": "equal_throughput_dynamic_power",
    "energy": "energy_j",
    "energy without static power": "dynamic_energy_j",
    "resources": "size",
}
"""What the paper claims a factor of, and the figure that it is held against. Power is only judged at equal
throughput: a design that takes longer has less of it, and that is no merit."""


def findings(
    results: Mapping[Point, Result],
    points: Mapping[Point, DesignPoint],
    content: Mapping[str, Any],
    runs: Sequence[Run] | None = None,
) -> Findings:
    """What the page reads. `content` is the study's data file; `runs` are those that are shipped, if not
    given."""
    sides = side_by_side(results)
    rule = FactorRule(**content["rule"])
    trained = Group.among(shipped_runs() if runs is None else runs, LENET)
    factors = list(_factors(sides, rule))
    first = sides[technologies_of(sides)[0], ""]
    settings = list(settings_of(sides, first.technology))
    shown = trained.labelled(REFERENCE, PRUNED, "clos", BOTTOM_UP)
    technologies = {points[point].technology.kind: points[point].technology for point in results}
    return Findings(
        figures={
            "sides": [_side(sides, technology, factors) for technology in technologies_of(sides)],
            "compressions": [side.compression for side in sides.values()],
            "sizes": SIZES,
            "labels": {name: metric.brief for name, metric in METRICS.items()},
            "factors": factors,
            "index_share": first.groups("energy_j", first.baseline).get("index memory", 0.0)
            / first.results[first.baseline].cost("energy_j"),
            "products_j": _products(first),
            "losses": _losses(settings, reference=True),
            "pruned_losses": _losses(settings, reference=False),
            "trained": _trained(trained),
        },
        filters={"with_error": with_error},
        rows={
            **{f"costs-{side.label}": _costs(side) for side in sides.values()},
            **{f"ratios-{side.label}": _ratios(side, content["hardware"]) for side in sides.values()},
            **{f"memory-x{side.compression:.0f}": list(_memory_rows(side)) for side in settings},
            "accuracy": accuracy_table(
                sorted(shown, key=lambda one: (-one.budget, -one.mean)), marked=(REFERENCE,)
            ),
        },
        charts={
            name: svg
            for technology in technologies_of(sides)
            for name, svg in _charts(
                list(settings_of(sides, technology)), content["hardware"]["factor"], rule
            ).items()
        }
        | {"csc-accuracy": _accuracy_chart(trained)},
        assumptions=assumptions_of(technologies),
        designs={
            point.file_name: yaml.safe_dump(points[point].model_dump(), sort_keys=False) for point in results
        },
        plain=_plain(results, sides),
    )


# What sentences read.


def _side(sides: Sides, technology: str, factors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A technology: its comparisons at each compression, and which topics got which verdict."""
    settings = list(settings_of(sides, technology))
    side = settings[0]
    verdicts = {
        verdict: [
            one["label"]
            for one in factors
            if one["place"] == PLACES[technology] and one["verdict"] == verdict
        ]
        for verdict in ("holds", "partly", "does not hold")
    }
    shares = {}
    for name in (REFERENCE, *BASELINES):
        groups = side.groups("energy_j" if side.is_asic else "lut", name)
        shares[name] = groups.get("address and route", 0.0) / (math.fsum(groups.values()) or 1.0)
    return {
        "technology": technology,
        "place": PLACES[technology],
        "settings": settings,
        "clock_hz": side.results[REFERENCE].clock_hz,
        "verdicts": {verdict: topics for verdict, topics in verdicts.items() if topics},
        "route_shares": shares,
    }


def _factors(sides: Sides, rule: FactorRule) -> Iterator[dict[str, Any]]:
    """Each claimed factor in each technology, at every compression; the least favourable one decides."""
    for technology in technologies_of(sides):
        settings = list(settings_of(sides, technology))
        for label, metric in (ASIC_CLAIMED if settings[0].is_asic else FPGA_CLAIMED).items():
            ratios = [side.ratio(metric, side.baseline) or math.nan for side in settings]
            others = [side.ratio(metric, side.other) or math.nan for side in settings]
            yield {
                "label": label,
                "metric": metric,
                "place": PLACES[technology],
                "settings": settings,
                "baselines": [side.baseline for side in settings],
                "others": [side.other for side in settings],
                "ratios": [
                    f.ratio_within(ratio, side.interval(metric, side.baseline))
                    for ratio, side in zip(ratios, settings, strict=True)
                ],
                "other_ratios": [
                    f.ratio_within(ratio, side.interval(metric, side.other))
                    for ratio, side in zip(others, settings, strict=True)
                ],
                "verdict": rule.judge(min(ratios)),
                "other_verdict": rule.judge(min(others)),
            }


def _products(side: SideBySide) -> dict[str, float]:
    """What a product costs in the PEs of each design, as far as the terms of energy tell."""
    switching = ("gates", "registers", "glitches")
    spent = {
        name: math.fsum(
            term.value
            for term in result.terms("energy_j")
            if term.component == "pe" and term.what in switching
        )
        / result.counts.products
        for name, result in side.results.items()
        if result.counts.products
    }
    return {name: energy for name, energy in spent.items() if energy}


def _losses(settings: Sequence[SideBySide], *, reference: bool) -> list[float]:
    """What CSC, or the baseline, loses of the dense network's accuracy at each compression."""
    dense = settings[0].results["dense"].accuracy or 0.0
    names = (REFERENCE if reference else side.baseline for side in settings)
    return [dense - (side.results[name].accuracy or 0.0) for name, side in zip(names, settings, strict=True)]


def _trained(group: Group) -> dict[str, Any]:
    """The networks that were trained with several seeds."""
    csc = group.labelled(REFERENCE)
    return {
        "group": group,
        "dense": group.dense,
        "csc": csc,
        "pruned": group.labelled(PRUNED),
        "losses": [group.dense.mean - one.mean for one in csc],
        "direct": {one.budget: one for one in csc},
        "bottom_up": group.labelled(BOTTOM_UP),
    }


# The tables.


def _costs(side: SideBySide) -> Table:
    metrics = [metric_of(name) for name in (*COSTS, *(ASIC_COSTS if side.is_asic else FPGA_COSTS))]
    return Table(
        "",
        ("design", *(Column(metric.brief, metric.unit) for metric in metrics)),
        ((name, *(metric.read(result) for metric in metrics)) for name, result in side.results.items()),
    )


def _ratios(side: SideBySide, claimed: Mapping[str, Any]) -> Table:
    others = [name for name in side.results if name != REFERENCE]
    rows = []
    for label, metric in (RATIOS if side.is_asic else RATIOS | {"resources": "size"}).items():
        ratios = [side.ratio(metric, name) for name in others]
        if ratios[0] is not None:
            said = f"about {claimed['factor']:g}×" if label.split(" at ")[0] in claimed["applies_to"] else ""
            shown = (
                None if ratio is None else Cell(ratio, f.ratio_within(ratio, side.interval(metric, name)))
                for name, ratio in zip(others, ratios, strict=True)
            )
            rows.append((label, said, *shown))
    heads = (f"{name}{' (baseline)' * (name == side.baseline)}" for name in others)
    return Table("", ("", "claimed, pruned ÷ CSC", *(Column(head, "ratio") for head in heads)), rows)


def _memory_rows(side: SideBySide) -> Iterator[tuple[Any, ...]]:
    for design, result in side.results.items():
        bits, counts, traffic = result.stored_bits, result.counts, result.traffic
        moved = (
            traffic[role].bits_read + traffic[role].bits_written if role in traffic else 0
            for role in ("weight", "index", "activation")
        )
        stored = (result.stored_weights, result.accuracy, bits.weight, bits.index)
        yield (design, *stored, counts.padding, counts.stalls, *moved)


# The charts.


def _accuracy_chart(trained: Group) -> str:
    dense = trained.dense
    levels = {f"dense, {with_error(dense)}": dense.mean, "two points below": dense.mean - 0.02}
    shown = [one for one in trained.networks if one.label in (REFERENCE, PRUNED, "clos")]
    return accuracy_chart("csc-accuracy", shown, levels=levels)


def _charts(settings: Sequence[SideBySide], claimed: float, rule: FactorRule) -> dict[str, str]:
    side = settings[0]
    shown = {name: figures(result) for name, result in side.results.items() if name != "dense"}
    labels = ("energy", "latency", *(("area",) if side.is_asic else ("LUT", "BRAM36 tiles")))
    panels = {
        label: {
            name: (values[RATIOS[label]], f.metric(RATIOS[label], values[RATIOS[label]]))
            for name, values in shown.items()
        }
        for label in labels
    }
    charts = {
        f"{side.technology}-ratios": _ratio_chart(settings, claimed, rule),
        f"{side.technology}-bars": metric_bars(f"{side.technology}-bars", panels),
    }
    parts = [("energy_j", "nJ", 1e-9), ("area_mm2", "mm²", 1.0) if side.is_asic else ("lut", "LUT", 1.0)]
    for metric, unit, scale in parts:
        stacks = {
            name: {group: value for group, value in side.groups(metric, name).items() if group != STATIC}
            for name in shown
        }
        totals = [f.metric(metric, math.fsum(stack.values())) for stack in stacks.values()]
        name = f"{side.technology}-{metric}"
        charts[name] = stacked_bars(name, unit, scale, stacks, totals)
    return charts


def _ratio_chart(settings: Sequence[SideBySide], claimed: float, rule: FactorRule) -> str:
    labels = {"asic": ("energy", "area"), "fpga": ("energy", "dynamic energy")}
    rows = {}
    for side in settings:
        metrics = {label: RATIOS[label] for label in labels["asic" if side.is_asic else "fpga"]}
        metrics |= ({} if side.is_asic else {"resources": "size"}) | {"latency": "latency_s"}
        for name in BASELINES:
            rows[f"{name}, {side.compression:.0f}×"] = {
                label: side.ratio(metric, name) or 0.0 for label, metric in metrics.items()
            }
    name = f"{settings[0].technology}-ratios"
    return ratio_chart(name, rows, claimed=claimed, partly_from=rule.partly_from)


def _plain(results: Mapping[Point, Result], sides: Sides) -> dict[str, Any]:
    """Results and ratios as plain values."""
    return {
        "results": {point.file_name: result.to_dict() for point, result in results.items()},
        "comparisons": [
            {
                "technology": side.technology,
                "compression": side.compression,
                "baseline": side.baseline,
                "ratios_to_csc": {
                    name: {
                        label: side.ratio(metric, name)
                        for label, metric in (RATIOS | {"size": "size"}).items()
                    }
                    for name in side.results
                    if name != REFERENCE
                },
                "ends_of_ratios": {
                    name: {
                        label: ends
                        for label, metric in (RATIOS | {"size": "size"}).items()
                        if (ends := side.interval(metric, name))
                    }
                    for name in side.results
                    if name != REFERENCE
                },
            }
            for side in sides.values()
        ],
    }
