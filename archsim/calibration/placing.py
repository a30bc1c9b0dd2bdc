"""Measures what placing changes of the standard-cell engines, and fits what it multiplies.

    python -m archsim.calibration.placing archsim/technology/data

writes `placement_cmos65.csv`, a row after each design, from few PEs to many, and then `placing_fit.yaml`,
which the fidelities that do not place expect placing by. A design takes half a minute to five minutes of one
core; netlists, placements and toggles are remembered, so that an interrupted run goes on. A list of numbers
of PEs after the folder (`1,4`) leaves out the others.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from archsim.calibration.routing import PES, designs
from archsim.costs.fidelity.gate import map_to_gates
from archsim.costs.fidelity.layout import cell_layout_of, place_and_route
from archsim.costs.fidelity.placing import ANY, AREA, CLOCK, EXPONENT, FIGURES, LAW, OF_GATES, PATH, SWITCHING
from archsim.costs.logic import Logic
from archsim.costs.memories import memories
from archsim.design import DesignPoint
from archsim.technology import Cmos65
from archsim.technology.quantity import read_table
from workloads.files import write_text

TABLE = "placement_cmos65.csv"

COLUMNS = {AREA: "area_mm2", SWITCHING: "switching_j", CLOCK: "clock_j", PATH: "path_s"}
"""What a figure is called in the table, behind `mapped_` and `placed_`."""

PRIOR_ROWS = 1.0
"""An engine's factor is drawn towards that of all engines as if so many more of its designs had had that one:
a design by itself is known to some per cent only."""


def row_of(label: str, design: DesignPoint) -> dict[str, Any]:
    """One design as the table has it, mapped and placed."""
    technology, mapping = design.technology, design.mapping
    assert isinstance(technology, Cmos65)
    made = cell_layout_of(mapping, technology)
    mapped, placed = map_to_gates(mapping, technology), place_and_route(mapping, technology)
    in_memories = sum(shape.number * cost.area_mm2 for shape, cost in memories(mapping.sizes, technology))
    cells_mm2 = sum(part.area_mm2 for part in mapped.parts)
    return {
        "engine": mapping.sizes.label,
        "organisation": label,
        "pes": design.engine.pes,
        "network": design.network,
        "cells": len(made.netlist.cell_names),
        "gate_equivalents": 1e6 * cells_mm2 / technology.library.gate_equivalent_um2,
        "memories": made.subject.problem.blocks,
        "resized": made.resized,
        "um_per_sink": made.um_per_sink,
        "clock_factor": made.clock_factor,
        **_figures("mapped", mapped, design, in_memories),
        **_figures("placed", placed, design, in_memories),
    }


def _figures(state: str, logic: Logic, design: DesignPoint, in_memories_mm2: float) -> dict[str, float]:
    """Area with memories, energies of the logic in an inference, and the longest path."""
    counts = design.mapping.simulate()
    switched_j = sum(
        part.active_cycles(counts)
        * (part.gate_switching_j + part.glitch_switching_j + part.register_switching_j)
        for part in logic.parts
    )
    figures = {
        AREA: sum(part.area_mm2 for part in logic.parts) + in_memories_mm2,
        SWITCHING: switched_j,
        CLOCK: counts.interval_cycles * sum(part.clock_energy_j for part in logic.parts),
        PATH: logic.critical_path_s or 0.0,
    }
    return {f"{state}_{COLUMNS[name]}": value for name, value in figures.items()}


def write_table(directory: Path, pes: Sequence[int] = PES) -> None:
    """Map and place all designs, and write the table to four digits after each of them."""
    rows = []
    with tqdm(list(designs(pes, Cmos65())), unit="design") as bar:
        for label, design in bar:
            bar.set_postfix_str(f"{label}, {design.engine.pes} PEs")
            rows.append(row_of(label, design))
            text = pd.DataFrame(rows).to_csv(index=False, float_format="%.4g")
            write_text(directory / TABLE, text, precious=True)


class Ratios:
    """The logarithms of what placing multiplied, by figure, of some rows of the table, and their least
    squares: a factor of all engines, a power of the size, and of each engine a factor of its own that is
    drawn to one."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.engines = sorted({row["engine"] for row in rows})
        self.rows = rows
        self.amounts = np.array([self._amounts(row) for row in rows])
        self.logs = {
            name: np.log([row[f"placed_{of}"] / row[f"mapped_{of}"] for row in rows])
            for name, of in COLUMNS.items()
        }

    def _amounts(self, row: Mapping[str, Any]) -> list[float]:
        own = [float(row["engine"] == engine) for engine in self.engines]
        return [1.0, float(np.log(row["gate_equivalents"] / OF_GATES)), *own]

    def solved(self, figure: str, kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Logarithm of the common factor, exponent, and logarithms of the engines' own factors, from the rows
        that are kept."""
        amounts, logs = self.amounts[kept], self.logs[figure][kept]
        drawn = np.diag([0.0, 0.0, *[PRIOR_ROWS] * len(self.engines)])
        solution: NDArray[np.float64] = np.linalg.solve(amounts.T @ amounts + drawn, amounts.T @ logs)
        return solution

    def unseen(self) -> dict[str, NDArray[np.float64]]:
        """What each row's factors are by the law of all other rows, by figure."""
        count = len(self.rows)
        others = ~np.eye(count, dtype=bool)
        return {
            figure: np.exp([self.amounts[k] @ self.solved(figure, others[k]) for k in range(count)])
            for figure in FIGURES
        }


def errors(ratios: Ratios) -> dict[str, NDArray[np.float64]]:
    """Relative errors of the figures of a result, of each row by the law of all others. That of energy is of
    what the logic spends."""
    factors = ratios.unseen()
    mapped, placed = (
        {name: np.array([row[f"{state}_{of}"] for row in ratios.rows], float) for name, of in COLUMNS.items()}
        for state in ("mapped", "placed")
    )
    expected = {name: mapped[name] * factors[name] for name in FIGURES}
    return {
        "area_mm2": expected[AREA] / placed[AREA] - 1,
        "energy_j": (expected[SWITCHING] + expected[CLOCK]) / (placed[SWITCHING] + placed[CLOCK]) - 1,
        "critical_path_s": expected[PATH] / placed[PATH] - 1,
    }


def fit_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The data file of the law that follows from the rows of the table."""
    ratios = Ratios(rows)
    fitted = (
        f"Least squares of logarithms over {len(rows)} engines mapped and placed in 65 nm cells ({TABLE}), "
        f"an engine's own factor drawn to that of all as by {PRIOR_ROWS:g} more design, by "
        "archsim.calibration.placing"
    )
    lines = [
        'title: "What placing makes of mapped cells, by engine and size, fitted, and its errors"',
        "note: >-",
        "  A figure of a placed engine over that of its mapped netlist is the factor of its engine times",
        f"  (size / {OF_GATES:g} two-input NANDs) ^ exponent. switching has wires, repeaters, drives and",
        "  glitches in it; mapped netlists have the wires and clock network of cmos65.yaml.",
        "quantities:",
    ]

    def entry(name: str, value: float, kind: str, origin: str) -> None:
        lines.append(f'  {name}: {{value: {value:.5g}, unit: "1", kind: {kind}, source: {origin}}}')

    origin = f'&fit "{fitted}"'
    for figure in FIGURES:
        common, exponent, *own = ratios.solved(figure, np.ones(len(rows), bool))
        entry(f"{figure}/{ANY}", float(np.exp(common)), "fitted", origin)
        origin = "*fit"
        entry(f"{figure}/{EXPONENT}", float(exponent), "fitted", origin)
        for engine, factor in zip(ratios.engines, own, strict=True):
            entry(f'"{figure}/{engine}"', float(np.exp(common + factor)), "fitted", origin)
    for metric, off in errors(ratios).items():
        row = rows[int(np.argmax(np.abs(off)))]
        origin = f"Each of the {len(rows)} designs of {TABLE} by the law of all others"
        worst = f"{origin}; worst at {row['engine']} with {row['pes']} PEs"
        entry(f"held_out_mean/{metric}", float(np.abs(off).mean()), "measured", f'"{origin}"')
        entry(f"held_out_worst/{metric}", float(np.abs(off).max()), "measured", f'"{worst}"')
    return "\n".join(lines) + "\n"


def write_fit(directory: Path) -> None:
    """Fit what the table of a directory holds, so that the law follows from it."""
    write_text(directory / LAW, fit_text(read_table(TABLE, directory).rows), precious=True)


def main() -> None:
    """Write the table and the law to the directory named."""
    directory = Path(sys.argv[1])
    write_table(directory, tuple(map(int, sys.argv[2].split(","))) if len(sys.argv) > 2 else PES)
    write_fit(directory)


if __name__ == "__main__":
    main()
