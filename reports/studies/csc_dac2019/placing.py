"""Which designs of the comparison are placed, and what became of them: the strongest ones with an index and
what they are held against, with the settings that they were mapped with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from reports.side_by_side import SideBySide
from reports.studies.csc_dac2019.equal_accuracy import pairs
from reports.studies.csc_dac2019.points import (
    CLOS,
    ENDINGS,
    FRONT,
    INDEXED,
    REFERENCE,
    Point,
    of_equal_weights,
    place_of,
    side_by_side,
)
from reports.studies.csc_dac2019.ratio_map import EQUAL_ACCURACY, EQUAL_WEIGHTS
from reports.views.layouts import pictures_of
from workloads.refusal import Refusal

if TYPE_CHECKING:
    from archsim import DesignPoint, Result
    from archsim.technology import Technology

GATE: Literal["gate"] = "gate"
LAYOUT: Literal["layout"] = "layout"
FIDELITIES = (GATE, LAYOUT)
"""What the comparison is made at: with the second one also what is placed."""

UNPLACED, ROUTED = "artix7", "ecp5"
"""The FPGA of the comparison, which nothing that can be installed places and routes, and the one that takes
its stead there."""

DEVICE = {"kind": ROUTED, "device": "LFE5U-85F"}
"""The largest of its family, for all designs: how full a device is has a say in how long nets are."""

SMALLER = "-x40"
"""The ending of the networks of which in 65 nm more designs than the strongest are placed, and on an FPGA
these alone: a design takes minutes there, and twice as many at the other compression."""


Form = Literal["gate", "layout", "original"]
"""In which a design is compared: the names of its results in `Laid`."""


class Comparison(NamedTuple):
    """Two designs that are placed: what `design` takes is told as a multiple of `reference`."""

    basis: str
    reference: Point
    design: Point

    def on(self, technology: str) -> Comparison:
        """The same designs in another technology."""
        moved = (point._replace(technology=technology) for point in (self.reference, self.design))
        return Comparison(self.basis, *moved)


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A design as it was mapped and as it was placed, and the drawings of its core by name, as SVG text;
    `original` is the same as mapped to the FPGA that this one stands in for, where it does."""

    gate: Result
    layout: Result
    original: Result | None = None
    drawings: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What was placed in one technology, called `place` in sentences. `asked` is what was to be compared;
    `refused` says of a design that could not be placed why, in a sentence without its full stop."""

    technology: str
    place: str
    asked: Sequence[Comparison]
    laid: Mapping[Point, Laid]
    refused: Mapping[str, str]

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Those of which both designs were placed."""
        return [one for one in self.asked if {one.reference, one.design} <= self.laid.keys()]

    @property
    def strongest(self) -> list[Comparison]:
        """Of those the first of each basis and reference."""
        first = {(one.basis, one.reference): one for one in reversed(self.comparisons)}
        return [one for one in self.comparisons if one in first.values()]

    @property
    def is_asic(self) -> bool:
        """Whether it is made of cells, and has an area."""
        return any(laid.layout.is_asic for laid in self.laid.values())

    @property
    def drawings(self) -> list[str]:
        """The names of the pictures."""
        return [f"{name}-{point.file_name}" for point, laid in self.laid.items() for name in laid.drawings]

    @property
    def missed(self) -> list[str]:
        """The designs whose placed path is too long for their clock."""
        return [point.name for point, laid in self.laid.items() if not laid.layout.clock_met]

    def side(self, one: Comparison, form: Form) -> SideBySide:
        """The two designs of a comparison in one form."""
        shown = {point.name: getattr(self.laid[point], form) for point in (one.reference, one.design)}
        return SideBySide(self.technology, shown, one.reference.name, [one.design.name])

    def ratio(self, one: Comparison, metric: str, form: Form) -> float | None:
        """A figure of the design over that of the reference; `own_clock` is the time between inferences,
        each at the fastest clock that its own critical path allows."""
        side = self.side(one, form)
        if metric != OWN_CLOCK:
            return side.ratio(metric, one.design.name)
        path, interval = (side.ratio(name, one.design.name) for name in ("critical_path_s", "interval_s"))
        return path * interval if path and interval else None

    def changes(self, metric: str) -> tuple[float, float]:
        """The least and the most that a ratio at layout is from that at gate, as shares of it."""
        told = [[self.ratio(one, metric, fidelity) for fidelity in FIDELITIES] for one in self.comparisons]
        changes = [layout / gate - 1 for gate, layout in told if gate and layout]
        return min(changes), max(changes)


OWN_CLOCK = "own_clock"
"""A ratio that is none of a metric."""


def asked_of(results: Mapping[Point, Result], technology: str) -> list[Comparison]:
    """The designs to place in a technology whose netlists are known: at equal accuracy each network with an
    index in its strongest form over the one without; with equally many weights the strongest pruned design
    over CSC at each compression. Of the smaller networks in 65 nm the other patterns and gathers too, but for
    what skips zeros, which is several times as large; for an FPGA they are all that is placed."""
    named = {point.name: point for point in results if point.technology == technology}
    asked = [
        Comparison(EQUAL_ACCURACY, named[pair.side.reference], named[pair.side.baseline])
        for pair in pairs(results, technology)
        if pair.indexed_given
    ]
    asked += strongest_over_csc(results, technology)
    if technology != FRONT:
        return [one for one in asked if one.design.network.endswith(SMALLER)]
    there = of_equal_weights(results, technology, SMALLER)
    others = (point for name, point in there.items() if name == CLOS or name.startswith(INDEXED))
    more = (Comparison(EQUAL_WEIGHTS, there[REFERENCE], point) for point in others)
    return list(dict.fromkeys([*asked, *more]))


def strongest_over_csc(results: Mapping[Point, Result], technology: str) -> list[Comparison]:
    """With equally many weights the strongest pruned design over CSC, at each compression."""
    points = {ending: of_equal_weights(results, technology, ending) for ending in ENDINGS}
    sides = side_by_side(results)
    return [
        Comparison(EQUAL_WEIGHTS, there[REFERENCE], there[sides[technology, ending].baseline])
        for ending, there in points.items()
    ]


def placed_in(
    results: Mapping[Point, Result], points: Mapping[Point, DesignPoint], *, progress: bool = True
) -> list[Placed]:
    """What is placed of the comparison, of whose designs the netlists are known: in 65 nm, with pictures of
    CSC and of the strongest pruned design; and on an ECP5, with the settings found best for an Artix-7."""
    own, other = (asked_of(results, technology) for technology in (FRONT, UNPLACED))
    moved = [one.on(ROUTED) for one in other]
    routed = {
        point._replace(technology=ROUTED): points[point].replace(technology=dict(DEVICE))
        for point in designs_of(other)
    }
    drawn = next(one for one in own if one.basis == EQUAL_WEIGHTS)
    return [
        lay_out(
            {point: points[point] for point in designs_of(own)},
            own,
            place=place_of(FRONT),
            drawn=(drawn.reference, drawn.design),
            progress=progress,
        ),
        _beside(results, lay_out(routed, moved, place=f"ECP5 {DEVICE['device']}", progress=progress)),
    ]


def _beside(results: Mapping[Point, Result], placed: Placed) -> Placed:
    """With the same designs as they were mapped to the FPGA that this one stands in for."""
    laid = {
        point: replace(one, original=results[point._replace(technology=UNPLACED)])
        for point, one in placed.laid.items()
    }
    return replace(placed, laid=laid)


def designs_of(asked: Sequence[Comparison]) -> list[Point]:
    """The design points of comparisons, once each."""
    return list(dict.fromkeys(point for one in asked for point in (one.reference, one.design)))


def lay_out(
    designs: Mapping[Point, DesignPoint],
    asked: Sequence[Comparison],
    *,
    place: str,
    drawn: Collection[Point] = (),
    progress: bool = True,
) -> Placed:
    """Maps and places the designs, two at a time; what was done before is remembered. Of those that are to be
    `drawn` also pictures. A design that is refused, as where it does not fit or a tool is missing, costs only
    its comparisons."""
    from tqdm import tqdm

    from archsim.netlist import prepare_yosys
    from reports.parallel import in_processes

    technology = next(iter(designs)).technology
    if why := _impossible(next(iter(designs.values())).technology):
        return Placed(technology=technology, place=place, asked=asked, laid={}, refused={"": why})
    prepare_yosys()
    jobs = [(point, design.model_dump(), point in drawn) for point, design in designs.items()]
    done: dict[Point, Laid | str] = {}
    with tqdm(total=len(jobs), desc=f"placed, {place}", unit="design", disable=not progress) as bar:
        for (point, _, _), laid in in_processes(_laid, jobs, 2):
            done[point] = laid
            bar.update()
    return Placed(
        technology=technology,
        place=place,
        asked=asked,
        laid={point: laid for point in designs if isinstance(laid := done[point], Laid)},
        refused={point.name: laid for point in designs if isinstance(laid := done[point], str)},
    )


def _impossible(technology: Technology) -> str:
    """Why nothing can be placed in a technology, if so: what routes an FPGA comes as an extra."""
    from archsim.netlist.fpga_layout import how_placed
    from archsim.technology import Fpga

    try:
        if isinstance(technology, Fpga):
            how_placed(technology)
    except Refusal as refusal:
        return str(refusal)
    return ""


def _laid(job: tuple[Point, Mapping[str, Any], bool]) -> Laid | str:
    """Runs in a process of its own; design points travel as plain values."""
    from archsim import DesignPoint

    _, values, drawn = job
    design = DesignPoint(**values)
    try:
        gate, layout = (design.simulate(fidelity) for fidelity in FIDELITIES)
        return Laid(gate=gate, layout=layout, drawings=pictures_of(design) if drawn else {})
    except Refusal as refusal:
        return str(refusal)
