"""The pruned engine: an index beside every weight says which activation it multiplies.

PEs run free and meet only at the end of a stage. Each walks its own list of entries; an entry is an index
and a flag that ends a row, or a place in a group of inputs, of which each row has as many. Several PEs may
walk one list in lockstep, as lanes. Two organisations of the activations: *replicated* gives each list a
whole copy and broadcasts results over a bus, one a cycle; *banked* keeps one copy in one bank per PE, behind
a crossbar with an arbiter at each bank. A third, *scheduled*, has the banks and no arbiters: its PEs march in
step (see `rtl.engines.gather.scheduled`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyrtl

from rtl.engines.gather.organisations import Gathering, gather_banked, gather_replicated
from rtl.engines.gather.scheduled import build_scheduled
from rtl.engines.gather.sizes import GatherSizes
from rtl.engines.gather.walk import Back, Walk, follow_entry, registered, walk_entries
from rtl.parts.arithmetic import at_most
from rtl.parts.components import Wire, component, named, register, wire
from rtl.parts.descriptor_fetch import descriptor_fetch
from rtl.parts.processing_element import bias_operand, processing_element
from rtl.parts.skeleton import Description, Hardware, Turn, turns

IDLE, FETCH, RUN = range(3)


@dataclass(frozen=True, kw_only=True, repr=False)
class PrunedSizes(GatherSizes):
    """Sizes of a pruned engine."""

    engine: ClassVar[str] = "pruned"


@dataclass(frozen=True)
class _Controller:
    """What the rest of the engine is told, and what it tells the controller: `issued` while no PE has an
    entry left, `all_idle` when the last result is in memory too."""

    field: Mapping[str, Wire]
    held: Mapping[str, Wire]
    has_last: list[Wire]
    stage_start: Wire
    starting: Wire
    turn: Turn
    issued: Wire
    all_idle: Wire
    done: Wire
    state: Wire


def build_pruned(sizes: PrunedSizes) -> Hardware:
    """Describes a pruned engine of the given sizes."""
    if sizes.scheduled:
        return build_scheduled(sizes)
    described = Description(sizes, copied=sizes.replicated)
    pes = sizes.pes
    controller = _controller(described)
    results = [wire(sizes.result_bits, f"result_{p}") for p in range(pes)]
    front = [wire(1, f"front_{w}") for w in range(sizes.walkers)]
    back = [wire(1, f"back_{w}") for w in range(sizes.walkers)]
    fronts = [_front(w, described, sizes, controller, front[w], back[w]) for w in range(sizes.walkers)]
    walks, backs = [walk for walk, _ in fronts], [control for _, control in fronts]
    with component("route"):
        finishes = _finishes(sizes, controller.held, backs)
    gather = gather_replicated if sizes.replicated else gather_banked
    with component("route"):
        routed = gather(
            Gathering(
                described=described,
                sizes=sizes,
                held=controller.held,
                walks=walks,
                backs=backs,
                results=results,
                finishes=finishes,
                stage_start=controller.stage_start,
                turn=controller.turn,
                front=front,
                back=back,
            )
        )
    activations = list(routed.activations)
    if sizes.bias_words:
        with component("route"):
            operand = bias_operand(sizes, controller.held)
            activations = [
                pyrtl.select(control.bias, operand, word)
                for control, word in zip(backs, activations, strict=True)
            ]
    for p in range(pes):
        w = p // sizes.lockstep
        results[p] <<= processing_element(
            p, described, backs[w].weights, activations[w], backs[w].taps, controller.held
        )
    with component("controller"):
        issued, all_idle = controller.issued, controller.all_idle
        issued <<= ~pyrtl.rtl_any(*[walk.busy for walk in walks])
        all_idle <<= issued & ~pyrtl.rtl_any(*[control.busy for control in backs], *routed.pending)
        busy = named(controller.state != IDLE, "busy")
    return described.finish(
        done=controller.done,
        busy=busy,
        turn=controller.turn,
        score_valid=routed.score_valid,
        scores=routed.scores,
    )


def _controller(described: Description) -> _Controller:
    with component("controller"):
        state = register(2, "state", reset=True)
        starting = named((state == IDLE) & described.ports.start, "starts")
        begin, stage_start = wire(1, "fetch_begins"), wire(1, "stage_start")
    fetch = descriptor_fetch(described, begin=begin, restart=starting, stage_start=stage_start)
    field, held = fetch.fields, fetch.held
    with component("controller"):
        has_last = [
            named(bit, f"has_last_{p}")
            for p, bit in enumerate(at_most(field["valid_less_one"], described.sizes.pes))
        ]
        issued, all_idle = wire(1, "issued"), wire(1, "all_idle")
        running = state == RUN
        # The next descriptor is fetched from the first cycle on in which no PE has an entry left.
        drains = register(1, "drains", reset=True)
        stage_ends = running & all_idle
        drains.next <<= running & issued & ~stage_ends
        begin <<= starting | (running & issued & ~drains & ~held["final"])
        goes_on, finished = stage_ends & ~held["final"], stage_ends & held["final"]
        stage_start <<= fetch.ready & ((state == FETCH) | goes_on)
        state.next <<= pyrtl.select(
            stage_start,
            pyrtl.Const(RUN, 2),
            pyrtl.select(
                starting | goes_on,
                pyrtl.Const(FETCH, 2),
                pyrtl.select(finished, pyrtl.Const(IDLE, 2), state),
            ),
        )
        turn, done = turns(starting, stage_ends, finished)
    return _Controller(field, held, has_last, stage_start, starting, turn, issued, all_idle, done, state)


def _finishes(sizes: PrunedSizes, held: Mapping[str, Wire], backs: list[Back]) -> list[Wire]:
    """That each PE finishes a result. In the last row of a walker that has one in the last group, those of
    its lanes that have none there finish nothing."""
    if sizes.lockstep == 1:
        return [control.taps.finish for control in backs]
    valid = at_most(held["valid_less_one"], sizes.pes)
    finishes = []
    for p in range(sizes.pes):
        first = p - p % sizes.lockstep
        control = backs[p // sizes.lockstep]
        assert control.last is not None
        idle = control.last & valid[first] & ~valid[p]
        finishes.append(control.taps.finish if p == first else control.taps.finish & ~idle)
    return finishes


def _front(
    w: int, described: Description, sizes: PrunedSizes, controller: _Controller, front: Wire, back: Wire
) -> tuple[Walk, Back]:
    """The control of walker `w` with its index memory: `front` lets an entry go, `back` what follows it."""
    stage_start, starting = controller.stage_start, controller.starting
    index_word = wire(sizes.fetch_bits, f"index_word_{w}")
    with component("address", w):
        go = wire(1, "takes_entry") if sizes.route_register else front
        walk = walk_entries(
            sizes,
            index_word,
            controller.has_last[w * sizes.lockstep],
            go,
            controller.field,
            stage_start,
            starting,
            described.resume,
        )
        if sizes.route_register:
            walk, ready = registered(walk, front)
            go <<= ready
    index_word <<= described.loaded_memory(
        "index",
        w,
        words=sizes.index_words,
        word_bits=sizes.fetch_bits,
        read_enable=walk.word_due,
        read_address=walk.index_address,
    )
    with component("sequencer", w):
        accepted = walk.holds_entry & front
        return walk, follow_entry(sizes, walk, accepted, back, stage_start, starting, described.resume)
