"""What an engine's netlist is made of: cells, area and activity by component, memories, the longest path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING

from archsim.costs.fidelity.components import area_mm2, by_component, total
from archsim.costs.memories import memories
from archsim.design import DesignPoint
from archsim.engine.stimulus import stimulus_name
from archsim.technology import Fpga, FpgaResources, StandardCells, Technology
from archsim.technology.technology import refuse_fabric
from rtl import to_verilog

if TYPE_CHECKING:
    from archsim.netlist import Component, FpgaComponent


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
    nobody knows it, and `untimed` then says why. `listed` are the resources that an FPGA is listed by;
    `stimulus` names the inputs whose toggles were counted, where any were."""

    components: tuple[ComponentReport, ...]
    memories: tuple[MemoryReport, ...]
    critical_path_s: float | None
    critical_path: tuple[str, ...]
    library: str
    listed: tuple[str, ...] = ()
    untimed: str = ""
    stimulus: str | None = None

    @property
    def is_fpga(self) -> bool:
        return bool(self.listed)


def report_netlist(design: DesignPoint) -> NetlistReport:
    """Maps a design point's engine, or reads what is remembered, and takes it apart by component."""
    with design.fields_named():
        return _reported(design.technology, design)


@singledispatch
def _reported(technology: Technology, design: DesignPoint) -> NetlistReport:
    """The netlist as this fabric has it."""
    refuse_fabric(technology, "the netlist")


@_reported.register(StandardCells)
def _cells(technology: StandardCells, design: DesignPoint) -> NetlistReport:
    from archsim.costs.fidelity.switching import measure_switching
    from archsim.netlist import synthesise_asic

    mapping = design.mapping
    verilog = to_verilog(mapping.hardware)
    made = synthesise_asic(verilog.text, verilog.top, technology)
    switched = measure_switching(mapping, verilog, made.flat(), technology)
    components = []
    for kind, modules in by_component(made.components.values(), verilog.top).items():
        if mapped := [module for module in modules if module.cells]:
            spent, all_once_j = switched.of(kind), total(mapped, "toggle_energy_j")
            spent_j = sum((s.gates_j + s.registers_j) / switched.cycles for s in spent)
            components.append(
                ComponentReport(
                    kind,
                    *_counted(mapped),
                    gate_equivalents=total(mapped, "gate_equivalents"),
                    flops=int(total(mapped, "flops")),
                    area_mm2=area_mm2(mapped),
                    toggles_per_cycle=sum(s.toggles / switched.cycles for s in spent),
                    activity=spent_j / all_once_j if all_once_j else 0.0,
                )
            )
    components.sort(key=lambda component: -component.area_mm2)
    path = (made.critical_path_s, made.critical_path)
    ran = stimulus_name(mapping.network, switched.inferences)
    return NetlistReport(tuple(components), _memories(design), *path, technology.library.name, stimulus=ran)


@_reported.register(Fpga)
def _fabric(technology: Fpga, design: DesignPoint) -> NetlistReport:
    from archsim.netlist import synthesise_fpga

    verilog = to_verilog(design.mapping.hardware)
    made = synthesise_fpga(verilog.text, verilog.top, technology)
    taken = {
        kind: (modules, sum((module.resources * module.instances for module in modules), FpgaResources()))
        for kind, modules in by_component(made.components.values(), verilog.top).items()
    }
    size, names = next(iter(technology.counted)), technology.resource_names()
    components = tuple(
        ComponentReport(kind, *_counted(modules), resources={name: resources[name] for name in names})
        for kind, (modules, resources) in sorted(taken.items(), key=lambda item: -item[1][1][size])
    )
    path = (made.critical_path_s, made.critical_path)
    return NetlistReport(
        components, (), *path, technology.primitives, listed=technology.listed, untimed=technology.untimed
    )


def _memories(design: DesignPoint) -> tuple[MemoryReport, ...]:
    return tuple(
        MemoryReport(shape.role, shape.number, shape.words, shape.word_bits, cost.built_as, cost.area_mm2)
        for shape, cost in memories(design.mapping.sizes, design.technology)
    )


def _counted(modules: Sequence[Component | FpgaComponent]) -> tuple[int, int]:
    """Instances of all variants together, and the cells in them."""
    cells = sum(module.instances * sum(module.cells.values()) for module in modules)
    return sum(module.instances for module in modules), cells
