"""The sequencer of a training engine: stages, blocks, groups and taps, forward and then backward, and where
in the signals of a stage they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyrtl

from rtl.engines.training.sizes import BACKWARD_DRAIN, FORWARD_DRAIN, TrainingSizes
from rtl.parts.arithmetic import BankedAddress, choose
from rtl.parts.components import Wire, bits_for, fit, named, register

IDLE, TAPS, HEAD, PAUSE, DRAIN = range(5)


@dataclass(frozen=True)
class Issued:
    """What is issued in a cycle: of a `stage`, forward or `backward`, a `tap` or the `head` of a group;
    whether the tap is the `first` or the `last` of its group, and the group the first of its block; where the
    signal (`address`) and the `outputs` of the group lie in those of the stage, and the word of its `weight`
    in a PE, which `reads_weight` with the first weight in it; which PEs have an output. `begins` says that
    the next cycle is of the stage `following`, from its first. `busy` while a step is made, `done` from its
    end to the start of the next."""

    stage: Wire
    backward: Wire
    tap: Wire
    head: Wire
    first: Wire
    last: Wire
    begins_block: Wire
    address: Wire
    weight: Wire
    reads_weight: Wire
    outputs: Wire
    valid: Sequence[Wire]
    begins: Wire
    following: Wire
    busy: Wire
    done: Wire


@dataclass(frozen=True)
class _Marks:
    """What counters follow: a pass over a stage `begins`; a tap `issues`, with the last weight of its word if
    `ends_word`; a group is `over`, and it is the `last_of_block`; the stage of the next cycle."""

    begins: Wire
    issues: Wire
    ends_word: Wire
    over: Wire
    last_of_block: Wire
    next_stage: Wire


def of_stage(stage: Wire, values: Sequence[int], bits: int) -> Wire:
    """The value of a stage."""
    return choose(stage, [pyrtl.Const(int(value), bits) for value in values])


def sequenced(sizes: TrainingSizes, start: Wire) -> Issued:
    """Describes the sequencer."""
    stages, pes = sizes.trained, sizes.pes
    state, stage = register(3, "state", reset=True), register(bits_for(len(stages)), "stage", reset=True)
    backward, done = register(1, "backward", reset=True), register(1, "done", reset=True)
    widest = bits_for(max(max(s.block_in, sizes.groups(s)) for s in stages) + 1)
    names = ("tap_number", "group", "group_of_block")
    tap, group, in_block = (register(widest, name, reset=True) for name in names)
    issues, last_tap = state == TAPS, tap == of_stage(stage, [s.block_in - 1 for s in stages], widest)
    last_of_block = in_block == of_stage(stage, [sizes.block_groups(s) - 1 for s in stages], widest)
    last_group = group == of_stage(stage, [sizes.groups(s) - 1 for s in stages], widest)
    group_ends = issues & last_tap
    waited, over = _waits(sizes, state, stage, backward, group_ends, last_group)
    drained = (state == DRAIN) & waited
    turns = drained & ~backward & (stage == len(stages) - 1)
    ends, starting = drained & backward & (stage == 0), (state == IDLE) & start
    begins, goes_back = starting | (drained & ~ends), (backward | turns) & ~starting
    moved = pyrtl.select(backward, fit(stage - 1, len(stage)), fit(stage + 1, len(stage)))
    kept = pyrtl.select(drained & ~turns & ~ends, moved, stage)
    next_stage = pyrtl.select(starting, pyrtl.Const(0, len(stage)), kept)
    stage.next <<= next_stage
    backward.next <<= goes_back
    done.next <<= (done | ends) & ~starting
    state.next <<= _first_of(
        state,
        (ends, IDLE),
        (begins & goes_back, HEAD),
        (begins, TAPS),
        (over & last_group, DRAIN),
        (over & backward, HEAD),
        (group_ends & ~over, PAUSE),
        (state == HEAD, TAPS),
    )
    zero = pyrtl.Const(0, widest)
    tap.next <<= pyrtl.select(begins | group_ends, zero, fit(tap + issues, widest))
    group.next <<= pyrtl.select(begins, zero, fit(group + over, widest))
    in_block.next <<= pyrtl.select(begins | (over & last_of_block), zero, fit(in_block + over, widest))
    places = _places(
        sizes, stage, _Marks(begins, issues, issues & (tap[0] | last_tap), over, last_of_block, next_stage)
    )
    full = [of_stage(stage, [sizes.last_valid(s) > p for s in stages], 1) for p in range(pes)]
    return Issued(
        stage=stage,
        backward=backward,
        tap=named(issues, "issue"),
        head=named(state == HEAD, "head"),
        first=tap == 0,
        last=last_tap,
        begins_block=in_block == 0,
        address=places[0],
        weight=places[1],
        outputs=places[2],
        reads_weight=~tap[0],
        valid=[~last_of_block | bit for bit in full],
        begins=begins,
        following=next_stage,
        busy=named(state != IDLE, "busy"),
        done=done,
    )


def _waits(
    sizes: TrainingSizes, state: Wire, stage: Wire, backward: Wire, group_ends: Wire, last_group: Wire
) -> tuple[Wire, Wire]:
    """Whether a wait is in its last cycle, and whether with this cycle a group is over, its pause too."""
    wait = register(3, "cycles_left", reset=True)
    pauses = of_stage(stage, [sizes.pause(s) for s in sizes.trained], 3)
    waited = wait == 1
    over = named((group_ends & ~(backward & (pauses != 0))) | ((state == PAUSE) & waited), "group_over")
    drain = pyrtl.select(backward, pyrtl.Const(BACKWARD_DRAIN, 3), pyrtl.Const(FORWARD_DRAIN, 3))
    wait.next <<= pyrtl.select(
        over & last_group, drain, pyrtl.select(group_ends, pauses, fit(wait - 1, len(wait)))
    )
    return waited, over


def _places(sizes: TrainingSizes, stage: Wire, marks: _Marks) -> tuple[Wire, Wire, Wire]:
    """Where the signal of a tap lies, its weight, and the outputs of its group."""
    stages, bits = sizes.trained, BankedAddress(banks=sizes.pes, rows=sizes.most_rows).bits
    now, begun, outputs = (register(bits, name) for name in ("now", "block_begins", "outputs_begin"))
    weight, none = register(bits_for(sizes.weight_bases[-1] + 1), "weight_address"), pyrtl.Const(0, bits)
    following = pyrtl.select(marks.last_of_block, fit(begun + 1, bits), begun)
    begun.next <<= pyrtl.select(marks.begins, none, pyrtl.select(marks.over, following, begun))
    stride = of_stage(stage, [s.blocks % (1 << bits) for s in stages], bits)
    walked = pyrtl.select(marks.issues, fit(now + stride, bits), now)
    now.next <<= pyrtl.select(marks.begins, none, pyrtl.select(marks.over, following, walked))
    last = of_stage(stage, [sizes.last_valid(s) for s in stages], bits)
    taken = pyrtl.select(marks.last_of_block, last, pyrtl.Const(sizes.pes, bits))
    outputs.next <<= pyrtl.select(
        marks.begins, none, pyrtl.select(marks.over, fit(outputs + taken, bits), outputs)
    )
    first = of_stage(marks.next_stage, sizes.weight_bases[:-1], len(weight))
    weight.next <<= pyrtl.select(marks.begins, first, fit(weight + marks.ends_word, len(weight)))
    return now, weight, outputs


def _first_of(default: Wire, *cases: tuple[Wire, int]) -> Wire:
    value = default
    for condition, chosen in reversed(cases):
        value = pyrtl.select(condition, pyrtl.Const(chosen, len(default)), value)
    return value
