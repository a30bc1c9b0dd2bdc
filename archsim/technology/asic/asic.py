"""A standard-cell process of the user's own: Liberty files for the logic, and for memories its own macros, or
CACTI's taken to its node."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from archsim.technology.asic.abstracts import Abstracts, abstracts_of
from archsim.technology.asic.generic_cells import CONSTANTS, cmos65_library, cmos65_wiring
from archsim.technology.asic.own_files import (
    Liberties,
    Memories,
    Outlines,
    macros_of,
    paths_of,
    refuse_gaps,
    sized,
    stamps,
)
from archsim.technology.asic.scaling import (
    NODES_NM,
    SCALING_CONSTANTS,
    UNCHANGED,
    Factors,
    NodeNm,
    factors,
    macro_processes,
    other_macros,
    process,
    scaling_rows,
)
from archsim.technology.asic.standard_cells import CellType, StandardCells
from archsim.technology.lef import read_lef
from archsim.technology.lef_layers import mean_f_per_um, read_layers, signal_layers
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.liberty.reader import read_liberty
from archsim.technology.liberty.text import LibertyError
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.memories.macro import OwnMacro, OwnMemories
from archsim.technology.memories.sram import MacroScaling, MemoryMacro, Ports
from archsim.technology.quantity import Quantity, load_quantities
from archsim.technology.registry import technologies
from archsim.technology.technology import TechnologyError

_WIRE_RULE = ("wire_length_um_per_sink", "nand2_area_um2")
_WIRE = "wire_capacitance_f_per_um"
_MODEL = (
    *("clock_network_factor", "clock_gate_open_share"),
    *("max_fanout", "memory_pin_capacitance_f", "flop_memory_activity"),
)
_MACRO_RULE = (
    "macro_energy_exponent_of_supply",
    "macro_leakage_exponent_of_supply",
    "leakage_exponent_of_area",
)


@technologies.register("asic")
class Asic(StandardCells):
    """The cells of the Liberty files `liberty` (plain or gzip, one or a list), whose supply is that of the
    files.

    `memories` names the user's own macros: tables (CSV, YAML) or Liberty files, with the conditions of an
    access where these state its energy under several. What they state replaces CACTI's figures. `node_nm`
    chooses CACTI's memories, where there are no macros or these lack a figure: macros of `cell_type` at 65 or
    45 nm, scaled to the node at its nominal supply by Stillmaker and Baas (2017); energy goes with the square
    and leakage with the ratio of the files' supply to the nominal one. It is needed unless the macros state
    everything. `lef` names files of outlines, which are held beside all areas; nothing is placed.

    A wire is as many gate pitches long as at 65 nm, so its capacitance a sink follows the root of the NAND2's
    area; `wire_capacitance_f_per_sink` overrides that. What a um of wire has, `wire_capacitance_f_per_um`
    says, without it the rules of the signal layers in `lef`, which are of a wire without its neighbours;
    without these it is as at 65 nm. A pin of a macro is as many NAND2 inputs as at 65 nm; the clock network
    factor is the same. `missing_power: zero` counts internal energy and leakage that the
    files do not state as none, and says so among the assumptions; without it such cells are not used. Nobody
    fitted the logic of a library of the user's own: it has to be synthesised.

    Two are equal where their options are, and no file was changed in between.
    """

    kind: Literal["asic"] = "asic"
    liberty: Liberties
    node_nm: NodeNm | None = None
    cell_type: CellType = "lstp"
    memories: Memories = None
    lef: Outlines | None = None
    wire_capacitance_f_per_sink: Annotated[float | None, Field(ge=0, le=1e-12)] = None
    wire_capacitance_f_per_um: Annotated[float | None, Field(gt=0, le=1e-14)] = None
    missing_power: Literal["refuse", "zero"] = "refuse"

    _changed_ns: tuple[int, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.node_nm is None and self.memories is None:
            raise TechnologyError(
                f"node_nm is None, allowed are whole numbers from {NODES_NM[-1]} to {NODES_NM[0]}, or "
                "memories that state all of their figures"
            )
        macros = None if self.memories is None else self.memories.files
        self._changed_ns = stamps(self.liberty, macros, self.lef)
        try:
            assert self.library
        except LibertyError as error:
            shown = list(self.liberty) if isinstance(self.liberty, tuple) else self.liberty
            raise LibertyError(f"liberty is {shown!r}: {error}") from None
        if self.node_nm is None:
            refuse_gaps(self.macros)
        assert self.macros is not None
        return self

    @cached_property
    def library(self) -> CellLibrary:
        return read_liberty(paths_of(self.liberty), missing_power=self.missing_power)

    @cached_property
    def macros(self) -> tuple[OwnMacro, ...]:
        """The user's own macros, if any; with `lef`, all areas were held beside the outlines."""
        activity = self.wiring.flop_memory_activity
        given = () if self.memories is None else macros_of(self.memories, activity=activity)
        return sized(given, self.library, self.lef)

    @cached_property
    def wiring(self) -> Wiring:
        return _wiring(self.library, self.wire_capacitance_f_per_sink, float(self.wire_f_per_um))

    @cached_property
    def wire_f_per_um(self) -> Quantity:
        """The capacitance of a um of wire, and who says so."""
        if self.wire_capacitance_f_per_um is not None:
            return _own(_WIRE, self.wire_capacitance_f_per_um, "F/um", "assumed", "given in the design point")
        layers = signal_layers(read_layers(paths_of(self.lef)))
        if not layers:
            ours = load_quantities(CONSTANTS)[_WIRE]
            why = f"no file states the capacitance of layers; as at 65 nm: {ours.source}"
            return _own(_WIRE, ours.value, "F/um", "assumed", why)
        names = ", ".join(layer.name for layer in layers)
        files = ", ".join(map(str, paths_of(self.lef)))
        why = (
            f"mean of CPERSQDIST x WIDTH + 2 x EDGECAPACITANCE of the layers {names} in {files}: a wire by "
            "itself, without what its neighbours add"
        )
        return _own(_WIRE, mean_f_per_um(layers), "F/um", "published", why)

    @cached_property
    def abstracts(self) -> Abstracts | None:
        """The outlines of `lef`; None without. Raises LefError where they cannot be placed by."""
        return None if self.lef is None else abstracts_of(read_lef(paths_of(self.lef)), self.library)

    @property
    def memory_node_nm(self) -> int | None:
        return self.node_nm

    @cached_property
    def _scaled_macros(self) -> MacroScaling | None:
        if self.node_nm is None:
            return None
        return _macro_scaling(self.node_nm, self.cell_type, self.library.supply_v)

    @property
    def macro_scaling(self) -> MacroScaling | None:
        """CACTI's macros at the node and the supply; None where they are CACTI's own, or there are none."""
        scaled = self._scaled_macros
        as_they_are = scaled is None or (scaled.factors == UNCHANGED and scaled.towards is None)
        return None if as_they_are else scaled

    @property
    def native_memory_nm(self) -> int | None:
        """The node at which CACTI was run; None where the user's own macros state everything."""
        stated = self.macros and not any(macro.lacks for macro in self.macros)
        return None if stated else super().native_memory_nm

    def memory(self, *, words: int, word_bits: int, ports: Ports = "1rw") -> MemoryMacro:
        """The memory of the user's own macros where there are any, else of CACTI's."""
        if self._own_memories is None:
            return super().memory(words=words, word_bits=word_bits, ports=ports)
        return self._own_memories.memory(words=words, word_bits=word_bits, ports=ports)

    @cached_property
    def _own_memories(self) -> OwnMemories | None:
        if not self.macros:
            return None

        def stand_in(words: int, word_bits: int, ports: Ports) -> MemoryMacro:
            return StandardCells.memory(self, words=words, word_bits=word_bits, ports=ports)

        return OwnMemories(
            macros=self.macros,
            cells=self.library,
            wiring=self.wiring,
            gated=self.clock_gates is not None,
            node_nm=self.node_nm,
            stand_in=None if self.node_nm is None else stand_in,
        )

    def options(self) -> dict[str, Any]:
        """The arguments that make this technology again."""
        options = super().options()
        if self.missing_power == "refuse":
            del options["missing_power"]
        for name in {"liberty", "lef"} & options.keys():
            options[name] = list(options[name]) if isinstance(options[name], tuple) else options[name]
        return options | ({} if self.memories is None else {"memories": self.memories.option()})

    @property
    def warnings(self) -> tuple[str, ...]:
        """Says besides what nobody knows of the user's files, and what is not done with them."""
        known = "" if self.native_memory_nm is None else ", but for what CACTI says of memories"
        own = " and its memories" if self.macros else ""
        unknown = (
            f"technology_error is not known of library {self.library.name}{own}: nobody held their figures "
            f"beside real ones{known}"
        )
        unused = "lef was held beside the areas of cells and macros; nothing is placed by it"
        alone = (
            f"{_WIRE} is {float(self.wire_f_per_um):.3g} by the layers of lef, which state a wire by itself; "
            "between others it has up to twice that"
        )
        by_layers = self.wire_f_per_um.kind == "published"
        return (*super().warnings, unknown, *[alone] * by_layers, *[unused] * (self.lef is not None))

    def provenance(self) -> tuple[Quantity, ...]:
        """The supply of the files, the rules for wires, clock and small memories, what was counted as none or
        held at rest, the figures of the user's own macros, and the SRAM rows with the rules that scale them.
        """
        constants, scaling = load_quantities(CONSTANTS), load_quantities(SCALING_CONSTANTS)
        files = ", ".join(map(str, paths_of(self.liberty)))
        own = [_own("supply_v", self.supply_v, "V", "published", f"nominal voltage in {files}")]
        given_f, unpowered = self.wire_capacitance_f_per_sink, self.library.without_power
        if given_f is not None:
            why = "given in the design point"
            own.append(_own("wire_capacitance_f_per_sink", given_f, "F", "assumed", why))
        if unpowered:
            why = f"{files} states no internal energy or leakage for them; none is counted"
            own.append(_own("missing_power_as_zero", len(unpowered), "cells", "assumed", why))
        if tied := self.library.tied:
            why = f"{files} has no flop without set or reset, so that of these is held at rest"
            own.append(_own("resets_held_at_rest", len(tied), "cells", "assumed", why))
        rules = [*_MODEL, *(_WIRE_RULE if given_f is None else ())]
        scaled = self.native_memory_nm is not None and self.node_nm is not None
        return (
            *own,
            *_figures_of(self.macros),
            self.wire_f_per_um,
            *(constants[name] for name in rules),
            *(scaling[name] for name in _MACRO_RULE if scaled and self.macro_scaling is not None),
            *(
                scaling_rows(*macro_processes(self.node_nm, self.cell_type))
                if scaled and self.node_nm
                else ()
            ),
            *self.macro_rows(),
        )


def _figures_of(macros: Iterable[OwnMacro]) -> Iterator[Quantity]:
    """Every figure of the user's own macros."""
    units = {"area_mm2": "mm2", "leakage_w": "W", "access_time_s": "s", "setup_s": "s"}
    for macro in macros:
        for name, value in macro.figures.items():
            yield _own(f"{macro.name}.{name}", value, units.get(name, "J"), macro.kind, macro.source)


def _own(name: str, value: float, unit: str, kind: str, source: str) -> Quantity:
    return Quantity(name=f"asic:{name}", value=value, unit=unit, kind=kind, source=source)


def _wiring(library: CellLibrary, capacitance_f_per_sink: float | None, f_per_um: float) -> Wiring:
    """The wires of the 65 nm process, at the pitch and the pin of another library, with its capacitance."""
    ours, wiring = cmos65_library(), cmos65_wiring()
    pitch = math.sqrt(library.gate_equivalent_um2 / ours.gate_equivalent_um2)
    by_pitch = wiring.capacitance_f_per_sink * pitch * (f_per_um / wiring.f_per_um)
    pins = [max(each.nand2.input_capacitance_f.values()) for each in (library, ours)]
    return replace(
        wiring,
        f_per_um=f_per_um,
        capacitance_f_per_sink=by_pitch if capacitance_f_per_sink is None else capacitance_f_per_sink,
        memory_pin_capacitance_f=wiring.memory_pin_capacitance_f * pins[0] / pins[1],
    )


def _macro_scaling(node_nm: int, cell_type: str, supply_v: float) -> MacroScaling:
    """CACTI's macros at the nominal supply of a node, moved to the supply of the cells."""
    native, target = macro_processes(node_nm, cell_type)
    other = other_macros(node_nm, cell_type)
    constants, ratio = load_quantities(SCALING_CONSTANTS), supply_v / process(node_nm).nominal_v

    def at_supply(by: Factors) -> Factors:
        return replace(
            by,
            energy=by.energy * ratio ** float(constants["macro_energy_exponent_of_supply"]),
            leakage=by.leakage * ratio ** float(constants["macro_leakage_exponent_of_supply"]),
        )

    how = f"scaled from {native.node_nm} to {node_nm} nm" if other is None else "between 65 and 45 nm"
    return MacroScaling(
        native_node_nm=native.node_nm,
        node_nm=node_nm,
        factors=at_supply(factors(native, native.nominal_v, target, target.nominal_v)),
        rule=f"{how} by Stillmaker and Baas (2017), and to {ratio:.3g} times the nominal supply, energy by "
        "its square and leakage by the supply",
        towards=(other[0].node_nm, at_supply(UNCHANGED), other[1]) if other else None,
    )
