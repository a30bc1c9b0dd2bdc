"""A standard-cell process of the user's own: its Liberty file for the logic, CACTI memories taken to its
node."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from archsim.technology.asic.cmos65 import CONSTANTS, cmos65_library, cmos65_wiring
from archsim.technology.asic.scaling import (
    SCALING_CONSTANTS,
    UNCHANGED,
    NodeNm,
    factors,
    macro_processes,
    process,
    scaling_rows,
)
from archsim.technology.asic.standard_cells import CellType, StandardCells
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.liberty.reader import read_liberty
from archsim.technology.liberty.text import LibertyError
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.memories.sram import MacroScaling
from archsim.technology.quantity import Quantity, load_quantities
from archsim.technology.registry import technologies
from archsim.technology.technology import TechnologyError

_WIRE_RULE = ("wire_capacitance_f_per_um", "wire_length_um_per_sink", "nand2_area_um2")
_MODEL = (
    *("clock_network_factor", "clock_gate_open_share"),
    *("max_fanout", "memory_pin_capacitance_f", "flop_memory_activity"),
)
_MACRO_RULE = (
    "macro_energy_exponent_of_supply",
    "macro_leakage_exponent_of_supply",
    "leakage_exponent_of_area",
)


def _path_of_a_file(value: object) -> str:
    if not isinstance(value, Path | str) or not Path(value).is_file():
        shown = str(value) if isinstance(value, Path) else value
        raise TechnologyError(f"liberty is {shown!r}, allowed is the path of a Liberty file")
    return str(value)


@technologies.register("asic")
class Asic(StandardCells):
    """The cells of the Liberty file `liberty` (plain or gzip), whose supply is that of the file.

    `node_nm` chooses the memories: CACTI's macros of `cell_type` at 65 or 45 nm, the nearer of the two,
    scaled to the node at its nominal supply by Stillmaker and Baas (2017); energy goes with the square and
    leakage with the ratio of the file's supply to the nominal one. A wire is as many gate pitches long as at
    65 nm, so its capacitance a sink follows the root of the NAND2's area; `wire_capacitance_f_per_sink`
    overrides that. A pin of a macro is as many NAND2 inputs as at 65 nm; the clock network factor is the
    same. `missing_power: zero` counts internal energy and leakage that the file does not state as none, and
    says so among the assumptions; without it such cells are not used. Nobody fitted the logic of a library
    of the user's own: it has to be synthesised.

    Two are equal where their options are, and the file was not changed in between.
    """

    kind: Literal["asic"] = "asic"
    liberty: Annotated[str, BeforeValidator(_path_of_a_file)]
    node_nm: NodeNm
    cell_type: CellType = "lstp"
    wire_capacitance_f_per_sink: Annotated[float | None, Field(ge=0, le=1e-12)] = None
    missing_power: Literal["refuse", "zero"] = "refuse"

    _changed_ns: int = PrivateAttr(0)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        self._changed_ns = Path(self.liberty).stat().st_mtime_ns
        try:
            assert self.library
        except LibertyError as error:
            raise LibertyError(f"liberty is {self.liberty!r}: {error}") from None
        return self

    @cached_property
    def library(self) -> CellLibrary:
        return read_liberty(Path(self.liberty), missing_power=self.missing_power)

    @cached_property
    def wiring(self) -> Wiring:
        return _wiring(self.library, self.wire_capacitance_f_per_sink)

    @property
    def memory_node_nm(self) -> int:
        return self.node_nm

    @cached_property
    def _macros(self) -> MacroScaling:
        return _macro_scaling(self.node_nm, self.cell_type, self.library.supply_v)

    @property
    def macro_scaling(self) -> MacroScaling | None:
        """CACTI's macros at the node and the supply; None where they are CACTI's own."""
        return None if self._macros.factors == UNCHANGED else self._macros

    def options(self) -> dict[str, Any]:
        """The arguments that make this technology again."""
        options = super().options()
        if self.missing_power == "refuse":
            del options["missing_power"]
        return options

    def provenance(self) -> tuple[Quantity, ...]:
        """The supply of the file, the rules for wires, clock and small memories, what was counted as none,
        and the SRAM rows with the rules that scale them."""
        constants, scaling = load_quantities(CONSTANTS), load_quantities(SCALING_CONSTANTS)
        own = [_own("supply_v", self.supply_v, "V", "published", f"nominal voltage in {self.liberty}")]
        given_f, unpowered = self.wire_capacitance_f_per_sink, self.library.without_power
        if given_f is not None:
            why = "given in the design point"
            own.append(_own("wire_capacitance_f_per_sink", given_f, "F", "assumed", why))
        if unpowered:
            why = f"{self.liberty} states no internal energy or leakage for them; none is counted"
            own.append(_own("missing_power_as_zero", len(unpowered), "cells", "assumed", why))
        rules = [*_MODEL, *(_WIRE_RULE if given_f is None else ())]
        return (
            *own,
            *(constants[name] for name in rules),
            *(scaling[name] for name in _MACRO_RULE if self._macros.factors != UNCHANGED),
            *scaling_rows(*macro_processes(self.node_nm, self.cell_type)),
            *self.macro_rows(),
        )


def _own(name: str, value: float, unit: str, kind: str, source: str) -> Quantity:
    return Quantity(name=f"asic:{name}", value=value, unit=unit, kind=kind, source=source)


def _wiring(library: CellLibrary, capacitance_f_per_sink: float | None) -> Wiring:
    """The wires of the 65 nm process, at the pitch and the pin of another library."""
    ours, wiring = cmos65_library(), cmos65_wiring()
    pitch = math.sqrt(library.gate_equivalent_um2 / ours.gate_equivalent_um2)
    by_pitch = wiring.capacitance_f_per_sink * pitch
    pins = [max(each.nand2.input_capacitance_f.values()) for each in (library, ours)]
    return replace(
        wiring,
        capacitance_f_per_sink=by_pitch if capacitance_f_per_sink is None else capacitance_f_per_sink,
        memory_pin_capacitance_f=wiring.memory_pin_capacitance_f * pins[0] / pins[1],
    )


def _macro_scaling(node_nm: int, cell_type: str, supply_v: float) -> MacroScaling:
    """CACTI's macros at the nominal supply of a node, moved to the supply of the cells."""
    native, target = macro_processes(node_nm, cell_type)
    nominal_v = process(node_nm).nominal_v
    by = factors(native, native.nominal_v, target, target.nominal_v)
    constants, ratio = load_quantities(SCALING_CONSTANTS), supply_v / nominal_v
    return MacroScaling(
        native_node_nm=native.node_nm,
        node_nm=node_nm,
        factors=replace(
            by,
            energy=by.energy * ratio ** float(constants["macro_energy_exponent_of_supply"]),
            leakage=by.leakage * ratio ** float(constants["macro_leakage_exponent_of_supply"]),
        ),
        rule=f"scaled from {native.node_nm} to {node_nm} nm by Stillmaker and Baas (2017), and to {ratio:.3g}"
        " times the nominal supply, energy by its square and leakage by the supply",
    )
