"""Strided pieces: what nested counters can find without an index, found in any stage.

A piece is a run of outputs, in the order in which they are issued, that all read at the same distances from
their first input, while the addresses of the first inputs are a nest of at most three counters:

    block   start + l * left_step + r,  outputs in the order (l, r, o)
    row     start + l * left_step + r,  outputs in the order (l, o, r)

A stage that is a Kronecker product, or a stage of blocks, is one piece. One that wraps around its places, or
whose blocks are not all of one size, is a few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workloads import BlockStage, DenseStage, KroneckerStage, Stage

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Taps:
    """Distances of an output's inputs from its first: the k-th lies at (k div inner) * tile + (k mod inner) *
    stride."""

    count: int
    inner: int
    stride: int
    tile: int

    @property
    def offsets(self) -> Ints:
        """The distances, shape (count,)."""
        k = np.arange(self.count)
        return k // self.inner * self.tile + k % self.inner * self.stride

    @property
    def jump(self) -> int:
        """From the last tap of an inner run to the first of the next one."""
        return self.tile - (self.inner - 1) * self.stride


@dataclass(frozen=True, eq=False)
class Rows:
    """The outputs of a stage as addresses: the `first` that each reads, shape (n_out,), and which of the
    `shapes` its distances have, shape (n_out,); `None` for distances that two counters do not make."""

    first: Ints
    shape: Ints
    shapes: tuple[Taps | None, ...]


@dataclass(frozen=True)
class Piece:
    """`count` outputs that nested counters find; the last of its blocks may be cut off."""

    start: int
    taps: Taps
    by_row: bool
    left: int
    left_step: int
    outputs: int
    right: int
    count: int

    @property
    def of_block(self) -> int:
        """Outputs of one l."""
        return self.outputs * self.right


def taps_of(offsets: Ints) -> Taps | None:
    """Two counters that make these distances, or `None`."""
    count = len(offsets)
    if count == 1:
        return Taps(1, 1, 0, 0)
    stride = int(offsets[1])
    differs = np.nonzero(np.diff(offsets) != stride)[0]
    inner = int(differs[0]) + 1 if differs.size else count
    taps = Taps(count, inner, stride, int(offsets[inner]) if differs.size else 0)
    return taps if np.array_equal(taps.offsets, offsets) else None


def rows_of(stage: Stage, place: Ints | None) -> Rows:
    """The rows of a stage whose input i lies at address `place[i]`, or at i; each reads something. Inputs are
    taken as their weights are stored, or by rising address where two counters find more rows so."""
    if place is None and isinstance(stage, BlockStage | DenseStage | KroneckerStage):
        return _regular_rows(stage)
    lengths, columns = stage.row_lengths(), stage.columns()
    addresses = columns if place is None else place[columns]
    rows = _irregular_rows(lengths, addresses)
    if None not in rows.shapes:
        return rows
    rising = addresses[np.lexsort((addresses, np.repeat(np.arange(stage.n_out), lengths)))]
    other = _irregular_rows(lengths, rising)
    return min(rows, other, key=lambda found: found.shapes.count(None))


def _irregular_rows(lengths: Ints, addresses: Ints) -> Rows:
    starts = np.concatenate(([0], np.cumsum(lengths)))
    first = addresses[starts[:-1]]
    distances = addresses - np.repeat(first, lengths)
    if (lengths == lengths[0]).all() and (
        distances.reshape(len(lengths), -1) == distances[: lengths[0]]
    ).all():
        return Rows(first, np.zeros(len(lengths), dtype=np.int64), (taps_of(distances[: lengths[0]]),))
    kinds: dict[bytes, int] = {}
    shapes: list[Taps | None] = []
    shape = np.empty(len(lengths), dtype=np.int64)
    for row in range(len(lengths)):
        own = distances[starts[row] : starts[row + 1]]
        key = own.tobytes()
        if key not in kinds:
            kinds[key] = len(shapes)
            shapes.append(taps_of(own))
        shape[row] = kinds[key]
    return Rows(first, shape, tuple(shapes))


def _regular_rows(stage: BlockStage | DenseStage | KroneckerStage) -> Rows:
    if isinstance(stage, KroneckerStage):
        inputs, stride = stage.inputs, stage.right
        left = np.arange(stage.left)[:, None, None] * inputs * stride
        shape = (stage.left, stage.outputs, stage.right)
        first = np.broadcast_to(left + np.arange(stride), shape).ravel()
    elif isinstance(stage, BlockStage):
        inputs, stride = stage.block_in, stage.blocks
        first = np.repeat(np.arange(stage.blocks), stage.block_out)
    else:
        inputs, stride = stage.n_in, 1
        first = np.zeros(stage.n_out, dtype=np.int64)
    taps = Taps(inputs, inputs, stride if inputs > 1 else 0, 0)
    return Rows(first, np.zeros(stage.n_out, dtype=np.int64), (taps,))


def orders(rows: Rows) -> list[Ints]:
    """Orders in which the outputs may be issued: as they are numbered; block after block; and, in each run of
    neighbouring blocks, the first output of all blocks, then the second, as if nothing moved."""
    n_out = len(rows.first)
    natural = np.arange(n_out)
    by_block = np.lexsort((natural, rows.first, rows.shape))
    first, shape = rows.first[by_block], rows.shape[by_block]
    same_shape = np.diff(shape, prepend=shape[0]) == 0
    step = np.diff(first, prepend=first[0])
    new_block = ~same_shape | (step != 0)
    new_run = ~same_shape | (step > 1)
    begins = np.maximum.accumulate(np.where(new_block | (natural == 0), natural, 0))
    in_place = by_block[np.lexsort((first, natural - begins, np.cumsum(new_run)))]
    different: list[Ints] = []
    for order in (natural, by_block, in_place):
        if not any(np.array_equal(order, other) for other in different):
            different.append(order)
    return different


def pieces_of(rows: Rows, order: Ints, most: int) -> list[Piece] | None:
    """The pieces of a stage whose outputs are issued in this order; `None` where its distances or its blocks
    are too irregular for at most so many."""
    first, shape = rows.first[order], rows.shape[order]
    ends = [*(np.nonzero(np.diff(shape))[0] + 1).tolist(), len(order)]
    at = 0
    pieces: list[Piece] = []
    for end in ends:
        taps = rows.shapes[shape[at]]
        while at < end:
            if taps is None or len(pieces) == most:
                return None
            piece = _first_piece(first[at:end], taps)
            pieces.append(piece)
            at += piece.count
    return pieces


def _first_piece(first: Ints, taps: Taps) -> Piece:
    """The longest piece at the beginning of a run of outputs of one shape, whose first inputs these are."""
    cover, total = 1, len(first)
    sides = {0: 1, 1: 1}
    by_row, left, left_step = False, 1, 0
    while cover < total:
        step = int(first[cover] - first[0])
        nested = step in sides and sides[step] == 1 and left == 1
        if not nested and 0 <= step < sides[1]:
            break
        differs = first[cover:] - first[:-cover] != step
        same = cover + int(differs.argmax()) if differs.any() else total
        number = -(-same // cover) if same == total else same // cover
        if number < 2:
            break
        if nested:
            by_row |= cover == 1 and step == 1
            sides[step] = number
        else:
            left, left_step = number, step
        cover = min(number * cover, total)
        if not nested:
            break
    return Piece(int(first[0]), taps, by_row, left, left_step, sides[0], sides[1], cover)
