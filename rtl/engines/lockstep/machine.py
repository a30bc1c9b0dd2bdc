"""Engines whose PEs march in step: one controller, one address source, and banks that answer every tap.

`dense`, `clos` and `csc` are this machine with different address sources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyrtl

from rtl.engines.lockstep.controller import IDLE, Controller, Rhythm, Step, lockstep_controller
from rtl.engines.lockstep.sizes import LockstepSizes
from rtl.parts.arithmetic import choose, rotate
from rtl.parts.components import Wire, bits_for, component, delayed, fit, named, open_port, register, wire
from rtl.parts.processing_element import processing_element, shared_requantiser
from rtl.parts.skeleton import BankPort, Description, Hardware


@dataclass(frozen=True)
class Source:
    """What an address source answers: the address of lane 0, which lanes are read, and for each PE the
    lane it listens to (`None`: PE p listens to lane p, or all to the only lane), and those lanes that it may
    listen to. With an `exchange` PE p hears the lane p xor that."""

    address: Wire
    lane_enables: Sequence[Wire]
    lane_of_pe: Sequence[Wire] | None
    heard: Sequence[Sequence[int]] = ()
    exchange: Wire | None = None


AddressSource = Callable[[LockstepSizes, Mapping[str, Wire], Step], Source]


@dataclass(frozen=True)
class Written:
    """What the writer does in a cycle: `writing` a row of results, the `last` one of its group, and with
    `stored` into memory; `data` and `valid` are those of the row, and of the first row of the group
    otherwise."""

    writing: Wire
    last: Wire
    stored: Wire
    data: Sequence[Wire]
    valid: Sequence[Wire]


@dataclass(frozen=True)
class Placed:
    """What each bank is given to write: the data, whether to, and the row; `last`: with this a group's
    results are all written; `again`: results are that have been written before."""

    data: Sequence[Wire]
    enables: Sequence[Wire]
    rows: Sequence[Wire]
    last: Wire
    again: Wire | None = None


@dataclass(frozen=True)
class Scores:
    """The scores of the final stage, by PE, and which are there."""

    valid: Sequence[Wire]
    values: Sequence[Wire]


def _row_after_row(sizes: LockstepSizes, controller: Controller, written: Written) -> Placed:
    """Results go to row after row."""
    with component("controller"):
        row = register(sizes.address.row_bits, "write_row", reset=True)
        row.next <<= pyrtl.select(
            controller.stage_written, pyrtl.Const(0, len(row)), fit(row + written.writing, len(row))
        )
    enables = [written.stored & bit for bit in written.valid]
    return Placed(written.data, enables, [row] * sizes.banks, written.last)


@dataclass(frozen=True)
class Special:
    """What an engine does in its own way: the `rhythm` of its steps; what PEs hear, from the words of the
    lanes and, where it `passes` them on, from the activations that PEs have taken last; where results are
    `placed`, in row after row unless it says otherwise."""

    passes: bool = False
    rhythm: Rhythm | None = None
    heard: Callable[[LockstepSizes, Controller, Sequence[Wire], Sequence[Wire]], list[Wire]] | None = None
    placed: Callable[[LockstepSizes, Controller, Written], Placed] = _row_after_row


ORDINARY = Special()


def build_lockstep(sizes: LockstepSizes, source: AddressSource, special: Special = ORDINARY) -> Hardware:
    """Describes a lockstep engine with the given address source, and what is special about it."""
    described = Description(sizes)
    controller = lockstep_controller(described, special.rhythm)
    with component("address"):
        answer = source(sizes, controller.field, controller.step)
        spread = sizes.address.spread(list(answer.lane_enables), answer.address)
        enables = [named(controller.step.issue & bit, f"read_bank_{b}") for b, bit in enumerate(spread)]
        rows = [named(row, f"read_row_{b}") for b, row in enumerate(sizes.address.rows_from(answer.address))]
    results = [wire(sizes.result_bits, f"result_{p}") for p in range(sizes.pes)]
    placed, scores = _writes(sizes, controller, results, special.placed)
    ports = [
        BankPort(enables[b], rows[b], placed.enables[b], placed.rows[b], placed.data[b])
        for b in range(sizes.banks)
    ]
    words = [described.activation_bank(b, controller.turn, port) for b, port in enumerate(ports)]
    taken = [_taken(sizes, p) if special.passes else None for p in range(sizes.pes)]
    with component("route"):
        lanes = _route(sizes, controller, answer, words)
        if special.heard:
            lanes = special.heard(sizes, controller, lanes, taken)
        lanes = [named(lane, f"lane_{p}") for p, lane in enumerate(lanes)]
    return _multiplied(described, controller, lanes, taken, results, scores)


def build_skipping(sizes: LockstepSizes) -> Hardware:
    """Describes a lockstep engine all of whose PEs take the same activation, and none that is zero."""
    described, banks = Description(sizes), range(sizes.banks)
    with component("route"):
        words = [wire(sizes.activation_bits, f"scanned_{b}") for b in banks]
    controller = lockstep_controller(described, words=words)
    scan = controller.scan
    assert scan is not None
    results = [wire(sizes.result_bits, f"result_{p}") for p in range(sizes.pes)]
    placed, scores = _writes(sizes, controller, results, _row_after_row)
    with component("address"):
        row = named(fit(scan.row, sizes.address.row_bits), "row")
    for b in banks:
        port = BankPort(scan.reads[b], row, placed.enables[b], placed.rows[b], placed.data[b])
        words[b] <<= described.activation_bank(b, controller.turn, port)
    with component("route"):
        value = delayed(scan.value, "value_2")
        lanes = [named(value, f"lane_{p}") for p in range(sizes.pes)]
    return _multiplied(described, controller, lanes, [None] * sizes.pes, results, scores)


def _multiplied(
    described: Description,
    controller: Controller,
    lanes: Sequence[Wire],
    taken: Sequence[Wire | None],
    results: list[Wire],
    scores: Scores,
) -> Hardware:
    """The PEs, which take their `lanes`, and the end of the description."""
    for p in range(described.sizes.pes):
        with component("controller"):
            control = controller.travelling.control(p)
            due = named(controller.weights.due & controller.step.fetches[p], f"fetch_weight_{p}")
        weights = replace(controller.weights, due=due)
        results[p] <<= processing_element(p, described, weights, lanes[p], control, controller.held, taken[p])
    return described.finish(
        done=controller.done,
        busy=controller.state != IDLE,
        turn=controller.turn,
        score_valid=scores.valid,
        scores=scores.values,
    )


def _taken(sizes: LockstepSizes, number: int) -> Wire:
    """The activation that a PE has taken last."""
    with component("pe", number):
        return open_port(sizes.activation_bits, "passed_on")


def _writes(
    sizes: LockstepSizes,
    controller: Controller,
    results: Sequence[Wire],
    placed: Callable[[LockstepSizes, Controller, Written], Placed],
) -> tuple[Placed, Scores]:
    """Results are written as many at once as there are banks. Scores of the final stage leave on their own
    pins, all at once, or where the requantisers are shared as many at once."""
    held, travelling, write = controller.held, controller.travelling, sizes.pipeline.write
    valid, ends = list(travelling.valid[write]), travelling.ends[write]
    shared, final = sizes.shared_requantiser, held["final"]
    with component("controller"):
        chunks = sizes.pes // sizes.banks
        if chunks > 1:
            chunk = register(bits_for(chunks), "chunk", reset=True)
            writing = named(ends | (chunk != 0), "writes")
            following = [*(valid[sizes.banks * c] for c in range(1, chunks)), pyrtl.Const(0, 1)]
            more = choose(chunk, following)
            more = more if shared else more & ~final
            chunk.next <<= pyrtl.select(
                writing & more, fit(chunk + 1, len(chunk)), pyrtl.Const(0, len(chunk))
            )
        else:
            writing, more = ends, pyrtl.Const(0, 1)
        last = named(writing & ~more, "group_written")
        stored, scored = named(writing & ~final, "writing"), named(writing & final, "scoring")
        turns = [chunk == c if chunks > 1 and shared else pyrtl.Const(1, 1) for c in range(chunks)]
        score_valid = [
            named(scored & bit & turns[p // sizes.banks], f"scores_{p}") for p, bit in enumerate(valid)
        ]
    scores = list(results)
    with component("route"):
        if chunks > 1:
            results = [
                named(choose(chunk, results[b :: sizes.banks]), f"chosen_{b}") for b in range(sizes.banks)
            ]
            valid = [choose(chunk, valid[b :: sizes.banks]) for b in range(sizes.banks)]
    requantising = wire(1, "requantising")
    if shared:
        results = [shared_requantiser(b, sizes, total, held, requantising) for b, total in enumerate(results)]
        scores = [results[p % sizes.banks] for p in range(sizes.pes)]
    with component("route"):
        placement = placed(sizes, controller, Written(writing, last, stored, results, valid))
    with component("controller"):
        written = controller.written
        written <<= placement.last
        requantising <<= writing if placement.again is None else writing | placement.again
    return placement, Scores(score_valid, scores)


def _route(sizes: LockstepSizes, controller: Controller, answer: Source, words: Sequence[Wire]) -> list[Wire]:
    """The activation of each PE from the words of the banks, or what its bias is multiplied by."""
    bank = sizes.address.bank(answer.address)
    lane_count = len(answer.lane_enables)
    lanes = list(words) if bank is None else rotate(words, delayed(bank, "bank_1"), lane_count)
    if controller.bias is not None:
        biased, operand = controller.bias
        lanes = [pyrtl.select(biased, operand, lane) for lane in lanes]
    if answer.lane_of_pe is not None:
        heard = [delayed(lane, f"lane_1_{p}") for p, lane in enumerate(answer.lane_of_pe)]
        lanes = [_listen(lane, lanes, answer.heard[p]) for p, lane in enumerate(heard)]
    if answer.exchange is not None:
        lanes = _exchanged(delayed(answer.exchange, "exchange_1"), lanes)
    return [lanes[p % len(lanes)] for p in range(sizes.pes)]


def _exchanged(by: Wire, lanes: Sequence[Wire]) -> list[Wire]:
    """`lanes[p xor by]` for each p, of a power of two of lanes: halves that change places, level by level."""
    exchanged = list(lanes)
    for level in range(len(by)):
        exchanged = [
            pyrtl.select(by[level], exchanged[p ^ 1 << level], word) for p, word in enumerate(exchanged)
        ]
    return exchanged


def _listen(lane: Wire, lanes: Sequence[Wire], heard: Sequence[int]) -> Wire:
    """`lanes[lane]`. The multiplexer is only as wide as the lanes that may be heard."""
    value = lanes[heard[0]]
    for t in heard[1:]:
        value = pyrtl.select(lane == t, lanes[t], value)
    return value
