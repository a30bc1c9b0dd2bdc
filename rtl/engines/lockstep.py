"""Engines whose PEs march in step: one sequencer counts taps and groups for all of them.

A stage is worked off in groups of `pes` outputs, output j on PE j mod `pes`. In each cycle of a group
every PE takes one tap. `dense`, `clos` and `csc` are this machine with different address sources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyrtl

from rtl.parts.arithmetic import at_most, rotate
from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, register, wire
from rtl.parts.sizes import LockstepSizes
from rtl.parts.skeleton import (
    PIPELINE_CYCLES,
    Description,
    Hardware,
    TapControl,
    descriptor_fetch,
    processing_element,
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
class Source:
    """What an address source answers: the address of lane 0, which lanes are read, and for each PE the
    lane it listens to (`None`: PE p listens to lane p, or all to the only lane)."""

    address: Wire
    lane_enables: Sequence[Wire]
    lane_of_pe: Sequence[Wire] | None


AddressSource = Callable[[LockstepSizes, dict[str, Wire], Step], Source]


def build_lockstep(sizes: LockstepSizes, source: AddressSource, *, mirrored: bool = False) -> Hardware:
    """Describes a lockstep engine with the given address source.

    With `mirrored` the results of a stage's first group are written once more, past the end of the
    vector, so that a run of `pes` words which wraps around still lies in `pes` banks.
    """
    format_ = sizes.descriptor_format
    described = Description(
        sizes,
        widest_load=max(sizes.fetch_bits, sizes.activation_bits, 32),
        deepest=max(sizes.weight_words, sizes.activation_words, sizes.stages * format_.words),
    )
    ports, pes, address = described.ports, sizes.pes, sizes.address

    with component("controller"):
        state = register(3, "state", reset=True)
        done = register(1, "done", reset=True)
        starting = (state == IDLE) & ports.start
    fetch = descriptor_fetch(described, fetching=_in(state, FETCH), restart=starting)
    field = dict(fetch.fields)

    with component("controller"):
        step, group = (
            register(len(field["steps_less_one"]), "step", reset=True),
            register(len(field["groups_less_one"]), "group", reset=True),
        )
        half = register(1, "half", reset=True)
        drain = register(bits_for(PIPELINE_CYCLES), "drain", reset=True)
        sub_word = register(bits_for(sizes.weights_per_fetch), "sub_word", reset=True)
        weight_address = register(bits_for(sizes.weight_words + 1), "weight_address", reset=True)

        issue = named(state == RUN, "issue")
        first, last = step == 0, step == field["steps_less_one"]
        last_group = group == field["groups_less_one"]
        group_ends = named(issue & last, "group_ends")
        drained = (state == DRAIN) & (drain == PIPELINE_CYCLES - 1)
        pausing = pyrtl.Const(0, 1)
        if mirrored:
            hold = register(len(field["hold"]), "hold_left", reset=True)
            closing = register(1, "hold_closes_stage", reset=True)
            pausing = group_ends & (group == 0) & (field["hold"] != 0)
            resuming = (state == HOLD) & (hold == 1)
            hold.next <<= pyrtl.select(pausing, field["hold"], fit(hold - 1, len(hold)))
            closing.next <<= pyrtl.select(pausing, last_group, closing)
        state.next <<= _priority(
            state,
            (starting, FETCH),
            (fetch.fetched, RUN),
            (pausing, HOLD),
            *(((resuming & closing, DRAIN), (resuming, RUN)) if mirrored else ()),
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
            for p, bit in enumerate(at_most(field["valid_less_one"], pes))
        ]

        fetching_weights = issue & (sub_word == 0)
        wraps = sub_word == sizes.weights_per_fetch - 1
        sub_word.next <<= pyrtl.select(
            fetch.fetched | (issue & wraps),
            pyrtl.Const(0, len(sub_word)),
            fit(sub_word + issue, len(sub_word)),
        )
        weight_address.next <<= pyrtl.select(
            starting,
            pyrtl.Const(0, len(weight_address)),
            fit(weight_address + fetching_weights, len(weight_address)),
        )
        sub_word_1 = delayed(sub_word, "sub_word_1") if sizes.weights_per_fetch > 1 else None

        # The pipeline: operands arrive, multiply and accumulate, requantise, write.
        tap_1 = delayed(issue, "tap_1", reset=True)
        tap_2 = delayed(tap_1, "tap_2", reset=True)
        first_2 = delayed(delayed(first, "first_1"), "first_2")
        ends_3 = delayed(
            delayed(delayed(group_ends, "ends_1", reset=True), "ends_2", reset=True), "ends_3", reset=True
        )
        ends_4 = delayed(ends_3, "ends_4", reset=True)
        valid_1 = _delay_all(valid, "valid_1")
        valid_2 = _delay_all(valid_1, "valid_2")
        valid_3 = _delay_all(valid_2, "valid_3")
        valid_4 = [delayed(bit, f"valid_4_{p}", enable=ends_3) for p, bit in enumerate(valid_3)]

    with component("address"):
        answer = source(sizes, field, Step(issue, first, last, fetch.fetched, valid))
        spread = address.spread(list(answer.lane_enables), answer.address)
        enables = [named(issue & bit, f"read_bank_{b}") for b, bit in enumerate(spread)]
        rows = [
            named(pyrtl.concat(r, half), f"read_row_{b}")
            for b, r in enumerate(address.rows_from(answer.address))
        ]

    with component("controller"):
        write_row = register(address.row_bits, "write_row", reset=True)
        write_row.next <<= pyrtl.select(
            fetch.fetched, pyrtl.Const(0, len(write_row)), fit(write_row + ends_4, len(write_row))
        )
        writing = named(ends_4 & ~field["final"], "writing")

    results = [wire(sizes.activation_bits, f"result_{p}") for p in range(pes)]
    write_data: list[Wire] = list(results)
    write_enables = [writing & bit for bit in valid_4]
    write_rows: list[Wire] = [write_row] * pes
    if mirrored:
        with component("route"):
            write_data, write_enables, write_rows = _mirror(
                sizes,
                field,
                results=results,
                first_written=writing & (write_row == 0),
                stage_start=fetch.fetched,
                written=(write_enables, write_rows),
                valid=valid_4,
            )

    words = [
        described.activation_memory(
            b,
            words=sizes.activation_words,
            read_enable=enables[b],
            read_address=rows[b],
            write_enable=write_enables[b],
            write_address=pyrtl.concat(write_rows[b], ~half),
            write_data=write_data[b],
        )
        for b in range(pes)
    ]
    with component("route"):
        bank = address.bank(answer.address)
        lane_count = len(answer.lane_enables)
        lanes = words if bank is None else rotate(words, delayed(bank, "bank_1"), lane_count)
        if answer.lane_of_pe is not None:
            heard = [delayed(lane, f"lane_1_{p}") for p, lane in enumerate(answer.lane_of_pe)]
            lanes = [_listen(lane, lanes[: p + 1]) for p, lane in enumerate(heard)]
        elif lane_count == 1:
            lanes = list(lanes) * pes
        lanes = [named(lane, f"lane_{p}") for p, lane in enumerate(lanes)]

    for p in range(pes):
        with component("controller"):
            control = TapControl(
                take=named(tap_1 & valid_1[p], f"take_{p}"),
                accumulate=named(tap_2 & valid_2[p], f"accumulate_{p}"),
                first=first_2,
                finish=named(ends_3 & valid_3[p], f"finish_{p}"),
            )
            fetch_weight = named(fetching_weights & valid[p], f"fetch_weight_{p}")
        word = described.loaded_memory(
            "weight",
            p,
            words=sizes.weight_words,
            word_bits=sizes.fetch_bits,
            read_enable=fetch_weight,
            read_address=weight_address,
        )
        described.count_products(control.accumulate)
        results[p] <<= processing_element(
            p,
            sizes,
            word=word,
            sub_word=sub_word_1,
            activation=lanes[p],
            control=control,
            shift=field["shift"],
            relu=field["relu"],
        )
    return described.finish(
        done=done,
        busy=state != IDLE,
        score_valid=[ends_4 & field["final"] & bit for bit in valid_4],
        scores=results,
    )


def _mirror(
    sizes: LockstepSizes,
    field: dict[str, Wire],
    *,
    results: list[Wire],
    first_written: Wire,
    stage_start: Wire,
    written: tuple[list[Wire], list[Wire]],
    valid: list[Wire],
) -> tuple[list[Wire], list[Wire], list[Wire]]:
    """Adds the mirror writes to the ordinary ones: after the first group's results are written, they are
    written again at `outputs`, `2 * outputs`, … as often as `mirrors` says."""
    address = sizes.address
    left = register(len(field["mirrors"]), "mirrors_left", reset=True)
    base = register(address.bits, "mirror_base")
    active = left != 0
    left.next <<= pyrtl.select(
        first_written, field["mirrors"], pyrtl.select(active, fit(left - 1, len(left)), left)
    )
    base.next <<= pyrtl.select(
        first_written, field["outputs"], pyrtl.select(active, address.add(base, field["outputs"]), base)
    )
    turned = address.spread(results, base)
    turned_valid = address.spread(valid, base)
    rows = address.rows_from(base)
    enables, ordinary_rows = written
    return (
        [pyrtl.select(active, t, r) for t, r in zip(turned, results, strict=True)],
        [pyrtl.select(active, t, e) for t, e in zip(turned_valid, enables, strict=True)],
        [pyrtl.select(active, t, r) for t, r in zip(rows, ordinary_rows, strict=True)],
    )


def _in(state: Wire, value: int) -> Wire:
    with component("controller"):
        return state == value


def _delay_all(bits: Sequence[Wire], name: str) -> list[Wire]:
    return [delayed(bit, f"{name}_{p}") for p, bit in enumerate(bits)]


def _priority(default: Wire, *cases: tuple[Wire, int]) -> Wire:
    """The value of the first case that is high."""
    value = default
    for condition, chosen in reversed(cases):
        value = pyrtl.select(condition, pyrtl.Const(chosen, len(default)), value)
    return value


def _listen(lane: Wire, lanes: Sequence[Wire]) -> Wire:
    """`lanes[lane]`. PE p never listens beyond lane p, so its multiplexer is only as wide as that."""
    value = lanes[0]
    for t, word in enumerate(lanes[1:], start=1):
        value = pyrtl.select(lane == t, word, value)
    return value
