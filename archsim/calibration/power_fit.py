"""Dynamic power of Artix-7 fabric for each resource used, fitted to public power reports, and its error.

A report names a power for each kind of resource and how many of them the design uses, so each report gives
its own J per cycle for each kind. Between designs these differ by a factor of two either way: a LUT costs
what its signals do. The fit is the geometric mean over reports; its error is found by leaving out all
reports of one repository at a time and predicting the summed power of its designs. What else was tried is
in `archsim.calibration.power_study`, which also writes the data files.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archsim.technology.fpga.artix7 import COUNTED
from archsim.technology.quantity import load_table
from workloads.refusal import Refusal

REPORTS_TABLE = "artix7_power_reports.csv"
UNITS = {"lut": "LUT", "ff": "flip-flop", "bram36": "BRAM36", "dsp": "DSP48E1"}

LEAST_POWER_W = 0.010
"""Fabric power of the reports that are fitted and predicted: the sum of five rows of 1 mW resolution is then
known to about 6 %, and the design is at work."""
LEAST_ROW_W = 0.002
"""Where fewer than `ENOUGH` of these reports tell a resource, all rows of at least this power do."""
ENOUGH = 2


@dataclass(frozen=True, kw_only=True)
class PowerReport:
    """What one report says: fabric power in W by kind, None where below resolution or absent, and the
    resources that it is spent on. `clock_hz` is None for a design of several clocks, `fastest_hz` its
    fastest. A part of `low_voltage` grade runs at 0.95 V."""

    source: str
    fit_class: str
    clock_hz: float | None
    fastest_hz: float | None
    counts: Mapping[str, float]
    power_w: Mapping[str, float | None]
    fabric_w: float
    low_voltage: bool

    @property
    def repository(self) -> str:
        return self.source.split(":")[0]

    def j_per_cycle(self, kind: str) -> float | None:
        """J per clock cycle for each resource of a kind; None where the report does not tell."""
        power_w, count = self.power_w[kind], self.counts[COUNTED[kind]]
        if not power_w or not count or not self.clock_hz:
            return None
        return power_w / count / self.clock_hz


Coefficients = Mapping[str, float]
"""J per clock cycle for each resource, by kind of power."""


@dataclass(frozen=True, kw_only=True)
class Coefficient:
    """One fitted figure: J per cycle and resource, its one-sigma ratio between designs, and how many reports
    and what range it comes from."""

    j_per_cycle: float
    error_factor: float
    reports: int
    least: float
    most: float


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """How far predictions lie from reports that the coefficients were not made from, as ratios.

    `median` and `one_sigma` are the median and the root mean square of the absolute log ratio, `bias` the
    median ratio of predicted to reported, `worst` the largest either way.
    """

    reports: int
    median: float
    one_sigma: float
    bias: float
    worst: float


@dataclass(frozen=True, kw_only=True)
class PowerFit:
    """The fitted coefficients and their error on reports that were left out."""

    coefficients: Mapping[str, Coefficient]
    left_out: Prediction

    @property
    def j_per_cycle(self) -> Coefficients:
        return {kind: each.j_per_cycle for kind, each in self.coefficients.items()}


def read_reports() -> tuple[PowerReport, ...]:
    """The stored reports, those without a clock (class C) left out."""
    return tuple(_report(row) for row in load_table(REPORTS_TABLE).rows if row["fit_class"] != "C")


def _report(row: Mapping[str, Any]) -> PowerReport:
    censored = row["censored_below_resolution"].split(";")
    written: dict[str, float] = {kind: row[f"{kind}_w"] or 0.0 for kind in COUNTED}
    periods_ns = [float(period) for period in row["clock_periods_ns"].split(";") if period]
    return PowerReport(
        source=row["source"],
        fit_class=row["fit_class"],
        clock_hz=row["clock_mhz"] and row["clock_mhz"] * 1e6,
        fastest_hz=1e9 / min(periods_ns) if periods_ns else None,
        counts={name: row[name] for name in UNITS},
        power_w={kind: None if kind in censored else watts for kind, watts in written.items()},
        fabric_w=math.fsum(written.values()),
        low_voltage=row["device"].endswith("1l"),
    )


def informative(reports: Iterable[PowerReport]) -> list[PowerReport]:
    """The reports to fit: one clock in the whole design, and at least `LEAST_POWER_W` in its fabric."""
    return [report for report in reports if report.fit_class == "A" and report.fabric_w >= LEAST_POWER_W]


def figures(reports: Sequence[PowerReport], kind: str) -> list[float]:
    """J per cycle and resource of every report that tells one."""
    loud = [r for r in reports if r.fit_class == "A" and (r.power_w[kind] or 0) >= LEAST_ROW_W]
    for chosen in (informative(reports), loud):
        told = [figure for report in chosen if (figure := report.j_per_cycle(kind)) is not None]
        if len(told) >= ENOUGH:
            break
    return told


def geometric_means(reports: Sequence[PowerReport]) -> Coefficients:
    """The coefficients that are used: the geometric mean of each kind over the reports that tell it."""
    return {kind: statistics.geometric_mean(figures(reports, kind)) for kind in COUNTED}


def energy_j(coefficients: Coefficients, counts: Mapping[str, float]) -> float:
    """J per clock cycle of a design, from counts by the names of `UNITS`."""
    return math.fsum(cost * counts[COUNTED[kind]] for kind, cost in coefficients.items())


def log_ratio(coefficients: Coefficients, report: PowerReport) -> float:
    """Log of predicted over reported fabric power, at the fastest clock where a report has several."""
    clock_hz = report.clock_hz or report.fastest_hz
    if not clock_hz:
        raise Refusal(f"report is {report.source!r}, allowed is one with a clock")
    return math.log(energy_j(coefficients, report.counts) * clock_hz / report.fabric_w)


def prediction(log_ratios: Sequence[float]) -> Prediction:
    """What a set of log ratios says of predictions."""
    return Prediction(
        reports=len(log_ratios),
        median=math.exp(statistics.median(map(abs, log_ratios))),
        one_sigma=math.exp(math.sqrt(statistics.fmean(ratio**2 for ratio in log_ratios))),
        bias=math.exp(statistics.median(log_ratios)),
        worst=math.exp(max(map(abs, log_ratios))),
    )


def leave_out(
    reports: Sequence[PowerReport],
    make: Callable[[Sequence[PowerReport]], Coefficients] = geometric_means,
    judged_on: Sequence[PowerReport] | None = None,
) -> Prediction:
    """Predict each of some reports, the informative ones unless others are named, by coefficients made
    without any report of its repository."""
    ratios = []
    for report in informative(reports) if judged_on is None else judged_on:
        others = [other for other in reports if other.repository != report.repository]
        ratios.append(log_ratio(make(others), report))
    return prediction(ratios)


def fit_power(reports: Sequence[PowerReport]) -> PowerFit:
    """Fit the coefficients and find their error; the same reports give the same figures."""
    coefficients = {}
    for kind in COUNTED:
        told = figures(reports, kind)
        coefficients[kind] = Coefficient(
            j_per_cycle=statistics.geometric_mean(told),
            error_factor=math.exp(statistics.stdev(map(math.log, told))),
            reports=len(told),
            least=min(told),
            most=max(told),
        )
    return PowerFit(coefficients=coefficients, left_out=leave_out(reports))
