"""Fidelity `gate`: the engine's own Verilog, mapped by Yosys, as the logic to price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch
from typing import TYPE_CHECKING

from archsim.costs.fidelity.components import area_mm2, by_component, total
from archsim.costs.logic import Logic, LogicPart
from archsim.engine.counts import Counts
from archsim.engine.mapping import Mapping
from archsim.technology import Fpga, FpgaResources, StandardCells, Technology
from archsim.technology.technology import refuse_fabric
from rtl import VerilogDesign, to_verilog

if TYPE_CHECKING:
    from archsim.costs.fidelity.switching import MeasuredSwitching
    from archsim.netlist import Component, Switching

MEMORY_SUFFIX = "_memory"


def map_to_gates(mapping: Mapping, technology: Technology) -> Logic:
    """Synthesises the mapping's hardware, or reads the cached result, and on standard cells counts what
    switches in it. Raises YosysError where Yosys fails."""
    return _mapped(technology, mapping, to_verilog(mapping.hardware))


@singledispatch
def _mapped(technology: Technology, mapping: Mapping, design: VerilogDesign) -> Logic:
    """The logic as this fabric has it."""
    refuse_fabric(technology, "the netlist")


@_mapped.register(StandardCells)
def _cells(technology: StandardCells, mapping: Mapping, design: VerilogDesign) -> Logic:
    from archsim.costs.fidelity.switching import measure_switching
    from archsim.netlist import synthesise_asic

    made = synthesise_asic(design.text, design.top, technology)
    switched = measure_switching(mapping, design, made.flat(), technology)
    parts = []
    for kind, modules in by_component(made.components.values(), design.top).items():
        if kind.endswith(MEMORY_SUFFIX):
            # A bare macro is left out: its accesses are priced whole, pins included, from the memory table.
            modules = [module for module in modules if module.cells]
        if modules:
            parts.append(with_switching(_part(kind, modules), switched, mapping.counts))
    source = f"netlist mapped by Yosys to {technology.library.name}; {told(switched)}"
    return Logic(tuple(parts), made.critical_path_s, "measured", source, made.critical_path)


def with_switching(part: LogicPart, switched: MeasuredSwitching, counts: Counts) -> LogicPart:
    """The part with what its clock takes and what switched in it."""
    active, spent = part.active_cycles(counts) * switched.inferences, switched.of(part.component)
    return replace(
        part,
        clock_energy_j=_clock_j(spent, switched, counts.interval_cycles),
        gate_switching_j=sum(s.gates_j for s in spent) / active,
        glitch_switching_j=sum(s.glitches_j for s in spent) / active,
        register_switching_j=sum(s.registers_j for s in spent) / active,
    )


def told(switched: MeasuredSwitching) -> str:
    """How switching was measured, in words."""
    return (
        f"what switches, from every net's toggles in "
        f"{switched.inferences} inferences of {switched.cycles} cycles together; glitches, from an event "
        f"simulation of the same with the cells' delays, in which the last net is still "
        f"{switched.settling_s * 1e9:.3g} ns after an edge (a shorter clock period cuts nothing off)"
    )


def _clock_j(spent: Sequence[Switching], switched: MeasuredSwitching, interval_cycles: int) -> float:
    """What the clock takes in the mean cycle while inferences follow each other: of the clocks that always
    run a cycle's worth, of gated ones the pulses of an inference, loading included."""
    standing_j = sum(s.standing_clock_j for s in spent)
    pulses_j = sum(s.clock_j for s in spent) - standing_j
    return standing_j / switched.cycles + pulses_j / (switched.inferences * interval_cycles)


def _part(component: str, modules: Sequence[Component]) -> LogicPart:
    """A component without what switches and what its clock takes."""
    return LogicPart(
        component,
        sum(module.instances for module in modules),
        area_mm2=area_mm2(modules),
        leakage_w=total(modules, "leakage_w"),
        ungated_area_mm2=1e-6 * total(modules, "ungated_area_um2"),
        ungated_clock_energy_j=total(modules, "ungated_clock_energy_j"),
    )


@_mapped.register(Fpga)
def _fabric(technology: Fpga, mapping: Mapping, design: VerilogDesign) -> Logic:
    from archsim.netlist import synthesise_fpga

    made = synthesise_fpga(design.text, design.top, technology)
    parts, memory = [], FpgaResources()
    for kind, modules in by_component(made.components.values(), design.top).items():
        taken = sum((module.resources * module.instances for module in modules), FpgaResources())
        if kind.endswith(MEMORY_SUFFIX):
            memory += taken
        else:
            instances = sum(module.instances for module in modules)
            parts.append(LogicPart(kind, instances, resources=taken))
    source = f"netlist mapped by Yosys to {technology.primitives}"
    if made.net_delay_s:
        source += f", timed as if each net took {made.net_delay_s * 1e12:.0f} ps"
    return Logic(tuple(parts), made.critical_path_s, "measured", source, made.critical_path, memory)
