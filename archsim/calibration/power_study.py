"""How the power fit was chosen: other ways to fit the same reports, each judged on reports it never saw.

    python -m archsim.calibration.power_study archsim/technology/data

writes `artix7_power_fit.yaml`, the coefficients in use and the error of each set, and
`artix7_power_study.csv`, the table of what was tried.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import least_squares, nnls

from archsim.calibration.power_fit import (
    LEAST_POWER_W,
    LEAST_ROW_W,
    UNITS,
    Coefficients,
    PowerFit,
    PowerReport,
    Prediction,
    energy_j,
    figures,
    fit_power,
    geometric_means,
    informative,
    leave_out,
    log_ratio,
    prediction,
    read_reports,
)
from archsim.technology.fpga.artix7 import COUNTED, FIT_FILE, quantity_name
from workloads.files import write_text

STUDY_TABLE = "artix7_power_study.csv"
NEURAL_NETWORK = "tienthanh8136/MNIST_Nexys4DDR"
NEURAL_NETWORK_ONLY = "neural network report"
LARGE_LUT = 400
FASTEST_FABRIC_HZ = 250e6
"""A report with a faster clock has a memory interface or a transceiver, whose clock is not the fabric's."""
LOW_VOLTAGE_V = 0.95


def medians(reports: Sequence[PowerReport]) -> Coefficients:
    """The median of each kind over reports."""
    return {kind: statistics.median(figures(reports, kind)) for kind in COUNTED}


def weighted_by_size(reports: Sequence[PowerReport]) -> Coefficients:
    """All power of a kind over all of its resources, cycle by cycle: large designs count most."""

    def ratio(kind: str) -> float:
        told = [each for each in informative(reports) if each.j_per_cycle(kind)]
        if not told:
            return statistics.geometric_mean(figures(reports, kind))
        joule = math.fsum((each.power_w[kind] or 0) / (each.clock_hz or 1) for each in told)
        return joule / math.fsum(each.counts[COUNTED[kind]] for each in told)

    return {kind: ratio(kind) for kind in COUNTED}


def _fabric_j(report: PowerReport) -> float:
    return report.fabric_w / (report.clock_hz or 1)


def least_squares_of_the_sum(reports: Sequence[PowerReport]) -> Coefficients:
    """Non-negative least squares of the relative error of the summed fabric power, rows unseen. A LUT has one
    figure, given in equal parts to logic and signals."""
    told = informative(reports)
    amounts = np.array([[each.counts[name] for name in UNITS] for each in told])
    costs, _ = nnls(amounts / np.array([[_fabric_j(each)] for each in told]), np.ones(len(told)))
    fitted = dict(zip(UNITS, costs.tolist(), strict=True))
    return {kind: fitted[counted] / (2 if counted == "lut" else 1) for kind, counted in COUNTED.items()}


def log_least_squares_of_the_sum(reports: Sequence[PowerReport]) -> Coefficients:
    """Least squares of the log error of the summed fabric power, drawn to the geometric means as strongly as
    by one report."""
    start, told = geometric_means(reports), informative(reports)

    def moved(logs: Sequence[float]) -> Coefficients:
        by = dict(zip(UNITS, logs, strict=True))
        return {kind: cost * math.exp(by[COUNTED[kind]]) for kind, cost in start.items()}

    def residuals(logs: Any, /) -> list[float]:
        costs = moved(logs)
        return [*(math.log(energy_j(costs, each.counts) / _fabric_j(each)) for each in told), *logs]

    return moved(least_squares(residuals, np.zeros(len(UNITS)), xtol=1e-12, ftol=1e-12).x.tolist())


def at_nominal_voltage(reports: Sequence[PowerReport]) -> list[PowerReport]:
    """The reports with those of low-voltage parts scaled to 1.0 V, by the square of the voltage."""

    def scaled(report: PowerReport) -> PowerReport:
        if not report.low_voltage:
            return report
        times = 1 / LOW_VOLTAGE_V**2
        power_w = {kind: watts and watts * times for kind, watts in report.power_w.items()}
        return replace(report, power_w=power_w, fabric_w=report.fabric_w * times)

    return [scaled(each) for each in reports]


def neural_network(reports: Sequence[PowerReport]) -> Coefficients:
    """The figures of one report: a dense MNIST network."""
    own = next(each for each in reports if each.repository == NEURAL_NETWORK)
    return {kind: own.j_per_cycle(kind) or 0.0 for kind in COUNTED}


def multiplying(reports: Sequence[PowerReport]) -> list[PowerReport]:
    """The reports of designs that multiply, in whatever class: a DSP row of at least `LEAST_ROW_W`, and no
    clock but the fabric's. Where there are several clocks, the fastest bounds a prediction from above."""
    own_clock = [r for r in reports if (r.fastest_hz or 0) <= FASTEST_FABRIC_HZ]
    return [report for report in own_clock if (report.power_w["dsp"] or 0) >= LEAST_ROW_W]


def of_neural_network(reports: Sequence[PowerReport], tested: Sequence[PowerReport]) -> Prediction:
    """The neural network's figures on reports other than its own."""
    costs = neural_network(reports)
    return prediction([log_ratio(costs, each) for each in tested if each.repository != NEURAL_NETWORK])


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One way to get coefficients, the reports it was judged on, and how it did."""

    method: str
    judged_on: str
    prediction: Prediction


def study(reports: Sequence[PowerReport]) -> tuple[Tried, ...]:
    """Everything that was tried, the way that is used first."""
    ways: dict[str, Callable[[Sequence[PowerReport]], Coefficients]] = {
        "geometric mean of each row": geometric_means,
        "median of each row": medians,
        "each row weighted by size": weighted_by_size,
        "non-negative least squares of the sum": least_squares_of_the_sum,
        "log least squares of the sum": log_least_squares_of_the_sum,
    }
    one_clock = [each for each in reports if each.fit_class == "A"]
    weak = [each for each in one_clock if each.fabric_w >= LEAST_POWER_W / 2]
    large = [each for each in one_clock if each.counts["lut"] >= LARGE_LUT]
    products = multiplying(reports)
    general, multiplies = "one clock, 10 mW or more", "DSP row of 2 mW or more"
    used = "geometric mean of each row"
    tried = [
        *((name, general, leave_out(reports, make)) for name, make in ways.items()),
        (f"{used} at 1.0 V", general, leave_out(at_nominal_voltage(reports))),
        (used, "one clock, 5 mW or more", leave_out(reports, judged_on=weak)),
        (used, "one clock, 400 LUT or more", leave_out(reports, judged_on=large)),
        (used, multiplies, leave_out(reports, judged_on=products)),
        (NEURAL_NETWORK_ONLY, general, of_neural_network(reports, informative(reports))),
        (NEURAL_NETWORK_ONLY, multiplies, of_neural_network(reports, products)),
    ]
    return tuple(Tried(method=way, judged_on=on, prediction=errors) for way, on, errors in tried)


def describe(fit: PowerFit, reports: Sequence[PowerReport]) -> str:
    """The text of `artix7_power_fit.yaml`."""
    lines = [
        'title: "Artix-7 power for each resource"',
        "note: >-",
        "  Written by archsim.calibration.power_study from artix7_power_reports.csv. All reports are",
        "  at the tool's default activity: no dependence on toggle or enable rates can be fitted.",
        "quantities:",
    ]

    def entry(name: str, value: float, unit: str, source: str, error_factor: float | None = None) -> None:
        error = f", error_factor: {error_factor:.3g}" if error_factor else ""
        lines.append(
            f'  {name}: {{value: {value:.3e}, unit: "{unit}", kind: fitted, source: "{source}"{error}}}'
        )

    for kind, fitted in fit.coefficients.items():
        entry(
            f"fitted_{quantity_name(kind)}",
            fitted.j_per_cycle,
            f"J per {UNITS[COUNTED[kind]]} per clock cycle",
            f"Geometric mean of {fitted.reports} single-clock public report_power files ({kind} row over "
            f"count), range {fitted.least:.2g} to {fitted.most:.2g}",
            fitted.error_factor,
        )
    unseen = {report.source: report for report in (*informative(reports), *multiplying(reports))}
    for name, error, how in (
        ("fitted", fit.left_out, "each predicted without any report of its repository"),
        ("neural_network", of_neural_network(reports, list(unseen.values())), "its own not among them"),
    ):
        entry(
            f"{name}_dynamic_power_error",
            error.one_sigma,
            "ratio",
            f"Root mean square log error of the summed fabric power of {error.reports} reports, {how} "
            f"(median x{error.median:.2f}, bias x{error.bias:.2f}, worst x{error.worst:.1f})",
        )
    return "\n".join(lines) + "\n"


def table(tried: Sequence[Tried]) -> pd.DataFrame:
    """What `artix7_power_study.csv` holds."""
    return pd.DataFrame(
        {"method": way.method, "judged_on": way.judged_on}
        | {name: f"{value:.3g}" for name, value in vars(way.prediction).items()}
        for way in tried
    )


def main() -> None:
    """Fit the stored reports anew and write both files to the directory named."""
    directory, reports = Path(sys.argv[1]), read_reports()
    write_text(directory / FIT_FILE, describe(fit_power(reports), reports))
    write_text(directory / STUDY_TABLE, table(study(reports)).to_csv(index=False))


if __name__ == "__main__":
    main()
