"""What is compared, as a table, and what it must keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reports.tables import Table

LONGER = 1.10
"""No more than this times the half perimeter of another placer is let pass."""
ROUTED = 0.15
"""So far may a routed length lie from the Steiner trees of the same places."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A netlist under one placer and one router: half perimeters of all data nets, ours and theirs; the
    routed length over our Steiner trees of the places that were routed, and how many segments or nets the
    router left open; seconds of processor time. None where there was no such thing."""

    case: str
    cells: int
    placer: str
    router: str
    ours_um: float
    theirs_um: float | None = None
    routed_over_tree: float | None = None
    open: int | None = None
    ours_s: float
    placing_s: float | None = None
    routing_s: float | None = None

    @property
    def ours_over_theirs(self) -> float | None:
        return None if self.theirs_um is None else self.ours_um / self.theirs_um

    @property
    def faults(self) -> Iterator[str]:
        """What does not hold, a sentence each."""
        ratio, routed = self.ours_over_theirs, self.routed_over_tree
        what = f"{self.case} by {self.placer} and {self.router}"
        if ratio is not None and not ratio <= LONGER:
            yield f"{what}: our half perimeter is {ratio:.3f} of theirs, allowed are up to {LONGER}"
        if routed is not None and not abs(routed - 1) <= ROUTED:
            low, high = 1 - ROUTED, 1 + ROUTED
            yield f"{what}: wires are {routed:.3f} of our trees, allowed are {low} to {high}"

    def plain(self) -> dict[str, str | int | float | None]:
        """All figures, the ratio of half perimeters among them."""
        return {**vars(self), "ours_over_theirs": self.ours_over_theirs}


def table(rows: Iterable[Row]) -> Table:
    """The rows as they are shown."""
    columns = {
        "netlist": "",
        "placed by": "",
        "routed by": "",
        "cells": "count",
        "half perimeter, ours": "m",
        "theirs": "m",
        "ours / theirs": "number 3",
        "routed / our Steiner": "number 3",
        "open": "count",
        "placing, ours": "s",
        "theirs, s": "s",
        "routing": "s",
    }
    cells = [
        (
            *(row.case, row.placer, row.router, row.cells),
            1e-6 * row.ours_um,
            None if row.theirs_um is None else 1e-6 * row.theirs_um,
            *(row.ours_over_theirs, row.routed_over_tree, row.open),
            *(row.ours_s, row.placing_s, row.routing_s),
        )
        for row in rows
    ]
    return Table("archsim's placer beside others", columns, cells, words=3)
