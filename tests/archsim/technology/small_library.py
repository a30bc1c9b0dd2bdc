"""A Liberty text of a few cells, built so that a test can leave one thing out."""

from __future__ import annotations

from collections.abc import Mapping

SLEW_AND_LOAD = """
  lu_table_template (t) { variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1 ("5, 15"); index_2 ("0, 1, 4"); }
  power_lut_template (p) { variable_1 : input_transition_time; variable_2 : total_output_net_capacitance;
    index_1 ("5, 15"); index_2 ("0, 1, 4"); }
"""
# Times in units of 10 ps, capacitance in 10 fF, supply 2 V: energy then counts in 10 fJ.
HEADER = """time_unit : "10ps"; capacitive_load_unit (10, ff); voltage_unit : "1V";
  leakage_power_unit : "1pW"; nom_voltage : 2.0; // the rest is left out"""


def timing(pin: str) -> str:
    return f"""timing () {{ related_pin : "{pin}";
      cell_rise (t) {{ values ("0.1, 0.2, 0.6", "0.3, 0.4, 0.9"); }}
      cell_fall (t) {{ values ("0.1, 0.4, 0.6", "0.3, 0.6, 0.9"); }}
      rise_transition (t) {{ values ("5, 6, 7", "5, 6, 7"); }}
      fall_transition (t) {{ values ("5, 6, 7", "5, 6, 7"); }} }}"""


POWER = """internal_power () { rise_power (p) { values ("1, 2, 3", "3, 4, 5"); }
      fall_power (p) { values ("1, 2, 3", "3, 4, 5"); } }"""
SETUP = """timing () { related_pin : "C"; timing_type : setup_rising;
      rise_constraint (scalar) { values ("6"); } fall_constraint (scalar) { values ("8"); } }"""


def gate(
    name: str, inputs: str, function: str, *, area: float = 3.0, power: str = POWER, delays: str = ""
) -> str:
    pins = " ".join(f"pin ({pin}) {{ direction : input; capacitance : 0.5; }}" for pin in inputs)
    arcs = delays or " ".join(timing(pin) for pin in inputs)
    return f"""cell ({name}) {{ area : {area}; cell_leakage_power : 7; {pins}
    pin (Z) {{ direction : output; function : "{function}"; {arcs} {power} }} }}"""


def flop(
    name: str,
    *,
    area: float = 12.0,
    data: str = "D",
    next_state: str = "D",
    clocked_on: str = "C",
    output: str = "Q",
    function: str = "IQ",
    extra: str = "",
    setup: str = SETUP,
    power: str = POWER,
) -> str:
    pins = " ".join(f"pin ({pin}) {{ direction : input; capacitance : 0.1; {setup} }}" for pin in data)
    return f"""cell ({name}) {{ area : {area};
    ff (IQ, IQN) {{ clocked_on : "{clocked_on}"; next_state : "{next_state}"; {extra} }}
    leakage_power () {{ value : 2; }} leakage_power () {{ value : 4; }}
    {pins} pin (C) {{ direction : input; clock : true; capacitance : 0.2; {power} }}
    pin ({output}) {{ direction : output; function : "{function}"; {timing("C")} {power} }} }}"""


def clock_gate(name: str, *, area: float = 6.0, kind: str = "latch_posedge", more: str = "") -> str:
    """A clock gate as foundries write it: marked dont_use, its state in a table."""
    return f"""cell ({name}) {{ area : {area}; cell_leakage_power : 7; dont_use : true;
    clock_gating_integrated_cell : "{kind}";
    statetable ("CP EN", "held") {{ table : "L L : - : L, L H : - : H, H - : - : N"; }}
    pin (held) {{ direction : "internal"; internal_node : "held"; }} {more}
    pin (EN) {{ clock_gate_enable_pin : true; direction : input; capacitance : 0.3; {SETUP} }}
    pin (CP) {{ clock_gate_clock_pin : true; direction : input; clock : true; capacitance : 0.4; {POWER} }}
    pin (GCP) {{ clock_gate_out_pin : true; direction : output; state_function : "CP * held";
      {timing("CP")} {POWER} }} }}"""


CELLS: Mapping[str, str] = {
    "INV": gate("INV", "A", "A'", area=2),
    "BUF": gate("BUF", "A", "A", area=2.5),
    "ND2": gate("ND2", "AB", "(A B)'"),
    "FF": flop("FF"),
}


def library(header: str = HEADER, **changes: str) -> str:
    """The library with some cells changed or added; an empty text leaves one out."""
    cells = "\n  ".join(text for text in {**CELLS, **changes}.values() if text)
    return f"library (foundry) {{\n  {header}{SLEW_AND_LOAD}  {cells}\n}}\n"
