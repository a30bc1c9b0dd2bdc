"""Tables and charts of the comparison of the CSC paper, a section for each technology."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from archsim.costs.metrics import figures, metric_of
from reports import formatting as f
from reports.charts import metric_bars, ratio_chart, stacked_bars
from reports.claims import FactorRule
from reports.report import Chart, Section
from reports.side_by_side import STATIC, SideBySide
from reports.studies.csc_dac2019.points import (
    BASELINES,
    METRICS,
    PLACES,
    REFERENCE,
    Sides,
    settings_of,
    technologies_of,
)
from reports.tables import Column, Table

COSTS = ("cycles", "latency_s", "energy_j", "power_w", "dynamic_power_w", "critical_path_s")
ASIC_COSTS = ("leakage_w", "area_mm2")
FPGA_COSTS = ("lut", "ff", "dsp", "bram_tiles")


def sections(sides: Sides, claims: Mapping[str, Any], rule: FactorRule) -> Iterator[Section]:
    """A section for each technology, and one for what holds in all of them."""
    for technology in technologies_of(sides):
        settings = list(settings_of(sides, technology))
        yield Section(
            heading=f"{PLACES[technology]} at {f.scaled(settings[0].results[REFERENCE].clock_hz, 'Hz')}",
            tables=tuple(
                table for side in settings for table in (_costs_table(side), _ratio_table(side, claims))
            ),
            charts=tuple(_charts(settings, claims["hardware"]["factor"], rule)),
        )
    settings = list(settings_of(sides, technologies_of(sides)[0]))
    yield Section(
        heading="What is stored and moved",
        paragraphs=(
            "These counts are the same in every technology. A fetch brings 64 bits of weights or of "
            "indices; padding are the zeros that a narrow index needs between two weights that lie far "
            "apart.",
        ),
        tables=tuple(_memory_table(side) for side in settings),
    )


def _label(side: SideBySide) -> str:
    return f"{side.technology}-x{side.compression:.0f}"


def _rows_marked(side: SideBySide) -> frozenset[int]:
    return frozenset({list(side.results).index(side.baseline)})


def _costs_table(side: SideBySide) -> Table:
    metrics = [metric_of(name) for name in (*COSTS, *(ASIC_COSTS if side.is_asic else FPGA_COSTS))]
    return Table(
        f"{PLACES[side.technology]}, {side.compression:.1f}× compression: costs of one inference",
        ("design", *(Column(metric.brief, metric.unit) for metric in metrics)),
        ((design, *(metric.read(result) for metric in metrics)) for design, result in side.results.items()),
        name=f"costs-{_label(side)}",
        marked=_rows_marked(side),
        note=f"Baseline: {side.baseline}."
        + (" The dense network is uncompressed." if "dense" in side.results else ""),
    )


def _ratio_table(side: SideBySide, claims: Mapping[str, Any]) -> Table:
    others = [name for name in side.results if name != REFERENCE]
    claimed = {"power", "energy", "area", "resources"} & set(claims["hardware"]["applies_to"])
    rows = []
    for label, metric in [*METRICS.items(), ("resources", "size")]:
        ratios = [side.size_ratio(name) if metric == "size" else side.ratio(metric, name) for name in others]
        if ratios[0] is not None and not (metric == "size" and side.is_asic):
            said = f"about {claims['hardware']['factor']:g}×" if label in claimed else ""
            rows.append((label, said, *ratios))
    heads = (f"{name}{' (baseline)' * (name == side.baseline)}" for name in others)
    return Table(
        f"{PLACES[side.technology]}, {side.compression:.1f}× compression: ratios to CSC",
        ("", "claimed, pruned ÷ CSC", *(Column(head, "ratio") for head in heads)),
        rows,
        name=f"ratios-{_label(side)}",
        note=""
        if side.is_asic
        else "Resources: geometric mean of the ratios of LUT, FF and BRAM36 tiles that both use.",
    )


def _memory_table(side: SideBySide) -> Table:
    roles = ("weight", "index", "activation")
    rows = []
    for design, result in side.results.items():
        bits, counts, traffic = result.stored_bits, result.counts, result.traffic
        moved = (
            traffic[role].bits_read + traffic[role].bits_written if role in traffic else 0 for role in roles
        )
        stored = (result.stored_weights, result.accuracy, bits.weight, bits.index)
        rows.append((design, *stored, counts.padding, counts.stalls, *moved))
    return Table(
        f"{side.compression:.1f}× compression: what is stored, and moved in one inference",
        (
            "design",
            Column("stored weights", "count"),
            Column("accuracy", "share"),
            Column("weights", "stored"),
            Column("indices", "stored"),
            Column("padding weights", "count"),
            Column("stalled PE-cycles", "count"),
            *(Column(f"{what} moved", "stored") for what in ("weights", "indices", "activations")),
        ),
        rows,
        name=f"memory-x{side.compression:.0f}",
        marked=_rows_marked(side),
    )


# The charts.


def _charts(settings: list[SideBySide], claimed: float, rule: FactorRule) -> Iterator[Chart]:
    side = settings[0]
    place = PLACES[side.technology]
    labels = (
        ("power", "energy", "area")
        if side.is_asic
        else ("power", "dynamic power", "energy", "dynamic energy")
    )
    ratios: dict[str, dict[str, float]] = {}
    for each in settings:
        for name in BASELINES:
            row = {label: each.ratio(METRICS[label], name) or 0.0 for label in labels}
            row |= {} if side.is_asic else {"resources": each.size_ratio(name)}
            row |= {"latency": each.ratio("latency_s", name) or 0.0}
            ratios[f"{name}, {each.compression:.0f}×"] = row
    yield Chart(
        ratio_chart(f"{side.technology}-ratios", ratios, claimed=claimed, partly_from=rule.partly_from),
        f"{place}: what the pruned designs take, as multiples of CSC, at two compressions. The shaded band "
        "is where the claim does not hold.",
    )
    panels = [("energy", "energy_j"), ("power", "power_w"), ("latency", "latency_s")]
    panels += [("area", "area_mm2")] if side.is_asic else [("LUT", "lut"), ("BRAM36 tiles", "bram_tiles")]
    found = {name: figures(result) for name, result in side.results.items() if name != "dense"}
    yield Chart(
        metric_bars(
            f"{side.technology}-bars",
            {
                title: {name: (each[metric], f.metric(metric, each[metric])) for name, each in found.items()}
                for title, metric in panels
            },
        ),
        f"{place}: costs at {side.compression:.1f}× compression. The dense design is in the table; it would "
        "dwarf these.",
    )
    energy = "energy of one inference" if side.is_asic else "energy of one inference without static power"
    parts = [("energy_j", "nJ", 1e-9, energy)]
    parts += [("area_mm2", "mm²", 1.0, "area")] if side.is_asic else [("lut", "LUT", 1.0, "LUTs")]
    for metric, unit, scale, title in parts:
        stacks = {
            name: {group: value for group, value in side.groups(metric, name).items() if group != STATIC}
            for name in found
        }
        totals = [f.metric(metric, math.fsum(stack.values())) for stack in stacks.values()]
        yield Chart(
            stacked_bars(f"{side.technology}-{metric}", unit, scale, stacks, totals),
            f"{place}: {title} by component at {side.compression:.1f}× compression.",
        )
