"""Products of many small matrices, in tiles of vector registers.

The blocks of a Clos layer are too small for BLAS to come near to what a processor can multiply: it packs
both factors, and chooses a way anew at every call.  Here only the right-hand factor is packed, once a block,
and tiles of 6 rows by up to 4 vectors of results stay in registers over all products (the form of Goto and
van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008).  Loops that a
compiler vectorises do not keep results in registers, so the tile is written for LLVM itself; what is around
it, `multiply_blocks`, is a compiled loop like the others.

Rounding: one product after another is added to each result, fused with its addition where the processor can
(`contract`).  NaN and infinity are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils, config
from numba.extending import intrinsic

from workloads.kernels import Array

Value = Any  # Neither llvmlite nor what numba hands to an intrinsic is typed.


def _has_long_vectors() -> bool:
    """Whether numba compiles for vectors of 64 bytes: for this processor, unless it was told another."""
    settings: Any = config
    if settings.CPU_FEATURES is not None:
        return "+avx512f" in settings.CPU_FEATURES
    return bool(binding.get_host_cpu_features().get("avx512f", False))


VECTOR_BYTES, VECTORS, ROWS = (64, 4, 6) if _has_long_vectors() else (32, 2, 6)
"""The tile: 24 vectors of results in 32 registers of 64 bytes, or 12 in 16 registers of 32."""

INDEX = types.intp
_WORD, _NUMBER, _BIT = ir.IntType(64), ir.IntType(32), ir.IntType(1)


class _Vectors:
    """Vectors of one type of number, in the code that a builder writes."""

    def __init__(self, context: Value, builder: Value, array: Value) -> None:
        self.builder = builder
        self.bytes = array.dtype.bitwidth // 8
        self.lanes = VECTOR_BYTES // self.bytes
        self.type = ir.VectorType(context.get_data_type(array.dtype), self.lanes)
        self.mask = ir.VectorType(_BIT, self.lanes)
        self.zero = ir.Constant(self.type, [0.0] * self.lanes)
        self.everywhere, self.nowhere = (ir.Constant(self.mask, [bit] * self.lanes) for bit in (1, 0))

    def _intrinsic(self, name: str, result: Value, takes: Sequence[Value]) -> Value:
        full = f"llvm.masked.{name}.v{self.lanes}f{8 * self.bytes}.p0"
        declare: Value = cgutils.get_or_insert_function
        return declare(self.builder.module, ir.FunctionType(result, takes), full)

    def _place(self, pointer: Value, offset: Value) -> Value:
        return self.builder.bitcast(self.builder.gep(pointer, [offset]), self.type.as_pointer())

    def spread(self, number: Value) -> Value:
        """A number in every lane."""
        nothing = ir.Constant(ir.VectorType(number.type, self.lanes), ir.Undefined)
        first = self.builder.insert_element(nothing, number, _NUMBER(0))
        zeros = ir.Constant(ir.VectorType(_NUMBER, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, nothing, zeros)

    def below(self, width: Value, vector: int = 0) -> Value:
        """Which lanes of vector number so-and-so in a row lie within the first `width` places."""
        places = [vector * self.lanes + lane for lane in range(self.lanes)]
        wide = ir.VectorType(_WORD, self.lanes)
        return self.builder.icmp_signed("<", ir.Constant(wide, places), self.spread(width))

    def where(self, condition: Value, mask: Value) -> Value:
        return self.builder.select(condition, mask, self.nowhere)

    def load(self, pointer: Value, offset: Value, mask: Value | None = None) -> Value:
        """A vector from memory, zero outside the mask, where nothing is read."""
        if mask is None:
            return self.builder.load(self._place(pointer, offset), align=self.bytes)
        read = self._intrinsic("load", self.type, (self.type.as_pointer(), _NUMBER, self.mask, self.type))
        return self.builder.call(read, [self._place(pointer, offset), _NUMBER(self.bytes), mask, self.zero])

    def store(self, value: Value, pointer: Value, offset: Value, mask: Value) -> None:
        """A vector to memory, where the mask has ones."""
        write = self._intrinsic(
            "store", ir.VoidType(), (self.type, self.type.as_pointer(), _NUMBER, self.mask)
        )
        self.builder.call(write, [value, self._place(pointer, offset), _NUMBER(self.bytes), mask])

    def add_product(self, total: Value, left: Value, right: Value) -> Value:
        product = self.builder.fmul(left, right, flags=("contract",))
        return self.builder.fadd(total, product, flags=("contract",))

    def transposed(self, rows: Sequence[Value]) -> list[Value]:
        """As many vectors as lanes, rows for columns: the halves are shuffled together log2(lanes) times."""
        half = self.lanes // 2
        deals = [
            ir.Constant(
                ir.VectorType(_NUMBER, self.lanes),
                [place for lane in range(start, start + half) for place in (lane, self.lanes + lane)],
            )
            for start in (0, half)
        ]
        rows = list(rows)
        for _ in range(self.lanes.bit_length() - 1):
            rows = [
                self.builder.shuffle_vector(rows[number], rows[number + half], deal)
                for number in range(half)
                for deal in deals
            ]
        return rows


def _start_of(context: Value, builder: Value, signature: Value, given: Value, place: int) -> Value:
    """The address of element given[place + 1] of the array given[place]."""
    array = context.make_array(signature.args[place])(context, builder, given[place])
    return builder.gep(array.data, [given[place + 1]])


def _written(write: Callable[..., tuple[Value, Callable[..., Value]]]) -> Any:
    """A function of compiled code, from the function that writes its code."""
    return intrinsic(write)


Generated = tuple[Value, Callable[..., Value]]


@_written
def _copy(
    typing: Value, source: Value, start: Value, width: Value, packed: Value, place: Value, vectors: Value
) -> Generated:
    """Vectors of source[start:] to packed[place:], zeros from `width` on."""

    def generate(context: Value, builder: Value, signature: Value, given: Value) -> Value:
        vectors = _Vectors(context, builder, signature.args[0])
        source, packed = (_start_of(context, builder, signature, given, place) for place in (0, 3))
        for number in range(VECTORS):
            with builder.if_then(builder.icmp_signed("<", _WORD(number), given[5]), likely=True):
                offset = _WORD(number * vectors.lanes)
                value = vectors.load(source, offset, vectors.below(given[2], number))
                vectors.store(value, packed, offset, vectors.everywhere)
        return context.get_dummy_value()

    return types.void(source, INDEX, INDEX, packed, INDEX, INDEX), generate


@_written
def _turn(
    typing: Value,
    source: Value,
    start: Value,
    step: Value,
    rows: Value,
    columns: Value,
    packed: Value,
    place: Value,
    packed_step: Value,
) -> Generated:
    """packed[place + i packed_step + j] = source[start + j step + i] for a square of lanes by lanes, of which
    the first `rows` rows are written, and columns from `columns` on are zero."""

    def generate(context: Value, builder: Value, signature: Value, given: Value) -> Value:
        _, _, step, rows, columns, _, _, packed_step = given
        vectors = _Vectors(context, builder, signature.args[0])
        source, packed = (_start_of(context, builder, signature, given, place) for place in (0, 5))
        within = vectors.below(rows)
        lines = []
        for number in range(vectors.lanes):
            mask = vectors.where(builder.icmp_signed("<", _WORD(number), columns), within)
            lines.append(vectors.load(source, builder.mul(_WORD(number), step), mask))
        for number, line in enumerate(vectors.transposed(lines)):
            mask = vectors.where(builder.icmp_signed("<", _WORD(number), rows), vectors.everywhere)
            vectors.store(line, packed, builder.mul(_WORD(number), packed_step), mask)
        return context.get_dummy_value()

    signature = types.void(source, INDEX, INDEX, INDEX, INDEX, packed, INDEX, INDEX)
    return signature, generate


@_written
def _tile(
    typing: Value,
    left: Value,
    left_start: Value,
    left_row: Value,
    left_step: Value,
    packed: Value,
    packed_start: Value,
    packed_step: Value,
    out: Value,
    out_start: Value,
    out_row: Value,
    rows: Value,
    vectors: Value,
    width: Value,
    depth: Value,
) -> Generated:
    """out[i, j] = sum of left[i, k] packed[k, j] over k < depth, for i < rows and j < width, which is at most
    `vectors` vectors."""

    def generate(context: Value, builder: Value, signature: Value, given: Value) -> Value:
        _, _, left_row, left_step, _, _, packed_step, _, _, out_row, rows, count, width, depth = given
        vectors = _Vectors(context, builder, signature.args[0])
        left, packed, out = (_start_of(context, builder, signature, given, place) for place in (0, 4, 7))
        masks = [vectors.below(width, number) for number in range(VECTORS)]
        done = builder.append_basic_block("done")
        shapes = builder.switch(builder.add(builder.mul(rows, _WORD(8)), count), done)
        for height in range(1, ROWS + 1):
            for breadth in range(1, VECTORS + 1):
                before, loop, after = (
                    builder.append_basic_block(name) for name in ("before", "loop", "after")
                )
                shapes.add_case(_WORD(height * 8 + breadth), before)
                builder.position_at_end(before)
                offsets = [builder.mul(_WORD(row), left_row) for row in range(height)]
                columns = [_WORD(number * vectors.lanes) for number in range(breadth)]
                builder.branch(loop)

                builder.position_at_end(loop)
                remaining, left_at, packed_at = (builder.phi(first.type) for first in (depth, left, packed))
                sums = [[builder.phi(vectors.type) for _ in columns] for _ in offsets]
                factors = [vectors.load(packed_at, column) for column in columns]
                for offset, row in zip(offsets, sums, strict=True):
                    weight = vectors.spread(builder.load(builder.gep(left_at, [offset])))
                    for number, factor in enumerate(factors):
                        total = row[number]
                        row[number] = vectors.add_product(total, weight, factor)
                        total.add_incoming(vectors.zero, before)
                        total.add_incoming(row[number], loop)
                fewer = builder.sub(remaining, _WORD(1))
                for phi, first, following in (
                    (remaining, depth, fewer),
                    (left_at, left, builder.gep(left_at, [left_step])),
                    (packed_at, packed, builder.gep(packed_at, [packed_step])),
                ):
                    phi.add_incoming(first, before)
                    phi.add_incoming(following, loop)
                builder.cbranch(builder.icmp_signed(">", fewer, _WORD(0)), loop, after)

                builder.position_at_end(after)
                for number, row in enumerate(sums):
                    line = builder.gep(out, [builder.mul(_WORD(number), out_row)])
                    for column, total, mask in zip(columns, row, masks[:breadth], strict=True):
                        vectors.store(total, line, column, mask)
                builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    lefts, rights, outs = (left, INDEX, INDEX, INDEX), (packed, INDEX, INDEX), (out, INDEX, INDEX)
    return types.void(*lefts, *rights, *outs, INDEX, INDEX, INDEX, INDEX), generate


@njit(nogil=True, cache=True, error_model="numpy")
def multiply_blocks(
    left: Array,
    left_starts: Array,
    left_unit: int,
    left_row: int,
    left_step: int,
    right: Array,
    right_starts: Array,
    right_unit: int,
    right_row: int,
    right_step: int,
    out: Array,
    out_starts: Array,
    out_unit: int,
    out_row: int,
    rows: int,
    depth: int,
    columns: int,
    start: int,
    stop: int,
) -> None:
    """out[i, j] = sum of left[i, k] right[k, j] over k < depth, for the blocks start to stop - 1.

    The arrays are flat, and steps are in elements: element (i, k) of the left factor of a block lies at
    ``left_starts[block] * left_unit + i * left_row + k * left_step``, and likewise for the others; columns of
    `out` lie side by side.  One of right_row and right_step is 1, and depth is at least 1.
    """
    lanes = VECTOR_BYTES // left.itemsize
    strip = min(VECTORS, (columns + lanes - 1) // lanes) * lanes
    packed = np.empty((columns + strip - 1) // strip * strip * depth, right.dtype)
    for block in range(start, stop):
        begin = right_starts[block] * right_unit
        if right_step == 1:
            for k in range(depth):
                for j in range(0, columns, strip):
                    source, place = begin + k * right_row + j, j * depth + k * strip
                    _copy(right, source, columns - j, packed, place, strip // lanes)
        else:
            for first in range(0, columns, strip):
                for j in range(first, min(first + strip, columns), lanes):
                    for k in range(0, depth, lanes):
                        source, place = begin + j * right_step + k, first * depth + k * strip + j - first
                        _turn(right, source, right_step, depth - k, columns - j, packed, place, strip)
        left_at, out_at = left_starts[block] * left_unit, out_starts[block] * out_unit
        for j in range(0, columns, strip):
            width = min(strip, columns - j)
            vectors = (width + lanes - 1) // lanes
            for i in range(0, rows, ROWS):
                height = min(ROWS, rows - i)
                source, place = left_at + i * left_row, out_at + i * out_row + j
                given = (left, source, left_row, left_step, packed, j * depth, strip, out, place, out_row)
                _tile(*given, height, vectors, width, depth)
