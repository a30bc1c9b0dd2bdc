"""A flat mapped netlist as Verilog that any event simulator runs, with the functions of its cells and, where
wanted, their delays. The bit-parallel evaluation and the event simulation are checked against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from archsim.netlist.event_simulation import EventNetwork
from archsim.netlist.netlist import CONSTANTS, Memory, Netlist, Nets
from archsim.technology.liberty.boolean import evaluate, truth_table
from archsim.technology.liberty.cell_library import Cell, CellLibrary


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


def netlist_verilog(netlist: Netlist, library: CellLibrary, *, delays: EventNetwork | None = None) -> str:
    """The netlist as one module of its name. Net k is the wire `nk`.

    Without `delays` gates take no time. With them a unit of time is one step of theirs, and every net follows
    as the event simulation has it: pulses shorter than the delay are swallowed (inertial delay), and a gate
    is a table of its function, since the operators of an expression follow a change one after the other.
    Registers start at zero, as in the described hardware.
    """
    return "\n".join(_lines(netlist, library, delays)) + "\n"


def _lines(netlist: Netlist, library: CellLibrary, delays: EventNetwork | None) -> Iterator[str]:
    after = {} if delays is None else {net: f" #{delay}" for net, delay in enumerate(delays.delays.tolist())}
    late = {} if delays is None else _late_pins(netlist, delays)
    yield "`timescale 1ps/1ps"
    yield f"module {netlist.name} (" + ", ".join(netlist.ports) + ");"
    for name, port in netlist.ports.items():
        yield f"  {port.direction} [{len(port.nets) - 1}:0] {name};"
    for net in range(CONSTANTS, netlist.nets):
        yield f"  wire n{net};"
    for name, port in netlist.ports.items():
        nets = "{" + ", ".join(_net(net) for net in reversed(port.nets.tolist())) + "}"
        yield f"  assign {nets} = {name};" if port.direction == "input" else f"  assign {name} = {nets};"
    for name, table in {} if delays is None else _tables(netlist, library):
        yield f"  wire [{len(table) - 1}:0] {name} = {len(table)}'b{table};"
    for net, source in late.values():
        yield f"  wire n{net}; assign{after[net]} n{net} = {_net(source)};"
    for type_name in netlist.count():
        cell = library.cells[type_name]
        for index in netlist.cells_of(type_name).tolist():
            row = netlist.pin_table[index]
            pins = {pin: int(row[place]) for place, pin in enumerate(netlist.pin_names) if row[place] >= 0}
            match cell.kind:
                case "gate":
                    yield from _gate(cell, pins, after, late)
                case "clock gate":
                    yield from _clock_gate(cell, index, pins)
                case _:
                    yield from _flop(cell, index, pins, after)
    for number, memory in enumerate(netlist.memories):
        yield from _memory(memory, number, after)
    yield "endmodule"


def _tables(netlist: Netlist, library: CellLibrary) -> Iterator[tuple[str, str]]:
    """The name and the bits, that of the last row first, of the table of each output of a gate."""
    for cell in (library.cells[name] for name in netlist.count()):
        for pin, function in () if cell.is_flop else cell.functions.items():
            rows = truth_table(function, tuple(cell.input_capacitance_f))
            yield f"{cell.name}_{pin}", "".join(str(int(high)) for high in reversed(rows))


def _late_pins(netlist: Netlist, delays: EventNetwork) -> dict[tuple[int, int], tuple[int, int]]:
    """For each net that a gate drives, and the number of an input that reaches it late: the net that does,
    and the one it comes from."""
    edges = list(zip(delays.from_nets.tolist(), delays.to_nets.tolist(), delays.places.tolist(), strict=True))
    behind = {to: source for source, to, _ in edges if to >= netlist.nets}
    return {(to, place): (net, behind[net]) for net, to, place in edges if net >= netlist.nets}


def _net(net: int) -> str:
    return f"1'b{net}" if net < CONSTANTS else f"n{net}"


def _gate(
    cell: Cell,
    pins: Mapping[str, int],
    after: Mapping[int, str],
    late: Mapping[tuple[int, int], tuple[int, int]],
) -> Iterator[str]:
    for pin, function in cell.functions.items():
        if (out := pins.get(pin, -1)) >= CONSTANTS:
            columns = {
                name: _Text(_net(late[out, place][0] if (out, place) in late else pins[name]))
                for place, name in enumerate(cell.input_capacitance_f)
            }
            if after:
                row = ", ".join(column.text for column in reversed(columns.values()))
                yield f"  assign{after[out]} n{out} = {cell.name}_{pin}[{{{row}}}];"
            else:
                yield f"  assign n{out} = {evaluate(function, columns, _ONE).text};"


def _flop(cell: Cell, index: int, pins: Mapping[str, int], after: Mapping[int, str]) -> Iterator[str]:
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
        if (out := pins.get(pin, -1)) >= CONSTANTS:
            yield f"  assign{after.get(out, '')} n{out} = {evaluate(function, columns, _ONE).text};"


def _clock_gate(cell: Cell, index: int, pins: Mapping[str, int]) -> Iterator[str]:
    """A clock gate; its pulses come with those of the clock, as in the timing model."""
    state, (output,) = f"q{index}", cell.functions
    if pins.get(output, -1) >= CONSTANTS:
        clock, enable = _net(pins[cell.clock_pin]), _net(pins[cell.enable_pin])
        yield f"  reg {state} = 0;"
        yield f"  always @* if (!{clock}) {state} = {enable};"
        yield f"  assign n{pins[output]} = {clock} & {state};"


def _memory(memory: Memory, number: int, after: Mapping[int, str]) -> Iterator[str]:
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
                yield f"  assign{after.get(net, '')} n{net} = {data}[{bit}];"
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
