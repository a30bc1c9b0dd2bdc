"""A small memory built from flops with enable and a multiplexer tree, priced from the cells of a library."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.technology.liberty.cell_library import Cell, CellLibrary


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What the wires of a placed design add to its cells. All of it is modelled: place and route is not run.

    `capacitance_f_per_sink` is added to a net for each pin it drives; `clock_network_factor` is the
    switched capacitance of the clock over that of the flops' clock pins; a net of more than `max_fanout`
    sinks gets a tree of buffers in the timing model; `memory_pin_capacitance_f` is one input of an SRAM
    macro. `clock_gate_open_share` is the share of cycles in which a clock gate is taken to be open where it
    is decided how many flops it must serve.
    """

    capacitance_f_per_sink: float
    clock_network_factor: float
    max_fanout: int
    memory_pin_capacitance_f: float
    flop_memory_activity: float
    clock_gate_open_share: float


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


def clock_energy_j(flop: Cell, supply_v: float, wiring: Wiring) -> float:
    """Energy of one flop's clock in one cycle: two edges inside the cell, one charge and discharge of
    the network."""
    pin_f = flop.input_capacitance_f[flop.clock_pin]
    return 2 * flop.clock_edge_energy_j + wiring.clock_network_factor * pin_f * supply_v**2


def flop_memory(*, words: int, word_bits: int, cells: CellLibrary, wiring: Wiring) -> MemoryFigures:
    """Price `words` x `word_bits` of flops with enable, a tree of 2:1 multiplexers and a registered output.

    The write decoder is a tree of two-input ANDs for each word. `setup_s` is the way of the read address
    through the multiplexers into the output register.
    """
    flop, mux = cells.flop(enable=True), cells.gate("(A&!S)|(B&S)", ("A", "B", "S"))
    decoder = cells.gate("A&B", ("A", "B"))
    levels = max(1, (words - 1).bit_length())
    counts = ((flop, (words + 1) * word_bits), (mux, (words - 1) * word_bits), (decoder, words * levels))

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
    load_f = 4 * (max(cells.nand2.input_capacitance_f.values()) + wiring.capacitance_f_per_sink)
    mux_load_f = max(mux.input_capacitance_f.values()) + wiring.capacitance_f_per_sink
    mux_s = max(arc.intrinsic_s + arc.slope_s_per_f * mux_load_f for arc in mux.arcs)
    return MemoryFigures(
        area_mm2=sum(cell.area_um2 * count for cell, count in counts) * 1e-6,
        read_energy_j=read_j,
        write_energy_j=write_j,
        clock_energy_j=(words + 1) * word_bits * clock_energy_j(flop, cells.supply_v, wiring),
        leakage_w=sum(cell.leakage_w * count for cell, count in counts),
        access_time_s=max(arc.intrinsic_s + arc.slope_s_per_f * load_f for arc in flop.arcs),
        setup_s=levels * mux_s + flop.setup_s,
    )
