"""A small memory built from flops and a multiplexer tree, priced from the cells of a library.

Behind clock gates a word's flops have a clock of their own, which rises only when that word is written, and
the output register has one that rises only on a read; in front of the words' clocks stands one more gate,
which rises only on a write. What stands by is clocked at two pins, however much the memory holds. A flop
behind a gate needs no enable, so that the memory is smaller too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from archsim.technology.liberty.cell_library import Cell, CellLibrary


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What the wires of a design add to its cells, as it is assumed before anything is placed.

    `capacitance_f_per_sink` is added to a net for each pin it drives, where wires have `f_per_um`;
    `clock_network_factor` is the
    switched capacitance of the clock over that of the flops' clock pins; a net of more than `max_fanout`
    sinks gets a tree of buffers in the timing model; `memory_pin_capacitance_f` is one input of an SRAM
    macro. `clock_gate_open_share` is the share of cycles in which a clock gate is taken to be open where it
    is decided how many flops it must serve.
    """

    capacitance_f_per_sink: float
    f_per_um: float
    clock_network_factor: float
    max_fanout: int
    memory_pin_capacitance_f: float
    flop_memory_activity: float
    clock_gate_open_share: float

    def sink_f(self, nets: NDArray[np.int64]) -> float | NDArray[np.float64]:
        """The wire in farad for each pin that the given nets drive, the same of every net or one for each."""
        return self.capacitance_f_per_sink

    def switched_f(self, nets: NDArray[np.int64]) -> float | NDArray[np.float64]:
        """What of a net switches for each pin that it drives, beside that pin, in farad."""
        return self.sink_f(nets)

    def buffered(
        self, load_f: NDArray[np.float64], sinks: NDArray[np.int64], buffer: Cell
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The load (nets,) in farad that the driver of each net sees, where those of more sinks than
        `max_fanout` have a tree of buffers, and the delay of that in seconds."""
        seen, delay = load_f.copy(), np.zeros_like(load_f)
        arc = buffer.arcs[0]
        pin_f = next(iter(buffer.input_capacitance_f.values()))
        for net in np.flatnonzero(sinks > self.max_fanout):
            count, each_f = int(sinks[net]), load_f[net] / sinks[net]
            while count > self.max_fanout:
                delay[net] += arc.intrinsic_s + arc.slope_s_per_f * self.max_fanout * each_f
                count, each_f = -(-count // self.max_fanout), pin_f + self.capacitance_f_per_sink
            seen[net] = count * each_f
        return seen, delay

    def clock_factor(self, nets: NDArray[np.int64]) -> float | NDArray[np.float64]:
        """The switched capacitance of the given clock nets over that of the clock pins behind them."""
        return self.clock_network_factor


@dataclass(frozen=True, kw_only=True)
class MemoryFigures:
    """Area (mm2), energies (J), leakage (W) and times (s) of a memory; `clock_energy_j` is every cycle's."""

    area_mm2: float
    read_energy_j: float
    write_energy_j: float
    clock_energy_j: float
    leakage_w: float
    access_time_s: float
    setup_s: float


@overload
def clock_energy_j(flop: Cell, supply_v: float, network_factor: float) -> float: ...
@overload
def clock_energy_j(
    flop: Cell, supply_v: float, network_factor: float | NDArray[np.float64]
) -> float | NDArray[np.float64]: ...
def clock_energy_j(
    flop: Cell, supply_v: float, network_factor: float | NDArray[np.float64]
) -> float | NDArray[np.float64]:
    """Energy of one flop's clock in one cycle: two edges inside the cell, one charge and discharge of
    the network."""
    pin_f = flop.input_capacitance_f[flop.clock_pin]
    return 2 * flop.clock_edge_energy_j + network_factor * pin_f * supply_v**2


def clock_gate(cells: CellLibrary) -> Cell:
    """The clock gate of a library, or where it has none the cell whose area, leakage and clock pin one (a
    latch and an AND) is given: a plain flop.

    The open 130 nm library ihp-sg13g2 has both: its gate `sg13g2_lgcp_1` takes 3.75 gate equivalents and its
    smallest flop (with reset) 6.75, the plain flop here 4.9; its clock pin has 1.78 times the flop's
    capacitance and 0.72 times the internal energy, which at this clock network's factor is 1.1 times the
    energy of a clocked flop.
    """
    return cells.clock_gate or cells.flop(enable=False)


def flop_memory(
    *, words: int, word_bits: int, cells: CellLibrary, wiring: Wiring, gated: bool = True
) -> MemoryFigures:
    """Price `words` x `word_bits` of flops, a tree of 2:1 multiplexers and a registered output, with a clock
    gate for each word, for all words and for the output; without, of flops with enable that are all clocked
    in every cycle.

    Gated, `clock_energy_j` is that of the two gates which see the clock of every cycle. A write clocks the
    gates of all words and the flops of one, a read the output register; both are in the energy of the access,
    and so is the pulse of every gate that opens. The write decoder is a tree of two-input ANDs for each word.
    `setup_s` is the way of the read address through the multiplexers into the output register.
    """
    flop, gate = cells.flop(enable=not gated), clock_gate(cells)
    mux, decoder = cells.gate("(A&!S)|(B&S)", ("A", "B", "S")), cells.gate("A&B", ("A", "B"))
    levels = max(1, (words - 1).bit_length())
    counts = (
        (flop, (words + 1) * word_bits),
        (gate, words + 2 if gated else 0),
        (mux, (words - 1) * word_bits),
        (decoder, words * levels),
    )

    def toggle_j(cell: Cell) -> float:
        """One transition of the output of a cell that drives one pin of its own kind."""
        return next(iter(cell.switch_energy_j.values())) + pin_j(cell)

    def pin_j(cell: Cell) -> float:
        load_f = max(cell.input_capacitance_f.values()) + wiring.capacitance_f_per_sink
        return 0.5 * load_f * cells.supply_v**2

    activity = wiring.flop_memory_activity
    read_j = activity * (word_bits * toggle_j(flop) + (words - 1) * word_bits * (toggle_j(mux) + pin_j(mux)))
    write_j = activity * (
        word_bits * toggle_j(flop) + words * word_bits * pin_j(flop) + levels * toggle_j(decoder)
    )
    word_clock_j, gate_clock_j = (
        clock_energy_j(cell, cells.supply_v, wiring.clock_network_factor) for cell in (flop, gate)
    )
    word_clock_j *= word_bits
    pulse_j = 2 * sum(gate.switch_energy_j.values())
    load_f = 4 * (max(cells.nand2.input_capacitance_f.values()) + wiring.capacitance_f_per_sink)
    mux_load_f = max(mux.input_capacitance_f.values()) + wiring.capacitance_f_per_sink
    mux_s = max(arc.intrinsic_s + arc.slope_s_per_f * mux_load_f for arc in mux.arcs)
    return MemoryFigures(
        area_mm2=sum(cell.area_um2 * count for cell, count in counts) * 1e-6,
        read_energy_j=read_j + (word_clock_j + pulse_j if gated else 0),
        write_energy_j=write_j + (word_clock_j + 2 * pulse_j + words * gate_clock_j if gated else 0),
        clock_energy_j=2 * gate_clock_j if gated else (words + 1) * word_clock_j,
        leakage_w=sum(cell.leakage_w * count for cell, count in counts),
        access_time_s=max(arc.intrinsic_s + arc.slope_s_per_f * load_f for arc in flop.arcs),
        setup_s=levels * mux_s + flop.setup_s,
    )
