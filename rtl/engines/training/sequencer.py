"""The sequencer of a training engine: stages, groups and taps, forward and then backward, or all at once in
the order of the way back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import pyrtl

from rtl.engines.training.sizes import BACKWARD_DRAIN, FORWARD_DRAIN, TrainingSizes
from rtl.parts.arithmetic import choose
from rtl.parts.components import Wire, bits_for, fit, named, register

IDLE, TAPS, HEAD, PAUSE, DRAIN = range(5)


@dataclass(frozen=True)
class Issued:
    """What is issued in a cycle: of a `stage`, forward or `backward`, a `tap` or the `head` of a group;
    whether the tap is of the `first`, or the `last`, of its group, and of the first in its word of weights
    (`even`); where that word lies in a PE (`weight`). `begins` says that the next cycle is of the stage
    `following`, from its first; with `starting` a step does. `busy` while a step is made, `done` from its end
    to the start of the next."""

    stage: Wire
    backward: Wire
    tap: Wire
    head: Wire
    first: Wire
    last: Wire
    even: Wire
    weight: Wire
    begins: Wire
    following: Wire
    starting: Wire
    busy: Wire
    done: Wire


class Counters:
    """The counters of stages, groups and taps, forward or `backward`; which is the last. Overlapped, what
    goes forward is taken along backward."""

    def __init__(self, sizes: TrainingSizes) -> None:
        stages, pes = sizes.trained, sizes.pes
        widest = bits_for(max(max(s.taps, s.groups(pes)) for s in stages) + 1)
        self.stage = register(bits_for(len(stages)), "stage", reset=True)
        self.backward = pyrtl.Const(1, 1) if sizes.overlapped else register(1, "backward", reset=True)
        self.tap, self.group = (register(widest, name, reset=True) for name in ("tap_number", "group"))
        self.last_tap = self.is_last(self.tap, [s.taps for s in stages])
        self.last_group = self.is_last(self.group, [s.groups(pes) for s in stages])

    def is_last(self, counter: Wire, counts: Sequence[int]) -> Wire:
        """Whether a counter is at the last of what a stage has."""
        return counter == of_stage(self.stage, [count - 1 for count in counts], len(counter))


@dataclass(frozen=True)
class Marks:
    """What a walk follows: a pass over a stage `begins`; a tap `issues`, or what it still lacks; with that it
    `ends`, and with the last weight of its word if `ends_word`; a group is `over`."""

    begins: Wire
    issues: Wire
    ends: Wire
    ends_word: Wire
    over: Wire


class Walk(ABC):
    """Where a group of a stage and a tap of it lie in the signals of the stage. `outputs`: the first output
    of the group, and which PEs have one (`valid`); `address`: the word of PE 0, or that of all; which PEs
    have a word in this cycle (`active`). The cycle is `held` where no tap may be issued; it is not the last
    of a tap where there is `more` of it; `reads_weight`: with the tap a word of weights is read. With
    `overlapped` a tap is one forward and one backward."""

    overlapped: bool
    outputs: Wire
    valid: Sequence[Wire]
    address: Wire
    active: Sequence[Wire]
    held: Wire
    more: Wire
    reads_weight: Wire

    @abstractmethod
    def follow(self, marks: Marks) -> Wire:
        """Drives the registers; returns whether the next word of weights follows."""


def of_stage(stage: Wire, values: Sequence[int], bits: int) -> Wire:
    """The value of a stage."""
    return choose(stage, [pyrtl.Const(int(value), bits) for value in values])


def sequenced(sizes: TrainingSizes, start: Wire, now: Counters, walk: Walk) -> Issued:
    """Describes the sequencer, which drives the counters and the walk."""
    stages, stage, backward, tap, group = sizes.trained, now.stage, now.backward, now.tap, now.group
    state, done = register(3, "state", reset=True), register(1, "done", reset=True)
    issues, last_tap, last_group = (state == TAPS) & ~walk.held, now.last_tap, now.last_group
    ends_tap = issues & ~walk.more
    group_ends = ends_tap & last_tap
    waited, over = _waits(sizes, state, stage, backward, group_ends, last_group)
    drained = (state == DRAIN) & waited
    turns = drained & ~backward & (stage == len(stages) - 1)
    ends, starting = drained & backward & (stage == 0), (state == IDLE) & start
    begins = starting | (drained & ~ends)
    goes_back = backward if sizes.overlapped else (backward | turns) & ~starting
    moved = pyrtl.select(backward, fit(stage - 1, len(stage)), fit(stage + 1, len(stage)))
    kept = pyrtl.select(drained & ~turns & ~ends, moved, stage)
    first_stage = len(stages) - 1 if sizes.overlapped else 0
    next_stage = pyrtl.select(starting, pyrtl.Const(first_stage, len(stage)), kept)
    stage.next <<= next_stage
    if not sizes.overlapped:
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
    zero = pyrtl.Const(0, len(tap))
    tap.next <<= pyrtl.select(begins | group_ends, zero, fit(tap + ends_tap, len(tap)))
    group.next <<= pyrtl.select(begins, zero, fit(group + over, len(group)))
    ends_word = ends_tap & (tap[0] | last_tap)
    next_word = walk.follow(Marks(begins, issues, ends_tap, ends_word, over))
    weight = register(bits_for(sizes.weight_bases[-1] + 1), "weight_address")
    first = of_stage(next_stage, sizes.weight_bases[:-1], len(weight))
    weight.next <<= pyrtl.select(begins, first, fit(weight + next_word, len(weight)))
    return Issued(
        stage=stage,
        backward=backward,
        tap=named(issues, "issue"),
        head=named(state == HEAD, "head"),
        first=tap == 0,
        last=last_tap & ~walk.more,
        even=~tap[0],
        weight=weight,
        begins=begins,
        following=next_stage,
        starting=starting,
        busy=named(state != IDLE, "busy"),
        done=done,
    )


def _waits(
    sizes: TrainingSizes, state: Wire, stage: Wire, backward: Wire, group_ends: Wire, last_group: Wire
) -> tuple[Wire, Wire]:
    """Whether a wait is in its last cycle, and whether with this cycle a group is over, its pause too."""
    wait = register(3, "cycles_left", reset=True)
    pauses = of_stage(stage, [s.pause for s in sizes.trained], 3)
    waited = wait == 1
    over = named((group_ends & ~(backward & (pauses != 0))) | ((state == PAUSE) & waited), "group_over")
    drain = pyrtl.select(backward, pyrtl.Const(BACKWARD_DRAIN, 3), pyrtl.Const(FORWARD_DRAIN, 3))
    wait.next <<= pyrtl.select(
        over & last_group, drain, pyrtl.select(group_ends, pauses, fit(wait - 1, len(wait)))
    )
    return waited, over


def _first_of(default: Wire, *cases: tuple[Wire, int]) -> Wire:
    value = default
    for condition, chosen in reversed(cases):
        value = pyrtl.select(condition, pyrtl.Const(chosen, len(default)), value)
    return value
