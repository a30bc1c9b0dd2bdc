"""Designs of one technology side by side: the strongest baseline, ratios, and what drives them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archsim.costs.metrics import metric_of
from archsim.costs.ratio_error import RatioInterval, ratio_interval
from reports import formatting as f

if TYPE_CHECKING:
    from archsim import Result

STATIC = "static power"
GROUPS = {
    "PEs": ("pe", "requantiser"),
    "weight memory": ("weight memory", "codebook memory"),
    "index memory": ("index memory",),
    "activation memory": ("input memory", "activation 0 memory", "activation 1 memory"),
    "address and route": ("address", "route"),
    "control": ("controller", "sequencer", "descriptor memory", "top"),
    "memories": ("memories",),
    STATIC: ("device",),
}
"""Groups of components, in the order in which charts stack them. What has no group is shown as *other*."""

_GROUP_OF = {component: group for group, components in GROUPS.items() for component in components}
FPGA_SIZE = ("lut", "lut4", "ff", "bram_tiles", "ebr")
"""What the size of a design on an FPGA is a mean of: LUTs, flip-flops and block RAM, as its family has
them."""


def group_of(component: str) -> str:
    """The group of a component."""
    return _GROUP_OF.get(component.replace("_", " "), "other")


def grouped(parts: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Sums over groups of components, in the order of the groups. The cells around a memory count with it."""
    sums: dict[str, list[float]] = {}
    for component, value in parts:
        group = group_of(component)
        sums.setdefault(group, []).append(value)
    order = [*GROUPS, "other"]
    return {group: total for group in order if group in sums and (total := math.fsum(sums[group]))}


@dataclass(frozen=True)
class SideBySide:
    """Results by design. Ratios are to `reference`; the baseline is the strongest of `candidates`."""

    technology: str
    results: Mapping[str, Result]
    reference: str
    candidates: Sequence[str]

    @property
    def compression(self) -> float:
        return self.results[self.reference].compression

    @property
    def is_asic(self) -> bool:
        return self.results[self.reference].is_asic

    @property
    def baseline(self) -> str:
        """The candidate with the least product of energy and size: the hardest one to beat."""
        return min(
            self.candidates, key=lambda name: (self.ratio("energy_j", name) or 1.0) * self.size_ratio(name)
        )

    @property
    def other(self) -> str:
        """The first candidate that is not the baseline."""
        return next(name for name in self.candidates if name != self.baseline)

    @property
    def label(self) -> str:
        return f"{self.technology}-x{self.compression:.0f}"

    def ratio(self, metric: str, design: str) -> float | None:
        """A figure of `design` over that of the reference, or its `size`; None where one has none of it."""
        if metric == "size":
            return self.size_ratio(design)
        own, other = (metric_of(metric).read(self.results[name]) for name in (self.reference, design))
        return other / own if own and other is not None else None

    def interval(self, metric: str, design: str) -> RatioInterval | None:
        """The ends between which a ratio lies; None for what is counted, and for the size on an FPGA."""
        metric = "area_mm2" if metric == "size" else metric
        return ratio_interval(self.results[self.reference], self.results[design], metric)

    def within(self, metric: str, design: str) -> str:
        """A ratio with the ends between which it lies, as it is read; a dash where there is none."""
        ratio = self.ratio(metric, design)
        return f.ratio(None) if ratio is None else f.ratio_within(ratio, self.interval(metric, design))

    def size_ratio(self, design: str) -> float:
        """Area over area; on an FPGA the geometric mean of the ratios of LUTs, flip-flops and block RAMs,
        those that both designs use. DSPs are as many as PEs in every design and left out."""
        if self.is_asic:
            return self.ratio("area_mm2", design) or 1.0
        ratios = [value for name in FPGA_SIZE if (value := self.ratio(name, design))]
        return math.exp(math.fsum(math.log(value) for value in ratios) / len(ratios)) if ratios else 1.0

    def differences(self, metric: str, design: str) -> list[tuple[str, float]]:
        """What `design` has more than the reference, group by group, the largest difference first."""
        theirs, mine = self.groups(metric, design), self.groups(metric, self.reference)
        more = {group: theirs.get(group, 0.0) - mine.get(group, 0.0) for group in theirs | mine}
        return sorted(more.items(), key=lambda item: -abs(item[1]))

    def groups(self, metric: str, design: str) -> dict[str, float]:
        """A metric of a design by group of components; `lut` is one on an FPGA."""
        result = self.results[design]
        if metric in ("lut", "ff"):
            taken = result.bill.resources.items()
            return grouped((component, float(each[metric])) for component, each in taken)
        return grouped(result.by_component(metric).items())

    def drivers(self, metric: str, design: str, most: int = 3) -> str:
        """The groups behind a difference in words: `index memory +21.0 nJ, control −1.20 nJ`."""
        texts = [
            f"{group} {'+' if value > 0 else '−'}{f.metric(metric, abs(value))}"
            for group, value in self.differences(metric, design)[:most]
            if value
        ]
        return ", ".join(texts) or "no component differs"
