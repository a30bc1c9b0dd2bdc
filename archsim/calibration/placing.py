"""Measures what placing changes of the standard-cell engines: area, wires, clock trees, path and energy.

    python -m archsim.calibration.placing archsim/technology/data

writes `placement_cmos65.csv`, a row after each design, from few PEs to many. A design takes half a minute
to five minutes of one core; netlists, placements and toggles are remembered, so that an interrupted run goes
on. A list of numbers of PEs after the folder (`1,4`) leaves out the others.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from archsim.calibration.routing import PES, designs
from archsim.costs.layout import cell_layout_of
from archsim.design import DesignPoint
from archsim.technology import Cmos65
from workloads.files import write_text

TABLE = "placement_cmos65.csv"


def row_of(label: str, design: DesignPoint) -> dict[str, Any]:
    """One design as the table has it, mapped and placed."""
    technology = design.technology
    assert isinstance(technology, Cmos65)
    gate, placed = design.simulate("gate"), design.simulate("layout")
    made = cell_layout_of(design.mapping, technology)
    return {
        "engine": label,
        "pes": design.engine.pes,
        "network": design.network,
        "cells": len(made.netlist.cell_names),
        "memories": made.subject.problem.blocks,
        "resized": made.resized,
        "um_per_sink": made.um_per_sink,
        "clock_factor": made.clock_factor,
        "mapped_area_mm2": gate.area_mm2,
        "placed_area_mm2": placed.area_mm2,
        "mapped_path_s": gate.critical_path_s,
        "placed_path_s": placed.critical_path_s,
        "mapped_energy_j": gate.energy_j,
        "placed_energy_j": placed.energy_j,
    }


def write_table(directory: Path, pes: Sequence[int] = PES) -> None:
    """Map and place all designs, and write the table to four digits after each of them."""
    rows = []
    with tqdm(list(designs(pes, Cmos65())), unit="design") as bar:
        for label, design in bar:
            bar.set_postfix_str(f"{label}, {design.engine.pes} PEs")
            rows.append(row_of(label, design))
            text = pd.DataFrame(rows).to_csv(index=False, float_format="%.4g")
            write_text(directory / TABLE, text, precious=True)


def main() -> None:
    """Write the table to the directory named."""
    write_table(Path(sys.argv[1]), tuple(map(int, sys.argv[2].split(","))) if len(sys.argv) > 2 else PES)


if __name__ == "__main__":
    main()
