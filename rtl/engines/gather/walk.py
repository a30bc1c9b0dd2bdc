"""A PE's walk through its entries: from index words to addresses, and what follows an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

import pyrtl

from rtl.engines.gather.sizes import GatherSizes
from rtl.parts.arithmetic import choose
from rtl.parts.components import Wire, bits_for, counted, delayed, fit, named, register, staged
from rtl.parts.processing_element import TapControl, WeightFetch, weight_fetch
from rtl.parts.resume import Resume, counted_from


@dataclass(frozen=True)
class Walk:
    """What the front of a PE knows in the cycle in which it holds an entry; `bias`: the entry brings one, and
    reads nothing (`None` where no stage has any)."""

    holds_entry: Wire
    bias: Wire | None
    target: Wire
    ends_row: Wire
    starts_row: Wire
    ends_stage: Wire
    busy: Wire
    word_due: Wire
    index_address: Wire

    @property
    def reads(self) -> Wire:
        """That there is an entry which reads an activation."""
        return self.holds_entry if self.bias is None else self.holds_entry & ~self.bias


@dataclass(frozen=True)
class Back:
    """The rest of a PE's control: its weight fetches, and the pipeline that follows an entry. `ends`: a row
    is about to be finished; `last`: the one that is finished is a walker's last of its stage (`None` where
    PEs walk alone)."""

    weights: WeightFetch
    taps: TapControl
    bias: Wire | None
    ends: Wire
    last: Wire | None
    busy: Wire


def walk_entries(
    sizes: GatherSizes,
    word: Wire,
    in_last_group: Wire,
    go: Wire,
    field: Mapping[str, Wire],
    stage_start: Wire,
    starting: Wire,
    resume: Resume | None = None,
) -> Walk:
    """The front of a PE: fetches index words, deals out entries, and turns them into addresses. An entry
    moves on when `go` is high, through all that share its index; the next one is issued in the same cycle."""
    entry_bits = sizes.entry_bits
    per_fetch = sizes.entries_per_fetch
    only_last_group = field["groups_less_one"] == 0
    has_rows = in_last_group | ~only_last_group
    rows_less_one = fit(field["groups_less_one"] - ~in_last_group, len(field["groups_less_one"]))

    active = register(1, "active", reset=True)
    holds = register(1, "holds_entry", reset=True)
    row = register(len(rows_less_one), "row")
    sub = register(bits_for(per_fetch), "sub_word")
    sub_1 = register(bits_for(per_fetch), "sub_word_1")
    at = register(bits_for(sizes.index_words + 1), "index_address")
    starts_row = register(1, "starts_row")

    entry = choose(sub_1, [word[i * entry_bits : (i + 1) * entry_bits] for i in range(per_fetch)])
    ends_row = entry[-1]
    value = target = fit(entry[: sizes.index_bits], sizes.address.bits)
    accepted = holds & go
    bias = bias_entry(sizes, field, starts_row, accepted) if sizes.bias_words else None
    moves = go
    if sizes.group > 1:
        ends_row, target = _group(sizes, value, accepted, bias, field)
    if sizes.run > 1:
        ends_run, target = _run(sizes, entry, accepted, bias)
        ends_row, moves = ends_row & ends_run, go & (~holds | ends_run)
    if sizes.relative:
        target = _after(sizes, value, accepted, starts_row, bias)
    target = named(target, "target")
    ends_row = named(ends_row, "ends_row")
    ends_stage = holds & ends_row & (row == rows_less_one)
    issue = active & has_rows & moves & ~ends_stage
    word_due = named(issue & (sub == 0), "fetch_index")

    # The descriptor is whole one cycle after stage_start, so only then is it known whether there are rows.
    active.next <<= stage_start | (active & has_rows & ~(accepted & ends_stage))
    holds.next <<= issue | (holds & ~moves)
    counted(row, clear=stage_start, step=accepted & ends_row)
    wraps = sub == per_fetch - 1
    begins = stage_start | (issue & wraps)
    sub.next <<= pyrtl.select(begins, pyrtl.Const(0, len(sub)), fit(sub + issue, len(sub)))
    sub_1.next <<= pyrtl.select(issue, sub, sub_1)
    counted_from(at, "index_address", starting=starting, step=word_due, resume=resume)
    starts_row.next <<= stage_start | pyrtl.select(accepted, ends_row, starts_row)
    return Walk(
        holds, bias, target, ends_row, starts_row, ends_stage, named(active | holds, "walks"), word_due, at
    )


def _after(sizes: GatherSizes, distance: Wire, accepted: Wire, starts_row: Wire, bias: Wire | None) -> Wire:
    """The address at this distance from the last one."""
    position = register(sizes.address.bits, "position")
    ones = pyrtl.Const((1 << sizes.address.bits) - 1, sizes.address.bits)
    last = pyrtl.select(starts_row, ones, position)
    target = fit(last + distance + pyrtl.Const(1, 1), sizes.address.bits)
    # Distances count from before the first place, also after the biases of a row.
    reached = target if bias is None else pyrtl.select(bias, ones, target)
    position.next <<= pyrtl.select(accepted, reached, position)
    return target


def _run(sizes: GatherSizes, entry: Wire, accepted: Wire, bias: Wire | None) -> tuple[Wire, Wire]:
    """That the next entry has another index, and the address of this one, whose lowest bits are its place
    among those that share an index. A bias has one of its own."""
    offset = register(sizes.run_bits, "offset", reset=True)
    steps = accepted if bias is None else accepted & ~bias
    offset.next <<= fit(offset + steps, sizes.run_bits)
    ends = offset == sizes.run - 1
    target = fit(pyrtl.concat(entry[: sizes.index_bits], offset), sizes.address.bits)
    return named(ends if bias is None else ends | bias, "ends_run"), target


def _group(
    sizes: GatherSizes, place: Wire, accepted: Wire, bias: Wire | None, field: Mapping[str, Wire]
) -> tuple[Wire, Wire]:
    """That the entry is the last one of its row, and the address at this place of the group that is counted.
    A bias is in none."""
    slot = register(bits_for(sizes.kept_of_group), "slot", reset=True)
    group = register(bits_for(sizes.input_groups), "group", reset=True)
    steps = accepted if bias is None else accepted & ~bias
    ends_group = slot == field["kept_less_one"]
    ends = ends_group & (group == field["input_groups_less_one"])
    counted(slot, clear=steps & ends_group, step=steps)
    counted(group, clear=steps & ends, step=steps & ends_group)
    target = fit(pyrtl.concat(group, place[: sizes.index_bits]), sizes.address.bits)
    return ends if bias is None else ends & ~bias, target


def bias_entry(sizes: GatherSizes, field: Mapping[str, Wire], starts_row: Wire, accepted: Wire) -> Wire:
    """That the entry is one of those that a row begins with: its biases."""
    bits = bits_for(sizes.bias_words + 1)
    seen = register(bits, "biases")
    taken = pyrtl.select(starts_row, pyrtl.Const(0, bits), seen)
    bias = named(taken < field["bias_words"], "bias")
    seen.next <<= pyrtl.select(accepted, fit(taken + bias, bits), seen)
    return bias


def registered(walk: Walk, go: Wire) -> tuple[Walk, Wire]:
    """The walk as a register behind it knows it, whose entry moves on when `go` is high; and whether that
    takes the next one."""
    holds = register(1, "routed", reset=True)
    ready = ~holds | go
    takes = walk.holds_entry & ready
    holds.next <<= pyrtl.select(ready, walk.holds_entry, holds)
    behind = replace(
        walk,
        holds_entry=holds,
        bias=None if walk.bias is None else delayed(walk.bias, "routed_bias", enable=takes),
        target=delayed(walk.target, "routed_target", enable=takes),
        ends_row=delayed(walk.ends_row, "routed_ends", enable=takes),
        starts_row=delayed(walk.starts_row, "routed_starts", enable=takes),
        busy=named(walk.busy | holds, "walks_or_routes"),
    )
    return behind, ready


def follow_entry(
    sizes: GatherSizes,
    walk: Walk,
    accepted: Wire,
    go: Wire,
    stage_start: Wire,
    starting: Wire,
    resume: Resume | None = None,
) -> Back:
    """Follows an accepted entry: operands, multiply and accumulate, requantise. `go` low freezes it. What is
    known of an entry moves on only with one."""
    at = sizes.pipeline
    take, accumulate, finish = at.take, at.accumulate, at.finish
    product = accumulate - 1
    after = sizes.accepts + 1
    weights = weight_fetch(
        sizes, accepted, stage_start=stage_start, starting=starting, name="fetch_weight", resume=resume
    )
    tap = staged(accepted, "tap", accumulate, first=after, reset=True, enable=go)
    first_tap = walk.starts_row
    for stage in range(after, accumulate + 1):
        first_tap = delayed(first_tap, f"first_{stage}", enable=tap[stage - 1] & go)
    ends = staged(accepted & walk.ends_row, "ends", finish, first=after, reset=True, enable=go)
    last = staged(walk.ends_stage, "last", finish, first=after, enable=go) if sizes.lockstep > 1 else {}
    return Back(
        weights.after(take, first=after, enable=accepted & go),
        TapControl(
            take=named(tap[take] & go, "take"),
            multiply=named(tap[product] & go, "multiply") if sizes.product_register else None,
            accumulate=named(tap[accumulate] & go, "accumulate"),
            first=first_tap,
            finish=named(ends[finish] & go, "finish"),
        ),
        None if walk.bias is None else staged(walk.bias, "bias", take, first=after, enable=go)[take],
        ends[finish],
        last[finish] if last else None,
        named(
            reduce(or_, [*(tap[stage] for stage in range(after, accumulate + 1)), ends[finish]]), "follows"
        ),
    )
