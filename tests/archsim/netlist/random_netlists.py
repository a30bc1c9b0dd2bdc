"""Random small netlists of the project's own cells, and a plain simulation of one, cycle by cycle."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from archsim.netlist import Netlist
from archsim.netlist.netlist import CONSTANTS, Port
from archsim.technology import Cmos65
from archsim.technology.liberty.boolean import truth_table
from archsim.technology.liberty.cell_library import Cell

LIBRARY = Cmos65().library
GATES = sorted(name for name, cell in LIBRARY.cells.items() if cell.is_gate)
FLOPS = sorted(name for name, cell in LIBRARY.cells.items() if cell.is_flop)
CLOCK_GATE = "CLKGATE_X1"
WIRES = {"in": "in", "state": "state"}
"""The names that a counter of toggles knows the registers of such a netlist by."""


@st.composite
def netlists(draw: st.DrawFn) -> Netlist:
    """A few inputs and flops, and gates that read any net made before them; flops read any net, and so do
    clock gates, of which any flop may stand behind one."""
    inputs, flops, gates = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(0, 15))
    first_flop = CONSTANTS + 1 + inputs
    first_gate = first_flop + flops
    pins = sorted({p for c in LIBRARY.cells.values() for p in _pins(c)})
    cells: list[str] = []
    rows: list[tuple[int, int, int]] = []
    made = first_gate
    for _ in range(gates):
        name = draw(st.sampled_from(GATES))
        for pin in LIBRARY.cells[name].input_capacitance_f:
            rows.append((len(cells), pins.index(pin), draw(st.integers(0, made - 1))))
        for pin in LIBRARY.cells[name].functions:
            rows.append((len(cells), pins.index(pin), made))
            made += 1
        cells.append(name)
    data, clocks = made, [CONSTANTS]
    for _ in range(draw(st.integers(0, 2))):
        for pin, net in (("CK", CONSTANTS), ("E", draw(st.integers(0, data - 1))), ("GCK", made)):
            rows.append((len(cells), pins.index(pin), net))
        cells.append(CLOCK_GATE)
        clocks.append(made)
        made += 1
    for k in range(flops):
        name = draw(st.sampled_from(FLOPS))
        cell = LIBRARY.cells[name]
        for pin in cell.input_capacitance_f:
            net = draw(st.sampled_from(clocks) if pin == cell.clock_pin else st.integers(0, data - 1))
            rows.append((len(cells), pins.index(pin), net))
        rows.append((len(cells), pins.index(next(iter(cell.functions))), first_flop + k))
        cells.append(name)
    types = sorted(set(cells))
    table = np.array(rows, np.int64)
    return Netlist(
        name="random",
        nets=made,
        cell_names=tuple(f"part_{k % 2}.cell_{k}" for k in range(len(cells))),
        type_names=tuple(types),
        cell_type=np.array([types.index(name) for name in cells], np.int64),
        pin_names=tuple(pins),
        pin_cell=table[:, 0],
        pin_name=table[:, 1],
        pin_net=table[:, 2],
        ports={
            "clk": Port("input", np.array([CONSTANTS])),
            "in": Port("input", np.arange(CONSTANTS + 1, first_flop)),
        },
        memories=(),
        named={
            "in": np.arange(CONSTANTS + 1, first_flop),
            "state": np.arange(first_flop, first_gate),
        },
    )


def _pins(cell: Cell) -> list[str]:
    return [*cell.input_capacitance_f, *cell.functions]


def step_by_step(netlist: Netlist, inputs: list[int]) -> tuple[list[int], np.ndarray]:
    """The states of the flops in each cycle, and the toggles of every net, one cycle after the other. A pulse
    of a gated clock is two."""
    width, flops = len(netlist.ports["in"].nets), len(netlist.named["state"])
    states, before, pulses = [0], None, dict[int, int]()
    toggles = np.zeros(netlist.nets, np.int64)
    for word in inputs:
        values = np.zeros(netlist.nets, np.int64)
        values[1] = 1
        values[netlist.named["in"]] = [word >> k & 1 for k in range(width)]
        values[netlist.named["state"]] = [states[-1] >> k & 1 for k in range(flops)]
        following = 0
        enabled = {CONSTANTS: 1}
        for index, kind in enumerate(netlist.cell_type):
            cell = LIBRARY.cells[netlist.type_names[kind]]
            row = netlist.pin_table[index]
            pins = {name: int(row[place]) for place, name in enumerate(netlist.pin_names) if row[place] >= 0}
            read = tuple(cell.input_capacitance_f)
            if cell.kind == "clock gate":
                enabled[pins["GCK"]] = int(values[pins["E"]])
                continue
            if cell.is_gate:
                at = sum(int(values[pins[pin]]) << k for k, pin in enumerate(read))
                for pin, function in cell.functions.items():
                    values[pins[pin]] = truth_table(function, read)[at]
                continue
            held = pins[next(iter(cell.functions))]
            names = (*read, *cell.state_names)
            shown = [int(values[pins[pin]]) for pin in read] + [int(values[held]), 1 - int(values[held])]
            at = sum(bit << k for k, bit in enumerate(shown))
            place = held - int(netlist.named["state"][0])
            taken = int(truth_table(cell.next_state, names)[at])
            following |= (taken if enabled[pins[cell.clock_pin]] else int(values[held])) << place
        if before is not None:
            toggles += values != before
            for net, pulse in pulses.items():
                toggles[net] += 2 * pulse
        before, pulses = values, enabled
        states.append(following)
    return states[:-1], toggles
