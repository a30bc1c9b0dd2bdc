"""The schedule of a piece: which outputs a group takes, where its words begin, and which PE listens to which.

The words of a step are consecutive, one a lane, so that no two are in one bank. There are three ways:

- Small blocks, of at most P outputs: a group takes as many l as have room, and each PE listens to the lane of
  its l and r. What lies between the words of two l is not read.
- Larger blocks in block order: P outputs touch a few neighbouring blocks, of which each reads one word that
  all its PEs hear. Groups begin where the last one ended, in the middle of a block.
- Larger blocks in row order: P neighbours of one o read a word each, or several o read the same few words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.engine.strided.pieces import Ints, Piece


@dataclass(frozen=True, eq=False)
class Schedule:
    """A piece on `pes` PEs, group after group: the address of lane 0 at the first tap `base`, the PEs that
    have an output `valid`, and the lane of each PE `lanes`, shape (groups, pes).

    A group has `full` outputs unless it ends a run of `run` groups, and then `run_valid`. Between groups the
    base goes on by `advance`; where a run ends back to where that began, `repeats` times less one, and then
    by `jump`. Where blocks may lie across two groups, or do not need to but could, `block_out` are the
    outputs of a block, else 0; `crosses` says whether some do.
    """

    piece: Piece
    base: Ints
    valid: Ints
    lanes: Ints
    full: int
    run: int = 0
    run_valid: int = 0
    repeats: int = 1
    advance: int = 0
    jump: int = 0
    block_out: int = 0
    crosses: bool = False

    @property
    def groups(self) -> int:
        return len(self.valid)

    @property
    def heard(self) -> int:
        """The most lanes that a group reaches over."""
        busy = np.arange(self.lanes.shape[1]) < self.valid[:, None]
        return int(np.where(busy, self.lanes, 0).max()) + 1

    @property
    def lane_words(self) -> Ints:
        """Words that a step of each group reads, shape (groups,)."""
        busy = np.arange(self.lanes.shape[1]) < self.valid[:, None]
        lanes = np.sort(np.where(busy, self.lanes, -1), axis=1)
        words: Ints = (np.diff(lanes, axis=1, prepend=-1) > 0).sum(axis=1)
        return words


def schedule_of(piece: Piece, pes: int, lanes: int) -> Schedule | None:
    """The schedule of a piece on at most so many lanes; `None` where they are too few."""
    if piece.of_block <= pes and piece.right <= lanes:
        return _small_blocks(piece, pes, lanes)
    return _by_row(piece, pes, lanes) if piece.by_row else _by_block(piece, pes, lanes)


def _groups(piece: Piece, sizes: list[int]) -> Ints:
    """The valid PEs of the groups of all l, each of which has groups of these sizes, to the last output."""
    valid = np.tile(np.array(sizes, dtype=np.int64), piece.left)
    begins = np.concatenate(([0], np.cumsum(valid)))[:-1]
    kept = begins < piece.count
    limited: Ints = np.minimum(valid, piece.count - begins)[kept]
    return limited


def _small_blocks(piece: Piece, pes: int, lanes: int) -> Schedule:
    room = pes // piece.of_block
    reach = 1 + (lanes - piece.right) // piece.left_step if piece.left_step > 0 else 1
    room = min(room, reach, piece.left)
    full = room * piece.of_block
    groups = -(-piece.count // full)
    p = np.minimum(np.arange(pes), full - 1)
    block, q = np.divmod(p, piece.of_block)
    heard = block * piece.left_step + (q % piece.right if piece.by_row else q // piece.outputs)
    valid = np.full(groups, full)
    valid[-1] = piece.count - (groups - 1) * full
    return Schedule(
        piece,
        base=piece.start + np.arange(groups) * room * piece.left_step,
        valid=valid,
        lanes=np.broadcast_to(heard, (groups, pes)),
        full=full,
        advance=room * piece.left_step if groups > 1 else 0,
        block_out=piece.outputs if groups == 1 and room == 1 and not piece.by_row else 0,
    )


def _by_block(piece: Piece, pes: int, lanes: int) -> Schedule | None:
    run, outputs = -(-piece.of_block // pes), piece.outputs
    begins = np.arange(run) * pes
    run_valid = piece.of_block - (run - 1) * pes
    valid = _groups(piece, [pes] * (run - 1) + [run_valid])
    first, place = np.divmod(begins, outputs)
    heard = (place[:, None] + np.arange(pes)) // outputs
    groups = len(valid)
    left, k = np.divmod(np.arange(groups), run)
    schedule = Schedule(
        piece,
        base=piece.start + left * piece.left_step + first[k],
        valid=valid,
        lanes=heard[k],
        full=pes,
        run=run if groups > run else 0,
        run_valid=run_valid if groups > run else 0,
        advance=pes // outputs,
        jump=piece.left_step - int(first[-1]) if groups > run else 0,
        block_out=outputs,
        crosses=bool((place % outputs != 0).any()),
    )
    return schedule if schedule.heard <= lanes else None


def _by_row(piece: Piece, pes: int, lanes: int) -> Schedule:
    width = min(pes, lanes)
    if piece.right > width:
        run, repeats, full, advance = -(-piece.right // width), piece.outputs, width, width
        sizes = [width] * (run - 1) + [piece.right - (run - 1) * width]
        heard = np.minimum(np.arange(pes), width - 1)
    else:
        rows = pes // piece.right
        run, repeats, full, advance = -(-piece.outputs // rows), 1, rows * piece.right, 0
        sizes = [full] * (run - 1) + [piece.of_block - (run - 1) * full]
        heard = np.arange(pes) % piece.right
    valid = _groups(piece, sizes * repeats)
    groups = len(valid)
    left, k = np.divmod(np.arange(groups), run * repeats)
    several = groups > run
    return Schedule(
        piece,
        base=piece.start + left * piece.left_step + k % run * advance,
        valid=valid,
        lanes=np.broadcast_to(heard, (groups, pes)),
        full=full,
        run=run if several else 0,
        run_valid=sizes[-1] if several else 0,
        repeats=repeats if several else 1,
        advance=advance if groups > 1 else 0,
        jump=piece.left_step - (run - 1) * advance if groups > run * repeats else 0,
    )
