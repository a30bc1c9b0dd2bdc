"""The logic of an engine without synthesis: amounts of structure that follow from its sizes, at fitted costs.

The amounts are those of `archsim.costs.fidelity.structure`. What one of each costs was fitted to mapped
netlists by `archsim.calibration.calibrate`; the costs, and the errors on netlists that the fit never saw,
stand in `archsim/technology/data/logic_fit_*.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache, singledispatch

from archsim.costs.fidelity.delays import charge, stretch
from archsim.costs.fidelity.structure import Structure, structures
from archsim.costs.logic import Logic, LogicPart
from archsim.costs.operands import Workload, workload_of
from archsim.engine.mapping import Mapping as EngineMapping
from archsim.technology import Fpga, FpgaResources, StandardCells, Technology
from archsim.technology.asic.scaling import UNCHANGED
from archsim.technology.quantity import load_quantities
from archsim.technology.technology import refuse_fabric
from rtl import Sizes
from rtl.parts.paths import Way, ways
from rtl.parts.sweep_amounts import SWEEP_COMPONENTS
from workloads.refusal import Refusal

GATED = ("area_mm2", "clock_energy_j")
UNGATED = ("ungated_area_mm2", "ungated_clock_energy_j")
"""The metrics that clock gates change, with them and without."""

SWITCHED = ("gate_switching_j", "glitch_switching_j", "register_switching_j")
ASIC_METRICS = (*GATED, *SWITCHED, *UNGATED)
PATH_METRIC = "critical_path_s"
STATED_METRICS = ("area_mm2", "energy_j", "lut", "ff", PATH_METRIC)
LEAKAGE = "leakage_w_per_mm2"
ASSUMED = (
    "assumed",
    "counters and multiplexers that move a cascade over maps, taken as counters of the pruned engine's "
    "sequencers; on four netlists with 8 PEs that made their area 18 % too small, and on an FPGA their "
    "flip-flops 4 % and their LUTs 70 % too few",
)
"""The origin of the figures of what no netlist of the fit had."""


class EstimateError(Refusal):
    """Nobody calibrated what was asked for; the message names it and what is allowed."""


def estimate_logic(mapping: EngineMapping, technology: Technology) -> Logic:
    """The logic of the mapping's hardware, component by component, as `gate.map_to_gates` would find it.

    Raises EstimateError for an engine or a technology that nobody calibrated.
    """
    scaling = technology.fit_scaling
    if scaling is None:
        raise EstimateError(
            f"technology is {technology.kind}, whose logic nobody calibrated, allowed is fidelity gate"
        )
    if not _covers(_fit_of(scaling.fit, mapping.sizes), mapping.sizes):
        raise EstimateError(
            f"engine is {mapping.sizes.label}, whose logic nobody calibrated, allowed is fidelity gate"
        )
    workload = workload_of(mapping) if technology.follows_switching else None
    return estimate_sizes(mapping.sizes, workload, technology)


def _fit_of(fit: str, sizes: Sizes) -> str:
    return f"{fit}{sizes.fitted_apart}"


@lru_cache(maxsize=4096)
def _covers(fit: str, sizes: Sizes) -> bool:
    return logic_fit(fit).covers(sizes)


@lru_cache(maxsize=4096)
def estimate_sizes(sizes: Sizes, workload: Workload | None, technology: Technology) -> Logic:
    """The logic of hardware of these sizes at this work, from the coefficients of one technology, scaled to
    another where the two differ."""
    scaling = technology.fit_scaling
    assert scaling is not None
    fitted, by = logic_fit(_fit_of(scaling.fit, sizes)), scaling.factors
    logic = fitted.logic(sizes, workload, technology)
    if by == UNCHANGED:
        return logic
    parts = tuple(
        replace(
            part,
            area_mm2=part.area_mm2 * by.area,
            leakage_w=part.leakage_w * by.leakage,
            clock_energy_j=part.clock_energy_j * by.energy,
            gate_switching_j=part.gate_switching_j * by.energy,
            glitch_switching_j=part.glitch_switching_j * by.energy,
            register_switching_j=part.register_switching_j * by.energy,
        )
        for part in logic.parts
    )
    path_s = fitted.critical_path_s(sizes, technology, by.delay)
    source = (
        f"{logic.source}; times {by.area:.4g} for area, {by.energy:.4g} for energy, {by.leakage:.4g} for "
        f"leakage, {by.delay:.4g} for delay"
    )
    return replace(logic, parts=parts, critical_path_s=path_s, source=source)


@dataclass(frozen=True)
class LogicFit:
    """The coefficients of one technology, family -> metric -> amount -> cost of one of it, and the
    `constants` beside them: leakage for each mm2, how many netlists, and the errors."""

    coefficients: Mapping[str, Mapping[str, Mapping[str, float]]]
    constants: Mapping[str, float]
    source: str

    def covers(self, sizes: Sizes) -> bool:
        """Whether everything that hardware of these sizes is made of was fitted, all its paths too, or their
        kin."""
        described = structures(sizes)
        timed = [f"{family}." for family, costs in self.coefficients.items() if PATH_METRIC in costs]
        return (
            bool(described)
            and all(part.family in self.coefficients for part in described)
            and all(any(family.startswith(f"{way.kin}.") for family in timed) for way in ways(sizes))
        )

    def logic(self, sizes: Sizes, workload: Workload | None, technology: Technology) -> Logic:
        """The components of hardware of these sizes. Where switching is not followed the workload may be
        None."""
        parts = tuple(fitted_part(technology, self, part, sizes, workload) for part in structures(sizes))
        parts = tuple(replace(part, origin=_assumed_origin(part.component)) for part in parts)
        path_s = self.critical_path_s(sizes, technology)
        logic = Logic(parts, path_s, "fitted", self.source, fit_error=self.errors)
        if path_s is None:
            return logic
        return replace(logic, critical_path_s=path_s * stretch(technology, logic, sizes))

    @cached_property
    def errors(self) -> Mapping[str, tuple[float, float]]:
        """The mean and the worst error of each metric on netlists that the fit never saw; empty before they
        were measured."""
        mean, worst = "held_out_mean/", "held_out_worst/"
        names = (name.removeprefix(mean) for name in self.constants if name.startswith(mean))
        return {name: (self.constants[mean + name], self.constants[worst + name]) for name in names}

    def critical_path_s(self, sizes: Sizes, technology: Technology, delay: float = 1.0) -> float | None:
        """The longest of the ways for which delays were fitted, with memories of this technology and cells of
        `delay` times those that the fit is of."""
        delays = (self.delay_s(way, sizes, technology, delay) for way in ways(sizes))
        return max((delay_s for delay_s in delays if delay_s is not None), default=None)

    def delay_s(self, way: Way, sizes: Sizes, technology: Technology, delay: float = 1.0) -> float | None:
        """How long a way takes; None for one that no netlist had a path along, which costs nothing there."""
        charged = charge(technology, sizes, way)
        costs = self.coefficients.get(charged.family, {}).get(PATH_METRIC, {})
        if not any(costs.values()):
            return None
        logic_s = sum(cost * charged.amounts[name] for name, cost in costs.items())
        return charged.access_s + (logic_s + charged.setup_s) * delay

    def cost(self, structure: Structure, metric: str, workload: Workload | None = None) -> float:
        """What all instances of a component come to; a metric that its family is not charged for is zero."""
        costs = self.coefficients[structure.family].get(metric, {})
        amounts = structure.amounts(metric, workload)
        return structure.instances * sum(cost * amounts[name] for name, cost in costs.items())


def _assumed_origin(component: str) -> tuple[str, str] | None:
    """Kind and source of what is counted in the amounts of something else that was fitted."""
    return ASSUMED if component in SWEEP_COMPONENTS else None


@singledispatch
def fitted_part(
    technology: Technology, fit: LogicFit, structure: Structure, sizes: Sizes, workload: Workload | None
) -> LogicPart:
    """One component at fitted costs, in the figures of this fabric."""
    refuse_fabric(technology, "the fitted logic")


@fitted_part.register(StandardCells)
def _cells(
    technology: StandardCells, fit: LogicFit, structure: Structure, sizes: Sizes, workload: Workload | None
) -> LogicPart:
    size_and_clock = UNGATED if technology.clock_gates is None else GATED
    metrics = (*size_and_clock, *SWITCHED)
    if not all(any(metric in costs for costs in fit.coefficients.values()) for metric in size_and_clock):
        raise EstimateError(
            f"clock_gating is {technology.clock_gating}, and nobody fitted {technology.kind} without clock "
            "gates, allowed is auto, or fidelity gate"
        )
    area, clock, gates, glitches, registers = (fit.cost(structure, m, workload) for m in metrics)
    return LogicPart(
        structure.component,
        structure.instances,
        area_mm2=area,
        clock_energy_j=clock,
        gate_switching_j=gates,
        glitch_switching_j=glitches,
        register_switching_j=registers,
        leakage_w=area * fit.constants[LEAKAGE],
    )


@fitted_part.register(Fpga)
def _fabric(
    technology: Fpga, fit: LogicFit, structure: Structure, sizes: Sizes, workload: Workload | None
) -> LogicPart:
    counts = {name: round(fit.cost(structure, name)) for name in technology.fitted}
    if structure.component == "pe":
        each = sum(technology.multipliers(*factors) for factors in sizes.multiplied)
        counts[technology.multiplier] = structure.instances * each
    return LogicPart(structure.component, structure.instances, resources=FpgaResources(**counts))


@cache
def logic_fit(technology: str) -> LogicFit:
    """The fit of a technology, read from its data file. Raises EstimateError where there is none."""
    try:
        quantities = load_quantities(f"logic_fit_{technology}.yaml")
    except FileNotFoundError:
        raise EstimateError(
            f"technology is {technology}, whose logic nobody calibrated, allowed without synthesis are those "
            "with a data file logic_fit_<technology>.yaml"
        ) from None
    coefficients: dict[str, dict[str, dict[str, float]]] = {}
    constants: dict[str, float] = {}
    for name, quantity in quantities.items():
        match name.split("/"):
            case [family, metric, amount]:
                of_metric = coefficients.setdefault(family, {}).setdefault(metric, {})
                of_metric[amount] = float(quantity)
            case _:
                constants[name] = float(quantity)
    return LogicFit(coefficients, constants, _source(technology, constants))


def _source(technology: str, constants: Mapping[str, float]) -> str:
    """What stands beside every estimated figure: how many netlists, and how far off on those never fitted."""
    errors = "; ".join(
        f"{metric} mean error {constants[f'held_out_mean/{metric}']:.1%}, worst "
        f"{constants[f'held_out_worst/{metric}']:.1%}"
        for metric in STATED_METRICS
        if f"held_out_mean/{metric}" in constants
    )
    return (
        f"fitted to {constants['netlists']:.0f} netlists of {technology}; on "
        f"{constants['held_out_netlists']:.0f} others {errors}"
    )
