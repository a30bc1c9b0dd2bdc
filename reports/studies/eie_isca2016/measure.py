"""Area and power of one element, by type of component and by module, beside the published ones: logic as it
was mapped and as it switched, memories from CACTI at the rates at which they are read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

from archsim.engine.eie import MOST_QUEUED
from reports import formatting as f
from reports.studies.eie_isca2016 import latency
from reports.studies.eie_isca2016.element import MODULES, Element, columns_of_layer, measure_element
from reports.tables import Cell
from reports.write_up.prediction_chart import chart
from reports.write_up.predictions import (
    Compared,
    Kind,
    assumed,
    compared,
    farthest,
    shown_area,
    stated_assumptions,
)
from reports.write_up.report import Assumption
from reports.write_up.study_page import Findings
from rtl.parts.eie_pe import EiePeSizes

CELL_TYPES = ("lstp", "lop", "hp")
NODE_NM = 45
MODULE_OF = {"entries": "spmat_read", "pointers": "ptr_read", "activations": "act_rw"}
"""The module that each memory belongs to."""
FITTED = "clock_network_factor"
"""The constant of the technology that was chosen by a published figure of this design."""
FITTED_FROM = 0.1
"""From this share of the fitted clock network on, a power counts as partly fitted."""
COMPARED = (("area", "area_mm2", "mm2"), ("power", "power_w", "W"))
"""What is compared of a part: the figure, the name of its field and the unit."""


@dataclass(frozen=True, kw_only=True)
class Sram:
    """One kind of memory of the element: `number` equal macros, costs of one, and when its data is there."""

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


@dataclass(frozen=True)
class Cost:
    """Area and power of one part of the element; `clock_w` is the share of its power that the clock takes."""

    area_mm2: float = 0.0
    power_w: float = 0.0
    clock_w: float = 0.0

    @classmethod
    def together(cls, parts: Iterable[Cost]) -> Cost:
        """The sum of parts."""
        return cls(*map(math.fsum, zip(*map(astuple, parts), strict=True)))

    @property
    def kind_of_power(self) -> Kind:
        """What the power is worth as evidence: the clock network was fitted to this very design."""
        if self.clock_w == self.power_w:
            return "fitted"
        return "partly fitted" if self.clock_w >= FITTED_FROM * self.power_w else "predicted"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All that the report is made of. `srams` by device of CACTI, then by memory; `column_entries` is how
    many entries a column has on average; `area_scaling` what an area of the library was multiplied by."""

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
        return Cost.together(self.memory(name, cell_type) for name in MODULE_OF)

    @property
    def own_rates(self) -> Mapping[str, Rates]:
        """What the described element reads as it works off random columns."""
        return {
            "entries": Rates(reads=self.element.entry_reads_per_cycle),
            "pointers": Rates(reads=2 * self.element.pointer_reads_per_cycle),
        }

    def registers_w(self, module: str) -> float:
        """Power of the registers of a module, without their clock."""
        part = self.element.modules[module]
        return part.registers_j * self.clock_hz + part.registers_leakage_w

    def gates_w(self, module: str) -> float:
        """Power of the combinational cells of a module, glitches not counted."""
        part = self.element.modules[module]
        return part.gates_j * self.clock_hz + part.gates_leakage_w

    def by_type(self) -> dict[str, Cost]:
        """The element by type of component, as the publication divides it."""
        modules = self.element.modules.values()
        clock_w = math.fsum(module.clock_j for module in modules) * self.clock_hz
        register_mm2 = math.fsum(module.register_mm2 for module in modules)
        gates_mm2 = math.fsum(module.gates_mm2 for module in modules)
        return {
            "memory": self.memories(),
            "clock network": Cost(power_w=clock_w, clock_w=clock_w),
            "register": Cost(register_mm2, math.fsum(map(self.registers_w, MODULES))),
            "combinational": Cost(gates_mm2, math.fsum(map(self.gates_w, MODULES))),
        }

    def by_module(self) -> dict[str, Cost]:
        """The element by module, each with its memory and its share of the clock."""
        modules = {}
        for name, part in self.element.modules.items():
            own = [self.memory(memory) for memory, module in MODULE_OF.items() if module == name]
            clock_w, logic_w = part.clock_j * self.clock_hz, self.registers_w(name) + self.gates_w(name)
            modules[name] = Cost(
                area_mm2=part.register_mm2 + part.gates_mm2 + math.fsum(memory.area_mm2 for memory in own),
                power_w=logic_w + clock_w + math.fsum(memory.power_w for memory in own),
                clock_w=clock_w,
            )
        return modules

    def total(self) -> Cost:
        """The whole element."""
        return Cost.together(self.by_type().values())

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

    chip, clock_hz = content["architecture"], content["technology"]["clock_hz"]
    layer = content["layers"][content["layer"]]
    stated = {name: assumption.get("value") for name, assumption in content["assumptions"].items()}
    elements, seed = chip["elements"], stated["seed"]
    # The study itself says which flops it takes to be still, from the published power.
    logic: Any = technology(
        "cmos",
        node_nm=NODE_NM,
        vdd_v=stated["supply"],
        flavour=stated["scaling"],
        clock_gating="none",
    )
    native: Any = technology("cmos65", clock_gating="none")
    columns, entries = columns_of_layer(
        rows=layer["outputs"] // elements,
        columns=stated["stimulus_columns"],
        kept=layer["kept"],
        zeros_bits=EiePeSizes().zeros_bits,
        seed=seed,
    )
    column_entries = float(entries.mean())
    moved = layer["inputs"] / elements / (layer["theoretical_s"] * clock_hz)
    return Measured(
        element=measure_element(columns, logic, elements=elements, nonzero=layer["nonzero"], seed=seed),
        srams={cell_type: dict(_srams(chip, cell_type)) for cell_type in CELL_TYPES},
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
        cell_type=stated["memory_cells"],
    )


def _srams(chip: Mapping[str, Any], cell_type: str) -> Iterator[tuple[str, Sram]]:
    """The memories of one element as CACTI gives them at 45 nm, one port each: all are loaded before they are
    read, or moved while nothing is computed."""
    from archsim.technology import technology

    shapes = {
        "entries": (1, chip["entry_sram_byte"], chip["entry_word_bits"]),
        "pointers": (chip["pointer_banks"], chip["pointer_sram_byte"], chip["pointer_bits"]),
        "activations": (1, chip["activation_sram_byte"], chip["value_bits"]),
    }
    macros: Any = technology("cmos", node_nm=NODE_NM, cell_type=cell_type)
    for name, (number, octets, bits) in shapes.items():
        macro = macros.memory(words=octets * 8 // bits // number, word_bits=bits)
        sram = Sram(
            number=number,
            area_mm2=macro.area_mm2,
            read_j=macro.read_energy_j,
            write_j=macro.write_energy_j,
            leakage_w=macro.leakage_w,
            access_time_s=macro.access_time_s,
        )
        yield name, sram


def findings(measured: Measured, layers: Sequence[latency.Layer], content: Mapping[str, Any]) -> Findings:
    """What the page reads. `content` is the study's data file."""
    stated, rates = stated_assumptions(content), list(_rate_rows(measured))
    devices, types_said, modules_said = list(measured.srams), *_published(content)
    types, modules = _with_sums(measured.by_type(), measured.total()), measured.by_module()
    type_rows, module_rows = _compared(types, types_said), _compared(modules, modules_said)
    chip = compared(_chip(measured, content), content["chip"])
    times = list(latency.layer_rows(layers, content))
    return Findings(
        figures={
            "measured": measured,
            "sizes": EiePeSizes(),
            "module_of": MODULE_OF,
            "fitted_from": FITTED_FROM,
            "costs": types | modules,
            "gates_w": {module: measured.gates_w(module) for module in MODULES},
            "macros_mm2": {"memory": [measured.memories(device).area_mm2 for device in devices]}
            | {
                module: [measured.memory(memory, device).area_mm2 for device in devices]
                for memory, module in MODULE_OF.items()
            },
            "differences": _differences(types | modules, types_said | modules_said),
            "reads": {
                MODULE_OF[memory]: [row[2:] for row in rates if row[0] == memory]
                for memory in measured.own_rates
            },
            "layers": {layer.name: layer for layer in layers},
            "depths": latency.DEPTHS,
            "deepest": MOST_QUEUED,
            "farthest": farthest([*type_rows, *module_rows, *chip, *times]),
            "assumed": assumed(stated),
        },
        predictions={"types": type_rows, "modules": module_rows, "chip": chip, "layers": times},
        rows={
            "logic": list(_logic_rows(measured)),
            "memories": list(_memory_rows(measured, content["by_type"]["memory"])),
            "rates": rates,
            "cycles": list(latency.part_rows(layers)),
            "balance": list(latency.balance_rows(layers)),
        },
        charts={
            "types": chart("types", type_rows),
            "modules": chart("modules", module_rows),
            "layers": chart("layers", times),
            "balance": latency.balance_chart(layers, content["architecture"]["queue_depth"]),
        },
        filters={"shown_area": shown_area},
        assumptions=(*stated, *_technology_assumptions()),
        plain={
            "element": asdict(measured.element),
            "srams": {
                device: {name: vars(sram) for name, sram in srams.items()}
                for device, srams in measured.srams.items()
            },
            "accesses_per_cycle": {name: vars(rates) for name, rates in measured.rates.items()},
            "layers": {layer.name: [asdict(run) for run in layer.runs] for layer in layers},
        },
    )


def _technology_assumptions() -> Iterator[Assumption]:
    """What the project's own technology assumes and these figures rest on."""
    from archsim.technology.asic.generic_cells import CONSTANTS
    from archsim.technology.quantity import load_quantities

    constants = load_quantities(CONSTANTS)
    for name, label in (
        (FITTED, "clock network factor"),
        ("wire_length_um_per_sink", "wire for each sink, µm"),
    ):
        # The source of the fitted one says so: it was chosen by the clock network of this very design.
        kind = "fitted" if name == FITTED else constants[name].kind
        source = " ".join(constants[name].source.split())
        yield Assumption(name=label, value=f"{constants[name].value:g} ({kind})", source=source)


def _with_sums(types: Mapping[str, Cost], element: Cost) -> dict[str, Cost]:
    """The types, the element, and powers with and without the fitted clock network."""
    clock, register = types["clock network"], types["register"]
    return {
        **types,
        "clock network and register": Cost(power_w=clock.power_w + register.power_w, clock_w=clock.clock_w),
        "element": element,
        "element without clock network": Cost(power_w=element.power_w - clock.power_w),
    }


def _published(content: Mapping[str, Any]) -> tuple[dict[str, Cost], dict[str, Cost]]:
    """The element by type and by module as published; what is not is zero."""
    types, modules = (
        {name: Cost(**said) for name, said in content[by].items()} for by in ("by_type", "by_module")
    )
    return _with_sums(types, Cost(**content["element"])), modules


def _compared(parts: Mapping[str, Cost], stated: Mapping[str, Cost]) -> list[Compared]:
    """Areas, then powers, of the parts that have them here and are published with them."""
    return [
        Compared(
            place=place,
            figure=figure,
            predicted=predicted,
            published=published,
            unit=unit,
            exactness="exact",
            kind=cost.kind_of_power if figure == "power" else "predicted",
        )
        for figure, field, unit in COMPARED
        for place, cost in parts.items()
        if (predicted := getattr(cost, field)) and (published := getattr(stated[place], field))
    ]


def _differences(mine: Mapping[str, Cost], said: Mapping[str, Cost]) -> dict[str, list[tuple[str, float]]]:
    """How far each part lies from the published one, the farthest first."""
    apart: dict[str, list[tuple[str, float]]] = {}
    for figure, field, _ in COMPARED:
        parts = [(name, getattr(mine.get(name, Cost()), field) - getattr(said[name], field)) for name in said]
        apart[figure] = sorted(parts, key=lambda part: -abs(part[1]))
    return apart


def _chip(measured: Measured, content: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
    """All elements, what follows from them, and the longest path."""
    chip, total = content["architecture"], measured.total()
    frames = 1 / content["layers"][content["layer"]]["actual_s"]
    elements, units = chip["elements"], chip["lnzd_units"]
    area_mm2 = elements * total.area_mm2 + units * chip["lnzd_unit_area_mm2"]
    power_w = elements * total.power_w + units * chip["lnzd_unit_power_w"]
    figures = {
        "area": area_mm2,
        "power": power_w,
        "power of the memories": elements * measured.memories().power_w,
        "frames of Alex-7": frames,
        "frames for each mm²": frames / area_mm2,
        "frames for each joule": frames / power_w,
        "operations": 2 * elements * measured.clock_hz,
    }
    yield f"{elements} elements", figures
    yield "element", {"longest path through logic": measured.element.logic_path_s}


def _logic_rows(measured: Measured) -> Iterator[tuple[Any, ...]]:
    for name, part in measured.element.modules.items():
        powers = (energy * measured.clock_hz for energy in (part.clock_j, part.registers_j, part.gates_j))
        yield (name, part.flops, part.register_mm2, part.gates_mm2, *powers)


def _memory_rows(measured: Measured, said: Mapping[str, float]) -> Iterator[tuple[Any, ...]]:
    for device, srams in measured.srams.items():
        cost = measured.memories(device)
        leakage_w = sum(sram.number * sram.leakage_w for sram in srams.values())
        access = (srams[name].access_time_s for name in MODULE_OF)
        shares = (cost.area_mm2 / said["area_mm2"], cost.power_w / said["power_w"])
        beside = (Cell(share - 1, f.percent(share, 0)) for share in shares)
        yield (device, cost.area_mm2, cost.power_w, leakage_w, *access, *beside)


def _rate_rows(measured: Measured) -> Iterator[tuple[Any, ...]]:
    for name, own in measured.own_rates.items():
        number = measured.srams[measured.cell_type][name].number
        for label, rates in (("as predicted", measured.rates[name]), ("as the described element reads", own)):
            power_w = measured.memory(name, rates=rates).power_w
            yield (name, label, 1 / (rates.reads / number), power_w)
