"""The figures of one standard cell, from its group of a Liberty file: area, pins, delay, energy, leakage.

A foundry's library and the project's own go through the same model (`archsim.technology.liberty.tables`). A
cell of which a figure is missing is left out and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from archsim.technology.liberty.boolean import support, truth_table
from archsim.technology.liberty.cell_library import Arc, Cell, CellKind
from archsim.technology.liberty.tables import CONSTRAINTS, DELAYS, TRANSITIONS, Tables, mean
from archsim.technology.liberty.text import Group, unquoted
from workloads.refusal import Refusal

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


class LeftOut(Exception):
    """Why a cell cannot be used."""


class CellReader:
    """Reads cell after cell of one library; `without_power` collects those priced without some power."""

    def __init__(self, library: Group, *, load_f: float, zero_power: bool = False) -> None:
        self.tables = Tables(library)
        self._default_leakage = library.number("default_cell_leakage_power")
        self._default_capacitance = library.number("default_input_pin_cap")
        self._zero_power, self._load_f = zero_power, load_f
        self.without_power: dict[str, None] = {}

    def nand2(self, group: Group) -> tuple[float, float] | None:
        """Area and input capacitance (F) of a cell, where it is a two-input NAND."""
        with suppress(LeftOut):
            inputs, outputs = pins(group, "input"), pins(group, "output")
            area, functions = group.number("area") or 0.0, [pin.text("function") for pin in outputs.values()]
            if area <= 0 or len(inputs) != 2 or len(outputs) != 1 or any(group.groups(*_GROUPS, "ff")):
                return None
            if _table(functions[0], tuple(inputs)) == (True, True, True, False):
                return area, mean([self._capacitance_f(pin) for pin in inputs.values()])
        return None

    def cell(self, group: Group) -> Cell:
        """The figures of a cell. Raises LeftOut with what makes it unusable."""
        inputs, outputs = pins(group, "input"), pins(group, "output")
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
            clear=state.clear,
            preset=state.preset,
            kind=state.kind,
        )

    def _capacitance_f(self, pin: Group) -> float:
        stated = pin.number("capacitance")
        stated = self._default_capacitance if stated is None else stated
        if stated is None or stated < 0:
            raise LeftOut(f"states no capacitance at {pin.name}")
        return stated * self.tables.capacitance

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
        energy_j = self.tables.energy_j(powers, self._load_f)
        return self._no_power(group, f"has no internal_power at {pin}") if energy_j is None else energy_j

    def _no_power(self, group: Group, reason: str) -> float:
        if not self._zero_power:
            raise LeftOut(f"{reason} (missing_power: zero would count it as none)")
        self.without_power[group.name] = None
        return 0.0

    def _leakage_w(self, group: Group) -> float:
        """The cell's stated leakage, else that of its supply pins and states, else the library's default."""
        stated = group.number("cell_leakage_power")
        by_state_w = self.tables.leakage_w(group.groups("leakage_power")) if stated is None else None
        if by_state_w is not None:
            return by_state_w
        stated = self._default_leakage if stated is None else stated
        return self._no_power(group, "states no leakage") if stated is None else stated * self.tables.leakage

    def _arcs(
        self, inputs: Mapping[str, Group], outputs: Mapping[str, Group], clock_pin: str
    ) -> tuple[Arc, ...]:
        """Every way that has tables."""
        lines: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for name, pin in outputs.items():
            timed = list(timings(pin, sequential=bool(clock_pin)))
            for timing in timed:
                for related in timing.text("related_pin").split():
                    lines.setdefault((related, name), []).append(self.tables.line(timing))
            needed = [clock_pin] if clock_pin else support(pin.text("function"), tuple(inputs))
            for related in needed:
                if (related, name) not in lines:
                    unrelated = any(not timing.text("related_pin") for timing in timed)
                    why = ", but a timing group without related_pin" if unrelated else ""
                    raise LeftOut(f"has no tables of delay and transition from {related} to {name}{why}")
        return tuple(
            Arc(first, last, mean(f[0] for f in fits), mean(f[1] for f in fits))
            for (first, last), fits in lines.items()
            if first in inputs
        )

    def _setup_s(self, inputs: Mapping[str, Group]) -> float:
        setups = [
            self.tables.constraint_s(table)
            for pin in inputs.values()
            for timing in pin.groups("timing")
            if timing.text("timing_type").startswith("setup")
            for table in timing.groups(*CONSTRAINTS)
        ]
        if not setups:
            raise LeftOut("has no setup time")
        return mean(setups)


def _usable(group: Group, inputs: Mapping[str, Group], outputs: Mapping[str, Group]) -> float:
    """The area of a cell that has one, is no special cell, and whose outputs are functions of its inputs."""
    expected = ("dont_use", "statetable") if group.text(_CLOCK_GATE) else ()
    marks = {mark: why for mark, why in _MARKS.items() if group.text(mark, "false") not in ("false", "none")}
    marks |= {each.kind: _GROUPS[each.kind] for each in group.groups(*_GROUPS)}
    special = [why for mark, why in marks.items() if mark not in expected]
    if special:
        raise LeftOut(special[0])
    area_um2 = group.number("area")
    if area_um2 is None or area_um2 <= 0:
        raise LeftOut("states no area")
    if not inputs or not outputs or pins(group, "inout"):
        raise LeftOut("has no inputs, no outputs or a pin that is both")
    if any(pin.text("three_state") for pin in outputs.values()):
        raise LeftOut("is a tri-state")
    return area_um2


@dataclass(frozen=True)
class _State:
    """What a cell keeps, and how its outputs follow; a gate keeps nothing."""

    kind: CellKind
    functions: Mapping[str, str]
    clock_pin: str = ""
    following: str = ""
    names: tuple[str, ...] = ()
    clear: str = ""
    preset: str = ""


def _state(group: Group, inputs: Mapping[str, Group], outputs: Mapping[str, Group]) -> _State:
    """What kind of cell it is. Raises LeftOut for a flop, latch or clock gate that no engine can use."""
    if group.text(_CLOCK_GATE):
        return _clock_gate(group, inputs, outputs)
    kept = next(group.groups("ff", "latch"), None)
    names = () if kept is None else tuple(map(unquoted, kept.arguments))
    names_of_pins = tuple(inputs)
    functions = {name: _function(name, pin, names_of_pins, names) for name, pin in outputs.items()}
    if kept is None:
        return _State("gate", functions)
    resets = kept.text("clear"), kept.text("preset")
    if kept.kind == "ff":
        clock_pin = _clock_pin(kept.text("clocked_on"), names_of_pins)
        if _table(kept.text("next_state"), (*names_of_pins, *names)) is None:
            raise LeftOut("takes over what is no known function")
        if any(_table(reset, names_of_pins) is None for reset in resets if reset):
            raise LeftOut("is set or reset by what is no known function")
        return _State("flop", functions, clock_pin, kept.text("next_state"), names, *resets)
    enable, data = kept.text("enable"), kept.text("data_in")
    if any(resets) or enable not in names_of_pins or _table(data, names_of_pins) is None:
        raise LeftOut("is a latch that is not simply open while one pin is high")
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
        raise LeftOut("is a clock gate of another kind than latch_posedge with one enable")
    return _State("clock gate", dict.fromkeys(outputs, f"{clocks[0]} & {enables[0]}"), clocks[0])


def _clock_pin(clocked_on: str, inputs: tuple[str, ...]) -> str:
    """The pin at whose rising edge a flop takes data over; the engines have no other edge."""
    clocks = [] if _table(clocked_on, inputs) is None else support(clocked_on, inputs)
    if len(clocks) != 1:
        raise LeftOut("has no single clock pin")
    if _table(clocked_on, inputs) != _table(clocks[0], inputs):
        raise LeftOut("works at the falling edge")
    return clocks[0]


def _function(name: str, pin: Group, inputs: tuple[str, ...], states: tuple[str, ...]) -> str:
    """The Liberty text of what an output shows; of a flop the name of its state or of the inverse of that."""
    function = pin.text("function")
    table = _table(function, states or inputs)
    if table is None:
        raise LeftOut(f"has no known function at {name}")
    if not states:
        return function
    # Rows 1 and 2 are those in which the second name is the inverse of the first.
    shown = {(True, False): states[0], (False, True): states[-1]}.get((table[1], table[-2]))
    if shown is None:
        raise LeftOut(f"shows something else than its state at {name}")
    return shown


def pins(group: Group, direction: str) -> dict[str, Group]:
    """The pins of one direction by name; a group may name several. Raises LeftOut for one that is there
    twice."""
    named: dict[str, Group] = {}
    every = [(unquoted(name), pin) for pin in group.groups("pin") for name in pin.arguments]
    for name, pin in every:
        if sum(name == other for other, _ in every) > 1:
            raise LeftOut(f"has two pins called {name}")
        if pin.text("direction") == direction:
            named[name] = pin
    return named


def timings(pin: Group, *, sequential: bool) -> Iterator[Group]:
    """The timing groups of an output that tell delays. The transitions of gates are for ABC, which stops
    without them."""
    for timing in pin.groups("timing"):
        if any(timing.groups(*DELAYS)) and (sequential or any(timing.groups(*TRANSITIONS))):
            yield timing


def _table(function: str, inputs: tuple[str, ...]) -> tuple[bool, ...] | None:
    """The truth table of a function; None for a text that is none."""
    try:
        return truth_table(function, inputs)
    except Refusal:
        return None
