"""What placing will make of mapped cells, before they are placed: larger cores, longer wires and clocks.

The fidelities that do not place take what it multiplies from engines that were placed
(`archsim.calibration.placing`): a figure of a mapped netlist, which rests on the wires and clock network of
the technology's data, becomes that of the placed one by a factor of its engine times a power of its size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, singledispatch, wraps

from archsim.costs.durations import later
from archsim.costs.logic import Logic, LogicPart
from archsim.costs.memories import memories
from archsim.engine.mapping import Mapping as EngineMapping
from archsim.technology import StandardCells, Technology
from archsim.technology.quantity import load_quantities
from rtl import Sizes

PLACING = "placing"
"""What placing takes beyond the mapped netlist: on an FPGA constants and the ends of carry chains, less what
it leaves out; of cells the free part of the core and the halos of macros."""

LAW = "placing_fit.yaml"
AREA, SWITCHING, CLOCK, PATH = FIGURES = ("area", "switching", "clock", "path")
"""What placing multiplies: area of cells and memories, energy of what switches, that of clocks, the longest
path."""
EXPONENT, ANY = "exponent", "any"
"""In place of an engine: the exponent of size, and the factor of an engine that was not placed."""
OF_GATES = 1e4
"""The size in two-input NANDs at which factors hold as they stand."""

LogicOf = Callable[[EngineMapping, Technology], Logic]


@dataclass(frozen=True)
class PlacingLaw:
    """Factors by figure and engine, exponents by figure, and by metric the mean and the worst relative error
    on placed engines that were left out of the fit."""

    factors: Mapping[str, Mapping[str, float]]
    exponents: Mapping[str, float]
    errors: Mapping[str, tuple[float, float]]
    source: str

    def ratio(self, figure: str, engine: str, gates: float) -> float:
        """A figure of a placed engine over that of its mapped netlist, whose cells are as large as so many
        two-input NANDs. An engine is its sizes' `label`; a variant that was not placed has the factor of its
        engine, an engine that was not that of them all."""
        factors = self.factors[figure]
        kind = engine.partition(" ")[0]
        own = factors.get(engine, factors.get(kind, factors[ANY]))
        ratio: float = own * (gates / OF_GATES) ** self.exponents[figure]
        return ratio


@cache
def placing_law() -> PlacingLaw:
    """The law as it was fitted to placed engines."""
    quantities = load_quantities(LAW)
    factors: dict[str, dict[str, float]] = {figure: {} for figure in FIGURES}
    means: dict[str, float] = {}
    worsts: dict[str, float] = {}
    for name, quantity in quantities.items():
        kind, _, of = name.partition("/")
        target = {"held_out_mean": means, "held_out_worst": worsts}.get(kind)
        if target is None:
            target = factors[kind]
        target[of] = float(quantity)
    exponents = {figure: own.pop(EXPONENT) for figure, own in factors.items()}
    errors = {metric: (mean, worsts[metric]) for metric, mean in means.items()}
    return PlacingLaw(factors, exponents, errors, quantities[f"{AREA}/{ANY}"].source)


def placed_by_law(logic_of: LogicOf) -> LogicOf:
    """The same logic with what placing will make of it."""

    @wraps(logic_of)
    def expected(mapping: EngineMapping, technology: Technology) -> Logic:
        return expect_placing(technology, logic_of(mapping, technology), mapping.sizes)

    return expected


@singledispatch
def expect_placing(technology: Technology, logic: Logic, sizes: Sizes) -> Logic:
    """Mapped logic as it is expected to be once placed. On an FPGA resources are those of the netlist, and
    nets are in its path already."""
    return logic


@expect_placing.register(StandardCells)
def _cells(technology: StandardCells, logic: Logic, sizes: Sizes) -> Logic:
    law, cells_mm2 = placing_law(), sum(part.area_mm2 for part in logic.parts)
    gates = 1e6 * cells_mm2 / technology.library.gate_equivalent_um2
    area, switching, clock, path = (law.ratio(figure, sizes.label, gates) for figure in FIGURES)
    mapped_mm2 = cells_mm2 + sum(shape.number * cost.area_mm2 for shape, cost in memories(sizes, technology))
    parts = [
        replace(
            part,
            gate_switching_j=part.gate_switching_j * switching,
            glitch_switching_j=part.glitch_switching_j * switching,
            register_switching_j=part.register_switching_j * switching,
            clock_energy_j=part.clock_energy_j * clock,
        )
        for part in logic.parts
    ]
    free = LogicPart(PLACING, 1, area_mm2=(area - 1) * mapped_mm2, origin=("fitted", law.source))
    path_s = logic.critical_path_s
    source = (
        f"{logic.source}; times what placing makes of such engines: {switching:.3f} of what switches, "
        f"{clock:.3f} of clocks, {path:.3f} of the longest path"
    )
    return replace(
        logic,
        parts=(*parts, free),
        critical_path_s=None if path_s is None else path_s * path,
        critical_path=tuple(later(stage, path) for stage in logic.critical_path),
        source=source,
        placing_error=law.errors,
        switching_kind="fitted",
    )
