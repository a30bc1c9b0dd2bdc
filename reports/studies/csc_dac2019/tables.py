"""The tables of the comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archsim.costs.equal_data import product_energy_j
from archsim.costs.metrics import metric_of
from archsim.technology import Fpga, technologies
from reports import formatting as f
from reports.pictures.front import front
from reports.side_by_side import SideBySide
from reports.studies.csc_dac2019.equal_accuracy import Pair
from reports.studies.csc_dac2019.points import RATIOS, REFERENCE, Point
from reports.tables import Cell, Column, Table

if TYPE_CHECKING:
    from archsim import DesignPoint, Result
    from archsim.explore.search.settings import Found

COSTS = ("latency_s", "interval_s", "energy_j")
ASIC_COSTS = ("power_w", "critical_path_s", "leakage_w", "area_mm2")
FPGA_COSTS = ("dynamic_energy_j", "power_w", "dynamic_power_w", "critical_path_s")
RESOURCES = ("lut", "ff", "dsp", "bram_tiles")
FRONTS = {"energy": "energy_j", "area": "area_mm2"}
"""The costs over which accuracy is drawn, and the figures."""


def ratio_cell(side: SideBySide, metric: str, design: str) -> Cell | None:
    """A ratio to the reference with the ends between which it lies."""
    ratio = side.ratio(metric, design)
    return None if ratio is None else Cell(ratio, side.within(metric, design))


def pair_table(pairs: Sequence[Pair]) -> Table:
    """The design whose accuracy is given and the one that meets it, and what the one with an index, in its
    strongest form, takes as multiples of the one without."""
    rows = []
    for pair in pairs:
        side = pair.side
        designs = [side.reference, side.baseline]
        order = (1, 0) if pair.indexed_given else (0, 1)
        ratios = (ratio_cell(side, metric, side.baseline) for metric in ("energy_j", "size", "interval_s"))
        rows.append((*(designs[at] for at in order), *(pair.accuracies[at] for at in order), *ratios))
    size = "area" if pairs and pairs[0].side.is_asic else "resources"
    ratio_columns = [Column(name, "ratio") for name in ("energy", size, "interval")]
    columns = ("accuracy of", "met by", Column("accuracy", "share"), Column("is met with", "share"))
    return Table("", (*columns, *ratio_columns), rows, words=2)


def mapped_table(results: Mapping[Point, Result]) -> Table:
    """What every design that was mapped costs, the most accurate first."""
    shown = sorted(results, key=lambda point: -(results[point].accuracy or 0.0))
    asic = all(result.is_asic for result in results.values())
    metrics = [
        metric_of(name)
        for name in ("accuracy", "stored_weights", "energy_j", *(["area_mm2"] if asic else []), *COSTS[:2])
    ]
    return Table(
        "",
        ("design", *(Column(metric.brief, metric.unit) for metric in metrics)),
        ((point.name, *(metric.read(results[point]) for metric in metrics)) for point in shown),
    )


def fronts(searched: Mapping[Point, Found]) -> dict[str, list[Point]]:
    """The designs that none other beats in accuracy and a cost, by that cost."""
    return {
        label: front(
            {
                point: (one.result.cost(metric), one.result.accuracy)
                for point, one in searched.items()
                if one.result.accuracy is not None
            }
        )
        for label, metric in FRONTS.items()
    }


def front_table(searched: Mapping[Point, Found]) -> Table:
    """Every network on every engine, the most accurate first, and which front it lies on."""
    best, results = fronts(searched), {point: one.result for point, one in searched.items()}
    shown = sorted(results, key=lambda at: (-(results[at].accuracy or 0.0), results[at].energy_j or 0.0))
    rows = (
        (
            point.short,
            point.design,
            results[point].accuracy,
            *(results[point].cost(metric) for metric in FRONTS.values()),
            ", ".join(label for label in FRONTS if point in best[label]) or None,
        )
        for point in shown
    )
    columns = {"network": "", "engine": "", "accuracy": "share"}
    costs = {label: metric_of(metric).unit for label, metric in FRONTS.items()}
    marked = [place for place, point in enumerate(shown) if any(point in own for own in best.values())]
    return Table("", columns | costs | {"on the front of": ""}, rows, words=2, marked=marked)


def cost_table(side: SideBySide) -> Table:
    metrics = [metric_of(name) for name in (*COSTS, *(ASIC_COSTS if side.is_asic else FPGA_COSTS))]
    return Table(
        "",
        ("design", *(Column(metric.brief, metric.unit) for metric in metrics)),
        ((name, *(metric.read(result) for metric in metrics)) for name, result in side.results.items()),
    )


def ratio_table(side: SideBySide, claimed: Mapping[str, Any]) -> Table:
    others = [name for name in side.results if name != REFERENCE]
    rows = []
    for label, metric in (RATIOS if side.is_asic else RATIOS | {"resources": "size"}).items():
        cells = [ratio_cell(side, metric, name) for name in others]
        if cells[0] is not None:
            judged = label.split(" at ")[0] in claimed["applies_to"]
            rows.append((label, f"about {claimed['factor']:g}×" if judged else None, *cells))
    heads = (f"{name}{' (baseline)' * (name == side.baseline)}" for name in others)
    return Table("", ("", "claimed, pruned ÷ CSC", *(Column(head, "ratio") for head in heads)), rows)


def clock_table(common: Mapping[Point, Result], own: Mapping[Point, Result]) -> Table:
    """Every design at the common clock and at its own fastest one."""
    figures = {"interval": "interval_s", "energy": "energy_j", "power": "power_w"}
    columns = [Column("design"), Column("fastest clock", "Hz")]
    for label, metric in figures.items():
        unit = metric_of(metric).unit
        columns += [Column(f"{label}, common clock", unit), Column(f"{label}, own clock", unit)]
    rows = (
        (
            point.name,
            own[point].clock_hz,
            *(metric_of(name).read(at[point]) for name in figures.values() for at in (common, own)),
        )
        for point in own
    )
    return Table("", columns, rows)


def equal_data_table(side: SideBySide, equal: SideBySide) -> Table:
    """Ratios of energy with the data that flow, and with a product that takes the same in all designs."""
    rows = (
        (
            name,
            product_energy_j(result),
            product_energy_j(equal.results[name]),
            *(at.ratio("energy_j", name) for at in (side, equal)),
            side.ratio("area_mm2", name),
        )
        for name, result in side.results.items()
    )
    columns = {
        "design": "",
        "a product switches": "J",
        "made equal": "J",
        "energy ÷ CSC, data that flow": "ratio",
        "energy ÷ CSC, data made equal": "ratio",
        "area ÷ CSC": "ratio",
    }
    return Table("", columns, rows)


def device_table(results: Mapping[Point, Result]) -> Table:
    """What every design takes of an FPGA, the smallest device that holds it, and what fills that most."""
    metrics = [metric_of(name) for name in RESOURCES]
    rows = []
    for point, result in results.items():
        device, fullest = smallest_device(result)
        rows.append((point.name, *(metric.read(result) for metric in metrics), device, fullest))
    columns = (Column("design"), *(Column(metric.brief, metric.unit) for metric in metrics))
    return Table("", (*columns, "smallest device", "fullest there"), rows)


def smallest_device(result: Result) -> tuple[str | None, str | None]:
    """The smallest device of the family that holds a design, and of which resource it takes the largest
    share."""
    options = dict(result.design["technology"])
    technology = technologies[options.pop("kind")](**options)
    assert isinstance(technology, Fpga)
    needed = result.bill.total_resources
    if (name := technology.smallest_device(needed)) is None:
        return None, None
    used, held = technology.used(needed), technology.devices()[name].available
    share, resource = max((used[what] / number, what) for what, number in held.items())
    return name, f"{resource.replace('_', ' ')} {f.percent(share, 0)}"


def setting_table(chosen: Mapping[Point, DesignPoint], searched: Mapping[Point, Found]) -> Table:
    """The settings that the search chose for the designs that were mapped, and what they gained."""
    from archsim.explore.search.settings import choices

    names = list(dict.fromkeys(name for design in chosen.values() for name in choices(design.engine)))
    rows = []
    for point, design in chosen.items():
        settings = design.engine.model_dump()
        gain = energy_by_size_ratio(searched[point])
        rows.append((point.name, *(_setting(settings.get(name)) for name in names), gain))
    columns = (Column("design"), *(Column(name.replace("_", " ")) for name in names))
    return Table("", (*columns, Column("energy × size ÷ as by default", "ratio")), rows)


def _setting(value: Any) -> str | None:
    return ("no", "yes")[value] if isinstance(value, bool) else None if value is None else str(value)


def energy_by_size_ratio(searched: Found) -> float:
    """What the settings that were searched take of what the design took at first."""
    from archsim.explore.search.settings import energy_by_size

    return energy_by_size(searched.design, searched.result) / energy_by_size(
        searched.design, searched.at_first
    )


def stored_rows(side: SideBySide) -> Iterator[tuple[Any, ...]]:
    for design, result in side.results.items():
        bits = result.stored_bits
        counts = result.counts
        yield (design, result.stored_weights, result.accuracy, bits.weight, bits.index, counts.padding)


def moved_rows(side: SideBySide) -> Iterator[tuple[Any, ...]]:
    roles = (("weight",), ("index",), ("input",), ("activation_0", "activation_1"))
    for design, result in side.results.items():
        moved = (
            sum(
                traffic.bits_read + traffic.bits_written
                for role, traffic in result.traffic.items()
                if role in together
            )
            for together in roles
        )
        yield (design, result.cycles, result.load_cycles, result.counts.stalls, *moved)
