"""Calibration: synthesises configurations drawn by seed, fits what `archsim.costs.fidelity.estimate` charges.

Two sets are drawn, one to fit and one that the fit never sees. Both are kept as measured tables beside the
coefficients, so that a fit can be repeated, and every stated error checked, without Yosys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping as MappingOf, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial, singledispatch
from pathlib import Path

import numpy as np
from scipy.optimize import nnls
from tqdm import tqdm

from archsim.calibration.delay_fit import way_delays
from archsim.calibration.measurement import (
    FPGA_METRICS,
    SETS,
    UNITS,
    Measurement,
    figure,
    read_measured,
    stored_s,
    write_measured,
)
from archsim.calibration.paths import ways_found
from archsim.calibration.plan import PLANS, Measurable, configurations
from archsim.costs.fidelity.estimate import ASIC_METRICS, LEAKAGE, PATH_METRIC, LogicFit, logic_fit
from archsim.costs.fidelity.gate import map_to_gates
from archsim.costs.fidelity.structure import Structure, structures
from archsim.costs.logic import LogicPart
from archsim.costs.memories import memories
from archsim.costs.operands import Workload, workload_of
from archsim.netlist import YosysError
from archsim.technology import Fpga, FpgaResources, StandardCells, Technology
from archsim.technology.technology import refuse_fabric
from workloads.files import write_text

METRICS = {"asic": ASIC_METRICS, "fpga": FPGA_METRICS}

_Sample = tuple[Structure, LogicPart, Workload | None]
"""One component of one netlist: what it is made of, what came out, and at which work."""


@dataclass(frozen=True)
class Error:
    """How far the estimated totals of a metric lie from the measured ones: mean and largest absolute relative
    error, and the configuration of the largest."""

    metric: str
    mean: float
    worst: float
    worst_case: str


def calibrate(technology: Technology, directory: Path) -> tuple[Error, ...]:
    """Synthesises what the technology's plan says, fits, writes the data files to `directory`, and returns
    the errors on the held-out netlists.

    About a quarter of an hour of one core for each technology where nothing is cached; an interrupted run
    goes on where it stopped.
    """
    plan = PLANS[technology.kind]
    measured = {label: measure(configurations(plan, label), technology, label) for label in SETS}
    return write_fit(technology, measured, directory)


def held_out_errors(technology: Technology) -> tuple[Error, ...]:
    """The errors of the stored fit on the stored netlists that it never saw; nothing is synthesised."""
    stored = read_measured(technology.kind)
    return errors(stored["held_out"], logic_fit(technology.kind), technology)


def measure(measured_on: Sequence[Measurable], technology: Technology, label: str) -> list[Measurement]:
    """Synthesises each configuration in one technology, on all cores, and leaves out, aloud, what Yosys fails
    on (its ABC crashes on a single-PE Clos engine for an FPGA). What was synthesised before comes from the
    cache, so an interrupted run goes on where it stopped."""
    measurements = []
    with ProcessPoolExecutor() as workers:
        measured = workers.map(partial(_measured, technology=technology), measured_on)
        progress = tqdm(measured, f"{technology.kind} {label}", len(measured_on), unit="netlist")
        for measurement in progress:
            if isinstance(measurement, Measurement):
                measurements.append(measurement)
            else:
                tqdm.write(measurement)
    return measurements


def _measured(configuration: Measurable, technology: Technology) -> Measurement | str:
    """The measurement of one configuration, or why there is none."""
    mapping = configuration.map(technology.fabric)
    try:
        logic = map_to_gates(mapping, technology)
    except YosysError as error:
        return f"left out {mapping.sizes}: {error}"
    workload = workload_of(mapping) if technology.follows_switching else None
    # Fitted as it is stored, so that the coefficients follow from the table.
    kept = replace(logic, critical_path_s=stored_s(logic.critical_path_s or 0.0))
    found = ways_found(technology, mapping, logic)
    delays = {family: stored_s(delay_s) for family, delay_s in found.items()}
    return Measurement(mapping.sizes, kept, workload, delays)


def fit(measurements: Sequence[Measurement], technology: Technology) -> LogicFit:
    """Non-negative least squares on the relative errors of each component, family by family.

    An amount that nothing was charged for is left out.
    """
    kind = technology.fabric
    samples: dict[str, list[_Sample]] = {}
    for measurement in measurements:
        parts = {part.component: part for part in measurement.logic.parts}
        for structure in structures(measurement.sizes):
            if structure.component in parts:
                sample = (structure, parts[structure.component], measurement.workload)
                samples.setdefault(structure.family, []).append(sample)
    coefficients = {
        family: {metric: _charge(of_family, metric, kind) for metric in METRICS[kind]}
        for family, of_family in samples.items()
    }
    for family, costs in way_delays(measurements, technology).items():
        coefficients.setdefault(family, {})[PATH_METRIC] = costs
    constants = {"netlists": float(len(measurements))}
    if kind == "asic":
        everything = [part for measurement in measurements for part in measurement.logic.parts]
        constants[LEAKAGE] = sum(p.leakage_w for p in everything) / sum(p.area_mm2 for p in everything)
    return LogicFit(coefficients, constants, f"fitted to {len(measurements)} netlists")


def _charge(samples: Sequence[_Sample], metric: str, kind: str) -> dict[str, float]:
    """What each amount of one family costs."""
    rows = [structure.charged(metric, kind, workload) for structure, _, workload in samples]
    return _non_negative(rows, [figure(part, metric) / part.instances for _, part, _ in samples])


def _non_negative(rows: Sequence[MappingOf[str, float]], figures: Sequence[float]) -> dict[str, float]:
    names, measured = list(rows[0]), np.array(figures)
    if not (names and measured.any()):
        return {}
    amounts = np.array([[float(row[name]) for name in names] for row in rows])
    # Figures below a fiftieth of the largest count as that, so that the smallest do not rule the fit.
    weight = 1 / np.maximum(measured, measured.max() / 50)
    costs, _ = nnls(amounts * weight[:, None], measured * weight)
    return {
        name: float(f"{cost:.5g}")
        for name, cost in zip(names, costs, strict=True)
        if cost * amounts.max() > 1e-6 * measured.max()
    }


def errors(
    measurements: Sequence[Measurement], fitted: LogicFit, technology: Technology
) -> tuple[Error, ...]:
    """The errors of the totals of every metric over some netlists."""
    stated = []
    for metric, total in _totals(technology).items():
        signed = []
        for measurement in measurements:
            logic = fitted.logic(measurement.sizes, measurement.workload, technology)
            measured, estimated = total(measurement), total(replace(measurement, logic=logic))
            signed.append(estimated / measured - 1 if measured else float(estimated != 0))
        worst, case = max(zip(signed, measurements, strict=True), key=lambda pair: abs(pair[0]))
        mean = float(np.mean(np.abs(signed)))
        stated.append(Error(metric, mean, abs(worst), f"{case.name} ({worst:+.1%})"))
    return tuple(stated)


@singledispatch
def _totals(technology: Technology) -> dict[str, Callable[[Measurement], float]]:
    """The metrics of which errors are stated. `energy_j` is what the logic takes for one inference with its
    glitches, `switching_j` that without its clock, `glitches_j` the glitches alone. An FPGA's resources are
    those of logic and memories."""
    refuse_fabric(technology, "the total")


@_totals.register(Fpga)
def _of_fabric(technology: Fpga) -> dict[str, Callable[[Measurement], float]]:
    def resources(netlist: Measurement) -> FpgaResources:
        taken = [part.resources for part in netlist.logic.parts]
        if netlist.logic.memory_resources is None:
            taken += [cost.resources * shape.number for shape, cost in memories(netlist.sizes, technology)]
        else:
            taken.append(netlist.logic.memory_resources)
        return sum(taken, FpgaResources())

    return {
        metric: lambda netlist, m=metric: float(resources(netlist)[m])
        for metric in (*FPGA_METRICS, "dsp", "bram18", "bram36")
    } | {PATH_METRIC: lambda netlist: netlist.logic.critical_path_s or 0.0}


@_totals.register(StandardCells)
def _of_cells(technology: StandardCells) -> dict[str, Callable[[Measurement], float]]:
    def clock_j(netlist: Measurement) -> float:
        assert netlist.workload is not None
        return netlist.workload.interval_cycles * sum(p.clock_energy_j for p in netlist.logic.parts)

    def switching_j(netlist: Measurement) -> float:
        assert netlist.workload is not None
        return sum(
            p.active_cycles(netlist.workload)
            * (p.gate_switching_j + p.glitch_switching_j + p.register_switching_j)
            for p in netlist.logic.parts
        )

    def glitches_j(netlist: Measurement) -> float:
        assert netlist.workload is not None
        return sum(p.active_cycles(netlist.workload) * p.glitch_switching_j for p in netlist.logic.parts)

    return {
        "area_mm2": lambda netlist: sum(p.area_mm2 for p in netlist.logic.parts),
        "energy_j": lambda netlist: clock_j(netlist) + switching_j(netlist),
        "clock_energy_j": clock_j,
        "switching_j": switching_j,
        "glitches_j": glitches_j,
        "leakage_w": lambda netlist: sum(p.leakage_w for p in netlist.logic.parts),
        PATH_METRIC: lambda netlist: netlist.logic.critical_path_s or 0.0,
    }


def write_fit(
    technology: Technology, measured: dict[str, list[Measurement]], directory: Path
) -> tuple[Error, ...]:
    """Writes the measurements of one technology, fits the training set as it is stored, so that coefficients
    follow from what ships, and writes them with the held-out errors."""
    name = technology.kind
    write_measured(name, technology.fabric, measured, directory)
    return write_coefficients(technology, read_measured(name, directory), directory, name)


def write_coefficients(
    technology: Technology, stored: MappingOf[str, Sequence[Measurement]], directory: Path, name: str
) -> tuple[Error, ...]:
    """Fits what is stored in the table of this name, and writes the coefficients with the held-out errors."""
    count = len(stored["train"]), len(stored["held_out"])
    fitted = fit(stored["train"], technology)
    held_out = errors(stored["held_out"], fitted, technology)
    source = (
        f"Non-negative least squares on {count[0]} netlists mapped by Yosys "
        f"(logic_fit_{name}_measured.csv, set train), by archsim.calibration.calibrate"
    )
    unseen = (
        f"The {count[1]} netlists of logic_fit_{name}_measured.csv, set held_out, which the fit never saw"
    )
    lines = [f"title: Logic of the engines on {name}, fitted, and its errors", "quantities:"]

    def entry(quantity: str, value: float, unit: str, kind: str, origin: str) -> None:
        lines.append(f"  {quantity}: {{value: {value:.6e}, unit: {unit}, kind: {kind}, source: {origin}}}")

    entry("netlists", count[0], '"1"', "measured", f'&fit "{source}"')
    entry("held_out_netlists", count[1], '"1"', "measured", f'&unseen "{unseen}"')
    for error in held_out:
        entry(f"held_out_mean/{error.metric}", error.mean, '"1"', "measured", "*unseen")
        origin = f'"{unseen}; worst at {error.worst_case}"'
        entry(f"held_out_worst/{error.metric}", error.worst, '"1"', "measured", origin)
    if technology.fabric == "asic":
        entry(LEAKAGE, fitted.constants[LEAKAGE], "W/mm2", "fitted", "*fit")
    for family, metrics in fitted.coefficients.items():
        for metric, costs in metrics.items():
            for amount, cost in costs.items():
                entry(f"{family}/{metric}/{amount}", cost, UNITS[metric], "fitted", "*fit")
    write_text(directory / f"logic_fit_{name}.yaml", "\n".join(lines) + "\n", precious=True)
    return held_out
