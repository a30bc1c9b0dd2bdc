"""Derives the project's own 65 nm cell library from published cell figures and writes it as a Liberty file.

Run `python -m archsim.technology.cells` to write `archsim/data/cmos65.lib` again; a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archsim.technology.quantity import load_quantities, load_table

CELLS_TABLE = "cells_open_libraries.csv"
SCALING_TABLE = "scaling_stillmaker2017.csv"
CONSTANTS = "cmos65.yaml"
LIBRARY_FILE = "cmos65.lib"

_USED = (
    "supply_v",
    "nand2_area_um2",
    "capacitance_scale_130_to_65",
    "transition_s",
    "gate_capacitance_f_per_um",
    "off_current_a_per_um",
    "gate_current_a_per_um",
    "leaking_share_of_width",
)
# Libraries of which the table has electrical figures at a node and voltage the scaling polynomials cover.
_ELECTRICAL = ("sky130hd", "ihp-sg13g2")
# (library, cell, column): figures left out of the means, and why.
_EXCLUDED: Mapping[tuple[str, str, str], str] = {
    ("osu018", "NOR3", "area_ge"): "oversized in the library itself (2.67 against 1.25 to 1.33 elsewhere)",
    ("osu018", "MUX2", "area_ge"): "an inverting multiplexer, which lacks an output inverter",
    ("ihp-sg13g2", "AOI22", "switch_internal_energy_j"): "a third of its neighbours AOI21 and OAI21 scaled by size",
}


@dataclass(frozen=True)
class Shape:
    """What a cell computes: inputs, Liberty function and the sense of each input's arc."""

    inputs: tuple[str, ...]
    function: str
    sense: str
    non_unate: tuple[str, ...] = ()


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
}
FLOPS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "DFF": (("D",), "D"),
    "DFFE": (("D", "E"), "(D&E)|(IQ&!E)"),
}


@dataclass(frozen=True, kw_only=True)
class CellFigures:
    """What a cell of the 65 nm library costs, SI units; the flop figures are zero for a gate."""

    area_um2: float
    input_capacitance_f: float
    leakage_w: float
    switch_energy_j: float
    intrinsic_s: float
    slope_s_per_f: float
    clock_capacitance_f: float = 0.0
    clock_edge_energy_j: float = 0.0
    setup_s: float = 0.0


def scaling_factors(node_nm: int, supply_v: float) -> tuple[float, float]:
    """Delay and energy factors of a bulk node at a supply, as Stillmaker and Baas (2017) define them."""
    row = next(
        (r for r in load_table(SCALING_TABLE).rows if int(r["node_nm"]) == node_nm and r["flavour"] == "bulk"), None
    )
    if row is None:
        raise ValueError(f"node_nm is {node_nm!r}; allowed are the bulk nodes of {SCALING_TABLE}: 180, 130, 90, 65.")
    delay = np.polyval([float(row[f"delay_a{power}"]) for power in (3, 2, 1, 0)], supply_v)
    energy = np.polyval([float(row[f"energy_b{power}"]) for power in (2, 1, 0)], supply_v)
    return float(delay), float(energy)


def _rows(cell: str, column: str, libraries: tuple[str, ...] | None) -> list[tuple[Mapping[str, str], float]]:
    return [
        (row, float(row[column]))
        for row in load_table(CELLS_TABLE).rows
        if row["function"].split(":")[0] == cell
        and row[column]
        and (libraries is None or row["library"] in libraries)
        and (row["library"], cell, column) not in _EXCLUDED
    ]


def derive_cells() -> dict[str, CellFigures]:
    """The figures of every cell of the library, by the rules that the Liberty file repeats in its comments."""
    constants = {name: float(load_quantities(CONSTANTS)[name]) for name in _USED}
    delay_65, energy_65 = scaling_factors(65, constants["supply_v"])
    capacitance_scale = constants["capacitance_scale_130_to_65"]

    def scaled(cell: str, column: str, what: str) -> float:
        found = []
        for row, value in _rows(cell, column, _ELECTRICAL):
            delay, energy = scaling_factors(int(row["node_nm"]), float(row["vdd_v"]))
            found.append(
                value
                * {
                    "capacitance": capacitance_scale,
                    "energy": energy_65 / energy,
                    "delay": delay_65 / delay,
                    "delay per load": delay_65 / delay / capacitance_scale,
                }[what]
            )
        return float(np.mean(found))

    nand2_width_um = 2 * scaled("NAND2", "input_cap_f", "capacitance") / constants["gate_capacitance_f_per_um"]
    current_per_um = constants["off_current_a_per_um"] + constants["gate_current_a_per_um"]
    leakage_per_ge = constants["supply_v"] * current_per_um * nand2_width_um * constants["leaking_share_of_width"]

    cells = {}
    for cell in (*GATES, *FLOPS):
        gate_equivalents = float(np.mean([value for _, value in _rows(cell, "area_ge", None)]))
        is_flop = cell in FLOPS
        cells[cell] = CellFigures(
            area_um2=gate_equivalents * constants["nand2_area_um2"],
            input_capacitance_f=scaled(cell, "input_cap_f", "capacitance"),
            leakage_w=gate_equivalents * leakage_per_ge,
            switch_energy_j=scaled(cell, "switch_internal_energy_j", "energy"),
            intrinsic_s=scaled(cell, "intrinsic_delay_s", "delay"),
            slope_s_per_f=scaled(cell, "load_delay_s_per_f", "delay per load"),
            clock_capacitance_f=scaled(cell, "clk_pin_cap_f", "capacitance") if is_flop else 0.0,
            clock_edge_energy_j=scaled(cell, "clk_internal_energy_j", "energy") if is_flop else 0.0,
            setup_s=scaled(cell, "setup_s", "delay") if is_flop else 0.0,
        )
    return cells


_MAX_LOAD_PF = 0.1


def _flat(kind: str, template: str, value: float) -> str:
    row = f"{value:.6g}, {value:.6g}"
    return f'{kind} ({template}) {{ values ("{row}", "{row}"); }}'


def _timing(related: str, sense: str, figures: CellFigures, transition_ns: float, edge: str = "") -> list[str]:
    start, end = figures.intrinsic_s * 1e9, (figures.intrinsic_s + figures.slope_s_per_f * _MAX_LOAD_PF * 1e-12) * 1e9
    row = f"{start:.6g}, {end:.6g}"
    delays = [f'cell_{way} (delay_2x2) {{ values ("{row}", "{row}"); }}' for way in ("rise", "fall")]
    slews = [_flat(f"{way}_transition", "delay_2x2", transition_ns) for way in ("rise", "fall")]
    head = [f'related_pin : "{related}";', f"timing_sense : {sense};"] + ([f"timing_type : {edge};"] if edge else [])
    return _block("timing ()", head + delays + slews)


def _power(related: str, energy_j: float) -> list[str]:
    """Internal energy of an output pin per transition, or of a clock pin per edge where `related` is empty."""
    if related:
        powers = [_flat(f"{way}_power", "energy_2x2", energy_j * 1e12) for way in ("rise", "fall")]
        return _block("internal_power ()", [f'related_pin : "{related}";', *powers])
    row = f"{energy_j * 1e12:.6g}, {energy_j * 1e12:.6g}"
    return _block(
        "internal_power ()", [f'{way}_power (energy_slew) {{ values ("{row}"); }}' for way in ("rise", "fall")]
    )


def _block(head: str, lines: list[str]) -> list[str]:
    return [f"{head} {{", *("  " + line for line in lines), "}"]


def _input(name: str, capacitance_f: float, extra: list[str] | None = None) -> list[str]:
    return _block(
        f"pin ({name})", ["direction : input;", f"capacitance : {capacitance_f * 1e12:.6g};", *(extra or [])]
    )


def _output(name: str, function: str, body: list[str]) -> list[str]:
    limit = f"max_capacitance : {_MAX_LOAD_PF:.6g};"
    return _block(f"pin ({name})", ["direction : output;", f'function : "{function}";', limit, *body])


def _gate(name: str, figures: CellFigures, transition_ns: float) -> list[str]:
    shape = GATES[name]
    body = []
    for pin in shape.inputs:
        sense = "non_unate" if pin in shape.non_unate else shape.sense
        body += _timing(pin, sense, figures, transition_ns) + _power(pin, figures.switch_energy_j)
    pins = [line for pin in shape.inputs for line in _input(pin, figures.input_capacitance_f)]
    return pins + _output("Y", shape.function, body)


def _flop(name: str, figures: CellFigures, transition_ns: float) -> list[str]:
    data_pins, next_state = FLOPS[name]
    setup = _block(
        "timing ()",
        ['related_pin : "CK";', "timing_type : setup_rising;"]
        + [_flat(f"{way}_constraint", "constraint_2x2", figures.setup_s * 1e9) for way in ("rise", "fall")],
    )
    lines = _block("ff (IQ, IQN)", ['clocked_on : "CK";', f'next_state : "{next_state}";'])
    for pin in data_pins:
        lines += _input(pin, figures.input_capacitance_f, setup)
    lines += _input("CK", figures.clock_capacitance_f, ["clock : true;", *_power("", figures.clock_edge_energy_j)])
    body = _timing("CK", "non_unate", figures, transition_ns, "rising_edge") + _power("CK", figures.switch_energy_j)
    return lines + _output("Q", "IQ", body)


def library_text() -> str:
    """The Liberty text of the 65 nm library, the same text on every run."""
    constants = load_quantities(CONSTANTS)
    cells = derive_cells()
    transition_ns = float(constants["transition_s"]) * 1e9
    excluded = [f"    {lib} {cell} {column}: {why}" for (lib, cell, column), why in _EXCLUDED.items()]
    factors = [
        f"    {node} nm at {volt} V: delay {scaling_factors(node, volt)[0]:.5g}, energy {scaling_factors(node, volt)[1]:.5g}"
        for node, volt in ((65, float(constants["supply_v"])), (130, 1.2), (130, 1.8))
    ]
    comment = [
        "/*",
        "  Generic 65 nm CMOS cells, written by archsim.technology.cells from the data files named below.",
        "  No figure is a foundry's. Cells are of one drive strength. Rules, the same for every cell:",
        f"  area: mean gate equivalents over the libraries of {CELLS_TABLE} x nand2_area_um2 (assumed).",
        "  capacitance: mean of sky130hd and ihp-sg13g2 x capacitance_scale_130_to_65 (assumed).",
        "  internal energy: each of the two x energy factor of 65 nm over that of 130 nm at its own voltage, then the mean.",
        "  intrinsic delay, setup: the same with the delay factors; delay per load: also over the capacitance scale.",
        "  The flops' electrical figures come from sky130hd alone: the other library has no plain flop.",
        "  sky130hd is read at 1.8 V, above the 130 nm range the polynomials were fitted in.",
        "  leakage: supply x (off + gate current per um, CACTI 7 lstp) x half of the NAND2's gate width x gate equivalents",
        "  of the cell (assumed: 130 nm leakage does not scale to 65 nm).",
        "  clock pin: internal energy per clock edge with data still, scaled as above.",
        "  Output transition is the constant at which the delays were read, so that delay depends on load alone.",
        f"  Source of the factors: {SCALING_TABLE} (Stillmaker and Baas 2017, doi 10.1016/j.vlsi.2017.02.002):",
        *factors,
        "  Left out of the means:",
        *excluded,
        f"  Constants of {CONSTANTS}:",
        *(
            f"    {each.name.split(':')[1]} = {each.value:g} {each.unit} ({each.kind})"
            for each in (constants[name] for name in _USED)
        ),
        "*/",
    ]
    slew_axis, load_axis = 'index_1 ("0.01, 1");', f'index_2 ("0, {_MAX_LOAD_PF:g}");'
    slew, power_slew = "variable_1 : input_net_transition;", "variable_1 : input_transition_time;"
    load = "variable_2 : total_output_net_capacitance;"
    constraint = ["variable_1 : related_pin_transition;", "variable_2 : constrained_pin_transition;"]
    body = [
        "delay_model : table_lookup;",
        'time_unit : "1ns";',
        'voltage_unit : "1V";',
        'current_unit : "1mA";',
        'pulling_resistance_unit : "1kohm";',
        'leakage_power_unit : "1nW";',
        "capacitive_load_unit (1, pf);",
        "nom_process : 1;",
        "nom_temperature : 27;",
        f"nom_voltage : {float(constants['supply_v']):g};",
        "default_max_transition : 1;",
        *(f"{kind}_threshold_pct_{way} : 50;" for kind in ("input", "output") for way in ("rise", "fall")),
        *(f"slew_{end}_threshold_pct_{way} : {pct};" for end, pct in (("lower", 10), ("upper", 90)) for way in ("rise", "fall")),
        *_block("operating_conditions (typical)", ["process : 1;", "temperature : 27;", f"voltage : {float(constants['supply_v']):g};"]),
        "default_operating_conditions : typical;",
        *_block("lu_table_template (delay_2x2)", [slew, load, slew_axis, load_axis]),
        *_block("lu_table_template (constraint_2x2)", [*constraint, slew_axis, slew_axis.replace("_1", "_2")]),
        *_block("power_lut_template (energy_2x2)", [power_slew, load, slew_axis, load_axis]),
        *_block("power_lut_template (energy_slew)", [power_slew, slew_axis]),
    ]
    for name, figures in cells.items():
        inside = _gate(name, figures, transition_ns) if name in GATES else _flop(name, figures, transition_ns)
        head = [f"area : {figures.area_um2:.6g};", f"cell_leakage_power : {figures.leakage_w * 1e9:.6g};"]
        body += _block(f"cell ({name}_X1)", head + inside)
    return "\n".join([*comment, *_block("library (cmos65)", body), ""])


if __name__ == "__main__":
    Path(__file__).parents[1].joinpath("data", LIBRARY_FILE).write_text(library_text(), encoding="utf-8")
