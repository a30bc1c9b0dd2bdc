"""The project's 65 nm cells and memories taken to other nodes and supplies by Stillmaker and Baas (2017).

Every figure of the library goes through one factor for area, one for energy, one for delay and one for
leakage, so a netlist maps the same and what was fitted at 65 nm scales with it. How far that can be trusted:
against the open osu018 library, a PE scaled to 180 nm has 0.83 of the area, 0.51 of the switching and 0.34 of
the clock energy, 2.7 times the delay and 35 times the leakage: take the trend from node to node, no figure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from archsim.technology.asic.abstracts import Abstracts
from archsim.technology.asic.generic_cells import (
    CONSTANTS,
    FIT,
    cmos65_library,
    cmos65_wiring,
    generic_abstracts,
)
from archsim.technology.asic.scaling import (
    SCALING_CONSTANTS,
    UNCHANGED,
    AnyProcess,
    Factors,
    Flavour,
    NodeNm,
    factors,
    macro_processes,
    other_macros,
    process,
    scaling_rows,
)
from archsim.technology.asic.standard_cells import NATIVE_NODES_NM, CellType, StandardCells, SupplyV
from archsim.technology.liberty.cell_library import Arc, Cell, CellLibrary
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.memories.sram import MacroScaling
from archsim.technology.quantity import Quantity, load_quantities
from archsim.technology.registry import technologies
from archsim.technology.technology import FitScaling, TechnologyError

_SOURCE = process(65)


@technologies.register("cmos")
class Cmos(StandardCells):
    """CMOS of a node from 180 to 7 nm at a supply, scaled from the project's 65 nm library.

    `vdd_v` is the node's nominal supply unless given; `flavour` is hp (the default) or lp below 65 nm. The
    table's 65 nm row is bulk and goes on as both. Its delays go on in the hp rows (0.71 from 65 to 45 nm); in
    the lp rows gates are 2.5 times slower than at 65 nm, which is those devices' and not the node's. Nothing
    is scaled from an lp row to an hp row or back: logic goes from bulk to the chosen flavour, and the macros
    of `cell_type` hp follow the hp rows, lstp and lop the lp rows, from CACTI's at 65 nm upwards and at 45 nm
    downwards; between these two they lie between both. A macro's supply moves in proportion to that of the
    logic. A node between two of the table is laid between them (`archsim.technology.asic.scaling`), and its
    `technology_error` holds how far that may be off. A supply outside the range for which the polynomials are
    taken (`Process.overdrive`) is refused.
    """

    logic_from_nm: ClassVar[int | None] = _SOURCE.node_nm

    kind: Literal["cmos"] = "cmos"
    node_nm: NodeNm = 65
    vdd_v: SupplyV | None = None
    flavour: Flavour | None = None
    cell_type: CellType = "lstp"

    @model_validator(mode="after")
    def _supplied(self) -> Self:
        other = other_macros(self.node_nm, self.cell_type)
        macros = (self._macros[1], *(other[:1] if other else ()))
        supply_v = _supply_v(self.vdd_v, self._target, macros)
        # The one field that follows from others; a frozen model is set before anybody sees it.
        self.__dict__["vdd_v"] = supply_v
        return self

    @property
    def _target(self) -> AnyProcess:
        return process(self.node_nm, self.flavour)

    @property
    def _macros(self) -> tuple[AnyProcess, AnyProcess]:
        return macro_processes(self.node_nm, self.cell_type)

    @property
    def supply_v(self) -> float:
        assert self.vdd_v is not None
        return self.vdd_v

    @cached_property
    def _factors(self) -> Factors:
        return factors(_SOURCE, _SOURCE.nominal_v, self._target, self.supply_v)

    @cached_property
    def _macro_factors(self) -> Factors:
        native, macros = self._macros
        return factors(native, native.nominal_v, macros, self._overdrive * macros.nominal_v)

    @property
    def _overdrive(self) -> float:
        return self.supply_v / self._target.nominal_v

    @property
    def library(self) -> CellLibrary:
        return _scaled_library(self._factors, self._target, self.supply_v)

    @property
    def wiring(self) -> Wiring:
        return _scaled_wiring(self._factors, _SOURCE.nominal_v, self.supply_v)

    @cached_property
    def abstracts(self) -> Abstracts:
        """Outlines of the 65 nm cells, shrunk."""
        return generic_abstracts(self.library, self._factors.area)

    @property
    def memory_node_nm(self) -> int:
        return self.node_nm

    @property
    def macro_scaling(self) -> MacroScaling | None:
        """The node's macros from those of CACTI's nearest one; None where they are CACTI's own."""
        if self._macro_factors == UNCHANGED and self.node_nm in NATIVE_NODES_NM:
            return None
        native, other = self._macros[0], other_macros(self.node_nm, self.cell_type)
        how, towards = f"scaled from {native.node_nm} to {self.node_nm} nm", None
        if other is not None:
            node, share = other
            there = factors(node, node.nominal_v, node, self._overdrive * node.nominal_v)
            how, towards = "between 65 and 45 nm, in logarithms,", (node.node_nm, there, share)
        return MacroScaling(
            native_node_nm=native.node_nm,
            node_nm=self.node_nm,
            factors=self._macro_factors,
            rule=f"{how} at {self._overdrive:.3g} times the nominal supply by Stillmaker and Baas (2017), "
            "leakage by supply and width",
            towards=towards,
        )

    @property
    def fit_scaling(self) -> FitScaling:
        """The fit of the 65 nm library, and the factors of this node and supply."""
        return FitScaling(fit=FIT, factors=self._factors)

    def provenance(self) -> tuple[Quantity, ...]:
        """The constants of the 65 nm library, the factors and the polynomials behind them, and the SRAM rows
        from which the memories come."""
        processes = (_SOURCE, self._target, *self._macros)
        limits = ("lowest_of_nominal", "highest_of_nominal", "leakage_exponent_of_area")
        return (
            *load_quantities(CONSTANTS).values(),
            *(load_quantities(SCALING_CONSTANTS)[name] for name in limits),
            *dict.fromkeys(each.nominal for process in processes for each in (*process.rows, process)),
            *scaling_rows(*processes),
            *_stated("logic", self._factors, _SOURCE, self._target),
            *_stated("macro", self._macro_factors, *self._macros),
            *self.macro_rows(),
        )


def _stated(what: str, by: Factors, source: AnyProcess, target: AnyProcess) -> tuple[Quantity, ...]:
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


def _supply_v(vdd_v: float | None, target: AnyProcess, macros: Iterable[AnyProcess]) -> float:
    """The supply, the nominal one where none is given. One at which the polynomials of the logic or of the
    macros are not taken is refused."""
    nominal_v = target.nominal_v
    if vdd_v is None:
        return nominal_v
    ranges = [each.overdrive for each in (target, *macros)]
    least = max(lowest for lowest, _ in ranges) * nominal_v
    most = min(highest for _, highest in ranges) * nominal_v
    if not least * (1 - 1e-9) <= vdd_v <= most * (1 + 1e-9):
        raise TechnologyError(
            f"vdd_v is {vdd_v!r}, allowed at {target.node_nm} nm {target.flavour} with these memories are "
            f"{least:.3g} to {most:.3g} V, where the scaling polynomials hold"
        )
    return float(vdd_v)


def _capacitance_factor(by: Factors, source_v: float, supply_v: float) -> float:
    """What a capacitance is multiplied by so that the energy of its charge scales like every other energy."""
    return by.energy * (source_v / supply_v) ** 2


@lru_cache(maxsize=64)
def _scaled_library(by: Factors, target: AnyProcess, supply_v: float) -> CellLibrary:
    library = cmos65_library()
    if by == UNCHANGED:
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
