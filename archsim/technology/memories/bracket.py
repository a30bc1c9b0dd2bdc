"""Between what a memory is priced at and what real memories of its size take.

Ten single-port macros of an open 130 nm foundry process (`sram_ihp_sg13g2.csv`) stand beside the model taken
to that node (`memory_bracket.csv`). Every one of them takes more area and energy, is slower and leaks less,
and the smaller the more so in area and reads: they are mostly periphery. Their excess over the model is a
line in log-log over capacity; one that is left out is met by the others within a one-sigma factor of 1.12 in
area, 1.24 in reads, 1.37 in writes, 1.05 in leakage and 1.22 in access time.

The model is one end of the bracket; the other is that line, or what else was published where that is farther.
It is bracketed and not corrected because the evidence disagrees by as much as it is off: at 8 KiB a read is
3.4 (64 bits) and 2.8 (16 bits) times the model in the foundry's macros, 2.3 times in the cache of Horowitz
(2014), 1.5 times in the preview of a 55 nm compiler, which in turn states 1.6 times the area where the
foundry's are 1.1 times. None is a macro at 65 nm, and the ten carry inputs for test and for masking bits,
which an engine's memories do without. What can be said is the direction: the truth lies inside, above the
model. The memories of EIE, which the model meets, are no evidence: S. Han et al. (ISCA 2016, section V) took
their areas and energies from CACTI too.
Leakage is the least sure: oxides of 130 nm do not leak as those of 65 nm do in CACTI, so that its lower end
may not hold there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from archsim.technology.evidence import EXACT, Bracket
from archsim.technology.quantity import load_table

MACROS_TABLE = "sram_ihp_sg13g2.csv"
BRACKET_TABLE = "memory_bracket.csv"
FOUNDRY = "ihp_sg13g2"
"""Marks the macros that the lines are laid through, among the evidence."""

FIGURES = ("area_mm2", "read_energy_j", "write_energy_j", "leakage_w", "access_time_s")


@dataclass(frozen=True, kw_only=True)
class MemoryBracket:
    """The ends of each figure of a memory, as multiples of it. A macro's clock is part of its accesses."""

    area_mm2: Bracket = EXACT
    read_energy_j: Bracket = EXACT
    write_energy_j: Bracket = EXACT
    clock_energy_j: Bracket = EXACT
    leakage_w: Bracket = EXACT
    access_time_s: Bracket = EXACT


UNCOMPARED = MemoryBracket()
"""Of a memory that nobody compared."""


@dataclass(frozen=True)
class Excess:
    """Real over model by capacity: 1 + `side` x `at_byte` x bytes ^ `exponent`. `side` is -1 where the real
    ones are below the model."""

    side: float
    at_byte: float
    exponent: float

    def ratio(self, capacity_bytes: float) -> float:
        return float(1 + self.side * self.at_byte * capacity_bytes**self.exponent)


def excess(capacities_bytes: Sequence[float], ratios: Sequence[float]) -> Excess:
    """The least-squares line in log-log through what these ratios are from one, all on the side of their
    mean."""
    away = np.array(ratios) - 1
    side = float(np.sign(away.mean()))
    exponent, start = np.polyfit(np.log(capacities_bytes), np.log(side * away), 1)
    return Excess(side, float(np.exp(start)), float(exponent))


@cache
def _evidence() -> tuple[tuple[float, float], Mapping[str, Excess], Mapping[str, tuple[float, ...]]]:
    """Bytes of the smallest and the largest of the foundry's macros, and by figure their line, and the other
    ratios that were published."""
    rows = load_table(BRACKET_TABLE).rows
    real = [row for row in rows if row["evidence"] == FOUNDRY]
    capacities = [row["words"] * row["word_bits"] / 8 for row in real]
    lines = {name: excess(capacities, [row[f"{name}_ratio"] for row in real]) for name in FIGURES}
    others = {
        name: tuple(row[f"{name}_ratio"] for row in rows if row not in real and row[f"{name}_ratio"])
        for name in FIGURES
    }
    return (min(capacities), max(capacities)), lines, others


@cache
def macro_bracket(capacity_bytes: float) -> MemoryBracket:
    """The ends of a macro of this capacity.

    Beyond the foundry's macros, below 512 bytes and above 16 KiB, their ratio is that at the last of them.
    Two-port macros, other cell types and other nodes are given the same, for want of any of their own.
    """
    (least, most), lines, others = _evidence()
    capacity = min(max(capacity_bytes, least), most)
    ratios = {name: (1.0, line.ratio(capacity), *others[name]) for name, line in lines.items()}
    return MemoryBracket(**{name: Bracket(min(ends), max(ends)) for name, ends in ratios.items()})
