"""Fidelity `gate`: the engine's own Verilog, mapped by Yosys, as the logic to price."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch

from archsim.costs.logic import Logic, LogicPart
from archsim.engine.mapping import Mapping
from archsim.technology import Fpga, FpgaResources, StandardCells, Technology
from rtl import VerilogDesign, to_verilog

MEMORY_SUFFIX = "_memory"


def map_to_gates(mapping: Mapping, technology: Technology) -> Logic:
    """Synthesises the mapping's hardware, or reads the cached result, and on standard cells counts what
    switches in it. Raises YosysError where Yosys fails."""
    return _mapped(technology, mapping, to_verilog(mapping.hardware))


@singledispatch
def _mapped(technology: Technology, mapping: Mapping, design: VerilogDesign) -> Logic:
    """The logic as this fabric has it."""
    raise NotImplementedError(f"logic of {technology!r}")


@_mapped.register(StandardCells)
def _cells(technology: StandardCells, mapping: Mapping, design: VerilogDesign) -> Logic:
    from archsim.costs.switching import measure_switching
    from archsim.netlist import synthesise_asic

    made = synthesise_asic(design.text, design.top, technology)
    switched = measure_switching(mapping, design, made, technology)
    parts: dict[str, LogicPart] = {}
    for module in made.components.values():
        kind = component_of_module(module.module, design.top)
        if kind.endswith(MEMORY_SUFFIX) and not module.cells:
            # A bare macro: its accesses are priced whole, pins included, from the memory table.
            continue
        before = parts.get(kind, LogicPart(kind, 0))
        parts[kind] = LogicPart(
            kind,
            before.instances + module.instances,
            area_mm2=before.area_mm2 + module.area_um2 * module.instances * 1e-6,
            clock_energy_j=before.clock_energy_j + module.clock_energy_j * module.instances,
            leakage_w=before.leakage_w + module.leakage_w * module.instances,
        )
    counts = mapping.count()
    for kind, part in parts.items():
        mine = [each for name, each in switched.instances.items() if component_of_instance(name) == kind]
        active = part.active_cycles(counts) * switched.inferences
        parts[kind] = replace(
            part,
            gate_switching_j=sum(each.gates_j for each in mine) / active,
            register_switching_j=sum(each.registers_j for each in mine) / active,
        )
    source = (
        f"netlist mapped by Yosys to {technology.library.name}; what switches, from every net's toggles in "
        f"{switched.inferences} inferences of {switched.cycles} cycles together"
    )
    return Logic(tuple(parts.values()), made.critical_path_s, "measured", source, made.critical_path)


@_mapped.register(Fpga)
def _fabric(technology: Fpga, mapping: Mapping, design: VerilogDesign) -> Logic:
    from archsim.netlist import synthesise_fpga

    made = synthesise_fpga(design.text, design.top, technology)
    parts: dict[str, LogicPart] = {}
    memory = FpgaResources()
    for module in made.components.values():
        kind = component_of_module(module.module, design.top)
        taken = module.resources * module.instances
        if kind.endswith(MEMORY_SUFFIX):
            memory += taken
        else:
            before = parts.get(kind, LogicPart(kind, 0))
            parts[kind] = LogicPart(
                kind, before.instances + module.instances, resources=before.resources + taken
            )
    source = f"netlist mapped by Yosys to {technology.primitives}"
    return Logic(tuple(parts.values()), made.critical_path_s, "measured", source, made.critical_path, memory)


def component_of_module(module: str, top: str) -> str:
    """The component that a module is: variants of one component count together."""
    if module == top:
        return "top"
    return module.rsplit("_v", 1)[0] if module.rsplit("_v", 1)[-1].isdigit() else module


def component_of_instance(name: str) -> str:
    """The component that an instance at the top of a netlist is; equal ones are numbered."""
    kind, _, number = name.rpartition("_")
    return kind if number.isdigit() else name or "top"
