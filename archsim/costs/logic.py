"""The logic of an engine as a cost model sees it: components, their size, what they spend when they work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archsim.costs.operands import Workload
from archsim.engine.counts import Counts
from archsim.technology import FpgaResources

NO_RESOURCES = FpgaResources()


@dataclass(frozen=True)
class LogicPart:
    """All instances of one component together, memories apart.

    On an ASIC: `area_mm2`, `leakage_w`, `clock_energy_j` of the mean cycle, and what switching takes in a
    cycle in which the component works: `gate_switching_j` of gates and the wires they drive, without
    glitches, `glitch_switching_j` what those add, `register_switching_j` of registers and memory outputs and
    theirs. `ungated_area_mm2` and `ungated_clock_energy_j` are, where logic was mapped, the same without
    clock gates. On an FPGA: `resources`.
    """

    component: str
    instances: int
    area_mm2: float = 0.0
    gate_switching_j: float = 0.0
    glitch_switching_j: float = 0.0
    register_switching_j: float = 0.0
    clock_energy_j: float = 0.0
    leakage_w: float = 0.0
    ungated_area_mm2: float = 0.0
    ungated_clock_energy_j: float = 0.0
    resources: FpgaResources = NO_RESOURCES
    origin: tuple[str, str] | None = None
    """Kind and source of its figures, where they are not those of the logic around it."""

    @property
    def multiplies(self) -> bool:
        """Whether what switches in it follows the products."""
        return self.component == "pe"

    def active_cycles(self, done: Counts | Workload) -> float:
        """How often it works: a PE once for each of its products, what serves all PEs once a cycle. What PEs
        switch while none of them has a product, as where all activations are zero, is charged as of one."""
        return (done.products or 1) / self.instances if self.multiplies else done.cycles


@dataclass(frozen=True)
class Logic:
    """The logic of an engine in one technology, where its figures come from, and its longest path (`None`
    where nobody mapped it)."""

    parts: tuple[LogicPart, ...]
    critical_path_s: float | None
    kind: str
    source: str
    critical_path: tuple[str, ...] = ()
    memory_resources: FpgaResources | None = None
    """What the memories take of an FPGA, where synthesis told; else the technology's rule is used."""
    fit_error: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Of fitted logic: the mean and the worst relative error of its totals on netlists that no fit saw, by
    metric."""
    placing_error: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Where placing is expected and not done: the same of whole figures, on placed engines that the law of
    placing did not see."""
    switching_kind: str = ""
    """The kind of energies and of the longest path, where it is not that of the cells: fitted, where placing
    is expected and not done."""

    @property
    def origin(self) -> tuple[str, str]:
        """The kind and source of what the cells are: their area, leakage and resources."""
        return self.kind, self.source

    @property
    def switching_origin(self) -> tuple[str, str]:
        """The kind and source of energies and of the longest path."""
        return self.switching_kind or self.kind, self.source

    @property
    def fitted_components(self) -> set[str]:
        """The components whose figures are those of the logic, and of no other source."""
        return {part.component for part in self.parts if part.origin is None}

    @property
    def assumptions(self) -> tuple[str, ...]:
        """A sentence for each source of figures that are assumed."""
        components: dict[str, list[str]] = {}
        for part in self.parts:
            if part.origin is not None and part.origin[0] == "assumed":
                components.setdefault(part.origin[1], []).append(part.component)
        return tuple(
            f"the logic of {' and '.join(names)} is assumed: {source}" for source, names in components.items()
        )
