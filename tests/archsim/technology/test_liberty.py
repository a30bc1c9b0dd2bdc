"""A foundry's library is read by the rules of the project's own."""

import pytest

from archsim.technology.cmos65 import cmos65_wiring
from archsim.technology.liberty import LibertyError, read_liberty
from archsim.technology.sram import SramTable

TIMING = """timing () { related_pin : "A";
        cell_rise (t) { values ("0.1, 0.2, 0.6", "0.3, 0.4, 0.9"); }
        cell_fall (t) { values ("0.1, 0.4, 0.6", "0.3, 0.6, 0.9"); } }"""
POWER = """internal_power () { related_pin : "A";
        rise_power (p) { values ("1, 2, 3", "3, 4, 5"); }
        fall_power (p) { values ("1, 2, 3", "3, 4, 5"); } }"""
# Times in units of 10 ps, capacitance in 10 fF, supply 2 V: energy then counts in 10 fJ.
LIBRARY = f"""
library (foundry) {{
  time_unit : "10ps"; capacitive_load_unit (10, ff); voltage_unit : "1V"; leakage_power_unit : "1pW";
  nom_voltage : 2.0; // the rest is left out
  lu_table_template (t) {{ variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1 ("5, 15"); index_2 ("0, 1, 4"); }}
  power_lut_template (p) {{ variable_1 : input_transition_time; variable_2 : total_output_net_capacitance;
    index_1 ("5, 15"); index_2 ("0, 1, 4"); }}
  cell (ND2) {{ area : 3; cell_leakage_power : 7;
    pin (A) {{ direction : input; capacitance : 0.5; }}
    pin (B) {{ direction : input; capacitance : 0.5; }}
    pin (Z) {{ direction : output; function : "(A B)'"; {TIMING} {POWER} }} }}
  cell (FF) {{ area : 12;
    ff (IQ, IQN) {{ clocked_on : "C"; next_state : "D"; }}
    leakage_power () {{ value : 2; }} leakage_power () {{ value : 4; }}
    pin (D) {{ direction : input; capacitance : 0.1;
      timing () {{ related_pin : "C"; timing_type : setup_rising;
      rise_constraint (scalar) {{ values ("6"); }} fall_constraint (scalar) {{ values ("8"); }} }} }}
    pin (C) {{ direction : input; clock : true; capacitance : 0.2; }}
    pin (Q) {{ direction : output; function : "IQ"; }} }}
  cell (FFR) {{ area : 11;
    ff (IQ, IQN) {{ clocked_on : "C"; next_state : "D"; clear : "R'"; }}
    pin (D) {{ direction : input; }} pin (C) {{ direction : input; }} pin (R) {{ direction : input; }}
    pin (Q) {{ direction : output; function : "IQ"; }} }}
  cell (LATCH) {{ area : 5; latch (IQ, IQN) {{ enable : "G"; data_in : "D"; }}
    pin (D) {{ direction : input; }} pin (Q) {{ direction : output; function : "IQ"; }} }}
}}
"""


def test_a_gate_is_read_in_si_units_at_the_reference_slew_and_load() -> None:
    gate = read_liberty(LIBRARY).cells["ND2"]
    assert gate.area_um2 == 3
    assert gate.leakage_w == pytest.approx(7e-12)
    assert gate.input_capacitance_f == pytest.approx({"A": 5e-15, "B": 5e-15})
    # Half way between the slews; the line runs over the loads up to the middle one: 0 and 10 fF.
    (arc,) = gate.arcs
    assert arc.intrinsic_s == pytest.approx(0.2 * 10e-12)
    assert arc.slope_s_per_f == pytest.approx((0.1 + 0.3) / 2 * 10e-12 / 10e-15)
    # Four inputs of 5 fF are 20 fF, a third of the way from the 10 fF column (3) to the 40 fF column (4).
    assert gate.switch_energy_j["Z"] == pytest.approx((3 + 1 / 3) * 10e-15)


def test_a_flop_is_known_by_its_clock_and_a_latch_is_left_out() -> None:
    library = read_liberty(LIBRARY)
    flop = library.flop(enable=False)
    assert (flop.name, flop.clock_pin, flop.next_state) == ("FF", "C", "D")
    assert flop.setup_s == pytest.approx(7 * 10e-12)
    assert flop.leakage_w == pytest.approx(3e-12)
    assert "LATCH" not in library.cells
    assert library.gate_equivalent_um2 == 3


def test_a_flop_with_reset_is_not_taken_for_one_with_enable() -> None:
    with pytest.raises(LibertyError, match="library foundry: it has no flop with enable True"):
        read_liberty(LIBRARY).flop(enable=True)


def test_without_flops_that_hold_a_small_memory_is_always_a_macro() -> None:
    table = SramTable(cells=read_liberty(LIBRARY), wiring=cmos65_wiring())
    assert table.macro(words=2, word_bits=8).built_as == "macro"


def test_a_gate_the_library_lacks_is_named() -> None:
    with pytest.raises(LibertyError, match=r"library foundry: it has no gate 'A\^B'"):
        read_liberty(LIBRARY).gate("A^B", ("A", "B"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"10ps"', '"10 apples"', "Liberty unit is '10 apples'"),
        ("clocked_on", "clock_on", "it has no flop with enable False"),
        ("(A B)'", "A B", "no two-input NAND"),
    ],
)
def test_a_library_that_lacks_what_the_project_needs_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(LibertyError, match=message):
        read_liberty(LIBRARY.replace(old, new))
