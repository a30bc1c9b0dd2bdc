"""What a simulation tells: counts and costs of one design point, every cost with the terms behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from archsim.costs.pricing import RESOURCES, Bill, Term
from archsim.engines.counts import Counts
from archsim.engines.mapping import StoredBits

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("energy_j", "power_w", "area_mm2", "leakage_w")
"""The metrics that `explain` can take apart."""


class MetricError(ValueError):
    """A metric that the result does not have; the message names those it has."""


@dataclass(frozen=True)
class Result:
    """One design point at one fidelity.

    `cycles` from start to done; `energy_j` of one inference, `power_w` while inferences follow each
    other without a pause; `area_mm2` on an ASIC (cells and memory macros, not placed), `resources` on an
    FPGA; `critical_path_s` where the hardware was mapped; `accuracy` the share of test images classified
    rightly, known for the widths at which it was measured; `assumed` the assumptions behind the costs.
    `expected_error` is the mean relative error of each figure that was fitted, on designs that no fit saw;
    of an FPGA's dynamic power 0.8 says that it is likely off by a factor of 1.8.
    """

    fidelity: str
    exact: bool
    clock_hz: float
    counts: Counts
    bill: Bill
    stored_weights: int
    stored_bits: StoredBits
    compression: float
    accuracy: float | None
    critical_path_s: float | None
    design: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    expected_error: Mapping[str, float] = field(default_factory=dict)
    critical_path: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        for name in ("latency_s", "energy_j", "power_w", "leakage_w", "area_mm2"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ArithmeticError(f"{name} came out as {value}, a result is finite and not negative")

    @property
    def cycles(self) -> int:
        return self.counts.cycles

    @property
    def macs(self) -> int:
        return self.counts.macs

    @property
    def traffic(self) -> Mapping[str, Any]:
        return self.counts.traffic

    @property
    def latency_s(self) -> float:
        return self.cycles / self.clock_hz

    @property
    def inferences_per_s(self) -> float:
        return 1.0 / self.latency_s

    @property
    def energy_j(self) -> float:
        return self.bill.energy_j

    @property
    def leakage_w(self) -> float:
        return self.bill.leakage_w

    @property
    def power_w(self) -> float:
        return math.fsum(term.value for term in self._power_terms)

    @property
    def _power_terms(self) -> tuple[Term, ...]:
        """The energy terms, each a second."""
        return tuple(_per_second(term, self.latency_s) for term in self.bill.energy)

    @property
    def dynamic_power_w(self) -> float:
        """Power without leakage and without the static power of a device."""
        return math.fsum(t.value for t in self.bill.energy if t.what != "leakage") / self.latency_s

    @property
    def is_asic(self) -> bool:
        return bool(self.bill.area)

    @property
    def area_mm2(self) -> float | None:
        return self.bill.area_mm2 if self.is_asic else None

    @property
    def resources(self) -> Mapping[str, int] | None:
        """LUTs, flip-flops, DSPs, RAMB18 and RAMB36 on an FPGA."""
        if self.is_asic:
            return None
        total = self.bill.total_resources
        return {name: getattr(total, name) for name in RESOURCES}

    def terms(self, metric: str) -> tuple[Term, ...]:
        """The addends of a metric, largest first. Raises MetricError for a metric that has none here."""
        known = {
            "energy_j": self.bill.energy,
            "power_w": self._power_terms,
            "leakage_w": self.bill.leakage,
            **({"area_mm2": self.bill.area} if self.is_asic else self.bill.usage),
        }
        if metric not in known:
            raise MetricError(f"metric is {metric!r}, allowed are {', '.join(known)}")
        return tuple(sorted(known[metric], key=lambda term: -term.value))

    def explain(self, metric: str) -> pd.DataFrame:
        """The sum behind a number: component, count, unit cost, contribution, share, kind and source."""
        import pandas as pd

        terms = self.terms(metric)
        total = math.fsum(term.value for term in terms)
        rows = [
            {
                "component": term.component,
                "what": term.what,
                "count": term.count,
                "counted": term.counted,
                "unit_cost": term.unit_cost,
                "unit": term.unit,
                "contribution": term.value,
                "share": term.value / total if total else 0.0,
                "kind": term.kind,
                "source": term.source,
            }
            for term in terms
        ]
        return pd.DataFrame(rows)

    def by_component(self, metric: str) -> dict[str, float]:
        """A metric summed over each component, largest first."""
        sums: dict[str, list[float]] = {}
        for term in self.terms(metric):
            sums.setdefault(term.component, []).append(term.value)
        totals = {name: math.fsum(values) for name, values in sums.items()}
        return dict(sorted(totals.items(), key=lambda item: -item[1]))

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, as `simulate --json` prints it."""
        figures: dict[str, Any] = {
            "fidelity": self.fidelity,
            "exact": self.exact,
            "cycles": self.cycles,
            "latency_s": self.latency_s,
            "inferences_per_s": self.inferences_per_s,
            "energy_j": self.energy_j,
            "power_w": self.power_w,
            "dynamic_power_w": self.dynamic_power_w,
            "leakage_w": self.leakage_w,
            "critical_path_s": self.critical_path_s,
            "macs": self.macs,
            "padding_macs": self.counts.padding,
            "stall_cycles": self.counts.stalls,
            "stored_weights": self.stored_weights,
            "stored_bits": {**asdict(self.stored_bits), "total": self.stored_bits.total},
            "compression": self.compression,
            "accuracy": self.accuracy,
            "traffic": {
                role: {
                    "words_read": t.words_read,
                    "words_written": t.words_written,
                    "bits_read": t.bits_read,
                    "bits_written": t.bits_written,
                }
                for role, t in self.traffic.items()
            },
            "expected_error": dict(self.expected_error),
            "warnings": list(self.warnings),
            "assumed": list(self.assumed),
            "design": dict(self.design),
        }
        where = {"area_mm2": self.area_mm2} if self.is_asic else {"resources": dict(self.resources or {})}
        return figures | where

    def to_frame(self) -> pd.DataFrame:
        """One row, nested values as columns with dots."""
        import pandas as pd

        return pd.json_normalize(self.to_dict())


def _per_second(term: Term, seconds: float) -> Term:
    """The power that a share of the energy amounts to."""
    return Term(
        term.component,
        term.what,
        term.count / seconds,
        f"{term.counted} a second",
        term.unit_cost,
        term.unit,
        term.kind,
        term.source,
    )
