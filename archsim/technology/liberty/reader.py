"""The few figures this project uses of a standard cell, read from a Liberty file: area, pins, delay, energy,
leakage.

A foundry's library and the project's own go through the same model (`liberty_tables`). A cell of which a
figure is missing is left out and never guessed; Yosys is then given the library without it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from archsim.technology.liberty.boolean import truth_table
from archsim.technology.liberty.cell_library import Arc, Cell, CellKind, CellLibrary
from archsim.technology.liberty.tables import CONSTRAINTS, DELAYS, TRANSITIONS, Tables, mean
from archsim.technology.liberty.text import Group, LibertyError, liberty_text, parse_liberty, write_liberty
from workloads.refusal import Refusal

MISSING_POWER = ("refuse", "zero")
_MARKS = {
    "dont_use": "is marked dont_use",
    "pad_cell": "is a pad",
    "is_macro_cell": "is a macro",
    "is_filler_cell": "is a filler",
    "is_tap_cell": "is a well tap",
    "is_decap_cell": "is a decoupling capacitor",
    "is_isolation_cell": "is an isolation cell",
    "is_level_shifter": "is a level shifter",
    "always_on": "is an always-on cell",
    "retention_cell": "is a retention cell",
    "switch_cell_type": "is a power switch",
}
"""What marks a cell that a synthesiser must not pick, and what it then is."""

_CLOCK_GATE = "clock_gating_integrated_cell"
"""Marks a clock gate and says which. Libraries mark it dont_use too, so that no mapper of logic picks it."""

_GROUPS = {
    "latch_bank": "is a latch",
    "ff_bank": "has several bits",
    "bus": "has bus pins",
    "bundle": "has bus pins",
    "statetable": "has a state table",
    "test_cell": "is a scan cell",
}


class _LeftOut(Exception):
    """Why a cell cannot be used."""


def read_liberty(source: Path | str, *, missing_power: str = "refuse") -> CellLibrary:
    """The library of a Liberty file (a path; it may be compressed with gzip) or of a Liberty text.

    Pads, cells with buses or tri-states, and cells without area, timing tables or a known function are left
    out, as are latches and clock gates of other kinds than `Cell` tells of. So are cells without internal
    energy or leakage, unless `missing_power` is "zero", which counts them as none. Raises LibertyError for a
    text that is not a library, and for a library without a two-input NAND, an inverter, a buffer or a flop
    that can be used.
    """
    if missing_power not in MISSING_POWER:
        raise LibertyError(f"missing_power is {missing_power!r}, allowed are {', '.join(MISSING_POWER)}")
    if isinstance(source, Path):
        try:
            changed = os.stat(source).st_mtime_ns
        except OSError as error:
            raise LibertyError(f"liberty is {str(source)!r} ({error.strerror}), allowed is a file") from None
        return _read_file(source, changed, missing_power)
    return _read(source, missing_power)


@lru_cache(maxsize=8)
def _read_file(path: Path, changed_ns: int, missing_power: str) -> CellLibrary:
    return _read(liberty_text(path), missing_power)


def _read(text: str, missing_power: str) -> CellLibrary:
    library = parse_liberty(text)
    reader = _Reader(library, missing_power)
    cells: dict[str, Cell] = {}
    left_out: dict[str, str] = {}
    for group in library.groups("cell"):
        try:
            cells[group.name] = reader.cell(group)
        except _LeftOut as reason:
            left_out[group.name] = str(reason)
    unused = {id(group) for group in library.groups("cell") if group.name in left_out}
    used = tuple(statement for statement in library.statements if id(statement) not in unused)
    result = CellLibrary(
        name=library.name,
        text=write_liberty(replace(library, statements=used)) if left_out else text,
        supply_v=_supply_v(library),
        cells=cells,
        left_out=left_out,
        without_power=tuple(reader.without_power),
    )
    for needed in ("!(A&B)", "!A", "A"):
        result.gate(needed, ("A", "B") if "B" in needed else ("A",))
    result.flop(enable=False)
    return result


def _supply_v(library: Group) -> float:
    """The supply at which the tables hold: the nominal one, else that of the operating condition that is the
    default or the only one."""
    nominal = library.number("nom_voltage")
    if nominal is not None:
        return nominal
    conditions = {group.name: group.number("voltage") for group in library.groups("operating_conditions")}
    default = library.text("default_operating_conditions").strip('"')
    voltages = {conditions.get(default)} if default else set(conditions.values())
    if len(voltages) == 1 and (only := voltages.pop()) is not None:
        return only
    raise LibertyError(
        f"library {library.name}: nom_voltage is missing and {len(conditions)} operating conditions give no "
        "one supply, allowed is a library that states its nominal voltage"
    )


class _Reader:
    """Reads cell after cell of one library; `without_power` collects those priced without some power."""

    def __init__(self, library: Group, missing_power: str) -> None:
        self._tables = Tables(library)
        self._default_leakage = library.number("default_cell_leakage_power")
        self._default_capacitance = library.number("default_input_pin_cap")
        self._zero_power = missing_power == "zero"
        self._load_f = 4 * self._nand2_input_f(library)
        self.without_power: dict[str, None] = {}

    def _nand2_input_f(self, library: Group) -> float:
        """Input capacitance of the smallest two-input NAND, which sets the load for energies."""
        sizes = []
        for group in library.groups("cell"):
            inputs, outputs = _pins(group, "input"), _pins(group, "output")
            area, functions = group.number("area") or 0.0, [pin.text("function") for pin in outputs.values()]
            if area <= 0 or len(inputs) != 2 or len(outputs) != 1 or any(group.groups(*_GROUPS, "ff")):
                continue
            if _table(functions[0], tuple(inputs)) == (True, True, True, False):
                with suppress(_LeftOut):
                    sizes.append((area, mean([self._capacitance_f(pin) for pin in inputs.values()])))
        if sizes:
            return min(sizes)[1]
        raise LibertyError(f"library {library.name}: it has no two-input NAND, allowed is a library with one")

    def cell(self, group: Group) -> Cell:
        """The figures of a cell. Raises _LeftOut with what makes it unusable."""
        inputs, outputs = _pins(group, "input"), _pins(group, "output")
        area_um2 = _usable(group, inputs, outputs)
        state = _state(group, inputs, outputs)
        clock_pin = state.clock_pin
        return Cell(
            name=group.name,
            area_um2=area_um2,
            leakage_w=self._leakage_w(group),
            input_capacitance_f={name: self._capacitance_f(pin) for name, pin in inputs.items()},
            functions=state.functions,
            switch_energy_j={
                name: self._switch_energy_j(group, name, pin, clock_pin) for name, pin in outputs.items()
            },
            arcs=self._arcs(inputs, outputs, clock_pin),
            clock_pin=clock_pin,
            clock_edge_energy_j=self._edge_energy_j(group, inputs[clock_pin]) if clock_pin else 0.0,
            setup_s=self._setup_s(inputs) if clock_pin else 0.0,
            next_state=state.following,
            state_names=state.names,
            has_reset=state.has_reset,
            kind=state.kind,
        )

    def _capacitance_f(self, pin: Group) -> float:
        stated = pin.number("capacitance")
        stated = self._default_capacitance if stated is None else stated
        if stated is None or stated < 0:
            raise _LeftOut(f"states no capacitance at {pin.name}")
        return stated * self._tables.capacitance

    def _switch_energy_j(self, group: Group, name: str, pin: Group, clock_pin: str) -> float:
        """Internal energy of a transition; of a flop only of those that its clock causes, not a set or
        reset."""
        powers = [
            power
            for power in pin.groups("internal_power")
            if not clock_pin or clock_pin in power.text("related_pin", clock_pin).split()
        ]
        return self._power(group, name, powers)

    def _edge_energy_j(self, group: Group, clock: Group) -> float:
        """Internal energy of one edge of the clock with the data still."""
        return self._power(group, clock.name, list(clock.groups("internal_power")))

    def _power(self, group: Group, pin: str, powers: list[Group]) -> float:
        energy_j = self._tables.energy_j(powers, self._load_f)
        return self._no_power(group, f"has no internal_power at {pin}") if energy_j is None else energy_j

    def _no_power(self, group: Group, reason: str) -> float:
        if not self._zero_power:
            raise _LeftOut(f"{reason} (missing_power: zero would count it as none)")
        self.without_power[group.name] = None
        return 0.0

    def _leakage_w(self, group: Group) -> float:
        """The cell's stated leakage, else the mean of its leakage groups, else the library's default."""
        stated = group.number("cell_leakage_power")
        if stated is None:
            states = [state.number("value") for state in group.groups("leakage_power")]
            values = [value for value in states if value is not None]
            stated = mean(values) if values else self._default_leakage
        return self._no_power(group, "states no leakage") if stated is None else stated * self._tables.leakage

    def _arcs(
        self, inputs: Mapping[str, Group], outputs: Mapping[str, Group], clock_pin: str
    ) -> tuple[Arc, ...]:
        """Every way that has tables. The transitions of gates are for ABC, which stops without them."""
        lines: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for name, pin in outputs.items():
            for timing in pin.groups("timing"):
                if any(timing.groups(*DELAYS)) and (clock_pin or any(timing.groups(*TRANSITIONS))):
                    for related in timing.text("related_pin").split():
                        lines.setdefault((related, name), []).append(self._tables.line(timing))
            needed = [clock_pin] if clock_pin else _support(pin.text("function"), tuple(inputs))
            for related in needed:
                if (related, name) not in lines:
                    raise _LeftOut(f"has no tables of delay and transition from {related} to {name}")
        return tuple(
            Arc(first, last, mean(f[0] for f in fits), mean(f[1] for f in fits))
            for (first, last), fits in lines.items()
            if first in inputs
        )

    def _setup_s(self, inputs: Mapping[str, Group]) -> float:
        setups = [
            self._tables.constraint_s(table)
            for pin in inputs.values()
            for timing in pin.groups("timing")
            if timing.text("timing_type").startswith("setup")
            for table in timing.groups(*CONSTRAINTS)
        ]
        if not setups:
            raise _LeftOut("has no setup time")
        return mean(setups)


def _usable(group: Group, inputs: Mapping[str, Group], outputs: Mapping[str, Group]) -> float:
    """The area of a cell that has one, is no special cell, and whose outputs are functions of its inputs."""
    expected = ("dont_use", "statetable") if group.text(_CLOCK_GATE) else ()
    marks = {mark: why for mark, why in _MARKS.items() if group.text(mark, "false") not in ("false", "none")}
    marks |= {each.kind: _GROUPS[each.kind] for each in group.groups(*_GROUPS)}
    special = [why for mark, why in marks.items() if mark not in expected]
    if special:
        raise _LeftOut(special[0])
    area_um2 = group.number("area")
    if area_um2 is None or area_um2 <= 0:
        raise _LeftOut("states no area")
    if not inputs or not outputs or _pins(group, "inout"):
        raise _LeftOut("has no inputs, no outputs or a pin that is both")
    if any(pin.text("three_state") for pin in outputs.values()):
        raise _LeftOut("is a tri-state")
    return area_um2


@dataclass(frozen=True)
class _State:
    """What a cell keeps, and how its outputs follow; a gate keeps nothing."""

    kind: CellKind
    functions: Mapping[str, str]
    clock_pin: str = ""
    following: str = ""
    names: tuple[str, ...] = ()
    has_reset: bool = False


def _state(group: Group, inputs: Mapping[str, Group], outputs: Mapping[str, Group]) -> _State:
    """What kind of cell it is. Raises _LeftOut for a flop, latch or clock gate that no engine can use."""
    if group.text(_CLOCK_GATE):
        return _clock_gate(group, inputs, outputs)
    kept = next(group.groups("ff", "latch"), None)
    names = () if kept is None else tuple(argument.strip('"') for argument in kept.arguments)
    pins = tuple(inputs)
    functions = {name: _function(name, pin, pins, names) for name, pin in outputs.items()}
    if kept is None:
        return _State("gate", functions)
    has_reset = bool(kept.text("clear") or kept.text("preset"))
    if kept.kind == "ff":
        clock_pin = _clock_pin(kept.text("clocked_on"), pins)
        return _State("flop", functions, clock_pin, kept.text("next_state"), names, has_reset)
    enable, data = kept.text("enable"), kept.text("data_in")
    if has_reset or enable not in pins or _table(data, pins) is None:
        raise _LeftOut("is a latch that is not simply open while one pin is high")
    return _State("latch", functions, enable, data, names)


def _clock_gate(group: Group, inputs: Mapping[str, Group], outputs: Mapping[str, Group]) -> _State:
    """A clock gate of the rising edge with one enable and no pin for a test."""
    clocks = [name for name, pin in inputs.items() if pin.text("clock_gate_clock_pin") == "true"]
    enables = [name for name, pin in inputs.items() if pin.text("clock_gate_enable_pin") == "true"]
    if group.text(_CLOCK_GATE).strip('"') != "latch_posedge" or (
        len(clocks),
        len(enables),
        len(inputs),
        len(outputs),
    ) != (1, 1, 2, 1):
        raise _LeftOut("is a clock gate of another kind than latch_posedge with one enable")
    return _State("clock gate", dict.fromkeys(outputs, f"{clocks[0]} & {enables[0]}"), clocks[0])


def _clock_pin(clocked_on: str, inputs: tuple[str, ...]) -> str:
    """The pin at whose rising edge a flop takes data over; the engines have no other edge."""
    pins = [] if _table(clocked_on, inputs) is None else _support(clocked_on, inputs)
    if len(pins) != 1:
        raise _LeftOut("has no single clock pin")
    if _table(clocked_on, inputs) != _table(pins[0], inputs):
        raise _LeftOut("works at the falling edge")
    return pins[0]


def _function(name: str, pin: Group, inputs: tuple[str, ...], states: tuple[str, ...]) -> str:
    """The Liberty text of what an output shows; of a flop the name of its state or of the inverse of that."""
    function = pin.text("function")
    table = _table(function, states or inputs)
    if table is None:
        raise _LeftOut(f"has no known function at {name}")
    if not states:
        return function
    # Rows 1 and 2 are those in which the second name is the inverse of the first.
    shown = {(True, False): states[0], (False, True): states[-1]}.get((table[1], table[-2]))
    if shown is None:
        raise _LeftOut(f"shows something else than its state at {name}")
    return shown


def _pins(group: Group, direction: str) -> dict[str, Group]:
    """The pins of one direction by name; a group may name several."""
    return {
        name.strip('"'): pin
        for pin in group.groups("pin")
        if pin.text("direction") == direction
        for name in pin.arguments
    }


def _table(function: str, inputs: tuple[str, ...]) -> tuple[bool, ...] | None:
    """The truth table of a function; None for a text that is none."""
    try:
        return truth_table(function, inputs)
    except Refusal:
        return None


def _support(function: str, inputs: tuple[str, ...]) -> list[str]:
    """The inputs on which a function depends."""
    table = truth_table(function, inputs)
    return [
        name
        for place, name in enumerate(inputs)
        if any(table[row] != table[row ^ 1 << place] for row in range(len(table)))
    ]
