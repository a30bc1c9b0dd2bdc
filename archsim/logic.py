"""The logic of an engine as a cost model sees it: components, their size, what they spend when they work."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.technology import FpgaResources

NO_RESOURCES = FpgaResources()


@dataclass(frozen=True)
class LogicPart:
    """All instances of one component together, memories apart.

    ``toggle_energy_j`` if every net toggled once, ``clock_energy_j`` each cycle, ``area_mm2`` and
    ``leakage_w`` on an ASIC; ``resources`` on an FPGA.
    """

    component: str
    instances: int
    area_mm2: float = 0.0
    toggle_energy_j: float = 0.0
    clock_energy_j: float = 0.0
    leakage_w: float = 0.0
    resources: FpgaResources = NO_RESOURCES


@dataclass(frozen=True)
class Logic:
    """The logic of an engine in one technology, where its figures come from, and its longest path (``None``
    where nobody mapped it)."""

    parts: tuple[LogicPart, ...]
    critical_path_s: float | None
    kind: str
    source: str
    critical_path: tuple[str, ...] = ()
    memory_resources: FpgaResources | None = None
    """What the memories take of an FPGA, where synthesis told; else the technology's rule is used."""
