"""When a clock gate is worth its energy: which gate a library has, and how many flops it must serve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from archsim.technology.liberty.cell_library import Cell, CellLibrary
from archsim.technology.liberty.text import LibertyError
from archsim.technology.memories.flop_memory import Wiring, clock_energy_j

ClockGating = Literal["auto", "none"]


@dataclass(frozen=True, kw_only=True)
class ClockGates:
    """The clock gate of a library, and the `least_flops` that must share an enable to get one."""

    cell: Cell
    least_flops: int


def clock_gates(library: CellLibrary, wiring: Wiring) -> ClockGates | None:
    """The smallest clock gate of a library; None where it has none, or one that no number of flops pays for.

    A gate takes its clock in every cycle and a pulse of its output in a share of them; the flops behind it
    are clocked in that share only, and need no enable of their own. What the gates of an engine do is known
    only after it is mapped, so the share is assumed.
    """
    gate = library.clock_gate
    if gate is None:
        return None
    plain = library.flop(enable=False)
    factor = wiring.clock_network_factor
    saved_j = clock_energy_j(ungated_flop(library, plain), library.supply_v, factor)
    share = wiring.clock_gate_open_share
    saved_j -= share * clock_energy_j(plain, library.supply_v, factor)
    spent_j = clock_energy_j(gate, library.supply_v, factor) + share * pulse_energy_j(gate)
    return ClockGates(cell=gate, least_flops=max(1, math.ceil(spent_j / saved_j))) if saved_j > 0 else None


def pulse_energy_j(gate: Cell) -> float:
    """What a clock gate takes for one pulse that it lets through, besides the two edges of its clock pin."""
    return 2 * sum(gate.switch_energy_j.values())


def ungated_flop(library: CellLibrary, gated: Cell) -> Cell:
    """The flop that stands for a gated one where clocks are not gated: one with an enable, if any."""
    try:
        return library.flop(enable=True)
    except LibertyError:
        return gated
