"""A standard-cell process of the user's own: its Liberty file for the logic, CACTI memories taken to its
node."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from archsim.technology.asic.cmos65 import CONSTANTS, cmos65_library, cmos65_wiring
from archsim.technology.asic.scaling import (
    SCALING_CONSTANTS,
    Factors,
    factors,
    macro_processes,
    process,
    scaling_rows,
)
from archsim.technology.asic.standard_cells import StandardCells, known_cell_type
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.liberty.reader import MISSING_POWER, LibertyError, read_liberty
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.memories.sram import MacroScaling
from archsim.technology.quantity import Quantity, load_quantities
from archsim.technology.registry import register

_WIRE_RULE = ("wire_capacitance_f_per_um", "wire_length_um_per_sink", "nand2_area_um2")
_MODEL = ("clock_network_factor", "max_fanout", "memory_pin_capacitance_f", "flop_memory_activity")
_MACRO_RULE = (
    "macro_energy_exponent_of_supply",
    "macro_leakage_exponent_of_supply",
    "leakage_exponent_of_area",
)


@register("asic")
class Asic(StandardCells):
    """The cells of the Liberty file `liberty` (plain or gzip), whose supply is that of the file.

    `node_nm` chooses the memories: CACTI's macros of `cell_type` at 65 or 45 nm, the nearer of the two,
    scaled to the node at its nominal supply by Stillmaker and Baas (2017); energy goes with the square and
    leakage with the ratio of the file's supply to the nominal one. A wire is as many gate pitches long as at
    65 nm, so its capacitance a sink follows the root of the NAND2's area; `wire_capacitance_f_per_sink`
    overrides that. A pin of a macro is as many NAND2 inputs as at 65 nm; the clock network factor is the
    same. `missing_power: zero` counts internal energy and leakage that the file does not state as none, and
    says so among the assumptions; without it such cells are not used. Raises ValueError naming the field.
    """

    name = "asic"

    def __init__(
        self,
        *,
        liberty: Path | str | None = None,
        node_nm: int | None = None,
        cell_type: str = "lstp",
        wire_capacitance_f_per_sink: float | None = None,
        missing_power: str = "refuse",
    ) -> None:
        if not isinstance(liberty, Path | str) or not Path(liberty).is_file():
            raise ValueError(f"liberty is {_shown(liberty)}; allowed is the path of a Liberty file.")
        if missing_power not in MISSING_POWER:
            raise ValueError(f"missing_power is {missing_power!r}; allowed are {', '.join(MISSING_POWER)}.")
        if node_nm is None:
            raise ValueError("node_nm is None; allowed is the node of the library, by which memories scale.")
        wire_f = wire_capacitance_f_per_sink
        if wire_f is not None and not (_is_number(wire_f) and 0 <= wire_f < 1e-12):
            raise ValueError(
                f"wire_capacitance_f_per_sink is {wire_f!r}; allowed are 0 to less than 1e-12 farad."
            )
        known_cell_type(cell_type)
        process(node_nm)
        try:
            library = read_liberty(Path(liberty), missing_power=missing_power)
        except LibertyError as error:
            raise LibertyError(f"liberty is {str(liberty)!r}: {error}") from None
        self.liberty, self._wire_f, self._missing_power = str(liberty), wire_f, missing_power
        scaling = _macro_scaling(int(node_nm), cell_type, library.supply_v)
        self._macro_factors = scaling.factors
        super().__init__(
            library=library,
            wiring=_wiring(library, wire_f),
            node_nm=int(node_nm),
            cell_type=cell_type,
            scaling=None if scaling.factors == Factors() else scaling,
        )

    @property
    def fit_scaling(self) -> None:
        """Nobody fitted the logic of this library: it has to be synthesised."""
        return None

    def options(self) -> dict[str, object]:
        """The arguments that make this technology again."""
        wires = {"wire_capacitance_f_per_sink": self._wire_f} if self._wire_f is not None else {}
        power = {"missing_power": self._missing_power} if self._missing_power != "refuse" else {}
        own = {"liberty": self.liberty, "node_nm": self.node_nm, "cell_type": self.cell_type}
        return own | wires | power

    def provenance(self) -> tuple[Quantity, ...]:
        """The supply of the file, the rules for wires, clock and small memories, what was counted as none,
        and the SRAM rows with the rules that scale them."""
        constants, scaling = load_quantities(CONSTANTS), load_quantities(SCALING_CONSTANTS)
        own = [_own("supply_v", self.supply_v, "V", "published", f"nominal voltage in {self.liberty}")]
        if self._wire_f is not None:
            own.append(
                _own("wire_capacitance_f_per_sink", self._wire_f, "F", "assumed", "given in the design point")
            )
        if self.library.without_power:
            own.append(
                _own(
                    "missing_power_as_zero",
                    len(self.library.without_power),
                    "cells",
                    "assumed",
                    f"{self.liberty} states no internal energy or leakage for them; none is counted",
                )
            )
        rules = [*_MODEL, *(_WIRE_RULE if self._wire_f is None else ())]
        return (
            *own,
            *(constants[name] for name in rules),
            *self.glitches.values(),
            *(scaling[name] for name in _MACRO_RULE if self._macro_factors != Factors()),
            *scaling_rows(*macro_processes(self.node_nm, self.cell_type)),
            *self.macro_rows(),
        )


def _own(name: str, value: float, unit: str, kind: str, source: str) -> Quantity:
    return Quantity(name=f"asic:{name}", value=value, unit=unit, kind=kind, source=source)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: object) -> str:
    return repr(str(value)) if isinstance(value, Path) else repr(value)


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
