"""The components of an engine in its netlist: variants of one, and its instances, count together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from archsim.netlist import Component, FpgaComponent, Netlist

P = TypeVar("P", "Component", "FpgaComponent")


def by_component(mapped: Iterable[P], top: str) -> dict[str, list[P]]:
    """The mapped modules of each component, from the top down."""
    modules: dict[str, list[P]] = {}
    for module in mapped:
        modules.setdefault(component_of_module(module.module, top), []).append(module)
    return modules


def total(modules: Iterable[Component], figure: str) -> float:
    """A figure over all instances of some modules."""
    return float(sum(getattr(module, figure) * module.instances for module in modules))


def area_mm2(modules: Iterable[Component]) -> float:
    """The area of all instances of some modules."""
    return sum(module.area_um2 * module.instances * 1e-6 for module in modules)


def component_of_module(module: str, top: str) -> str:
    """The component that a module is."""
    if module == top:
        return "top"
    name, _, variant = module.rpartition("_v")
    return name if variant.isdigit() else module


def component_of_instance(name: str) -> str:
    """The component that an instance at the top of a netlist is; equal ones are numbered."""
    kind, _, number = name.rpartition("_")
    return kind if number.isdigit() else name or "top"


def cells_by_component(netlist: Netlist) -> dict[str, NDArray[np.int64]]:
    """The cells of each component in a flat netlist, from the top down."""
    kinds: dict[str, list[int]] = {}
    for cell, name in enumerate(netlist.cell_names):
        kinds.setdefault(component_of_instance(name.partition(".")[0] if "." in name else ""), []).append(
            cell
        )
    return {kind: np.array(cells, np.int64) for kind, cells in kinds.items()}
