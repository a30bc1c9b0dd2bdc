"""The project's own 65 nm cells, wires and clock network, from which `cmos65` and `cmos` are made."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from importlib import resources

from archsim.technology.asic.abstracts import Abstracts, drawn
from archsim.technology.liberty.cell_library import CellLibrary
from archsim.technology.liberty.reader import read_liberty
from archsim.technology.memories.flop_memory import Wiring
from archsim.technology.quantity import load_quantities

CONSTANTS, LIBRARY_FILE = "cmos65.yaml", "cmos65.lib"
FIT = "cmos65"


@cache
def cmos65_library() -> CellLibrary:
    """The cell library that ships with the project. It was written for Yosys, which is given it as it is."""
    text = (resources.files("archsim.technology") / "data" / LIBRARY_FILE).read_text(encoding="utf-8")
    return replace(read_liberty(text), text=text)


@cache
def cmos65_wiring() -> Wiring:
    """Wires and clock network of the generic process, as its data file states them."""
    constants = load_quantities(CONSTANTS)
    return Wiring(
        capacitance_f_per_sink=float(constants["wire_capacitance_f_per_um"])
        * float(constants["wire_length_um_per_sink"]),
        f_per_um=float(constants["wire_capacitance_f_per_um"]),
        clock_network_factor=float(constants["clock_network_factor"]),
        max_fanout=int(float(constants["max_fanout"])),
        memory_pin_capacitance_f=float(constants["memory_pin_capacitance_f"]),
        flop_memory_activity=float(constants["flop_memory_activity"]),
        clock_gate_open_share=float(constants["clock_gate_open_share"]),
    )


def generic_abstracts(library: CellLibrary, area_factor: float = 1.0) -> Abstracts:
    """Outlines of the generic cells, or of the same in another process, in which areas are `area_factor` of
    theirs: rows and sites shrink alike."""
    constants, shrunk = load_quantities(CONSTANTS), math.sqrt(area_factor)
    return drawn(
        library,
        float(constants["row_height_um"]) * shrunk,
        float(constants["site_width_um"]) * shrunk,
    )
