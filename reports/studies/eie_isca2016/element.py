"""The element that is measured: described, mapped to cells, and run on random operands to count switching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyrtl
from numpy.typing import NDArray

from archsim.engine.gather.encoding import IndexEncoding
from rtl.parts.eie_pe import EiePe, EiePeSizes, build_eie_pe, column_words
from rtl.verilog import write_verilog

MODULES = ("act_queue", "ptr_read", "spmat_read", "arithm_unit", "act_rw")
SETTLING_CYCLES = 60
"""Cycles at the start that are not counted, while the queue and the pipeline fill."""

_BUSY, _ENTRY_READ, _POINTER_READ = "spmat_read__busy", "spmat_read__read", "ptr_read__issue"
_RATES = (_BUSY, _ENTRY_READ, _POINTER_READ)
_FULL = "queue_full"

Columns = list[list[tuple[int, int]]]


@dataclass(frozen=True, kw_only=True)
class Module:
    """The logic of one module, without its memories: areas of registers and of other cells, energies of a
    cycle for the clock, for what registers and for what gates switch, and leakage."""

    register_mm2: float
    gates_mm2: float
    clock_j: float
    registers_j: float
    gates_j: float
    registers_leakage_w: float
    gates_leakage_w: float
    flops: int


@dataclass(frozen=True, kw_only=True)
class Element:
    """The measured element: its modules, the longest path through logic alone, how many entries it worked off
    a cycle, and how often its memories were read."""

    modules: Mapping[str, Module]
    logic_path_s: float
    entries_per_cycle: float
    entry_reads_per_cycle: float
    pointer_reads_per_cycle: float
    cycles: int


def columns_of_layer(
    *, rows: int, columns: int, kept: float, zeros_bits: int, seed: int
) -> tuple[Columns, NDArray[np.int64]]:
    """Columns of one element with so many kept weights at random places, as (code, zeros before it), and how
    many entries each has. Code 0 stands for the zero of a padding entry."""
    random = np.random.default_rng(seed)
    encoding = IndexEncoding(zeros_bits, relative=True)
    made: Columns = []
    for _ in range(columns):
        places = np.flatnonzero(random.random(rows) < kept)
        if not len(places):
            made.append([])
            continue
        zeros, codes, _ = encoding.encode_row(places, random.integers(1, 16, len(places)))
        zeros[-1] &= (1 << zeros_bits) - 1
        made.append(list(zip(codes.tolist(), zeros.tolist(), strict=True)))
    return made, np.array([len(column) for column in made], dtype=np.int64)


def measure_element(
    columns: Columns, technology: Any, *, elements: int, nonzero: float, seed: int
) -> Element:
    """Maps the element and counts its switching while it works off the columns, with all neighbours at work:
    its own activations, a share `nonzero` of which are not zero, are sent when its turn among `elements`
    comes. About ten seconds."""
    from archsim.netlist import ToggleCounter, analyse, switching, synthesise_asic

    element = build_eie_pe(EiePeSizes())
    design = write_verilog(element.block)
    made = synthesise_asic(design.text, design.top, technology)
    netlist = made.flat()
    counter = ToggleCounter(netlist, technology.library, design.wires)
    recorded = _run(element, columns, seed, counter.recorded, elements=elements, nonzero=nonzero)
    activity = counter.count({name: recorded[name] for name in counter.recorded})
    spent = switching(netlist, technology.library, technology.wiring, activity)
    timing = analyse(
        netlist, library=technology.library, wiring=technology.wiring, memory=lambda _: _InstantMemory()
    )
    library = technology.library
    modules = {}
    for name in MODULES:
        part = made.components[name]
        flops = {cell: number for cell, number in part.cells.items() if library.cells[cell].is_flop}
        gates = {cell: number for cell, number in part.cells.items() if cell not in flops}
        switched = spent[name]
        modules[name] = Module(
            register_mm2=_sum(library, flops, "area_um2") * 1e-6,
            gates_mm2=_sum(library, gates, "area_um2") * 1e-6,
            clock_j=part.clock_energy_j,
            registers_j=switched.registers_j / activity.cycles,
            gates_j=switched.gates_j / activity.cycles,
            registers_leakage_w=_sum(library, flops, "leakage_w"),
            gates_leakage_w=_sum(library, gates, "leakage_w"),
            flops=part.flops,
        )
    shares = {name: sum(recorded[name]) / len(recorded[name]) for name in _RATES}
    return Element(
        modules=modules,
        logic_path_s=timing.critical_path_s,
        entries_per_cycle=shares[_BUSY],
        entry_reads_per_cycle=shares[_ENTRY_READ],
        pointer_reads_per_cycle=shares[_POINTER_READ],
        cycles=activity.cycles,
    )


def _run(
    element: EiePe, columns: Columns, seed: int, wires: Sequence[str], *, elements: int, nonzero: float
) -> dict[str, list[int]]:
    """The values of wires while the columns are worked off one after the other, with random operands."""
    sizes, block = element.sizes, element.block
    random = np.random.default_rng(seed)
    pointers, words = column_words(sizes, columns)
    codebook = [0, *random.integers(0, 1 << sizes.value_bits, 15).tolist()]
    contents = (pointers[::2], pointers[1::2], words, codebook)
    idle = dict.fromkeys((wire.name for wire in block.wirevector_subset(pyrtl.Input)), 0)
    watched = list(dict.fromkeys([*wires, *_RATES, _FULL]))
    tracer = pyrtl.SimulationTrace([block.get_wirevector_by_name(name) for name in watched], block=block)
    own = random.integers(1, 1 << (sizes.value_bits - 1), sizes.rows) * (random.random(sizes.rows) < nonzero)
    simulation = pyrtl.FastSimulation(
        register_value_map=dict(zip(element.files[1], own.tolist(), strict=True)), tracer=tracer, block=block
    )
    for target, values in enumerate(contents):
        for address, data in enumerate(values):
            port = {"load_enable": 1, "load_target": target, "load_address": address, "load_data": data}
            simulation.step(idle | port)
    loaded = len(tracer.trace[_FULL])
    for column in range(len(columns)):
        value = int(random.integers(1, 1 << (sizes.value_bits - 1)))
        sent = {"broadcast_valid": 1, "broadcast_column": column, "broadcast_value": value}
        simulation.step(idle | sent | {"granted": int(column % elements == elements - 1)})
        while simulation.inspect(_FULL):
            simulation.step(idle | sent)
    return {name: list(tracer.trace[name][loaded + SETTLING_CYCLES :]) for name in watched}


@dataclass(frozen=True)
class _InstantMemory:
    """Memory ports that take no time, so that the longest path is one through logic."""

    access_time_s: float = 0.0
    setup_s: float = 0.0


def _sum(library: Any, cells: Mapping[str, int], figure: str) -> float:
    return float(sum(getattr(library.cells[name], figure) * number for name, number in cells.items()))
