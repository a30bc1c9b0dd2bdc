"""The order in which the outputs of each stage are issued, which is the order in which they lie in memory.

A stage can be cheap in one order and leave the next one with an expensive memory, so a few memories are kept
after every stage, those that cost least so far. A cost is words read plus cycles times PEs: a cycle of a PE
counts as much as a word.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from archsim.engine.strided.pieces import Ints, Piece, orders, pieces_of, rows_of
from archsim.engine.strided.schedule import Schedule, schedule_of
from workloads import BlockStage, DenseStage, KroneckerStage, Stage

MOST_PIECES = 64
"""Pieces of a stage, from which on it is taken for irregular."""

KEPT = 4
"""Memories that are kept after a stage."""

MOST_TURNS = 2
"""Numbers of taps by which inputs are turned."""

DRAIN = 6
"""Cycles that are reckoned between two pieces."""

WORTH_A_LANE = 0.9
"""More lanes, and so more banks, are taken where the cost falls at least to this share. Of 0.8, 0.9, 0.96 and
1 this one took the least energy on butterflies, a Benes and a Kronecker network of 16 PEs mapped to 65 nm."""


@dataclass(frozen=True, eq=False)
class StridedStage:
    """A stage whose outputs are issued in `order`: the j-th is output `order[j]`, shape (n_out,)."""

    order: Ints
    schedules: tuple[Schedule, ...]

    @property
    def cost(self) -> int:
        """Words read, and cycles times PEs."""
        cost = 0
        for schedule in self.schedules:
            taps = schedule.piece.taps.count
            words = taps * int(schedule.lane_words.sum())
            cost += words + (schedule.groups * taps + DRAIN) * schedule.lanes.shape[1]
        return cost


@dataclass(frozen=True, eq=False)
class StridedOrder:
    """How a network lies: input i at address `inputs[i]`, and its stages; what it costs so far, and where the
    outputs of the last stage lie (`None`: in their order)."""

    inputs: Ints
    place: Ints | None
    stages: tuple[StridedStage, ...] = ()
    cost: int = 0

    @property
    def key(self) -> bytes:
        return b"" if self.place is None else self.place.tobytes()

    @property
    def lanes(self) -> int:
        return max(schedule.heard for stage in self.stages for schedule in stage.schedules)


@dataclass(frozen=True, eq=False)
class _Way:
    """An order in which a stage may be issued, its pieces, and where its outputs then lie."""

    order: Ints
    pieces: list[Piece]
    place: Ints | None


@dataclass
class Search:
    """The search for one network on `pes` PEs, whose inputs may lie in another order unless they come
    `in_order`. What does not depend on lanes is remembered."""

    stages: Sequence[Stage]
    pes: int
    in_order: bool = False
    ways: dict[tuple[int, bytes], list[_Way]] = field(default_factory=dict)

    def best(self) -> StridedOrder | int:
        """The cheapest order, on the fewest lanes that cost little more; or the number of the stage that is
        irregular however it is turned."""
        if all(isinstance(stage, BlockStage | DenseStage) for stage in self.stages):
            return self._with(self.pes, as_numbered=True)
        chosen: StridedOrder | int = 0
        for lanes in (number for number in range(1, self.pes + 1) if self.pes % number == 0):
            order = self._with(lanes)
            if isinstance(chosen, int):
                chosen = order
                continue
            if isinstance(order, StridedOrder) and order.cost <= WORTH_A_LANE * chosen.cost:
                chosen = order
        return chosen

    def _with(self, lanes: int, *, as_numbered: bool = False) -> StridedOrder | int:
        kept = [StridedOrder(np.arange(self.stages[0].n_in), None)]
        if not (as_numbered or self.in_order):
            kept += [StridedOrder(place, place) for place in input_places(self.stages)]
        for number in range(len(self.stages)):
            following: dict[bytes, StridedOrder] = {}
            for order in itertools.chain.from_iterable(
                self._after(number, before, lanes, as_numbered=as_numbered) for before in kept
            ):
                other = following.get(order.key)
                if other is None or order.cost < other.cost:
                    following[order.key] = order
            if not following:
                return number
            kept = sorted(following.values(), key=lambda order: order.cost)[:KEPT]
            if all(order.place is not None for order in kept):
                # As they are numbered is what an irregular stage needs.
                kept += [order for order in following.values() if order.place is None]
        return kept[0]

    def _after(
        self, number: int, before: StridedOrder, lanes: int, *, as_numbered: bool
    ) -> Iterator[StridedOrder]:
        """The orders in which stage `number` can follow."""
        key = number, before.key
        if key not in self.ways:
            self.ways[key] = list(self._ways(number, before.place, as_numbered=as_numbered))
        for way in self.ways[key]:
            schedules = [schedule_of(piece, self.pes, lanes) for piece in way.pieces]
            fitting = tuple(schedule for schedule in schedules if schedule is not None)
            if len(fitting) == len(schedules):
                stage = StridedStage(way.order, fitting)
                stages, cost = (*before.stages, stage), before.cost + stage.cost
                yield replace(before, place=way.place, stages=stages, cost=cost)

    def _ways(self, number: int, place: Ints | None, *, as_numbered: bool) -> Iterator[_Way]:
        rows = rows_of(self.stages[number], place)
        last = number == len(self.stages) - 1
        for order in orders(rows)[: 1 if as_numbered else None]:
            pieces = pieces_of(rows, order, MOST_PIECES)
            if pieces is not None:
                numbered = last or np.array_equal(order, np.arange(len(order)))
                yield _Way(order, pieces, None if numbered else np.argsort(order))


@lru_cache(maxsize=64)
def cheapest(stages: tuple[Stage, ...], pes: int, *, in_order: bool = False) -> StridedOrder | int:
    """What a `Search` finds best, found once for all widths and knobs of an engine."""
    return Search(stages, pes, in_order=in_order).best()


def input_places(stages: Sequence[Stage]) -> list[Ints]:
    """Where inputs may lie so that neighbouring blocks of the first stage read neighbouring words: turned by
    the taps of a block; one tap of all blocks after the other; and turned by the taps of the stages that
    follow too, where they are digits of an input's number."""
    n_in, at = stages[0].n_in, np.arange(stages[0].n_in)
    places: list[Ints] = []
    rows = rows_of(stages[0], None)
    inner = {taps.inner for taps in rows.shapes if taps is not None and taps.stride == 1}
    for k in sorted(inner - {1, n_in})[:MOST_TURNS]:
        places.append(at % k * -(-n_in // k) + at // k)
    by_tap = _by_tap(stages[0])
    if by_tap is not None:
        places.append(by_tap)
    digits: list[int] = []
    for stage in stages:
        rest = n_in // math.prod(digits)
        if not isinstance(stage, KroneckerStage) or rest % stage.inputs:
            break
        digits.append(stage.inputs)
        if stage.right > 1 and len(digits) == 1:
            break
        if len(digits) > 1:
            sizes = [rest // stage.inputs, *reversed(digits)]
            places.append(np.argsort(np.arange(n_in).reshape(sizes).T.ravel()))
    return places


def _by_tap(stage: Stage) -> Ints | None:
    """The first inputs of all blocks, then the second, where the blocks share none."""
    lengths, columns = stage.row_lengths(), stage.columns()
    starts = np.cumsum(lengths) - lengths
    rows = np.unique(columns[starts], return_index=True)[1]
    if lengths[rows].sum() != stage.n_in:
        return None
    place = np.full(stage.n_in, -1)
    for block, row in enumerate(rows):
        place[columns[starts[row] : starts[row] + lengths[row]]] = np.arange(lengths[row]) * len(rows) + block
    return place if place.min() >= 0 else None
