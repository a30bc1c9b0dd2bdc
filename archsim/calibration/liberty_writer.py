"""Writes the project's own 65 nm cell library as a Liberty file.

Run `python -m archsim.calibration.liberty_writer` to write `archsim/technology/data/cmos65.lib` again; a test
compares the two.
"""

from __future__ import annotations

from pathlib import Path

from archsim.calibration.cells import (
    CELLS_TABLE,
    CLOCK_GATE,
    DRIVES,
    DRIVES_TABLE,
    EXCLUDED,
    FLOPS,
    GATES,
    LATCH,
    USED,
    CellFigures,
    base_and_drive,
    derive_cells,
)
from archsim.technology.asic.generic_cells import CONSTANTS, LIBRARY_FILE
from archsim.technology.asic.scaling import SCALING_TABLE, process
from archsim.technology.quantity import load_quantities
from workloads.files import write_text

_MAX_LOAD_PF = 0.1


def _flat(kind: str, template: str, value: float) -> str:
    row = f"{value:.6g}, {value:.6g}"
    return f'{kind} ({template}) {{ values ("{row}", "{row}"); }}'


def _timing(
    related: str, sense: str, figures: CellFigures, transition_ns: float, edge: str = ""
) -> list[str]:
    loaded_s = figures.intrinsic_s + figures.slope_s_per_f * _MAX_LOAD_PF * 1e-12
    row = f"{figures.intrinsic_s * 1e9:.6g}, {loaded_s * 1e9:.6g}"
    delays = [f'cell_{way} (delay_2x2) {{ values ("{row}", "{row}"); }}' for way in ("rise", "fall")]
    slews = [_flat(f"{way}_transition", "delay_2x2", transition_ns) for way in ("rise", "fall")]
    head = [
        f'related_pin : "{related}";',
        f"timing_sense : {sense};",
        *[f"timing_type : {edge};"] * bool(edge),
    ]
    return _block("timing ()", head + delays + slews)


def _power(related: str, energy_j: float) -> list[str]:
    """Internal energy of an output pin per transition, or of a clock pin per edge where `related` is
    empty."""
    if related:
        powers = [_flat(f"{way}_power", "energy_2x2", energy_j * 1e12) for way in ("rise", "fall")]
        return _block("internal_power ()", [f'related_pin : "{related}";', *powers])
    row = f"{energy_j * 1e12:.6g}, {energy_j * 1e12:.6g}"
    powers = [f'{way}_power (energy_slew) {{ values ("{row}"); }}' for way in ("rise", "fall")]
    return _block("internal_power ()", powers)


def _block(head: str, lines: list[str]) -> list[str]:
    return [f"{head} {{", *("  " + line for line in lines), "}"]


def _input(name: str, capacitance_f: float, extra: list[str] | None = None) -> list[str]:
    capacitance = f"capacitance : {capacitance_f * 1e12:.6g};"
    return _block(f"pin ({name})", ["direction : input;", capacitance, *(extra or [])])


def _output(name: str, function: str, body: list[str], kind: str = "function") -> list[str]:
    limit = f"max_capacitance : {_MAX_LOAD_PF:.6g};"
    return _block(f"pin ({name})", ["direction : output;", f'{kind} : "{function}";', limit, *body])


def _gate(name: str, figures: CellFigures, transition_ns: float) -> list[str]:
    shape = GATES[name]
    body, carry = [], []
    for pin in shape.inputs:
        sense = "non_unate" if pin in shape.non_unate else shape.sense
        body += _timing(pin, sense, figures, transition_ns) + _power(pin, figures.switch_energy_j)
        carry += _timing(pin, "positive_unate", figures, transition_ns)
        carry += _power(pin, figures.switch_energy_j)
    pins = [line for pin in shape.inputs for line in _input(pin, figures.input_capacitance_f)]
    outputs = _output(shape.output, shape.function, body)
    return pins + outputs + (_output("CO", shape.carry, carry) if shape.carry else [])


def _flop(name: str, figures: CellFigures, transition_ns: float) -> list[str]:
    data_pins, next_state = FLOPS[name]
    setup = _setup("CK", "setup_rising", figures)
    lines = _block("ff (IQ, IQN)", ['clocked_on : "CK";', f'next_state : "{next_state}";'])
    for pin in data_pins:
        lines += _input(pin, figures.input_capacitance_f, setup)
    edges = ["clock : true;", *_power("", figures.clock_edge_energy_j)]
    lines += _input("CK", figures.clock_capacitance_f, edges)
    body = _timing("CK", "non_unate", figures, transition_ns, "rising_edge")
    return lines + _output("Q", "IQ", body + _power("CK", figures.switch_energy_j))


_LACKING = ", ".join(cell for cell, taken in DRIVES.items() if cell != taken)


def _setup(related: str, edge: str, figures: CellFigures) -> list[str]:
    limits = [_flat(f"{way}_constraint", "constraint_2x2", figures.setup_s * 1e9) for way in ("rise", "fall")]
    return _block("timing ()", [f'related_pin : "{related}";', f"timing_type : {edge};", *limits])


def _latch(figures: CellFigures, transition_ns: float) -> list[str]:
    """Transparent while G is high. Its delay is that from G, which is within 5 % of that from D."""
    lines = _block("latch (IQ, IQN)", ['enable : "G";', 'data_in : "D";'])
    lines += _input("D", figures.input_capacitance_f, _setup("G", "setup_falling", figures))
    edges = ["clock : true;", *_power("", figures.clock_edge_energy_j)]
    lines += _input("G", figures.clock_capacitance_f, edges)
    body = _timing("G", "non_unate", figures, transition_ns, "rising_edge") + _power(
        "G", figures.switch_energy_j
    )
    body += _timing("D", "positive_unate", figures, transition_ns)
    return lines + _output("Q", "IQ", body)


def _clock_gate(figures: CellFigures, transition_ns: float) -> list[str]:
    """The enable goes through a latch that holds it while the clock is high, so that no pulse is cut."""
    rows = '"L L : - : L, L H : - : H, H - : - : N"'
    lines = ["clock_gating_integrated_cell : latch_posedge;"]
    lines += _block('statetable ("CK E", "IQ")', [f"table : {rows};"])
    lines += _block("pin (IQ)", ["direction : internal;", 'internal_node : "IQ";'])
    enable = ["clock_gate_enable_pin : true;", *_setup("CK", "setup_rising", figures)]
    lines += _input("E", figures.input_capacitance_f, enable)
    edges = ["clock : true;", "clock_gate_clock_pin : true;", *_power("", figures.clock_edge_energy_j)]
    lines += _input("CK", figures.clock_capacitance_f, edges)
    body = ["clock_gate_out_pin : true;", *_timing("CK", "positive_unate", figures, transition_ns)]
    return lines + _output("GCK", "CK & IQ", body + _power("CK", figures.switch_energy_j), "state_function")


_RULES = f"""
  Generic 65 nm CMOS cells, written by archsim.calibration.liberty_writer from the data files named below.
  No figure is a foundry's. Rules, the same for every cell of drive 1:
  area: mean gate equivalents over the libraries of {CELLS_TABLE} x nand2_area_um2 (assumed).
  capacitance: mean of sky130hd and ihp-sg13g2 x capacitance_scale_130_to_65 (assumed).
  internal energy: each of the two x energy factor of 65 nm over that of 130 nm at its own voltage, then mean.
  intrinsic delay, setup: the same with the delay factors; delay per load: also over the capacitance scale.
  The flops' electrical figures come from sky130hd alone: the other library has no plain flop.
  HA, FA: electrical figures of the XOR2 x the mean ratio to it over sky130hd and osu018, which have both.
  Both outputs of an adder have the mean delay and energy of its arcs.
  sky130hd is read at 1.8 V, above the 130 nm range the polynomials were fitted in.
  leakage: supply x (off + gate current per um, CACTI 7 lstp) x half of the NAND2's gate width
  x gate equivalents of the cell (assumed: 130 nm leakage does not scale to 65 nm).
  clock pin: internal energy per clock edge with data still, scaled as above; of the clock gate with its
  enable low. A pulse through it takes the internal energy of two transitions of its output besides.
  drives 2 and 4: each figure of drive 1 x the mean ratio to drive 1 over the libraries of {DRIVES_TABLE};
  for {_LACKING} that of AOI21 (assumed: no library there has theirs).
  Output transition is the constant at which the delays were read, so that delay depends on load alone.
  Source of the factors: {SCALING_TABLE} (Stillmaker and Baas 2017, doi 10.1016/j.vlsi.2017.02.002):"""


def _comment() -> list[str]:
    """The rules, the constants and the exclusions behind the figures, for whoever reads the file."""
    constants = load_quantities(CONSTANTS)
    lines = ["/*", *_RULES.strip("\n").splitlines()]
    for node, volt in ((65, float(constants["supply_v"])), (130, 1.2), (130, 1.8)):
        delay, energy = process(node).delay(volt), process(node).energy(volt)
        lines.append(f"    {node} nm at {volt} V: delay {delay:.5g}, energy {energy:.5g}")
    lines.append("  Left out of the means:")
    lines += [f"    {library} {cell} {column}: {why}" for (library, cell, column), why in EXCLUDED.items()]
    lines.append(f"  Constants of {CONSTANTS}:")
    used = ((name, constants[name]) for name in USED)
    return [*lines, *(f"    {name} = {each.value:g} {each.unit} ({each.kind})" for name, each in used), "*/"]


def _header(supply_v: float) -> list[str]:
    slew_axis, load_axis = 'index_1 ("0.01, 1");', f'index_2 ("0, {_MAX_LOAD_PF:g}");'
    slew, power_slew = "variable_1 : input_net_transition;", "variable_1 : input_transition_time;"
    load = "variable_2 : total_output_net_capacitance;"
    constraint = ["variable_1 : related_pin_transition;", "variable_2 : constrained_pin_transition;"]
    constraint += [slew_axis, slew_axis.replace("_1", "_2")]
    conditions = ["process : 1;", "temperature : 27;", f"voltage : {supply_v:g};"]
    return [
        "delay_model : table_lookup;",
        'time_unit : "1ns";',
        'voltage_unit : "1V";',
        'current_unit : "1mA";',
        'pulling_resistance_unit : "1kohm";',
        'leakage_power_unit : "1nW";',
        "capacitive_load_unit (1, pf);",
        "nom_process : 1;",
        "nom_temperature : 27;",
        f"nom_voltage : {supply_v:g};",
        "default_max_transition : 1;",
        *(f"{kind}_threshold_pct_{way} : 50;" for kind in ("input", "output") for way in ("rise", "fall")),
        *(f"slew_lower_threshold_pct_{way} : 10;" for way in ("rise", "fall")),
        *(f"slew_upper_threshold_pct_{way} : 90;" for way in ("rise", "fall")),
        *_block("operating_conditions (typical)", conditions),
        "default_operating_conditions : typical;",
        *_block("lu_table_template (delay_2x2)", [slew, load, slew_axis, load_axis]),
        *_block("lu_table_template (constraint_2x2)", constraint),
        *_block("power_lut_template (energy_2x2)", [power_slew, load, slew_axis, load_axis]),
        *_block("power_lut_template (energy_slew)", [power_slew, slew_axis]),
    ]


def _cell(name: str, figures: CellFigures, transition_ns: float) -> list[str]:
    base, _ = base_and_drive(name)
    if base in GATES:
        return _gate(base, figures, transition_ns)
    if base in FLOPS:
        return _flop(base, figures, transition_ns)
    return {LATCH: _latch, CLOCK_GATE: _clock_gate}[base](figures, transition_ns)


def library_text() -> str:
    """The Liberty text of the 65 nm library, the same text on every run."""
    constants = load_quantities(CONSTANTS)
    transition_ns = float(constants["transition_s"]) * 1e9
    body = _header(float(constants["supply_v"]))
    for name, figures in derive_cells().items():
        inside = _cell(name, figures, transition_ns)
        head = [f"area : {figures.area_um2:.6g};", f"cell_leakage_power : {figures.leakage_w * 1e9:.6g};"]
        body += _block(f"cell ({name})", head + inside)
    return "\n".join([*_comment(), *_block("library (cmos65)", body), ""])


if __name__ == "__main__":
    data = Path(__file__).parents[1] / "technology" / "data"
    write_text(data / LIBRARY_FILE, library_text())
