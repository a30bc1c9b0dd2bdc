"""Asks OpenSTA for the critical path of a flat mapped netlist, memories and buffer trees included."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from archsim.netlist.netlist import CONSTANTS, Memory, Netlist
from archsim.netlist.timing import MemoryTiming, design_loads
from archsim.technology import CellLibrary, Wiring

PERIOD_NS = 1000.0


def critical_path_s(
    netlist: Netlist,
    *,
    library: CellLibrary,
    wiring: Wiring,
    memory: Callable[[Memory], MemoryTiming],
    clock: str,
    folder: Path,
) -> float:
    """What OpenSTA finds with the same Liberty file, a wire load of the same capacitance a sink, and each
    memory as a macro of the same access time, drive, setup and pin capacitance. Behind a net of more sinks
    than `max_fanout` stands a tree of buffers. Inputs arrive at the clock edge."""
    inputs = [name for name, port in netlist.ports.items() if port.direction == "input" and name != clock]
    constraints = (
        f"create_clock -name clock -period {PERIOD_NS} [get_ports {clock}]\n"
        f"set_input_delay 0 -clock clock [get_ports {{{' '.join(inputs)}}}]\n"
        "set_output_delay 0 -clock clock [all_outputs]\n"
    )
    slack_ns = worst_slack_ns(
        netlist, library=library, wiring=wiring, memory=memory, constraints=constraints, folder=folder
    )
    return (PERIOD_NS - slack_ns) * 1e-9


def worst_slack_ns(
    netlist: Netlist,
    *,
    library: CellLibrary,
    wiring: Wiring,
    memory: Callable[[Memory], MemoryTiming],
    constraints: str,
    folder: Path,
) -> float:
    """The least slack that OpenSTA finds with these constraints, of which it says nothing; see
    `critical_path_s`."""
    macros = [_macro(k, each, memory(each), library, wiring) for k, each in enumerate(netlist.memories)]
    text = library.text.rstrip().removesuffix("}") + _wire_load(wiring) + "\n".join(macros) + "\n}\n"
    (folder / "cells.lib").write_text(text, encoding="utf-8")
    (folder / "netlist.v").write_text("\n".join(_verilog(netlist, library, wiring)) + "\n", encoding="utf-8")
    (folder / "constraints.sdc").write_text(constraints, encoding="utf-8")
    (folder / "sta.tcl").write_text(
        "read_liberty cells.lib\nread_verilog netlist.v\n"
        f"link_design {netlist.name}\nset_wire_load_mode top\nset_wire_load_model -name per_sink\n"
        "read_sdc constraints.sdc\nreport_worst_slack -digits 6\nexit\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        ["sta", "-no_splash", "-exit", "sta.tcl"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    said = done.stdout + done.stderr
    assert "Error" not in said, said
    assert "Warning" not in said, said
    return float(said.split("worst slack")[1].split()[0])


def _wire_load(wiring: Wiring) -> str:
    """A wire as long as its net has sinks, of so many picofarad a unit of length."""
    each_pf = wiring.capacitance_f_per_sink * 1e12
    return (
        f'wire_load ("per_sink") {{ resistance : 0; capacitance : {each_pf:.9g}; '
        "area : 0; slope : 1; fanout_length (1, 1); }\n"
    )


def _macro(number: int, memory: Memory, times: MemoryTiming, library: CellLibrary, wiring: Wiring) -> str:
    """A memory as a Liberty cell with a pin for each bit."""
    load_pf, start_ns = 0.1, times.access_time_s * 1e9
    end_ns = start_ns + library.buffer.arcs[0].slope_s_per_f * load_pf * 1e-12 * 1e9
    line = f'(delay_2x2) {{ values ("{start_ns:.9g}, {end_ns:.9g}", "{start_ns:.9g}, {end_ns:.9g}"); }}'
    flat = '(delay_2x2) { values ("0.1, 0.1", "0.1, 0.1"); }'
    setup = f"{times.setup_s * 1e9:.9g}"
    held = f'(constraint_2x2) {{ values ("{setup}, {setup}", "{setup}, {setup}"); }}'
    pins = [
        f"pin (I{k}) {{ direction : input; capacitance : {wiring.memory_pin_capacitance_f * 1e12:.9g}; "
        f'timing () {{ related_pin : "CK"; timing_type : setup_rising; rise_constraint {held} '
        f"fall_constraint {held} }} }}"
        for k in range(len(memory.inputs))
    ]
    pins += [
        f'pin (O{k}) {{ direction : output; timing () {{ related_pin : "CK"; timing_type : rising_edge; '
        f"timing_sense : non_unate; cell_rise {line} cell_fall {line} rise_transition {flat} "
        f"fall_transition {flat} }} }}"
        for k in range(len(memory.outputs))
    ]
    clock = "pin (CK) { direction : input; clock : true; capacitance : 0; }"
    return f"cell (memory_{number}) {{ area : 0; {clock} {' '.join(pins)} }}"


class _Trees:
    """The names that sinks connect to: the net itself, or a leaf of the tree of buffers behind it."""

    def __init__(self, netlist: Netlist, library: CellLibrary, wiring: Wiring) -> None:
        _, self._sinks = design_loads(netlist, library, wiring)
        self._most, self._buffer = wiring.max_fanout, library.buffer
        self._taken: dict[int, int] = {}

    def sink(self, net: int) -> str:
        """The name for one more sink of a net."""
        if net < CONSTANTS or self._sinks[net] <= self._most:
            return _net(net)
        place = self._taken.get(net, 0)
        self._taken[net] = place + 1
        return f"n{net}_0_{place // self._most}"

    def buffers(self) -> Iterator[str]:
        """The buffers of every tree that has sinks, leaves first."""
        (input_pin,), (output_pin,) = self._buffer.input_capacitance_f, self._buffer.functions
        for net, sinks in self._taken.items():
            level, count = 0, -(-sinks // self._most)
            while count:
                above = -(-count // self._most) if count > self._most else 0
                for place in range(count):
                    source = f"n{net}_{level + 1}_{place // self._most}" if above else f"n{net}"
                    out = f"n{net}_{level}_{place}"
                    yield f"  wire {out};"
                    yield f"  {self._buffer.name} b_{out} (.{input_pin}({source}), .{output_pin}({out}));"
                level, count = level + 1, above


def _net(net: int) -> str:
    return f"1'b{net}" if net < CONSTANTS else f"n{net}"


def _verilog(netlist: Netlist, library: CellLibrary, wiring: Wiring) -> Iterator[str]:
    trees = _Trees(netlist, library, wiring)
    yield f"module {netlist.name} ({', '.join(netlist.ports)});"
    for name, port in netlist.ports.items():
        yield f"  {port.direction} [{len(port.nets) - 1}:0] {name};"
    for net in range(CONSTANTS, netlist.nets):
        yield f"  wire n{net};"
    for name, port in netlist.ports.items():
        for bit, net in enumerate(port.nets.tolist()):
            outside = f"{name}[{bit}]"
            if port.direction == "input":
                yield f"  assign {_net(net)} = {outside};"
            else:
                yield f"  assign {outside} = {trees.sink(net)};"
    parts = []
    for index, kind in enumerate(netlist.cell_type.tolist()):
        cell = library.cells[netlist.type_names[kind]]
        row = netlist.pin_table[index]
        pins = []
        for place in np.flatnonzero(row >= 0):
            pin, net = netlist.pin_names[place], int(row[place])
            driven = pin in cell.input_capacitance_f and pin != cell.clock_pin
            pins.append(f".{pin}({trees.sink(net) if driven else f'n{net}'})")
        parts.append(f"  {cell.name} c{index} ({', '.join(pins)});")
    for number, memory in enumerate(netlist.memories):
        pins = [f".I{k}({trees.sink(net)})" for k, net in enumerate(memory.inputs.tolist())]
        pins += [f".O{k}(n{net})" for k, net in enumerate(memory.outputs.tolist()) if net >= CONSTANTS]
        parts.append(f"  memory_{number} m{number} (.CK(n{memory.clock}), {', '.join(pins)});")
    yield from trees.buffers()
    yield from parts
    yield "endmodule"
