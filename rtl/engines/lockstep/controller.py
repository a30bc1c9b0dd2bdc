"""The controller of engines whose PEs march in step: it counts taps and groups for all of them.

A stage is worked off in groups of `pes` outputs, output j on PE j mod `pes`. In each cycle of a group every
PE takes one tap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyrtl

from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.arithmetic import at_most
from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, register, staged
from rtl.parts.skeleton import (
    ACCUMULATE,
    FINISH,
    PIPELINE_CYCLES,
    TAKE,
    WRITE,
    Description,
    DescriptorFetch,
    TapControl,
    WeightFetch,
    descriptor_fetch,
    weight_fetch,
)

IDLE, FETCH, RUN, HOLD, DRAIN = range(5)


@dataclass(frozen=True)
class Step:
    """What the sequencer tells the address source in a cycle.

    `issue`: a tap is issued; `first` and `last` tap of its group; `stage_start`: the descriptor has
    just arrived; `valid`: which PEs have an output in this group.
    """

    issue: Wire
    first: Wire
    last: Wire
    stage_start: Wire
    valid: Sequence[Wire]


@dataclass(frozen=True)
class Pipeline:
    """What travels with a tap, by stage: that there is one, whether it is the first of its output, whether it
    ends its group, and which PEs have an output."""

    tap: Mapping[int, Wire]
    first: Mapping[int, Wire]
    ends: Mapping[int, Wire]
    valid: Mapping[int, Sequence[Wire]]

    def control(self, p: int) -> TapControl:
        """What PE `p` is told."""
        return TapControl(
            take=named(self.tap[TAKE] & self.valid[TAKE][p], f"take_{p}"),
            accumulate=named(self.tap[ACCUMULATE] & self.valid[ACCUMULATE][p], f"accumulate_{p}"),
            first=self.first[ACCUMULATE],
            finish=named(self.ends[FINISH] & self.valid[FINISH][p], f"finish_{p}"),
        )


@dataclass(frozen=True)
class Controller:
    """What the rest of the engine is told. `half` of the activation memories is read; `busy` until `done`."""

    field: dict[str, Wire]
    step: Step
    half: Wire
    weights: WeightFetch
    pipeline: Pipeline
    done: Wire
    state: Wire


def lockstep_controller(described: Description, *, mirrored: bool) -> Controller:
    """Describes the controller; with `mirrored` it pauses after a stage's first group where asked to."""
    sizes = described.sizes
    assert isinstance(sizes, LockstepSizes)
    with component("controller"):
        state = register(3, "state", reset=True)
        done = register(1, "done", reset=True)
        starting = (state == IDLE) & described.ports.start
        fetching = state == FETCH
    fetch = descriptor_fetch(described, fetching=fetching, restart=starting)
    with component("controller"):
        half = register(1, "half", reset=True)
        step, group_ends = _sequence(sizes, fetch, starting, (state, done, half), mirrored=mirrored)
        weights = weight_fetch(
            sizes, step.issue, stage_start=fetch.fetched, starting=starting, reset=True
        ).after(TAKE)
        pipeline = _pipeline(step, group_ends)
    return Controller(dict(fetch.fields), step, half, weights, pipeline, done, state)


def _sequence(
    sizes: LockstepSizes,
    fetch: DescriptorFetch,
    starting: Wire,
    registers: tuple[Wire, Wire, Wire],
    *,
    mirrored: bool,
) -> tuple[Step, Wire]:
    """Counts taps and groups and moves the `registers` state, done and half. Returns what the sequencer says,
    and the end of a group."""
    field, (state, done, half) = fetch.fields, registers
    step = register(len(field["steps_less_one"]), "step", reset=True)
    group = register(len(field["groups_less_one"]), "group", reset=True)
    drain = register(bits_for(PIPELINE_CYCLES), "drain", reset=True)

    issue = named(state == RUN, "issue")
    first, last = step == 0, step == field["steps_less_one"]
    last_group = group == field["groups_less_one"]
    group_ends = named(issue & last, "group_ends")
    drained = (state == DRAIN) & (drain == PIPELINE_CYCLES - 1)
    pauses: tuple[tuple[Wire, int], ...] = ((pyrtl.Const(0, 1), HOLD),)
    if mirrored:
        pauses = _pauses(field, state, group, group_ends, last_group)
    state.next <<= _priority(
        state,
        (starting, FETCH),
        (fetch.fetched, RUN),
        *pauses,
        (group_ends & last_group, DRAIN),
        (drained & field["final"], IDLE),
        (drained, FETCH),
    )
    done.next <<= pyrtl.select(starting, pyrtl.Const(0, 1), done | (drained & field["final"]))
    half.next <<= pyrtl.select(starting, pyrtl.Const(0, 1), half ^ drained)
    drain.next <<= pyrtl.select(state == DRAIN, fit(drain + 1, len(drain)), pyrtl.Const(0, len(drain)))
    step.next <<= pyrtl.select(
        issue, pyrtl.select(last, pyrtl.Const(0, len(step)), fit(step + 1, len(step))), step
    )
    group.next <<= pyrtl.select(
        fetch.fetched, pyrtl.Const(0, len(group)), fit(group + group_ends, len(group))
    )
    valid = [
        named(bit | ~last_group, f"valid_{p}")
        for p, bit in enumerate(at_most(field["valid_less_one"], sizes.pes))
    ]
    return Step(issue, first, last, fetch.fetched, valid), group_ends


def _pauses(
    field: Mapping[str, Wire], state: Wire, group: Wire, group_ends: Wire, last_group: Wire
) -> tuple[tuple[Wire, int], ...]:
    """When the state changes for the pause after a stage's first group, in which mirror writes pass."""
    hold = register(len(field["hold"]), "hold_left", reset=True)
    closing = register(1, "hold_closes_stage", reset=True)
    pausing = group_ends & (group == 0) & (field["hold"] != 0)
    resuming = (state == HOLD) & (hold == 1)
    hold.next <<= pyrtl.select(pausing, field["hold"], fit(hold - 1, len(hold)))
    closing.next <<= pyrtl.select(pausing, last_group, closing)
    return (pausing, HOLD), (resuming & closing, DRAIN), (resuming, RUN)


def _pipeline(step: Step, group_ends: Wire) -> Pipeline:
    tap = staged(step.issue, "tap", ACCUMULATE, reset=True)
    first = staged(step.first, "first", ACCUMULATE)
    ends = staged(group_ends, "ends", WRITE, reset=True)
    valid: dict[int, Sequence[Wire]] = {0: step.valid}
    for stage in range(1, WRITE + 1):
        # The writers are told until the next group's results come, for they may be written again.
        enable = ends[FINISH] if stage == WRITE else None
        valid[stage] = [
            delayed(bit, f"valid_{stage}_{p}", enable=enable) for p, bit in enumerate(valid[stage - 1])
        ]
    return Pipeline(tap, first, ends, valid)


def _priority(default: Wire, *cases: tuple[Wire, int]) -> Wire:
    """The value of the first case that is high."""
    value = default
    for condition, chosen in reversed(cases):
        value = pyrtl.select(condition, pyrtl.Const(chosen, len(default)), value)
    return value
