"""A self-checking test bench for an exported engine: it loads through the load port, runs inputs, compares
every score and the number of cycles, and says PASS or FAIL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rtl.parts.skeleton import LOAD_TARGETS, Hardware
from rtl.simulation import Images, LoadWrite, Run, load_writes
from rtl.verilog import TOP_MODULE


@dataclass(frozen=True)
class TestBench:
    """Verilog text and the hex files it reads, by name."""

    verilog: str
    files: dict[str, str]


def make_test_bench(
    hardware: Hardware,
    images: Images,
    inputs: Sequence[Sequence[LoadWrite]],
    expected: Sequence[Run],
    kept: Sequence[LoadWrite] = (),
) -> TestBench:
    """The test bench for these inputs (load-port writes) and what they are expected to give; `kept` are the
    words that an engine gives when it is asked for them in the end."""
    ports, pes, bits = hardware.ports, hardware.sizes.pes, hardware.sizes.activation_bits
    widths = [len(w) for w in (ports.load_target, ports.load_unit, ports.load_address, ports.load_data)]
    network = load_writes(images)
    per_input = len(inputs[0])
    rows = max(len(lane) for run in expected for lane in run.scores)
    scores = [
        lane[row] & ((1 << bits) - 1) if row < len(lane) else 0
        for run in expected
        for lane in run.scores
        for row in range(rows)
    ]
    files = {
        "network.hex": hex_lines(packed(network, widths), sum(widths)),
        "inputs.hex": hex_lines([word for one in inputs for word in packed(one, widths)], sum(widths)),
        "scores.hex": hex_lines(scores, bits),
        "score_counts.hex": hex_lines([len(lane) for run in expected for lane in run.scores], 32),
        "cycles.hex": hex_lines([run.cycles for run in expected], 32),
    }
    text = _TEMPLATE
    if kept:
        files["kept.hex"] = hex_lines(packed(kept, widths), sum(widths))
    for name, value in {
        "UNLOADED": ", .unloaded(unloaded)" if kept else "",
        "ASKS": _ASKS if kept else "",
        "KEPT": _KEPT if kept else "",
        "WORDS": len(kept),
        "KEPT_BITS": hardware.sizes.fetch_bits,
        "TOP": TOP_MODULE,
        "PES": pes,
        "BITS": bits,
        "ROWS": rows,
        "INPUTS": len(inputs),
        "PER_INPUT": per_input,
        "NETWORK": len(network),
        "LOAD": sum(widths),
        **dict(zip(("TARGET_BITS", "UNIT_BITS", "ADDRESS_BITS", "DATA_BITS"), widths, strict=True)),
        "LIMIT": 2 * max(run.cycles for run in expected) + 100,
    }.items():
        text = text.replace(f"@{name}@", str(value))
    return TestBench(text, files)


def packed(writes: Sequence[LoadWrite], widths: Sequence[int]) -> list[int]:
    """Load-port writes as integers: target, unit, address, data from the top down."""
    words = []
    for write in writes:
        word = 0
        fields = (LOAD_TARGETS.index(write.target), write.unit, write.address, write.data)
        for value, width in zip(fields, widths, strict=True):
            word = word << width | value
        words.append(word)
    return words


def hex_lines(values: Sequence[int], bits: int) -> str:
    """Words for `$readmemh`, one a line."""
    return "".join(f"{value:0{-(-bits // 4)}x}\n" for value in values)


_KEPT = """\
  reg [@LOAD@-1:0] kept [0:@WORDS@-1];
  wire [@KEPT_BITS@-1:0] unloaded;
"""
_ASKS = """\
    $readmemh("kept.hex", kept);
    for (k = 0; k < @WORDS@; k = k + 1) begin
      write_word(kept[k]);
      if (unloaded !== kept[k][@KEPT_BITS@-1:0]) begin
        $display("word %0d: got %h, expected %h", k, unloaded, kept[k][@KEPT_BITS@-1:0]);
        failures = failures + 1;
      end
    end
    $display("%0d words of weights were read", @WORDS@);
"""

_TEMPLATE = """\
module testbench;
  reg clk = 0, reset = 1, start = 0, load_enable = 0;
  reg [@TARGET_BITS@-1:0] load_target = 0;
  reg [@UNIT_BITS@-1:0] load_unit = 0;
  reg [@ADDRESS_BITS@-1:0] load_address = 0;
  reg [@DATA_BITS@-1:0] load_data = 0;
  wire busy, done, input_free;
  wire [@PES@-1:0] score_valid;
  wire [@PES@*@BITS@-1:0] scores;
  @TOP@ engine (
    .clk(clk), .reset(reset), .start(start), .busy(busy), .done(done), .input_free(input_free),
    .load_enable(load_enable), .load_target(load_target), .load_unit(load_unit),
    .load_address(load_address), .load_data(load_data), .score_valid(score_valid), .scores(scores)@UNLOADED@
  );
  always #5 clk = ~clk;

  reg [@LOAD@-1:0] network [0:@NETWORK@-1];
  reg [@LOAD@-1:0] inputs [0:@INPUTS@*@PER_INPUT@-1];
  reg [@BITS@-1:0] expected [0:@INPUTS@*@PES@*@ROWS@-1];
@KEPT@  reg [31:0] expected_counts [0:@INPUTS@*@PES@-1];
  reg [31:0] expected_cycles [0:@INPUTS@-1];
  integer counts [0:@PES@-1];
  integer i, k, p, cycles, failures;

  task write_word(input [@LOAD@-1:0] word);
    begin
      {load_target, load_unit, load_address, load_data} = word;
      load_enable = 1;
      @(negedge clk);
      load_enable = 0;
      {load_target, load_unit, load_address, load_data} = 0;
    end
  endtask

  task check_scores;
    for (p = 0; p < @PES@; p = p + 1)
      if (score_valid[p]) begin
        if (scores[p*@BITS@ +: @BITS@] !== expected[(i*@PES@ + p)*@ROWS@ + counts[p]]) begin
          $display("input %0d, PE %0d, score %0d: got %h, expected %h", i, p, counts[p],
                   scores[p*@BITS@ +: @BITS@], expected[(i*@PES@ + p)*@ROWS@ + counts[p]]);
          failures = failures + 1;
        end
        counts[p] = counts[p] + 1;
      end
  endtask

  initial begin
    $readmemh("network.hex", network);
    $readmemh("inputs.hex", inputs);
    $readmemh("scores.hex", expected);
    $readmemh("score_counts.hex", expected_counts);
    $readmemh("cycles.hex", expected_cycles);
    failures = 0;
    @(negedge clk); @(negedge clk);
    reset = 0;
    for (k = 0; k < @NETWORK@; k = k + 1) write_word(network[k]);
    for (i = 0; i < @INPUTS@; i = i + 1) begin
      for (k = 0; k < @PER_INPUT@; k = k + 1) write_word(inputs[i*@PER_INPUT@ + k]);
      for (p = 0; p < @PES@; p = p + 1) counts[p] = 0;
      start = 1;
      @(negedge clk);
      start = 0;
      cycles = 1;
      while (done !== 1'b1 && cycles < @LIMIT@) begin
        check_scores;
        @(negedge clk);
        cycles = cycles + 1;
      end
      check_scores;
      if (cycles != expected_cycles[i]) begin
        $display("input %0d: %0d cycles, expected %0d", i, cycles, expected_cycles[i]);
        failures = failures + 1;
      end
      for (p = 0; p < @PES@; p = p + 1)
        if (counts[p] != expected_counts[i*@PES@ + p]) begin
          $display("input %0d, PE %0d: %0d scores, expected %0d", i, p, counts[p],
                   expected_counts[i*@PES@ + p]);
          failures = failures + 1;
        end
      $display("input %0d: %0d cycles", i, cycles);
    end
@ASKS@    if (failures == 0) $display("PASS: %0d inputs", @INPUTS@);
    else $display("FAIL: %0d differences", failures);
    $finish;
  end
endmodule
"""
