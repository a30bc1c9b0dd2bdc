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
from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, register, staged, wire
from rtl.parts.skeleton import (
    Description,
    DescriptorFetch,
    TapControl,
    Turn,
    WeightFetch,
    bias_operand,
    descriptor_fetch,
    turns,
    weight_fetch,
)

IDLE, FETCH, RUN, PAUSE, DRAIN = range(5)


@dataclass(frozen=True)
class Step:
    """What the sequencer tells the address source in a cycle.

    `issue`: a tap that reads an activation is issued; `last`: the last tap of its group; `stage_start`: the
    descriptor is there and the stage before is written; `valid`: which PEs have an output in this group;
    `fetches`: which take words of weights; `run_ends`: the group is the last of its run (`None` where no
    stage has runs).
    """

    issue: Wire
    last: Wire
    stage_start: Wire
    valid: Sequence[Wire]
    fetches: Sequence[Wire]
    run_ends: Wire | None = None


@dataclass(frozen=True)
class Issue:
    """The taps that travel through the pipeline: that there is one, whether it is the first of its output,
    whether it brings a bias (`None` where no stage has any), and whether it ends its group."""

    tap: Wire
    first: Wire
    bias: Wire | None
    ends: Wire


@dataclass(frozen=True)
class Travelling:
    """What travels with a tap, by pipeline stage, and which PEs have an output."""

    sizes: LockstepSizes
    tap: Mapping[int, Wire]
    first: Mapping[int, Wire]
    ends: Mapping[int, Wire]
    valid: Mapping[int, Sequence[Wire]]

    def control(self, p: int) -> TapControl:
        """What PE `p` is told."""
        at = self.sizes.pipeline
        registered = self.sizes.product_register
        product = at.accumulate - 1
        return TapControl(
            take=named(self.tap[at.take] & self.valid[at.take][p], f"take_{p}"),
            multiply=named(self.tap[product] & self.valid[product][p], f"multiply_{p}")
            if registered
            else None,
            accumulate=named(self.tap[at.accumulate] & self.valid[at.accumulate][p], f"accumulate_{p}"),
            first=self.first[at.accumulate],
            finish=named(self.ends[at.finish] & self.valid[at.finish][p], f"finish_{p}"),
        )


@dataclass(frozen=True)
class Controller:
    """What the rest of the engine is told, and `written`, which it tells the controller: the last result of
    the group that is being written is. `stage_written`: a stage is, with all its pieces. `bias`: that
    the tap whose operands are taken brings one, and the power of two that it is multiplied by."""

    field: Mapping[str, Wire]
    held: Mapping[str, Wire]
    step: Step
    turn: Turn
    weights: WeightFetch
    bias: tuple[Wire, Wire] | None
    travelling: Travelling
    written: Wire
    stage_written: Wire
    done: Wire
    state: Wire


def lockstep_controller(described: Description, *, pauses_once: bool) -> Controller:
    """Describes the controller; it pauses after every group where a stage asks for it, or with `pauses_once`
    after the first."""
    sizes = described.sizes
    assert isinstance(sizes, LockstepSizes)
    with component("controller"):
        state = register(3, "state", reset=True)
        starting = (state == IDLE) & described.ports.start
        begin, stage_start, written = wire(1, "fetch_begins"), wire(1, "stage_start"), wire(1, "written")
    fetch = descriptor_fetch(described, begin=begin, restart=starting, stage_start=stage_start)
    with component("controller"):
        issue, last, group = _sequence(sizes, fetch, state, stage_start)
        last_group = group == fetch.fields["groups_less_one"]
        run_ends = _run_ends(sizes, fetch, issue.ends, stage_start)
        valid, fetches = _busy(sizes, fetch, last_group, run_ends)
        reads = issue.tap if issue.bias is None else issue.tap & ~issue.bias
        step = Step(reads, last, stage_start, valid, fetches, run_ends)
        stage_ends = issue.ends & last_group
        travelling = _travelling(sizes, issue, step)
        in_flight = [travelling.ends[at] for at in range(1, sizes.pipeline.write)]
        drained = named((state == DRAIN) & written & ~pyrtl.rtl_any(*in_flight), "drained")
        begin <<= starting | ~_ends(fetch.fields) & stage_ends
        goes_on = drained & ~_ends(fetch.held)
        stage_written = drained & ~fetch.held["continues"] if sizes.pieces else drained
        stage_start <<= fetch.ready & ((state == FETCH) | goes_on)
        after = issue.ends & ~last_group & ((group == 0) if pauses_once else pyrtl.Const(1, 1))
        resuming, pausing = _pause(sizes, fetch, state, after)
        state.next <<= _priority(
            state,
            (starting, FETCH),
            (stage_start, RUN),
            *((condition, PAUSE) for condition in pausing),
            *((condition, RUN) for condition in resuming),
            (stage_ends, DRAIN),
            (goes_on, FETCH),
            (drained, IDLE),
        )
        turn, done = turns(starting, stage_written, drained & _ends(fetch.held))
        weights = weight_fetch(
            sizes, issue.tap, stage_start=stage_start, starting=starting, reset=True
        ).after(sizes.pipeline.take)
        bias = None
        if issue.bias is not None:
            bias = delayed(issue.bias, "bias_1"), bias_operand(sizes, fetch.fields)
    return Controller(
        fetch.fields,
        fetch.held,
        step,
        turn,
        weights,
        bias,
        travelling,
        written,
        stage_written,
        done,
        state,
    )


def _ends(field: Mapping[str, Wire]) -> Wire:
    """Whether nothing follows this descriptor: it is that of the final stage, or of its last piece."""
    return field["final"] & ~field["continues"] if "continues" in field else field["final"]


def _run_ends(sizes: LockstepSizes, fetch: DescriptorFetch, ends: Wire, stage_start: Wire) -> Wire | None:
    """Whether the group is the last of a run; they are counted where a stage has several."""
    if not sizes.most_run:
        return None
    run_less_one = fetch.fields["run_less_one"]
    run = register(len(run_less_one), "run", reset=True)
    run_ends = run == run_less_one
    zero = pyrtl.Const(0, len(run))
    run.next <<= pyrtl.select(stage_start | (ends & run_ends), zero, fit(run + ends, len(run)))
    return run_ends


def _busy(
    sizes: LockstepSizes, fetch: DescriptorFetch, last_group: Wire, run_ends: Wire | None
) -> tuple[Sequence[Wire], Sequence[Wire]]:
    """Which PEs have an output in this group, and which take words of weights: those of a full group, for a
    word may last beyond a group that is smaller, but not beyond the last one."""
    field, pes = fetch.fields, sizes.pes
    if not (sizes.idle or sizes.most_run):
        valid = [bit | ~last_group for bit in at_most(field["valid_less_one"], pes)]
        shown = [named(bit, f"valid_{p}") for p, bit in enumerate(valid)]
        return shown, shown
    full = field["full_less_one"] if sizes.idle else pyrtl.Const(pes - 1, bits_for(pes))
    fetching = pyrtl.select(last_group, field["valid_less_one"], full)
    value = fetching
    if run_ends is not None:
        value = pyrtl.select(run_ends & ~last_group, field["run_valid_less_one"], fetching)
    valid = [named(bit, f"valid_{p}") for p, bit in enumerate(at_most(value, pes))]
    if run_ends is None:
        return valid, valid
    return valid, [named(bit, f"fetches_{p}") for p, bit in enumerate(at_most(fetching, pes))]


def _sequence(
    sizes: LockstepSizes, fetch: DescriptorFetch, state: Wire, stage_start: Wire
) -> tuple[Issue, Wire, Wire]:
    """Counts taps and groups. Returns what is issued, whether the tap is the last of its group, and the
    number of the group."""
    field = fetch.fields
    step = register(len(field["steps_less_one"]), "step", reset=True)
    group = register(len(field["groups_less_one"]), "group", reset=True)
    tap = named(state == RUN, "issue")
    last = step == field["steps_less_one"]
    ends = named(tap & last, "group_ends")
    step.next <<= pyrtl.select(
        tap, pyrtl.select(last, pyrtl.Const(0, len(step)), fit(step + 1, len(step))), step
    )
    group.next <<= pyrtl.select(stage_start, pyrtl.Const(0, len(group)), fit(group + ends, len(group)))
    bias = named(step < field["bias_words"], "bias_tap") if sizes.bias_words else None
    return Issue(tap, step == 0, bias, ends), last, group


def _pause(
    sizes: LockstepSizes, fetch: DescriptorFetch, state: Wire, after: Wire
) -> tuple[list[Wire], list[Wire]]:
    """When the state leaves a pause, and when it enters one: `after` a group, where the stage asks for it."""
    if not sizes.longest_pause:
        return [], []
    pause = fetch.fields["pause"]
    left = register(len(pause), "pause_left", reset=True)
    pausing = after & (pause != 0)
    left.next <<= pyrtl.select(pausing, pause, pyrtl.select(state == PAUSE, fit(left - 1, len(left)), left))
    return [(state == PAUSE) & (left == 1)], [pausing]


def _travelling(sizes: LockstepSizes, issue: Issue, step: Step) -> Travelling:
    at = sizes.pipeline
    tap = staged(issue.tap, "tap", at.accumulate, reset=True)
    first = staged(issue.first, "first", at.accumulate)
    ends = staged(issue.ends, "ends", at.write, reset=True)
    valid: dict[int, Sequence[Wire]] = {0: step.valid}
    for stage in range(1, at.write + 1):
        # The writers are told until the next group's results come, for they may be written one after the
        # other.
        enable = ends[at.finish] if stage == at.write else None
        valid[stage] = [
            delayed(bit, f"valid_{stage}_{p}", enable=enable) for p, bit in enumerate(valid[stage - 1])
        ]
    return Travelling(sizes, tap, first, ends, valid)


def _priority(default: Wire, *cases: tuple[Wire, int]) -> Wire:
    """The value of the first case that is high."""
    value = default
    for condition, chosen in reversed(cases):
        value = pyrtl.select(condition, pyrtl.Const(chosen, len(default)), value)
    return value
