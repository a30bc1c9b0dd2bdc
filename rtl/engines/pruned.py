"""The pruned engine: an index beside every weight says which activation it multiplies.

PEs run free and meet only at the end of a stage. Each walks its own list of entries; an entry is an index
and a flag that ends a row. Two organisations of the activations: *replicated* gives each PE a whole copy and
broadcasts results over a bus, one a cycle; *banked* keeps one copy in one bank per PE, behind a crossbar
with an arbiter at each bank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyrtl

from rtl.engines.gather import Back, Walk, gather_banked, gather_replicated
from rtl.parts.arithmetic import at_most
from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, register, wire
from rtl.parts.sizes import MemoryShape, Sizes
from rtl.parts.skeleton import (
    Description,
    Hardware,
    TapControl,
    choose,
    descriptor_fetch,
    processing_element,
)

IDLE, FETCH, RUN = range(3)

GATHER_CYCLES = 5
"""Cycles from the issue of an entry's index to the write of the result it completes, without stalls."""


@dataclass(frozen=True, kw_only=True)
class PrunedSizes(Sizes):
    """`index_bits` of an index without its row-end flag; `relative`: indices are distances from the last
    one; `index_words` the depth of each PE's index memory; `replicated` or banked activations."""

    index_bits: int
    relative: bool
    index_words: int
    replicated: bool

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.index_bits < self.fetch_bits:
            raise ValueError(
                f"index_bits is {self.index_bits}, allowed are 1 to {self.fetch_bits - 1} (fetch_bits - 1)"
            )

    @property
    def entries_per_fetch(self) -> int:
        """Index entries in one fetch."""
        return self.fetch_bits // (self.index_bits + 1)

    @property
    def activation_words(self) -> int:
        whole_vector = self.address.bank_bits if self.replicated else 0
        return 2 * self.activation_rows << whole_vector

    @property
    def memory_shapes(self) -> tuple[MemoryShape, ...]:
        index = MemoryShape("index", self.pes, self.index_words, self.fetch_bits, exclusive=True)
        return (*super().memory_shapes, index)


def build_pruned(sizes: PrunedSizes) -> Hardware:
    """Describes a pruned engine of the given sizes."""
    described = Description(
        sizes,
        widest_load=max(sizes.fetch_bits, sizes.activation_bits, 32),
        deepest=max(
            sizes.weight_words,
            sizes.index_words,
            sizes.activation_words,
            sizes.stages * sizes.descriptor_format.words,
        ),
        banked=not sizes.replicated,
    )
    pes, _address = sizes.pes, sizes.address

    with component("controller"):
        state = register(2, "state", reset=True)
        done = register(1, "done", reset=True)
        half = register(1, "half", reset=True)
        starting = (state == IDLE) & described.ports.start
        fetching = state == FETCH
    fetch = descriptor_fetch(described, fetching=fetching, restart=starting)
    field = fetch.fields
    with component("controller"):
        has_last = at_most(field["valid_less_one"], pes)
        all_idle = wire(1, "all_idle")
        stage_ends = (state == RUN) & all_idle
        finished = stage_ends & field["final"]
        state.next <<= pyrtl.select(
            starting | (stage_ends & ~field["final"]),
            pyrtl.Const(FETCH, 2),
            pyrtl.select(
                fetch.fetched, pyrtl.Const(RUN, 2), pyrtl.select(finished, pyrtl.Const(IDLE, 2), state)
            ),
        )
        done.next <<= pyrtl.select(starting, pyrtl.Const(0, 1), done | finished)
        half.next <<= pyrtl.select(starting, pyrtl.Const(0, 1), half ^ stage_ends)

    walks: list[Walk] = []
    controls: list[Back] = []
    results = [wire(sizes.activation_bits, f"result_{p}") for p in range(pes)]
    front = [wire(1, f"front_{p}") for p in range(pes)]
    back = [wire(1, f"back_{p}") for p in range(pes)]
    for p in range(pes):
        index_word = wire(sizes.fetch_bits, f"index_word_{p}")
        with component("address", p):
            walk = _walk(sizes, index_word, has_last[p], front[p], field, fetch.fetched, starting)
            walks.append(walk)
        index_word <<= described.loaded_memory(
            "index",
            p,
            words=sizes.index_words,
            word_bits=sizes.fetch_bits,
            read_enable=walk.word_due,
            read_address=walk.index_address,
        )
        with component("sequencer", p):
            accepted = walk.holds_entry & front[p]
            controls.append(_back(sizes, walk, accepted, back[p], fetch.fetched, starting))

    gather = gather_replicated if sizes.replicated else gather_banked
    with component("route"):
        routed = gather(described, walks, controls, results, field, fetch.fetched, half, front, back)

    for p in range(pes):
        control = controls[p]
        word = described.loaded_memory(
            "weight",
            p,
            words=sizes.weight_words,
            word_bits=sizes.fetch_bits,
            read_enable=control.fetch_weight,
            read_address=control.weight_address,
        )
        described.count_products(control.taps.accumulate)
        results[p] <<= processing_element(
            p,
            sizes,
            word=word,
            sub_word=control.sub_word,
            activation=routed.activations[p],
            control=control.taps,
            shift=field["shift"],
            relu=field["relu"],
        )
    with component("controller"):
        all_idle <<= ~pyrtl.rtl_any(
            *[walk.busy for walk in walks], *[control.busy for control in controls], *routed.pending
        )
        busy = state != IDLE
    return described.finish(done=done, busy=busy, score_valid=routed.score_valid, scores=results)


def _walk(
    sizes: PrunedSizes,
    word: Wire,
    in_last_group: Wire,
    go: Wire,
    field: Mapping[str, Wire],
    stage_start: Wire,
    starting: Wire,
) -> Walk:
    """The front of a PE: fetches index words, deals out entries, and turns them into addresses. An entry
    moves on when `go` is high; the next one is issued in the same cycle."""
    entry_bits = sizes.index_bits + 1
    per_fetch = sizes.entries_per_fetch
    only_last_group = field["groups_less_one"] == 0
    has_rows = in_last_group | ~only_last_group
    rows_less_one = fit(field["groups_less_one"] - ~in_last_group, len(field["groups_less_one"]))

    active = register(1, "active", reset=True)
    holds = register(1, "holds_entry", reset=True)
    row = register(len(rows_less_one), "row")
    sub = register(bits_for(per_fetch), "sub_word")
    sub_1 = register(bits_for(per_fetch), "sub_word_1")
    at = register(bits_for(sizes.index_words + 1), "index_address", reset=True)
    starts_row = register(1, "starts_row")

    entry = choose(sub_1, [word[i * entry_bits : (i + 1) * entry_bits] for i in range(per_fetch)])
    ends_row = entry[sizes.index_bits]
    value = fit(entry[: sizes.index_bits], sizes.address.bits)
    target = value
    accepted = holds & go
    if sizes.relative:
        position = register(sizes.address.bits, "position")
        ones = pyrtl.Const((1 << sizes.address.bits) - 1, sizes.address.bits)
        last = pyrtl.select(starts_row, ones, position)
        target = fit(last + value + pyrtl.Const(1, 1), sizes.address.bits)
        position.next <<= pyrtl.select(accepted, target, position)
    target = named(target, "target")
    ends_row = named(ends_row, "ends_row")
    ends_stage = holds & ends_row & (row == rows_less_one)
    issue = active & has_rows & go & ~ends_stage
    word_due = named(issue & (sub == 0), "fetch_index")

    # The descriptor is whole one cycle after stage_start, so only then is it known whether there are rows.
    active.next <<= stage_start | (active & has_rows & ~(accepted & ends_stage))
    holds.next <<= issue | (holds & ~go)
    row.next <<= pyrtl.select(
        stage_start, pyrtl.Const(0, len(row)), fit(row + (accepted & ends_row), len(row))
    )
    wraps = sub == per_fetch - 1
    sub.next <<= pyrtl.select(
        stage_start | (issue & wraps), pyrtl.Const(0, len(sub)), fit(sub + issue, len(sub))
    )
    sub_1.next <<= pyrtl.select(issue, sub, sub_1)
    at.next <<= pyrtl.select(starting, pyrtl.Const(0, len(at)), fit(at + word_due, len(at)))
    starts_row.next <<= stage_start | pyrtl.select(accepted, ends_row, starts_row)
    return Walk(holds, target, ends_row, starts_row, ends_stage, active | holds, word_due, at)


def _back(
    sizes: PrunedSizes, walk: Walk, accepted: Wire, go: Wire, stage_start: Wire, starting: Wire
) -> Back:
    """Follows an accepted entry: operands, multiply and accumulate, requantise. `go` low freezes it."""
    per_fetch = sizes.weights_per_fetch
    sub = register(bits_for(per_fetch), "sub_word")
    at = register(bits_for(sizes.weight_words + 1), "weight_address", reset=True)
    fetch_weight = named(accepted & (sub == 0), "fetch_weight")
    wraps = sub == per_fetch - 1
    sub.next <<= pyrtl.select(
        stage_start | (accepted & wraps), pyrtl.Const(0, len(sub)), fit(sub + accepted, len(sub))
    )
    at.next <<= pyrtl.select(starting, pyrtl.Const(0, len(at)), fit(at + fetch_weight, len(at)))

    tap_2 = delayed(accepted, "tap_2", reset=True, enable=go)
    tap_3 = delayed(tap_2, "tap_3", reset=True, enable=go)
    first_2 = delayed(walk.starts_row, "first_2", enable=go)
    first_3 = delayed(first_2, "first_3", enable=go)
    ends_2 = delayed(accepted & walk.ends_row, "ends_2", reset=True, enable=go)
    ends_3 = delayed(ends_2, "ends_3", reset=True, enable=go)
    ends_4 = delayed(ends_3, "ends_4", reset=True, enable=go)
    return Back(
        fetch_weight,
        at,
        delayed(sub, "sub_word_2", enable=go) if per_fetch > 1 else None,
        TapControl(
            take=named(tap_2 & go, "take"),
            accumulate=named(tap_3 & go, "accumulate"),
            first=first_3,
            finish=named(ends_4 & go, "finish"),
        ),
        ends_4,
        tap_2 | tap_3 | ends_4,
    )
