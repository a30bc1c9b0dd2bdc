"""What is told of the map of who wins: its numbers, where the sign turns, drawings, and accuracy by bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from reports.pictures.heat_map import Legend, Panel, Square, heat_maps
from reports.studies.csc_dac2019.points import FAMILY, place_of
from reports.studies.csc_dac2019.ratio_map import (
    BASES,
    BITS,
    COMPARED,
    EQUAL_ACCURACY,
    LEAST_BITS,
    MOST_LOST,
    PES,
    Meeting,
    accuracy_in_float,
    networks,
)
from reports.tables import Cell, Column, Table

DRAWN = ("energy", "size", "interval")
"""Of what a map is drawn."""


@dataclass(frozen=True)
class Sheet:
    """The meetings of one technology, basis and compression, and one figure."""

    meetings: Sequence[Meeting]
    label: str

    @property
    def technology(self) -> str:
        return self.meetings[0].place.technology

    @property
    def place(self) -> str:
        return place_of(self.technology)

    @property
    def basis(self) -> str:
        return self.meetings[0].basis

    @property
    def compression(self) -> float:
        return self.meetings[0].indexed.result.compression

    @property
    def shown(self) -> str:
        """What the figure is called: the size of an ASIC is its area."""
        asic = self.meetings[0].indexed.result.is_asic
        return self.label if self.label != "size" else "area" if asic else "resources"

    @cached_property
    def counted(self) -> list[tuple[float, Meeting]]:
        """The ratios that count, the least first."""
        told = [(ratio, one) for one in self.meetings if one.counts and (ratio := one.ratio(self.label))]
        return sorted(told, key=lambda pair: pair[0])

    @property
    def won(self) -> int:
        """At how many places the design with an index takes less."""
        return sum(ratio < 1 for ratio, _ in self.counted)

    def squares(self) -> list[list[Square]]:
        """The cells of its drawing."""
        at = {(one.place.pes, one.place.bits): one for one in self.meetings}
        return [[_square(at.get((pes, bits)), self.label) for bits in BITS] for pes in PES]


def _square(meeting: Meeting | None, label: str) -> Square:
    if meeting is None:
        return Square(None, counts=False)
    return Square(meeting.ratio(label), counts=meeting.counts, marked=not meeting.is_drawn)


def sheets(met: Sequence[Meeting], labels: Sequence[str] = DRAWN) -> Iterator[Sheet]:
    """All meetings by technology, basis, figure and compression."""
    parts: dict[tuple[str, str, str], list[Meeting]] = {}
    for one in met:
        parts.setdefault((one.place.technology, one.basis, one.ending), []).append(one)
    technologies = dict.fromkeys(technology for technology, _, _ in parts)
    for technology in technologies:
        for basis in BASES:
            there = [part for key, part in parts.items() if key[:2] == (technology, basis)]
            yield from (Sheet(part, label) for label in labels for part in there)


def map_chart(drawn: Sequence[Sheet], *, across: int, name: str) -> str:
    """The sheets as heat maps, so many beside each other."""
    panels = [Panel(f"{one.shown}, {one.compression:.1f}×", one.squares()) for one in drawn]
    legend = Legend(
        row_axis="PEs",
        rows=[str(pes) for pes in PES],
        column_axis="bits of weights and activations",
        columns=[str(bits) for bits in BITS],
        less="with an index less",
        more="with an index more",
        grey="does not count",
        star="outside of what was calibrated",
    )
    return heat_maps(name, panels, legend, across=across)


def charts(met: Sequence[Meeting]) -> dict[str, str]:
    """A drawing a technology and basis: figures below each other, compressions side by side."""
    return {
        name: map_chart(own, across=len({one.compression for one in own}), name=name)
        for name, own in _by_chart(met).items()
    }


def _by_chart(met: Sequence[Meeting]) -> dict[str, list[Sheet]]:
    """The sheets of each drawing, by its name."""
    drawn: dict[str, list[Sheet]] = {}
    for sheet in sheets(met):
        drawn.setdefault(f"map-{sheet.technology}-{sheet.basis.replace(' ', '-')}", []).append(sheet)
    return drawn


def small_charts(met: Sequence[Meeting], basis: str = EQUAL_ACCURACY) -> dict[str, tuple[list[Sheet], str]]:
    """A drawing a technology and compression, no wider than a phone, with the sheets that it shows."""
    drawn: dict[str, list[Sheet]] = {}
    for sheet in sheets(met):
        if sheet.basis == basis:
            drawn.setdefault(f"map-{sheet.technology}-x{sheet.compression:.0f}", []).append(sheet)
    return {name: (own, map_chart(own, across=1, name=name)) for name, own in drawn.items()}


def turn_table(met: Sequence[Meeting]) -> Table:
    """Of every sheet how often the design with an index takes less, and the two ends of the ratio."""
    rows = []
    for sheet in sheets(met):
        ends = [_at(*end) for end in (sheet.counted[0], sheet.counted[-1])] if sheet.counted else [None] * 2
        told = (sheet.place, sheet.basis, f"{sheet.compression:.1f}×", sheet.shown)
        rows.append((*told, len(sheet.counted), sheet.won, *ends))
    columns = (
        *("technology", "both with", "compression", "figure"),
        *(Column("places that count", "count"), Column("with an index less", "count")),
        *(Column("least", "ratio"), Column("most", "ratio")),
    )
    return Table("", columns, rows, words=4)


def _at(ratio: float, meeting: Meeting) -> Cell:
    place = meeting.place
    return Cell(ratio, f"{ratio:.2f}× ({place.pes} PE{'s' * (place.pes > 1)}, {place.bits} bits)")


def accuracy_by_bits() -> Table:
    """Every network at every width; what has lost too much stands in brackets."""
    from workloads import load_network
    from workloads.training.evaluate import width_name

    rows = []
    for name in networks():
        stated = load_network(name).accuracy
        least = accuracy_in_float(name) - MOST_LOST
        reached = [stated[width_name(bits, bits)] for bits in BITS]
        shown = [Cell(one, f"{one:.2%}" if one >= least else f"({one:.2%})") for one in reached]
        rows.append((name.removeprefix(FAMILY), accuracy_in_float(name), *shown))
    widths = (Column(f"{bits} bits", "share") for bits in BITS)
    return Table("", ("network", Column("float", "share"), *widths), rows)


def rows(met: Sequence[Meeting]) -> dict[str, Table]:
    """The tables of the page; none without a map."""
    return {"map-turns": turn_table(met), "map-accuracy": accuracy_by_bits()} if met else {}


def map_table(met: Sequence[Meeting]) -> Table:
    """Every meeting, with all that is known of it."""
    columns: tuple[Column | str, ...] = (
        *("technology", "both with", "compression", Column("PEs", "count"), Column("bits", "count")),
        *("with an index", "without", Column("accuracy with an index", "share")),
        *(Column("accuracy without", "share"), *(Column(label, "ratio") for label in COMPARED)),
        *(Column("counts", "yes or no"), Column("within what was calibrated", "yes or no")),
    )
    return Table("", columns, map(_row, met), name="map", words=3)


def _row(one: Meeting) -> tuple[Any, ...]:
    other = one.unindexed
    return (
        *(one.place.technology, one.basis, f"{one.indexed.result.compression:.1f}"),
        *(one.place.pes, one.place.bits, one.indexed.point.name, other.point.name if other else None),
        *(one.indexed.result.accuracy, other.result.accuracy if other else None),
        *(one.ratio(label) for label in COMPARED),
        *(one.counts, one.is_drawn),
    )


def plain(met: Sequence[Meeting]) -> list[Mapping[str, Any]]:
    """Every meeting as plain values, with both designs."""
    return [
        {
            **one.place._asdict(),
            "basis": one.basis,
            "with_index": one.indexed.plain(),
            "without_index": one.unindexed.plain() if one.unindexed else None,
            "ratios": {label: one.ratio(label) for label in COMPARED},
            "counts": one.counts,
            "calibrated": one.is_drawn,
        }
        for one in met
    ]


def figures(met: Sequence[Meeting]) -> dict[str, Any]:
    """What sentences read of the map; nothing without one."""
    if not met:
        return {}
    return {
        "sheets": list(sheets(met)),
        "charts": _by_chart(met),
        "pes": PES,
        "bits": BITS,
        "most_lost": MOST_LOST,
        "least_bits": LEAST_BITS,
        "engines": sorted({one.indexed.point.design for one in met}),
        "missed": sum(not one.clock_met for one in met),
    }
