"""How networks at equal bits stored are shown: figures for sentences, tables, and the chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.pictures.front import Dot, front_chart
from reports.side_by_side import SideBySide
from reports.studies.csc_dac2019.equal_bits import (
    Match,
    Narrow,
    Standing,
    at_equal_accuracy,
    at_equal_bits,
    narrow_candidates,
    priced,
    standings,
    to_map,
)
from reports.studies.csc_dac2019.points import (
    FRONT,
    SIZES,
    Point,
    ending_of,
    place_of,
    search_settings,
    settings_of,
    trained_bits,
)
from reports.studies.csc_dac2019.ratio_map import MOST_LOST
from reports.studies.csc_dac2019.tables import ratio_cell
from reports.tables import Column, Table
from workloads.strict_yaml import dump_yaml

if TYPE_CHECKING:
    from archsim import Result
    from archsim.explore.search.settings import Found
    from reports.studies.csc_dac2019.equal_accuracy import Pair
    from reports.studies.csc_dac2019.points import Sides

RATIOS = {"energy": "energy_j", "area": "area_mm2", "interval": "interval_s"}
"""What a design with an index takes as a multiple of the one without, and the figures."""

PANEL = "stored"
EIGHT = SIZES["weight_bits"]


@dataclass(frozen=True)
class AtEqualBits:
    """Every network and width that took part, and who meets whom: at equal bits stored, and at equal accuracy
    with the width free."""

    standings: Mapping[Narrow, Standing]
    bits: list[Match]
    accuracy: list[Match]

    @property
    def given(self) -> list[Match]:
        """Those in which the bits of a network with an index are given."""
        return [match for match in self.bits if match.indexed_given]


def compared_in_bits(searched: Mapping[Point, Found], results: Mapping[Point, Result]) -> AtEqualBits:
    """Searches the settings of networks with narrow weights, finds who meets whom by estimate, and maps to
    gates whoever is not among the `results`."""
    from reports.parallel import simulate_all

    there = standings(searched, search_settings(narrow_candidates()))
    bits, accuracy = at_equal_bits(there), at_equal_accuracy(there)
    designs = to_map([*bits, *accuracy])
    known = {at: results[at.point] for at in designs if at.weight_bits == EIGHT and at.point in results}
    known |= simulate_all({at: design for at, design in designs.items() if at not in known}, "gate")
    return AtEqualBits(there, priced(bits, known), priced(accuracy, known))


def figures(narrow: AtEqualBits | None) -> dict[str, Any]:
    """What sentences read; nothing where no networks of narrow weights were costed."""
    if narrow is None:
        return {}
    given = narrow.given
    first = {ending_of(match.indexed.network): match for match in reversed(given)}
    return {
        "place": place_of(FRONT),
        "given": given,
        "told": [match for match in given if match in first.values()],
        "areas": [match.side.size_ratio(match.side.baseline) for match in given],
        "energies": [match.side.ratio("energy_j", match.side.baseline) for match in given],
        "ahead": [match.ahead for match in given],
        "most_lost": MOST_LOST,
        "took_part": len(narrow.standings),
        "widths": sorted({at.weight_bits for at in narrow.standings}),
    }


def tables(narrow: AtEqualBits | None, sides: Sides, pairs: Sequence[Pair]) -> dict[str, Table]:
    """The tables of the page."""
    if narrow is None:
        return {}
    return {
        "what-is-equal": basis_table(narrow, sides, pairs),
        "equal-bits": match_table(narrow.bits, "bits of"),
        "free-widths": match_table(narrow.accuracy, "accuracy of"),
    }


def match_table(matches: Sequence[Match], given: str) -> Table:
    """The design that is given and the one that meets it, and what the one with an index takes as multiples
    of the one without."""
    rows = []
    for match in matches:
        order = (match.indexed, match.unindexed) if match.indexed_given else (match.unindexed, match.indexed)
        side, shown = match.side, list[Any](at.name for at in order)
        for at in order:
            shown += match.standings[at].bits, match.standings[at].accuracy
        rows.append((*shown, *(ratio_cell(side, metric, side.baseline) for metric in RATIOS.values())))
    columns: tuple[Column | str, ...] = (
        *(given, "met by", Column("stores", "stored"), Column("accuracy", "share")),
        *(Column("what meets it stores", "stored"), Column("and has", "share")),
        *(Column(label, "ratio") for label in RATIOS),
    )
    return Table("", columns, rows, words=2)


def basis_table(narrow: AtEqualBits, sides: Sides, pairs: Sequence[Pair]) -> Table:
    """The strongest design with an index beside one without, by what the two have in common."""
    rows = [(label, *_basis_row(side)) for label, side in _bases(narrow, sides, pairs)]
    columns: tuple[Column | str, ...] = (
        *("equal", "with an index", "without", Column("bits stored", "ratio")),
        *(Column("accuracy with", "share"), Column("without one", "share")),
        *(Column(label, "ratio") for label in RATIOS),
    )
    return Table("", columns, rows, words=3)


def _bases(narrow: AtEqualBits, sides: Sides, pairs: Sequence[Pair]) -> Iterator[tuple[str, SideBySide]]:
    eight = f"{EIGHT} bits"
    for side in settings_of(sides, FRONT):
        yield f"weights, {eight}", side
    for pair in pairs:
        if pair.indexed_given:
            yield f"accuracy, {eight}", pair.side
    for label, matches in (("accuracy, any width", narrow.accuracy), ("bits stored", narrow.bits)):
        for match in matches:
            if match.indexed_given:
                yield label, match.side


def _basis_row(side: SideBySide) -> tuple[Any, ...]:
    own, other = (side.results[name] for name in (side.reference, side.baseline))
    ratios = (ratio_cell(side, metric, side.baseline) for metric in RATIOS.values())
    stored = other.stored_bits.total / own.stored_bits.total
    return (side.baseline, side.reference, stored, other.accuracy, own.accuracy, *ratios)


def charts(narrow: AtEqualBits | None) -> dict[str, str]:
    """Accuracy over bits stored, of every network and width on the engine that is strongest for it."""
    if narrow is None:
        return {}
    dots = [
        Dot(
            "with an index" if one.indexed else "without",
            at.point.short + f", {at.weight_bits} bits" * (at.weight_bits != trained_bits(at.network)),
            one.accuracy,
            {PANEL: one.bits},
        )
        for at, one in narrow.standings.items()
    ]
    return {"bits": front_chart("bits", {PANEL: ("kbit", 1e3)}, dots)}


def designs(narrow: AtEqualBits | None) -> dict[str, str]:
    """The files of the designs that meet."""
    if narrow is None:
        return {}
    met = to_map([*narrow.bits, *narrow.accuracy])
    return {at.file_name: dump_yaml(design.model_dump()) for at, design in met.items()}


def plain(narrow: AtEqualBits | None) -> dict[str, Any]:
    """Everything as plain values."""
    if narrow is None:
        return {}
    return {
        "equal_bits": {
            "standings": {
                at.name: {
                    "engine": one.design.engine.model_dump(),
                    "stored_bits": one.bits,
                    "accuracy": one.accuracy,
                    "energy_j": one.result.energy_j,
                    "area_mm2": one.result.area_mm2,
                }
                for at, one in narrow.standings.items()
            },
            "at_equal_bits": [_plain(match) for match in narrow.bits],
            "at_equal_accuracy": [_plain(match) for match in narrow.accuracy],
        }
    }


def _plain(match: Match) -> dict[str, Any]:
    side = match.side
    return {
        "given": match.given.name,
        "without_index": match.unindexed.name,
        "with_index": match.indexed.name,
        "ratios": {label: side.ratio(metric, side.baseline) for label, metric in RATIOS.items()},
    }
