"""Fidelity ``gate``: the engine's own Verilog, mapped by Yosys, as the logic to price."""

from __future__ import annotations

from typing import Any

from archsim.logic import Logic, LogicPart
from archsim.mapping import Mapping
from archsim.technology import FpgaResources, Technology
from rtl import to_verilog

MEMORY_SUFFIX = "_memory"


def map_to_gates(mapping: Mapping, technology: Technology) -> Logic:
    """Synthesises the mapping's hardware, or reads the cached result. Raises YosysError where Yosys fails."""
    design = to_verilog(mapping.hardware)
    return _MAPPED[technology.kind](design.text, design.top, technology)


def _asic(verilog: str, top: str, technology: Any) -> Logic:
    from archsim.synthesis import synthesise_asic

    made = synthesise_asic(verilog, top, technology)
    parts: dict[str, LogicPart] = {}
    for module in made.components.values():
        kind = _component(module.module, top)
        if kind.endswith(MEMORY_SUFFIX) and not module.cells:
            # A bare macro: its accesses are priced whole, pins included, from the memory table.
            continue
        before = parts.get(kind, LogicPart(kind, 0))
        parts[kind] = LogicPart(
            kind,
            before.instances + module.instances,
            area_mm2=before.area_mm2 + module.area_um2 * module.instances * 1e-6,
            toggle_energy_j=before.toggle_energy_j + module.toggle_energy_j * module.instances,
            clock_energy_j=before.clock_energy_j + module.clock_energy_j * module.instances,
            leakage_w=before.leakage_w + module.leakage_w * module.instances,
        )
    source = f"netlist mapped by Yosys to {technology.library.name}"
    return Logic(tuple(parts.values()), made.critical_path_s, "measured", source, made.critical_path)


def _fpga(verilog: str, top: str, technology: Any) -> Logic:
    from archsim.synthesis import synthesise_fpga

    made = synthesise_fpga(verilog, top, technology)
    parts: dict[str, LogicPart] = {}
    memory = FpgaResources()
    for module in made.components.values():
        kind = _component(module.module, top)
        taken = module.resources * module.instances
        if kind.endswith(MEMORY_SUFFIX):
            memory += taken
        else:
            before = parts.get(kind, LogicPart(kind, 0))
            parts[kind] = LogicPart(
                kind, before.instances + module.instances, resources=before.resources + taken
            )
    source = "netlist mapped by Yosys to Xilinx 7-series primitives"
    return Logic(tuple(parts.values()), made.critical_path_s, "measured", source, made.critical_path, memory)


def _component(module: str, top: str) -> str:
    """The component that a module is: variants of one component count together."""
    if module == top:
        return "top"
    return module.rsplit("_v", 1)[0] if module.rsplit("_v", 1)[-1].isdigit() else module


_MAPPED = {"asic": _asic, "fpga": _fpga}
