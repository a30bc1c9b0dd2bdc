"""Switching of a mapped netlist while the hardware runs: the toggles of every net, from what its registers
held.

The values of flops and memory outputs over time come from the simulated description; every combinational net
follows from them. It is evaluated bit-parallel over time, 64 cycles in a word of an array, in topological
order, with the functions of the Liberty file. Evaluation has no delays and therefore no glitches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.netlist.clocks import clock_energies_j, gate_enables, gated_clocks
from archsim.netlist.netlist import CONSTANTS, Netlist, Nets
from archsim.technology.liberty.boolean import evaluate
from archsim.technology.liberty.cell_library import Cell, CellLibrary
from archsim.technology.memories.flop_memory import Wiring

Bits = NDArray[np.uint64]
Floats = NDArray[np.float64]
WORD_BITS = 64
CYCLES_AT_ONCE = 4096
"""Cycles evaluated together; it bounds the memory, which is an eighth of a byte for each net and cycle."""
_ONES = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


class ActivityError(AssertionError):
    """The netlist does not follow the recorded registers: a defect of archsim, never of a design."""


@dataclass(frozen=True)
class Activity:
    """How often each net of a flat netlist changed between the edges of `cycles` clock cycles."""

    cycles: int
    toggles: Nets

    def __add__(self, other: Activity) -> Activity:
        return Activity(self.cycles + other.cycles, self.toggles + other.toggles)


class ToggleCounter:
    """Counts the toggles of every net of a flat netlist.

    `wires` gives for names of the netlist the described wires that they stand for; those that the counter
    needs to be recorded are its `recorded`: inputs, and enough to know every flop and memory output. Raises
    ActivityError where one is not among them.
    """

    def __init__(
        self,
        netlist: Netlist,
        library: CellLibrary,
        wires: Mapping[str, str],
        *,
        cycles_at_once: int = CYCLES_AT_ONCE,
    ) -> None:
        self.netlist = netlist
        self.cycles_at_once = cycles_at_once
        self.cells = {name: library.cells[name] for name in netlist.count()}
        if any(cell.kind == "latch" for cell in self.cells.values()):
            raise ActivityError(f"netlist {netlist.name} has latches")
        self.gates = {name: cell for name, cell in self.cells.items() if cell.is_gate}
        self.gated = gated_clocks(netlist, library)
        self.enables = gate_enables(netlist, library)
        self.flops = {name: cell for name, cell in self.cells.items() if cell.is_flop}
        self.batches = list(self._batches())
        self.held = self._held_nets(wires)

    @property
    def recorded(self) -> tuple[str, ...]:
        """The described wires whose values over time `count` takes."""
        return tuple(self.held)

    def _held_nets(self, wires: Mapping[str, str]) -> dict[str, tuple[Nets, Nets]]:
        """For each described wire that is needed, some of its bits and the nets that show them."""
        needed = self._starts()
        shown_by: dict[str, dict[int, int]] = {}
        for name, wire in wires.items():
            nets = self.netlist.named.get(name)
            if nets is not None and needed[nets].any():
                shown = shown_by.setdefault(wire, {})
                shown |= {int(net): bit for bit, net in enumerate(nets) if needed[net]}
                needed[nets] = False
        self._refuse(needed)
        return {
            wire: (np.array(list(bits.values()), np.int64), np.array(list(bits), np.int64))
            for wire, bits in shown_by.items()
        }

    def _starts(self) -> NDArray[np.bool_]:
        """The nets that no gate drives: inputs, one output of each flop, and what memories read."""
        starts = np.zeros(self.netlist.nets, bool)
        for port in self.netlist.ports.values():
            if port.direction == "input":
                starts[port.nets] = True
        for memory in self.netlist.memories:
            starts[memory.outputs] = True
        for name, cell in self.flops.items():
            cells = self.netlist.cells_of(name)
            left = np.ones(len(cells), bool)
            for pin in cell.functions:
                nets = self._pins(pin, cells)
                chosen = left & (nets >= CONSTANTS)
                starts[nets[chosen]] = True
                left &= ~chosen
        starts[:CONSTANTS] = False
        return starts

    def _refuse(self, unknown: NDArray[np.bool_]) -> None:
        """Raises ActivityError where a flop or memory output is unknown. Inputs that nobody names, the clock
        and the reset, stay low."""
        for port in self.netlist.ports.values():
            unknown[port.nets] = False
        if unknown.any():
            net = int(np.argmax(unknown))
            raise ActivityError(f"net {self.netlist.net_names.get(net, net)} is no recorded register")

    def _batches(self) -> Iterator[tuple[str, Nets]]:
        """Gates by level and type: the type, and which of its cells."""
        netlist = self.netlist
        is_gate = np.array([name in self.gates for name in netlist.type_names], bool)[netlist.cell_type]
        driver = np.full(netlist.nets, -1, np.int64)
        outputs = {name: set(cell.functions) for name, cell in self.gates.items()}
        output_of = np.array(
            [[pin in outputs.get(name, ()) for pin in netlist.pin_names] for name in netlist.type_names], bool
        ).reshape(len(netlist.type_names), len(netlist.pin_names))
        drives = is_gate[netlist.pin_cell] & output_of[netlist.cell_type[netlist.pin_cell], netlist.pin_name]
        driver[netlist.pin_net[drives]] = netlist.pin_cell[drives]
        driver[:CONSTANTS] = -1
        reads = is_gate[netlist.pin_cell] & ~drives & (driver[netlist.pin_net] >= 0)
        before, after = driver[netlist.pin_net[reads]], netlist.pin_cell[reads]
        waiting = np.bincount(after, minlength=len(netlist.cell_names))
        order = np.argsort(before, kind="stable")
        before, after = before[order], after[order]
        first = np.searchsorted(before, np.arange(len(netlist.cell_names) + 1))
        ready, placed = np.flatnonzero(is_gate & (waiting == 0)), 0
        while ready.size:
            placed += ready.size
            kinds = netlist.cell_type[ready]
            for kind in np.unique(kinds):
                yield netlist.type_names[kind], ready[kinds == kind]
            counts = first[ready + 1] - first[ready]
            leaving = np.repeat(first[ready] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
            np.subtract.at(waiting, after[leaving], 1)
            touched = np.unique(after[leaving])
            ready = touched[waiting[touched] == 0]
        if placed < is_gate.sum():
            raise ActivityError(f"netlist {netlist.name} has a loop of gates")

    def count(self, recorded: Mapping[str, Sequence[int]]) -> Activity:
        """The toggles while the wires took these values, one integer for each of cycles + 1 samples. Raises
        ActivityError where a flop does not take over what the gates before it say."""
        toggles = np.zeros(self.netlist.nets, np.int64)
        cycles = 0
        for values, samples in self.settled(recorded):
            changed = values ^ (values >> np.uint64(1))
            changed[:, :-1] ^= values[:, 1:] << np.uint64(WORD_BITS - 1)
            # Bit t is now the change from sample t to t + 1; the last sample has no next.
            changed &= _first_bits(samples - 1, values.shape[1])
            toggles += np.bitwise_count(changed).sum(axis=1, dtype=np.int64)
            # A gate that is open at the end of a cycle lets the edge through that ends it: up, and down
            # again.
            is_open = values[self.enables[self.gated]] & _first_bits(samples - 1, values.shape[1])
            toggles[self.gated] += 2 * np.bitwise_count(is_open).sum(axis=1, dtype=np.int64)
            cycles += samples - 1
        return Activity(cycles, toggles)

    def settled(self, recorded: Mapping[str, Sequence[int]]) -> Iterator[tuple[Bits, int]]:
        """The value of every net at the end of each cycle, part by part, and the samples in each part: shape
        (nets, words), sample t in bit t % 64 of word t // 64. A part begins with the last sample of the one
        before. Raises ActivityError as `count` does."""
        samples = len(next(iter(recorded.values())))
        for start in range(0, samples - 1, self.cycles_at_once):
            stop = min(start + self.cycles_at_once + 1, samples)
            yield self._part({wire: recorded[wire][start:stop] for wire in self.held}), stop - start

    def _part(self, recorded: Mapping[str, Sequence[int]]) -> Bits:
        samples = len(next(iter(recorded.values())))
        values = np.zeros((self.netlist.nets, -(-samples // WORD_BITS)), np.uint64)
        values[1] = _ONES
        for wire, (bits, nets) in self.held.items():
            values[nets] = pack(recorded[wire], int(bits.max()) + 1)[bits]
        self._complete_flops(values)
        for name, cells in self.batches:
            columns = self._columns(values, name, cells)
            for pin, function in self.gates[name].functions.items():
                nets = self._pins(pin, cells)
                used = nets >= CONSTANTS
                values[nets[used]] = evaluate(function, columns, _ONES)[used]
        self._check_flops(values, samples)
        return values

    def _pins(self, pin: str, cells: Nets) -> Nets:
        if pin not in self.netlist.pin_names:
            return np.full(len(cells), -1, np.int64)
        nets: Nets = self.netlist.pin_table[cells, self.netlist.pin_names.index(pin)]
        return nets

    def _columns(self, values: Bits, name: str, cells: Nets) -> dict[str, Bits]:
        """The values at each input pin of some cells of one type."""
        return {pin: values[self._pins(pin, cells)] for pin in self.cells[name].input_capacitance_f}

    def _complete_flops(self, values: Bits) -> None:
        """The second outputs of flops, from the first."""
        known = np.zeros(self.netlist.nets, bool)
        for _, nets in self.held.values():
            known[nets] = True
        for name, cell in self.flops.items():
            cells = self.netlist.cells_of(name)
            for pin in cell.functions:
                for other in cell.functions:
                    mine, its = self._pins(pin, cells), self._pins(other, cells)
                    derived = (mine >= CONSTANTS) & (its >= CONSTANTS) & ~known[mine] & known[its]
                    inverse = _ONES if _inverts(cell, pin) != _inverts(cell, other) else np.uint64(0)
                    values[mine[derived]] = values[its[derived]] ^ inverse

    def _check_flops(self, values: Bits, samples: int) -> None:
        """Every flop must hold in a cycle what the gates said in the one before, or what it held then where
        its clock gate was closed."""
        meant = _first_bits(samples - 1, values.shape[1])
        for name, cell in self.flops.items():
            cells = self.netlist.cells_of(name)
            columns = self._columns(values, name, cells)
            is_open = values[self.enables[self._pins(cell.clock_pin, cells)]]
            for pin in cell.functions:
                nets = self._pins(pin, cells)
                held = values[nets] ^ (_ONES if _inverts(cell, pin) else np.uint64(0))
                columns |= {cell.state_names[0]: held, cell.state_names[1]: held ^ _ONES}
                following = held >> np.uint64(1)
                following[:, :-1] |= held[:, 1:] << np.uint64(WORD_BITS - 1)
                taken = evaluate(cell.next_state, columns, _ONES)
                expected = (taken & is_open) | (held & ~is_open)
                wrong = ((expected ^ following) & meant).any(axis=1)
                wrong &= nets >= CONSTANTS
                if wrong.any():
                    flop = self.netlist.cell_names[cells[np.argmax(wrong)]]
                    raise ActivityError(
                        f"flop {flop} does not follow the gates of netlist {self.netlist.name}"
                    )


def _inverts(flop: Cell, pin: str) -> bool:
    """Whether an output of a flop shows the inverse of its state."""
    state, inverse = flop.state_names
    return not evaluate(flop.functions[pin], {state: 1, inverse: 0}, 1)


def pack(values: Sequence[int], bits: int) -> Bits:
    """Integers over time as rows of bits over time: shape (bits, words), cycle t in bit t % 64 of word
    t // 64."""
    octets = -(-bits // 8)
    mask = (1 << bits) - 1
    raw = b"".join((value & mask).to_bytes(octets, "little") for value in values)
    table = np.unpackbits(
        np.frombuffer(raw, np.uint8).reshape(len(values), octets), axis=1, bitorder="little", count=bits
    )
    padded = np.zeros((bits, -(-len(values) // WORD_BITS) * WORD_BITS), np.uint8)
    padded[:, : len(values)] = table.T
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def _first_bits(count: int, words: int) -> Bits:
    """A row of words in which the first `count` bits are one."""
    mask = np.zeros(words, np.uint64)
    mask[: count // WORD_BITS] = _ONES
    if count % WORD_BITS:
        mask[count // WORD_BITS] = np.uint64((1 << count % WORD_BITS) - 1)
    return mask


@dataclass(frozen=True)
class Switching:
    """What the toggles of one component cost, without glitches: its gates and the wires they drive, and its
    registers and memory outputs with theirs; and what glitches add to the gates. A net costs its driver the
    internal energy, and the component of each sink that pin and its wire. `clock_j` is what its clock took,
    by how often its clock gates opened, and `standing_clock_j` what it would with all of them closed."""

    toggles: int
    gates_j: float
    registers_j: float
    clock_j: float
    standing_clock_j: float
    glitches_j: float = 0.0


def switching(
    netlist: Netlist, library: CellLibrary, wiring: Wiring, activity: Activity
) -> dict[str, Switching]:
    """The switching of each instance at the top of a flat netlist, by its name; "" is the top itself.

    Memory macros are left out, as are the pins they load: an access is priced whole.
    """
    instances = {name.partition(".")[0] if "." in name else "" for name in netlist.cell_names}
    names = sorted(instances)
    place = {name: number for number, name in enumerate(names)}
    owner = np.array(
        [place[name.partition(".")[0] if "." in name else ""] for name in netlist.cell_names], np.int64
    )
    toggles = activity.toggles.astype(float)
    driven_by_gate = np.zeros(netlist.nets, bool)
    counted = np.zeros(len(names), np.int64)
    energy = {True: np.zeros(len(names)), False: np.zeros(len(names))}
    for type_name in netlist.count():
        cell, cells = library.cells[type_name], netlist.cells_of(type_name)
        if cell.kind == "clock gate":
            continue
        for pin, internal_j in cell.switch_energy_j.items():
            nets = netlist.pin(type_name, pin)
            used = nets >= CONSTANTS
            np.add.at(energy[not cell.is_flop], owner[cells[used]], internal_j * toggles[nets[used]])
            np.add.at(counted, owner[cells[used]], activity.toggles[nets[used]])
            driven_by_gate[nets[used]] = not cell.is_flop
    for type_name in netlist.count():
        cell, cells = library.cells[type_name], netlist.cells_of(type_name)
        for pin, capacitance_f in cell.input_capacitance_f.items():
            if pin == cell.clock_pin:
                continue
            nets = netlist.pin(type_name, pin)
            driven_f = capacitance_f + wiring.switched_f(nets) + np.zeros(len(nets))
            each_j = 0.5 * driven_f * library.supply_v**2
            for gates, sums in energy.items():
                used = (nets >= CONSTANTS) & (driven_by_gate[nets] == gates)
                np.add.at(sums, owner[cells[used]], each_j[used] * toggles[nets[used]])
    clocks = []
    for pulses in (activity.toggles, np.zeros_like(activity.toggles)):
        taken = clock_energies_j(netlist, library, wiring, cycles=activity.cycles, toggles=pulses)
        clocks.append(np.bincount(owner, taken, len(names)))
    return {
        name: Switching(
            toggles=int(counted[k]),
            gates_j=float(energy[True][k]),
            registers_j=float(energy[False][k]),
            clock_j=float(clocks[0][k]),
            standing_clock_j=float(clocks[1][k]),
        )
        for name, k in place.items()
    }
