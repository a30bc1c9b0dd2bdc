"""A flat mapped netlist as Verilog that any event simulator runs, with the functions of its cells and, where
wanted, their delays. The bit-parallel evaluation is checked against it, and glitches come from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from archsim.netlist.netlist import CONSTANTS, Memory, Netlist, Nets
from archsim.netlist.timing import net_loads
from archsim.technology.liberty.boolean import evaluate
from archsim.technology.liberty.cell_library import Arc, Cell, CellLibrary
from archsim.technology.memories.flop_memory import Wiring


@dataclass(frozen=True)
class _Text:
    """A Boolean expression as Verilog text."""

    text: str

    def __and__(self, other: _Text) -> _Text:
        return _Text(f"({self.text} & {other.text})")

    def __or__(self, other: _Text) -> _Text:
        return _Text(f"({self.text} | {other.text})")

    def __xor__(self, other: _Text) -> _Text:
        return _Text(f"({self.text} ^ {other.text})")


_ONE = _Text("1'b1")


def netlist_verilog(netlist: Netlist, library: CellLibrary, *, delays: Wiring | None = None) -> str:
    """The netlist as one module of its name. Net k is the wire `nk`.

    Without `delays` gates take no time. With the wires of a technology each output follows its inputs after
    the cell's delay at the net's load, rounded to picoseconds, and pulses shorter than that are swallowed
    (inertial delay); memories answer at once. Registers start at zero, as in the described hardware.
    """
    return "\n".join(_lines(netlist, library, delays)) + "\n"


def _lines(netlist: Netlist, library: CellLibrary, delays: Wiring | None) -> Iterator[str]:
    load = None if delays is None else net_loads(netlist, library, delays)[0]
    yield "`timescale 1ps/1ps"
    yield f"module {netlist.name} (" + ", ".join(netlist.ports) + ");"
    for name, port in netlist.ports.items():
        yield f"  {port.direction} [{len(port.nets) - 1}:0] {name};"
    for net in range(CONSTANTS, netlist.nets):
        yield f"  wire n{net};"
    for name, port in netlist.ports.items():
        nets = "{" + ", ".join(_net(net) for net in reversed(port.nets.tolist())) + "}"
        yield f"  assign {nets} = {name};" if port.direction == "input" else f"  assign {name} = {nets};"
    for type_name in netlist.count():
        cell = library.cells[type_name]
        for index in netlist.cells_of(type_name).tolist():
            row = netlist.pin_table[index]
            pins = {pin: int(row[place]) for place, pin in enumerate(netlist.pin_names) if row[place] >= 0}
            delay = {
                pin: ""
                if load is None
                else f" #{round(1e12 * max(a.intrinsic_s + a.slope_s_per_f * load[pins[pin]] for a in arcs))}"
                for pin, arcs in _arcs_into(cell).items()
                if pin in pins
            }
            yield from _WRITTEN[cell.kind](cell, index, pins, delay)
    for number, memory in enumerate(netlist.memories):
        yield from _memory(memory, number)
    yield "endmodule"


def _arcs_into(cell: Cell) -> Mapping[str, list[Arc]]:
    return {pin: [arc for arc in cell.arcs if arc.output == pin] for pin in cell.functions}


def _net(net: int) -> str:
    return f"1'b{net}" if net < CONSTANTS else f"n{net}"


def _gate(cell: Cell, index: int, pins: Mapping[str, int], delay: Mapping[str, str]) -> Iterator[str]:
    columns = {pin: _Text(_net(pins[pin])) for pin in cell.input_capacitance_f}
    for pin, function in cell.functions.items():
        if pins.get(pin, -1) >= CONSTANTS:
            yield f"  assign{delay[pin]} n{pins[pin]} = {evaluate(function, columns, _ONE).text};"


def _flop(cell: Cell, index: int, pins: Mapping[str, int], delay: Mapping[str, str]) -> Iterator[str]:
    """A flop takes over at the rising edge, a latch while its enable is high."""
    state = f"q{index}"
    columns = {pin: _Text(_net(pins[pin])) for pin in cell.input_capacitance_f}
    columns |= {cell.state_names[0]: _Text(state), cell.state_names[1]: _Text(f"~{state}")}
    following = evaluate(cell.next_state, columns, _ONE).text
    yield f"  reg {state} = 0;"
    clock = _net(pins[cell.clock_pin])
    if cell.is_flop:
        yield f"  always @(posedge {clock}) {state} <= {following};"
    else:
        yield f"  always @* if ({clock}) {state} = {following};"
    for pin, function in cell.functions.items():
        if pins.get(pin, -1) >= CONSTANTS:
            yield f"  assign{delay[pin]} n{pins[pin]} = {evaluate(function, columns, _ONE).text};"


def _clock_gate(cell: Cell, index: int, pins: Mapping[str, int], delay: Mapping[str, str]) -> Iterator[str]:
    """A clock gate; its pulses come with those of the clock, as in the timing model."""
    state, (output,) = f"q{index}", cell.functions
    if pins.get(output, -1) >= CONSTANTS:
        clock, enable = _net(pins[cell.clock_pin]), _net(pins[cell.enable_pin])
        yield f"  reg {state} = 0;"
        yield f"  always @* if (!{clock}) {state} = {enable};"
        yield f"  assign n{pins[output]} = {clock} & {state};"


_WRITTEN = {"gate": _gate, "flop": _flop, "latch": _flop, "clock gate": _clock_gate}


def _memory(memory: Memory, number: int) -> Iterator[str]:
    name = f"m{number}"
    yield f"  reg [{memory.word_bits - 1}:0] {name} [0:{memory.words - 1}];"
    yield f"  integer {name}_i;"
    yield (
        f"  initial for ({name}_i = 0; {name}_i < {memory.words}; {name}_i = {name}_i + 1) "
        f"{name}[{name}_i] = 0;"
    )
    for place, port in enumerate(memory.reads):
        data = f"{name}_r{place}"
        yield f"  reg [{memory.word_bits - 1}:0] {data} = 0;"
        yield (
            f"  always @(posedge {_net(memory.clock)}) if ({_net(int(port.enable[0]))}) "
            f"{data} <= {name}[{_bus(port.address)}];"
        )
        for bit, net in enumerate(port.data.tolist()):
            if net >= CONSTANTS:
                yield f"  assign n{net} = {data}[{bit}];"
    for write in memory.writes:
        word = f"{name}[{_bus(write.address)}]"
        for enable in np.unique(write.enable).tolist():
            bits = np.flatnonzero(write.enable == enable).tolist()
            written = f"{word} <= {_bus(write.data)};"
            if len(bits) < memory.word_bits:
                written = " ".join(f"{word}[{bit}] <= {_net(int(write.data[bit]))};" for bit in bits)
            yield f"  always @(posedge {_net(memory.clock)}) if ({_net(enable)}) begin {written} end"


def _bus(nets: Nets) -> str:
    return "{" + ", ".join(_net(net) for net in reversed(nets.tolist())) + "}"
