"""How products and sums become gates: carry-save trees of the library's own adders where it has them."""

from __future__ import annotations

from archsim.technology.liberty.cell_library import Adder, CellLibrary

PRODUCTS_FILE, SINGLE_FILE, ADDERS_FILE = "products.v", "single.v", "adders.v"

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

_SINGLE = """
(* techmap_celltype = "$fa" *)
module single_adders (A, B, C, X, Y);
  parameter WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTVAL_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTVAL_B_ = 0;
  parameter _TECHMAP_CONSTMSK_C_ = 0;
  parameter _TECHMAP_CONSTVAL_C_ = 0;
  input [WIDTH-1:0] A, B, C;
  output [WIDTH-1:0] X, Y;
  localparam integer known = 0 + _TECHMAP_CONSTMSK_A_ + _TECHMAP_CONSTMSK_B_ + _TECHMAP_CONSTMSK_C_;
  wire _TECHMAP_FAIL_ = WIDTH == 1 && known < 2;
  genvar i;
  generate
    if (WIDTH > 1)
      for (i = 0; i < WIDTH; i = i + 1) begin:bits
        \\$fa #(.WIDTH(1)) one (.A(A[i]), .B(B[i]), .C(C[i]), .X(X[i]), .Y(Y[i]));
      end
    else begin:wires
      localparam a = _TECHMAP_CONSTVAL_A_, b = _TECHMAP_CONSTVAL_B_, c = _TECHMAP_CONSTVAL_C_;
      localparam first = _TECHMAP_CONSTMSK_A_ ? a : b, second = _TECHMAP_CONSTMSK_C_ ? c : b;
      wire free = !_TECHMAP_CONSTMSK_A_ ? A : _TECHMAP_CONSTMSK_C_ ? B : C;
      if (known == 3) begin:constant
        assign X = a + b + c > 2'd1;
        assign Y = a ^ b ^ c;
      end else if (first == second) begin:equal
        assign X = first;
        assign Y = free;
      end else begin:unequal
        assign X = free;
        assign Y = ~free;
      end
    end
  endgenerate
endmodule
"""
"""A word of full adders as single ones; one of which two bits are known becomes wires. What is then known of
the adders behind it shows when this is read again."""

_ADDERS = """
(* techmap_celltype = "$fa" *)
module adder_cells (A, B, C, X, Y);
  parameter WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTVAL_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTVAL_B_ = 0;
  parameter _TECHMAP_CONSTMSK_C_ = 0;
  parameter _TECHMAP_CONSTVAL_C_ = 0;
  input A, B, C;
  output X, Y;
  localparam a = _TECHMAP_CONSTMSK_A_, b = _TECHMAP_CONSTMSK_B_, c = _TECHMAP_CONSTMSK_C_;
  generate
    if (a | b | c) begin:two
      wire p = a ? B : A;
      wire q = c ? B : C;
      if (a ? _TECHMAP_CONSTVAL_A_ : b ? _TECHMAP_CONSTVAL_B_ : _TECHMAP_CONSTVAL_C_) begin:carried
        assign Y = ~(p ^ q);
        assign X = p | q;
      end else begin:half
        HALF
      end
    end else begin:full
      FULL
    end
  endgenerate
endmodule
"""
"""A single full adder of Yosys, X the carry and Y the sum, as a cell: a full adder for three bits, a half
adder where one of them is always low."""

_LEVELS = 8
"""How often known bits are carried on, one level of a tree at a time: eight levels bring 42 rows to two
(Dadda's series 2, 3, 4, 6, 9, 13, 19, 28, 42)."""


def arithmetic_files(library: CellLibrary) -> dict[str, str]:
    """The maps that the passes of `arithmetic_passes` read, by file name."""
    files = {PRODUCTS_FILE: _PRODUCTS}
    full, half = library.full_adder, library.half_adder
    if full is not None:
        made = _instance(full, ("A", "B", "C"))
        two = "assign Y = p ^ q; assign X = p & q;" if half is None else _instance(half, ("p", "q"))
        files[SINGLE_FILE] = _SINGLE
        files[ADDERS_FILE] = _ADDERS.replace("FULL", made).replace("HALF", two)
    return files


def arithmetic_passes(library: CellLibrary, *, booth: bool) -> str:
    """The passes of Yosys that turn products and sums into gates and adder cells.

    With `booth` the rows of a product come from Booth's recoding (radix 4), half as many.
    """
    products = "booth" if booth else f"techmap -map {PRODUCTS_FILE}"
    adders = [*[f"techmap -map {SINGLE_FILE}"] * _LEVELS, f"techmap -map {ADDERS_FILE}"]
    if library.full_adder is None:
        adders = []
    passes = ["wreduce", products, "opt", "alumacc", "maccmap", "opt", *adders, "techmap", "opt"]
    return "\n".join(passes)


def _instance(adder: Adder, bits: tuple[str, ...]) -> str:
    pins = zip((*adder.inputs, adder.sum, adder.carry), (*bits, "Y", "X"), strict=True)
    return f"\\{adder.cell.name} adder (" + ", ".join(f".\\{pin} ({net})" for pin, net in pins) + ");"
