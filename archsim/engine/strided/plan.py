"""A piece of a stage as the controller runs it: the schedule, and what its descriptor says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from archsim.engine.lockstep.plan import StagePlan
from archsim.engine.strided.pieces import Ints
from archsim.engine.strided.schedule import Schedule
from archsim.engine.strided.search import StridedOrder


@dataclass(frozen=True, kw_only=True)
class StridedPlan(StagePlan):
    """A piece of stage `stage`, whose outputs in the order in which they are issued are `issued`, shape
    (outputs,)."""

    schedule: Schedule
    stage: int
    issued: Ints

    @property
    def groups(self) -> int:
        return self.schedule.groups

    @cached_property
    def valid(self) -> Ints:
        return self.schedule.valid

    @property
    def order(self) -> Ints:
        return self.issued

    @property
    def fetching(self) -> Ints:
        """A word may last into the next group, so all PEs that work in a full group fetch in each group but
        the last."""
        fetching = np.full(self.groups, self.schedule.full)
        fetching[-1] = self.valid[-1]
        return fetching

    @property
    def addresses(self) -> Ints:
        """The address that each PE reads at each tap, shape (groups, pes, taps)."""
        schedule = self.schedule
        first = schedule.base[:, None, None] + schedule.lanes[:, :, None]
        return first + schedule.piece.taps.offsets

    @property
    def turned(self) -> bool:
        """Whether results begin in another bank than the first one."""
        uneven = self.valid[: None if self.continues else -1] % self.banks
        return not self.final and bool(uneven.any() or self.written_before % self.banks)


def plans_of(order: StridedOrder, pes: int, bias_words: Sequence[int]) -> tuple[StridedPlan, ...]:
    """The plans of all pieces of all stages, of which each row begins with so many words of bias."""
    plans = []
    for number, stage in enumerate(order.stages):
        written = 0
        for k, schedule in enumerate(stage.schedules):
            count = schedule.piece.count
            plans.append(
                StridedPlan(
                    taps=schedule.piece.taps.count,
                    outputs=count,
                    pes=pes,
                    lane_words=schedule.lane_words,
                    fields={
                        "start": schedule.piece.start,
                        "stride": schedule.piece.taps.stride,
                        "tile_jump": schedule.piece.taps.jump,
                        "advance": schedule.advance,
                        "jump": schedule.jump,
                    },
                    final=number == len(order.stages) - 1,
                    bias_words=bias_words[number],
                    continues=k < len(stage.schedules) - 1,
                    written_before=written,
                    schedule=schedule,
                    stage=number,
                    issued=stage.order[written : written + count],
                )
            )
            written += count
    return tuple(plans)


def patterns_of(plans: Sequence[StridedPlan], lanes: int, *, crossing: bool) -> tuple[tuple[int, ...], ...]:
    """The different ways in which PEs listen to so many lanes, but for those that follow from the outputs of
    a block where some blocks lie across two groups. A PE without output has the lane of the one before."""
    patterns: dict[tuple[int, ...], None] = {}
    for plan in plans:
        if not (crossing and plan.schedule.block_out):
            patterns[pattern_of(plan, lanes)] = None
    return tuple(patterns)


def pattern_of(plan: StridedPlan, lanes: int) -> tuple[int, ...]:
    """The lane of each PE, in all groups, of so many. A PE may listen to a later one only where it has no
    output, since the last blocks of a piece are cut short: it then listens to the last."""
    heard = plan.schedule.lanes[0]
    return tuple(min(int(heard[min(p, plan.schedule.full - 1)]), lanes - 1) for p in range(plan.pes))
