"""Derives the figures of the project's own 65 nm cells from published figures of open 130 nm libraries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from archsim.technology.asic.generic_cells import CONSTANTS
from archsim.technology.asic.scaling import process
from archsim.technology.quantity import load_quantities, load_table

CELLS_TABLE = "cells_open_libraries.csv"
DRIVES_TABLE = "cell_drives.csv"

USED = (
    "supply_v",
    "nand2_area_um2",
    "capacitance_scale_130_to_65",
    "transition_s",
    "gate_capacitance_f_per_um",
    "off_current_a_per_um",
    "gate_current_a_per_um",
    "leaking_share_of_width",
)
_SWITCHING = "switch_internal_energy_j"
_ELECTRICAL = ("sky130hd", "ihp-sg13g2")
"""Libraries of which the table has electrical figures at a node and voltage the scaling polynomials cover."""

EXCLUDED: Mapping[tuple[str, str, str], str] = {
    ("osu018", "NOR3", "area_ge"): "oversized in the library itself (2.67 against 1.25 to 1.33 elsewhere)",
    ("osu018", "MUX2", "area_ge"): "an inverting multiplexer, which lacks an output inverter",
    ("ihp-sg13g2", "AOI22", _SWITCHING): "a third of its neighbours AOI21 and OAI21 scaled by size",
}
"""By library, cell and column: figures left out of the means, and why."""


@dataclass(frozen=True)
class Shape:
    """What a gate computes: inputs, the Liberty function of each output and the sense of each input's arc."""

    inputs: tuple[str, ...]
    function: str
    sense: str
    non_unate: tuple[str, ...] = ()
    output: str = "Y"
    carry: str = ""
    """The function of a second output, `CO`, which rises with every input."""


GATES: Mapping[str, Shape] = {
    "INV": Shape(("A",), "!A", "negative_unate"),
    "BUF": Shape(("A",), "A", "positive_unate"),
    "NAND2": Shape(("A", "B"), "!(A&B)", "negative_unate"),
    "NAND3": Shape(("A", "B", "C"), "!(A&B&C)", "negative_unate"),
    "NAND4": Shape(("A", "B", "C", "D"), "!(A&B&C&D)", "negative_unate"),
    "NOR2": Shape(("A", "B"), "!(A|B)", "negative_unate"),
    "NOR3": Shape(("A", "B", "C"), "!(A|B|C)", "negative_unate"),
    "AND2": Shape(("A", "B"), "A&B", "positive_unate"),
    "OR2": Shape(("A", "B"), "A|B", "positive_unate"),
    "AOI21": Shape(("A", "B", "C"), "!((A&B)|C)", "negative_unate"),
    "OAI21": Shape(("A", "B", "C"), "!((A|B)&C)", "negative_unate"),
    "AOI22": Shape(("A", "B", "C", "D"), "!((A&B)|(C&D))", "negative_unate"),
    "XOR2": Shape(("A", "B"), "A^B", "non_unate"),
    "XNOR2": Shape(("A", "B"), "!(A^B)", "non_unate"),
    "MUX2": Shape(("A", "B", "S"), "(A&!S)|(B&S)", "positive_unate", ("S",)),
    "HA": Shape(("A", "B"), "A^B", "non_unate", output="S", carry="A&B"),
    "FA": Shape(("A", "B", "CI"), "A^B^CI", "non_unate", output="S", carry="(A&B)|(A&CI)|(B&CI)"),
}
FLOPS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "DFF": (("D",), "D"),
    "DFFE": (("D", "E"), "(D&E)|(IQ&!E)"),
}
LATCH, CLOCK_GATE = "DLATCH", "CLKGATE"
CLOCKED = (*FLOPS, LATCH, CLOCK_GATE)
"""The cells with a clock or enable pin, which has a capacitance and an energy of its own."""

DRIVES: Mapping[str, str] = {
    **{name: name for name in ("INV", "BUF", "NAND2", "NOR2", "NOR3", "AND2", "OR2", "AOI21", "MUX2")},
    **dict.fromkeys(("OAI21", "XOR2", "XNOR2"), "AOI21"),
}
"""Cells that come in more drives than one, and the cell of the table of drives whose ratios they take. No
library there has those of the last three: an inverting gate of several series transistors stands for them."""


@dataclass(frozen=True, kw_only=True)
class CellFigures:
    """What a cell of the 65 nm library costs, SI units; the last three are zero for a gate without clock."""

    area_um2: float
    input_capacitance_f: float
    leakage_w: float
    switch_energy_j: float
    intrinsic_s: float
    slope_s_per_f: float
    clock_capacitance_f: float = 0.0
    clock_edge_energy_j: float = 0.0
    setup_s: float = 0.0


def _rows(cell: str, column: str, libraries: tuple[str, ...] | None) -> list[Mapping[str, Any]]:
    return [
        row
        for row in load_table(CELLS_TABLE).rows
        if row["function"].split(":")[0] == cell
        and row[column] is not None
        and (libraries is None or row["library"] in libraries)
        and (row["library"], cell, column) not in EXCLUDED
    ]


RELATIVE: Mapping[str, str] = {"HA": "XOR2", "FA": "XOR2"}
"""Cells whose electrical figures are those of another cell x their mean ratio in the libraries that have
both. Of the two libraries behind the other gates only one has adders, and scaled to 65 nm those two lie a
factor of 2.5 apart in the energy of an XOR2: a figure of one alone would not stand beside means of both."""

_ELECTRICAL_COLUMNS = {
    "input_capacitance_f": "input_cap_f",
    "switch_energy_j": _SWITCHING,
    "intrinsic_s": "intrinsic_delay_s",
    "slope_s_per_f": "load_delay_s_per_f",
}
"""By electrical figure of a gate: the column of the tables."""

_DRIVE_COLUMNS = {"area_um2": "area_um2", "leakage_w": "leakage_w", **_ELECTRICAL_COLUMNS}


def base_and_drive(cell: str) -> tuple[str, int]:
    """NAND2_X4 as ("NAND2", 4)."""
    base, _, drive = cell.rpartition("_X")
    return base, int(drive)


def _stronger(figures: CellFigures, function: str) -> dict[int, CellFigures]:
    """A cell of drive 1 in the other drives: each figure x the mean, over the libraries that have it, of the
    drive's over that of drive 1."""
    rows = [row for row in load_table(DRIVES_TABLE).rows if row["function"] == function]
    ones = {row["library"]: row for row in rows if row["drive"] == 1}
    drives = sorted({int(row["drive"]) for row in rows} - {1})

    def ratio(drive: int, column: str) -> float:
        stated = [row for row in rows if row["drive"] == drive]
        return float(np.mean([row[column] / ones[row["library"]][column] for row in stated]))

    return {
        drive: replace(
            figures,
            **{
                name: getattr(figures, name) * ratio(drive, column) for name, column in _DRIVE_COLUMNS.items()
            },
        )
        for drive in drives
    }


def _related(figures: CellFigures, cell: str, reference: CellFigures, reference_cell: str) -> CellFigures:
    """A cell with the electrical figures of a reference x their mean ratio over the libraries with both."""

    def ratio(column: str) -> float:
        stated = {row["library"]: row[column] for row in _rows(reference_cell, column, None)}
        own = [row for row in _rows(cell, column, None) if row["library"] in stated]
        return float(np.mean([row[column] / stated[row["library"]] for row in own]))

    return replace(
        figures,
        **{name: getattr(reference, name) * ratio(column) for name, column in _ELECTRICAL_COLUMNS.items()},
    )


def derive_cells() -> dict[str, CellFigures]:
    """The figures of every cell of the library by its name, NAND2_X1, by the rules that the Liberty file
    repeats in its comments."""
    ones = _derive_ones()
    ones |= {name: _related(ones[name], name, ones[other], other) for name, other in RELATIVE.items()}
    cells = {}
    for name, figures in ones.items():
        cells[f"{name}_X1"] = figures
        if name in DRIVES:
            cells |= {f"{name}_X{n}": each for n, each in _stronger(figures, DRIVES[name]).items()}
    return cells


def _derive_ones() -> dict[str, CellFigures]:
    """The cells of drive 1."""
    constants = {name: float(load_quantities(CONSTANTS)[name]) for name in USED}
    target, supply_v = process(65), constants["supply_v"]
    capacitance_scale = constants["capacitance_scale_130_to_65"]

    def scaled(cell: str, column: str, what: str) -> float:
        def by(row: Mapping[str, Any]) -> float:
            if what == "capacitance":
                return capacitance_scale
            source, source_v = process(row["node_nm"]), row["vdd_v"]
            if what == "energy":
                return target.energy(supply_v) / source.energy(source_v)
            delay = target.delay(supply_v) / source.delay(source_v)
            return delay / capacitance_scale if what == "delay per load" else delay

        return float(np.mean([row[column] * by(row) for row in _rows(cell, column, _ELECTRICAL)]))

    input_f = scaled("NAND2", "input_cap_f", "capacitance")
    nand2_width_um = 2 * input_f / constants["gate_capacitance_f_per_um"]
    current_per_um = constants["off_current_a_per_um"] + constants["gate_current_a_per_um"]
    leakage_per_ge = supply_v * current_per_um * nand2_width_um * constants["leaking_share_of_width"]
    cells = {}
    for cell in (*GATES, *CLOCKED):
        gate_equivalents = float(np.mean([row["area_ge"] for row in _rows(cell, "area_ge", None)]))
        is_clocked = cell in CLOCKED
        cells[cell] = CellFigures(
            area_um2=gate_equivalents * constants["nand2_area_um2"],
            input_capacitance_f=scaled(cell, "input_cap_f", "capacitance"),
            leakage_w=gate_equivalents * leakage_per_ge,
            switch_energy_j=scaled(cell, _SWITCHING, "energy"),
            intrinsic_s=scaled(cell, "intrinsic_delay_s", "delay"),
            slope_s_per_f=scaled(cell, "load_delay_s_per_f", "delay per load"),
            clock_capacitance_f=scaled(cell, "clk_pin_cap_f", "capacitance") if is_clocked else 0.0,
            clock_edge_energy_j=scaled(cell, "clk_internal_energy_j", "energy") if is_clocked else 0.0,
            setup_s=scaled(cell, "setup_s", "delay") if is_clocked else 0.0,
        )
    return cells
