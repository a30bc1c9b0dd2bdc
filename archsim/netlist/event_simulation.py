"""Event simulation of a flat mapped netlist with the delays of its cells: every transition of every net, also
those that an evaluation without delays does not see.

Registers, memory outputs and inputs change after the clock edge, to what was recorded; gates follow their
inputs as static timing has it. Delay is inertial, that of `assign #delay` in Verilog: a gate whose inputs
would have it change back before its change came out does not change at all, so a pulse shorter than the delay
is swallowed and one as long passes. All that changes at one instant is seen together. Where the arcs of a
gate differ, the slower inputs come to it late by the difference, inertially too. A net behind a tree of
buffers has the delay of the whole tree. Partial swings are not modelled: a transition is whole or none.

A cycle is simulated until nothing moves, whatever the clock period; the time of the last change is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from archsim.netlist.activity import WORD_BITS, Activity, ActivityError, Bits, ToggleCounter
from archsim.netlist.netlist import CONSTANTS, Netlist, Nets
from archsim.netlist.timing import Delays
from archsim.technology.liberty.boolean import truth_table
from archsim.technology.liberty.cell_library import Cell
from workloads.refusal import Refusal

STEPS = 1 << 13
"""The longest delay of a netlist, mostly that of a memory, takes half to all of so many steps of time: one is
about 0.2 ps at 65 nm, a hundredth of the delay of an inverter."""
MOST_INPUTS = 6
"""Inputs of a gate whose truth table is one word."""
CYCLES_AT_ONCE = 4 * WORD_BITS
"""Cycles between two looks at the clock; their values take a byte for each net and cycle."""


@dataclass(frozen=True)
class EventNetwork:
    """A netlist as events run through it, by net; nets from that of the netlist on delay single pins.

    `tables` has bit r where the gate of a net is high in row r of its inputs, `delays` the steps of `step_s`
    after which a net follows its gate, or the clock edge where it is none of a gate. The net at `from_nets`
    drives input `places` of the gate at `to_nets`.
    """

    tables: NDArray[np.uint64]
    delays: NDArray[np.int32]
    is_gate: NDArray[np.bool_]
    from_nets: Nets
    to_nets: Nets
    places: NDArray[np.uint8]
    step_s: float


def event_network(netlist: Netlist, gates: Mapping[str, Cell], delays: Delays) -> EventNetwork:
    """The network of a netlist whose gates, by type, are given. Raises a refusal for a gate of more than
    `MOST_INPUTS` inputs."""
    outputs = [_Output.made(netlist, cell, pin, delays) for cell in gates.values() for pin in cell.functions]
    starts_s = np.where(np.isfinite(delays.start_s), delays.start_s, 0.0)
    longest_s = max([float(starts_s.max()), *(float(one.arcs_s.max(initial=0.0)) for one in outputs)])
    # A power of two, so that the same steps come out for times that differ by such a factor.
    step_s = 2.0 ** math.ceil(math.log2((longest_s or 1.0) / (STEPS - 1)))
    tables = [np.zeros(netlist.nets, np.uint64)]
    steps = [np.round(starts_s / step_s).astype(np.int32)]
    is_gate = np.zeros(netlist.nets, bool)
    edges: list[tuple[Nets, Nets, int]] = []
    total = netlist.nets
    for output in outputs:
        arcs = np.maximum(np.round(output.arcs_s / step_s).astype(np.int32), 1)
        fastest = arcs.min(axis=0)
        tables[0][output.nets], steps[0][output.nets], is_gate[output.nets] = output.table, fastest, True
        for place, (inputs, late) in enumerate(zip(output.inputs, arcs - fastest, strict=True)):
            reaching, is_late = inputs.copy(), (late > 0) & (inputs >= CONSTANTS)
            reaching[is_late] = total + np.arange(is_late.sum())
            edges.append((inputs[is_late], reaching[is_late], 0))
            tables.append(np.full(is_late.sum(), 0b10, np.uint64))
            steps.append(late[is_late])
            total += int(is_late.sum())
            connected = inputs >= 0
            edges.append((reaching[connected], output.nets[connected], place))
    from_nets, to_nets = (
        np.concatenate([np.zeros(0, np.int64), *(edge[k] for edge in edges)]) for k in (0, 1)
    )
    places = np.concatenate([np.zeros(0, np.uint8), *(np.full(len(a), k, np.uint8) for a, _, k in edges)])
    late_nets = np.ones(total - netlist.nets, bool)
    return EventNetwork(
        np.concatenate(tables),
        np.concatenate(steps),
        np.concatenate([is_gate, late_nets]),
        from_nets,
        to_nets,
        places,
        step_s,
    )


@dataclass(frozen=True)
class _Output:
    """The nets that one output of all gates of one type drives: the table of its function, and for each input
    pin the nets there and how long the output takes to follow it, both (inputs, nets)."""

    nets: Nets
    table: int
    inputs: Nets
    arcs_s: NDArray[np.float64]

    @classmethod
    def made(cls, netlist: Netlist, cell: Cell, pin: str, delays: Delays) -> _Output:
        names = tuple(cell.input_capacitance_f)
        if len(names) > MOST_INPUTS:
            raise Refusal(f"cell {cell.name} has {len(names)} inputs, allowed are at most {MOST_INPUTS}")
        nets = netlist.pin(cell.name, pin)
        used = nets >= CONSTANTS
        nets = nets[used]
        table = sum(1 << row for row, high in enumerate(truth_table(cell.functions[pin], names)) if high)
        arcs = {arc.input: delays.arc_s(arc, nets) for arc in cell.arcs if arc.output == pin}
        # An input without an arc of its own, as one that only selects, is as slow as the slowest.
        slowest = np.max([*arcs.values(), np.zeros(len(nets))], axis=0)
        inputs = [netlist.pin(cell.name, name)[used] for name in names]
        shape = (len(names), len(nets))
        return cls(
            nets,
            table,
            np.array(inputs, np.int64).reshape(shape),
            np.array([arcs.get(name, slowest) for name in names], float).reshape(shape),
        )


@dataclass(frozen=True)
class Transitions:
    """All changes of each net in an `activity`, glitches among them, and how long after a clock edge the last
    of any cycle came."""

    activity: Activity
    settling_s: float

    def __add__(self, other: Transitions) -> Transitions:
        return Transitions(self.activity + other.activity, max(self.settling_s, other.settling_s))


class EventSimulation:
    """Counts the transitions of every net, with delays, while registers and inputs take recorded values."""

    def __init__(self, counter: ToggleCounter, delays: Delays) -> None:
        self.counter = counter
        self.network = event_network(counter.netlist, counter.gates, delays)

    @cached_property
    def _loop(self) -> Callable[[NDArray[np.uint8], Nets], tuple[int, int, int]]:
        """The compiled loop over the cycles between some samples, which adds to toggles."""
        from archsim.netlist.event_loop import Gates, run_cycles

        network = self.network
        order = np.argsort(network.from_nets, kind="stable")
        nets = len(network.tables)
        ends = np.searchsorted(network.from_nets[order], np.arange(nets + 1)).astype(np.int32)
        gates = Gates(
            np.flatnonzero(~network.is_gate).astype(np.int32),
            ends,
            network.to_nets[order].astype(np.int32),
            network.places[order],
            network.tables,
            network.delays,
        )
        slots = 1 << int(network.delays.max()).bit_length()
        return lambda settled, toggles: run_cycles(settled, slots, gates, toggles)

    def count(self, recorded: Mapping[str, Sequence[int]]) -> Transitions:
        """The transitions while the wires took these values, as `ToggleCounter.count` takes them. Raises
        ActivityError where a net does not settle at its value without delays."""
        netlist, last, cycles = self.counter.netlist, 0, 0
        toggles = np.zeros(len(self.network.tables), np.int64)
        samples = len(next(iter(recorded.values())))
        with tqdm(
            total=samples - 1, desc="glitches", unit="cycle", leave=False, delay=2, disable=None
        ) as progress:
            for values, present in self.counter.settled(recorded):
                for start in range(0, present - 1, CYCLES_AT_ONCE):
                    stop = min(start + CYCLES_AT_ONCE + 1, present)
                    sample, net, still = self._loop(_unpacked(values, start, stop), toggles)
                    if sample >= 0:
                        name = netlist.net_names.get(net, net)
                        raise ActivityError(f"net {name} of netlist {netlist.name} does not settle")
                    last = max(last, still)
                    progress.update(stop - start - 1)
                cycles += present - 1
        return Transitions(Activity(cycles, toggles[: netlist.nets]), last * self.network.step_s)


def _unpacked(values: Bits, start: int, stop: int) -> NDArray[np.uint8]:
    """Some samples of packed values, (samples, nets)."""
    words = values[:, start // WORD_BITS : -(-stop // WORD_BITS)]
    octets = np.ascontiguousarray(words).view(np.uint8)
    bits = np.unpackbits(octets, axis=1, bitorder="little")
    at = start % WORD_BITS
    return np.ascontiguousarray(bits[:, at : at + stop - start].T)
