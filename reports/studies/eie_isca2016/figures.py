"""Area and power of one element, by type of component and by module: logic as it was mapped and as it
switched, memories from CACTI at the rates at which they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.studies.eie_isca2016.element import MODULES, Element, columns_of_layer, measure_element
from rtl.parts.eie_pe import EiePeSizes

NAME = "eie-isca2016"
CELL_TYPES = ("lstp", "lop", "hp")
NODE_NM = 45
MODULE_OF = {"entries": "spmat_read", "pointers": "ptr_read", "activations": "act_rw"}
"""The module that each memory belongs to."""


@dataclass(frozen=True, kw_only=True)
class Sram:
    """One kind of memory of the element: `number` equal macros, costs of one, and when its data is
    there."""

    number: int
    area_mm2: float
    read_j: float
    write_j: float
    leakage_w: float
    access_time_s: float


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Accesses a cycle, of all macros of a memory together."""

    reads: float
    writes: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Area and power of one part of the element; `clock_w` is the share of its power that the clock
    takes."""

    area_mm2: float
    power_w: float
    clock_w: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All that the report is made of. `srams` by device of CACTI, then by memory; `columns_entries` is
    how many entries a column has on average; `area_scaling` what an area of the library was multiplied
    by."""

    element: Element
    srams: Mapping[str, Mapping[str, Sram]]
    rates: Mapping[str, Rates]
    column_entries: float
    area_scaling: float
    node_ratio: float
    clock_hz: float
    cell_type: str

    def memory(self, name: str, cell_type: str | None = None, rates: Rates | None = None) -> Cost:
        """Area and power of one memory."""
        sram, rate = self.srams[cell_type or self.cell_type][name], rates or self.rates[name]
        dynamic_w = (rate.reads * sram.read_j + rate.writes * sram.write_j) * self.clock_hz
        return Cost(area_mm2=sram.number * sram.area_mm2, power_w=dynamic_w + sram.number * sram.leakage_w)

    def memories(self, cell_type: str | None = None) -> Cost:
        """All memories of the element."""
        parts = [self.memory(name, cell_type) for name in MODULE_OF]
        return Cost(
            area_mm2=math.fsum(part.area_mm2 for part in parts),
            power_w=math.fsum(part.power_w for part in parts),
        )

    @property
    def own_rates(self) -> Mapping[str, Rates]:
        """What the described element reads as it works off random columns."""
        return {
            "entries": Rates(reads=self.element.entry_reads_per_cycle),
            "pointers": Rates(reads=2 * self.element.pointer_reads_per_cycle),
        }

    def by_type(self) -> dict[str, Cost]:
        """The element by type of component, as the publication divides it."""
        modules = list(self.element.modules.values())
        clock_w = math.fsum(module.clock_j for module in modules) * self.clock_hz
        return {
            "memory": self.memories(),
            "clock network": Cost(area_mm2=0.0, power_w=clock_w, clock_w=clock_w),
            "register": Cost(
                area_mm2=math.fsum(module.register_mm2 for module in modules),
                power_w=math.fsum(
                    module.registers_j * self.clock_hz + module.registers_leakage_w for module in modules
                ),
            ),
            "combinational": Cost(
                area_mm2=math.fsum(module.gates_mm2 for module in modules),
                power_w=math.fsum(self.gates_w(name) for name in MODULES),
            ),
        }

    def gates_w(self, module: str) -> float:
        """Power of the combinational cells of a module, glitches not counted."""
        part = self.element.modules[module]
        return part.gates_j * self.clock_hz + part.gates_leakage_w

    def by_module(self) -> dict[str, Cost]:
        """The element by module, each with its memory and its share of the clock."""
        found = {}
        for name in MODULES:
            part = self.element.modules[name]
            own = [self.memory(memory) for memory, module in MODULE_OF.items() if module == name]
            clock_w = part.clock_j * self.clock_hz
            logic_w = part.registers_j * self.clock_hz + part.registers_leakage_w + self.gates_w(name)
            found[name] = Cost(
                area_mm2=part.register_mm2 + part.gates_mm2 + math.fsum(each.area_mm2 for each in own),
                power_w=logic_w + clock_w + math.fsum(each.power_w for each in own),
                clock_w=clock_w,
            )
        return found

    def total(self) -> Cost:
        """The whole element."""
        parts = self.by_type().values()
        return Cost(
            area_mm2=math.fsum(part.area_mm2 for part in parts),
            power_w=math.fsum(part.power_w for part in parts),
            clock_w=math.fsum(part.clock_w for part in parts),
        )

    @property
    def gated_clock_w(self) -> float:
        """The clock if the two register files were clocked only where a word is written, one word a cycle."""
        sizes = EiePeSizes()
        part = self.element.modules["act_rw"]
        still = 2 * sizes.rows * sizes.value_bits - sizes.value_bits
        whole = math.fsum(module.clock_j for module in self.element.modules.values())
        return (whole - part.clock_j * still / part.flops) * self.clock_hz


def measure(content: Mapping[str, Any]) -> Measured:
    """Maps and runs the element, and reads the memories."""
    from archsim.technology import technology

    stated, chip = content["assumptions"], content["architecture"]
    layer, sizes = content["layer"], EiePeSizes()
    logic: Any = technology(
        "cmos", node_nm=NODE_NM, vdd_v=stated["supply"]["value"], flavour=stated["scaling"]["value"]
    )
    native: Any = technology("cmos65")
    columns, entries = columns_of_layer(
        rows=layer["outputs"] // chip["elements"],
        columns=stated["stimulus_columns"]["value"],
        kept=layer["kept"],
        zeros_bits=sizes.zeros_bits,
        seed=stated["seed"]["value"],
    )
    clock_hz = content["technology"]["clock_hz"]
    column_entries = float(entries.mean())
    moved = layer["inputs"] / chip["elements"] / (layer["theoretical_s"] * clock_hz)
    return Measured(
        element=measure_element(
            columns,
            logic,
            elements=chip["elements"],
            nonzero=layer["nonzero"],
            seed=stated["seed"]["value"],
        ),
        srams={cell_type: _srams(chip, cell_type) for cell_type in CELL_TYPES},
        rates={
            "entries": Rates(reads=1 / chip["entry_read_interval_cycles"]),
            "pointers": Rates(reads=chip["pointer_banks"] / column_entries),
            # A layer's own inputs are read once, and as many words of its results are written.
            "activations": Rates(reads=moved, writes=moved),
        },
        column_entries=column_entries,
        area_scaling=logic.library.gate_equivalent_um2 / native.library.gate_equivalent_um2,
        node_ratio=NODE_NM / native.node_nm,
        clock_hz=clock_hz,
        cell_type=stated["memory_cells"]["value"],
    )


def _srams(chip: Mapping[str, Any], cell_type: str) -> dict[str, Sram]:
    """The memories of one element as CACTI gives them at 45 nm, one port each: all are loaded before they are
    read, or moved while nothing is computed."""
    from archsim.technology import technology

    shapes = {
        "entries": (1, chip["entry_sram_byte"], chip["entry_word_bits"]),
        "pointers": (chip["pointer_banks"], chip["pointer_sram_byte"], chip["pointer_bits"]),
        "activations": (1, chip["activation_sram_byte"], chip["value_bits"]),
    }
    macros: Any = technology("cmos", node_nm=NODE_NM, cell_type=cell_type)
    found = {}
    for name, (number, octets, bits) in shapes.items():
        macro = macros.memory(words=octets * 8 // bits // number, word_bits=bits)
        found[name] = Sram(
            number=number,
            area_mm2=macro.area_mm2,
            read_j=macro.read_energy_j,
            write_j=macro.write_energy_j,
            leakage_w=macro.leakage_w,
            access_time_s=macro.access_time_s,
        )
    return found
