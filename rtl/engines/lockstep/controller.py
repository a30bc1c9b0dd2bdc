"""The controller of engines whose PEs march in step: it counts taps and groups for all of them.

A stage is worked off in groups of `pes` outputs, output j on PE j mod `pes`. In each cycle of a group every
PE takes one tap. An engine may have a rhythm of its own: other outputs, and steps of several cycles; or it
passes over activations that are zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyrtl

from rtl.engines.lockstep.scan import FETCH_STAGE, Scan, jumping_fetch, scanned
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.arithmetic import at_most
from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, register, staged, wire
from rtl.parts.descriptor_fetch import DescriptorFetch, descriptor_fetch
from rtl.parts.processing_element import TapControl, WeightFetch, bias_operand, weight_fetch
from rtl.parts.skeleton import Description, Turn, turns

IDLE, FETCH, RUN, PAUSE, DRAIN = range(5)


@dataclass(frozen=True)
class Beat:
    """What an engine with a rhythm of its own says of a cycle: whether it is the `first` and the `last` one
    of its step, which PEs have an output in this group (`valid`), and which take an activation (`takes`)."""

    first: Wire
    last: Wire
    valid: Sequence[Wire]
    takes: Sequence[Wire]


@dataclass(frozen=True)
class Sequenced:
    """What a rhythm is told: a step is worked on (`running`), which brings a `bias` (`None` where no stage
    has any) or the `first_tap` of its group; with this cycle the group `ends`, which may be the stage's
    last."""

    running: Wire
    bias: Wire | None
    first_tap: Wire
    ends: Wire
    last_group: Wire
    stage_start: Wire


@dataclass(frozen=True)
class Step:
    """What the sequencer tells the address source in a cycle.

    `issue`: activations are read for a tap; `last`: the last tap of its group; `stage_start`: the descriptor
    is there and the stage before is written; `valid`: which PEs have an output in this group; `fetches`:
    which take words of weights; `beat`: where the engine has a rhythm of its own; `run_ends`: the group is
    the last of its run (`None` where no stage has runs).
    """

    issue: Wire
    last: Wire
    stage_start: Wire
    valid: Sequence[Wire]
    fetches: Sequence[Wire]
    beat: Beat | None = None
    run_ends: Wire | None = None


@dataclass(frozen=True)
class Issue:
    """The taps that travel through the pipeline: that there is one, whether it is the first of its output
    and the first that brings no bias, whether it brings one (`None` where no stage has any), and whether it
    ends its group."""

    tap: Wire
    first: Wire
    first_tap: Wire
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
    takes: Sequence[Wire]

    def control(self, p: int) -> TapControl:
        """What PE `p` is told."""
        at = self.sizes.pipeline
        registered = self.sizes.product_register
        product = at.accumulate - 1
        return TapControl(
            take=named(self.takes[p], f"take_{p}"),
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
    the tap whose operands are taken brings one, and the power of two that it is multiplied by. `scan`: what
    finds the activations where those that are zero are passed over, biases among them."""

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
    scan: Scan | None


Rhythm = Callable[[LockstepSizes, Mapping[str, Wire], Sequenced], Beat]


def lockstep_controller(
    described: Description, rhythm: Rhythm | None = None, words: Sequence[Wire] | None = None
) -> Controller:
    """Describes the controller. A step takes a cycle, or as many as a `rhythm` says; given the `words` of all
    banks, it passes over those that are zero."""
    sizes = described.sizes
    assert isinstance(sizes, LockstepSizes)
    with component("controller"):
        state = register(3, "state", reset=True)
        starting = named((state == IDLE) & described.ports.start, "starts")
        begin, stage_start, written = wire(1, "fetch_begins"), wire(1, "stage_start"), wire(1, "written")
    fetch = descriptor_fetch(described, begin=begin, restart=starting, stage_start=stage_start)
    with component("controller"):
        running, step_ends = named(state == RUN, "running"), wire(1, "step_ends")
        issue, last, last_group, scan = _issued(
            sizes, fetch, words, named(running & step_ends, "steps"), stage_start
        )
        sequenced = Sequenced(running, issue.bias, issue.first_tap, issue.ends, last_group, stage_start)
        step = _step(sizes, fetch.fields, sequenced, last, rhythm)
        step_ends <<= pyrtl.Const(1, 1) if step.beat is None else step.beat.last
        stage_ends = issue.ends & last_group
        travelling = _travelling(sizes, issue, step)
        in_flight = [travelling.ends[at] for at in range(1, sizes.pipeline.write)]
        drained = named((state == DRAIN) & written & ~pyrtl.rtl_any(*in_flight), "drained")
        begin <<= starting | ~_ends(fetch.fields) & stage_ends
        goes_on = drained & ~_ends(fetch.held)
        goes_on_later = fetch.held["continues"] if sizes.pieces else None
        stage_written = drained if goes_on_later is None else named(drained & ~goes_on_later, "stage_written")
        stage_start <<= fetch.ready & ((state == FETCH) | goes_on)
        resuming, pausing = _pause(sizes, fetch, state, issue.ends & ~last_group)
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
        begins = None if step.beat is None else running & step.beat.first
        weights, bias = _operands(described, fetch, issue, begins, scan, stage_start, starting)
        if scan is not None:
            step = replace(step, fetches=travelling.valid[FETCH_STAGE])
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
        scan,
    )


def _issued(
    sizes: LockstepSizes,
    fetch: DescriptorFetch,
    words: Sequence[Wire] | None,
    tap: Wire,
    stage_start: Wire,
) -> tuple[Issue, Wire, Wire, Scan | None]:
    """What is issued, whether it is the last of its group, and whether the group is the last one; with the
    scan of these words, if there are any."""
    if words is None:
        return *_sequence(sizes, fetch, tap, stage_start), None
    with component("address"):
        scan = scanned(sizes, fetch.fields, words, running=tap, stage_start=stage_start)
    return Issue(scan.tap, scan.first, scan.first, None, scan.ends), scan.ends, scan.last_group, scan


def _operands(
    described: Description,
    fetch: DescriptorFetch,
    issue: Issue,
    begins: Wire | None,
    scan: Scan | None,
    stage_start: Wire,
    starting: Wire,
) -> tuple[WeightFetch, tuple[Wire, Wire] | None]:
    """The fetches of weights, and what biases are multiplied by instead of an activation, if a stage has any.
    A scan brings that itself."""
    sizes, times = described.sizes, {"stage_start": stage_start, "starting": starting}
    if scan is not None:
        return jumping_fetch(sizes, fetch.fields, scan, **times), None
    resume = described.resume
    weights = weight_fetch(sizes, issue.tap, **times, begins=begins, reset=True, resume=resume)
    weights, bias = weights.after(sizes.pipeline.take), None
    if issue.bias is not None:
        bias = delayed(issue.bias, "bias_1"), bias_operand(sizes, fetch.fields)
    return weights, bias


def _ends(field: Mapping[str, Wire]) -> Wire:
    """Whether nothing follows this descriptor: it is that of the final stage, or of its last piece."""
    return field["final"] & ~field["continues"] if "continues" in field else field["final"]


def _run_ends(sizes: LockstepSizes, field: Mapping[str, Wire], sequenced: Sequenced) -> Wire | None:
    """Whether the group is the last of a run; they are counted where a stage has several."""
    if not sizes.most_run:
        return None
    run_less_one, ends = field["run_less_one"], sequenced.ends
    run = register(len(run_less_one), "run", reset=True)
    run_ends = named(run == run_less_one, "run_ends")
    zero = pyrtl.Const(0, len(run))
    run.next <<= pyrtl.select(sequenced.stage_start | (ends & run_ends), zero, fit(run + ends, len(run)))
    return run_ends


def _busy(
    sizes: LockstepSizes, field: Mapping[str, Wire], last_group: Wire, run_ends: Wire | None
) -> tuple[Sequence[Wire], Sequence[Wire]]:
    """Which PEs have an output in this group, and which take words of weights: those of a full group, for a
    word may last beyond a group that is smaller, but not beyond the last one."""
    pes = sizes.pes
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
    sizes: LockstepSizes, fetch: DescriptorFetch, tap: Wire, stage_start: Wire
) -> tuple[Issue, Wire, Wire]:
    """Counts taps and groups. Returns what is issued, whether the tap is the last of its group, and whether
    the group is the last one."""
    field = fetch.fields
    step = register(len(field["steps_less_one"]), "step", reset=True)
    group = register(len(field["groups_less_one"]), "group", reset=True)
    tap = named(tap, "issue")
    last = named(step == field["steps_less_one"], "last_step")
    ends = named(tap & last, "group_ends")
    step.next <<= pyrtl.select(
        tap, pyrtl.select(last, pyrtl.Const(0, len(step)), fit(step + 1, len(step))), step
    )
    group.next <<= pyrtl.select(stage_start, pyrtl.Const(0, len(group)), fit(group + ends, len(group)))
    bias, first = None, step == 0
    first_tap = first
    if sizes.bias_words:
        bias, first_tap = named(step < field["bias_words"], "bias_tap"), step == field["bias_words"]
    return Issue(tap, first, first_tap, bias, ends), last, group == field["groups_less_one"]


def _step(
    sizes: LockstepSizes,
    field: Mapping[str, Wire],
    sequenced: Sequenced,
    last: Wire,
    rhythm: Rhythm | None,
) -> Step:
    """What a step is: all PEs at once, of which some have no output in the last group or the last of a run,
    or as a rhythm says."""
    reads = sequenced.running
    if sequenced.bias is not None:
        reads = named(reads & ~sequenced.bias, "reads")
    if rhythm is None:
        run_ends = _run_ends(sizes, field, sequenced)
        valid, fetches = _busy(sizes, field, sequenced.last_group, run_ends)
        return Step(reads, last, sequenced.stage_start, valid, fetches, run_ends=run_ends)
    beat = rhythm(sizes, field, sequenced)
    valid = [named(bit, f"valid_{p}") for p, bit in enumerate(beat.valid)]
    fetches = [bit | ~sequenced.last_group for bit in valid]
    return Step(reads, last, sequenced.stage_start, valid, fetches, beat=beat)


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
    if step.beat is None:
        takes = [tap[at.take] & bit for bit in valid[at.take]]
    else:
        takes = [delayed(bit, f"takes_1_{p}", reset=True) for p, bit in enumerate(step.beat.takes)]
    return Travelling(sizes, tap, first, ends, valid, takes)


def _priority(default: Wire, *cases: tuple[Wire, int]) -> Wire:
    """The value of the first case that is high."""
    value = default
    for condition, chosen in reversed(cases):
        value = pyrtl.select(condition, pyrtl.Const(chosen, len(default)), value)
    return value
