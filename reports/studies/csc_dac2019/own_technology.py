"""The comparison on a technology that is not of the study: a user's library, with its own memories.

Nobody fitted its logic, so that no settings can be searched there: the designs have those that a search found
best in 65 nm CMOS, and are mapped to gates. What 65 nm predicts of every ratio stands beside what came out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.costs.equal_data import with_equal_data
from archsim.technology import StandardCells
from reports import formatting as f
from reports.studies.csc_dac2019 import placed_view, tables
from reports.studies.csc_dac2019.equal_accuracy import pairs
from reports.studies.csc_dac2019.measure import CLOCK_STEP_HZ, at_own_clocks, claimed_factors
from reports.studies.csc_dac2019.placing import (
    GATE,
    LAYOUT,
    Placed,
    designs_of,
    lay_out,
    strongest_over_csc,
)
from reports.studies.csc_dac2019.points import (
    FAMILY,
    FRONT,
    SIZES,
    TECHNOLOGIES,
    Point,
    Sides,
    candidates,
    longest_first,
    place_of,
    search_settings,
    settings_of,
    side_by_side,
    to_map,
)
from reports.tables import Cell, Column, Table
from reports.write_up.claims import FactorRule, published
from reports.write_up.provenance import assumptions_of
from reports.write_up.study_page import Findings
from workloads.strict_yaml import dump_yaml

if TYPE_CHECKING:
    from archsim import DesignPoint, Result
    from archsim.explore.search.settings import Found
    from reports.write_up.report import Report

PACKAGE = "reports.studies.csc_dac2019"
TEMPLATE = "own_technology.yaml.j2"
PREDICTED = {"energy": "energy_j", "area": "area_mm2", "interval": "interval_s"}
"""The ratios that 65 nm CMOS predicts, and the figures."""


def on_technology(path: Path, *, fidelity: str = GATE) -> Report:
    """The comparison on the technology of a file; at `fidelity` layout CSC and the strongest pruned design
    are placed there too. Raises DesignError for a file that describes none, and a StudyError for one that is
    not of standard cells."""
    from archsim.design import technology_of_file
    from reports.parallel import simulate_all
    from reports.studies.registry import StudyError
    from reports.write_up.study_page import write_up

    technology = technology_of_file(path)
    if not isinstance(technology, StandardCells):
        raise StudyError(f"technology is {technology.kind}, allowed are standard cells, such as of kind asic")
    name = technology.library.name
    there = {point: one for point, one in candidates().items() if point.technology == FRONT}
    searched = search_settings(there)
    designs = to_map(searched)
    own = {
        _at(name, point): design.replace(technology=technology)
        for point, design in longest_first(designs, searched).items()
    }
    results = simulate_all(own, "gate")
    predicted = simulate_all(designs, "gate")
    content = published(PACKAGE)
    in_order = {point: results[point] for point in (_at(name, point) for point in designs)}
    placed = [placed_on(in_order, own)] if fidelity == LAYOUT else []
    found = findings(in_order, predicted, own, searched, content, placed=placed)
    command = f"archsim reproduce csc-dac2019 --technology {path.name}"
    command += f" --fidelity {LAYOUT}" * (fidelity == LAYOUT)
    return write_up(PACKAGE, found, content, template=TEMPLATE, command=command)


def _at(technology: str, point: Point) -> Point:
    """The same design in another technology."""
    return point._replace(technology=technology)


def placed_on(
    results: Mapping[Point, Result], points: Mapping[Point, DesignPoint], *, progress: bool = True
) -> Placed:
    """CSC and the strongest pruned design of equally many weights, placed at the clock that all are given,
    with pictures."""
    clock_hz = common_clock_hz(results)
    name = next(iter(results)).technology
    clocked = {point: result.at_clock(clock_hz) for point, result in results.items()}
    asked = strongest_over_csc(clocked, name)
    designs = {point: points[point].replace(clock_hz=clock_hz) for point in designs_of(asked)}
    return lay_out(designs, asked, place=name, drawn=designs, progress=progress)


def findings(
    results: Mapping[Point, Result],
    predicted: Mapping[Point, Result],
    points: Mapping[Point, DesignPoint],
    searched: Mapping[Point, Found],
    content: Mapping[str, Any],
    placed: Sequence[Placed] = (),
) -> Findings:
    """What the page reads, of the designs on one technology and of the same in 65 nm, and what was `placed`
    there, if asked for. All designs are given one clock, which each of them meets."""
    technology = next(iter(points.values())).technology
    assert isinstance(technology, StandardCells)
    clock_hz = common_clock_hz(results)
    clocked = {point: result.at_clock(clock_hz) for point, result in results.items()}
    sides, expected = side_by_side(clocked), side_by_side(predicted)
    equal = {key: replace(side, results=with_equal_data(side.results)) for key, side in sides.items()}
    rule = FactorRule(**content["rule"])
    name = next(iter(results)).technology
    own, listed = at_own_clocks(clocked), pairs(clocked, name)
    settings = list(settings_of(sides, name))
    rows: dict[str, Any] = {
        "predicted": predicted_table(sides, expected),
        "equal-accuracy": tables.pair_table(listed),
        "mapped": tables.mapped_table(clocked),
        "own-clock": tables.clock_table(clocked, own),
        "memories": memory_table(points, technology),
        "settings": tables.setting_table({_at(FRONT, point): points[point] for point in points}, searched),
    }
    for place, side in enumerate(settings):
        rows[f"costs-{place}"] = tables.cost_table(side)
        rows[f"ratios-{place}"] = tables.ratio_table(side, content["hardware"])
        rows[f"equal-data-{place}"] = tables.equal_data_table(side, equal[name, ("", "-x40")[place]])
    return Findings(
        figures={
            "place": name,
            "predicted_place": place_of(FRONT),
            "clock_hz": clock_hz,
            "asked_hz": TECHNOLOGIES[FRONT][0],
            "sizes": SIZES,
            "settings": settings,
            "pairs": listed,
            "factors": [*claimed_factors(sides, equal, rule)],
            "inside": inside(sides, expected),
            "warnings": technology.warnings,
            **placed_view.figures(placed),
        },
        filters={"short": lambda network: network.removeprefix(FAMILY)},
        rows=rows | placed_view.rows(placed),
        charts=placed_view.charts(placed),
        assumptions=assumptions_of({name: technology}),
        designs={point.file_name: dump_yaml(points[point].model_dump()) for point in results},
        plain={
            "results": {point.file_name: result.to_dict() for point, result in clocked.items()},
            "predicted": {point.file_name: result.to_dict() for point, result in predicted.items()},
            "ratios": [vars(ratio) for ratio in _ratios(sides, expected)],
            **placed_view.plain(placed),
        },
    )


def common_clock_hz(results: Mapping[Point, Result]) -> float:
    """The clock of the study, or the fastest in steps that the slowest design meets."""
    slowest_s = max(result.critical_path_s or 0.0 for result in results.values())
    asked_hz = TECHNOLOGIES[FRONT][0]
    if slowest_s * asked_hz <= 1:
        return asked_hz
    return max(1, math.floor(1 / (slowest_s * CLOCK_STEP_HZ))) * CLOCK_STEP_HZ


@dataclass(frozen=True)
class _Ratio:
    """A ratio to CSC as 65 nm predicts it, with its ends, and as it came out."""

    compression: float
    design: str
    label: str
    predicted: float | None
    ends: tuple[float, float] | None
    measured: float | None

    @property
    def is_inside(self) -> bool | None:
        """Whether it came out between the ends; None for a ratio that has none."""
        if self.ends is None or self.measured is None:
            return None
        return self.ends[0] <= self.measured <= self.ends[1]


def _ratios(sides: Sides, expected: Sides) -> Iterator[_Ratio]:
    for (_, ending), side in sides.items():
        before = expected[FRONT, ending]
        for design in side.results:
            if design != side.reference:
                for label, metric in PREDICTED.items():
                    yield _Ratio(
                        side.compression,
                        design,
                        label,
                        before.ratio(metric, design),
                        before.interval(metric, design),
                        side.ratio(metric, design),
                    )


def predicted_table(sides: Sides, expected: Sides) -> Table:
    """Every ratio to CSC: predicted in 65 nm, with its ends, and as it came out."""
    heads = {
        label: (Column(f"{label}, predicted", "ratio"), Column(f"{label}, here", "ratio"))
        for label in PREDICTED
    }
    rows: dict[tuple[float, str], list[Any]] = {}
    for one in _ratios(sides, expected):
        cells = rows.setdefault((one.compression, one.design), [])
        if one.predicted is not None:
            cells += [Cell(one.predicted, f.ratio_within(one.predicted, one.ends)), one.measured]
    return Table(
        "",
        ("design ÷ CSC", "compression", *(column for both in heads.values() for column in both)),
        ((design, f"{compression:.0f}×", *cells) for (compression, design), cells in rows.items()),
        words=2,
    )


def inside(sides: Sides, expected: Sides) -> dict[str, int]:
    """How many of the ratios came out between the ends that were predicted, of how many."""
    judged = [one.is_inside for one in _ratios(sides, expected) if one.is_inside is not None]
    return {"inside": sum(judged), "of": len(judged)}


def memory_table(points: Mapping[Point, DesignPoint], technology: StandardCells) -> Table:
    """Every memory of the designs, of what it is built, and what of that is not used."""
    uses: dict[tuple[int, int], list[str]] = {}
    for point, design in points.items():
        for shape in design.mapping.sizes.memory_shapes:
            role = f"{point.name}, {shape.role.replace('_', ' ')}"
            uses.setdefault((shape.words, shape.word_bits), []).append(role)
    rows = []
    for (words, bits), roles in sorted(uses.items()):
        cost = technology.memory(words=words, word_bits=bits)
        built = f"{cost.macros} × {cost.macro}" if cost.macro else cost.built_as
        unused = 1 - words * bits / cost.built_bits
        figures = (unused, cost.read_energy_j, cost.area_mm2)
        rows.append((f"{words} × {bits}", built, *figures, len(dict.fromkeys(roles)), roles[0]))
    columns = (
        *(
            "words × bits",
            "built of",
            Column("unused", "share"),
            Column("a read", "J"),
            Column("area", "mm2"),
        ),
        *(Column("uses", "count"), "first of them"),
    )
    return Table("", columns, rows, words=2)
