"""How far the figures of a technology lie from real ones: between which ends comparisons found the truth.

The comparisons of cells stand in `technology_evidence.csv`, one a row. The truth of a part (compute, logic)
is taken to lie between the farthest rows either way, the model itself among them. Scaling to another node has
rows of its own, and what they found grows with the distance. A memory has ends of its own besides, by its
size (`archsim.technology.memories.bracket`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from archsim.technology.asic.scaling import NODES_NM, neighbours
from archsim.technology.quantity import load_quantities, load_table

EVIDENCE_TABLE, BETWEEN_TABLE = "technology_evidence.csv", "between_nodes.csv"
_LIMITS = "cmos.yaml"
_NATIVE_NM = 65
"""The node of the project's cells, from which scaling starts."""


@dataclass(frozen=True)
class Bracket:
    """The ends between which a figure is taken to lie: as multiples of it, or as figures."""

    low: float = 1.0
    high: float = 1.0

    @classmethod
    def factor(cls, ratio: float) -> Bracket:
        """As far down as up."""
        return cls(1 / ratio, ratio)

    def __mul__(self, other: Bracket) -> Bracket:
        return Bracket(self.low * other.low, self.high * other.high)

    @property
    def ends(self) -> tuple[float, float]:
        return self.low, self.high


EXACT = Bracket()
DYNAMIC_PARTS = ("compute", "logic", "memory")
"""What takes energy: all that switches in the PEs, all other logic with every clock, memories."""
LEAKAGE, MEMORY_LEAKAGE = "leakage", "memory leakage"
"""What leaks: cells (on an FPGA the device), and memories."""
_SCALED = {
    "compute": ("energy_j",),
    "logic": ("energy_j", "area_mm2", "critical_path_s"),
    "memory": ("energy_j", "area_mm2", "critical_path_s"),
}
"""The metrics of each part that scaling to another node moves, alike in all of them."""
ByPart = Mapping[str, Mapping[str, Bracket]]
"""Brackets by metric and part."""


@dataclass(frozen=True, kw_only=True)
class Brackets:
    """What is known of the error of a technology, by metric (`energy_j`, `area_mm2`, `leakage_w`,
    `critical_path_s`) and part.

    `parts` move each part by itself, so they move the ratio of two designs in which the parts have other
    shares; `shared` ones move all parts alike, and cancel in such a ratio.
    """

    parts: ByPart = field(default_factory=dict)
    shared: ByPart = field(default_factory=dict)

    def of(self, metric: str) -> Mapping[str, Bracket]:
        """Each part of a metric, with all that moves it; empty where nobody compared any."""
        own, common = self.parts.get(metric, {}), self.shared.get(metric, {})
        return {part: own.get(part, EXACT) * common.get(part, EXACT) for part in (*own, *common)}


UNKNOWN = Brackets()
"""Of what nobody compared."""


@cache
def brackets_of_cells(
    *, node_nm: int | None, logic_from_nm: int | None, memory_from_nm: int | None
) -> Brackets:
    """Brackets of standard cells at a node: logic that was scaled from a node (None where it is a library of
    its own, which nobody compared), memories from another (None where they are the user's own). What memories
    lie off at their own node is theirs.

    Leakage scales by a rule of its own, so that it moves against all other energy.
    """
    parts: dict[str, dict[str, Bracket]] = {}
    shared: dict[str, dict[str, Bracket]] = {}
    for part, metrics in _SCALED.items():
        from_nm = memory_from_nm if part == "memory" else logic_from_nm
        if from_nm is None or node_nm is None:
            continue
        for metric in metrics:
            shared.setdefault(metric, {})[part] = scaling_bracket(metric, from_nm, node_nm)
        for metric, bracket in _found(part).items():
            parts.setdefault(metric, {})[part] = bracket
    for part, from_nm in ((LEAKAGE, logic_from_nm), (MEMORY_LEAKAGE, memory_from_nm)):
        if from_nm is not None and node_nm not in (None, from_nm):
            for metric in ("leakage_w", "energy_j"):
                parts.setdefault(metric, {})[part] = scaling_bracket("leakage_w", from_nm, node_nm)
    return Brackets(parts=parts, shared=shared)


def scaling_bracket(metric: str, from_nm: int, to_nm: int) -> Bracket:
    """What scaling from node to node may be off by, either way: as the farthest comparison, whose logarithm
    grows with a power of the distance; and besides what a node that the table does not have may be off."""
    exponent = float(load_quantities(_LIMITS)["scaling_error_exponent"])
    logarithms = (
        abs(math.log(row["real_over_model"]))
        * (_distance(from_nm, to_nm) / _distance(_NATIVE_NM, row["node_nm"])) ** exponent
        for row in _rows("scaling")
        if row["metric"] == metric
    )
    return Bracket.factor(math.exp(max(logarithms))) * between_bracket(metric, to_nm)


def between_bracket(metric: str, node_nm: int) -> Bracket:
    """What a node may be off by, either way, that is laid between two of the table: as far as the worse of
    these two is when it is left out itself, of whichever flavour."""
    if node_nm in NODES_NM:
        return EXACT
    beside = neighbours(node_nm)
    rows = (row for row in load_table(BETWEEN_TABLE).rows if row["node_nm"] in beside)
    return Bracket.factor(math.exp(max(abs(math.log(row[f"{metric}_ratio"])) for row in rows)))


def _distance(from_nm: int, to_nm: int) -> float:
    return abs(math.log(to_nm / from_nm))


@cache
def _found(part: str) -> Mapping[str, Bracket]:
    """The farthest comparisons of a part by metric."""
    ratios: dict[str, list[float]] = {}
    for row in _rows(part):
        ratios.setdefault(row["metric"], [1.0]).append(row["real_over_model"])
    return {metric: Bracket(min(values), max(values)) for metric, values in ratios.items()}


def _rows(part: str) -> Iterable[Mapping[str, Any]]:
    return [row for row in load_table(EVIDENCE_TABLE).rows if row["part"] == part]
