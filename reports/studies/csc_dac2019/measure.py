"""What was compared: the figures that the page reads, and what goes into its files."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archsim.costs.equal_data import product_energy_j, with_equal_data
from archsim.costs.metrics import METRICS
from reports import formatting as f
from reports.side_by_side import SideBySide
from reports.studies.csc_dac2019 import bits_view, map_view, placed_view, tables
from reports.studies.csc_dac2019.bits_view import AtEqualBits
from reports.studies.csc_dac2019.drawings import charts_of, fronts_chart
from reports.studies.csc_dac2019.equal_accuracy import STANDARD_ERROR, Pair, near_ties, pairs
from reports.studies.csc_dac2019.placing import Placed
from reports.studies.csc_dac2019.points import (
    DENSE,
    FAMILY,
    FRONT,
    RATIOS,
    REFERENCE,
    SIZES,
    Point,
    Sides,
    of_technology,
    place_of,
    settings_of,
    side_by_side,
    technologies_of,
)
from reports.studies.csc_dac2019.ratio_map import Meeting
from reports.studies.csc_dac2019.skipping import skipping
from reports.studies.csc_dac2019.trained_view import TrainedView
from reports.studies.topologies.compared import with_error
from reports.studies.topologies.runs import Run
from reports.tables import Table
from reports.write_up.claims import FactorRule
from reports.write_up.provenance import assumptions_of
from reports.write_up.study_page import Findings
from reports.write_up.verdicts import Verdict
from workloads.strict_yaml import dump_yaml

if TYPE_CHECKING:
    from archsim import DesignPoint, Result
    from archsim.explore.search.settings import Found

Results = Mapping[Point, "Result"]
"""Results by design point."""

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

EQUAL_DATA_CLAIMED = {"energy and power at equal throughput, data made equal": "energy_j"}
CLOCK_STEP_HZ = 1e6
"""In what steps a design's own clock is chosen."""


def findings(
    results: Results,
    points: Mapping[Point, DesignPoint],
    searched: Mapping[Point, Found],
    content: Mapping[str, Any],
    runs: Sequence[Run] | None = None,
    grown: Sequence[Run] | None = None,
    met: Sequence[Meeting] = (),
    placed: Sequence[Placed] = (),
    narrow: AtEqualBits | None = None,
) -> Findings:
    """What the page reads, of the designs that were mapped and of all whose settings were `searched`.
    `content` is the study's data file; `runs`, and `grown` ones, are those that are shipped, if not given;
    `met` is the map and `placed` what was placed, if asked for; `narrow` are the networks with narrower
    weights."""
    sides, own = side_by_side(results), at_own_clocks(results)
    equal = {key: replace(side, results=with_equal_data(side.results)) for key, side in sides.items()}
    rule = FactorRule(**content["rule"])
    trained = TrainedView.of(content, runs, grown)
    paired = {name: pairs(results, name) for name in technologies_of(sides)}
    near = {name: near_ties(results, name) for name in paired}
    on_front = {point: one for point, one in searched.items() if point.technology == FRONT}
    technologies = {points[point].technology.kind: points[point].technology for point in results}
    return Findings(
        figures=_figures(sides, equal, side_by_side(own), paired, rule)
        | {"near": near, "standard_error": STANDARD_ERROR}
        | _searched(results, searched, on_front)
        | {"map": map_view.figures(met), "bits": bits_view.figures(narrow)}
        | trained.figures()
        | placed_view.figures(placed),
        filters={"with_error": with_error, "short": lambda network: network.removeprefix(FAMILY)},
        rows=_rows(results, sides, equal, content)
        | bits_view.tables(narrow, sides, paired[FRONT])
        | {f"equal-accuracy-{name}": tables.pair_table(of) for name, of in paired.items()}
        | {f"near-ties-{name}": tables.pair_table(of) for name, of in near.items()}
        | {f"own-clock-{name}": _own_clock(results, own, name) for name in paired}
        | {f"settings-{name}": _settings(points, searched, results, name) for name in paired}
        | {"front": tables.front_table(on_front)}
        | trained.rows()
        | map_view.rows(met)
        | placed_view.rows(placed),
        charts={
            **_charts(sides, content["hardware"]["factor"], rule),
            **trained.charts(),
            "fronts": fronts_chart(on_front),
            **bits_view.charts(narrow),
            **map_view.charts(met),
            **placed_view.charts(placed),
        },
        assumptions=assumptions_of(technologies),
        designs={point.file_name: dump_yaml(points[point].model_dump()) for point in results}
        | bits_view.designs(narrow),
        plain=_plain(results, sides, equal, paired, own, searched)
        | ({"map": map_view.plain(met)} if met else {})
        | bits_view.plain(narrow)
        | placed_view.plain(placed),
        data=(map_view.map_table(met),) if met else (),
    )


def _searched(
    results: Results, searched: Mapping[Point, Found], on_front: Mapping[Point, Found]
) -> dict[str, Any]:
    """What sentences read of the search for settings, and of the designs that came of it."""
    return {
        "fronts": tables.fronts(on_front),
        "front_place": place_of(FRONT),
        "front_errors": _fit_errors(on_front),
        "front_size": len(on_front),
        "devices": _devices(results),
        "clock_step_hz": CLOCK_STEP_HZ,
        "missed": _missed(results),
        "tried": sum(one.tried for one in searched.values()),
        "searched": len(searched),
    }


def _missed(results: Results) -> list[str]:
    """The designs whose critical path does not allow the common clock."""
    slow = (point for point, result in results.items() if not result.clock_met)
    return [f"{point.name} in {place_of(point.technology)}" for point in slow]


def _charts(sides: Sides, claimed: float, rule: FactorRule) -> dict[str, str]:
    """The charts of designs of equally many weights."""
    of_each = (charts_of([*settings_of(sides, name)], claimed, rule) for name in technologies_of(sides))
    return {name: svg for charts in of_each for name, svg in charts.items()}


def at_own_clocks(results: Results) -> dict[Point, Result]:
    """Every design at the fastest clock that its critical path allows, in steps; one that nobody timed is
    left out."""
    return {
        point: result.at_clock(max(1, math.floor(1 / (path_s * CLOCK_STEP_HZ))) * CLOCK_STEP_HZ)
        for point, result in results.items()
        if (path_s := result.critical_path_s)
    }


def _figures(
    sides: Sides,
    equal: Sides,
    fastest: Sides,
    paired: Mapping[str, Sequence[Pair]],
    rule: FactorRule,
) -> dict[str, Any]:
    """What sentences read of the designs that were mapped."""
    factors = [*claimed_factors(sides, equal, rule)]
    first = sides[technologies_of(sides)[0], ""]
    settings = list(settings_of(sides, first.technology))
    index_j = first.groups("energy_j", first.baseline).get("index memory", 0.0)
    return {
        "sides": [
            _side(sides, technology, factors)
            | {
                "equal": [side for side in settings_of(equal, technology) if side.is_asic],
                "fastest": [*settings_of(fastest, technology)],
            }
            for technology in technologies_of(sides)
        ],
        "pairs": {place_of(name): of for name, of in paired.items()},
        "skipping": skipping({place_of(name): of for name, of in paired.items()}),
        "compressions": [side.compression for side in sides.values()],
        "sizes": SIZES,
        "labels": {name: metric.brief for name, metric in METRICS.items()},
        "factors": factors,
        "index_share": index_j / first.results[first.baseline].cost("energy_j"),
        "products_j": {name: j for name, one in first.results.items() if (j := product_energy_j(one))},
        "losses": _losses(settings, reference=True),
        "pruned_losses": _losses(settings, reference=False),
    }


def _side(sides: Sides, technology: str, factors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A technology: its comparisons at each compression, and which topics got which verdict."""
    settings = list(settings_of(sides, technology))
    side = settings[0]
    verdicts = {
        verdict: [
            one["label"]
            for one in factors
            if one["place"] == place_of(technology) and one["verdict"] == verdict and not one["equal_data"]
        ]
        for verdict in Verdict
    }
    shares = {}
    for name in (REFERENCE, *side.candidates):
        groups = side.groups("energy_j" if side.is_asic else "lut", name)
        shares[name] = groups.get("address and route", 0.0) / (math.fsum(groups.values()) or 1.0)
    return {
        "technology": technology,
        "place": place_of(technology),
        "settings": settings,
        "clock_hz": side.results[REFERENCE].clock_hz,
        "verdicts": {verdict: topics for verdict, topics in verdicts.items() if topics},
        "route_shares": shares,
    }


def claimed_factors(sides: Sides, equal: Sides, rule: FactorRule) -> Iterator[dict[str, Any]]:
    """Each claimed factor in each technology, at every compression; the least favourable one decides."""
    for technology in technologies_of(sides):
        settings = list(settings_of(sides, technology))
        asic = settings[0].is_asic
        for label, metric in (ASIC_CLAIMED if asic else FPGA_CLAIMED).items():
            yield _factor(label, metric, settings, settings, rule)
        for label, metric in EQUAL_DATA_CLAIMED.items() if asic else ():
            yield _factor(label, metric, settings, list(settings_of(equal, technology)), rule)


def _factor(
    label: str, metric: str, settings: Sequence[SideBySide], priced: Sequence[SideBySide], rule: FactorRule
) -> dict[str, Any]:
    """A claimed factor against the baseline of the settings, with ratios as they are `priced`, and against
    the strongest of the others where there are any."""
    names = {"": [side.baseline for side in settings], "other_": [side.other for side in settings]}
    judged: dict[str, Any] = {}
    for which, designs in names.items():
        ratios = [side.ratio(metric, name) or math.nan for side, name in zip(priced, designs, strict=True)]
        ends = [side.interval(metric, name) for side, name in zip(priced, designs, strict=True)]
        judged[f"{which}ratios"] = list(map(f.ratio_within, ratios, ends))
        judged[f"{which}plain_ratios"] = list(map(f.ratio, ratios))
        judged[f"{which}verdict"] = rule.judge(min(ratios))
    return judged | {
        "label": label,
        "metric": metric,
        "place": place_of(settings[0].technology),
        "settings": settings,
        "equal_data": priced is not settings,
        "baselines": names[""],
        "others": names["other_"],
    }


def _losses(settings: Sequence[SideBySide], *, reference: bool) -> list[float]:
    """What CSC, or the baseline, loses of the dense network's accuracy at each compression."""
    dense = settings[0].results[DENSE].accuracy or 0.0
    names = (REFERENCE if reference else side.baseline for side in settings)
    return [dense - (side.results[name].accuracy or 0.0) for name, side in zip(names, settings, strict=True)]


def _fit_errors(searched: Mapping[Point, Found]) -> dict[str, float]:
    """The mean error of the fit, of the design where it is largest, by metric."""
    return {
        metric: max(one.result.fit_error[metric].mean for one in searched.values())
        for metric in tables.FRONTS.values()
        if all(metric in one.result.fit_error for one in searched.values())
    }


def _devices(results: Results) -> dict[str, list[str]]:
    """The designs on an FPGA by the smallest device that holds them."""
    devices: dict[str, list[str]] = {}
    for point, result in results.items():
        if not result.is_asic:
            devices.setdefault(tables.smallest_device(result)[0] or "none", []).append(point.name)
    return devices


# The tables.


def _rows(
    results: Results, sides: Sides, equal: Sides, content: Mapping[str, Any]
) -> dict[str, Table | Sequence[Sequence[Any]]]:
    """The tables of designs of equally many weights, and of all that were mapped."""
    rows: dict[str, Table | Sequence[Sequence[Any]]] = {}
    for key, side in sides.items():
        rows[f"costs-{side.label}"] = tables.cost_table(side)
        rows[f"ratios-{side.label}"] = tables.ratio_table(side, content["hardware"])
        if side.is_asic:
            rows[f"equal-data-{side.label}"] = tables.equal_data_table(side, equal[key])
        rows.setdefault(f"stored-x{side.compression:.0f}", list(tables.stored_rows(side)))
        rows.setdefault(f"moved-x{side.compression:.0f}", list(tables.moved_rows(side)))
    for technology in technologies_of(sides):
        there = {point: results[point] for point in of_technology(results, technology)}
        rows[f"mapped-{technology}"] = tables.mapped_table(there)
    fpga = {point: result for point, result in results.items() if not result.is_asic}
    return rows | {"devices": tables.device_table(fpga)}


def _own_clock(results: Results, own: Results, technology: str) -> Table:
    there = of_technology(own, technology)
    return tables.clock_table(results, {point: own[point] for point in there})


def _settings(
    points: Mapping[Point, DesignPoint], searched: Mapping[Point, Found], results: Results, technology: str
) -> Table:
    chosen = {point: points[point] for point in of_technology(results, technology)}
    return tables.setting_table(chosen, searched)


# The files.


def _plain(
    results: Results,
    sides: Sides,
    equal: Sides,
    paired: Mapping[str, Sequence[Pair]],
    own: Results,
    searched: Mapping[Point, Found],
) -> dict[str, Any]:
    """Results, ratios and what was chosen as plain values."""
    return {
        "results": {point.file_name: result.to_dict() for point, result in results.items()},
        "equal_accuracy": [
            {
                "technology": technology,
                "given": pair.given,
                "without_index": pair.unindexed,
                "with_index": pair.indexed,
                **_ratios(pair.side),
            }
            for technology, listed in paired.items()
            for pair in listed
        ],
        "comparisons": [
            _ratios(side) | ({"data_made_equal": _ratios(equal[key])} if side.is_asic else {})
            for key, side in sides.items()
        ],
        "own_clock": {point.file_name: result.to_dict() for point, result in own.items()},
        "settings": {
            point.file_name: {
                "engine": one.design.engine.model_dump(),
                "tried": one.tried,
                "energy_by_size_of_default": tables.energy_by_size_ratio(one),
                "result": one.result.to_dict(),
            }
            for point, one in searched.items()
        },
    }


def _ratios(side: SideBySide) -> dict[str, Any]:
    """A comparison: every ratio to its reference, and the ends between which it lies."""
    shown = RATIOS | {"size": "size"}
    others = [name for name in side.results if name != side.reference]
    return {
        "technology": side.technology,
        "compression": side.compression,
        "reference": side.reference,
        "baseline": side.baseline,
        "ratios": {
            name: {label: side.ratio(metric, name) for label, metric in shown.items()} for name in others
        },
        "ends_of_ratios": {
            name: {label: ends for label, metric in shown.items() if (ends := side.interval(metric, name))}
            for name in others
        },
    }
