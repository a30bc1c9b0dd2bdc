"""What a simulation tells: counts and costs of one design point, every cost with the terms behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from archsim.costs.durations import latency_terms, path_terms
from archsim.costs.errors import FitError, technology_errors
from archsim.costs.of_the_clock import OfTheClock
from archsim.costs.pricing import Bill, Term
from archsim.engine.counts import Counts
from archsim.engine.mapping import StoredBits
from archsim.technology.evidence import UNKNOWN, Bracket, Brackets
from workloads.refusal import Refusal

if TYPE_CHECKING:
    import pandas as pd


CLOCK = "clock_hz"
"""What a warning of the clock begins with."""

OF_THE_CLOCK = (
    *("latency_s", "interval_s", "inferences_per_s"),
    *("energy_j", "power_w", "dynamic_power_w"),
)
"""The metrics that follow from the clock, energy among them, since what leaks does so for a time."""


def clock_warnings(clock_hz: float, critical_path_s: float | None, *, estimated: bool) -> Iterator[str]:
    """The warning of a clock that is faster than the critical path allows."""
    if critical_path_s is not None and clock_hz * critical_path_s > 1:
        yield (
            f"{CLOCK} is {clock_hz:.4g}, the {'estimated ' * estimated}critical path of "
            f"{critical_path_s * 1e9:.2f} ns allows at most {1 / critical_path_s:.4g}"
        )


class MetricError(Refusal):
    """A metric that the result does not have; the message names those it has, or says why it is missing."""


@dataclass(frozen=True)
class Result(OfTheClock):
    """One design point at one fidelity.

    `cycles` from start to done, after the inputs were loaded; `energy_j` of one inference, its inputs loaded,
    `power_w` while inferences follow each other as fast as they can; `area_mm2` on an ASIC (the core of cells
    and memory macros, placed or as it is expected), `resources` on an FPGA; `critical_path_s` where the
    hardware was mapped; `accuracy` the share of test images classified rightly, known for the widths at which
    it was measured; `assumed` the assumptions behind the costs. A cost that nobody can tell is None, and
    `missing` says why, by metric; counts are always there. `fit_error` is the mean and the worst relative
    error of each figure that was fitted, against gates and placed designs that no fit saw, `placing_error`
    the part of it that is of placing; `technology_error` between which multiples of each figure comparisons
    of the technology with real ones found the truth, from `brackets`, by part, and from what each memory has
    of its own. `stimulus` names the inputs that ran: those whose switching was priced, the first of them on
    the hardware at `rtl`; None where nothing did, as on an FPGA whose power is vectorless. `path_source` is
    the kind and the source of the critical path.
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
    fit_error: Mapping[str, FitError] = field(default_factory=dict)
    placing_error: Mapping[str, FitError] = field(default_factory=dict)
    brackets: Brackets = field(default=UNKNOWN, repr=False)
    critical_path: tuple[str, ...] = field(default=(), repr=False)
    path_source: tuple[str, str] = field(default=("assumed", "not known"), repr=False)
    missing: Mapping[str, str] = field(default_factory=dict)
    stimulus: str | None = None

    def __repr__(self) -> str:
        engine, technology = self.design["engine"], self.design["technology"]
        return (
            f"<Result of {self.design['network']} on {engine['kind']}, {technology['kind']}, "
            f"{self.fidelity}: {self.cycles} cycles{', beyond its clock' * (not self.clock_met)}>"
        )

    @property
    def clock_met(self) -> bool:
        """Whether the critical path allows the clock, as far as it is known."""
        return self.critical_path_s is None or self.clock_hz * self.critical_path_s <= 1

    @property
    def notes(self) -> tuple[str, ...]:
        """The warnings but that of the clock."""
        return tuple(warning for warning in self.warnings if not warning.startswith(CLOCK))

    @property
    def beyond_critical_path(self) -> tuple[str, ...]:
        """The metrics that would need a clock which the critical path does not allow; none where it does."""
        return () if self.clock_met else OF_THE_CLOCK

    def at_clock(self, clock_hz: float) -> Result:
        """The same hardware doing the same at another clock: what leaks does so for another time. Its netlist
        is not mapped anew. Raises Refusal for what is no frequency."""
        if isinstance(clock_hz, bool) or not isinstance(clock_hz, int | float) or not 0 < clock_hz < math.inf:
            raise Refusal.of(CLOCK, clock_hz, "numbers in hertz")
        bill = self.bill.over(self.counts.interval_cycles / clock_hz)
        share = self.bill.energy_j / bill.energy_j if bill.energy else 1.0
        of_fit, of_placing = (
            {
                name: error.of_share(share) if name in ("energy_j", "power_w") else error
                for name, error in errors.items()
            }
            for errors in (self.fit_error, self.placing_error)
        )
        return replace(
            self,
            clock_hz=clock_hz,
            bill=bill,
            fit_error=of_fit,
            placing_error=of_placing,
            design={**self.design, "clock_hz": clock_hz},
            warnings=(*self.clock_warnings(clock_hz), *self.notes),
        )

    def clock_warnings(self, clock_hz: float) -> Iterator[str]:
        """The warning that the result has at a clock."""
        return clock_warnings(clock_hz, self.critical_path_s, estimated=self.path_source[0] == "fitted")

    def _repr_html_(self) -> str:
        """The figures as a notebook shows them."""
        from archsim.costs.metrics import metrics_of
        from archsim.costs.shown import html_table, number, unit_of

        rows = []
        for metric in metrics_of(self):
            value = metric.read(self)
            if metric.listed and (value is not None or not metric.optional):
                unit, by = unit_of(metric.name, [value or 0.0])
                rows.append((metric.label, "—" if value is None else number(value * by), unit))
        return html_table(repr(self), ("figure", "value", "unit"), rows)

    def __post_init__(self) -> None:
        self._check()

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
    def load_cycles(self) -> int:
        return self.counts.load_cycles

    @property
    def interval_cycles(self) -> int:
        return self.counts.interval_cycles

    def cost(self, metric: str) -> float:
        """A cost by its name. Raises MetricError for one that the result does not have, with the reason."""
        value = getattr(self, metric, None)
        if value is None:
            raise MetricError(self._why_missing(metric))
        return float(value)

    @property
    def leakage_w(self) -> float | None:
        return self._told("leakage_w", self.bill.leakage_w)

    @property
    def _power_terms(self) -> tuple[Term, ...]:
        """The energy terms, each a second."""
        seconds = self.interval_s
        return tuple(
            replace(term, count=term.count / seconds, counted=f"{term.counted} a second")
            for term in self.bill.energy
        )

    @cached_property
    def technology_error(self) -> Mapping[str, Bracket]:
        """By metric the ends between which the truth is taken to lie, as multiples of the figure."""
        return technology_errors(self.bill, self.critical_path_s, self.brackets, self.missing)

    @property
    def is_asic(self) -> bool:
        return bool(self.bill.area) or "area_mm2" in self.missing

    @property
    def area_mm2(self) -> float | None:
        return self._told("area_mm2", self.bill.area_mm2) if self.is_asic else None

    @property
    def resources(self) -> Mapping[str, int] | None:
        """What an FPGA's resources are taken by, by the names of its family; those that are missing are left
        out. None on an ASIC."""
        if self.is_asic:
            return None
        total = self.bill.total_resources
        return {name: total[name] for name in self.bill.usage}

    @property
    def unknown_resources(self) -> tuple[str, ...]:
        """The resources of an FPGA that are missing."""
        return tuple(name for name in self.missing if not hasattr(self, name))

    def terms(self, metric: str) -> tuple[Term, ...]:
        """The addends of a metric, largest first. Raises MetricError for a metric that has none here."""
        known = self._known()
        if not isinstance(metric, str) or metric not in known:
            raise MetricError(self._why_missing(metric))
        return tuple(sorted(known[metric], key=lambda term: -term.value))

    def _known(self) -> dict[str, tuple[Term, ...]]:
        """The terms of each metric that the result has."""
        known = {
            "energy_j": self.bill.energy,
            "power_w": self._power_terms,
            "leakage_w": self.bill.leakage,
            **({"area_mm2": self.bill.area} if self.is_asic else self.bill.usage),
            "latency_s": tuple(latency_terms(self.counts, self.clock_hz)),
        }
        if self.critical_path_s is not None:
            path = path_terms(self.critical_path, self.critical_path_s, self.path_source)
            known["critical_path_s"] = tuple(path)
        return {metric: terms for metric, terms in known.items() if metric not in self.missing}

    def _why_missing(self, metric: str) -> str:
        allowed = ", ".join(self._known()) or "none"
        if isinstance(metric, str) and metric in self.missing:
            return f"metric is {metric!r}, which is missing ({self.missing[metric]}), allowed are {allowed}"
        return f"metric is {metric!r}, allowed are {allowed}"

    def explain(self, metric: str) -> pd.DataFrame:
        """The sum behind a number: component, count, unit cost, contribution, share, kind and source."""
        import pandas as pd

        terms = self.terms(metric)
        values = [term.value for term in terms]
        total = math.fsum(values)
        columns = [column.name for column in fields(Term) if column.name != "bracket"]
        frame = pd.DataFrame(map(asdict, terms), columns=columns)
        frame.insert(6, "contribution", values)
        frame.insert(7, "share", [value / total if total else 0.0 for value in values])
        return frame

    def by_component(self, metric: str) -> dict[str, float]:
        """A metric summed over each component, largest first."""
        sums: dict[str, list[float]] = {}
        for term in self.terms(metric):
            sums.setdefault(term.component, []).append(term.value)
        totals = {name: math.fsum(values) for name, values in sums.items()}
        return dict(sorted(totals.items(), key=lambda item: -item[1]))

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, as `simulate --json` prints it."""
        from archsim.costs.plain import plain

        return plain(self)

    def to_frame(self) -> pd.DataFrame:
        """One row, nested values as columns with dots."""
        import pandas as pd

        return pd.json_normalize(self.to_dict())
