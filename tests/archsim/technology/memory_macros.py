"""A Liberty file of one memory macro, and when it reads, writes and rests."""

from __future__ import annotations

from pathlib import Path

MACRO = """
library (macros) {
  capacitive_load_unit (1, pf); voltage_unit : "1V"; time_unit : "1ns"; leakage_power_unit : "1nW";
  cell (NOT_A_MEMORY) { area : 1; }
  cell (RAM) {
    area : 600; cell_leakage_power : 50;
    memory () { type : ram; address_width : 6; word_width : 4; }
    bus (A) { internal_power () { rise_power (scalar) { values (0.3); }
      fall_power (scalar) { values (0.1); } }
      timing () { timing_type : setup_rising; related_pin : CK; rise_constraint (scalar) { values (0.2); } } }
    bus (D) { memory_write () { address : A; clocked_on : CK; }
      internal_power () { when : "W"; rise_power (scalar) { values (0.8); }
        fall_power (scalar) { values (0.4); } } }
    pin (W) { } pin (E) { }
    pin (CK) { clock : true;
      internal_power () { when : "!E"; rise_power (scalar) { values (0); }
        fall_power (scalar) { values (0.5); } }
      internal_power () { when : "E & W"; rise_power (scalar) { values (20); }
        fall_power (scalar) { values (1); } }
      internal_power () { when : "E & !W"; rise_power (scalar) { values (10); }
        fall_power (scalar) { values (2); } } }
    bus (Q) { memory_read () { address : A; }
      timing () { related_pin : CK; cell_rise (scalar) { values (3); } cell_fall (scalar) { values (2); } } }
  }
}
"""
WHEN = {"read": "E & !W", "write": "E & W", "idle": "!E"}


def macro_file(folder: Path, text: str = MACRO) -> Path:
    path = folder / "macros.lib"
    path.write_text(text)
    return path
