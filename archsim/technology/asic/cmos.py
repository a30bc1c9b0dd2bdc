"""The project's 65 nm cells and memories taken to other nodes and supplies by Stillmaker and Baas (2017).

Every figure of the library goes through one factor for area, one for energy, one for delay and one for
leakage, so a netlist maps the same and what was fitted at 65 nm scales with it. How far that can be trusted:
against the open osu018 library, a PE scaled to 180 nm has 0.73 of the area, 0.49 of the switching and 0.34 of
the clock energy, 3.1 times the delay and 27 times the leakage: take the trend from node to node, no figure.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

from archsim.technology.asic.cmos65 import CONSTANTS, FIT, cmos65_library, cmos65_wiring
from archsim.technology.asic.scaling import (
    SCALING_CONSTANTS,
    Factors,
    Process,
    factors,
    macro_processes,
    process,
    scaling_rows,
)
from archsim.technology.asic.standard_cells import NATIVE_NODES_NM, StandardCells, known_cell_type
from archsim.technology.liberty.cell_library import Arc, Cell, CellLibrary
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.memories.sram import MacroScaling
from archsim.technology.quantity import Quantity, load_quantities
from archsim.technology.registry import FitScaling, register

_UNCHANGED = Factors()


@register("cmos")
class Cmos(StandardCells):
    """CMOS of a node from 180 to 7 nm at a supply, scaled from the project's 65 nm library.

    `vdd_v` is the node's nominal supply unless given; `flavour` is hp (the default) or lp below 65 nm. The
    table's 65 nm row is bulk and goes on as both. Its delays go on in the hp rows (0.71 from 65 to 45 nm); in
    the lp rows gates are 2.5 times slower than at 65 nm, which is those devices' and not the node's. Nothing
    is scaled from an lp row to an hp row or back: logic goes from bulk to the chosen flavour, and the macros
    of `cell_type` hp follow the hp rows, lstp and lop the lp rows, from CACTI's nearest node (65 or 45 nm). A
    macro's supply moves in proportion to that of the logic. Raises ValueError naming the field, also for a
    supply outside the range for which the polynomials are taken (`Process.overdrive`).
    """

    name = "cmos"

    def __init__(
        self,
        *,
        node_nm: int = 65,
        vdd_v: float | None = None,
        flavour: str | None = None,
        cell_type: str = "lstp",
    ) -> None:
        self._source, self._target = process(65), process(node_nm, flavour)
        known_cell_type(cell_type)
        nominal_v = self._target.nominal_v
        native, macros = macro_processes(node_nm, cell_type)
        supply_v = _supply_v(vdd_v, self._target, macros)
        self._given = {"node_nm": int(node_nm), "vdd_v": supply_v, "flavour": flavour}
        self._factors = factors(self._source, self._source.nominal_v, self._target, supply_v)
        overdrive = supply_v / nominal_v
        macro_factors = factors(native, native.nominal_v, macros, overdrive * macros.nominal_v)
        self._macros = (native, macros)
        self._macro_factors = macro_factors
        unscaled = macro_factors == _UNCHANGED and node_nm in NATIVE_NODES_NM
        super().__init__(
            library=_scaled_library(self._factors, self._target, supply_v),
            wiring=_scaled_wiring(self._factors, self._source.nominal_v, supply_v),
            node_nm=int(node_nm),
            cell_type=cell_type,
            scaling=None
            if unscaled
            else MacroScaling(
                native_node_nm=native.node_nm,
                node_nm=int(node_nm),
                factors=macro_factors,
                rule=f"scaled from {native.node_nm} to {node_nm} nm at {overdrive:.3g} times the nominal "
                "supply by Stillmaker and Baas (2017), leakage by supply and width",
            ),
        )

    @property
    def fit_scaling(self) -> FitScaling:
        """The fit of the 65 nm library, and the factors of this node and supply."""
        by = self._factors
        return FitScaling(
            fit=FIT,
            area_mm2=by.area,
            energy=by.energy,
            leakage_w=by.leakage,
            critical_path_s=by.delay,
        )

    def options(self) -> dict[str, object]:
        """The arguments that make this technology again."""
        given = {name: value for name, value in self._given.items() if value is not None}
        return {**given, "cell_type": self.cell_type}

    def provenance(self) -> tuple[Quantity, ...]:
        """The constants of the 65 nm library, the factors and the polynomials behind them, and the SRAM rows
        from which the memories come."""
        processes = (self._source, self._target, *self._macros)
        limits = ("lowest_of_nominal", "highest_of_nominal", "leakage_exponent_of_area")
        return (
            *load_quantities(CONSTANTS).values(),
            *self.glitches.values(),
            *(load_quantities(SCALING_CONSTANTS)[name] for name in limits),
            *dict.fromkeys(each.nominal for each in processes),
            *scaling_rows(*processes),
            *_stated("logic", self._factors, self._source, self._target),
            *_stated("macro", self._macro_factors, *self._macros),
            *self.macro_rows(),
        )


def _stated(what: str, by: Factors, source: Process, target: Process) -> tuple[Quantity, ...]:
    """The factors as quantities. A published ratio between devices of one flavour is published; one that
    crosses from bulk to another, and that of leakage, are assumed. Factors of one are left out."""
    crossed = source.flavour != target.flavour
    places = f"{source.node_nm} nm {source.flavour} to {target.node_nm} nm {target.flavour}"
    return tuple(
        Quantity(
            name=f"cmos:{what}_{name}_factor",
            value=value,
            unit="1",
            kind="assumed" if (crossed and name != "area") or name == "leakage" else "published",
            source=f"Stillmaker and Baas (2017), {places}"
            if name != "leakage"
            else f"supply and transistor width, {places}; hp devices of ordinary thresholds leak far more",
        )
        for name, value in vars(by).items()
        if value != 1.0
    )


def _supply_v(vdd_v: float | None, target: Process, macros: Process) -> float:
    """The supply, the nominal one where none is given. Raises ValueError for one at which the polynomials of
    the logic or of the macros are not taken."""
    nominal_v = target.nominal_v
    if vdd_v is None:
        return nominal_v
    least = max(each.overdrive[0] for each in (target, macros)) * nominal_v
    most = min(each.overdrive[1] for each in (target, macros)) * nominal_v
    number = isinstance(vdd_v, int | float) and not isinstance(vdd_v, bool) and math.isfinite(vdd_v)
    if not number or not least * (1 - 1e-9) <= vdd_v <= most * (1 + 1e-9):
        raise ValueError(
            f"vdd_v is {vdd_v!r}; allowed at {target.node_nm} nm {target.flavour} with these memories are "
            f"{least:.3g} to {most:.3g} V, where the scaling polynomials hold."
        )
    return float(vdd_v)


def _capacitance_factor(by: Factors, source_v: float, supply_v: float) -> float:
    """What a capacitance is multiplied by so that the energy of its charge scales like every other energy."""
    return by.energy * (source_v / supply_v) ** 2


@lru_cache(maxsize=64)
def _scaled_library(by: Factors, target: Process, supply_v: float) -> CellLibrary:
    library = cmos65_library()
    if by == _UNCHANGED:
        return library
    capacitance = _capacitance_factor(by, library.supply_v, supply_v)
    return replace(
        library,
        name=f"{library.name} scaled to {target.node_nm} nm {target.flavour} at {supply_v:g} V",
        supply_v=supply_v,
        cells={name: _scaled_cell(cell, by, capacitance) for name, cell in library.cells.items()},
    )


def _scaled_cell(cell: Cell, by: Factors, capacitance: float) -> Cell:
    return replace(
        cell,
        area_um2=cell.area_um2 * by.area,
        leakage_w=cell.leakage_w * by.leakage,
        input_capacitance_f={pin: c * capacitance for pin, c in cell.input_capacitance_f.items()},
        switch_energy_j={pin: energy * by.energy for pin, energy in cell.switch_energy_j.items()},
        arcs=tuple(
            Arc(a.input, a.output, a.intrinsic_s * by.delay, a.slope_s_per_f * by.delay / capacitance)
            for a in cell.arcs
        ),
        clock_edge_energy_j=cell.clock_edge_energy_j * by.energy,
        setup_s=cell.setup_s * by.delay,
    )


def _scaled_wiring(by: Factors, source_v: float, supply_v: float) -> Wiring:
    """Wires shrink with the pins they connect."""
    wiring, capacitance = cmos65_wiring(), _capacitance_factor(by, source_v, supply_v)
    return replace(
        wiring,
        capacitance_f_per_sink=wiring.capacitance_f_per_sink * capacitance,
        memory_pin_capacitance_f=wiring.memory_pin_capacitance_f * capacitance,
    )
