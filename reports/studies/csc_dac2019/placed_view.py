"""What is told of the designs that were placed: every ratio at gate and at layout, what each design came to,
and pictures of cores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archsim.costs.metrics import metric_of
from archsim.technology import Fpga, technologies
from reports import formatting as f
from reports.studies.csc_dac2019.placing import (
    FIDELITIES,
    GATE,
    LAYOUT,
    OWN_CLOCK,
    UNPLACED,
    Comparison,
    Placed,
)
from reports.studies.csc_dac2019.points import place_of
from reports.tables import Cell, Column, Table
from reports.views.layouts import SHOWN
from reports.write_up.predictions import signed_percent
from reports.write_up.report import Chart

_TIMES = {"path": "critical_path_s", "own clock": OWN_CLOCK}
ASIC_RATIOS = {"energy": "energy_j", "area": "area_mm2"} | _TIMES
FPGA_RATIOS = {"LUT4": "lut4", "FF": "ff", "EBR": "ebr", "resources": "size"} | _TIMES
"""What a ratio is told of, and the name of the figure."""

ASIC_COSTS, FPGA_COSTS = ("energy_j", "area_mm2", "critical_path_s"), ("lut4", "ff", "ebr", "critical_path_s")
"""What is told of each design."""


def figures(placed: Sequence[Placed]) -> dict[str, Any]:
    """What sentences read: what was placed, and the FPGA of the comparison that cannot be."""
    family = technologies[UNPLACED]
    why = family.unplaced if issubclass(family, Fpga) else ""
    return {"placed": placed, "unplaced": {"place": place_of(UNPLACED), "why": why}}


def ratio_table(placed: Placed) -> Table:
    """Every ratio of every comparison: at gate, where it is known there, and at layout, with how far that is
    from it."""
    told = [_ratios(placed, one) for one in placed.comparisons]
    known = {label for ratios in told for label, (gate, _) in ratios.items() if gate is not None}
    columns = [Column("designs"), Column("at equal")]
    for label in told[0]:
        columns += [Column(f"{label}, {fidelity}", "ratio") for fidelity in FIDELITIES[label not in known :]]
    apart = [] if placed.is_asic else [label for label in _TIMES if label not in known]
    columns += [Column(f"{label}, {place_of(UNPLACED)} at gate", "ratio") for label in apart]
    rows = (
        (
            f"{one.design.name} ÷ {one.reference.name}",
            one.basis.removeprefix("equal "),
            *(cell for label in ratios for cell in _cells(*ratios[label])[label not in known :]),
            *(placed.ratio(one, _TIMES[label], "original") for label in apart),
        )
        for one, ratios in zip(placed.comparisons, told, strict=True)
    )
    return Table("", columns, rows, words=2)


def _cells(gate: float | None, layout: float | None) -> tuple[float | None, Cell | float | None]:
    """A ratio at gate and at layout, there with how far it is from gate."""
    if gate is None or layout is None:
        return gate, layout
    return gate, Cell(layout, f"{f.ratio(layout)} ({signed_percent(layout / gate - 1)})")


def _ratios(placed: Placed, one: Comparison) -> dict[str, tuple[float | None, float | None]]:
    """Those of a comparison, at gate and at layout: none of energy on an ECP5, for nobody knows it."""
    return {
        label: (placed.ratio(one, metric, GATE), placed.ratio(one, metric, LAYOUT))
        for label, metric in (ASIC_RATIOS if placed.is_asic else FPGA_RATIOS).items()
    }


def design_table(placed: Placed) -> Table:
    """What each design came to, mapped and placed."""
    metrics = [metric_of(name) for name in (ASIC_COSTS if placed.is_asic else FPGA_COSTS)]
    columns = (
        Column(f"{metric.brief}, {fidelity}", metric.unit) for metric in metrics for fidelity in FIDELITIES
    )
    rows = (
        (
            point.name,
            laid.gate.compression,
            *(metric.read(result) for metric in metrics for result in (laid.gate, laid.layout)),
        )
        for point, laid in placed.laid.items()
    )
    return Table("", ("design", Column("compression", "times", 1), *columns), rows)


def rows(placed: Sequence[Placed]) -> dict[str, Table]:
    """The tables by name."""
    made = {}
    for one in placed:
        if one.comparisons:
            made[f"placed-ratios-{one.technology}"] = ratio_table(one)
            made[f"placed-{one.technology}"] = design_table(one)
    return made


def charts(placed: Sequence[Placed]) -> dict[str, Chart]:
    """The pictures by name, with what they show."""
    return {
        f"{drawing}-{point.file_name}": Chart(svg, f"{one.place}: {SHOWN[drawing].format(name=point.name)}")
        for one in placed
        for point, laid in one.laid.items()
        for drawing, svg in laid.drawings.items()
    }


def plain(placed: Sequence[Placed]) -> dict[str, Any]:
    """As plain values; nothing where nothing was to be placed."""
    told = [
        {
            "technology": one.technology,
            "refused": dict(one.refused),
            "ratios": [_plain_ratios(one, comparison) for comparison in one.comparisons],
            "results": {
                point.file_name: {GATE: laid.gate.to_dict(), LAYOUT: laid.layout.to_dict()}
                for point, laid in one.laid.items()
            },
        }
        for one in placed
    ]
    return {"placed": told} if told else {}


def _plain_ratios(placed: Placed, one: Comparison) -> Mapping[str, Any]:
    told = _ratios(placed, one).items()
    ratios = {label: dict(zip(FIDELITIES, values, strict=True)) for label, values in told}
    return {
        "basis": one.basis,
        "reference": one.reference.name,
        "design": one.design.name,
        "ratios": ratios,
    }
