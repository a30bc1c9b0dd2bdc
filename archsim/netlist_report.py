"""What an engine's netlist is made of: cells, area and activity by component, memories, the longest path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch

from archsim.costs.gate import component_of_instance, component_of_module
from archsim.costs.pricing import memories
from archsim.design import DesignPoint
from archsim.technology import Fpga, FpgaResources, StandardCells, Technology
from rtl import to_verilog


@dataclass(frozen=True)
class ComponentReport:
    """All instances of one component. On an ASIC `cells`, `gate_equivalents` (area in two-input NANDs),
    `flops`, `area_mm2`, `toggles_per_cycle` of all its nets, and `activity`: the energy that switches
    in a cycle over that if every net toggled once. On an FPGA `resources`."""

    component: str
    instances: int
    cells: int
    gate_equivalents: float = 0.0
    flops: int = 0
    area_mm2: float = 0.0
    toggles_per_cycle: float = 0.0
    activity: float = 0.0
    resources: Mapping[str, int] | None = None


@dataclass(frozen=True)
class MemoryReport:
    """The memories of one role: how many, of which size, and as what they are built."""

    role: str
    number: int
    words: int
    word_bits: int
    built_as: str
    area_mm2: float


@dataclass(frozen=True)
class NetlistReport:
    """A mapped engine; `critical_path` names its stages, each with its time, `critical_path_s` is None where
    nobody knows it, and `untimed` then says why. `listed` are the resources that an FPGA is listed by."""

    components: tuple[ComponentReport, ...]
    memories: tuple[MemoryReport, ...]
    critical_path_s: float | None
    critical_path: tuple[str, ...]
    library: str
    listed: tuple[str, ...] = ()
    untimed: str = ""

    @property
    def is_fpga(self) -> bool:
        return bool(self.listed)


def report_netlist(design: DesignPoint) -> NetlistReport:
    """Maps a design point's engine, or reads what is remembered, and takes it apart by component."""
    return _reported(design.technology, design)


@singledispatch
def _reported(technology: Technology, design: DesignPoint) -> NetlistReport:
    """The netlist as this fabric has it."""
    raise NotImplementedError(f"netlist of {technology!r}")


@_reported.register(StandardCells)
def _cells(technology: StandardCells, design: DesignPoint) -> NetlistReport:
    from archsim.costs.switching import measure_switching
    from archsim.netlist import synthesise_asic

    mapping = design.mapping
    verilog = to_verilog(mapping.hardware)
    made = synthesise_asic(verilog.text, verilog.top, technology)
    switched = measure_switching(mapping, verilog, made, technology)
    sums: dict[str, dict[str, float]] = {}
    for part in made.components.values():
        kind = component_of_module(part.module, verilog.top)
        if part.cells:
            _add(
                sums.setdefault(kind, {}),
                instances=part.instances,
                cells=part.instances * sum(part.cells.values()),
                gate_equivalents=part.instances * part.gate_equivalents,
                flops=part.instances * part.flops,
                area_mm2=part.instances * part.area_um2 * 1e-6,
                all_once_j=part.instances * part.toggle_energy_j,
            )
    for name, spent in switched.instances.items():
        _add(
            sums[component_of_instance(name)],
            toggles=spent.toggles / switched.cycles,
            spent_j=(spent.gates_j + spent.registers_j) / switched.cycles,
        )
    components = tuple(
        ComponentReport(
            component=kind,
            instances=int(each["instances"]),
            cells=int(each["cells"]),
            gate_equivalents=each["gate_equivalents"],
            flops=int(each["flops"]),
            area_mm2=each["area_mm2"],
            toggles_per_cycle=each.get("toggles", 0.0),
            activity=each.get("spent_j", 0.0) / each["all_once_j"] if each["all_once_j"] else 0.0,
        )
        for kind, each in sorted(sums.items(), key=lambda item: -item[1]["area_mm2"])
    )
    return NetlistReport(
        components, _memories(design), made.critical_path_s, made.critical_path, technology.library.name
    )


@_reported.register(Fpga)
def _fabric(technology: Fpga, design: DesignPoint) -> NetlistReport:
    from archsim.netlist import synthesise_fpga

    verilog = to_verilog(design.mapping.hardware)
    made = synthesise_fpga(verilog.text, verilog.top, technology)
    taken: dict[str, FpgaResources] = {}
    counted: dict[str, dict[str, float]] = {}
    for part in made.components.values():
        kind = component_of_module(part.module, verilog.top)
        taken[kind] = taken.get(kind, FpgaResources()) + part.resources * part.instances
        _add(
            counted.setdefault(kind, {}),
            instances=part.instances,
            cells=part.instances * sum(part.cells.values()),
        )
    size, names = next(iter(technology.counted)), technology.resource_names()
    components = tuple(
        ComponentReport(
            kind,
            int(each["instances"]),
            int(each["cells"]),
            resources={name: taken[kind][name] for name in names},
        )
        for kind, each in sorted(counted.items(), key=lambda item: -taken[item[0]][size])
    )
    return NetlistReport(
        components,
        (),
        made.critical_path_s,
        made.critical_path,
        technology.primitives,
        listed=technology.listed,
        untimed=technology.untimed,
    )


def _memories(design: DesignPoint) -> tuple[MemoryReport, ...]:
    costs = [cost for _, _, cost in memories(design.mapping.sizes, design.technology)]
    return tuple(
        MemoryReport(shape.role, shape.number, shape.words, shape.word_bits, cost.built_as, cost.area_mm2)
        for shape, cost in zip(design.mapping.sizes.memory_shapes, costs, strict=True)
    )


def _add(sums: dict[str, float], **more: float) -> None:
    for name, value in more.items():
        sums[name] = sums.get(name, 0.0) + value
