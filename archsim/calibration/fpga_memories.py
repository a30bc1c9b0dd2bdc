"""Measures what memories become on a 7-series device, and fits the LUTs beside their primitives.

    python -m archsim.calibration.fpga_memories archsim/technology/data

writes `artix7_memories.csv` (every memory measured, those of the grid and those held out) and
`artix7_memory_luts.csv` (the fitted laws). About five minutes of one core where nothing is cached.
"""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from archsim.netlist.fpga import synthesise_fpga
from archsim.technology.fpga.devices import FpgaResources
from archsim.technology.memories.block_ram import LUTS_TABLE, fit_lut_laws, plan_memory
from workloads.files import write_text

MEASURED_TABLE = "artix7_memories.csv"
MEASURED = ("lut", "lut_as_memory", "ff", "bram18", "bram36")
DEEPEST_WORDS, WIDEST_BITS = 16384, 128
HELD_OUT, HELD_OUT_OF_MANY_BLOCKS, MANY_BLOCKS, SEED = 80, 40, 5, 20240611
_AT_A_TIME = 12

MemorySize = tuple[int, int]
"""Words and bits of a word."""


@dataclass(frozen=True, kw_only=True)
class MeasuredMemory:
    """One memory as Yosys built it, in the set `grid`, `held_out` or `many_blocks`."""

    label: str
    words: int
    word_bits: int
    resources: FpgaResources


@cache
def grid() -> tuple[MemorySize, ...]:
    """Memories of 2 to 16384 words of 1 to 128 bits, five widths for each way to build one: a primitive and
    a number of blocks of it. Added are some so small that they become flip-flops."""
    powers = [2**k for k in range(1, 15)]
    depths = sorted(
        {2, 3, *powers, *(p + 1 for p in powers[4:-1]), *(3 * p // 2 for p in powers[4:-1])}
        | {5 * p // 4 for p in powers[8:-1]}
        | {7 * p // 4 for p in powers[8:-1]}
        | {64 * blocks for blocks in range(5, 20)}
        | {p // 8 * step for p in powers[11:] for step in (9, 11, 13, 15) if p // 8 * step < DEEPEST_WORDS}
    )
    ways: dict[tuple[str, str, int], list[MemorySize]] = {}
    for words, bits in itertools.product(depths, range(1, WIDEST_BITS + 1)):
        plan = plan_memory(words, bits)
        kind = plan.primitive if plan.blocks == 1 else ""
        ways.setdefault((plan.built_as, kind, plan.blocks), []).append((words, bits))
    chosen = [size for sizes in ways.values() for size in _five(sorted(sizes, key=lambda size: size[1]))]
    return tuple(sorted({*chosen, (1, 1), (1, 8), (1, 64), (2, 1), (2, 2), (2, 3), (3, 1), (4, 1)}))


def _five(sizes: Sequence[MemorySize]) -> set[MemorySize]:
    """The first, the last, and three evenly between them."""
    return {sizes[(len(sizes) - 1) * step // 4] for step in range(5)}


def held_out(*, least_blocks: int = 1) -> tuple[MemorySize, ...]:
    """Memories drawn evenly in log of words and of bits, none of them of the grid; with `least_blocks` only
    those of so many blocks, which are rare."""
    draw, seen = random.Random(SEED + least_blocks), set(grid())
    drawn: list[MemorySize] = []
    while len(drawn) < (HELD_OUT if least_blocks == 1 else HELD_OUT_OF_MANY_BLOCKS):
        size = (round(2 * (DEEPEST_WORDS / 2) ** draw.random()), round(float(WIDEST_BITS) ** draw.random()))
        if size not in seen and plan_memory(*size).blocks >= least_blocks:
            seen.add(size)
            drawn.append(size)
    return tuple(drawn)


def memory_verilog(name: str, words: int, word_bits: int) -> str:
    """A memory as the engines describe it: a write port, and a read port with registered data and an
    enable."""
    address = max(1, (words - 1).bit_length())
    return f"""
module {name}(input clk, input write, input [{address - 1}:0] write_address,
              input [{word_bits - 1}:0] data, input read, input [{address - 1}:0] read_address,
              output reg [{word_bits - 1}:0] q);
  reg [{word_bits - 1}:0] mem [0:{words - 1}];
  always @(posedge clk) if (write) mem[write_address] <= data;
  always @(posedge clk) if (read) q <= mem[read_address];
endmodule
"""


def measure(sizes: Sequence[MemorySize], label: str) -> Iterator[MeasuredMemory]:
    """Map memories, some of them in each run of Yosys. What was mapped before comes from its cache."""
    for start in range(0, len(sizes), _AT_A_TIME):
        together = sizes[start : start + _AT_A_TIME]
        ports, uses, modules = ["input clk"], [], []
        for words, bits in together:
            name, address = f"m_{words}_{bits}", max(1, (words - 1).bit_length())
            inputs = {"write": 1, "write_address": address, "data": bits, "read": 1, "read_address": address}
            ports += [f"input [{width - 1}:0] {port}_{name}" for port, width in inputs.items()]
            ports.append(f"output [{bits - 1}:0] q_{name}")
            joined = ", ".join(f".{port}({port}_{name})" for port in (*inputs, "q"))
            uses.append(f"{name} i_{name}(.clk(clk), {joined});")
            modules.append(memory_verilog(name, words, bits))
        top = f"module top({', '.join(ports)});\n" + "\n".join(uses) + "\nendmodule\n"
        made = synthesise_fpga("".join([*modules, top]), "top")
        for words, bits in together:
            resources = made.components[f"m_{words}_{bits}"].resources
            yield MeasuredMemory(label=label, words=words, word_bits=bits, resources=resources)


def beside_primitives(memory: MeasuredMemory) -> tuple[int, int, int]:
    """Words, bits and the LUTs that are not LUT RAM: what `fit_lut_laws` takes."""
    taken = memory.resources
    return memory.words, memory.word_bits, taken["lut"] - taken["lut_as_memory"]


def write_tables(measured: Sequence[MeasuredMemory], directory: Path) -> None:
    """Write the measured table and the laws fitted to its grid."""
    rows = [
        {"set": memory.label, "words": memory.words, "word_bits": memory.word_bits}
        | {name: memory.resources[name] for name in MEASURED}
        for memory in measured
    ]
    write_text(directory / MEASURED_TABLE, pd.DataFrame(rows).to_csv(index=False), precious=True)
    laws = fit_lut_laws([beside_primitives(memory) for memory in measured if memory.label == "grid"])
    fitted = [(*key, f"{law.decode:g}", f"{law.each_bit:g}") for key, law in laws.items()]
    heads = ["built_as", "blocks", "decode_lut", "lut_each_bit"]
    write_text(directory / LUTS_TABLE, pd.DataFrame(fitted, columns=heads).to_csv(index=False))


def main() -> None:
    """Measure the grid and the held-out memories and write both tables to the directory named."""
    sets = {"grid": grid(), "held_out": held_out(), "many_blocks": held_out(least_blocks=MANY_BLOCKS)}
    measured = [memory for label, sizes in sets.items() for memory in measure(sizes, label)]
    write_tables(measured, Path(sys.argv[1]))


if __name__ == "__main__":
    main()
