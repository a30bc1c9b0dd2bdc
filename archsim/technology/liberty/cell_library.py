"""A standard cell as this project sees it, and the library of them: area, pins, delay, energy, leakage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from archsim.technology.liberty.boolean import support, truth_table
from archsim.technology.liberty.text import LibertyError
from workloads.refusal import Refusal

CellKind = Literal["gate", "flop", "latch", "clock gate"]


@dataclass(frozen=True)
class Arc:
    """A way from an input pin to an output pin: delay = `intrinsic_s` + `slope_s_per_f` x load in farad."""

    input: str
    output: str
    intrinsic_s: float
    slope_s_per_f: float


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One standard cell.

    `input_capacitance_f` is by input pin, `functions` (Liberty text) and `switch_energy_j` (internal
    energy per output transition, without the load) by output pin. `clock_pin` is empty for a gate;
    `clock_edge_energy_j` is the internal energy of one clock edge with the data still. `next_state` is
    the Liberty text of what a flop takes over; there, and in `functions`, its state and the inverse of it
    have the two `state_names`. `clear` and `preset` are the Liberty texts of when an asynchronous input sets
    its state; pins that did so and are held at a level for ever are in `tied`, and nowhere else. A `latch`
    takes its data over while its `clock_pin` is high. A `clock_gate` lets the pulses of its clock through
    whose cycle before ended with its other input high; it has no state names.
    """

    name: str
    area_um2: float
    leakage_w: float
    input_capacitance_f: Mapping[str, float]
    functions: Mapping[str, str]
    switch_energy_j: Mapping[str, float]
    arcs: tuple[Arc, ...]
    clock_pin: str = ""
    clock_edge_energy_j: float = 0.0
    setup_s: float = 0.0
    next_state: str = ""
    state_names: tuple[str, ...] = ()
    clear: str = ""
    preset: str = ""
    tied: Mapping[str, bool] = field(default_factory=dict)
    kind: CellKind = "gate"

    @property
    def is_gate(self) -> bool:
        """Whether its outputs are functions of its inputs."""
        return self.kind == "gate"

    @property
    def is_flop(self) -> bool:
        return self.kind == "flop"

    @property
    def enable_pin(self) -> str:
        """The pin that opens a clock gate."""
        (enable,) = (pin for pin in self.input_capacitance_f if pin != self.clock_pin)
        return enable

    @property
    def takes_data(self) -> bool:
        """Whether it is a flop that takes its one data pin over at every edge, as it is or inverted."""
        return self._takes_over(1, ((False, True), (True, False)))

    @property
    def holds(self) -> bool:
        """Whether it is a flop that an enable pin, of either polarity, makes take data over or keep its
        state."""
        return self._takes_over(2, _enabled_tables())

    def without_reset(self) -> Cell:
        """The cell with what sets its state held at the level at which it does not, where that is one pin for
        each, which does nothing else; else the cell as it is."""
        inputs = tuple(self.input_capacitance_f)
        levels: dict[str, bool] = {}
        for reset in filter(None, (self.clear, self.preset)):
            try:
                pins, used = support(reset, inputs), support(self.next_state, (*inputs, *self.state_names))
            except Refusal:
                return self
            if len(pins) != 1 or pins[0] in (*used, self.clock_pin):
                return self
            levels[pins[0]] = truth_table(reset, pins)[0]
        return replace(
            self,
            input_capacitance_f={p: c for p, c in self.input_capacitance_f.items() if p not in levels},
            arcs=tuple(arc for arc in self.arcs if arc.input not in levels),
            clear="",
            preset="",
            tied=levels,
        )

    def _takes_over(self, pins: int, tables: tuple[tuple[bool, ...], ...]) -> bool:
        data = tuple(pin for pin in self.input_capacitance_f if pin != self.clock_pin)
        if not self.is_flop or self.clear or self.preset or len(data) != pins:
            return False
        names = (*data, *self.state_names[:1]) if pins > 1 else data
        try:
            return truth_table(self.next_state, names) in tables
        except Refusal:
            return False


@dataclass(frozen=True)
class Adder:
    """A cell that adds its two or three `inputs`: the names of its pins."""

    cell: Cell
    inputs: tuple[str, ...]
    sum: str
    carry: str


def _enabled_tables() -> tuple[tuple[bool, ...], ...]:
    """The truth tables over (pin, pin, state) of a flop with enable, whichever pin enables at whichever
    level."""
    return tuple(
        tuple(
            bool((row >> 1 - enable & 1) if (row >> enable & 1) == level else (row >> 2 & 1))
            for row in range(8)
        )
        for enable in (0, 1)
        for level in (0, 1)
    )


@dataclass(frozen=True, kw_only=True)
class CellLibrary:
    """The cells of a library, its text for Yosys and its supply.

    `left_out` says of every cell that cannot be used why not; `without_power` names the cells whose missing
    internal energy or leakage counts as zero.
    """

    name: str
    text: str = field(repr=False)
    supply_v: float
    cells: Mapping[str, Cell]
    left_out: Mapping[str, str] = field(default_factory=dict, repr=False)
    without_power: tuple[str, ...] = ()

    def gate(self, function: str, inputs: tuple[str, ...]) -> Cell:
        """The smallest gate with this function, whatever its pins are called; LibertyError where there
        is none."""
        wanted = truth_table(function, inputs)
        if len(inputs) not in self._gates:
            self._gates[len(inputs)] = self._gates_of(len(inputs))
        return self._smallest(self._gates[len(inputs)].get(wanted, []), f"gate {function!r}")

    @cached_property
    def _gates(self) -> dict[int, Mapping[tuple[bool, ...], list[Cell]]]:
        """The gates by how many inputs they have and by their truth table, as far as anybody asked."""
        return {}

    def _gates_of(self, inputs: int) -> Mapping[tuple[bool, ...], list[Cell]]:
        """The gates of one output and so many inputs, by their truth table."""
        gates: dict[tuple[bool, ...], list[Cell]] = {}
        for cell in self.cells.values():
            pins = tuple(cell.input_capacitance_f)
            if cell.is_gate and len(cell.functions) == 1 and len(pins) == inputs:
                (function,) = cell.functions.values()
                gates.setdefault(truth_table(function, pins), []).append(cell)
        return gates

    def flop(self, *, enable: bool) -> Cell:
        """The smallest flop without set or reset, with or without an enable pin; LibertyError without one."""
        what = "flop with enable" if enable else "flop without enable, set or reset"
        return self._smallest(self._flops[enable], what)

    @cached_property
    def _flops(self) -> tuple[list[Cell], list[Cell]]:
        """The flops without set or reset: those without an enable pin, and those with one."""
        cells = self.cells.values()
        return [cell for cell in cells if cell.takes_data], [cell for cell in cells if cell.holds]

    @property
    def tied(self) -> tuple[str, ...]:
        """The flops whose resets are held at rest, which a library has where it has none without."""
        return tuple(name for name, cell in self.cells.items() if cell.tied)

    @cached_property
    def full_adder(self) -> Adder | None:
        """The smallest cell that adds three bits, None where there is none."""
        return self._adder(3)

    @cached_property
    def half_adder(self) -> Adder | None:
        """The smallest cell that adds two bits, None where there is none."""
        return self._adder(2)

    def _adder(self, bits: int) -> Adder | None:
        ones = [row.bit_count() for row in range(1 << bits)]
        tables = tuple(bool(count & 1) for count in ones), tuple(count > 1 for count in ones)
        fitting = []
        for cell in self.cells.values():
            inputs = tuple(cell.input_capacitance_f)
            if not cell.is_gate or len(inputs) != bits or len(cell.functions) != 2:
                continue
            pins = {truth_table(function, inputs): pin for pin, function in cell.functions.items()}
            if pins.keys() == set(tables):
                fitting.append(Adder(cell, inputs, *(pins[table] for table in tables)))
        return min(fitting, key=lambda adder: adder.cell.area_um2, default=None)

    @cached_property
    def clock_gate(self) -> Cell | None:
        """The smallest clock gate; None where the library has none."""
        gates = [cell for cell in self.cells.values() if cell.kind == "clock gate"]
        return min(gates, key=lambda cell: cell.area_um2, default=None)

    def _smallest(self, fitting: list[Cell], what: str) -> Cell:
        if fitting:
            return min(fitting, key=lambda cell: cell.area_um2)
        reasons = [f"{name} {why}" for name, why in self.left_out.items()]
        more = f", and {len(reasons) - 3} more" if len(reasons) > 3 else ""
        unused = f"; not used: {'; '.join(reasons[:3])}{more}" if reasons else ""
        raise LibertyError(f"library {self.name}: it has no {what}, allowed is a library with one{unused}")

    @cached_property
    def nand2(self) -> Cell:
        return self.gate("!(A&B)", ("A", "B"))

    @cached_property
    def buffer(self) -> Cell:
        return self.gate("A", ("A",))

    @property
    def gate_equivalent_um2(self) -> float:
        """Area of the smallest two-input NAND, which is what one gate equivalent means."""
        return self.nand2.area_um2
