"""How products and sums become gates: carry-save trees of the library's own adders where it has them."""

from __future__ import annotations

from archsim.technology.liberty.cell_library import Adder, CellLibrary

PRODUCTS_FILE, ADDERS_FILE = "products.v", "adders.v"

_PRODUCTS = """
(* techmap_celltype = "$mul" *)
module signed_product (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  localparam W = A_WIDTH + B_WIDTH;
  wire _TECHMAP_FAIL_ = !A_SIGNED || !B_SIGNED || A_WIDTH < 2 || B_WIDTH < 2;
  wire [W*(B_WIDTH+1)-1:0] sums;
  assign sums[W-1:0] = (1 << (A_WIDTH - 1)) + (1 << (B_WIDTH - 1)) + (1 << (W - 1));
  genvar i;
  generate for (i = 0; i < B_WIDTH; i = i + 1) begin:rows
    localparam [A_WIDTH-1:0] top = 1 << (A_WIDTH - 1);
    localparam [A_WIDTH-1:0] inverted = i == B_WIDTH - 1 ? ~top : top;
    wire [A_WIDTH-1:0] bits = (A & {A_WIDTH{B[i]}}) ^ inverted;
    wire [W-1:0] row = bits;
    assign sums[W*(i+1)+:W] = sums[W*i+:W] + (row << i);
  end endgenerate
  wire signed [W-1:0] product = sums[W*B_WIDTH+:W];
  assign Y = product;
endmodule
"""
"""A signed product by Baugh and Wooley (IEEE Trans. Computers C-22, 1973): a row of partial products for each
bit, none of them extended in sign. Yosys's own extends every row, which makes nearly twice as many."""

_ADDERS = """
(* techmap_celltype = "$fa" *)
module full_adders (A, B, C, X, Y);
  parameter WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTVAL_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTVAL_B_ = 0;
  parameter _TECHMAP_CONSTMSK_C_ = 0;
  parameter _TECHMAP_CONSTVAL_C_ = 0;
  input [WIDTH-1:0] A, B, C;
  output [WIDTH-1:0] X, Y;
  localparam [WIDTH-1:0] a_known = _TECHMAP_CONSTMSK_A_, a_value = _TECHMAP_CONSTVAL_A_;
  localparam [WIDTH-1:0] b_known = _TECHMAP_CONSTMSK_B_, b_value = _TECHMAP_CONSTVAL_B_;
  localparam [WIDTH-1:0] c_known = _TECHMAP_CONSTMSK_C_, c_value = _TECHMAP_CONSTVAL_C_;
  genvar i;
  generate for (i = 0; i < WIDTH; i = i + 1) begin:bits
    if (a_known[i] + b_known[i] + c_known[i] > 1) begin:gates
      assign Y[i] = A[i] ^ B[i] ^ C[i];
      assign X[i] = A[i] & B[i] | C[i] & (A[i] | B[i]);
    end else if (a_known[i] | b_known[i] | c_known[i]) begin:two
      wire p = a_known[i] ? B[i] : A[i];
      wire q = c_known[i] ? B[i] : C[i];
      if (a_known[i] ? a_value[i] : b_known[i] ? b_value[i] : c_value[i]) begin:carried
        assign Y[i] = ~(p ^ q);
        assign X[i] = p | q;
      end else begin:half
        HALF
      end
    end else begin:full
      FULL
    end
  end endgenerate
endmodule
"""
"""Yosys's word of full adders, X the carry and Y the sum, as cells: a full adder for three bits, a half adder
where one of them is always low."""


def arithmetic_files(library: CellLibrary) -> dict[str, str]:
    """The maps that the passes of `arithmetic_passes` read, by file name."""
    files = {PRODUCTS_FILE: _PRODUCTS}
    full, half = library.full_adder, library.half_adder
    if full is not None:
        made = _instance(full, ("A[i]", "B[i]", "C[i]"))
        two = "assign Y[i] = p ^ q; assign X[i] = p & q;" if half is None else _instance(half, ("p", "q"))
        files[ADDERS_FILE] = _ADDERS.replace("FULL", made).replace("HALF", two)
    return files


def arithmetic_passes(library: CellLibrary, *, booth: bool) -> str:
    """The passes of Yosys that turn products and sums into gates and adder cells.

    With `booth` the rows of a product come from Booth's recoding (radix 4), half as many.
    """
    products = "booth" if booth else f"techmap -map {PRODUCTS_FILE}"
    adders = [f"techmap -map {ADDERS_FILE}"] if library.full_adder is not None else []
    passes = ["wreduce", products, "opt", "alumacc", "maccmap", "opt", *adders, "techmap", "opt"]
    return "\n".join(passes)


def _instance(adder: Adder, bits: tuple[str, ...]) -> str:
    pins = zip((*adder.inputs, adder.sum, adder.carry), (*bits, "Y[i]", "X[i]"), strict=True)
    return f"\\{adder.cell.name} adder (" + ", ".join(f".\\{pin} ({net})" for pin, net in pins) + ");"
