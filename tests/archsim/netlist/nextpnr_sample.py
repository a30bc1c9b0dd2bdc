"""What nextpnr-ecp5 0.11.1 wrote of a design of three flip-flops, shortened: its report and its delays."""

from __future__ import annotations

VERILOG = """
module tiny(input clk, input a, output reg q);
  reg x, y;
  always @(posedge clk) begin x <= a; y <= a & !y; q <= x ^ y ^ (x & q); end
endmodule
"""

REPORT = """{
  "critical_paths": [
    {
      "from": "posedge clk$TRELLIS_IO_IN",
      "to": "posedge clk$TRELLIS_IO_IN",
      "path": [
        {"type": "clk-to-q", "delay": 0.525,
         "from": {"cell": "q_TRELLIS_FF_Q", "port": "Q"}, "to": {"cell": "q_TRELLIS_FF_Q", "port": "Q"}},
        {"type": "routing", "delay": 0.823,
         "from": {"cell": "q_TRELLIS_FF_Q", "port": "Q"}, "to": {"cell": "x_LUT4_D", "port": "C"}},
        {"type": "logic", "delay": 0.236,
         "from": {"cell": "x_LUT4_D", "port": "C"}, "to": {"cell": "x_LUT4_D", "port": "F"}},
        {"type": "routing", "delay": 0.13,
         "from": {"cell": "x_LUT4_D", "port": "F"}, "to": {"cell": "q_TRELLIS_FF_Q", "port": "DI"}},
        {"type": "setup", "delay": 0,
         "from": {"cell": "q_TRELLIS_FF_Q", "port": "DI"}, "to": {"cell": "q_TRELLIS_FF_Q", "port": "DI"}}
      ]
    },
    {
      "from": "<async>",
      "to": "posedge clk$TRELLIS_IO_IN",
      "path": [
        {"type": "source", "delay": 0,
         "from": {"cell": "a$tr_io", "port": "O"}, "to": {"cell": "a$tr_io", "port": "O"}},
        {"type": "routing", "delay": 2.833,
         "from": {"cell": "a$tr_io", "port": "O"}, "to": {"cell": "a_LUT4_D", "port": "D"}},
        {"type": "logic", "delay": 0.236,
         "from": {"cell": "a_LUT4_D", "port": "D"}, "to": {"cell": "a_LUT4_D", "port": "F"}},
        {"type": "routing", "delay": 0.13,
         "from": {"cell": "a_LUT4_D", "port": "F"}, "to": {"cell": "y_TRELLIS_FF_Q", "port": "DI"}},
        {"type": "setup", "delay": 0,
         "from": {"cell": "y_TRELLIS_FF_Q", "port": "DI"}, "to": {"cell": "y_TRELLIS_FF_Q", "port": "DI"}}
      ]
    },
    {
      "from": "posedge clk$TRELLIS_IO_IN",
      "to": "<async>",
      "path": [
        {"type": "clk-to-q", "delay": 0.525,
         "from": {"cell": "q_TRELLIS_FF_Q", "port": "Q"}, "to": {"cell": "q_TRELLIS_FF_Q", "port": "Q"}},
        {"type": "routing", "delay": 0.97,
         "from": {"cell": "q_TRELLIS_FF_Q", "port": "Q"}, "to": {"cell": "q$tr_io", "port": "I"}}
      ]
    }
  ],
  "fmax": {"clk$TRELLIS_IO_IN": {"achieved": 583.4306030273438, "constraint": 100}},
  "utilization": {
    "DP16KD": {"available": 56, "used": 0},
    "MULT18X18D": {"available": 28, "used": 0},
    "TRELLIS_COMB": {"available": 24288, "used": 3},
    "TRELLIS_FF": {"available": 24288, "used": 3},
    "TRELLIS_IO": {"available": 197, "used": 3}
  }
}
"""

DELAYS = r"""(DELAYFILE
  (SDFVERSION "3.0")
  (DESIGN "top")
  (VENDOR "nextpnr")
  (PROGRAM "nextpnr")
  (DIVIDER /)
  (TIMESCALE 1ps)
  (CELL
    (CELLTYPE "top")
    (INSTANCE )
    (DELAY
      (ABSOLUTE
        (INTERCONNECT x_TRELLIS_FF_Q/Q x_LUT4_D/D (342:488:634) (342:488:634))
        (INTERCONNECT q_TRELLIS_FF_Q/Q x_LUT4_D/C (612:717:823) (612:717:823))
        (INTERCONNECT q_TRELLIS_FF_Q/Q q\$tr_io/I (698:834:970) (698:834:970))
        (INTERCONNECT x_LUT4_D/F q_TRELLIS_FF_Q/DI (110:120:130) (110:120:130))
        (INTERCONNECT clk\$tr_io/O q_TRELLIS_FF_Q/CLK (947:1062:1177) (947:1062:1177))
        (INTERCONNECT clk\$tr_io/O x_TRELLIS_FF_Q/CLK (947:1062:1177) (947:1062:1177))
        (INTERCONNECT clk\$tr_io/O y_TRELLIS_FF_Q/CLK (947:1062:1177) (947:1062:1177))
        (INTERCONNECT a_LUT4_D/F y_TRELLIS_FF_Q/DI (110:120:130) (110:120:130))
        (INTERCONNECT a\$tr_io/O a_LUT4_D/D (2245:2539:2833) (2245:2539:2833))
        (INTERCONNECT a\$tr_io/O x_TRELLIS_FF_Q/M (2091:2353:2616) (2091:2353:2616))
        (INTERCONNECT y_TRELLIS_FF_Q/Q a_LUT4_D/C (309:371:433) (309:371:433))
        (INTERCONNECT y_TRELLIS_FF_Q/Q x_LUT4_D/B (309:371:433) (309:371:433))
      )
    )
  )
  (CELL
    (CELLTYPE "TRELLIS_COMB")
    (INSTANCE \$PACKER_GND)
    )
  (CELL
    (CELLTYPE "TRELLIS_FF")
    (INSTANCE x_TRELLIS_FF_Q)
    (DELAY
      (ABSOLUTE
        (IOPATH CLK Q (430:477:525) (430:477:525))
      )
    )
    (TIMINGCHECK
      (SETUPHOLD (posedge M) (posedge CLK) (0:0:0) (233:268:303))
      (SETUPHOLD (negedge M) (posedge CLK) (0:0:0) (233:268:303))
    )
    )
  (CELL
    (CELLTYPE "TRELLIS_IO")
    (INSTANCE q\$tr_io)
    )
  (CELL
    (CELLTYPE "TRELLIS_COMB")
    (INSTANCE x_LUT4_D)
    (DELAY
      (ABSOLUTE
        (IOPATH D F (200:218:236) (200:218:236))
        (IOPATH C F (200:218:236) (200:218:236))
        (IOPATH B F (200:218:236) (200:218:236))
      )
    )
    )
  (CELL
    (CELLTYPE "TRELLIS_IO")
    (INSTANCE a\$tr_io)
    )
  (CELL
    (CELLTYPE "TRELLIS_FF")
    (INSTANCE q_TRELLIS_FF_Q)
    (DELAY
      (ABSOLUTE
        (IOPATH CLK Q (430:477:525) (430:477:525))
      )
    )
    (TIMINGCHECK
      (SETUPHOLD (posedge DI) (posedge CLK) (0:0:0) (267:285:303))
      (SETUPHOLD (negedge DI) (posedge CLK) (0:0:0) (267:285:303))
    )
    )
  (CELL
    (CELLTYPE "TRELLIS_FF")
    (INSTANCE y_TRELLIS_FF_Q)
    (DELAY
      (ABSOLUTE
        (IOPATH CLK Q (430:477:525) (430:477:525))
      )
    )
    (TIMINGCHECK
      (SETUPHOLD (posedge DI) (posedge CLK) (0:0:0) (267:285:303))
      (SETUPHOLD (negedge DI) (posedge CLK) (0:0:0) (267:285:303))
    )
    )
  (CELL
    (CELLTYPE "TRELLIS_IO")
    (INSTANCE clk\$tr_io)
    )
  (CELL
    (CELLTYPE "TRELLIS_COMB")
    (INSTANCE a_LUT4_D)
    (DELAY
      (ABSOLUTE
        (IOPATH D F (200:218:236) (200:218:236))
        (IOPATH C F (200:218:236) (200:218:236))
      )
    )
    )
)
"""
