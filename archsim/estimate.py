"""The logic of an engine without synthesis: amounts of structure that follow from its sizes, at fitted costs.

The amounts are those of `archsim.structure`. What one of each costs was fitted to mapped netlists by
`archsim.calibration`; the costs, and the errors on netlists that the fit never saw, stand in
`archsim/data/logic_fit_*.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from archsim.logic import Logic, LogicPart
from archsim.mapping import Mapping as EngineMapping
from archsim.structure import CALIBRATED, Structure, multiplier_dsps, paths, structures
from archsim.technology import FpgaResources, Technology
from archsim.technology.quantity import load_quantities
from rtl import Sizes

ASIC_METRICS = ("area_mm2", "toggle_energy_j", "clock_energy_j")
FPGA_METRICS = ("lut", "ff", "carry4")
PATH_METRIC = "critical_path_s"
STATED_METRICS = ("area_mm2", "energy_j", "lut", "ff", PATH_METRIC)
LEAKAGE = "leakage_w_per_mm2"


class EstimateError(ValueError):
    """Nobody calibrated what was asked for; the message names it and what is allowed."""


def estimate_logic(mapping: EngineMapping, technology: Technology) -> Logic:
    """The logic of the mapping's hardware, component by component, as `gate.map_to_gates` would find it.

    Raises EstimateError for an engine, a technology or a cell library that nobody calibrated.
    """
    if type(mapping.sizes) not in CALIBRATED:
        engine = type(mapping).__name__.removesuffix("Mapping").lower()
        allowed = ", ".join(sorted(name for name, _ in CALIBRATED.values()))
        raise EstimateError(
            f"engine is {engine}, whose logic nobody calibrated, allowed without synthesis are {allowed}"
        )
    library = technology.options().get("liberty")
    if library is not None:
        raise EstimateError(
            f"technology.liberty is {library}, allowed without synthesis is only the project's own library, "
            "to which the logic was fitted"
        )
    return estimate_sizes(mapping.sizes, technology.name, technology.kind)


@lru_cache(maxsize=4096)
def estimate_sizes(sizes: Sizes, technology: str, kind: str) -> Logic:
    """The logic of hardware of these sizes, from the coefficients of one technology."""
    return logic_fit(technology).logic(sizes, kind)


@dataclass(frozen=True)
class LogicFit:
    """The coefficients of one technology, family -> metric -> amount -> cost of one of it, and the
    ``constants`` beside them: leakage for each mm2, how many netlists, and the errors."""

    coefficients: Mapping[str, Mapping[str, Mapping[str, float]]]
    constants: Mapping[str, float]
    source: str

    def logic(self, sizes: Sizes, kind: str) -> Logic:
        """The components of hardware of these sizes."""
        part = {"asic": self._asic_part, "fpga": self._fpga_part}[kind]
        parts = tuple(part(structure, sizes) for structure in structures(sizes))
        return Logic(parts, self.critical_path_s(sizes), "fitted", self.source)

    def critical_path_s(self, sizes: Sizes) -> float | None:
        """The longest of the paths for which delays were fitted."""
        delays = [
            sum(cost * amounts[name] for name, cost in self.coefficients[family][PATH_METRIC].items())
            for family, amounts in paths(sizes).items()
            if PATH_METRIC in self.coefficients.get(family, {})
        ]
        return max(delays, default=None)

    def cost(self, structure: Structure, metric: str) -> float:
        """What all instances of a component come to; a metric that its family is not charged for is zero."""
        each, amounts = self.coefficients[structure.family].get(metric, {}), structure.amounts(metric)
        return structure.instances * sum(cost * amounts[name] for name, cost in each.items())

    def _asic_part(self, structure: Structure, sizes: Sizes) -> LogicPart:
        area, toggle, clock = (self.cost(structure, metric) for metric in ASIC_METRICS)
        return LogicPart(
            structure.component,
            structure.instances,
            area_mm2=area,
            toggle_energy_j=toggle,
            clock_energy_j=clock,
            leakage_w=area * self.constants[LEAKAGE],
        )

    def _fpga_part(self, structure: Structure, sizes: Sizes) -> LogicPart:
        lut, ff, carry4 = (round(self.cost(structure, metric)) for metric in FPGA_METRICS)
        dsp = structure.instances * multiplier_dsps(sizes) if structure.component == "pe" else 0
        resources = FpgaResources(lut=lut, ff=ff, dsp=dsp, carry4=carry4)
        return LogicPart(structure.component, structure.instances, resources=resources)


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
