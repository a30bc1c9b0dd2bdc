"""The engine that skips zeros: activations that are not zero are broadcast to all PEs, which queue them.

S. Han et al., EIE: Efficient Inference Engine on Compressed Deep Neural Network, ISCA 2016. Weights lie in
columns, the rows of a column dealt to PEs; an entry is a weight and the number of rows before it that have
none. A PE reads two pointers for an activation, walks through its entries of that column, and adds each
product to one of its accumulators. When all is done the accumulators are emptied, a row a cycle.

With a codebook an entry names one of a few weights, which each PE keeps in a table for each stage.

All PEs are sent the same, so one store serves the queues of all; each has its own place in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pyrtl

from rtl.engines.broadcast.element import (
    Drain,
    Queue,
    accumulating_element,
    column_of,
    decoded,
    entries_of,
    head_of,
    queue,
)
from rtl.engines.broadcast.scan import scan
from rtl.engines.broadcast.sizes import BroadcastSizes
from rtl.parts.arithmetic import at_most
from rtl.parts.components import Wire, component, delayed, fit, named, register, wire
from rtl.parts.descriptor_fetch import descriptor_fetch
from rtl.parts.skeleton import BankPort, Description, Hardware, Turn, turns

IDLE, FETCH, RUN, DRAIN = range(4)


@dataclass(frozen=True, kw_only=True, repr=False)
class EieSizes(BroadcastSizes):
    """Sizes of an EIE engine."""

    engine: ClassVar[str] = "eie"


@dataclass(frozen=True)
class _Controller:
    """What the rest of the engine is told; `all_idle`: no activation is left anywhere; `row` and `drains`: a
    row of results leaves; `present`: which PEs have an output in it."""

    field: Mapping[str, Wire]
    held: Mapping[str, Wire]
    stage_start: Wire
    starting: Wire
    turn: Turn
    all_idle: Wire
    drain: Drain
    present: list[Wire]
    done: Wire
    state: Wire


def build_eie(sizes: EieSizes) -> Hardware:
    """Describes an EIE engine of the given sizes."""
    described = Description(sizes)
    pes = sizes.pes
    controller = _controller(described)
    final = controller.held["final"]
    words = [wire(sizes.activation_bits, f"scanned_{b}") for b in range(pes)]
    with component("route"):
        pushed = wire(1, "pushed")
        broadcast = scan(
            sizes,
            controller.field,
            words,
            stage_start=controller.stage_start,
            starting=controller.starting,
            taken=pushed,
        )
        kept = queue(sizes, pushed, broadcast)
    elements = [_element(p, described, sizes, kept, pushed, controller) for p in range(pes)]
    results = [element.result for element in elements]
    with component("route"):
        pushed <<= broadcast.valid & ~pyrtl.rtl_any(*[element.full for element in elements])
        written = [
            delayed(controller.drain.valid & there, f"written_{p}", reset=True)
            for p, there in enumerate(controller.present)
        ]
        write_row = delayed(controller.drain.row, "write_row", enable=controller.drain.valid)
        write_row = named(fit(write_row, sizes.address.row_bits), "written_row")
        scored = [named(bit & final, f"scores_{p}") for p, bit in enumerate(written)]
        writes = [named(bit & ~final, f"writes_{b}") for b, bit in enumerate(written)]
        read_row = named(fit(broadcast.row, sizes.address.row_bits), "scanned_row")
    for b in range(pes):
        words[b] <<= described.activation_bank(
            b,
            controller.turn,
            BankPort(
                read_enable=broadcast.read,
                read_row=read_row,
                write_enable=writes[b],
                write_row=write_row,
                write_data=results[b],
            ),
        )
    with component("controller"):
        all_idle = controller.all_idle
        all_idle <<= ~pyrtl.rtl_any(broadcast.busy, *[bit for element in elements for bit in element.busy])
        running = named(controller.state != IDLE, "busy")
    return described.finish(
        done=controller.done,
        busy=running,
        turn=controller.turn,
        score_valid=scored,
        scores=results,
    )


@dataclass(frozen=True)
class _Element:
    """What a PE tells: its result, that its queue is full, and what of it is busy."""

    result: Wire
    full: Wire
    busy: list[Wire]


def _element(
    number: int,
    described: Description,
    sizes: EieSizes,
    kept: Queue,
    pushed: Wire,
    controller: _Controller,
) -> _Element:
    """A PE with what stands before it: its place in the queue, its pointers, and its entries."""
    taken, take = wire(1, f"takes_{number}"), wire(1, f"take_{number}")
    with component("address", number):
        head = head_of(sizes, kept, pushed, take)
    column, issue = column_of(sizes, described, number, head, taken)
    take <<= issue
    entry, walks = entries_of(sizes, described, number, column, taken)
    busy = [head.waits, column.valid, walks]
    if sizes.codebook_bits:
        entry = decoded(sizes, described, number, entry, controller.field)
        busy.append(entry.valid)
    result, multiplies = accumulating_element(
        sizes, described, number, entry, controller.drain, controller.held
    )
    return _Element(result, head.full, [*busy, multiplies])


def _controller(described: Description) -> _Controller:
    sizes = described.sizes
    with component("controller"):
        state = register(2, "state", reset=True)
        starting = named((state == IDLE) & described.ports.start, "starts")
        begin, stage_start = wire(1, "fetch_begins"), wire(1, "stage_start")
    fetch = descriptor_fetch(described, begin=begin, restart=starting, stage_start=stage_start)
    held = fetch.held
    with component("controller"):
        all_idle = wire(1, "all_idle")
        begun = register(1, "begun", reset=True)
        # The scan knows of a stage one cycle after its start.
        begun.next <<= stage_start
        empties = (state == RUN) & ~begun & all_idle
        row = register(len(held["groups_less_one"]), "drain_row")
        draining = register(1, "draining", reset=True)
        last = draining & (row == held["groups_less_one"])
        leaves = delayed(last, "last_leaves", reset=True)
        draining.next <<= empties | (draining & ~last)
        row.next <<= pyrtl.select(draining & ~last, fit(row + 1, len(row)), pyrtl.Const(0, len(row)))
        goes_on, finished = leaves & ~held["final"], leaves & held["final"]
        begin <<= starting | (empties & ~held["final"])
        stage_start <<= fetch.ready & ((state == FETCH) | goes_on)
        state.next <<= pyrtl.select(
            stage_start,
            pyrtl.Const(RUN, 2),
            pyrtl.select(
                starting | goes_on,
                pyrtl.Const(FETCH, 2),
                pyrtl.select(
                    finished,
                    pyrtl.Const(IDLE, 2),
                    pyrtl.select(empties, pyrtl.Const(DRAIN, 2), state),
                ),
            ),
        )
        in_last = at_most(held["valid_less_one"], sizes.pes)
        present = [named(bit | ~last, f"present_{p}") for p, bit in enumerate(in_last)]
        turn, done = turns(starting, leaves, finished)
        drain = Drain(named(draining, "drain"), named(row, "drain_at"))
    return _Controller(fetch.fields, held, stage_start, starting, turn, all_idle, drain, present, done, state)
