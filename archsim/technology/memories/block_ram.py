"""Which primitives synthesis builds a memory of, and how many: the choice of Yosys, made again.

A memory has one write port and one read port with registered data and an enable, as the engines' memories
have. Yosys (pass memory_libmap) considers every shape of LUT RAM and of block RAM, gives each a cost, and
takes the cheapest; the same sum is done here, so that the primitives and flip-flops are exact. Deeper
memories are several blocks behind decoders and multiplexers, which become LUTs as the logic optimiser likes:
these are counted by laws that were fitted to mapped memories, `artix7_memory_luts.csv`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from archsim.technology.fpga.devices import FpgaResources
from archsim.technology.quantity import load_table

SHAPES_TABLE = "artix7_memory_shapes.csv"
LUTS_TABLE = "artix7_memory_luts.csv"
BuiltAs = Literal["bram", "lut_ram", "flops"]

_COST_OF_MULTIPLEXED_BIT = 0.5
_COST_OF_DECODED_ENABLE = 0.5
_COST_OF_READ_PORT = 2.0
"""What Yosys charges for an input of an output multiplexer, for a decoded write enable, and for a read port
beside the write port."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One way to use a memory primitive: `words` of `bits`, written in bytes of `byte_bits`."""

    primitive: str
    words: int
    bits: int
    byte_bits: int
    cost: int
    cost_by_width: int
    resources: FpgaResources

    @property
    def built_as(self) -> BuiltAs:
        return "lut_ram" if self.resources["lut_as_memory"] else "bram"


@dataclass(frozen=True, kw_only=True)
class MemoryPlan:
    """How a memory is built: `units` primitives in `blocks` that follow each other in address.

    `decode_lut` decode its write enable for the blocks, `multiplex_lut` choose the block that is read; both
    are part of `resources.lut`.
    """

    built_as: BuiltAs
    primitive: str
    blocks: int
    units: int
    decode_lut: int
    multiplex_lut: int
    resources: FpgaResources


@dataclass(frozen=True)
class LutLaw:
    """LUTs beside the primitives, for a number of blocks: so many to decode, and so many for each bit."""

    decode: float
    each_bit: float

    def luts(self, word_bits: int) -> tuple[int, int]:
        """LUTs that decode, and all of them."""
        return round(self.decode), round(self.decode + self.each_bit * word_bits)


def tiles(resources: FpgaResources) -> int:
    """The RAMB36 tiles that hold a design's block RAMs: two RAMB18 share one."""
    return resources["bram36"] + math.ceil(resources["bram18"] / 2)


@cache
def shapes() -> tuple[Shape, ...]:
    """All shapes, in the order in which Yosys tries them."""
    return tuple(
        Shape(
            **{
                name: row[name]
                for name in ("primitive", "words", "bits", "byte_bits", "cost", "cost_by_width")
            },
            resources=FpgaResources(
                lut=row["lut_as_memory"],
                **{name: row[name] for name in ("lut_as_memory", "bram18", "bram36")},
            ),
        )
        for row in load_table(SHAPES_TABLE).rows
    )


@dataclass(frozen=True)
class _Candidate:
    shape: Shape
    blocks: int
    units: int
    cost: float


def _candidate(shape: Shape, words: int, word_bits: int) -> _Candidate:
    """A memory in one shape. The padded words of all blocks lie side by side, so that the last primitive of
    a block may also hold the first bits of the next."""
    blocks = math.ceil(words / shape.words)
    padded_bits = math.ceil(word_bits / shape.byte_bits) * shape.byte_bits
    units = math.ceil(blocks * padded_bits / shape.bits)
    cost = (
        (shape.cost - shape.cost_by_width) * units
        + shape.cost_by_width * blocks * word_bits / shape.bits
        + _COST_OF_MULTIPLEXED_BIT * (blocks - 1) * word_bits
        + (_COST_OF_DECODED_ENABLE * blocks if blocks > 1 else 0)
        + _COST_OF_READ_PORT
    )
    return _Candidate(shape, blocks, units, cost)


def _cheapest(words: int, word_bits: int) -> _Candidate | None:
    """Yosys's choice; None where flip-flops, at a cost of 1 a bit, are cheaper than any primitive.

    Yosys compares a cost with the whole part of the best so far, among the shapes of a kind of memory
    first.
    """
    best, cost = None, words * word_bits
    for built_as in ("lut_ram", "bram"):
        found = [_candidate(each, words, word_bits) for each in shapes() if each.built_as == built_as]
        of_kind = min(found, key=lambda each: each.cost)
        if of_kind.cost < cost:
            best, cost = of_kind, int(of_kind.cost)
    return best


@cache
def lut_laws() -> Mapping[str, Mapping[int, LutLaw]]:
    """The fitted law of each number of blocks, by what the memory is built as."""
    laws: dict[str, dict[int, LutLaw]] = {}
    for row in load_table(LUTS_TABLE).rows:
        law = LutLaw(row["decode_lut"], row["lut_each_bit"])
        laws.setdefault(row["built_as"], {})[row["blocks"]] = law
    return laws


def law(built_as: BuiltAs, blocks: int) -> LutLaw:
    """The law of so many blocks. Between numbers of blocks that were fitted it is interpolated, beyond the
    last it grows in proportion."""
    known = lut_laws()[built_as]
    if blocks in known:
        return known[blocks]
    if blocks > max(known):
        last, times = known[max(known)], blocks / max(known)
        return LutLaw(last.decode * times, last.each_bit * times)
    low = max(number for number in known if number < blocks)
    high = min(number for number in known if number > blocks)
    share = (blocks - low) / (high - low)
    return LutLaw(
        known[low].decode * (1 - share) + known[high].decode * share,
        known[low].each_bit * (1 - share) + known[high].each_bit * share,
    )


@lru_cache(maxsize=4096)
def plan_memory(words: int, word_bits: int) -> MemoryPlan:
    """How Yosys builds a memory of `words` x `word_bits`."""
    chosen = _cheapest(words, word_bits)
    if chosen is None:
        return _flops(words, word_bits)
    kind, blocks = chosen.shape.built_as, chosen.blocks
    decode, luts = law(kind, blocks).luts(word_bits) if blocks > 1 else (0, 0)
    # LUT RAM reads at once: the word is registered behind the multiplexer. Block RAM has its register inside,
    # and the choice of the block is registered beside it.
    ff = word_bits if kind == "lut_ram" else (blocks - 1).bit_length()
    return MemoryPlan(
        built_as=kind,
        primitive=chosen.shape.primitive,
        blocks=blocks,
        units=chosen.units,
        decode_lut=decode,
        multiplex_lut=luts - decode,
        resources=chosen.shape.resources * chosen.units + FpgaResources(lut=luts, ff=ff),
    )


def _flops(words: int, word_bits: int) -> MemoryPlan:
    """The least memories: a flip-flop for each bit and for each bit of the word read."""
    decode, luts = law("flops", words).luts(word_bits)
    return MemoryPlan(
        built_as="flops",
        primitive="FDRE",
        blocks=words,
        units=words * word_bits,
        decode_lut=decode,
        multiplex_lut=luts - decode,
        resources=FpgaResources(lut=luts, ff=(words + 1) * word_bits),
    )


def fit_lut_laws(measured: Sequence[tuple[int, int, int]]) -> dict[tuple[BuiltAs, int], LutLaw]:
    """The LUTs beside the primitives, a line over the word width for each number of blocks.

    `measured` holds words, word bits and LUTs (LUT RAM apart). Most numbers of blocks lie on a line exactly.
    The optimiser finds different circuits for the others, from 11 blocks on: there each block is given one
    decoder, and each bit the median of what remains.
    """
    points: dict[tuple[BuiltAs, int], list[tuple[int, int]]] = {}
    for words, word_bits, luts in measured:
        chosen = _cheapest(words, word_bits)
        if chosen is None:
            points.setdefault(("flops", words), []).append((word_bits, luts))
        elif chosen.blocks > 1:
            points.setdefault((chosen.shape.built_as, chosen.blocks), []).append((word_bits, luts))
    return {key: _line(sorted(found), decoders=key[1]) for key, found in sorted(points.items())}


def _line(points: Sequence[tuple[int, int]], *, decoders: int) -> LutLaw:
    (narrow, least), (wide, most) = points[0], points[-1]
    if wide > narrow:
        slope = (most - least) / (wide - narrow)
        straight = LutLaw(least - slope * narrow, slope)
        if all(straight.luts(bits)[1] == luts for bits, luts in points):
            return straight
    each_bit = statistics.median((luts - decoders) / bits for bits, luts in points)
    return LutLaw(float(decoders), round(each_bit, 3))
