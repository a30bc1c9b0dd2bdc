"""Tiles of a matrix product in vector registers, and how a factor is packed for them.

The blocks of a Clos layer are too small for BLAS to come near to what a processor can multiply, and the bands
of a CSC layer are no matrices of BLAS at all. Here tiles of 6 rows by up to 4 vectors of results stay in
registers over all products, and only the right-hand factor is packed (the form of Goto and van de Geijn,
"Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008). Loops that a compiler vectorises
do not keep results in registers, so a tile is written for LLVM itself.

Rows lie anywhere in memory. `Rows` of compiled code are a tuple (array, numbers, at, unit, base, shift): row
r begins at element `numbers[at + r] * unit + base + r * shift`. A `Place` is a tuple (array, at, step):
line k begins at element `at + k * step`.

What writes code and what is compiled from it stand in one file, since numba keeps compiled code on disk until
the file of the compiled function changes.

Rounding: one product after another is added to each result, fused with its addition where the processor can
(`contract`). NaN and infinity are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils, config
from numba.extending import intrinsic

from workloads.kernels.kernel import TILE_ROWS, Array

Value = Any  # Neither llvmlite nor what numba hands to an intrinsic is typed.
Generated = tuple[Value, Callable[..., Value]]
Sums = list[list[Value]]


def _has_long_vectors() -> bool:
    """Whether numba compiles for vectors of 64 bytes: for this processor, unless it was told another."""
    settings: Any = config
    if settings.CPU_FEATURES is not None:
        return "+avx512f" in settings.CPU_FEATURES
    return bool(binding.get_host_cpu_features().get("avx512f", False))


VECTOR_BYTES, VECTORS = (64, 4) if _has_long_vectors() else (32, 2)
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

    def between(self, start: Value, stop: Value, vector: int) -> Value:
        """Which of these lanes lie at `start` or after, and before `stop`."""
        return self.builder.and_(self.below(stop, vector), self.builder.not_(self.below(start, vector)))

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


def _written(write: Callable[..., Generated]) -> Any:
    """A function of compiled code, from the function that writes its code."""
    return intrinsic(write)


def _elements(builder: Value, given: Value) -> list[Value]:
    """What a tuple holds."""
    unpack: Value = cgutils.unpack_tuple
    return list(unpack(builder, given))


class _Rows:
    """`Rows` in the code that is written."""

    def __init__(self, context: Value, builder: Value, kind: Value, given: Value) -> None:
        array, numbers, at, *self.rest = _elements(builder, given)
        self.builder = builder
        self.array = context.make_array(kind[0])(context, builder, array).data
        self.numbers = builder.gep(context.make_array(kind[1])(context, builder, numbers).data, [at])

    def __getitem__(self, row: Value) -> Value:
        """The address of a row."""
        unit, base, shift = self.rest
        number = self.builder.load(self.builder.gep(self.numbers, [row]))
        offset = self.builder.add(self.builder.mul(number, unit), base)
        return self.builder.gep(self.array, [self.builder.add(offset, self.builder.mul(row, shift))])


def _place(context: Value, builder: Value, kind: Value, given: Value) -> tuple[Value, Value]:
    """The address and the step of a `Place`."""
    array, at, step = _elements(builder, given)
    return builder.gep(context.make_array(kind[0])(context, builder, array).data, [at]), step


@_written
def _copy(typing: Value, source: Value, packed: Value, width: Value, vectors: Value) -> Generated:
    """The first of `Rows` to a `Place` in so many vectors, zeros from `width` on."""

    def generate(context: Value, builder: Value, signature: Value, given: Value) -> Value:
        on = _Vectors(context, builder, source[0])
        line = _Rows(context, builder, source, given[0])[_WORD(0)]
        target, _ = _place(context, builder, packed, given[1])
        for number in range(VECTORS):
            with builder.if_then(builder.icmp_signed("<", _WORD(number), given[3]), likely=True):
                offset = _WORD(number * on.lanes)
                on.store(on.load(line, offset, on.below(given[2], number)), target, offset, on.everywhere)
        return context.get_dummy_value()

    return types.void(source, packed, INDEX, INDEX), generate


@_written
def _turn(typing: Value, source: Value, packed: Value, count: Value, width: Value) -> Generated:
    """Columns to lines, as many of both as a vector has lanes: the first `width` elements of the first
    `count` of `Rows`, at least one, become lines at a `Place`, each a whole vector, zero from `count` on.
    """

    def generate(context: Value, builder: Value, signature: Value, given: Value) -> Value:
        on = _Vectors(context, builder, source[0])
        rows = _Rows(context, builder, source, given[0])
        target, step = _place(context, builder, packed, given[1])
        within, last = on.below(given[3]), builder.sub(given[2], _WORD(1))
        lines = []
        for number in range(on.lanes):
            there = builder.icmp_signed("<=", _WORD(number), last)
            row = rows[builder.select(there, _WORD(number), last)]
            lines.append(on.load(row, _WORD(0), on.where(there, within)))
        for number, line in enumerate(on.transposed(lines)):
            mask = on.where(builder.icmp_signed("<", _WORD(number), given[3]), on.everywhere)
            on.store(line, target, builder.mul(_WORD(number), step), mask)
        return context.get_dummy_value()

    return types.void(source, packed, INDEX, INDEX), generate


class _Tile:
    """The code of one tile of `height` rows by `breadth` vectors, for :func:`_tile`."""

    def __init__(
        self, on: _Vectors, lefts: _Rows, step: Value, right: tuple[Value, Value], height: int, breadth: int
    ):
        self.on, self.builder, self.step = on, on.builder, step
        self.rows = [lefts[_WORD(row)] for row in range(height)]
        self.breadth = breadth
        self.line, self.line_step = right
        self.offset = _WORD(0)
        self.sums: Sums = [[on.zero] * breadth for _ in self.rows]

    def follow(self, rows: range) -> None:
        """Multiply the next packed line to these rows, and go on to the one after it."""
        factors = [self.on.load(self.line, _WORD(number * self.on.lanes)) for number in range(self.breadth)]
        for row in rows:
            weight = self.on.spread(self.builder.load(self.builder.gep(self.rows[row], [self.offset])))
            pairs = zip(self.sums[row], factors, strict=True)
            self.sums[row] = [self.on.add_product(total, weight, factor) for total, factor in pairs]
        self.offset = self.builder.add(self.offset, self.step)
        self.line = self.builder.gep(self.line, [self.line_step])

    def repeat(self, times: Value) -> None:
        """Follow so many packed lines, at least one, with all rows."""
        builder, before = self.builder, self.builder.block
        loop, after = (builder.append_basic_block(name) for name in ("loop", "after"))
        builder.branch(loop)
        builder.position_at_end(loop)
        state = [times, self.offset, self.line, *(total for row in self.sums for total in row)]
        carried = [builder.phi(value.type) for value in state]
        for phi, value in zip(carried, state, strict=True):
            phi.add_incoming(value, before)
        left, self.offset, self.line, *totals = carried
        self.sums = [totals[row * self.breadth : (row + 1) * self.breadth] for row in range(len(self.rows))]
        self.follow(range(len(self.rows)))
        fewer = builder.sub(left, _WORD(1))
        state = [fewer, self.offset, self.line, *(total for row in self.sums for total in row)]
        for phi, value in zip(carried, state, strict=True):
            phi.add_incoming(value, loop)
        builder.cbranch(builder.icmp_signed(">", fewer, _WORD(0)), loop, after)
        builder.position_at_end(after)


def _tile(*, of_band: bool = False, to_band: bool = False) -> Any:
    """A function of compiled code: out[r, j] = sum of left[r, k] packed[k, j] over k < depth, for r < height
    and start <= j < stop, in so many vectors. `left` and `out` are `Rows`, elements of a row of `left` are a
    step apart, and `packed` is a `Place`.

    *Of a band*: row r has the elements left[r, r] to left[r, r + depth - 1], and they go with the packed
    lines r to r + depth - 1; depth is at least the height.  *To a band*: of row r of `out` the columns
    start + r to stop + r - 1 are written.
    """

    def write(
        typing: Value, left: Value, step: Value, packed: Value, out: Value, shape: Value, columns: Value
    ) -> Generated:
        def generate(context: Value, builder: Value, signature: Value, given: Value) -> Value:
            on = _Vectors(context, builder, left[0])
            lefts, outs = (
                _Rows(context, builder, kind, given[number]) for kind, number in ((left, 0), (out, 3))
            )
            right = _place(context, builder, packed, given[2])
            rows, vectors, depth = _elements(builder, given[4])
            start, stop = _elements(builder, given[5])
            done = builder.append_basic_block("done")
            shapes = builder.switch(builder.add(builder.mul(rows, _WORD(VECTORS)), vectors), done)
            for height in range(1, TILE_ROWS + 1):
                for breadth in range(1, VECTORS + 1):
                    case = builder.append_basic_block(f"tile_{height}_{breadth}")
                    shapes.add_case(_WORD(height * VECTORS + breadth), case)
                    builder.position_at_end(case)
                    tile = _Tile(on, lefts, given[1], right, height, breadth)
                    corner = range(height - 1 if of_band else 0)
                    for number in corner:
                        tile.follow(range(number + 1))
                    tile.repeat(builder.sub(depth, _WORD(len(corner))))
                    for number in corner:
                        tile.follow(range(number + 1, height))
                    for row, totals in enumerate(tile.sums):
                        shift = _WORD(row if to_band else 0)
                        edges = builder.add(start, shift), builder.add(stop, shift)
                        for number, total in enumerate(totals):
                            mask = on.between(*edges, number)
                            on.store(total, outs[_WORD(row)], _WORD(number * on.lanes), mask)
                    builder.branch(done)
            builder.position_at_end(done)
            return context.get_dummy_value()

        return types.void(left, INDEX, packed, out, shape, columns), generate

    return _written(write)


_full_tile, _tile_of_band, _tile_to_band = _tile(), _tile(of_band=True), _tile(to_band=True)


@njit(nogil=True, cache=True, error_model="numpy")
def multiply_blocks(
    weights: Array,
    weight_rows: Array,
    unit: int,
    step: int,
    back: bool,
    right: Array,
    right_rows: Array,
    out: Array,
    out_rows: Array,
    rows: int,
    depth: int,
    batch: int,
    start: int,
    stop: int,
) -> None:
    """out = W right for the blocks start to stop - 1, or W' right (`back`).

    All arrays are flat. Rows of `right` and `out` are as long as the batch; the rows of all blocks one after
    another are the rows so numbered. A row of weights has `unit` elements, and the next one of its block is
    `step` elements on.
    """
    lanes = VECTOR_BYTES // right.itemsize
    strip = min(VECTORS, (batch + lanes - 1) // lanes) * lanes
    packed = np.empty((batch + strip - 1) // strip * strip * depth, right.dtype)
    for block in range(start, stop):
        for k in range(depth):
            for j in range(0, batch, strip):
                source = (right, right_rows, block * depth + k, batch, j, 0)
                _copy(source, (packed, j * depth + k * strip, strip), batch - j, strip // lanes)
        for j in range(0, batch, strip):
            width = min(strip, batch - j)
            for i in range(0, rows, TILE_ROWS):
                at = block * rows + i
                if back:
                    base = weight_rows[block * depth] * unit + i
                    left = (weights, out_rows, at, 0, base, 1)
                else:
                    left = (weights, weight_rows, at, unit, 0, 0)
                _full_tile(
                    left,
                    step if back else 1,
                    (packed, j * depth, strip),
                    (out, out_rows, at, batch, j, 0),
                    (min(TILE_ROWS, rows - i), (width + lanes - 1) // lanes, depth),
                    (0, width),
                )


@njit(nogil=True, cache=True, error_model="numpy")
def correlate_blocks(
    dy: Array,
    dy_rows: Array,
    x: Array,
    x_rows: Array,
    gradient: Array,
    gradient_rows: Array,
    rows: int,
    columns: int,
    batch: int,
    start: int,
    stop: int,
) -> None:
    """gradient = dy x' for the blocks start to stop - 1; arrays and rows as in :func:`multiply_blocks`."""
    lanes = VECTOR_BYTES // x.itemsize
    strip = min(VECTORS, (columns + lanes - 1) // lanes) * lanes
    packed = np.empty(batch * strip, x.dtype)
    for block in range(start, stop):
        for j in range(0, columns, strip):
            width = min(strip, columns - j)
            for k in range(0, width, lanes):
                for b in range(0, batch, lanes):
                    source = (x, x_rows, block * columns + j + k, batch, b, 0)
                    _turn(source, (packed, b * strip + k, strip), width - k, batch - b)
            for i in range(0, rows, TILE_ROWS):
                at = block * rows + i
                _full_tile(
                    (dy, dy_rows, at, batch, 0, 0),
                    1,
                    (packed, 0, strip),
                    (gradient, gradient_rows, at, columns, j, 0),
                    (min(TILE_ROWS, rows - i), (width + lanes - 1) // lanes, batch),
                    (0, width),
                )


# Bands: the rows of a ring, each of which reads itself and the next ones, `taps` in all. A ring of n places
# has its numbers three times over in `rings`, so that nothing need be taken modulo n. Work is cut in parts:
# part p of a ring takes its places from p * part on.


@njit(nogil=True, cache=True, error_model="numpy")
def multiply_bands(
    weights: Array,
    back: bool,
    taps: int,
    rings: Array,
    places: int,
    part: int,
    right: Array,
    out: Array,
    batch: int,
    start: int,
    stop: int,
) -> None:
    """out = W right for the parts start to stop - 1 of all rings, or W' right (`back`)."""
    lanes = VECTOR_BYTES // right.itemsize
    strip = min(VECTORS, (batch + lanes - 1) // lanes) * lanes
    packed = np.empty((batch + strip - 1) // strip * strip * (part + taps - 1), right.dtype)
    turned = np.empty(part * taps if back else 0, weights.dtype)
    parts = (places + part - 1) // part
    for number in range(start, stop):
        ring, first = number // parts * 3 * places, number % parts * part
        rows = min(part, places - first)
        lines = rows + taps - 1
        begin = ring + ((first - taps + 1) % places if back else first)
        for k in range(lines):
            for j in range(0, batch, strip):
                source = (right, rings, begin + k, batch, j, 0)
                _copy(source, (packed, j * lines + k * strip, strip), batch - j, strip // lanes)
        if back:
            for k in range(lines):
                row = rings[begin + k] * taps + taps - 1
                for tap in range(max(0, k - rows + 1), min(taps, k + 1)):
                    turned[(k - tap) * taps + tap] = weights[row - tap]
        for j in range(0, batch, strip):
            width = min(strip, batch - j)
            for i in range(0, rows, TILE_ROWS):
                at = ring + first + i
                if back:
                    left = (turned, rings, at, 0, i * taps, taps - 1)
                else:
                    left = (weights, rings, at, taps, 0, -1)
                _tile_of_band(
                    left,
                    1,
                    (packed, j * lines + i * strip, strip),
                    (out, rings, at, batch, j, 0),
                    (min(TILE_ROWS, rows - i), (width + lanes - 1) // lanes, taps),
                    (0, width),
                )


@njit(nogil=True, cache=True, error_model="numpy")
def correlate_bands(
    dy: Array,
    x: Array,
    gradient: Array,
    taps: int,
    rings: Array,
    places: int,
    part: int,
    batch: int,
    start: int,
    stop: int,
) -> None:
    """The stored part of dy x' for the parts start to stop - 1 of all rings."""
    lanes = VECTOR_BYTES // x.itemsize
    most = (part + taps - 1 + lanes - 1) // lanes * lanes
    packed = np.zeros(batch * most + VECTORS * lanes, x.dtype)
    parts = (places + part - 1) // part
    for number in range(start, stop):
        ring, first = number // parts * 3 * places, number % parts * part
        rows = min(part, places - first)
        lines = rows + taps - 1
        step = (lines + lanes - 1) // lanes * lanes
        for k in range(0, lines, lanes):
            for b in range(0, batch, lanes):
                source = (x, rings, ring + first + k, batch, b, 0)
                _turn(source, (packed, b * step + k, step), lines - k, batch - b)
        for i in range(0, rows, TILE_ROWS):
            height = min(TILE_ROWS, rows - i)
            vectors = (taps + height - 1 + lanes - 1) // lanes
            groups = (vectors + VECTORS - 1) // VECTORS
            for group in range(groups):
                column = group * vectors // groups
                following = (group + 1) * vectors // groups
                at, skipped = ring + first + i, column * lanes
                _tile_to_band(
                    (dy, rings, at, batch, 0, 0),
                    1,
                    (packed, i + skipped, step),
                    (gradient, rings, at, taps, skipped, -1),
                    (height, following - column, batch),
                    (-skipped, taps - skipped),
                )
