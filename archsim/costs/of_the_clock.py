"""The figures that follow from the clock, be it one or many: each formula stands here once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from archsim.costs.exact_sum import total
from archsim.costs.pricing import Bill
from archsim.engine.counts import Counts
from archsim.technology.evidence import LEAKAGE
from workloads.refusal import Defect

CHECKED = ("latency_s", "energy_j", "power_w", "leakage_w", "area_mm2")
"""The figures of a result that are held to be finite and not negative."""


class OfTheClock:
    """What follows from `counts`, a `bill` and `clock_hz`, a float or an array of clocks, shape (n,); figures
    are of the same shape. A figure that is `missing` is None."""

    counts: Counts
    bill: Bill
    clock_hz: float
    missing: Mapping[str, str]

    @property
    def latency_s(self) -> float:
        """From the first input that is loaded to the last score."""
        return (self.counts.load_cycles + self.counts.cycles) / self.clock_hz

    @property
    def interval_s(self) -> float:
        """From one inference to the next, while they follow each other as fast as they can."""
        return self.counts.interval_cycles / self.clock_hz

    @property
    def inferences_per_s(self) -> float:
        return 1.0 / self.interval_s

    @cached_property
    def energy_j(self) -> float | None:
        return self._told("energy_j", total(term.value for term in self.bill.energy))

    @cached_property
    def power_w(self) -> float | None:
        """Of each term of energy what it is a second, summed."""
        seconds, rates = self.interval_s, {}
        for term in self.bill.energy:
            # Many terms count the same, and of arrays this division is what takes longest.
            if id(term.count) not in rates:
                rates[id(term.count)] = term.count / seconds
        return self._told(
            "power_w", total(rates[id(term.count)] * term.unit_cost for term in self.bill.energy)
        )

    @property
    def dynamic_power_w(self) -> float | None:
        """Power without leakage and without the static power of a device."""
        dynamic_j = total(term.value for term in self.bill.energy if term.what != LEAKAGE)
        return self._told("dynamic_power_w", dynamic_j / self.interval_s)

    def _told(self, metric: str, value: float) -> float | None:
        return None if metric in self.missing else value

    def _check(self) -> None:
        """Raises Defect where a figure is no number, or less than nothing."""
        for name in CHECKED:
            value = getattr(self, name)
            if isinstance(value, float):  # of one clock; of arrays the same takes ten times as long
                sound = 0 <= value < math.inf
            else:
                sound = value is None or bool(np.all(np.isfinite(value) & (np.asarray(value) >= 0)))
            if not sound:
                raise Defect(f"{name} came out as {value}, a result is finite and not negative")
