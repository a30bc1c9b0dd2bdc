"""Maps a hierarchical design to standard cells and measures each of its components once.

Memories stay memories: they are listed with their sizes and priced from the SRAM table. Identical
modules are mapped once, so totals are component x instances. Place and route is modelled by a wire for
each pin, not run.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from archsim.netlist.netlist import CONSTANTS, Memory, Netlist, flatten, instance_counts, read_netlists
from archsim.netlist.timing import analyse, net_loads
from archsim.netlist.yosys import run_yosys
from archsim.technology.asic.cmos65 import Cmos65
from archsim.technology.asic.standard_cells import StandardCells
from archsim.technology.memories.flop_memory import clock_energy_j
from archsim.technology.memories.sram import MemoryMacro

_LOG = logging.getLogger(__name__)
_SCRIPT = """
read_liberty -lib cells.lib
read_verilog design.v
hierarchy -check -top {top}
proc
opt -mux_undef
fsm
opt -mux_undef
memory -nomap
opt -mux_undef
techmap
opt
dfflibmap -liberty cells.lib
abc -liberty cells.lib -script +strash;ifraig;scorr;dc2;dch,-f;strash;&get,-n;&nf;&put;buffer,-c;stime,-p
opt_clean -purge
check -assert
write_json mapped.json
"""


@dataclass(frozen=True, kw_only=True)
class Component:
    """One module, measured once; multiply by `instances` for its share of the design. Memories are not
    in the sums.

    `toggle_energy_j` is the energy if every net toggled once: internal energy of each cell plus half C
    V^2 of the pins and wires driven. A net that crosses modules is counted where its sinks are, so
    components add up to the design. `clock_energy_j` is spent each clock cycle: two edges in each flop
    and its share of the clock network.
    """

    module: str
    instances: int
    cells: Mapping[str, int]
    area_um2: float
    gate_equivalents: float
    flops: int
    toggle_energy_j: float
    clock_energy_j: float
    leakage_w: float


@dataclass(frozen=True, kw_only=True)
class AsicSynthesis:
    """A mapped design: its components by module name, its critical path, and the flat netlist behind them."""

    top: str
    components: Mapping[str, Component]
    critical_path_s: float
    critical_path: tuple[str, ...]
    modules: Mapping[str, Netlist]

    def flat(self) -> Netlist:
        """The whole design as one netlist."""
        return flatten(self.modules, self.top)


def synthesise_asic(verilog: str, top: str, technology: StandardCells | None = None) -> AsicSynthesis:
    """Map Verilog to the cells of a technology (its own 65 nm library unless it was given another).

    Raises YosysError for Verilog that Yosys refuses, NetlistError for a memory read without a register,
    a refusal for a combinational loop or a memory outside the SRAM table.
    """
    chosen = technology or Cmos65()
    library, wiring = chosen.library, chosen.wiring
    files = {"design.v": verilog, "cells.lib": library.text}
    outputs = run_yosys(script=_SCRIPT.format(top=top), files=files, outputs=("mapped.json",))
    modules = read_netlists(outputs["mapped.json"])
    inside = {name: Counter(used.module for used in module.instances) for name, module in modules.items()}
    counts = instance_counts(inside, top)
    _LOG.info("timing the netlist")
    timing = analyse(
        flatten(modules, top), library=library, wiring=wiring, memory=lambda each: _macro(each, chosen)
    )
    return AsicSynthesis(
        top=top,
        components={name: _component(modules[name], number, chosen) for name, number in counts.items()},
        critical_path_s=timing.critical_path_s,
        critical_path=timing.path,
        modules={name: modules[name] for name in counts},
    )


def _macro(memory: Memory, technology: StandardCells) -> MemoryMacro:
    """The macro that times a memory: no engine reads and writes one in the same cycle."""
    return technology.memory(words=memory.words, word_bits=memory.word_bits)


def _component(module: Netlist, instances: int, technology: StandardCells) -> Component:
    library, counts = technology.library, module.count()
    area_um2 = sum(library.cells[name].area_um2 * number for name, number in counts.items())
    load_f, _ = net_loads(module, library, technology.wiring)
    internal_j = sum(
        energy * int((module.pin(name, pin) >= CONSTANTS).sum())
        for name in counts
        for pin, energy in library.cells[name].switch_energy_j.items()
    )
    flops = [(library.cells[name], number) for name, number in counts.items() if library.cells[name].is_flop]
    return Component(
        module=module.name,
        instances=instances,
        cells=counts,
        area_um2=area_um2,
        gate_equivalents=area_um2 / library.gate_equivalent_um2,
        flops=sum(number for _, number in flops),
        toggle_energy_j=internal_j + 0.5 * float(load_f.sum()) * library.supply_v**2,
        clock_energy_j=sum(
            clock_energy_j(flop, library.supply_v, technology.wiring) * number for flop, number in flops
        ),
        leakage_w=sum(library.cells[name].leakage_w * number for name, number in counts.items()),
    )
