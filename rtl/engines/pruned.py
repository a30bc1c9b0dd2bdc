"""The pruned engine: an index beside every weight says which activation it multiplies.

PEs run free and meet only at the end of a stage. Each walks its own list of entries; an entry is an index
and a flag that ends a row. Two organisations of the activations: *replicated* gives each PE a whole copy and
broadcasts results over a bus, one a cycle; *banked* keeps one copy in one bank per PE, behind a crossbar
with an arbiter at each bank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyrtl

from rtl.engines.gather.organisations import Gathering, gather_banked, gather_replicated
from rtl.engines.gather.sizes import GatherSizes
from rtl.engines.gather.walk import Back, Walk, follow_entry, walk_entries
from rtl.parts.arithmetic import at_most
from rtl.parts.components import Wire, component, register, wire
from rtl.parts.skeleton import Description, Hardware, descriptor_fetch, processing_element

IDLE, FETCH, RUN = range(3)


@dataclass(frozen=True, kw_only=True)
class PrunedSizes(GatherSizes):
    """Sizes of a pruned engine."""

    engine: ClassVar[str] = "pruned"


@dataclass(frozen=True)
class _Controller:
    """What the rest of the engine is told, and `all_idle`, which it tells the controller."""

    field: Mapping[str, Wire]
    has_last: list[Wire]
    stage_start: Wire
    starting: Wire
    half: Wire
    all_idle: Wire
    done: Wire
    state: Wire


def build_pruned(sizes: PrunedSizes) -> Hardware:
    """Describes a pruned engine of the given sizes."""
    described = Description(sizes, banked=not sizes.replicated)
    pes = sizes.pes
    controller = _controller(described)
    results = [wire(sizes.activation_bits, f"result_{p}") for p in range(pes)]
    front = [wire(1, f"front_{p}") for p in range(pes)]
    back = [wire(1, f"back_{p}") for p in range(pes)]
    fronts = [_front(p, described, sizes, controller, front[p], back[p]) for p in range(pes)]
    walks, backs = [walk for walk, _ in fronts], [control for _, control in fronts]
    gather = gather_replicated if sizes.replicated else gather_banked
    with component("route"):
        routed = gather(
            Gathering(
                described=described,
                walks=walks,
                backs=backs,
                results=results,
                final=controller.field["final"],
                stage_start=controller.stage_start,
                half=controller.half,
                front=front,
                back=back,
            )
        )
    for p in range(pes):
        results[p] <<= processing_element(
            p, described, backs[p].weights, routed.activations[p], backs[p].taps, controller.field
        )
    with component("controller"):
        all_idle = controller.all_idle
        all_idle <<= ~pyrtl.rtl_any(
            *[walk.busy for walk in walks], *[control.busy for control in backs], *routed.pending
        )
        busy = controller.state != IDLE
    return described.finish(done=controller.done, busy=busy, score_valid=routed.score_valid, scores=results)


def _controller(described: Description) -> _Controller:
    with component("controller"):
        state = register(2, "state", reset=True)
        done = register(1, "done", reset=True)
        half = register(1, "half", reset=True)
        starting = (state == IDLE) & described.ports.start
        fetching = state == FETCH
    fetch = descriptor_fetch(described, fetching=fetching, restart=starting)
    field = fetch.fields
    with component("controller"):
        has_last = at_most(field["valid_less_one"], described.sizes.pes)
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
    return _Controller(field, has_last, fetch.fetched, starting, half, all_idle, done, state)


def _front(
    p: int, described: Description, sizes: PrunedSizes, controller: _Controller, front: Wire, back: Wire
) -> tuple[Walk, Back]:
    """The control of PE `p` with its index memory: `front` lets an entry go, `back` what follows it."""
    stage_start, starting = controller.stage_start, controller.starting
    index_word = wire(sizes.fetch_bits, f"index_word_{p}")
    with component("address", p):
        walk = walk_entries(
            sizes, index_word, controller.has_last[p], front, controller.field, stage_start, starting
        )
    index_word <<= described.loaded_memory(
        "index",
        p,
        words=sizes.index_words,
        word_bits=sizes.fetch_bits,
        read_enable=walk.word_due,
        read_address=walk.index_address,
    )
    with component("sequencer", p):
        accepted = walk.holds_entry & front
        return walk, follow_entry(sizes, walk, accepted, back, stage_start, starting)
