"""A small hierarchical engine in the exporter's style, as Verilog text."""

from __future__ import annotations


def memory_module(name: str, words: int, word_bits: int) -> str:
    """One memory with a write port and a registered read with enable."""
    address = max(1, (words - 1).bit_length())
    return f"""
module {name}(input clk, input we, input [{address - 1}:0] waddr, input [{word_bits - 1}:0] wdata,
              input re, input [{address - 1}:0] raddr, output reg [{word_bits - 1}:0] q);
  reg [{word_bits - 1}:0] mem [0:{words - 1}];
  always @(posedge clk) if (we) mem[waddr] <= wdata;
  always @(posedge clk) if (re) q <= mem[raddr];
endmodule
"""


def pe_module(accumulator_bits: int = 24) -> str:
    """8 x 8 signed multiply and accumulate, with operand registers."""
    top = accumulator_bits - 1
    return f"""
module pe(input clk, input clear, input enable, input signed [7:0] weight, input signed [7:0] activation,
          output reg signed [{top}:0] sum);
  reg signed [7:0] w, a;
  wire signed [15:0] product = w * a;
  always @(posedge clk) begin
    if (enable) begin w <= weight; a <= activation; end
    if (clear) sum <= 0; else if (enable) sum <= sum + product;
  end
endmodule
"""


def engine(pes: int = 4, words: int = 1024) -> str:
    """The whole design; its top is `archsim_engine`."""
    select = max(1, (pes - 1).bit_length())
    lanes = 8 * pes
    address = (words - 1).bit_length()
    top_lane = lanes - 1
    rotations = "\n".join(
        f"  wire [{top_lane}:0] s{k + 1} = amount[{k}] ? "
        f"{{s{k}[{(8 << k) - 1}:0], s{k}[{top_lane}:{8 << k}]}} : s{k};"
        for k in range(select)
    )
    pieces = "\n".join(
        f"""
  wire [7:0] weight_{p}; wire signed [23:0] sum_{p};
  weight_memory weight_memory_{p}(.clk(clk), .we(load && target == {p}), .waddr(load_address),
    .wdata(load_data), .re(step), .raddr(index), .q(weight_{p}));
  pe pe_{p}(.clk(clk), .clear(clear), .enable(step), .weight(weight_{p}),
    .activation(routed[{8 * p + 7}:{8 * p}]), .sum(sum_{p}));"""
        for p in range(pes)
    )
    sums = " ^ ".join(f"sum_{p}" for p in range(pes))
    return (
        memory_module("weight_memory", words, 8)
        + memory_module("activation_memory", 256, lanes)
        + pe_module()
        + f"""
module controller(input clk, input start, output reg busy, output reg done,
                  output reg [{address - 1}:0] index, output step, output clear);
  assign step = busy;
  assign clear = start && !busy;
  always @(posedge clk) begin
    done <= 0;
    if (clear) begin busy <= 1; index <= 0; end
    else if (busy) begin
      index <= index + 1;
      if (index == {words - 1}) begin busy <= 0; done <= 1; end
    end
  end
endmodule
module route(input [{lanes - 1}:0] word, input [{select - 1}:0] amount, output [{lanes - 1}:0] rotated);
  wire [{lanes - 1}:0] s0 = word;
{rotations}
  assign rotated = s{select};
endmodule
module archsim_engine(input clk, input start, output busy, output done, input load,
                      input [{select}:0] target, input [{address - 1}:0] load_address,
                      input [7:0] load_data, input [{lanes - 1}:0] load_word,
                      output [23:0] result);
  wire [{address - 1}:0] index; wire step, clear; wire [{lanes - 1}:0] word, routed;
  controller controller_0(.clk(clk), .start(start), .busy(busy), .done(done), .index(index),
    .step(step), .clear(clear));
  activation_memory activation_memory_0(.clk(clk), .we(load && target == {pes}), .waddr(load_address[7:0]),
    .wdata(load_word), .re(step), .raddr(index[7:0]), .q(word));
  route route_0(.word(word), .amount(index[{select - 1}:0]), .rotated(routed));
{pieces}
  assign result = {sums};
endmodule
"""
    )
