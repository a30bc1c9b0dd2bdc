"""Maps a hierarchical design to standard cells and measures each of its components once.

Memories stay memories: they are listed with their sizes and priced from the SRAM table. Identical
modules are mapped once, so totals are component x instances. A wire of a stated length for
each pin stands for those that placing would make.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from archsim.netlist.arithmetic import arithmetic_files, arithmetic_passes
from archsim.netlist.clocks import clock_energies_j, gated_clocks
from archsim.netlist.netlist import CONSTANTS, Memory, Netlist, flatten, instance_counts, read_netlists
from archsim.netlist.path_ends import LongestPath, longest_paths
from archsim.netlist.timing import Delays, analyse, net_delays, net_loads
from archsim.netlist.yosys import run_yosys
from archsim.technology.asic.clock_gating import pulse_energy_j, ungated_flop
from archsim.technology.asic.cmos65 import Cmos65
from archsim.technology.asic.standard_cells import StandardCells
from archsim.technology.memories.flop_memory import Wiring, clock_energy_j
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
{arithmetic}
{gating}
dfflibmap -liberty cells.lib
abc -liberty cells.lib {unused} -script {gates}
opt_clean -purge
check -assert
write_json mapped.json
"""
_GATES = "+strash;ifraig;scorr;dc2,-l;dch,-f;strash;&get,-n;&nf;&put;buffer,-c;topo;upsize;dnsize;stime,-p"
"""What ABC does between registers and adder cells. `dc2` keeps the depth (-l): without, it turns every fast
carry into a ripple. Then drives are chosen, first for speed, then down where there is slack."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """One module, measured once; multiply by `instances` for its share of the design. Memories are not
    in the sums.

    `toggle_energy_j` is the energy if every net toggled once: internal energy of each cell plus half C
    V^2 of the pins and wires driven. A net that crosses modules is counted where its sinks are, so
    components add up to the design. `clock_energy_j` is spent in a cycle in which every clock gate is open:
    two edges in each flop, the gates, and their share of the clock network. `ungated_area_um2` and
    `ungated_clock_energy_j` are what both figures would be with a flop with enable for every gated one.
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
    ungated_area_um2: float
    ungated_clock_energy_j: float


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


def synthesise_asic(
    verilog: str, top: str, technology: StandardCells | None = None, *, booth: bool = False
) -> AsicSynthesis:
    """Map Verilog to the cells of a technology (its own 65 nm library unless it was given another).

    Products are trees of the library's adders, by Baugh and Wooley, or with `booth` by Booth's recoding: a PE
    of 8 x 8 bits is then 1 % smaller, 20 % slower and, with glitches, switches 1.7 times the energy.

    Raises YosysError for Verilog that Yosys refuses, NetlistError for a memory read without a register,
    a refusal for a combinational loop or a memory outside the SRAM table.
    """
    chosen = technology or Cmos65()
    library, wiring = chosen.library, chosen.wiring
    files = {"design.v": verilog, "cells.lib": library.text, **arithmetic_files(library)}
    script = mapping_script(top, chosen, booth=booth)
    outputs = run_yosys(script=script, files=files, outputs=("mapped.json",))
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


def mapping_script(top: str, technology: StandardCells, *, booth: bool = False) -> str:
    """What Yosys does with `design.v`, `cells.lib` and the files of `arithmetic_files`. Enables that enough
    flops of a module share become clock gates of that module before flops are mapped, so that modules stay.
    """
    library, gates, gating = technology.library, technology.clock_gates, ""
    if gates is not None:
        (output,) = gates.cell.functions
        ports = f"{gates.cell.enable_pin}:{gates.cell.clock_pin}:{output}"
        gating = f"clockgate -pos {gates.cell.name} {ports} -min_net_size {gates.least_flops}"
    # ABC maps to gates of one output; adders are placed before it.
    several = [cell.name for cell in library.cells.values() if cell.is_gate and len(cell.functions) > 1]
    return _SCRIPT.format(
        top=top,
        arithmetic=arithmetic_passes(library, booth=booth),
        gating=gating,
        unused=" ".join(f"-dont_use {name}" for name in several),
        gates=_GATES,
    )


def longest_paths_of(made: AsicSynthesis, technology: StandardCells) -> tuple[LongestPath, ...]:
    """The longest path to each kind of end of a mapped design, memories included."""
    return longest_paths(
        flatten(made.modules, made.top),
        library=technology.library,
        wiring=technology.wiring,
        memory=lambda each: _macro(each, technology),
    )


def delays_of(netlist: Netlist, technology: StandardCells, wiring: Wiring | None = None) -> Delays:
    """The delays of a flat netlist in a technology, memories included, with its wires unless others are
    given. Raises a refusal as `synthesise_asic` does."""
    return net_delays(
        netlist,
        library=technology.library,
        wiring=wiring or technology.wiring,
        memory=lambda each: _macro(each, technology),
    )


def _macro(memory: Memory, technology: StandardCells) -> MemoryMacro:
    """The macro that times a memory."""
    return technology.memory(words=memory.words, word_bits=memory.word_bits, ports=memory.ports)


def _component(module: Netlist, instances: int, technology: StandardCells) -> Component:
    library, counts = technology.library, module.count()
    area_um2 = sum(library.cells[name].area_um2 * number for name, number in counts.items())
    load_f, _ = net_loads(module, library, technology.wiring)
    internal_j = sum(
        energy * int((module.pin(name, pin) >= CONSTANTS).sum())
        for name in counts
        if library.cells[name].kind != "clock gate"
        for pin, energy in library.cells[name].switch_energy_j.items()
    )
    flops = sum(number for name, number in counts.items() if library.cells[name].is_flop)
    clock_j = float(clock_energies_j(module, library, technology.wiring).sum())
    more_um2, more_j = _without_gates(module, technology)
    return Component(
        module=module.name,
        instances=instances,
        cells=counts,
        area_um2=area_um2,
        gate_equivalents=area_um2 / library.gate_equivalent_um2,
        flops=flops,
        toggle_energy_j=internal_j + 0.5 * float(load_f.sum()) * library.supply_v**2,
        clock_energy_j=clock_j,
        leakage_w=sum(library.cells[name].leakage_w * number for name, number in counts.items()),
        ungated_area_um2=area_um2 + more_um2,
        ungated_clock_energy_j=clock_j + more_j,
    )


def _without_gates(module: Netlist, technology: StandardCells) -> tuple[float, float]:
    """What area and clock energy would be more if gated flops were flops with enable, and no gate there."""
    library, factor = technology.library, technology.wiring.clock_network_factor
    more_um2 = more_j = 0.0
    behind_gate = gated_clocks(module, library)
    for name, number in module.count().items():
        cell = library.cells[name]
        if cell.kind == "clock gate":
            more_um2 -= number * cell.area_um2
            more_j -= number * (clock_energy_j(cell, library.supply_v, factor) + pulse_energy_j(cell))
        elif cell.is_flop:
            gated, other = (
                int(behind_gate[module.pin(name, cell.clock_pin)].sum()),
                ungated_flop(library, cell),
            )
            more_um2 += gated * (other.area_um2 - cell.area_um2)
            more_j += gated * (
                clock_energy_j(other, library.supply_v, factor)
                - clock_energy_j(cell, library.supply_v, factor)
            )
    return more_um2, more_j
