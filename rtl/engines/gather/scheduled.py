"""Activations gathered by a schedule: which bank answers which PE in each cycle was found beforehand.

All PEs march through the cycles of a stage together, so one controller fetches everybody's words. What is
read beside unit p says which row bank p reads in this cycle, or that it reads none, which bank PE p listens
to, and whether its row of weights ends. No PE asks and no bank chooses: rows need no way from PEs to banks,
and the words of the banks reach the PEs through multiplexers that are told; several may be told the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyrtl

from rtl.engines.gather.organisations import write_row
from rtl.engines.gather.sizes import GatherSizes
from rtl.engines.gather.walk import bias_entry
from rtl.parts.arithmetic import at_most, choose
from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, register, staged, wire
from rtl.parts.descriptor_fetch import descriptor_fetch
from rtl.parts.processing_element import (
    TapControl,
    WeightFetch,
    bias_operand,
    processing_element,
    weight_fetch,
)
from rtl.parts.resume import counted_from
from rtl.parts.skeleton import BankPort, Description, Hardware, Turn, turns

IDLE, FETCH, RUN, DRAIN = range(4)


@dataclass(frozen=True)
class _Control:
    """What all units are told: that an entry is in a pipeline stage (`tap`), which PEs have a row at all
    (`active`), where the words of indices and weights are, and which entry of its word is meant."""

    field: Mapping[str, Wire]
    held: Mapping[str, Wire]
    stage_start: Wire
    tap: Mapping[int, Wire]
    active: Sequence[Wire]
    index_due: Wire
    index_address: Wire
    entry: Wire
    weights: WeightFetch
    turn: Turn
    done: Wire
    busy: Wire


@dataclass(frozen=True)
class _Unit:
    """What unit p makes of its entry: the read of its bank, the bank that its PE listens to, whether it
    brings a bias (`None` where no stage has any), and what its PE is told."""

    reads: Wire
    row: Wire
    heard: Wire | None
    bias: Wire | None
    taps: TapControl


def build_scheduled(sizes: GatherSizes) -> Hardware:
    """Describes an engine of the given sizes."""
    described = Description(sizes)
    control = _controller(described, sizes)
    pes, held = range(sizes.pes), control.held
    units = [_unit(p, described, sizes, control) for p in pes]
    results = [wire(sizes.result_bits, f"result_{p}") for p in pes]
    with component("route"):
        written = [delayed(unit.taps.finish, f"written_{p}", reset=True) for p, unit in enumerate(units)]
        rows = [write_row(sizes.address.row_bits, p, control.stage_start, written[p]) for p in pes]
        ports = [
            BankPort(unit.reads, unit.row, written[p] & ~held["final"], rows[p], results[p])
            for p, unit in enumerate(units)
        ]
        words = [described.activation_bank(b, control.turn, port) for b, port in enumerate(ports)]
        heard = [
            words[0] if unit.heard is None else named(choose(unit.heard, words), f"heard_{p}")
            for p, unit in enumerate(units)
        ]
        if sizes.bias_words:
            operand = bias_operand(sizes, control.field)
            heard = [pyrtl.select(unit.bias, operand, word) for unit, word in zip(units, heard, strict=True)]
    for p in pes:
        with component("controller"):
            due = named(control.weights.due & control.active[p], f"fetch_weight_{p}")
        weights = replace(control.weights, due=due)
        results[p] <<= processing_element(p, described, weights, heard[p], units[p].taps, held)
    return described.finish(
        done=control.done,
        busy=control.busy,
        turn=control.turn,
        score_valid=[bit & held["final"] for bit in written],
        scores=results,
    )


def _controller(described: Description, sizes: GatherSizes) -> _Control:
    """Fetches descriptors, and counts the cycles of a stage."""
    at = sizes.pipeline
    with component("controller"):
        state = register(2, "state", reset=True)
        starting = named((state == IDLE) & described.ports.start, "starts")
        begin, stage_start = wire(1, "fetch_begins"), wire(1, "stage_start")
    fetch = descriptor_fetch(described, begin=begin, restart=starting, stage_start=stage_start)
    with component("controller"):
        issue = named(state == RUN, "issue")
        step = register(len(fetch.fields["steps_less_one"]), "step", reset=True)
        last = issue & (step == fetch.fields["steps_less_one"])
        step.next <<= pyrtl.select(stage_start, pyrtl.Const(0, len(step)), fit(step + issue, len(step)))
        tap = staged(issue, "tap", at.write, reset=True)
        drained = (state == DRAIN) & ~pyrtl.rtl_any(*[tap[stage] for stage in range(1, at.write)])
        goes_on, finished = drained & ~fetch.held["final"], drained & fetch.held["final"]
        begin <<= starting | (last & ~fetch.fields["final"])
        stage_start <<= fetch.ready & ((state == FETCH) | goes_on)
        following = state
        for condition, value in (
            (finished, IDLE),
            (goes_on | starting, FETCH),
            (last, DRAIN),
            (stage_start, RUN),
        ):
            following = pyrtl.select(condition, pyrtl.Const(value, len(state)), following)
        state.next <<= following
        turn, done = turns(starting, drained, finished)
        index_due, index_address, entry = _entries(described, sizes, issue, stage_start, starting)
        weights = weight_fetch(
            sizes, tap[1], stage_start=stage_start, starting=starting, reset=True, resume=described.resume
        ).after(at.take, first=2)
        several = fetch.held["groups_less_one"] != 0
        with_row = at_most(fetch.held["valid_less_one"], sizes.pes)
        active = [named(bit | several, f"active_{p}") for p, bit in enumerate(with_row)]
        busy = named(state != IDLE, "busy")
    return _Control(
        fetch.fields,
        fetch.held,
        stage_start,
        tap,
        active,
        index_due,
        index_address,
        entry,
        weights,
        turn,
        done,
        busy,
    )


def _entries(
    described: Description, sizes: GatherSizes, issue: Wire, stage_start: Wire, starting: Wire
) -> tuple[Wire, Wire, Wire]:
    """When and where words of indices are fetched, and which entry of the word that has come is meant."""
    per_fetch = sizes.entries_per_fetch
    sub = register(bits_for(per_fetch), "sub_index", reset=True)
    address = register(bits_for(sizes.index_words + 1), "index_address")
    due = issue & (sub == 0)
    begins = stage_start | (issue & (sub == per_fetch - 1))
    sub.next <<= pyrtl.select(begins, pyrtl.Const(0, len(sub)), fit(sub + issue, len(sub)))
    counted_from(address, "index_address", starting=starting, step=due, resume=described.resume)
    return named(due, "fetch_index"), address, delayed(sub, "sub_index_1", enable=issue)


def _unit(p: int, described: Description, sizes: GatherSizes, control: _Control) -> _Unit:
    """The index memory of unit `p` and what its entries say."""
    word = described.loaded_memory(
        "index",
        p,
        words=sizes.index_words,
        word_bits=sizes.index_word_bits,
        read_enable=control.index_due,
        read_address=control.index_address,
    )
    at, bits, tap = sizes.pipeline, sizes.index_bits + 1, control.tap
    with component("address", p):
        entries = [word[i * bits : (i + 1) * bits] for i in range(sizes.entries_per_fetch)]
        entry = choose(control.entry, entries)
        bank_bits = sizes.address.bank_bits
        row = entry[bank_bits : sizes.index_bits]
        reads = named(tap[1] & (row != (1 << len(row)) - 1), "reads")
        ends = staged(tap[1] & entry[sizes.index_bits], "ends", at.finish, first=2, reset=True)
        heard = delayed(entry[:bank_bits], "heard", enable=tap[1]) if bank_bits else None
        # Where no row has a bias, whether an entry is the first of its row is not needed sooner.
        known = at.take if sizes.bias_words else at.accumulate
        first = register(1, "starts_row")
        first.next <<= control.stage_start | pyrtl.select(tap[known], ends[known], first)
        bias = bias_entry(sizes, control.field, first, tap[at.take]) if sizes.bias_words else None
        firsts = staged(first, "first", at.accumulate, first=known + 1)
        product, active = at.accumulate - 1, control.active[p]
        taps = TapControl(
            take=named(tap[at.take] & active, "take"),
            multiply=named(tap[product] & active, "multiply") if sizes.product_register else None,
            accumulate=named(tap[at.accumulate] & active, "accumulate"),
            first=named(firsts[at.accumulate], "first"),
            finish=named(ends[at.finish], "finish"),
        )
        return _Unit(reads, named(row, "row"), heard, bias, taps)
