"""The charts of the comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archsim.costs.metrics import figures
from reports import formatting as f
from reports.pictures.charts import metric_bars, ratio_chart, stacked_bars
from reports.pictures.front import Dot, front_chart
from reports.side_by_side import STATIC, SideBySide
from reports.studies.csc_dac2019.points import DENSE, INDEXED, RATIOS, REFERENCE, Point
from reports.studies.csc_dac2019.tables import FRONTS
from reports.studies.topologies.accuracy import Group, accuracy_chart
from reports.studies.topologies.compared import with_error
from reports.studies.topologies.plan import PRUNED
from reports.write_up.claims import FactorRule

if TYPE_CHECKING:
    from archsim.explore.search.settings import Found


def trained_chart(trained: Group) -> str:
    dense = trained.dense
    levels = {f"dense, {with_error(dense)}": dense.mean, "two points below": dense.mean - 0.02}
    shown = [one for one in trained.networks if one.label in (REFERENCE, PRUNED)]
    return accuracy_chart("csc-accuracy", shown, levels=levels)


def fronts_chart(searched: Mapping[Point, Found]) -> str:
    """Accuracy over energy and over area, of every network on every engine."""
    dots = [
        Dot(
            point.design,
            point.short,
            one.result.accuracy,
            {label: one.result.cost(metric) for label, metric in FRONTS.items()},
        )
        for point, one in searched.items()
        if one.result.accuracy is not None
    ]
    return front_chart("fronts", {"energy": ("nJ an inference", 1e-9), "area": ("mm²", 1.0)}, dots)


def charts_of(settings: Sequence[SideBySide], claimed: float, rule: FactorRule) -> dict[str, str]:
    """Ratios, costs and their parts in one technology, at the first compression."""
    side = settings[0]
    shown = {name: figures(result) for name, result in side.results.items() if name != DENSE}
    labels = ("energy", "interval", *(("area",) if side.is_asic else ("LUT", "BRAM36 tiles")))
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
        metrics |= ({} if side.is_asic else {"resources": "size"}) | {"interval": "interval_s"}
        for name in side.candidates:
            rows[f"{name.replace(INDEXED, '').strip()}, {side.compression:.0f}×"] = {
                label: side.ratio(metric, name) or 0.0 for label, metric in metrics.items()
            }
    name = f"{settings[0].technology}-ratios"
    return ratio_chart(name, rows, claimed=claimed, partly_from=rule.partly_from)
